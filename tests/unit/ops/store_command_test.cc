// `consentd store ...`: what a command line asks for.
#include "daemon/ops/store_command.h"

#include <gtest/gtest.h>

namespace consent::ops {
namespace {

absl::StatusOr<Invocation> Copy(std::vector<std::string> more) {
  more.insert(more.begin(), {"store", "copy"});
  return ParseStoreCommand(more);
}

TEST(StoreCommand, ACopyIsAskedForWithBothKeyFilesOrNone) {
  ASSERT_TRUE(Copy({"/s", "--to", "/t"}).ok());
  EXPECT_EQ(Copy({"/s", "--to", "/t"})->store.key_file, "");
  const absl::StatusOr<Invocation> keyed = Copy({"/s", "--key-file", "/k", "--to", "/t", "--new-key-file", "/n"});
  ASSERT_TRUE(keyed.ok()) << keyed.status();
  EXPECT_EQ(keyed->command, Command::kStore);
  EXPECT_EQ(keyed->store.act, StoreAct::kCopy);
  EXPECT_EQ(keyed->store.folder, "/s");
  EXPECT_EQ(keyed->store.to, "/t");
  EXPECT_EQ(keyed->store.key_file, "/k");
  EXPECT_EQ(keyed->store.new_key_file, "/n");
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"/s"},
                                             {"/s", "--to"},
                                             {"/s", "--to", "/t", "--key-file", "/k"},
                                             {"/s", "--to", "/t", "--new-key-file", "/n"},
                                             {"/s", "--to", "/t", "--key-file", "/k", "--new-key-file"},
                                             {"/s", "--to", "/t", "--to", "/u"},
                                             {"/s", "--to", "/t", "--json"}}) {
    EXPECT_FALSE(Copy(wrong).ok()) << wrong.back();
  }
  EXPECT_FALSE(ParseStoreCommand({"store", "verify", "/s", "--key-file", "/k", "--new-key-file", "/n"}).ok());
}

}  // namespace
}  // namespace consent::ops
