// The state file: what it keeps, what it refuses.
#include "client/cli/import_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

class ImportStateTest : public ::testing::Test {
 protected:
  ImportStateTest()
      : path_(::testing::TempDir() + "state_" + std::to_string(::getpid()) + "_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    ::unlink(path_.c_str());
  }
  ~ImportStateTest() override { ::unlink(path_.c_str()); }
  absl::StatusOr<ImportState> Open(const std::string& hash = "hash") { return ImportState::Open(path_, hash, -1, random_); }
  std::string Text() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  testing::FakeRandom random_;
  const std::string path_;
};

TEST_F(ImportStateTest, KeepsWhatWasReached) {
  {
    auto state = Open();
    ASSERT_TRUE(state.ok());
    EXPECT_EQ(state->Reached(1), 0u);
    EXPECT_TRUE(state->Save(1, 32, {32, 0, 1, 2}).ok());
    EXPECT_TRUE(state->Block(AccountId("secret-account"), 7).ok());
    EXPECT_TRUE(state->Save(2, 16, {40, 10, 2, 3}).ok());
  }
  auto state = Open();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->Reached(1), 32u);
  EXPECT_EQ(state->Reached(2), 16u);
  EXPECT_EQ(state->counts().imported, 10u);
  EXPECT_TRUE(state->IsBlocked(AccountId("secret-account")));
  EXPECT_TRUE(state->WasRefused(AccountId("secret-account"), 7));
  EXPECT_FALSE(state->WasRefused(AccountId("secret-account"), 8));
  EXPECT_FALSE(state->IsBlocked(AccountId("another")));
  EXPECT_EQ(Text().find("secret"), std::string::npos) << "no ids in the state file";
}

TEST_F(ImportStateTest, ATornLastLineCountsAsNotWritten) {
  {
    auto state = Open();
    EXPECT_TRUE(state->Save(1, 32, {}).ok());
  }
  std::ofstream(path_, std::ios::app) << R"({"pass":1,"li)";
  {
    auto state = Open();
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->Reached(1), 32u);
    EXPECT_TRUE(state->Save(1, 64, {}).ok());
  }
  EXPECT_EQ(Open()->Reached(1), 64u);
}

TEST_F(ImportStateTest, RefusesAnotherInputsAndForeignFiles) {
  EXPECT_TRUE(Open().ok());
  EXPECT_FALSE(Open("other").ok());
  for (const char* text : {"hello\n", "{}\n", "[1]\n", "{\"consentctl_import\":2,\"input\":\"hash\",\"salt\":\"\"}\n",
                           "{\"consentctl_import\":1,\"input\":\"hash\"}\n",
                           "{\"consentctl_import\":1,\"input\":\"hash\",\"salt\":\"\"}\n{\"pass\":1}\n"}) {
    std::ofstream(path_, std::ios::trunc) << text;
    EXPECT_FALSE(Open().ok()) << text;
    EXPECT_EQ(Text(), text) << "a file that is not ours is left as it is";
  }
}

TEST_F(ImportStateTest, WithoutAPathNothingIsKept) {
  auto state = ImportState::Open("", "hash", -1, random_);
  ASSERT_TRUE(state.ok());
  EXPECT_TRUE(state->Save(1, 5, {}).ok());
  EXPECT_EQ(state->Reached(1), 5u);
}

}  // namespace
}  // namespace consent::cli
