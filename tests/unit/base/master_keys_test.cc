// Master keys: added to a key file and dropped from it, and in use while they change.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "daemon/base/keys.h"
#include "daemon/base/share_keys.h"
#include "tests/support/service/seeded_random.h"
#include "tests/support/temp_folder.h"

namespace consent::base {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<Keys> OneMore(const Keys& keys) {
  SystemRandom random;
  return keys.WithNewMasterKey(random);
}

class MasterKeysTest : public ::testing::Test {
 protected:
  MasterKeysTest() : keys_(Keys::Generate(random_)) { EXPECT_TRUE(keys_.Save(path_).ok()); }
  std::string Read() {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<uint16_t> Numbers() { return Keys::Load(path_)->master_numbers(); }

  test::TempFolder folder_;
  const std::string path_ = folder_ / "keys";
  test::SeededRandom random_{7};
  Keys keys_;
  const SubjectHandle subject_{};
};

TEST_F(MasterKeysTest, AddedAndDroppedInTheFile) {
  const PayloadKey before = keys_.NewPayloadKey(subject_, random_);
  ASSERT_TRUE(Keys::Change(path_, OneMore).ok());
  EXPECT_EQ(Numbers(), (std::vector<uint16_t>{1, 2}));
  const Keys two = *Keys::Load(path_);
  EXPECT_EQ(two.Fingerprint(), keys_.Fingerprint());
  EXPECT_EQ(*two.OpenShare(subject_, before.share), before.key);
  const std::string rewrapped = *two.Rewrap(subject_, before.share);
  EXPECT_EQ(MasterNumberOf(rewrapped), 2);
  ASSERT_TRUE(Keys::Change(path_, [](const Keys& keys) { return keys.WithoutMasterKey(1); }).ok());
  const Keys one = *Keys::Load(path_);
  EXPECT_EQ(one.master_numbers(), (std::vector<uint16_t>{2}));
  EXPECT_EQ(*one.OpenShare(subject_, rewrapped), before.key);
  const absl::Status closed = one.OpenShare(subject_, before.share).status();
  EXPECT_TRUE(absl::IsDataLoss(closed));
  EXPECT_NE(closed.message().find("master key 1, which the key file does not have"), std::string::npos) << closed;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1) << "nothing is left beside it";
}

TEST_F(MasterKeysTest, NeitherTheNewestNorOneThatIsNotThereIsDropped) {
  EXPECT_TRUE(absl::IsFailedPrecondition(keys_.WithoutMasterKey(1).status()));
  EXPECT_TRUE(absl::IsNotFound(keys_.WithoutMasterKey(2).status()));
  Keys keys = keys_;
  for (size_t i = 1; i < kMaxMasterKeys; ++i) keys = *keys.WithNewMasterKey(random_);
  EXPECT_TRUE(absl::IsResourceExhausted(keys.WithNewMasterKey(random_).status()));
  EXPECT_EQ(keys.WithoutMasterKey(3)->WithNewMasterKey(random_)->newest_master(), 17) << "no number comes twice";
}

TEST_F(MasterKeysTest, AChangeThatIsRefusedLeavesTheFileAsItWas) {
  const std::string before = Read();
  const absl::Status refused =
      Keys::Change(path_, [](const Keys&) -> absl::StatusOr<Keys> { return absl::AbortedError("no"); });
  EXPECT_TRUE(absl::IsAborted(refused));
  EXPECT_EQ(Read(), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
  fs::remove(path_);
  EXPECT_TRUE(absl::IsNotFound(Keys::Change(path_, OneMore)));
  EXPECT_FALSE(fs::exists(path_));
}

// What a process left that was killed in the middle is written over, whatever it is.
TEST_F(MasterKeysTest, GoesOnBesideWhatAnInterruptedChangeLeft) {
  std::ofstream(path_ + ".changing") << std::string(10'000, 'x');
  ASSERT_TRUE(Keys::Change(path_, OneMore).ok());
  EXPECT_EQ(Numbers(), (std::vector<uint16_t>{1, 2}));
}

TEST_F(MasterKeysTest, NoChangeIsLostBesideAnother) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this] {
      for (int n = 0; n < 3; ++n) EXPECT_TRUE(Keys::Change(path_, OneMore).ok());
    });
  }
  bool whole = true;
  for (int i = 0; i < 200; ++i) whole = whole && Keys::Load(path_).ok();
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(whole) << "at every moment it is one or the other";
  EXPECT_EQ(Numbers().size(), 13U);
}

TEST_F(MasterKeysTest, ACheckTellsOneFromAnotherOfTheSameNumber) {
  test::SeededRandom other(8);
  const Keys a = *keys_.WithNewMasterKey(random_);
  const Keys b = *keys_.WithNewMasterKey(other);
  EXPECT_EQ(*a.MasterCheckOf(1), *b.MasterCheckOf(1));
  EXPECT_NE(*a.MasterCheckOf(2), *b.MasterCheckOf(2));
  EXPECT_NE(*a.MasterCheckOf(1), *a.MasterCheckOf(2));
  EXPECT_TRUE(absl::IsNotFound(a.MasterCheckOf(3).status()));
}

TEST_F(MasterKeysTest, WhatIsWrittenLiesUnderTheNewestOfThen) {
  ShareKeys shares(keys_);
  const PayloadKey made = shares.NewPayloadKey(subject_, random_);
  EXPECT_EQ(shares.UnderNewest(subject_, made.share), made.share);
  shares.Replace(*keys_.WithNewMasterKey(random_));
  const std::string written = shares.UnderNewest(subject_, made.share);
  EXPECT_EQ(MasterNumberOf(written), 2);
  EXPECT_EQ(*shares.OpenShare(subject_, written), made.key);
  EXPECT_EQ(*shares.OpenShare(subject_, made.share), made.key);
  EXPECT_EQ(MasterNumberOf("short"), 0);
}

}  // namespace
}  // namespace consent::base
