#include "daemon/restore/replay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/journal/select.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::restore {
namespace {

using store::Table;

absl::Status Damaged(const std::string& what, store::Partition partition, store::Sequence sequence) {
  return absl::DataLossError(absl::StrCat("the journal's entry of change ", sequence, " of partition ",
                                          partition.number, " has ", what, " that cannot be read"));
}

// Of a table whose rows name people or what was asked about them: their former bytes go from the files.
bool IsAboutPeople(Table table) {
  return table == Table::kSubject || table == Table::kNames || table == Table::kKeyShare ||
         table == Table::kRecording || table == Table::kDeletion || table == Table::kOpenDeletionBySelector ||
         table == Table::kHold || table == Table::kHoldById || table == Table::kSafetyFlag || table == Table::kReview;
}

base::SubjectHandle HandleOf(std::string_view bytes) {
  base::SubjectHandle handle;
  std::copy(bytes.begin(), bytes.end(), handle.bytes.begin());
  return handle;
}

}  // namespace

Replay::Replay(store::StoreBuilder& store, const base::Keys& keys, base::Random& random, base::Instant now,
               const journal::BackupSecretKey* secret)
    : store_(store), keys_(keys), random_(random), now_(now), secret_(secret) {}

absl::StatusOr<Replay::PartitionState*> Replay::StateOf(store::Partition partition) {
  const auto [at, is_new] = partitions_.try_emplace(partition);
  if (is_new) {
    const absl::StatusOr<store::Head> head = store_.GetHead(partition);
    if (!head.ok()) return head.status();
    at->second.saved = at->second.head = *head;
  }
  return &at->second;
}

absl::Status Replay::Take(const journal::Entry& entry) {
  if (entry.partition.number >= store_.identity().partitions) {
    return absl::FailedPreconditionError("the journal has more partitions than the backup: it is of another store");
  }
  const absl::StatusOr<PartitionState*> state = StateOf(entry.partition);
  if (!state.ok()) return state.status();
  return entry.kind == journal::EntryKind::kSnapshot ? TakeSnapshot(entry, **state) : TakeCommit(entry, **state);
}

absl::Status Replay::TakeCommit(const journal::Entry& entry, PartitionState& state) {
  const store::Sequence sequence = entry.stamp.sequence;
  if (sequence < state.saved.stamp.sequence) return absl::OkStatus();
  if (sequence == state.saved.stamp.sequence) {
    if (entry.chain == state.saved.chain) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("change ", sequence, " of partition ", entry.partition.number,
                     " is another one in the journal than in the backup: the journal is of another store, or of one "
                     "that was restored in between. Give the backup and the journal of one store"));
  }
  if (sequence != state.head.stamp.sequence + 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "changes ", state.head.stamp.sequence + 1, " to ", sequence - 1, " of partition ", entry.partition.number,
        " are neither in the backup nor in the journal: give a newer backup, or the journal's earlier files"));
  }
  store::FeedRow stub;
  stub.stamp = entry.stamp;
  stub.chain = entry.chain;
  stub.erased = true;
  if (absl::Status s = store_.PutFeed(entry.partition, stub); !s.ok()) return s;
  state.head = {entry.stamp, entry.chain};
  ++report_.entries;
  ++report_.changes_without_text;
  NoteLoosened(entry, state);
  if (sequence <= state.snapshot) return absl::OkStatus();
  for (const journal::SealedPayload& payload : entry.payloads) {
    payloads_[{payload.of, entry.partition, payload.number}] = payload.sealed;
  }
  for (const journal::Row& row : entry.rows) {
    if (absl::Status s = PutRow(entry.partition, row, state); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void Replay::NoteLoosened(const journal::Entry& entry, PartitionState& state) {
  if (entry.subject.size() != sizeof(base::SubjectHandle)) return;
  Tracked& tracked = state.subjects[HandleOf(entry.subject).bytes];
  tracked.has_entry = true;
  for (const journal::Loosened& loosened : entry.loosened) {
    if (loosened.what != journal::LoosenedWhat::kFact) continue;  // a hold stays, a request's rows tell of its end
    tracked.known.loosened = true;
    if (loosened.change == domain::ChangedWhat::kRegistered) tracked.known.reopened_at = entry.stamp.time;
  }
}

absl::Status Replay::TakeSnapshot(const journal::Entry& entry, PartitionState& state) {
  if (entry.is_first) snapshot_.clear();
  for (const journal::Row& row : entry.rows) snapshot_[{row.table, row.key}] = row;
  for (const journal::SealedPayload& payload : entry.payloads) {
    payloads_[{payload.of, entry.partition, payload.number}] = payload.sealed;
  }
  if (!entry.is_last) return absl::OkStatus();
  ++report_.entries;
  // What the backup was taken after, it has.
  if (entry.stamp.sequence <= state.saved.stamp.sequence) return absl::OkStatus();
  state.snapshot = std::max(state.snapshot, entry.stamp.sequence);
  return PutSnapshot(entry.partition, state);
}

absl::Status Replay::PutSnapshot(store::Partition partition, PartitionState& state) {
  for (const Table table : journal::SnapshotTables()) {
    if (table == Table::kSubject) continue;  // no record is ever deleted
    std::vector<std::string> gone;
    absl::Status scanned = store_.Scan(partition, table, [&](std::string_view key, std::string_view) {
      if (snapshot_.count({table, std::string(key)}) == 0) gone.emplace_back(key);
      return true;
    });
    if (!scanned.ok()) return scanned;
    for (const std::string& key : gone) {
      if (absl::Status s = DropRow(partition, table, key); !s.ok()) return s;
    }
  }
  for (const auto& [name, row] : snapshot_) {
    if (absl::Status s = PutRow(partition, row, state); !s.ok()) return s;
  }
  snapshot_.clear();
  return absl::OkStatus();
}

absl::Status Replay::DropRow(store::Partition partition, Table table, const std::string& key) {
  if (IsAboutPeople(table)) targets_[partition].rows.push_back({table, key});
  return store_.Put(partition, table, key, std::nullopt);
}

absl::Status Replay::PutRow(store::Partition partition, const journal::Row& row, PartitionState& state) {
  if (row.content == journal::Content::kThere) return absl::OkStatus();
  if (row.content == journal::Content::kDeleted) return DropRow(partition, row.table, row.key);
  switch (row.table) {
    case Table::kSubject: {
      base::SubjectHandle subject;
      std::string_view facts;
      domain::SubjectFacts decoded;
      if (!service::SplitSubjectRow(row.value, &subject, &facts) || !domain::DecodeFacts(facts, &decoded)) {
        return Damaged("a record", partition, state.head.stamp.sequence);
      }
      const absl::StatusOr<std::string> saved = store_.Get(partition, Table::kSubject, row.key);
      if (!saved.ok() && !absl::IsNotFound(saved.status())) return saved.status();
      // A snapshot has records of which nothing was changed, too.
      if (saved.ok() && *saved == row.value && state.subjects.count(subject.bytes) == 0) return absl::OkStatus();
      Tracked& tracked = state.subjects[subject.bytes];
      tracked.journaled = std::string(facts);
      return decoded.forgotten && !tracked.is_erased ? Forget(partition, subject) : absl::OkStatus();
    }
    case Table::kDeletion:
      state.requests.insert(service::NumberOfKey(row.key));
      break;
    case Table::kHold:
      if (service::IsHoldKey(row.key)) state.holds.insert(service::SequenceOfHoldKey(row.key));
      break;
    case Table::kPolicy:
      if (partition.number == 0 && row.key.front() == service::kInForceRows) ++report_.policies;
      break;
    case Table::kSystem:
      if (partition.number == 0) ++report_.systems;
      break;
    default:
      break;
  }
  return store_.Put(partition, row.table, row.key, row.value);
}

// All that names the account goes, as it went in the lost store; its history goes once the store is whole.
absl::Status Replay::Forget(store::Partition partition, const base::SubjectHandle& subject) {
  Tracked& tracked = partitions_[partition].subjects[subject.bytes];
  tracked.is_erased = true;
  ++report_.erased;
  const std::string prefix(base::View(keys_.DiskKeyFor(subject).bytes));
  const absl::StatusOr<std::string> saved = store_.Get(partition, Table::kSubject, prefix);
  if (!saved.ok() && !absl::IsNotFound(saved.status())) return saved.status();
  base::SubjectHandle named;
  std::string_view facts;
  if (saved.ok() && service::SplitSubjectRow(*saved, &named, &facts)) {
    histories_.emplace_back(subject, domain::RevisionOf(facts));
  }
  targets_[partition].rows.push_back({Table::kSubject, prefix});
  std::vector<store::Sequence> holds;
  std::vector<store::RowKey> gone = {{Table::kNames, prefix}, {Table::kKeyShare, prefix}};
  for (const Table table : {Table::kRecording, Table::kSafetyFlag, Table::kHold}) {
    const std::string begin = table == Table::kHold ? service::HoldLinesOf(prefix) : prefix;
    absl::Status scanned = store_.Scan(partition, table, [&](std::string_view key, std::string_view) {
      if (key.substr(0, begin.size()) != begin) return true;
      gone.push_back({table, std::string(key)});
      if (table == Table::kHold) holds.push_back(service::SequenceOfHoldKey(key));
      return true;
    });
    if (!scanned.ok()) return scanned;
  }
  absl::Status reviews = store_.Scan(partition, Table::kReview, [&](std::string_view key, std::string_view value) {
    const std::string_view owner = key[0] == service::kGrantsById ? value : key;
    const bool has_owner = key[0] != service::kRevocations && owner.size() > prefix.size();
    if (has_owner && owner.substr(1, prefix.size()) == prefix) gone.push_back({Table::kReview, std::string(key)});
    return true;
  });
  if (!reviews.ok()) return reviews;
  for (const store::Sequence sequence : holds) {
    gone.push_back({Table::kHold, service::HoldKey(sequence)});
    const absl::StatusOr<std::string> stored = store_.Get(partition, Table::kHold, gone.back().key);
    service::HoldRow row;
    if (stored.ok() && service::DecodeHoldRow(*stored, &row)) gone.push_back(service::IdRow(row.id));
  }
  for (const store::RowKey& row : gone) {
    if (absl::Status s = DropRow(partition, row.table, row.key); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace consent::restore
