// A whole service on the embedded store with a restriction journal beside it, which can be backed up, lost and
// restored.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/journal/journal.h"
#include "daemon/restore/restore.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/support/service/deleting.h"
#include "tests/support/temp_folder.h"

namespace consent::test {

// The clock of a world that is not there yet.
class LateClock final : public base::Clock {
 public:
  base::Instant Now() const override {
    const base::Clock* const world = world_.load();
    return world != nullptr ? world->Now() : base::Instant{start_.load()};
  }
  base::Span SinceBoot() const override {
    const base::Clock* const world = world_.load();
    return world != nullptr ? world->SinceBoot() : base::Span{};
  }
  void Start(base::Instant at) {
    start_.store(at.micros);
    world_.store(nullptr);
  }
  void Follow(const base::Clock& world) { world_.store(&world); }

 private:
  std::atomic<int64_t> start_{At("2026-03-01T12:00:00Z").micros};
  std::atomic<const base::Clock*> world_{nullptr};
};

// Ends the process on what no test means.
class Life {
 public:
  static constexpr uint16_t kPartitions = 3;
  explicit Life(uint64_t seed = 1);
  ~Life();

  World& world() { return *world_; }
  Deleting& deleting() { return *deleting_; }
  store::RocksStore& store() { return *store_; }
  const journal::BackupSecretKey& secret() const { return secret_; }
  std::string db() const { return folder_ / ("db" + std::to_string(number_)); }
  std::string head() const { return db() + ".head"; }
  std::string backup() const { return folder_ / "backup"; }
  std::string journal() const { return folder_ / "journal"; }
  std::string journal_of(int number) const { return folder_ / ("journal" + std::to_string(number)); }

  // In place of an earlier one.
  void Backup();
  // The process and its store's folder are gone; backup and journal stay.
  void Lose();
  // Into the place of the next store, which is not opened.
  absl::StatusOr<restore::Restored> TryRestore(bool with_secret = true, bool with_journal = true,
                                               const std::function<void(restore::Step)>& begin = {});
  // The same in a process that knows no more than the folder of a Life of seed 1 that was lost once.
  static absl::StatusOr<restore::Restored> RestoreIn(const std::string& folder,
                                                     const std::function<void(restore::Step)>& begin);
  std::string folder() const { return folder_.path().string(); }
  // And opens it: the next process, with a journal of its own.
  restore::Report Restore(bool with_secret = true, bool with_journal = true);
  void Open();
  // Another process on the restored store.
  void Restart() {
    Close();
    Open();
  }
  // Whether some file of the store, of the backup or of a journal holds these bytes.
  bool IsInFiles(const std::string& bytes) const;
  // The rule's answer after a wait of nothing: all worlds ask at the same time.
  base::Instant now() const { return now_; }

 private:
  void Close();

  const uint64_t seed_;
  TempFolder folder_;
  int number_ = 1;
  LateClock clock_;
  base::Instant now_;
  SeededRandom random_;
  const journal::BackupSecretKey secret_;
  store::RocksStore* store_ = nullptr;
  std::unique_ptr<World> world_;
  std::unique_ptr<Deleting> deleting_;
  std::unique_ptr<journal::Ids> ids_;
  std::unique_ptr<journal::Journal> journal_;
};

}  // namespace consent::test
