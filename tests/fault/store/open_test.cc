// What Open refuses although nothing is damaged.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <future>

#include "daemon/base/random.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "tests/fault/store/scenario.h"

namespace consent::test {
namespace {

using store::RocksStore;

// How nice the engine's one thread of that kind is.
int NiceOf(rocksdb::Env::Priority kind) {
  std::promise<int> nice;
  rocksdb::Env::Default()->Schedule(
      [](void* out) { static_cast<std::promise<int>*>(out)->set_value(getpriority(PRIO_PROCESS, 0)); }, &nice, kind);
  return nice.get_future().get();
}

class OpenTest : public ::testing::Test {
 protected:
  RocksStore::Options Options() {
    RocksStore::Options options;
    options.db_path = folder_ / "db";
    options.head_path = folder_ / "head";
    options.partitions = 2;
    options.clock = &clock_;
    options.random = &random_;
    options.key_fingerprint = {1, 2, 3};
    return options;
  }
  TempFolder folder_;
  ManualClock clock_;
  base::SystemRandom random_;
};

TEST_F(OpenTest, WrongKeysAreRefusedEvenIfLossIsAccepted) {
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  RocksStore::Options wrong = Options();
  wrong.key_fingerprint = {9};
  for (const bool accept : {false, true}) {
    wrong.accept_loss = accept;
    const auto opened = RocksStore::Open(wrong);
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status()));
    EXPECT_NE(std::string(opened.status().message()).find("key file"), std::string::npos);
  }
  EXPECT_TRUE(RocksStore::Open(Options()).ok());
}

TEST_F(OpenTest, AnotherPartitionCountIsRefused) {
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  RocksStore::Options wrong = Options();
  wrong.partitions = 3;
  EXPECT_TRUE(absl::IsFailedPrecondition(RocksStore::Open(wrong).status()));
}

TEST_F(OpenTest, ASecondOpenerGetsOneClearLine) {
  const auto first = RocksStore::Open(Options());
  ASSERT_TRUE(first.ok());
  const auto second = RocksStore::Open(Options());
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  const std::string text(second.status().message());
  EXPECT_NE(text.find("in use by another process"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST_F(OpenTest, OnlyWhatRewritesTheLowestLevelLetsOthersGoFirst) {
  const int own = getpriority(PRIO_PROCESS, 0);
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  EXPECT_EQ(NiceOf(rocksdb::Env::Priority::BOTTOM), std::max(10, own));
  EXPECT_EQ(NiceOf(rocksdb::Env::Priority::LOW), own) << "commits wait for it when it falls behind";
  EXPECT_EQ(NiceOf(rocksdb::Env::Priority::HIGH), own);
}

TEST_F(OpenTest, AnEmptyStoreMayLoseItsHeadFile) {
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  std::filesystem::remove(folder_ / "head");
  EXPECT_TRUE(RocksStore::Open(Options()).ok()) << "nothing was acknowledged yet, so nothing can be missing";
}

TEST_F(OpenTest, AnEmptyStoreMayLoseItsDatabase) {
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  std::filesystem::remove_all(folder_ / "db");
  const auto opened = RocksStore::Open(Options());
  EXPECT_TRUE(opened.ok()) << opened.status();
}

TEST_F(OpenTest, AnUnfinishedCreationIsStartedAnew) {
  std::filesystem::create_directory(folder_ / "db.creating");
  for (const char* name : {"CURRENT", "IDENTITY", "LOCK", "LOG", "LOG.old.1790000000000000", "MANIFEST-000004",
                           "OPTIONS-000007", "OPTIONS-000009.dbtmp", "000005.log", "000008.sst", "000010.dbtmp"}) {
    std::ofstream(folder_ / ("db.creating/" + std::string(name))) << "half";
  }
  EXPECT_TRUE(RocksStore::Open(Options()).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "db.creating"));
}

TEST_F(OpenTest, WhatIsNoUnfinishedCreationStays) {
  for (const char* name : {"notes", "5.logs", "000005.log.gz", "currently"}) {
    std::filesystem::create_directory(folder_ / "db.creating");
    std::ofstream(folder_ / ("db.creating/" + std::string(name))) << "precious";
    const auto opened = RocksStore::Open(Options());
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << name << ": " << opened.status();
    EXPECT_TRUE(std::filesystem::exists(folder_ / ("db.creating/" + std::string(name))));
    std::filesystem::remove_all(folder_ / "db.creating");
  }
  EXPECT_TRUE(RocksStore::Open(Options()).ok());
}

// Families by name, as the engine lists them.
std::vector<std::string> FamiliesOf(const std::string& database) {
  std::vector<std::string> names;
  EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), database, &names).ok());
  return names;
}

TEST_F(OpenTest, AnAddedTableNeedsNoNewFamily) {
  constexpr store::Table kAdded{100};
  ASSERT_TRUE(RocksStore::Open(Options()).ok());
  const std::vector<std::string> before = FamiliesOf(folder_ / "db");
  EXPECT_EQ(before.back(), "feed");
  std::promise<store::Outcome> outcome;
  {
    const auto opened = RocksStore::Open(Options());
    ASSERT_TRUE(opened.ok()) << opened.status();
    const auto build = [](const store::Stamp&) { return store::Change{{{kAdded, "k", "v"}}, {}}; };
    (*opened)->Commit(store::Partition{1}, {}, build,
                      [&outcome](const auto& result) { outcome.set_value(result.outcome); });
    EXPECT_EQ(outcome.get_future().get(), store::Outcome::kCommitted);
  }
  EXPECT_EQ(FamiliesOf(folder_ / "db"), before);
  const auto again = RocksStore::Open(Options());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Get(store::Partition{1}, kAdded, "k").value_or("<none>"), "v");
}

// As the builds before made them.
TEST_F(OpenTest, ADatabaseOfOtherFamiliesIsOfAnotherBuild) {
  for (const std::vector<const char*>& families :
       {std::vector<const char*>{"subject", "feed"},
        {"subject", "names", "key_share", "request", "recording", "policy", "suspension", "deletion", "deletion_of",
         "task", "system", "hold", "erasure", "deletion_same", "feed"}}) {
    const TempFolder folder;
    RocksStore::Options options = Options();
    options.db_path = folder / "db";
    options.head_path = folder / "head";
    rocksdb::DBOptions settings;
    settings.create_if_missing = settings.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {{"default", rocksdb::ColumnFamilyOptions()}};
    for (const char* name : families) descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(settings, options.db_path, descriptors, &handles, &db).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
    delete db;
    std::filesystem::permissions(options.db_path, std::filesystem::perms::owner_all);
    const auto opened = RocksStore::Open(options);
    EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
    EXPECT_NE(std::string(opened.status().message()).find("another build"), std::string::npos) << opened.status();
  }
}

TEST_F(OpenTest, AFolderOfSomethingElseIsRefused) {
  std::filesystem::create_directories(folder_ / "db/photos");
  EXPECT_FALSE(RocksStore::Open(Options()).ok());
}

TEST_F(OpenTest, TheHeadFileMustLieOutside) {
  RocksStore::Options options = Options();
  options.head_path = folder_ / "db/head";
  EXPECT_TRUE(absl::IsInvalidArgument(RocksStore::Open(options).status()));
}

TEST_F(OpenTest, HealthCountsWhatIsThere) {
  const auto opened = RocksStore::Open(Options());
  ASSERT_TRUE(opened.ok());
  const store::EngineHealth health = (*opened)->Health();
  EXPECT_GT(health.memtable_bytes, 0u);
  EXPECT_EQ(health.background_errors, 0u);
  EXPECT_FALSE(health.writes_stopped);
  (*opened)->Close();
  EXPECT_EQ((*opened)->Health().memtable_bytes, 0u);
}

}  // namespace
}  // namespace consent::test
