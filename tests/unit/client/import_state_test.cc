// The state file: what it keeps, what it refuses.
#include "client/cli/engines/import_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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
  absl::StatusOr<ImportState> Open(const std::string& hash = "hash", const std::string& store = "store") {
    absl::StatusOr<ImportState> state = ImportState::Open(path_, hash, random_);
    if (!state.ok()) return state;
    if (absl::Status begun = state->Begin(store); !begun.ok()) return begun;
    return state;
  }
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
    EXPECT_TRUE(state->Block(AccountId("secret-account")).ok());
    EXPECT_TRUE(state->CountRefused(7).ok());
    EXPECT_TRUE(state->CountRefused(9).ok());
    EXPECT_EQ(state->blocks_all(), 0u);
    EXPECT_TRUE(state->BlockAll(8).ok());
    EXPECT_TRUE(state->BlockAll(11).ok());
    EXPECT_TRUE(state->Save(2, 16, {40, 10, 2, 3}).ok());
  }
  auto state = Open();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->Reached(1), 32u);
  EXPECT_EQ(state->Reached(2), 16u);
  EXPECT_EQ(state->counts().imported, 10u);
  EXPECT_TRUE(state->IsBlocked(AccountId("secret-account")));
  EXPECT_TRUE(state->IsCounted(7) && state->IsCounted(9));
  EXPECT_FALSE(state->IsCounted(8));
  EXPECT_EQ(state->blocks_all(), 8u) << "the first one";
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

// A key or a token, for example: what has no line's end is no torn state file.
TEST_F(ImportStateTest, APipeIsRefusedWithoutWaitingForAWriter) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_NE(std::string(Open().status().message()).find("is no regular file"), std::string::npos);
}

TEST_F(ImportStateTest, AForeignFileWithoutALinesEndIsLeftAsItIs) {
  for (const char* text : {"x", "{}", "-----BEGIN KEY-----", "{\"consentctl_import\":1,\"input\":\"other",
                           "{\"consentctl_import\":1,\"input\":\"hash\",\"salt\":\"XYZ"}) {
    std::ofstream(path_, std::ios::trunc) << text;
    EXPECT_FALSE(Open().ok()) << text;
    EXPECT_EQ(Text(), text);
  }
}

TEST_F(ImportStateTest, ATornHeadIsBegunAgain) {
  std::string head;
  {
    EXPECT_TRUE(Open().ok());
    head = Text();
  }
  for (size_t length = 0; length < head.size(); ++length) {
    std::ofstream(path_, std::ios::trunc) << head.substr(0, length);
    ASSERT_TRUE(Open().ok()) << length;
    EXPECT_EQ(Text().size(), head.size()) << length;
    EXPECT_TRUE(Open().ok()) << "it can be read again: " << length;
  }
}

TEST_F(ImportStateTest, WhatOneStoreHasTakenAnotherHasNot) {
  EXPECT_TRUE(Open("hash", "one")->Save(1, 7, {7, 0, 0, 0}).ok());
  const std::string text = Text();
  EXPECT_FALSE(Open("hash", "another").ok());
  EXPECT_EQ(Text(), text) << "it is left as it is";
  EXPECT_EQ(Open("hash", "one")->Reached(1), 7u);
  // Without its second line nobody knows whose it is.
  const size_t head = text.find('\n') + 1;
  std::ofstream(path_, std::ios::trunc) << text.substr(0, head) + text.substr(text.find('\n', head) + 1);
  EXPECT_FALSE(Open("hash", "one").ok());
  std::ofstream(path_, std::ios::trunc) << text.substr(0, head + 5);
  EXPECT_EQ(Open("hash", "another")->Reached(1), 0u) << "torn while it was begun";
}

TEST_F(ImportStateTest, OpeningChangesNothing) {
  const std::string torn = R"({"consentctl_import":1,"in)";
  std::ofstream(path_) << torn;
  EXPECT_TRUE(ImportState::Open(path_, "hash", random_).ok());
  EXPECT_EQ(Text(), torn);
}

TEST_F(ImportStateTest, WithoutAPathNothingIsKept) {
  auto state = ImportState::Open("", "hash", random_);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->descriptor(), -1);
  EXPECT_TRUE(state->Begin("store").ok());
  EXPECT_TRUE(state->Save(1, 5, {}).ok());
  EXPECT_EQ(state->Reached(1), 5u);
}

}  // namespace
}  // namespace consent::cli
