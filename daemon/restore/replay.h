// Brings a journal's entries into a store that a backup was copied into.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/base/ids.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/base/time.h"
#include "daemon/domain/deletion.h"
#include "daemon/journal/backup_key.h"
#include "daemon/journal/entry.h"
#include "daemon/restore/merge.h"
#include "daemon/restore/report.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/store/rocksdb/store_builder.h"
#include "daemon/store/store.h"

namespace consent::restore {

// Not thread-safe. What it is made of outlives it. Memory: some hundred bytes for each subject, request and hold of
// which something was changed since the backup, and one partition's rows while a snapshot of it is read.
//
// Rows are state: the last one that the journal has of each wins. Only records are not simply put: see MergeRecord. A
// commit that the backup does not have becomes an erased row of the feed, whose sequence, time and chain stay; behind
// them each subject of which something was changed gets one entry of its history, RESTORED.
class Replay {
 public:
  // `secret`: opens the ids that requests and holds need; nullptr: nobody has it, and they wait for their ids.
  Replay(store::StoreBuilder& store, const base::Keys& keys, base::Random& random, base::Instant now,
         const journal::BackupSecretKey* secret);

  // Each entry of the journal in its order. DataLoss: a row that cannot be read. FailedPrecondition: the entry is of
  // another history than the backup, or changes between the two are missing; the texts say where. Else the store's
  // errors.
  absl::Status Take(const journal::Entry& entry);
  // In place of entries, where there is no journal: the whole store counts as restored until somebody accepts that.
  absl::Status MarkAll();
  // After the last one. Errors as Take's.
  absl::Status Finish();

  const Report& report() const { return report_; }
  // Rows whose former bytes have to leave the files before anybody is served.
  const store::EraseTargetsByPartition& targets() const { return targets_; }
  // Of subjects that were erased since: where their history in the backup's feed ends. It has to be erased, too.
  const std::vector<std::pair<base::SubjectHandle, store::Sequence>>& histories() const { return histories_; }

 private:
  // What the journal has of a subject.
  struct Tracked {
    std::optional<std::string> journaled;  // the facts of its last record
    Known known;                           // but for its records
    bool is_erased = false;                // its account was closed and erased since the backup
    bool has_entry = false;                // a change of it was lost with the store
  };
  using RowsByKey = std::map<std::pair<store::Table, std::string>, journal::Row>;
  struct PartitionState {
    store::Head saved;             // the backup's
    store::Head head;              // of what was put so far
    store::Sequence snapshot = 0;  // up to which commits add nothing
    std::map<base::Bytes16, Tracked> subjects;
    std::set<service::DeletionNumber> requests;
    std::set<store::Sequence> holds;
  };

  absl::Status TakeCommit(const journal::Entry& entry, PartitionState& state);
  absl::Status TakeSnapshot(const journal::Entry& entry, PartitionState& state);
  absl::Status PutSnapshot(store::Partition partition, PartitionState& state);
  absl::Status PutRow(store::Partition partition, const journal::Row& row, PartitionState& state);
  absl::Status DropRow(store::Partition partition, store::Table table, const std::string& key);
  void NoteLoosened(const journal::Entry& entry, PartitionState& state);
  absl::StatusOr<PartitionState*> StateOf(store::Partition partition);

  absl::Status FinishPartition(store::Partition partition, PartitionState& state);
  absl::Status FinishRequests(store::Partition partition, PartitionState& state);
  absl::Status FinishRequest(service::DeletionPlace place, PartitionState& state);
  static void NoteClosure(const domain::DeletionRequest& request, PartitionState& state);
  absl::Status FinishHolds(store::Partition partition, PartitionState& state);
  // The journal says which keys the decision log had, and no journal has a key.
  absl::Status FinishMonthKeys();
  // What its requests and holds say of a subject, by their own rows.
  struct Orders {
    domain::TombstoneIntervals tombstones;
    std::vector<std::pair<store::Sequence, domain::Hold>> holds;
  };
  absl::Status FinishSubject(store::Partition partition, const base::SubjectHandle& subject, Orders orders,
                             Tracked& tracked, PartitionState& state);
  absl::Status WriteRestored(store::Partition partition, const base::SubjectHandle& subject, uint64_t previous,
                             domain::SubjectFacts facts, PartitionState& state);
  // One more event of the partition, and its rows are put already.
  absl::Status AppendEvent(store::Partition partition, const store::Stamp& stamp, store::Event event,
                           PartitionState& state);
  // What the next one is stamped with.
  store::Stamp NextStamp(const PartitionState& state) const;
  absl::Status Forget(store::Partition partition, const base::SubjectHandle& subject);
  // The payload of a request or hold sealed anew, and its key's share; nothing where it cannot be opened.
  struct Resealed {
    std::string sealed;
    std::string share;
  };
  std::optional<Resealed> Reseal(journal::PayloadOf of, store::Partition partition, uint64_t number,
                                 const base::SubjectHandle& subject) const;

  store::StoreBuilder& store_;
  const base::Keys& keys_;
  base::Random& random_;
  const base::Instant now_;
  const journal::BackupSecretKey* const secret_;
  std::map<store::Partition, PartitionState> partitions_;
  std::map<std::tuple<journal::PayloadOf, store::Partition, uint64_t>, std::string> payloads_;
  RowsByKey snapshot_;  // of the partition whose snapshot is being read
  Report report_;
  store::EraseTargetsByPartition targets_;
  std::vector<std::pair<base::SubjectHandle, store::Sequence>> histories_;
};

}  // namespace consent::restore
