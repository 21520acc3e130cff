// RocksDB with this store's settings and column families. Internal to this folder.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/store.h"
#include "rocksdb/db.h"
#include "rocksdb/listener.h"

namespace consent::store {

struct DatabaseOptions {
  std::string path;
  size_t block_cache_bytes = 0;
  size_t write_buffer_bytes = 0;
  int max_open_files = -1;      // tables kept open at a time; -1: all
  bool stop_at_damage = false;  // recover what stands before damage in the log instead of refusing it
};

// Counts when the engine begins to hold writes up. The engine calls it from its own threads.
class StallCounts final : public rocksdb::EventListener {
 public:
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override {
    using rocksdb::WriteStallCondition;
    if (info.condition.cur == WriteStallCondition::kDelayed) delays_.fetch_add(1, std::memory_order_relaxed);
    if (info.condition.cur == WriteStallCondition::kStopped) stops_.fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t delays() const { return delays_.load(std::memory_order_relaxed); }
  uint64_t stops() const { return stops_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> delays_{0};
  std::atomic<uint64_t> stops_{0};
};

// Thread-safe.
class Database {
 public:
  // Makes a new database in `path`, which must not exist, holding one meta row; closed again on return.
  static absl::Status Create(const DatabaseOptions& options, std::string_view meta_key, std::string_view meta_value);
  // Opens what Create made. Never creates anything.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  // Opens what is in `path` for reading alone: writes no file there, and keeps few tables open and little in memory
  // beside what the log holds. NotFound: no database is there.
  static absl::StatusOr<std::unique_ptr<Database>> OpenToRead(const std::string& path);
  // NotFound: no database is there. Looks at its files' names alone.
  static absl::Status LookFor(const std::string& path);
  ~Database();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* meta() const { return family(Family::kMeta); }
  rocksdb::ColumnFamilyHandle* family(Family family) const { return handles_[static_cast<size_t>(family)]; }
  rocksdb::ColumnFamilyHandle* table(Table table) const { return family(FamilyOf(table)); }
  rocksdb::ColumnFamilyHandle* feed() const { return family(Family::kFeed); }
  const std::vector<rocksdb::ColumnFamilyHandle*>& all() const { return handles_; }

  // Writes durably. After an error the writes may be there or not.
  absl::Status Write(rocksdb::WriteBatch& batch);
  // Grows with every durable write and survives reopening.
  uint64_t Position() const { return db_->GetLatestSequenceNumber(); }
  // How often writes of a family began to be throttled, and to be stopped.
  const StallCounts& stalls() const { return *stalls_; }

 private:
  Database() = default;
  std::shared_ptr<StallCounts> stalls_ = std::make_shared<StallCounts>();
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // in the order of Family
};

inline std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Options of reads: checksums are verified, nothing else is wanted.
rocksdb::ReadOptions VerifiedReads();

// `what` says in words what was tried. Never holds keys or values.
absl::Status FromRocks(const rocksdb::Status& status, const std::string& what);

}  // namespace consent::store
