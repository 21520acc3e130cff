#include "daemon/base/keys.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/key_wrap.h"
#include "tests/support/base/seeded_keys.h"
#include "tests/support/service/seeded_random.h"
#include "tests/support/temp_folder.h"

namespace consent::base {
namespace {

Keys Fresh() {
  SystemRandom random;
  return Keys::Generate(random);
}

namespace fs = std::filesystem;

class KeysTest : public ::testing::Test {
 protected:
  std::string Read() {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  }
  // No text may hold 8 hex digits in a row of what the file holds.
  void ExpectNoKeyIn(std::string_view text, const std::string& file) {
    for (size_t i = 0; i + 8 <= text.size(); ++i) {
      const std::string piece(text.substr(i, 8));
      if (piece.find_first_not_of("0123456789abcdef") == std::string::npos) {
        EXPECT_EQ(file.find(piece), std::string::npos);
      }
    }
  }
  test::TempFolder folder_;
  const std::string path_ = folder_ / "keys";
};

TEST_F(KeysTest, SavedAndLoaded) {
  const mode_t before = umask(0);
  const Keys keys = Fresh();
  ASSERT_TRUE(keys.Save(path_).ok());
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const auto loaded = Keys::Load(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->Fingerprint(), keys.Fingerprint());
  EXPECT_EQ(loaded->Hasher().Subject("a"), keys.Hasher().Subject("a"));
  EXPECT_EQ(loaded->DiskKeyFor(SubjectHandle{{1}}), keys.DiskKeyFor(SubjectHandle{{1}}));
}

TEST_F(KeysTest, NeverOverwrites) {
  const Keys first = Fresh();
  ASSERT_TRUE(first.Save(path_).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Fresh().Save(path_)));
  EXPECT_EQ(Keys::Load(path_)->Fingerprint(), first.Fingerprint());
}

TEST_F(KeysTest, AnUnfinishedFileIsNoKeyFileAndIsUsedAgain) {
  { std::ofstream(path_ + ".creating") << "consentd keys 3\nlook"; }
  EXPECT_TRUE(absl::IsNotFound(Keys::Load(path_).status()));
  const Keys keys = Fresh();
  ASSERT_TRUE(keys.Save(path_).ok());
  EXPECT_EQ(Keys::Load(path_)->Fingerprint(), keys.Fingerprint());
  EXPECT_NE(access((path_ + ".creating").c_str(), F_OK), 0) << "no second copy of the keys stays";
}

// The process ended between giving the file its name and taking the other one away.
TEST_F(KeysTest, ASecondNameOfTheKeyFileIsNotWrittenThrough) {
  const Keys keys = Fresh();
  ASSERT_TRUE(keys.Save(path_).ok());
  ASSERT_EQ(link(path_.c_str(), (path_ + ".creating").c_str()), 0);
  EXPECT_TRUE(absl::IsAlreadyExists(Fresh().Save(path_)));
  EXPECT_EQ(Keys::Load(path_)->Fingerprint(), keys.Fingerprint());
}

TEST_F(KeysTest, ManyAtOnceMakeOne) {
  for (int round = 0; round < 20; ++round) {
    const std::string path = folder_ / ("keys" + std::to_string(round));
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const absl::Status saved = Fresh().Save(path);
        made += saved.ok() ? 1 : 0;
        EXPECT_TRUE(saved.ok() || absl::IsAlreadyExists(saved)) << saved;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    EXPECT_TRUE(Keys::Load(path).ok());
  }
}

TEST_F(KeysTest, RefusesAnyRightOfOthers) {
  ASSERT_TRUE(Fresh().Save(path_).ok());
  for (const mode_t mode : {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0666, 0777}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_TRUE(absl::IsFailedPrecondition(Keys::Load(path_).status())) << std::oct << mode;
  }
  for (const mode_t mode : {0600, 0400}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_TRUE(Keys::Load(path_).ok()) << std::oct << mode;
  }
}

TEST_F(KeysTest, RefusesWhatIsNoRegularFile) {
  EXPECT_TRUE(absl::IsNotFound(Keys::Load(path_).status()));
  const std::string real = folder_ / "real";
  ASSERT_TRUE(Fresh().Save(real).ok());
  ASSERT_EQ(symlink(real.c_str(), path_.c_str()), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(Keys::Load(path_).status())) << "a link";
  fs::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(Keys::Load(path_).status())) << "a pipe";
  EXPECT_FALSE(Keys::Load(folder_.path().string()).ok()) << "a folder";
}

TEST_F(KeysTest, RefusesEveryDamage) {
  ASSERT_TRUE(test::SeededKeys(1).Save(path_).ok());
  const std::string good = Read();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    Write(bad);
    const absl::Status flipped = Keys::Load(path_).status();
    EXPECT_TRUE(absl::IsDataLoss(flipped)) << i;
    ExpectNoKeyIn(std::string(flipped.message()), good);
    Write(good.substr(0, i));
    EXPECT_TRUE(absl::IsDataLoss(Keys::Load(path_).status())) << "cut to " << i;
  }
  Write(good + "\n");
  EXPECT_TRUE(absl::IsDataLoss(Keys::Load(path_).status()));
  Write(std::string(100'000, 'x'));
  EXPECT_TRUE(absl::IsDataLoss(Keys::Load(path_).status()));
  Write(good);
  EXPECT_TRUE(Keys::Load(path_).ok());
}

TEST_F(KeysTest, ReportsWhatCannotBeWritten) { EXPECT_TRUE(absl::IsNotFound(Fresh().Save(folder_ / "none/keys"))); }

TEST(Keys, EveryPurposeHasItsOwnKey) {
  const Keys keys = test::SeededKeys(1);
  const Keys other = test::SeededKeys(2);
  const SubjectHandle subject{{1, 2, 3}};
  EXPECT_NE(keys.Fingerprint(), other.Fingerprint());
  EXPECT_NE(keys.DiskKeyFor(subject), other.DiskKeyFor(subject));
  EXPECT_NE(keys.DiskKeyFor(subject).bytes, keys.DiskHash("subject", View(subject.bytes)));
  EXPECT_NE(keys.DiskHash("a", "bc"), keys.DiskHash("ab", "c")) << "the label ends where it ends";
  EXPECT_NE(keys.TokenTag("a"), keys.TokenTag("b"));
  EXPECT_NE(Fresh().Fingerprint(), Fresh().Fingerprint());
}

TEST(Keys, AShareOpensForItsSubjectAlone) {
  const Keys keys = test::SeededKeys(1);
  const SubjectHandle subject{{1, 2, 3}};
  SystemRandom random;
  const PayloadKey one = keys.NewPayloadKey(subject, random);
  const PayloadKey two = keys.NewPayloadKey(subject, random);
  EXPECT_NE(one.key, two.key);
  EXPECT_NE(one.share, two.share);
  ASSERT_EQ(one.share.size(), kShareBytes);
  EXPECT_EQ(*keys.OpenShare(subject, one.share), one.key);
  EXPECT_TRUE(absl::IsDataLoss(keys.OpenShare(SubjectHandle{{9}}, one.share).status()));
  EXPECT_TRUE(absl::IsDataLoss(test::SeededKeys(2).OpenShare(subject, one.share).status()));
  for (size_t bit = 0; bit < one.share.size() * 8; ++bit) {
    std::string flipped = one.share;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_TRUE(absl::IsDataLoss(keys.OpenShare(subject, flipped).status())) << bit;
  }
  for (size_t size = 0; size < one.share.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(keys.OpenShare(subject, one.share.substr(0, size)).status())) << size;
  }
}

TEST_F(KeysTest, ARotationKeepsEveryPayloadKey) {
  SystemRandom random;
  const SubjectHandle subject{{1, 2, 3}};
  Keys keys = Fresh();
  const Bytes16 fingerprint = keys.Fingerprint();
  PayloadKey payload = keys.NewPayloadKey(subject, random);
  for (size_t masters = 2; masters <= kMaxMasterKeys; ++masters) {
    const Keys before = keys;
    keys = *keys.WithNewMasterKey(random);
    EXPECT_EQ(*keys.OpenShare(subject, payload.share), payload.key) << "under an older master key";
    payload.share = *keys.Rewrap(subject, payload.share);
    EXPECT_EQ(*keys.OpenShare(subject, payload.share), payload.key);
    EXPECT_TRUE(absl::IsDataLoss(before.OpenShare(subject, payload.share).status())) << "it lacks the master key";
    EXPECT_EQ(keys.Fingerprint(), fingerprint);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(keys.WithNewMasterKey(random).status()));
  ASSERT_TRUE(keys.Save(path_).ok());
  EXPECT_EQ(*Keys::Load(path_)->OpenShare(subject, payload.share), payload.key);
}

// What a copy of a store has: handles that only the new file can make, and nothing that the old one opens.
TEST_F(KeysTest, ANewFileHasALayerMoreAndAllOtherKeysDrawn) {
  test::SeededRandom random(3);
  Keys keys = test::SeededKeys(1);
  const SubjectHandle subject = keys.Hasher().Subject("a");
  for (size_t lookup = 2; lookup <= kMaxLookupKeys; ++lookup) {
    const Keys before = keys;
    const PayloadKey payload = before.NewPayloadKey(subject, random);
    keys = *before.Renewed(random);
    const HandleLayer layer = *keys.LayerOver(before);
    EXPECT_EQ(keys.Hasher().Subject("a"), layer.Over(before.Hasher().Subject("a")));
    EXPECT_NE(keys.DiskKeyFor(subject), before.DiskKeyFor(subject));
    EXPECT_NE(keys.TokenTag("a"), before.TokenTag("a"));
    EXPECT_NE(keys.Fingerprint(), before.Fingerprint());
    EXPECT_FALSE(keys.OpenShare(subject, payload.share).ok());
    const SubjectHandle there = layer.Over(subject);
    const PayloadKey renewed = *before.Renew(subject, payload.share, Digest{5}, keys, there);
    EXPECT_EQ(*keys.OpenShare(there, renewed.share), renewed.key);
    EXPECT_EQ(before.Renew(subject, payload.share, Digest{5}, keys, there)->key, renewed.key);
    EXPECT_NE(before.Renew(subject, payload.share, Digest{6}, keys, there)->key, renewed.key);
    EXPECT_NE(renewed.key, payload.key) << "who opened the old one does not open this one";
    EXPECT_FALSE(before.Renew(there, payload.share, Digest{5}, keys, there).ok());
    EXPECT_FALSE(keys.OpenShare(subject, renewed.share).ok());
    EXPECT_FALSE(before.OpenShare(there, renewed.share).ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(before.LayerOver(keys).status()));
    EXPECT_TRUE(absl::IsFailedPrecondition(keys.LayerOver(test::SeededKeys(2)).status()));
    EXPECT_TRUE(absl::IsFailedPrecondition(keys.LayerOver(keys).status()));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(keys.Renewed(random).status()));
  ASSERT_TRUE(keys.Save(path_).ok());
  EXPECT_EQ(Keys::Load(path_)->Fingerprint(), keys.Fingerprint());
  EXPECT_EQ(Keys::Load(path_)->Hasher().Subject("a"), keys.Hasher().Subject("a"));
}

TEST_F(KeysTest, RefusesAFileWithoutALookupKeyOrWithTooMany) {
  test::SeededRandom random(3);
  ASSERT_TRUE(test::SeededKeys(1).Renewed(random)->Save(path_).ok());
  const std::string good = Read();
  const size_t first = good.find("lookup ");
  const std::string line = good.substr(first, good.find('\n', first) + 1 - first);
  const size_t others = good.find("disk ");
  for (const size_t lines : {0U, 1U, 2U, 8U, 9U, 40U}) {
    std::string text = good.substr(0, first);
    for (size_t i = 0; i < lines; ++i) text += line;
    text += good.substr(others, good.find("check ") - others);
    text += "check " + Hex(View(Blake2b(text))) + "\n";
    Write(text);
    const absl::Status loaded = Keys::Load(path_).status();
    EXPECT_TRUE(lines >= 1 && lines <= kMaxLookupKeys ? loaded.ok() : absl::IsDataLoss(loaded)) << lines << loaded;
  }
}

// RFC 3394, 4.3 and 4.6.
TEST(KeyWrap, IsAsInTheStandard) {
  Digest under{};
  for (size_t i = 0; i < under.size(); ++i) under[i] = static_cast<uint8_t>(i);
  const std::string short_key("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
  EXPECT_EQ(Hex(WrapKey(under, short_key)), "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7");
  EXPECT_EQ(UnwrapKey(under, WrapKey(under, short_key)), short_key);
  std::string long_key = short_key;
  for (char i = 0; i < 16; ++i) long_key.push_back(i);
  EXPECT_EQ(Hex(WrapKey(under, long_key)),
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
}

// Rows lie where these answers say: they must never change.
TEST(Keys, Golden) {
  const Keys keys = test::SeededKeys(42);
  const SubjectHandle subject{{1, 2, 3}};
  EXPECT_EQ(Hex(View(keys.Hasher().Subject("account-1").bytes)), "3b99eb4b6a4bf6581a2e59ffde711b3f");
  EXPECT_EQ(Hex(View(keys.DiskKeyFor(subject).bytes)), "c8cefca95348edef7750bba09b77560a");
  EXPECT_EQ(Hex(View(keys.DiskHash("request", "id"))), "abf747c8f72d31ba7ac6b6ea72998b80");
  test::SeededRandom random(7);
  const PayloadKey payload = keys.NewPayloadKey(subject, random);
  EXPECT_EQ(Hex(payload.share), "0001f60ee0f4daa00a5fcde4fa4a2d3c1445ce0dfe1d704efe04");
  EXPECT_EQ(Hex(View(payload.key)), "e0922a9d2cf428dc3d792e1441339bf7107eb9b25f0aea9f2aa1bf8240052151");
  EXPECT_EQ(keys.TokenTag("token"), 0xde8ab523u);
  EXPECT_EQ(Hex(View(keys.Fingerprint())), "bce75ee7e958e21852d026abebf43b96");
}

}  // namespace
}  // namespace consent::base
