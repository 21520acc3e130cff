#include "daemon/service/erasure/erasures.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/erasure/finished.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kMaxAtOnce = 20'000;  // requests of one keys' step
constexpr size_t kCompletedPerCommit = 100;
constexpr size_t kEmptiedPerCommit = 10'000;

// Somebody has written the request's row since it was read: an extension, or another service's eraser.
bool IsWrittenSince(const Core& core, DeletionPlace place, const std::string& bytes) {
  std::string now;
  return LoadDeletion(core, place, &now).ok() && now != bytes;
}

}  // namespace

absl::StatusOr<size_t> Erasures::EraseKeys() {
  std::vector<Finished> finished;
  store::EraseTargetsByPartition keys;
  for (uint16_t number = 0; number < core_.store.partition_count() && finished.size() < kMaxAtOnce; ++number) {
    if (absl::Status s = FindFinished(store::Partition{number}, &finished, &keys); !s.ok()) return s;
  }
  if (finished.empty()) return size_t{0};
  if (absl::Status s = core_.store.EraseFromFiles(keys); !s.ok()) return s;
  if (absl::Status s = Complete(finished); !s.ok()) return s;
  return finished.size();
}

absl::Status Erasures::FindFinished(store::Partition partition, std::vector<Finished>* finished,
                                    store::EraseTargetsByPartition* keys) {
  std::vector<std::pair<DeletionNumber, base::Instant>> waiting;
  bool damaged = false;
  const absl::Status scanned =
      core_.store.Scan(partition, store::Table::kErasure, std::string(1, kKeysStep), std::string(1, kKeysStep + 1),
                       kMaxAtOnce - finished->size(), [&](std::string_view key, std::string_view value) {
                         base::Instant since;
                         store::EraseTargets unused;
                         damaged = damaged || !DecodeWaiting(value, &since, &unused);
                         waiting.emplace_back(NumberOfWaiting(key), since);
                         return !damaged;
                       });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedWaiting();
  for (const auto& [number, since] : waiting) {
    Finished one{DeletionPlace{partition, number}, since, {}, {}};
    absl::StatusOr<DeletionRow> row = LoadDeletion(core_, one.place, &one.bytes);
    if (!row.ok()) return row.status();
    one.row = *std::move(row);
    std::vector<store::RowKey>& rows = (*keys)[partition].rows;
    if (one.IsClosure()) {
      const absl::StatusOr<bool> erased = EraseAccount(one);
      if (!erased.ok()) return erased.status();
      if (!*erased) continue;
      rows.push_back({store::Table::kKeyShare, core_.SubjectKey(one.row.request.subject)});
    }
    rows.push_back({store::Table::kKeyShare, DeletionShareKey(core_, one.place)});
    finished->push_back(std::move(one));
  }
  return absl::OkStatus();
}

absl::Status Erasures::Complete(const std::vector<Finished>& finished) {
  std::vector<const Finished*> together;  // of one partition
  for (const Finished& one : finished) {
    if (!together.empty() && together.front()->place.partition != one.place.partition) {
      if (absl::Status s = CompleteInOne(std::exchange(together, {})); !s.ok()) return s;
    }
    if (!one.IsClosure()) together.push_back(&one);
    if (!one.IsClosure() && together.size() < kCompletedPerCommit) continue;
    const std::vector<const Finished*> now =
        one.IsClosure() ? std::vector<const Finished*>{&one} : std::exchange(together, {});
    if (absl::Status s = CompleteInOne(now); !s.ok()) return s;
  }
  return together.empty() ? absl::OkStatus() : CompleteInOne(together);
}

absl::Status Erasures::CompleteInOne(const std::vector<const Finished*>& finished) {
  const store::Partition partition = finished.front()->place.partition;
  const bool is_closure = finished.front()->IsClosure();
  const base::SubjectHandle subject = finished.front()->row.request.subject;
  domain::SubjectFacts left;
  std::string left_bytes;
  const auto build = [&](const store::Stamp& stamp) {
    store::Change change;
    for (const Finished* one : finished) {
      DeletionRow next = one->row;
      domain::Complete(next.request, stamp.time);
      const domain::DeletionRequest& request = next.request;
      change.writes.push_back({store::Table::kDeletion, DeletionKey(one->place.number), EncodeDeletionRow(next)});
      ListDeletion(core_, one->place.number, request, change.writes);
      change.writes.push_back({store::Table::kErasure, WaitingKey(kKeysStep, one->place.number), std::nullopt});
      change.writes.push_back({store::Table::kErasure, WaitingKey(kBytesStep, one->place.number),
                               EncodeWaiting(one->since, RowsOf(core_, one->place, request))});
    }
    if (is_closure) {
      left.revision = stamp.sequence;
      left_bytes.clear();
      domain::EncodeFacts(left, &left_bytes);
      change.writes.push_back(
          {store::Table::kSubject, core_.SubjectKey(subject), EncodeSubjectRow(subject, left_bytes)});
    }
    change.event = PlainEvent(ChangeKind::kErased, "");
    return change;
  };
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    // The record of an account that is forgotten is written by restrictions alone.
    std::vector<store::Precondition> preconditions;
    preconditions.reserve(finished.size() + 1);
    for (const Finished* one : finished) {
      preconditions.push_back({store::Table::kDeletion, DeletionKey(one->place.number), one->bytes});
    }
    if (is_closure) {
      const absl::StatusOr<StoredFacts> stored = LoadFacts(core_, subject);
      if (!stored.ok()) return stored.status();
      left = stored->facts;
      left.forgotten = false;
      left.tombstones.clear();
      preconditions.push_back(
          {store::Table::kSubject, core_.SubjectKey(subject), EncodeSubjectRow(subject, stored->bytes)});
    }
    const store::Outcome outcome = CommitNow(core_, partition, preconditions, build).outcome;
    const bool is_over = outcome == store::Outcome::kConflict &&
                         std::any_of(finished.begin(), finished.end(), [this](const Finished* one) {
                           return IsWrittenSince(core_, one->place, one->bytes);
                         });
    return is_over ? store::Outcome::kCommitted : outcome;  // the next run completes what is left
  });
}

// What has left the files together, and the rows that listed it.
struct Erasures::Listed {
  store::EraseTargetsByPartition targets;
  store::EraseTargetsByPartition lists;
  base::Instant oldest;
  size_t rows = 0;  // of both, at most kMaxEraseTargets
  bool is_full = false;
};

absl::StatusOr<size_t> Erasures::EraseBytes(base::Instant before) {
  Listed listed;
  for (uint16_t number = 0; number < core_.store.partition_count() && !listed.is_full; ++number) {
    if (absl::Status s = FindListed(store::Partition{number}, before, &listed); !s.ok()) return s;
  }
  if (listed.lists.empty()) return size_t{0};
  if (absl::Status s = core_.store.EraseFromFiles(listed.targets); !s.ok()) return s;
  if (absl::Status s = EraseLists(listed); !s.ok()) return s;
  return listed.rows;
}

absl::Status Erasures::FindListed(store::Partition partition, base::Instant before, Listed* listed) const {
  // What the keys' step has listed and not yet deleted is not known from anywhere else.
  std::set<DeletionNumber> unfinished;
  const absl::Status looked =
      core_.store.Scan(partition, store::Table::kErasure, std::string(1, kKeysStep), std::string(1, kKeysStep + 1),
                       SIZE_MAX, [&](std::string_view key, std::string_view) {
                         unfinished.insert(NumberOfWaiting(key));
                         return true;
                       });
  if (!looked.ok()) return StoreUnreadable();
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kErasure, std::string(1, kBytesStep), std::string(1, kBytesStep + 1), SIZE_MAX,
      [&](std::string_view key, std::string_view value) {
        base::Instant since;
        store::EraseTargets one;
        damaged = !DecodeWaiting(value, &since, &one);
        if (damaged) return false;
        if (!(since < before) || unfinished.count(NumberOfWaiting(key)) != 0) return true;
        listed->is_full = listed->rows + one.rows.size() + one.feed.size() + 1 > store::kMaxEraseTargets;
        if (listed->is_full) return false;
        listed->rows += one.rows.size() + one.feed.size() + 1;
        store::EraseTargets& targets = listed->targets[partition];
        targets.rows.insert(targets.rows.end(), one.rows.begin(), one.rows.end());
        targets.feed.insert(targets.feed.end(), one.feed.begin(), one.feed.end());
        listed->lists[partition].rows.push_back({store::Table::kErasure, std::string(key)});
        if (!listed->oldest.IsSet() || since < listed->oldest) listed->oldest = since;
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedWaiting() : absl::OkStatus();
}

absl::Status Erasures::EraseLists(const Listed& listed) {
  std::vector<PartitionCommit> commits;
  for (const auto& [partition, lists] : listed.lists) {
    for (size_t from = 0; from < lists.rows.size(); from += kEmptiedPerCommit) {
      const size_t to = std::min(lists.rows.size(), from + kEmptiedPerCommit);
      commits.push_back(
          {partition, {}, [&lists = lists, &listed, from, to](const store::Stamp&) {
             store::Change change;
             for (size_t i = from; i < to; ++i) {
               change.writes.push_back({lists.rows[i].table, lists.rows[i].key, EncodeWaiting(listed.oldest, {})});
             }
             change.event = PlainEvent(ChangeKind::kErased, "");
             return change;
           }});
    }
  }
  for (const store::CommitResult& result : CommitAllPatiently(core_, std::move(commits))) {
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
  }
  if (absl::Status s = core_.store.EraseFromFiles(listed.lists); !s.ok()) return s;
  for (const auto& [partition, lists] : listed.lists) {
    if (absl::Status s = core_.store.Erase(partition, lists.rows); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Erasures::ReadLag(store::Partition partition) const {
  ErasureLag lag;
  bool is_emptied = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kErasure, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        const base::Instant since = SinceOf(value);
        const bool of_keys = key.front() == kKeysStep;
        is_emptied = is_emptied || (!of_keys && value == EncodeWaiting(since, {}));
        ++(of_keys ? lag.keys : lag.bytes);
        base::Instant& oldest = of_keys ? lag.oldest_key : lag.oldest_byte;
        if (!oldest.IsSet() || since < oldest) oldest = since;
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (lag.keys + lag.bytes == 0) {
    lag_.erase(partition);
  } else {
    lag_[partition] = lag;
  }
  // Its deletion is no commit, so nobody tells of it.
  if (is_emptied) core_.erasure_changes.Note(partition);
  return absl::OkStatus();
}

absl::StatusOr<ErasureLag> Erasures::Lag() const {
  const base::MutexLock lock(lag_mutex_);
  const std::vector<store::Partition> changed = core_.erasure_changes.Take(core_.store.partition_count());
  absl::Status read;
  for (const store::Partition partition : changed) {
    if (read.ok()) read = ReadLag(partition);
    if (!read.ok()) core_.erasure_changes.Note(partition);
  }
  if (!read.ok()) return read;
  ErasureLag all;
  const auto earlier = [](base::Instant a, base::Instant b) { return !a.IsSet() || (b.IsSet() && b < a) ? b : a; };
  for (const auto& [partition, lag] : lag_) {
    all.keys += lag.keys;
    all.bytes += lag.bytes;
    all.oldest_key = earlier(all.oldest_key, lag.oldest_key);
    all.oldest_byte = earlier(all.oldest_byte, lag.oldest_byte);
  }
  return all;
}

}  // namespace consent::service
