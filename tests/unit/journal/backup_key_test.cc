// The keys of backups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <fstream>

#include "daemon/base/base64.h"
#include "daemon/journal/backup_key.h"
#include "daemon/journal/entry.h"
#include "tests/support/service/seeded_random.h"
#include "tests/support/temp_folder.h"

namespace consent::test {
namespace {

using journal::BackupPublicKey;
using journal::BackupSecretKey;
using journal::SealedIds;
using ::testing::HasSubstr;

class BackupKey : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  TempFolder folder_;
  SeededRandom random_{5};
  BackupSecretKey secret_ = BackupSecretKey::Generate(random_);
};

TEST_F(BackupKey, OnlyTheSecretHalfOpensWhatIsSealed) {
  const SealedIds ids{"ann", std::string(200'000, 's')};
  const std::string sealed = secret_.Public().Seal(ids, random_);
  EXPECT_LT(sealed.size(), journal::kMaxSealedBytes);
  const auto opened = secret_.Open(sealed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(*opened == ids);
  EXPECT_NE(secret_.Public().Seal(ids, random_), sealed) << "two seals of one text are told apart";
  EXPECT_TRUE(absl::IsDataLoss(BackupSecretKey::Generate(random_).Open(sealed).status()));
}

TEST_F(BackupKey, EveryFlippedBitAndEveryBeginningIsRefused) {
  const std::string sealed = secret_.Public().Seal({"ann", "sel"}, random_);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string other = sealed;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(secret_.Open(other).ok()) << bit;
  }
  for (size_t size = 0; size < sealed.size(); ++size) ASSERT_FALSE(secret_.Open(sealed.substr(0, size)).ok());
}

TEST_F(BackupKey, ItIsLibsodiumsSealedBox) {
  const std::string line = secret_.PublicLine();
  const auto key = base::DecodeBase64Url(line.substr(line.find(' ') + 1), crypto_box_PUBLICKEYBYTES);
  ASSERT_TRUE(key.has_value());
  const std::string plain = std::string("\x01\x03", 2) + "bob" + std::string("\x01", 1) + "s";
  std::string sealed(plain.size() + crypto_box_SEALBYTES, '\0');
  ASSERT_EQ(crypto_box_seal(reinterpret_cast<unsigned char*>(sealed.data()), base::Unsigned(plain), plain.size(),
                            base::Unsigned(*key)),
            0);
  const auto opened = secret_.Open(sealed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->account_id, "bob");
}

TEST_F(BackupKey, FilesComeBackAndBadOnesAreRefused) {
  ASSERT_TRUE(secret_.Save(folder_ / "secret").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(secret_.Save(folder_ / "secret")));
  const auto loaded = BackupSecretKey::Load(folder_ / "secret");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->PublicLine(), secret_.PublicLine());
  Write("public", secret_.PublicLine() + "\n");
  const auto shared = BackupPublicKey::Load(folder_ / "public");
  ASSERT_TRUE(shared.ok()) << shared.status();
  EXPECT_EQ(shared->Fingerprint(), secret_.Public().Fingerprint());

  Write("twisted", secret_.PublicLine() + "x\n");
  EXPECT_TRUE(absl::IsDataLoss(BackupPublicKey::Load(folder_ / "twisted").status()));
  EXPECT_TRUE(absl::IsDataLoss(BackupPublicKey::Load(folder_ / "secret").status())) << "a secret half is no public one";
  EXPECT_TRUE(absl::IsNotFound(BackupPublicKey::Load(folder_ / "none").status()));
  // Of low order: each id that is journalled under it would be lost, and nobody told before a restore.
  Write("zeros", "consentd-backup-public-key " + base::EncodeBase64Url(std::string(32, '\0')) + "\n");
  EXPECT_TRUE(absl::IsDataLoss(BackupPublicKey::Load(folder_ / "zeros").status()));
  ASSERT_EQ(chmod((folder_ / "secret").c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(BackupSecretKey::Load(folder_ / "secret").status()));
  ASSERT_EQ(chmod((folder_ / "public").c_str(), 0666), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(BackupPublicKey::Load(folder_ / "public").status()));
}

}  // namespace
}  // namespace consent::test
