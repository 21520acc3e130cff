#include "daemon/journal/journal.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/journal/frame.h"
#include "daemon/journal/select.h"

namespace consent::journal {
namespace {

constexpr size_t kFeedRowsAtATime = 1000;
constexpr size_t kFrameBytes = size_t{1} << 20;  // of a frame that is filled in; a part of a snapshot has as many

// Never less than the entry's bytes.
size_t SizeOf(const Entry& entry) {
  size_t bytes = 128 + 24 * entry.loosened.size();
  for (const Row& row : entry.rows) bytes += 16 + row.key.size() + row.value.size();
  for (const SealedPayload& payload : entry.payloads) bytes += 32 + payload.sealed.size();
  return bytes;
}

// Splits a group's entries into frames.
template <typename AppendFrameT>
absl::Status InFrames(std::vector<Entry> entries, const AppendFrameT& append) {
  std::vector<Entry> frame;
  size_t bytes = 0;
  for (Entry& entry : entries) {
    const size_t size = SizeOf(entry);
    if (!frame.empty() && bytes + size > kMaxFrameBytes / 2) {
      if (absl::Status status = append(frame); !status.ok()) return status;
      frame.clear();
      bytes = 0;
    }
    bytes += size;
    frame.push_back(std::move(entry));
  }
  return frame.empty() ? absl::OkStatus() : append(frame);
}

// Cuts a partition's rows into the parts of a snapshot, and hands each part over as it is full.
class SnapshotParts {
 public:
  using Append = std::function<absl::Status(const std::vector<Entry>&)>;
  SnapshotParts(store::Partition partition, const store::Stamp& stamp, const Ids& ids, Append append)
      : ids_(ids), append_(std::move(append)) {
    part_.kind = EntryKind::kSnapshot;
    part_.partition = partition;
    part_.stamp = stamp;
    part_.is_first = true;
  }

  absl::Status Add(store::Table table, std::string_view key, std::string_view value) {
    if (bytes_ + key.size() + value.size() > kFrameBytes && !part_.rows.empty()) {
      if (absl::Status status = append_({part_}); !status.ok()) return status;
      part_.is_first = false;
      part_.rows.clear();
      part_.payloads.clear();
      bytes_ = 0;
    }
    Row row{table, std::string(key), Content::kThere, {}};
    if (RowsOf(table) == Rows::kAll) {
      row.content = Content::kValue;
      row.value = std::string(value);
      const size_t before = part_.payloads.size();
      ids_.AddOf(part_.partition, table, row.key, row.value, &part_);
      if (part_.payloads.size() > before) bytes_ += part_.payloads.back().sealed.size();
    }
    bytes_ += key.size() + row.value.size();
    part_.rows.push_back(std::move(row));
    return absl::OkStatus();
  }

  Entry Last() {
    part_.is_last = true;
    return std::move(part_);
  }

 private:
  const Ids& ids_;
  const Append append_;
  Entry part_;
  size_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const service::Core& core, const Ids& ids,
                                                       Folder::Options options, Tell tell) {
  options.store_id = core.store.store_id();
  options.public_key = ids.fingerprint();
  std::vector<store::Head> heads;
  for (uint16_t p = 0; p < core.store.partition_count(); ++p) heads.push_back(core.store.GetHead({p}));
  absl::StatusOr<std::unique_ptr<Folder>> folder = Folder::Open(std::move(options), heads);
  if (!folder.ok()) return folder.status();
  std::unique_ptr<Journal> journal(new Journal(core, ids, *std::move(folder), std::move(tell)));
  if (absl::Status status = journal->CheckAgainstStore(); !status.ok()) return status;
  return journal;
}

Journal::Journal(const service::Core& core, const Ids& ids, std::unique_ptr<Folder> folder, Tell tell)
    : core_(core),
      ids_(ids),
      tell_(std::move(tell)),
      is_new_(folder->is_new()),
      cut_bytes_(folder->cut_bytes()),
      folder_(std::move(folder)),
      journaled_(core.store.partition_count()),
      behind_(core.store.partition_count()) {
  base::MutexLock lock(mutex_);
  for (uint16_t p = 0; p < core_.store.partition_count(); ++p) {
    journaled_[p] = folder_->heads()[p].stamp.sequence;
    SetBehind({p}, BehindBy({p}) != 0);
  }
  bytes_ = folder_->bytes();
}

void Journal::SetBehind(store::Partition partition, bool is_behind) {
  if (behind_[partition.number].exchange(is_behind) == is_behind) return;
  if (is_behind) {
    partitions_behind_.fetch_add(1);
  } else {
    partitions_behind_.fetch_sub(1);
  }
}

absl::Status Journal::CheckAgainstStore() {
  base::MutexLock lock(mutex_);
  for (uint16_t p = 0; p < core_.store.partition_count(); ++p) {
    const store::Head& here = folder_->heads()[p];
    const store::Head there = core_.store.GetHead({p});
    const store::Sequence sequence = here.stamp.sequence;
    if (sequence > there.stamp.sequence) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the journal is ahead of the store: it has change ", sequence, " of partition ", p, ", the store ends at ",
          there.stamp.sequence,
          ": the store is an older copy, or lost changes that were acknowledged. Restore it from a backup with this "
          "journal (`consentd restore`), or put the newer store back; never delete the journal first"));
    }
    base::Digest chain = there.chain;
    if (sequence != there.stamp.sequence && sequence != 0) {
      const absl::StatusOr<store::FeedRow> row = core_.store.FeedAt({p}, sequence);
      if (!row.ok()) return row.status();
      chain = row->chain;
    }
    if (sequence != 0 && chain != here.chain) {
      return absl::FailedPreconditionError(
          absl::StrCat("the journal has another history than the store, at change ", sequence, " of partition ", p,
                       ": they do not belong together; name the folder that goes with this store, or an empty one to "
                       "begin another journal"));
    }
  }
  return absl::OkStatus();
}

uint64_t Journal::BehindBy(store::Partition partition) const {
  const store::Sequence head = core_.store.GetHead(partition).stamp.sequence;
  const store::Sequence journaled = journaled_[partition.number].load();
  return head > journaled ? head - journaled : 0;
}

absl::Status Journal::Append(const std::vector<Entry>& entries) {
  if (absl::Status status = folder_->Append(entries); !status.ok()) {
    failures_.fetch_add(1);
    return status;
  }
  for (const Entry& entry : entries) {
    if (entry.kind != EntryKind::kCommit) continue;
    journaled_[entry.partition.number].store(entry.stamp.sequence);
    entries_.fetch_add(1);
  }
  bytes_ = folder_->bytes();
  synced_ = core_.Now().micros;
  return absl::OkStatus();
}

std::vector<Entry> Journal::EntriesOf(const std::vector<store::Committed>& group) {
  std::vector<Entry> entries;
  entries.reserve(group.size());
  std::unordered_map<uint16_t, store::Sequence> next;  // of partitions that the group moves
  for (const store::Committed& committed : group) {
    const store::Sequence sequence = committed.stamp.sequence;
    const store::Sequence journaled = journaled_[committed.partition.number].load();
    if (sequence <= journaled) continue;  // filled in while it waited here
    store::Sequence& expected = next.try_emplace(committed.partition.number, journaled + 1).first->second;
    if (is_stopped_ || sequence != expected) {
      SetBehind(committed.partition, true);
      continue;
    }
    ++expected;
    entries.push_back(EntryOf(committed));
    ids_.AddOf(committed, &entries.back());
  }
  return entries;
}

void Journal::BeforeAnswers(const std::vector<store::Committed>& group) {
  base::MutexLock lock(mutex_);
  const absl::Status status = InFrames(
      EntriesOf(group), [this](const std::vector<Entry>& frame) NO_THREAD_SAFETY_ANALYSIS { return Append(frame); });
  if (status.ok()) return;
  is_stopped_ = true;
  for (const store::Committed& committed : group) {
    if (committed.stamp.sequence > journaled_[committed.partition.number].load()) SetBehind(committed.partition, true);
  }
  tell_(status);
}

absl::Status Journal::CatchUpPartition(store::Partition partition) {
  const store::Head head = core_.store.GetHead(partition);
  store::Sequence next = journaled_[partition.number].load() + 1;
  if (next > head.stamp.sequence) return absl::OkStatus();
  const auto append = [this](const std::vector<Entry>& frame) NO_THREAD_SAFETY_ANALYSIS { return Append(frame); };
  SnapshotParts parts(partition, head.stamp, ids_, append);
  for (const store::Table table : SnapshotTables()) {
    absl::Status added;
    absl::Status scanned =
        core_.store.Scan(partition, table, {}, {}, SIZE_MAX, [&](std::string_view key, std::string_view value) {
          added = parts.Add(table, key, value);
          return added.ok();
        });
    if (!added.ok()) return added;
    if (!scanned.ok()) return scanned;
  }
  std::vector<Entry> entries;
  entries.push_back(parts.Last());
  size_t bytes = SizeOf(entries.back());
  while (next <= head.stamp.sequence) {
    const absl::StatusOr<std::vector<store::FeedRow>> rows =
        core_.store.Feed(partition, next, std::min<uint64_t>(kFeedRowsAtATime, head.stamp.sequence - next + 1));
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return absl::UnavailableError("the journal: the feed ends before its head");
    for (const store::FeedRow& row : *rows) {
      entries.push_back(BareEntry(partition, row));
      bytes += SizeOf(entries.back());
      next = row.stamp.sequence + 1;
      if (bytes < kFrameBytes) continue;
      if (absl::Status status = append(entries); !status.ok()) return status;
      entries.clear();
      bytes = 0;
    }
  }
  return entries.empty() ? absl::OkStatus() : append(entries);
}

absl::Status Journal::CatchUp() {
  for (uint16_t p = 0; p < core_.store.partition_count(); ++p) {
    if (!behind_[p].load()) continue;
    base::MutexLock lock(mutex_);
    if (absl::Status status = CatchUpPartition({p}); !status.ok()) {
      failures_.fetch_add(1);
      is_stopped_ = true;
      return status;
    }
    is_stopped_ = false;
    SetBehind({p}, false);
  }
  // Others may have fallen behind since they were passed.
  if (is_behind()) return absl::UnavailableError("the journal: it fell behind again meanwhile");
  tell_(absl::OkStatus());
  return absl::OkStatus();
}

absl::StatusOr<size_t> Journal::PruneUpTo(const std::vector<store::Head>& heads) {
  base::MutexLock lock(mutex_);
  folder_->BeginFile();
  absl::StatusOr<size_t> removed = folder_->PruneUpTo(heads);
  bytes_ = folder_->bytes();
  return removed;
}

JournalCounts Journal::counts() const {
  JournalCounts counts;
  for (uint16_t p = 0; p < core_.store.partition_count(); ++p) {
    if (behind_[p].load()) counts.behind += BehindBy({p});
  }
  counts.behind_partitions = partitions_behind_.load();
  counts.bytes = bytes_.load();
  counts.entries = entries_.load();
  counts.failures = failures_.load();
  counts.lacking_ids = ids_.failures();
  counts.synced = base::Instant{synced_.load()};
  return counts;
}

}  // namespace consent::journal
