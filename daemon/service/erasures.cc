#include "daemon/service/erasures.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/commit_now.h"
#include "daemon/service/hold_rows.h"
#include "daemon/service/rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kErasureFormat = 1;
constexpr char kKeysStep = 'k';
constexpr char kBytesStep = 'r';
constexpr size_t kMaxAtOnce = 1000;       // requests of one keys' step
constexpr size_t kMaxPerChunk = 10'000;   // rows that one waiting row lists
constexpr size_t kCompletedPerCommit = 100;
constexpr uint64_t kListedChunk = 1;      // chunk 0 is the request's own rows

std::string WaitingKey(char step, DeletionNumber number, uint64_t chunk = 0) {
  std::string key(1, step);
  base::Encoder out(&key);
  out.BigEndian(number, 8);
  out.BigEndian(chunk, 4);
  return key;
}

DeletionNumber NumberOfWaiting(std::string_view key) {
  if (key.size() != 13) return 0;
  base::Decoder in(key.substr(1, 8));
  return in.BigEndian(8);
}

std::string EncodeWaiting(base::Instant since, const store::Remains& remains) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kErasureFormat);
  out.Varint(static_cast<uint64_t>(since.micros));
  out.Varint(remains.rows.size());
  for (const store::RowKey& row : remains.rows) {
    out.Byte(static_cast<uint8_t>(row.table));
    out.String(row.key);
  }
  out.Varint(remains.feed.size());
  for (const store::Sequence sequence : remains.feed) out.Varint(sequence);
  return bytes;
}

bool DecodeWaiting(std::string_view bytes, base::Instant* since, store::Remains* remains) {
  base::Decoder in(bytes);
  if (in.Byte() != kErasureFormat) return false;
  since->micros = static_cast<int64_t>(in.Varint());
  const uint64_t rows = in.Varint();
  for (uint64_t i = 0; in.ok() && i < rows; ++i) {
    const auto table = static_cast<store::Table>(in.Byte());
    remains->rows.push_back({table, std::string(in.String(store::kMaxKeyBytes))});
  }
  const uint64_t feed = in.Varint();
  for (uint64_t i = 0; in.ok() && i < feed; ++i) remains->feed.push_back(in.Varint());
  return in.Done();
}

// Without what it lists.
base::Instant SinceOf(std::string_view bytes) {
  base::Decoder in(bytes);
  (void)in.Byte();
  return base::Instant{static_cast<int64_t>(in.Varint())};
}

absl::Status DamagedWaiting() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a row of what is to be erased is damaged"); }

// The request's own rows: former values of its row, and the tasks, which are gone.
store::Remains RowsOf(DeletionPlace place, const domain::DeletionRequest& request) {
  store::Remains remains;
  remains.rows.push_back({store::Table::kDeletion, DeletionKey(place.number)});
  for (const domain::SystemPart& part : request.parts) remains.rows.push_back({store::Table::kTask, TaskKey(part.system, place.number)});
  return remains;
}

// Keys of the rows whose key begins with `prefix`.
absl::Status ListRows(const Context& context, store::Partition partition, store::Table table, const std::string& prefix,
                      std::vector<std::string>* keys) {
  std::string end = prefix;
  while (!end.empty() && static_cast<uint8_t>(end.back()) == UINT8_MAX) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  const absl::Status scanned = context.store.Scan(partition, table, prefix, end, SIZE_MAX, [&](std::string_view key, std::string_view) {
    keys->emplace_back(key);
    return true;
  });
  return scanned.ok() ? absl::OkStatus() : StoreUnreadable();
}

}  // namespace

void BeginErasure(const Context& context, DeletionPlace place, const store::Stamp& stamp, std::vector<store::Write>& writes) {
  writes.push_back({store::Table::kKeyShare, DeletionShareKey(context, place), std::nullopt});
  writes.push_back({store::Table::kErasure, WaitingKey(kKeysStep, place.number), EncodeWaiting(stamp.time, {})});
}

void BeginErasure(DeletionNumber number, const store::Remains& remains, const store::Stamp& stamp, std::vector<store::Write>& writes) {
  writes.push_back({store::Table::kErasure, WaitingKey(kBytesStep, number), EncodeWaiting(stamp.time, remains)});
}

// A request of which every task has ended.
struct Erasures::Finished {
  DeletionPlace place;
  base::Instant since;
  std::string bytes;  // of its row
  DeletionRow row;
  bool IsClosure() const { return row.request.selector.kind == domain::SelectorKind::kAccountClosure; }
};

absl::StatusOr<size_t> Erasures::EraseKeys() {
  size_t done = 0;
  for (uint16_t number = 0; number < context_.store.partition_count(); ++number) {
    const absl::StatusOr<size_t> erased = EraseKeys(store::Partition{number});
    if (!erased.ok()) return erased.status();
    done += *erased;
  }
  return done;
}

absl::StatusOr<size_t> Erasures::EraseKeys(store::Partition partition) {
  std::vector<std::pair<DeletionNumber, base::Instant>> waiting;
  bool damaged = false;
  const absl::Status scanned = context_.store.Scan(
      partition, store::Table::kErasure, std::string(1, kKeysStep), std::string(1, kKeysStep + 1), kMaxAtOnce,
      [&](std::string_view key, std::string_view value) {
        base::Instant since;
        store::Remains unused;
        damaged = damaged || !DecodeWaiting(value, &since, &unused);
        waiting.emplace_back(NumberOfWaiting(key), since);
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedWaiting();
  std::vector<Finished> finished;
  store::Remains keys;
  for (const auto& [number, since] : waiting) {
    Finished one{DeletionPlace{partition, number}, since, {}, {}};
    absl::StatusOr<DeletionRow> row = LoadDeletion(context_, one.place, &one.bytes);
    if (!row.ok()) return row.status();
    one.row = *std::move(row);
    if (one.IsClosure()) {
      const absl::StatusOr<bool> erased = EraseAccount(one);
      if (!erased.ok()) return erased.status();
      if (!*erased) continue;
      keys.rows.push_back({store::Table::kKeyShare, context_.SubjectKey(one.row.request.subject)});
    }
    keys.rows.push_back({store::Table::kKeyShare, DeletionShareKey(context_, one.place)});
    finished.push_back(std::move(one));
  }
  if (finished.empty()) return size_t{0};
  if (absl::Status s = context_.store.Scrub(partition, keys); !s.ok()) return s;
  if (absl::Status s = Complete(finished); !s.ok()) return s;
  return finished.size();
}

absl::Status Erasures::Complete(const std::vector<Finished>& finished) {
  std::vector<const Finished*> together;
  for (const Finished& one : finished) {
    if (!one.IsClosure()) together.push_back(&one);
    if (!one.IsClosure() && together.size() < kCompletedPerCommit) continue;
    const std::vector<const Finished*> now = one.IsClosure() ? std::vector<const Finished*>{&one} : std::exchange(together, {});
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
      const DeletionOfRow listed{request.state, SelectorDigest(request.selector)};
      change.writes.push_back({store::Table::kDeletion, DeletionKey(one->place.number), EncodeDeletionRow(next)});
      change.writes.push_back({store::Table::kDeletionOf, DeletionOfKey(context_, request.subject, one->place.number), EncodeDeletionOfRow(listed)});
      change.writes.push_back({store::Table::kErasure, WaitingKey(kKeysStep, one->place.number), std::nullopt});
      change.writes.push_back(
          {store::Table::kErasure, WaitingKey(kBytesStep, one->place.number), EncodeWaiting(one->since, RowsOf(one->place, request))});
    }
    if (is_closure) {
      left.revision = stamp.sequence;
      left_bytes.clear();
      domain::EncodeFacts(left, &left_bytes);
      change.writes.push_back({store::Table::kSubject, context_.SubjectKey(subject), EncodeSubjectRow(subject, left_bytes)});
    }
    change.event = PlainEvent(ChangeKind::kErased, "");
    return change;
  };
  const auto publish = [&](const store::Stamp& stamp) {
    for (const Finished* one : finished) {
      domain::DeletionRequest after = one->row.request;
      domain::Complete(after, stamp.time);
      context_.deletions.Replace(one->place, &one->row.request, after);
    }
    if (is_closure) context_.IndexOf(subject).Put(subject, left_bytes);
  };
  for (int attempt = 0; attempt < kMaxCommitAttempts; ++attempt) {
    // Nothing else writes the row of a request whose tasks have all ended, nor the record of an account that is forgotten.
    std::vector<store::Precondition> preconditions;
    for (const Finished* one : finished) preconditions.push_back({store::Table::kDeletion, DeletionKey(one->place.number), one->bytes});
    if (is_closure) {
      const absl::StatusOr<StoredFacts> stored = LoadFacts(context_, subject);
      if (!stored.ok()) return stored.status();
      left.closed_at = stored->facts.closed_at;
      preconditions.push_back({store::Table::kSubject, context_.SubjectKey(subject), EncodeSubjectRow(subject, stored->bytes)});
    }
    const store::CommitResult result = CommitNow(context_, partition, std::move(preconditions), build, publish);
    if (result.outcome != store::Outcome::kConflict) return OutcomeStatus(result.outcome);
  }
  return OutcomeStatus(store::Outcome::kConflict);
}

// In an order that a crash may stop anywhere: what names the account is listed, then the record shrinks to the suppression record, then
// what was listed goes.
absl::StatusOr<bool> Erasures::EraseAccount(const Finished& finished) {
  const base::SubjectHandle subject = finished.row.request.subject;
  for (int attempt = 0; attempt < kMaxCommitAttempts; ++attempt) {
    const absl::StatusOr<StoredFacts> stored = LoadFacts(context_, subject);
    if (!stored.ok()) return stored.status();
    if (domain::IsForgotten(stored->facts)) break;
    const auto holds = LoadHoldsInForce(context_, subject, stored->facts);
    if (!holds.ok()) return holds.status();
    if (!holds->empty()) return false;
    if (absl::Status s = ListAccount(finished, stored->facts); !s.ok()) return s;
    const absl::StatusOr<store::Outcome> outcome = Suppress(finished, stored->bytes, stored->facts);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == store::Outcome::kConflict) continue;
    if (absl::Status s = OutcomeStatus(*outcome); !s.ok()) return s;
    break;
  }
  if (absl::Status s = EraseListed(finished); !s.ok()) return s;
  return true;
}

absl::Status Erasures::ListAccount(const Finished& finished, const domain::SubjectFacts& facts) {
  const base::SubjectHandle subject = finished.row.request.subject;
  const store::Partition partition = finished.place.partition;
  const std::string key = context_.SubjectKey(subject);
  store::Remains all;
  for (const store::Table table : {store::Table::kSubject, store::Table::kNames, store::Table::kKeyShare}) all.rows.push_back({table, key});
  std::vector<std::string> recordings;
  if (absl::Status s = ListRows(context_, partition, store::Table::kRecording, key, &recordings); !s.ok()) return s;
  for (std::string& recording : recordings) all.rows.push_back({store::Table::kRecording, std::move(recording)});
  std::vector<std::string> holds;
  const std::string holds_of = HoldOfKey(context_, subject, 0);
  if (absl::Status s = ListRows(context_, partition, store::Table::kHold, holds_of.substr(0, holds_of.size() - 8), &holds); !s.ok()) return s;
  for (std::string& hold : holds) {
    all.rows.push_back({store::Table::kHold, HoldKey(SequenceOfHoldKey(hold))});
    all.rows.push_back({store::Table::kHold, std::move(hold)});
  }
  for (store::Sequence next = facts.revision; next != 0;) {
    const absl::StatusOr<store::FeedRow> feed = context_.store.FeedAt(partition, next);
    ChangeRow row;
    if (absl::IsOutOfRange(feed.status())) break;  // older ones are truncated away
    if (!feed.ok()) return StoreUnreadable();
    if (feed->erased || feed->event.subject != base::View(subject.bytes) || !DecodeChangeRow(feed->event.body, &row)) {
      return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a subject's history cannot be read to its beginning");
    }
    all.feed.push_back(next);
    next = row.previous;
  }
  uint64_t chunk_number = kListedChunk;
  for (size_t row = 0, feed = 0; row < all.rows.size() || feed < all.feed.size(); ++chunk_number) {
    store::Remains chunk;
    const size_t rows_end = std::min(all.rows.size(), row + kMaxPerChunk);
    const size_t feed_end = std::min(all.feed.size(), feed + kMaxPerChunk);
    chunk.rows.assign(all.rows.begin() + static_cast<std::ptrdiff_t>(row), all.rows.begin() + static_cast<std::ptrdiff_t>(rows_end));
    chunk.feed.assign(all.feed.begin() + static_cast<std::ptrdiff_t>(feed), all.feed.begin() + static_cast<std::ptrdiff_t>(feed_end));
    row = rows_end;
    feed = feed_end;
    const std::string at = WaitingKey(kBytesStep, finished.place.number, chunk_number);
    const store::CommitResult result = CommitPatiently(context_, partition, {}, [&](const store::Stamp&) {
      return store::Change{{{store::Table::kErasure, at, EncodeWaiting(finished.since, chunk)}}, PlainEvent(ChangeKind::kErased, "")};
    });
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<store::Outcome> Erasures::Suppress(const Finished& finished, const std::string& facts_bytes, const domain::SubjectFacts& facts) {
  const base::SubjectHandle subject = finished.row.request.subject;
  const std::string key = context_.SubjectKey(subject);
  domain::SubjectFacts left;
  left.closed_at = facts.closed_at;
  left.tombstones.push_back(domain::Tombstone{domain::DeletionState::kVerified, domain::ScopeKind::kAccount, {}, domain::Interval{}, {}});
  std::string left_bytes;
  const store::CommitResult result = CommitNow(
      context_, finished.place.partition, {{store::Table::kSubject, key, EncodeSubjectRow(subject, facts_bytes)}},
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
      },
      [&](const store::Stamp&) {
        context_.IndexOf(subject).Put(subject, left_bytes);
        context_.census.Replace(&facts, &left);
      });
  return result.outcome;
}

absl::Status Erasures::EraseListed(const Finished& finished) {
  const store::Partition partition = finished.place.partition;
  std::vector<store::Remains> chunks;
  bool damaged = false;
  const absl::Status scanned = context_.store.Scan(
      partition, store::Table::kErasure, WaitingKey(kBytesStep, finished.place.number, kListedChunk),
      WaitingKey(kBytesStep, finished.place.number + 1), SIZE_MAX, [&](std::string_view, std::string_view value) {
        base::Instant unused;
        chunks.emplace_back();
        damaged = damaged || !DecodeWaiting(value, &unused, &chunks.back());
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedWaiting();
  for (store::Remains& chunk : chunks) {
    // What the suppression's commit wrote or deleted itself is not ours to delete.
    chunk.rows.erase(std::remove_if(chunk.rows.begin(), chunk.rows.end(),
                                    [](const store::RowKey& row) { return row.table != store::Table::kRecording && row.table != store::Table::kHold; }),
                     chunk.rows.end());
    if (absl::Status s = context_.store.Erase(partition, chunk.rows); !s.ok()) return s;
    if (absl::Status s = context_.store.EraseFeed(partition, chunk.feed); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Erasures::EraseBytes(base::Instant before) {
  size_t done = 0;
  for (uint16_t number = 0; number < context_.store.partition_count(); ++number) {
    const absl::StatusOr<size_t> erased = EraseBytes(store::Partition{number}, before);
    if (!erased.ok()) return erased.status();
    done += *erased;
  }
  return done;
}

absl::StatusOr<size_t> Erasures::EraseBytes(store::Partition partition, base::Instant before) {
  // What the keys' step has listed and not yet deleted is not known from anywhere else.
  std::set<DeletionNumber> unfinished;
  const absl::Status looked = context_.store.Scan(partition, store::Table::kErasure, std::string(1, kKeysStep), std::string(1, kKeysStep + 1),
                                                  SIZE_MAX, [&](std::string_view key, std::string_view) {
                                                    unfinished.insert(NumberOfWaiting(key));
                                                    return true;
                                                  });
  if (!looked.ok()) return StoreUnreadable();
  size_t done = 0;
  for (std::string from(1, kBytesStep); !from.empty();) {
    store::Remains remains;
    std::vector<store::RowKey> listed;
    bool damaged = false;
    std::string next;
    const absl::Status scanned = context_.store.Scan(
        partition, store::Table::kErasure, from, std::string(1, kBytesStep + 1), SIZE_MAX, [&](std::string_view key, std::string_view value) {
          base::Instant since;
          store::Remains one;
          damaged = damaged || !DecodeWaiting(value, &since, &one);
          if (damaged) return false;
          if (!(since < before) || unfinished.count(NumberOfWaiting(key)) != 0) return true;
          if (remains.rows.size() + remains.feed.size() + one.rows.size() + one.feed.size() + listed.size() + 2 > store::kMaxRemains) {
            next = std::string(key);
            return false;
          }
          remains.rows.insert(remains.rows.end(), one.rows.begin(), one.rows.end());
          remains.feed.insert(remains.feed.end(), one.feed.begin(), one.feed.end());
          listed.push_back({store::Table::kErasure, std::string(key)});
          return true;
        });
    if (!scanned.ok()) return StoreUnreadable();
    if (damaged) return DamagedWaiting();
    if (listed.empty()) return done;
    if (absl::Status s = context_.store.Scrub(partition, remains); !s.ok()) return s;
    if (absl::Status s = context_.store.Erase(partition, listed); !s.ok()) return s;
    done += remains.rows.size() + remains.feed.size();
    from = next;
  }
  return done;
}

absl::StatusOr<ErasureLag> Erasures::Lag() const {
  ErasureLag lag;
  for (uint16_t number = 0; number < context_.store.partition_count(); ++number) {
    const absl::Status scanned = context_.store.Scan(
        store::Partition{number}, store::Table::kErasure, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
          const base::Instant since = SinceOf(value);
          const bool of_keys = key.front() == kKeysStep;
          ++(of_keys ? lag.keys : lag.bytes);
          base::Instant& oldest = of_keys ? lag.oldest_key : lag.oldest_byte;
          if (!oldest.IsSet() || since < oldest) oldest = since;
          return true;
        });
    if (!scanned.ok()) return StoreUnreadable();
  }
  return lag;
}

}  // namespace consent::service
