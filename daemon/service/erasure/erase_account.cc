// What the keys' step does for a closed account.
#include "daemon/service/erasure/erasures.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/erasure/finished.h"
#include "daemon/service/rows/deletion_writes.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kMaxPerChunk = 10'000;  // rows that one waiting row lists

// Keys of the rows whose key begins with `prefix`.
absl::Status ListRows(const Core& core, store::Partition partition, store::Table table, const std::string& prefix,
                      std::vector<std::string>* keys) {
  std::string end = prefix;
  while (!end.empty() && static_cast<uint8_t>(end.back()) == UINT8_MAX) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  const absl::Status scanned =
      core.store.Scan(partition, table, prefix, end, SIZE_MAX, [&](std::string_view key, std::string_view) {
        keys->emplace_back(key);
        return true;
      });
  return scanned.ok() ? absl::OkStatus() : StoreUnreadable();
}

// Of each of the subject's holds its row, that of its id, and its line in the subject's list.
absl::Status ListHolds(const Core& core, base::SubjectHandle subject, std::vector<store::RowKey>* rows) {
  const store::Partition partition = core.PartitionOf(subject);
  std::vector<std::string> lines;
  const std::string lines_of = HoldOfKey(core, subject, 0);
  absl::Status listed = ListRows(core, partition, store::Table::kHold, lines_of.substr(0, lines_of.size() - 8), &lines);
  if (!listed.ok()) return listed;
  for (std::string& line : lines) {
    const HoldPlace place{partition, SequenceOfHoldKey(line)};
    std::string unused;
    const absl::StatusOr<HoldRow> row = LoadHold(core, place, &unused);
    if (!row.ok()) return row.status();
    rows->push_back({store::Table::kHold, HoldKey(place.sequence)});
    rows->push_back(IdRow(row->id));
    rows->push_back({store::Table::kHold, std::move(line)});
  }
  return absl::OkStatus();
}

// Its review grants, what was heard of them, and the rows that lead to them by their ids.
absl::Status ListReviews(const Core& core, base::SubjectHandle subject, std::vector<store::RowKey>* rows) {
  const store::Partition partition = core.PartitionOf(subject);
  for (const char kind : {kGrants, kHeard, kHearings}) {
    std::vector<std::string> keys;
    absl::Status listed =
        ListRows(core, partition, store::Table::kReview, ReviewRowsOf(kind, core.SubjectKey(subject)), &keys);
    if (!listed.ok()) return listed;
    for (std::string& key : keys) {
      const auto stored = core.store.Get(partition, store::Table::kReview, key);
      if (!stored.ok() && !absl::IsNotFound(stored.status())) return StoreUnreadable();
      GrantRow grant;
      HeardRow heard;
      if (kind == kGrants && stored.ok() && DecodeGrantRow(*stored, &grant)) {
        rows->push_back({store::Table::kReview, GrantIdKey(grant.grant.id)});
      }
      if (kind == kHeard && stored.ok() && DecodeHeardRow(*stored, &heard)) {
        rows->push_back({store::Table::kReview, GrantIdKey(heard.id)});
      }
      rows->push_back({store::Table::kReview, std::move(key)});
    }
  }
  return absl::OkStatus();
}

// What the suppression's commit wrote or deleted itself is not EraseListed's to delete.
bool IsListedAlone(const store::RowKey& row) {
  return row.table == store::Table::kRecording || row.table == store::Table::kSafetyFlag ||
         row.table == store::Table::kHold || row.table == store::Table::kHoldById || row.table == store::Table::kReview;
}

}  // namespace

// In an order that a crash may stop anywhere: what names the account is listed, then the record shrinks to the
// suppression record, then what was listed goes.
absl::StatusOr<bool> Erasures::EraseAccount(const Finished& finished) {
  const base::SubjectHandle subject = finished.row.request.subject;
  bool on_hold = false;
  const absl::Status suppressed = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const absl::StatusOr<StoredFacts> stored = LoadFacts(core_, subject);
    if (!stored.ok()) return stored.status();
    if (domain::IsForgotten(stored->facts)) return store::Outcome::kCommitted;
    const auto holds = LoadHoldsOfGroup(core_, subject, stored->facts);
    if (!holds.ok()) return holds.status();
    on_hold = !holds->empty();
    if (on_hold) return store::Outcome::kCommitted;
    if (absl::Status s = EndUndecided(finished); !s.ok()) return s;
    std::vector<domain::SaidSince> said_since;
    if (absl::Status s = ListAccount(finished, stored->facts, &said_since); !s.ok()) {
      // Another service's eraser may have been there first, and the history has gone since the record was read.
      const absl::StatusOr<StoredFacts> again = LoadFacts(core_, subject);
      if (again.ok() && again->bytes != stored->bytes) return store::Outcome::kConflict;
      return s;
    }
    return Suppress(finished, *stored, said_since);
  });
  if (!suppressed.ok()) return suppressed;
  if (on_hold) return false;
  if (absl::Status s = EraseListed(finished); !s.ok()) return s;
  return true;
}

absl::Status Erasures::EndUndecided(const Finished& finished) {
  const auto open = LoadOpenDeletions(core_, finished.row.request.subject);
  if (!open.ok()) return open.status();
  for (const auto& [place, request] : *open) {
    if (domain::IsVerified(request.state)) continue;
    if (absl::Status s = EndUndecided(place); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Erasures::EndUndecided(DeletionPlace place) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::string bytes;
    absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place, &bytes);
    if (!row.ok()) return row.status();
    if (domain::IsVerified(row->request.state)) return store::Outcome::kCommitted;
    const domain::DeletionRequest was = row->request;
    DeletionRow next = *std::move(row);
    const store::CommitResult result = CommitNow(
        core_, place.partition, {{store::Table::kDeletion, DeletionKey(place.number), bytes}},
        [&](const store::Stamp& stamp) {
          (void)domain::Deny(next.request, domain::Moment{stamp.time, stamp.sequence, core_.Present(), false},
                             "the account was closed, and all of it deleted");
          next.request.changed = stamp.sequence;
          store::Change change;
          CloseDeletion(core_, place, was, stamp, next, change.writes);
          change.writes.push_back({store::Table::kDeletion, DeletionKey(place.number), EncodeDeletionRow(next)});
          ListDeletion(core_, place.number, next.request, change.writes);
          change.event = PlainEvent(ChangeKind::kErased, "");
          return change;
        });
    return result.outcome;
  });
}

absl::Status Erasures::ListAccount(const Finished& finished, const domain::SubjectFacts& facts,
                                   std::vector<domain::SaidSince>* said_since) {
  const base::SubjectHandle subject = finished.row.request.subject;
  const store::Partition partition = finished.place.partition;
  const std::string key = core_.SubjectKey(subject);
  store::EraseTargets all;
  for (const store::Table table : {store::Table::kSubject, store::Table::kNames, store::Table::kKeyShare}) {
    all.rows.push_back({table, key});
  }
  std::vector<std::string> recordings;
  if (absl::Status s = ListRows(core_, partition, store::Table::kRecording, key, &recordings); !s.ok()) return s;
  for (std::string& recording : recordings) all.rows.push_back({store::Table::kRecording, std::move(recording)});
  std::vector<std::string> flags;
  if (absl::Status s = ListRows(core_, partition, store::Table::kSafetyFlag, key, &flags); !s.ok()) return s;
  for (std::string& flag : flags) all.rows.push_back({store::Table::kSafetyFlag, std::move(flag)});
  if (absl::Status s = ListHolds(core_, subject, &all.rows); !s.ok()) return s;
  if (absl::Status s = ListReviews(core_, subject, &all.rows); !s.ok()) return s;
  for (store::Sequence next = facts.revision; next != 0;) {
    const absl::StatusOr<store::FeedRow> feed = core_.store.FeedAt(partition, next);
    ChangeRow row;
    if (absl::IsOutOfRange(feed.status())) break;  // older ones are truncated away
    if (!feed.ok()) return StoreUnreadable();
    if (feed->erased || feed->event.subject != base::View(subject.bytes) || !DecodeChangeRow(feed->event.body, &row)) {
      return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a subject's history cannot be read to its beginning");
    }
    all.feed.push_back(next);
    next = row.previous;
    if (feed->stamp.time <= facts.closed_at) continue;
    for (const domain::FactChange& change : row.changes) said_since->push_back({feed->stamp.time, change});
  }
  uint64_t chunk_number = kListedChunk;
  for (size_t row = 0, feed = 0; row < all.rows.size() || feed < all.feed.size(); ++chunk_number) {
    store::EraseTargets chunk;
    const size_t rows_end = std::min(all.rows.size(), row + kMaxPerChunk);
    const size_t feed_end = std::min(all.feed.size(), feed + kMaxPerChunk);
    chunk.rows.assign(all.rows.begin() + static_cast<std::ptrdiff_t>(row),
                      all.rows.begin() + static_cast<std::ptrdiff_t>(rows_end));
    chunk.feed.assign(all.feed.begin() + static_cast<std::ptrdiff_t>(feed),
                      all.feed.begin() + static_cast<std::ptrdiff_t>(feed_end));
    row = rows_end;
    feed = feed_end;
    const std::string at = WaitingKey(kBytesStep, finished.place.number, chunk_number);
    const store::CommitResult result = CommitPatiently(core_, partition, {}, [&](const store::Stamp&) {
      return store::Change{{{store::Table::kErasure, at, EncodeWaiting(finished.since, chunk)}},
                           PlainEvent(ChangeKind::kErased, "")};
    });
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<store::Outcome> Erasures::Suppress(const Finished& finished, const StoredFacts& stored,
                                                  const std::vector<domain::SaidSince>& said_since) {
  const base::SubjectHandle subject = finished.row.request.subject;
  const std::string key = core_.SubjectKey(subject);
  domain::SubjectFacts left = domain::RefusedSinceClosure(stored.facts, said_since);
  left.forgotten = true;
  std::string left_bytes;
  const store::CommitResult result = CommitNow(
      core_, finished.place.partition, {{store::Table::kSubject, key, EncodeSubjectRow(subject, stored.bytes)}},
      [&](const store::Stamp& stamp) {
        left.revision = stamp.sequence;
        left_bytes.clear();
        domain::EncodeFacts(left, &left_bytes);
        store::Change change;
        change.writes.push_back({store::Table::kSubject, key, EncodeSubjectRow(subject, left_bytes)});
        change.writes.push_back({store::Table::kNames, key, std::nullopt});
        change.writes.push_back({store::Table::kKeyShare, key, std::nullopt});
        change.event = PlainEvent(ChangeKind::kErased, "");
        return change;
      });
  return result.outcome;
}

absl::Status Erasures::EraseListed(const Finished& finished) {
  const store::Partition partition = finished.place.partition;
  std::vector<store::EraseTargets> chunks;
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kErasure, WaitingKey(kBytesStep, finished.place.number, kListedChunk),
      WaitingKey(kBytesStep, finished.place.number + 1), SIZE_MAX, [&](std::string_view, std::string_view value) {
        base::Instant unused;
        chunks.emplace_back();
        damaged = damaged || !DecodeWaiting(value, &unused, &chunks.back());
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedWaiting();
  for (store::EraseTargets& chunk : chunks) {
    chunk.rows.erase(std::remove_if(chunk.rows.begin(), chunk.rows.end(), std::not_fn(IsListedAlone)),
                     chunk.rows.end());
    if (absl::Status s = core_.store.Erase(partition, chunk.rows); !s.ok()) return s;
    if (absl::Status s = core_.store.EraseFeed(partition, chunk.feed); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace consent::service
