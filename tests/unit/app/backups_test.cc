// The backup that is being taken: its end, by whoever has it, by nobody's asking and by time; and what it never is.
#include "daemon/app/backups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/backup/folder.h"
#include "daemon/base/mutex.h"
#include "daemon/base/random.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "daemon/wire/errors.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/app/taking.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;
using app::Backups;

std::string ReasonOf(const absl::Status& status) { return wire::ReasonName(wire::DetailOf(status).reason); }

class BackupsTest : public ::testing::Test {
 protected:
  BackupsTest() : log_(ops::LogFormat::kJson, ops::LogLevel::kError) {
    store_ = OpenStore(folder_.path(), clock_, random_);
    FillStore(*store_, 0, 50);
    fs::create_directory(folder_ / "backups");
    Begin();
  }
  ~BackupsTest() override {
    backups_.reset();
    store_->Close();
  }

  void Begin() {
    backups_ = std::make_unique<Backups>([this] { return store_->Stage(); },
                                         [this](const std::vector<store::Head>& heads) { taken_.push_back(heads); },
                                         clock_, random_, log_);
  }
  // Waits until it can be read.
  Backups::Piece Await(const std::string& id) {
    for (;;) {
      auto piece = backups_->Read(id, "MANIFEST.json", 0);
      EXPECT_TRUE(piece.ok()) << piece.status();
      if (!piece.ok() || piece->is_ready) return piece.ok() ? *piece : Backups::Piece();
    }
  }
  // So that reading a piece takes a while.
  void FillWithMegabytes() {
    std::atomic<bool> is_done = false;
    store_->Commit(
        {0}, {},
        [&](const store::Stamp&) {
          store::Change change{{}, {"", "", {}}};
          for (int i = 0; i < 40'000; ++i) {
            std::string row(48, '\0');
            random_.Fill(reinterpret_cast<uint8_t*>(row.data()), row.size());
            change.writes.push_back({store::Table::kRequest, row.substr(0, 16), row.substr(16)});
          }
          return change;
        },
        [&](const store::CommitResult&) { is_done = true; });
    while (!is_done) std::this_thread::yield();
  }
  std::string LargestStaged() const {
    std::pair<uint64_t, std::string> largest;
    for (const fs::directory_entry& file : fs::directory_iterator(folder_ / "db.staged")) {
      largest = std::max(largest, {file.file_size(), file.path().filename().string()});
    }
    return largest.second;
  }
  bool IsStaged() const { return fs::exists(folder_ / "db.staged"); }
  void AwaitGone() {
    while (IsStaged()) std::this_thread::yield();
  }

  TempFolder folder_;
  ManualClock clock_;
  base::SystemRandom random_;
  ops::Log log_;
  std::unique_ptr<store::RocksStore> store_;
  std::vector<std::vector<store::Head>> taken_;  // what the one that was taken was told with
  std::unique_ptr<Backups> backups_;
};

TEST_F(BackupsTest, ItIsTakenWholeAndIsTheStore) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(ReasonOf(backups_->Begin().status()), "BACKUP_RUNNING");
  const auto client = ClientOf(*backups_, *id);
  auto sink = cli::FolderSink::Create(folder_ / "backups", *id);
  ASSERT_TRUE(sink.ok()) << sink.status();
  const auto manifest = cli::TakeBackup(*client, BackupId(*id), **sink, [](int64_t, uint64_t, uint64_t) {});
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  const base::Instant began = clock_.Now();
  clock_.Advance(base::Seconds(5));
  EXPECT_TRUE(taken_.empty());
  EXPECT_TRUE(backups_->End(*id, /*is_taken=*/true).ok());
  ASSERT_EQ(taken_.size(), 1u);
  EXPECT_EQ(taken_.front().size(), store_->partition_count());
  EXPECT_FALSE(IsStaged()) << "whoever was answered finds nothing staged any more";
  EXPECT_EQ(backups_->last_taken(), began);
  EXPECT_EQ(ReasonOf(backups_->End(*id, true)), "BACKUP_NOT_FOUND");

  const std::string place = (*sink)->place();
  const auto read = backup::ReadManifest(place);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(backup::CheckFiles(place, *read).ok());
  EXPECT_EQ(read->rows().at("request"), 50);
  EXPECT_EQ(read->rows().at("feed"), 50);
  ASSERT_EQ(read->heads_size(), 3);
  for (uint16_t p = 0; p < 3; ++p) {
    EXPECT_EQ(static_cast<uint64_t>(read->heads(p).sequence()), store_->GetHead({p}).stamp.sequence);
  }
  ASSERT_TRUE(backup::CopyStore(place, *read, folder_ / "copied").ok());
  EXPECT_TRUE(store::OpenFrozen(folder_ / "copied").ok());
  EXPECT_FALSE(backup::CopyStore(place, *read, folder_ / "copied").ok()) << "it is there";
}

TEST_F(BackupsTest, NobodyAsksForItForAMinute) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  Await(*id);
  clock_.Advance(base::Seconds(59));
  EXPECT_TRUE(backups_->Read(*id, "MANIFEST.json", 0).ok()) << "each question counts";
  clock_.Advance(base::Seconds(59));
  EXPECT_TRUE(IsStaged());
  clock_.Advance(base::Seconds(2));
  AwaitGone();
  EXPECT_EQ(ReasonOf(backups_->Read(*id, "MANIFEST.json", 0).status()), "BACKUP_NOT_FOUND");
  EXPECT_FALSE(backups_->last_taken().IsSet());
  EXPECT_TRUE(backups_->Begin().ok());
}

TEST_F(BackupsTest, WhoBeginsAfterOneThatIsOverIsNotRefused) {
  for (int i = 0; i < 3; ++i) {
    const auto id = backups_->Begin();
    ASSERT_TRUE(id.ok()) << i << ": " << id.status();
    if (i == 1) Await(*id);  // else it may be in the making still
    clock_.Advance(base::Seconds(61));
    EXPECT_EQ(ReasonOf(backups_->End(*id, true)), "BACKUP_NOT_FOUND") << i << ": it was over before";
  }
  EXPECT_FALSE(backups_->last_taken().IsSet());
}

// Whoever ends one and whoever begins the next wake at the same moment, and either may be first.
TEST_F(BackupsTest, EndingOneDoesNotWaitForTheNext) {
  for (int i = 0; i < 10; ++i) {
    const auto id = backups_->Begin();
    ASSERT_TRUE(id.ok()) << i << ": " << id.status();
    Await(*id);
    auto ending = std::async(std::launch::async, [&] { return backups_->End(*id, true); });
    absl::StatusOr<std::string> next = backups_->Begin();
    while (ReasonOf(next.status()) == "BACKUP_RUNNING") next = backups_->Begin();
    ASSERT_TRUE(next.ok()) << next.status();
    const bool has_ended = ending.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    EXPECT_TRUE(backups_->End(*next, false).ok());  // else nothing would let the first one go
    ASSERT_TRUE(has_ended) << i;
    EXPECT_TRUE(ending.get().ok());
  }
}

// What is being read is not staged any longer than its backup, so the next one finds the place free.
TEST_F(BackupsTest, WhoStillReadsKeepsNothingStaged) {
  FillWithMegabytes();
  base::Mutex mutex;
  std::pair<std::string, std::string> asked;  // which backup, and its largest file
  std::atomic<bool> is_over = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!is_over) {
        mutex.Lock();
        const auto [id, file] = asked;
        mutex.Unlock();
        (void)backups_->Read(id, file, 0);
      }
    });
  }
  for (int i = 0; i < 10 && !HasFailure(); ++i) {
    const auto id = backups_->Begin();
    EXPECT_TRUE(id.ok()) << id.status();
    if (!id.ok()) break;
    Await(*id);
    mutex.Lock();
    asked = {*id, "store/" + LargestStaged()};
    mutex.Unlock();
    for (int reads = 0; reads < 3; ++reads) (void)backups_->Read(*id, asked.second, 0);
    EXPECT_TRUE(backups_->End(*id, false).ok());
    EXPECT_FALSE(IsStaged()) << i;
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(BackupsTest, ItTakesSixHoursAtMostHoweverOftenItIsAskedFor) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  Await(*id);
  for (int minute = 0; minute < 6 * 60; ++minute) {
    clock_.Advance(base::Seconds(58));
    ASSERT_TRUE(backups_->Read(*id, "MANIFEST.json", 0).ok()) << minute;
  }
  for (int minute = 0; minute < 15; ++minute) {
    clock_.Advance(base::Seconds(58));
    (void)backups_->Read(*id, "MANIFEST.json", 0);
  }
  AwaitGone();
}

TEST_F(BackupsTest, OnlyItsOwnFilesAreRead) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  Await(*id);
  for (const char* file :
       {"store/../../db.head", "../db.head", "/etc/passwd", "store/", "db.head", "store/CURRENT/.."}) {
    EXPECT_EQ(ReasonOf(backups_->Read(*id, file, 0).status()), "BACKUP_NOT_FOUND") << file;
  }
  const auto current = backups_->Read(*id, "store/CURRENT", 0);
  ASSERT_TRUE(current.ok());
  EXPECT_TRUE(current->data.starts_with("MANIFEST-"));
  EXPECT_EQ(backups_->Read(*id, "store/CURRENT", uint64_t{1} << 62)->data, "");
  EXPECT_EQ(ReasonOf(backups_->Read("another", "store/CURRENT", 0).status()), "BACKUP_NOT_FOUND");
}

TEST_F(BackupsTest, ADamagedStoreGivesNone) {
  std::atomic<bool> is_done = false;
  store_->Commit(
      {0}, {},
      [](const store::Stamp&) {
        return store::Change{{{store::Table::kRequest, "0123456789abcdef", "no row"}}, {"", "", {}}};
      },
      [&](const store::CommitResult&) { is_done = true; });
  while (!is_done) std::this_thread::yield();
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  absl::StatusOr<Backups::Piece> piece = backups_->Read(*id, "MANIFEST.json", 0);
  while (piece.ok() && !piece->is_ready) piece = backups_->Read(*id, "MANIFEST.json", 0);
  EXPECT_EQ(ReasonOf(piece.status()), "BACKUP_UNSOUND");
  EXPECT_NE(piece.status().message().find("1 rows of request with a value that cannot be read"), std::string::npos)
      << piece.status();
  AwaitGone();
  EXPECT_TRUE(backups_->End(*id, true).ok());
  EXPECT_FALSE(backups_->last_taken().IsSet()) << "nothing was taken";
}

TEST_F(BackupsTest, ACopyThatCannotBeStagedIsSaidSo) {
  fs::create_directory(folder_ / "db.staged");
  { std::ofstream(folder_ / "db.staged/not ours") << "x"; }
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  absl::StatusOr<Backups::Piece> piece = backups_->Read(*id, "MANIFEST.json", 0);
  while (piece.ok() && !piece->is_ready) piece = backups_->Read(*id, "MANIFEST.json", 0);
  EXPECT_EQ(ReasonOf(piece.status()), "BACKUP_NOT_MADE");
}

TEST_F(BackupsTest, TheDaemonsEndEndsIt) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  backups_.reset();
  EXPECT_FALSE(IsStaged());
}

// What comes is compared with the manifest, so a byte that changes on its way ends the backup, and the folder goes.
TEST_F(BackupsTest, AByteThatChangesOnTheWayIsFound) {
  const auto id = backups_->Begin();
  ASSERT_TRUE(id.ok());
  const auto honest = ClientOf(*backups_, *id);
  testing::FakeClient liar;
  liar.on_read_backup = [&](const std::string& file, int64_t offset) {
    auto piece = honest->on_read_backup(file, offset);
    if (piece.ok() && file.ends_with(".sst") && !piece->data.empty()) piece->data.back() ^= 1;
    return piece;
  };
  {
    auto sink = cli::FolderSink::Create(folder_ / "backups", *id);
    ASSERT_TRUE(sink.ok());
    const auto taken = cli::TakeBackup(liar, BackupId(*id), **sink, [](int64_t, uint64_t, uint64_t) {});
    EXPECT_TRUE(absl::IsDataLoss(taken.status())) << taken.status();
  }
  EXPECT_TRUE(fs::is_empty(folder_ / "backups"));
}

}  // namespace
}  // namespace consent::test
