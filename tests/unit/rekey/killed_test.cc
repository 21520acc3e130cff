// A copy in the files of the embedded store, killed at any row.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include "daemon/store/rocksdb/copy_store.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/rekey/two_worlds.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;

// The process ends before its row number `rows`.
class Killed final : public store::Translation {
 public:
  Killed(store::Translation& of, size_t rows) : of_(of), left_(rows) {}
  absl::StatusOr<std::vector<store::Write>> Rows(store::Partition partition, store::Table table, std::string_view key,
                                                 std::string_view value) override {
    CountDown();
    return of_.Rows(partition, table, key, value);
  }
  absl::StatusOr<store::FeedRow> Feed(store::Partition partition, const store::FeedRow& row) override {
    CountDown();
    return of_.Feed(partition, row);
  }

 private:
  void CountDown() {
    if (left_-- == 0) _exit(9);
  }
  store::Translation& of_;
  size_t left_;
};

class KilledCopyTest : public ::testing::Test {
 protected:
  // Without threads from here on: what follows forks.
  void SetUp() override {
    TwoWorlds two(7);
    Walk walk(two.old(), 7);
    for (int i = 0; i < 30; ++i) (void)walk.Step();
    two.Copy();
    from_.emplace(two.old_rows());
    expected_.emplace(two.rows());
    before_.emplace(two.before());
    after_.emplace(two.after());
    all_ = from_->rows().size();
    for (const auto& feed : from_->feeds()) all_ += feed.size();
  }
  absl::Status Copy(size_t rows) {
    SeededRandom random(7);
    auto rekey = service::Rekey::Create(*from_, *before_, *after_, random);
    if (!rekey.ok()) return rekey.status();
    Killed killed(**rekey, rows);
    store::StoreIdentity identity = from_->identity();
    identity.store_id = {9, 9};
    identity.key_fingerprint = after_->Fingerprint();
    return store::CopyStoreTo(*from_, identity, &killed, To(), To() + ".head");
  }
  std::string To() const { return folder_ / "copy"; }

  TempFolder folder_;
  std::optional<FrozenMemory> from_, expected_;
  std::optional<base::Keys> before_, after_;
  size_t all_ = 0;
};

TEST_F(KilledCopyTest, LeavesNothingAndTheNextRunMakesAllOfIt) {
  for (const size_t rows : {size_t{0}, size_t{1}, from_->rows().size() - 1, from_->rows().size(), all_ - 1}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(Copy(rows).ok() ? 0 : 1);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 9) << "killed before row " << rows << " of " << all_;
    EXPECT_FALSE(fs::exists(To()));
    EXPECT_FALSE(fs::exists(To() + ".head"));
    EXPECT_TRUE(fs::exists(To() + ".copying"));
  }
  const absl::Status copied = Copy(all_);
  ASSERT_TRUE(copied.ok()) << copied;
  EXPECT_FALSE(fs::exists(To() + ".copying"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Copy(all_))) << "never over another one";
  const auto copy = store::OpenFrozenLocked(To(), To() + ".head");
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ((*copy)->identity().key_fingerprint, after_->Fingerprint());
  std::map<FrozenMemory::Key, size_t> rows;
  ASSERT_TRUE((*copy)
                  ->VisitRows([&](store::Partition partition, store::Table table, std::string_view key,
                                  std::string_view value) {
                    rows[{table, partition, std::string(key)}] = value.size();
                    return true;
                  })
                  .ok());
  std::map<FrozenMemory::Key, size_t> wanted;
  for (const auto& [key, value] : expected_->rows()) wanted[key] = value.size();
  EXPECT_EQ(rows, wanted);
}

}  // namespace
}  // namespace consent::test
