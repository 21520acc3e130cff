// Keys that the service manager brings: loaded, judged, never made.
#include "daemon/app/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "daemon/base/random.h"
#include "tests/support/temp_folder.h"

namespace consent::app {
namespace {

using ::testing::HasSubstr;
using Found = store::RocksStore::Found;

class CredentialTest : public testing::Test {
 protected:
  CredentialTest() {
    options_.key_file = folder_ / "keys";
    options_.key_is_credential = true;
    options_.data_dir = "/d";
    base::SystemRandom random;
    EXPECT_TRUE(base::Keys::Generate(random).Save(options_.key_file).ok());
    Mode(options_.key_file, 0400);
    Mode(folder_.path().string(), 0500);
  }
  ~CredentialTest() override { Mode(folder_.path().string(), 0700); }
  static void Mode(const std::string& path, mode_t mode) { EXPECT_EQ(chmod(path.c_str(), mode), 0) << path; }
  std::string Refusal(Found found = Found::kNothing) {
    const absl::StatusOr<Keyring> keyring = OpenKeyring(options_, found);
    EXPECT_FALSE(keyring.ok());
    return std::string(keyring.status().message());
  }

  test::TempFolder folder_;
  ops::ServeOptions options_;
};

TEST_F(CredentialTest, AReadOnlyFileInAReadOnlyFolderIsTaken) {
  const absl::StatusOr<Keyring> keyring = OpenKeyring(options_, Found::kStore);
  ASSERT_TRUE(keyring.ok()) << keyring.status();
  EXPECT_FALSE(keyring->is_new);
}

// As systemd leaves it for a service with a user of its own: root's, and the access list shows in the group's bits.
TEST_F(CredentialTest, RootsFileMayBeOpenToRootsGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Mode(options_.key_file, 0440);
  Mode(folder_.path().string(), 0550);
  EXPECT_TRUE(OpenKeyring(options_, Found::kStore).ok());
  ASSERT_EQ(chown(options_.key_file.c_str(), 0, 65534), 0);
  EXPECT_THAT(Refusal(), HasSubstr("is open to its group or to others (mode 0440)"));
}

TEST_F(CredentialTest, WhatOthersMayReadOrWriteIsRefused) {
  for (const mode_t mode : {0404, 0444, 0604, 0460, 0620, 0402, 0401}) {
    Mode(options_.key_file, mode);
    EXPECT_THAT(Refusal(), HasSubstr("key file")) << std::oct << mode;
  }
  Mode(options_.key_file, 0400);
  for (const mode_t mode : {0505, 0755, 0701, 0770}) {
    Mode(folder_.path().string(), mode);
    EXPECT_THAT(Refusal(), HasSubstr("folder of credentials")) << std::oct << mode;
  }
}

TEST_F(CredentialTest, AMissingOneIsNeverMade) {
  Mode(folder_.path().string(), 0700);
  ASSERT_EQ(unlink(options_.key_file.c_str()), 0);
  for (const Found found : {Found::kNothing, Found::kHeadAlone, Found::kStore}) {
    EXPECT_THAT(Refusal(found), HasSubstr("systemd-creds encrypt"));
  }
  options_.key_is_credential = false;
  EXPECT_TRUE(OpenKeyring(options_, Found::kNothing).ok()) << "a plain key file is";
}

TEST_F(CredentialTest, AnEmptyOrDamagedOneIsDamaged) {
  for (const char* text : {"", "consentd keys 1\n"}) {
    Mode(options_.key_file, 0600);
    std::ofstream(options_.key_file, std::ios::trunc) << text;
    Mode(options_.key_file, 0400);
    EXPECT_THAT(Refusal(), HasSubstr("is damaged or not a key file"));
  }
}

TEST_F(CredentialTest, ALinkIsNoCredential) {
  Mode(folder_.path().string(), 0700);
  const std::string link = folder_ / "link";
  ASSERT_EQ(symlink(options_.key_file.c_str(), link.c_str()), 0);
  options_.key_file = link;
  EXPECT_THAT(Refusal(), HasSubstr("symbolic link"));
}

}  // namespace
}  // namespace consent::app
