#include "daemon/store/rocksdb/scrub.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/impl.h"
#include "rocksdb/utilities/debug.h"

namespace consent::store {
namespace {

// The first is of the key alone, the others of what LowestSpan says. One of these is enough unless a file slips down a
// level unread while others compact; the next finds it there.
constexpr int kRewrites = 5;
constexpr base::Span kPatience = base::Seconds(60);
constexpr std::chrono::milliseconds kPoll(50);
constexpr size_t kVersionsAtOnce = 10'000;  // far more than one row has

bool IsTableFile(std::string_view name) { return name.ends_with(".sst"); }
bool IsManifest(std::string_view name) { return name.starts_with("MANIFEST-"); }

bool IsLogBefore(std::string_view name, uint64_t number) {
  if (!name.ends_with(".log")) return false;
  uint64_t its = 0;
  std::from_chars(name.data(), name.data() + name.size(), its);
  return its < number;
}

// From the first key of a table in the least of its partitions to the end of the greatest. In a family that tables
// share, rows of others lie between them and are rewritten, too.
struct KeyRange {
  std::string first;
  std::string last;
};
std::map<Family, KeyRange> WholeTables(const EraseTargetsByPartition& targets) {
  std::map<Family, KeyRange> ranges;
  for (const auto& [partition, of] : targets) {
    for (const Table table : of.tables) {
      KeyRange range{DiskRowKey(partition, table, ""), DiskRowKey(partition, table, std::string(kMaxKeyBytes, '\xff'))};
      const auto [at, is_new] = ranges.try_emplace(FamilyOf(table), range);
      if (is_new) continue;
      at->second.first = std::min(at->second.first, range.first);
      at->second.last = std::max(at->second.last, range.last);
    }
  }
  return ranges;
}

}  // namespace

Scrubber::Scrubber(Database& database, std::atomic<bool>& stop)
    : database_(database), stop_(stop), began_(database.db().GetLatestSequenceNumber()) {}

absl::Status Scrubber::Stopped() const {
  return stop_ ? absl::UnavailableError("the store is being closed") : absl::OkStatus();
}

absl::Status Scrubber::Flush() {
  if (absl::Status s = Stopped(); !s.ok()) return s;
  return FromRocks(database_.db().Flush(rocksdb::FlushOptions(), database_.all()),
                   "cannot write out what is in memory");
}

absl::StatusOr<bool> Scrubber::HasFormer(rocksdb::ColumnFamilyHandle* family, const std::string& key) {
  // The list of versions says nothing of blocks that cannot be read; a seek to the same place does.
  const std::string end = key + '\0';
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options = VerifiedReads();
  options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> at(database_.db().NewIterator(options, family));
  at->Seek(key);
  if (!at->status().ok()) return FromRocks(at->status(), "cannot read a row");
  std::vector<rocksdb::KeyVersion> versions;  // the latest first
  const rocksdb::Status status =
      rocksdb::GetAllKeyVersions(&database_.db(), family, key, key, std::numeric_limits<size_t>::max(), &versions);
  if (!status.ok()) return FromRocks(status, "cannot read a row's versions");
  std::erase_if(versions, [this](const rocksdb::KeyVersion& version) { return version.sequence > began_; });
  return versions.size() > 1 || (versions.size() == 1 && versions.front().GetTypeName() != "TypeValue");
}

absl::Status Scrubber::Rewrite(rocksdb::ColumnFamilyHandle* family, std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    for (int rewrites = 0;; ++rewrites) {
      if (absl::Status s = Stopped(); !s.ok()) return s;
      const absl::StatusOr<bool> former = HasFormer(family, key);
      if (!former.ok()) return former.status();
      if (!*former) break;  // as most are, once their neighbours' files were rewritten
      if (rewrites == kRewrites) {
        return absl::UnavailableError("a row's former bytes stay although its files were rewritten");
      }
      if (absl::Status s = RewriteRange(family, rewrites == 0 ? key : LowestSpan(family, key), key); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

std::string Scrubber::LowestSpan(rocksdb::ColumnFamilyHandle* family, const std::string& key) {
  rocksdb::ColumnFamilyMetaData tree;
  database_.db().GetColumnFamilyMetaData(family, &tree);
  std::string first = key;
  for (const rocksdb::LevelMetaData& level : tree.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      if (file.smallestkey <= key && key <= file.largestkey) first = file.smallestkey;
    }
  }
  return first;
}

absl::Status Scrubber::RewriteRange(rocksdb::ColumnFamilyHandle* family, const std::string& first,
                                    const std::string& last) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;  // or others would wait, and commits for them
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &stop_;
  const rocksdb::Slice from(first);
  const rocksdb::Slice to(last);
  const rocksdb::Status status = database_.db().CompactRange(options, family, &from, &to);
  if (absl::Status s = Stopped(); !s.ok()) return s;
  return FromRocks(status, "cannot rewrite table files");
}

absl::Status Scrubber::RewriteAll(rocksdb::ColumnFamilyHandle* family, const std::string& first,
                                  const std::string& last) {
  if (absl::Status s = RewriteRange(family, first, last); !s.ok()) return s;
  // What slipped down a level meanwhile is found row by row.
  for (std::string from = first;;) {
    if (absl::Status s = Stopped(); !s.ok()) return s;
    std::vector<rocksdb::KeyVersion> versions;
    const rocksdb::Status status =
        rocksdb::GetAllKeyVersions(&database_.db(), family, from, last, kVersionsAtOnce, &versions);
    if (!status.ok()) return FromRocks(status, "cannot read the versions of rows");
    std::vector<std::string> left;
    for (size_t i = 0; i < versions.size(); ++i) {
      const bool is_repeated = i > 0 && versions[i].user_key == versions[i - 1].user_key;
      if (is_repeated || versions[i].GetTypeName() != "TypeValue") left.push_back(versions[i].user_key);
    }
    left.erase(std::unique(left.begin(), left.end()), left.end());
    if (absl::Status s = Rewrite(family, std::move(left)); !s.ok()) return s;
    if (versions.size() < kVersionsAtOnce) return absl::OkStatus();
    from = versions.back().user_key;  // again, because its versions may not all have come
  }
}

absl::StatusOr<std::vector<std::string>> Scrubber::ListFiles() const {
  std::vector<std::string> names;
  const rocksdb::Status status = database_.db().GetEnv()->GetChildren(database_.db().GetName(), &names);
  if (!status.ok()) return FromRocks(status, "cannot list the database folder");
  return names;
}

absl::Status Scrubber::NoteFiles() {
  // All that was there when the run began lies in earlier log files: the first flush began a new one.
  std::unique_ptr<rocksdb::LogFile> log;
  const rocksdb::Status status = database_.db().GetCurrentWalFile(&log);
  if (!status.ok()) return FromRocks(status, "cannot tell the current log file");
  absl::StatusOr<std::vector<std::string>> names = ListFiles();
  if (!names.ok()) return names.status();
  std::erase_if(*names, [&log](const std::string& name) {
    return !IsTableFile(name) && !IsManifest(name) && !IsLogBefore(name, log->LogNumber());
  });
  noted_ = *std::move(names);
  std::sort(noted_.begin(), noted_.end());
  return absl::OkStatus();
}

absl::StatusOr<size_t> Scrubber::CountLeft() const {
  std::vector<std::string> live;
  uint64_t ignored = 0;
  const rocksdb::Status status = database_.db().GetLiveFiles(live, &ignored, /*flush_memtable=*/false);
  if (!status.ok()) return FromRocks(status, "cannot tell which files are in use");
  std::sort(live.begin(), live.end());
  const absl::StatusOr<std::vector<std::string>> names = ListFiles();
  if (!names.ok()) return names.status();
  return std::count_if(names->begin(), names->end(), [this, &live](const std::string& name) {
    return std::binary_search(noted_.begin(), noted_.end(), name) &&
           !(IsTableFile(name) && std::binary_search(live.begin(), live.end(), '/' + name));
  });
}

absl::Status Scrubber::AwaitRemoval(const base::Clock& clock) {
  for (const base::Span deadline{clock.SinceBoot().micros + kPatience.micros};; std::this_thread::sleep_for(kPoll)) {
    if (absl::Status s = Stopped(); !s.ok()) return s;
    // Enabling deletes at once whatever nobody reads any more; otherwise that may wait for the next flush.
    rocksdb::Status status = database_.db().DisableFileDeletions();
    if (status.ok()) status = database_.db().EnableFileDeletions(/*force=*/false);
    if (!status.ok()) return FromRocks(status, "cannot delete old files");
    const absl::StatusOr<size_t> left = CountLeft();
    if (!left.ok()) return left.status();
    if (*left == 0) break;
    if (clock.SinceBoot() >= deadline) {
      return absl::UnavailableError(std::to_string(*left) +
                                    " old files are still being read or written; try again when that has ended");
    }
  }
  // A power cut must not bring them back.
  std::unique_ptr<rocksdb::Directory> folder;
  rocksdb::Status status = database_.db().GetEnv()->NewDirectory(database_.db().GetName(), &folder);
  if (status.ok()) status = folder->Fsync();
  return FromRocks(status, "cannot sync the database folder");
}

absl::Status RocksStore::Impl::EraseFromFiles(const EraseTargetsByPartition& targets) {
  if (absl::Status s = CheckRemains(store_.partitions, targets); !s.ok()) return s;
  const Use use(*this);
  base::MutexLock lock(scrub_mutex_);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  if (*is_staged_) return absl::UnavailableError("a backup is being taken, and holds old files until its end");
  const auto is_empty = [](const auto& entry) {
    return entry.second.rows.empty() && entry.second.feed.empty() && entry.second.tables.empty();
  };
  if (std::all_of(targets.begin(), targets.end(), is_empty)) return absl::OkStatus();
  Scrubber scrubber(*database_, stop_scrub_);
  if (absl::Status s = scrubber.Flush(); !s.ok()) return s;
  if (absl::Status s = Rewrite(scrubber, targets); !s.ok()) return s;
  if (absl::Status s = scrubber.NoteFiles(); !s.ok()) return s;
  // Any write will do; this one changes nothing.
  rocksdb::WriteBatch batch;
  const rocksdb::Status status = batch.Put(database_->meta(), std::string(kStoreRowKey), EncodeStoreRow(store_));
  if (!status.ok()) return FromRocks(status, "cannot prepare a write");
  if (absl::Status s = WriteAside(batch); !s.ok()) return s;
  if (absl::Status s = scrubber.Flush(); !s.ok()) return s;
  return scrubber.AwaitRemoval(*clock_);
}

absl::Status RocksStore::Impl::Rewrite(Scrubber& scrubber, const EraseTargetsByPartition& targets) {
  std::map<Family, std::vector<std::string>> rows;
  std::vector<std::string> feed;
  for (const auto& [partition, of] : targets) {
    for (const RowKey& row : of.rows) {
      rows[FamilyOf(row.table)].push_back(DiskRowKey(partition, row.table, row.key));
    }
    for (const Sequence sequence : of.feed) feed.push_back(FeedKey(partition, sequence));
  }
  for (auto& [family, keys] : rows) {
    if (absl::Status s = scrubber.Rewrite(database_->family(family), std::move(keys)); !s.ok()) return s;
  }
  if (absl::Status s = scrubber.Rewrite(database_->feed(), std::move(feed)); !s.ok()) return s;
  for (const auto& [family, of] : WholeTables(targets)) {
    if (absl::Status s = scrubber.RewriteAll(database_->family(family), of.first, of.last); !s.ok()) return s;
  }
  for (const auto& [partition, of] : targets) {
    if (absl::Status s = RewriteTruncated(scrubber, partition, of.feed); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// What was truncated away before it was looked at was not seen.
absl::Status RocksStore::Impl::RewriteTruncated(Scrubber& scrubber, Partition partition,
                                                std::vector<Sequence> truncated) {
  const Sequence first = firsts_[partition.number];
  std::erase_if(truncated, [first](Sequence sequence) { return sequence >= first; });
  if (truncated.empty()) return absl::OkStatus();
  const auto [least, greatest] = std::minmax_element(truncated.begin(), truncated.end());
  return scrubber.RewriteRange(database_->feed(), FeedKey(partition, *least), FeedKey(partition, *greatest));
}

}  // namespace consent::store
