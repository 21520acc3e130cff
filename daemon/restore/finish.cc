// What a replay does once the last entry is taken: requests and holds get their keys, records are merged, and each
// subject of which something was changed is told so in its history.
#include <algorithm>

#include "daemon/base/seal.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/domain/tombstone_intervals.h"
#include "daemon/restore/replay.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/state/policy_book.h"

namespace consent::restore {
namespace {

using store::Table;

constexpr size_t kSubjectKeyBytes = sizeof(base::DiskKey);

absl::Status DamagedRow(const char* what) {
  return absl::DataLossError(std::string("the backup or the journal has ") + what + " that cannot be read");
}

// A missing row is nothing, any other error stays one.
absl::StatusOr<std::optional<std::string>> Find(store::StoreBuilder& store, store::Partition partition, Table table,
                                                const std::string& key) {
  absl::StatusOr<std::string> row = store.Get(partition, table, key);
  if (row.ok()) return std::optional<std::string>(*std::move(row));
  if (absl::IsNotFound(row.status())) return std::optional<std::string>();
  return row.status();
}

}  // namespace

absl::Status Replay::Finish() {
  for (auto& [partition, state] : partitions_) {
    if (absl::Status s = FinishPartition(partition, state); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replay::FinishPartition(store::Partition partition, PartitionState& state) {
  if (absl::Status s = FinishRequests(partition, state); !s.ok()) return s;
  if (absl::Status s = FinishHolds(partition, state); !s.ok()) return s;
  if (partition == service::kMonthKeyPartition) {
    if (absl::Status s = FinishMonthKeys(); !s.ok()) return s;
  }
  // Tombstones and holds of the records, by their own rows: a request that was cancelled leaves none.
  std::map<std::string, domain::TombstoneIntervals> ordered;
  bool damaged = false;
  absl::Status scanned =
      store_.Scan(partition, Table::kDeletionBySubject, [&](std::string_view key, std::string_view value) {
        service::DeletionBySubjectRow line;
        damaged = key.size() < kSubjectKeyBytes || !service::DecodeDeletionBySubjectRow(value, &line);
        if (!damaged && line.tombstone) ordered[std::string(key.substr(0, kSubjectKeyBytes))].Add(*line.tombstone);
        return !damaged;
      });
  if (!scanned.ok()) return scanned;
  if (damaged) return DamagedRow("a line of deletion requests");
  std::map<base::Bytes16, std::vector<std::pair<store::Sequence, domain::Hold>>> held;
  scanned = store_.Scan(partition, Table::kHold, [&](std::string_view key, std::string_view value) {
    if (!service::IsHoldKey(key)) return true;
    service::HoldRow row;
    damaged = !service::DecodeHoldRow(value, &row);
    if (!damaged && row.InForce() && row.held.recordings.empty()) {
      held[row.subject.bytes].emplace_back(service::SequenceOfHoldKey(key),
                                           domain::Hold{row.held.scope.kind, row.held.scope.handle, row.held.captured});
    }
    return !damaged;
  });
  if (!scanned.ok()) return scanned;
  if (damaged) return DamagedRow("a hold");
  for (auto& [bytes, tracked] : state.subjects) {
    base::SubjectHandle subject;
    subject.bytes = bytes;
    const std::string key(base::View(keys_.DiskKeyFor(subject).bytes));
    Orders orders;
    if (const auto at = ordered.find(key); at != ordered.end()) orders.tombstones = std::move(at->second);
    if (const auto at = held.find(bytes); at != held.end()) orders.holds = std::move(at->second);
    if (absl::Status s = FinishSubject(partition, subject, std::move(orders), tracked, state); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replay::FinishSubject(store::Partition partition, const base::SubjectHandle& subject, Orders orders,
                                   Tracked& tracked, PartitionState& state) {
  const std::string key(base::View(keys_.DiskKeyFor(subject).bytes));
  absl::StatusOr<std::optional<std::string>> saved = Find(store_, partition, Table::kSubject, key);
  if (!saved.ok()) return saved.status();
  Known& known = tracked.known;
  uint64_t previous = 0;
  if (saved->has_value() && !tracked.is_erased) {
    base::SubjectHandle named;
    std::string_view facts;
    known.saved.emplace();
    if (!service::SplitSubjectRow(**saved, &named, &facts) || !domain::DecodeFacts(facts, &*known.saved)) {
      return DamagedRow("a record");
    }
    if (!domain::IsForgotten(*known.saved)) previous = known.saved->revision;
  }
  if (tracked.journaled) {
    known.journaled.emplace();
    if (!domain::DecodeFacts(*tracked.journaled, &*known.journaled)) return DamagedRow("a record");
  }
  std::optional<domain::SubjectFacts> facts = MergeRecord(known, now_);
  if (!facts.has_value()) {
    ++report_.unknown;
    return absl::OkStatus();
  }
  ++report_.subjects;
  if (facts->restored_at == now_) ++report_.loosened;
  if (domain::IsForgotten(*facts)) {
    std::string bytes;
    domain::EncodeFacts(*facts, &bytes);
    return store_.Put(partition, Table::kSubject, key, service::EncodeSubjectRow(subject, bytes));
  }
  domain::SetTombstones(*facts, std::move(orders.tombstones));
  facts->holds.clear();
  for (const auto& [sequence, hold] : orders.holds) {
    facts->holds.push_back(hold);
    facts->holds_changed = std::max<uint64_t>(facts->holds_changed, sequence);
  }
  return WriteRestored(partition, subject, previous, *std::move(facts), state);
}

absl::Status Replay::WriteRestored(store::Partition partition, const base::SubjectHandle& subject, uint64_t previous,
                                   domain::SubjectFacts facts, PartitionState& state) {
  const std::string key(base::View(keys_.DiskKeyFor(subject).bytes));
  const absl::StatusOr<std::optional<std::string>> share = Find(store_, partition, Table::kKeyShare, key);
  if (!share.ok()) return share.status();
  base::Digest payload_key{};
  if (share->has_value()) {
    const absl::StatusOr<base::Digest> opened = keys_.OpenShare(subject, **share);
    if (!opened.ok()) return opened.status();
    payload_key = *opened;
  } else {  // of who was first known after the backup, or is known again since an erasure
    base::PayloadKey fresh = keys_.NewPayloadKey(subject, random_);
    payload_key = fresh.key;
    if (absl::Status s = store_.Put(partition, Table::kKeyShare, key, fresh.share); !s.ok()) return s;
  }
  const store::Stamp stamp = NextStamp(state);
  store::Event event;
  facts.revision = stamp.sequence;
  facts.restricted = stamp.sequence;
  service::ChangeRow change;
  change.kind = service::ChangeKind::kRestored;
  change.previous = previous;
  change.channel = domain::Channel::kSystem;
  domain::EncodeFacts(facts, &change.facts);
  change.sealed = service::SealPayload(payload_key, service::Payload{}, subject, random_, &event.commitment);
  event.subject = std::string(base::View(subject.bytes));
  event.body = service::EncodeChangeRow(change);
  if (absl::Status s = AppendEvent(partition, stamp, std::move(event), state); !s.ok()) return s;
  return store_.Put(partition, Table::kSubject, key, service::EncodeSubjectRow(subject, change.facts));
}

store::Stamp Replay::NextStamp(const PartitionState& state) const {
  return {state.head.stamp.sequence + 1, std::max(now_, state.head.stamp.time + base::Microseconds(1))};
}

absl::Status Replay::AppendEvent(store::Partition partition, const store::Stamp& stamp, store::Event event,
                                 PartitionState& state) {
  store::FeedRow row;
  row.stamp = stamp;
  row.chain = store::NextChain(state.head.chain, stamp, event);
  row.event = std::move(event);
  state.head = {stamp, row.chain};
  return store_.PutFeed(partition, row);
}

absl::Status Replay::MarkAll() {
  service::SuspensionRow mark;
  mark.active = true;
  mark.time = now_;
  mark.reason = "restored without a restriction journal";
  for (uint16_t number = 0; number < store_.identity().partitions; ++number) {
    const store::Partition partition{number};
    const absl::StatusOr<PartitionState*> state = StateOf(partition);
    if (!state.ok()) return state.status();
    const store::Stamp stamp = NextStamp(**state);
    if (number == 0) {
      std::string version;
      base::Encoder(&version).BigEndian(stamp.sequence, 8);
      absl::Status put =
          store_.Put(partition, Table::kSuspension, std::string(service::kSuspensionsVersionKey), version);
      if (!put.ok()) return put;
    }
    absl::Status put =
        store_.Put(partition, Table::kSuspension, service::SuspensionKey(mark), service::EncodeSuspension(mark));
    if (!put.ok()) return put;
    service::ChangeRow change;
    change.kind = service::ChangeKind::kSuspensionChanged;
    random_.Fill(change.nonce.data(), change.nonce.size());
    store::Event event;
    event.body = service::EncodeChangeRow(change);
    service::Blind(change.nonce, &event.body, &event.commitment);
    if (absl::Status s = AppendEvent(partition, stamp, std::move(event), **state); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replay::FinishRequests(store::Partition partition, PartitionState& state) {
  for (const service::DeletionNumber number : state.requests) {
    if (absl::Status s = FinishRequest(service::DeletionPlace{partition, number}, state); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replay::FinishRequest(service::DeletionPlace place, PartitionState& state) {
  const std::string key = service::DeletionKey(place.number);
  const absl::StatusOr<std::optional<std::string>> stored = Find(store_, place.partition, Table::kDeletion, key);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return absl::OkStatus();
  service::DeletionRow row;
  if (!service::DecodeDeletionRow(**stored, &row)) return DamagedRow("a deletion request");
  ++report_.requests;
  const domain::DeletionRequest& request = row.request;
  const std::string share_key = service::DeletionShareKey(keys_, place);
  if (request.selector.kind == domain::SelectorKind::kAccountClosure && request.verified_at.IsSet()) {
    NoteClosure(request, state);
  }
  if (!domain::IsOpen(request.state)) {
    targets_[place.partition].rows.push_back({Table::kDeletion, key});
    return DropRow(place.partition, Table::kKeyShare, share_key);
  }
  const absl::StatusOr<std::optional<std::string>> share = Find(store_, place.partition, Table::kKeyShare, share_key);
  if (!share.ok()) return share.status();
  if (share->has_value() || row.sealed.empty()) return absl::OkStatus();
  std::optional<Resealed> resealed =
      Reseal(journal::PayloadOf::kDeletion, place.partition, place.number, request.subject);
  row.sealed.clear();
  if (resealed.has_value()) {
    row.sealed = std::move(resealed->sealed);
    if (absl::Status s = store_.Put(place.partition, Table::kKeyShare, share_key, resealed->share); !s.ok()) return s;
  } else {
    ++report_.requests_needing_ids;
  }
  return store_.Put(place.partition, Table::kDeletion, key, service::EncodeDeletionRow(row));
}

// One closure is open at a time, and they come in the order in which they were asked for: the last one decides.
void Replay::NoteClosure(const domain::DeletionRequest& request, PartitionState& state) {
  const bool is_cancelled = request.state == domain::DeletionState::kCancelled;
  const auto tracked = is_cancelled ? state.subjects.try_emplace(request.subject.bytes).first
                                    : state.subjects.find(request.subject.bytes);
  if (tracked == state.subjects.end()) return;
  Known& known = tracked->second.known;
  known.closure_cancelled = is_cancelled;
  known.closed_before = request.closed_before;
  known.reopened_before = request.reopened_before;
}

absl::Status Replay::FinishHolds(store::Partition partition, PartitionState& state) {
  for (const store::Sequence sequence : state.holds) {
    const std::string key = service::HoldKey(sequence);
    const absl::StatusOr<std::optional<std::string>> stored = Find(store_, partition, Table::kHold, key);
    if (!stored.ok()) return stored.status();
    if (!stored->has_value()) continue;
    service::HoldRow row;
    if (!service::DecodeHoldRow(**stored, &row)) return DamagedRow("a hold");
    ++report_.holds;
    const std::string share_key = service::HoldShareKey(keys_, service::HoldPlace{partition, sequence});
    const absl::StatusOr<std::optional<std::string>> share = Find(store_, partition, Table::kKeyShare, share_key);
    if (!share.ok()) return share.status();
    if (share->has_value() || !row.InForce()) continue;
    std::optional<Resealed> resealed = Reseal(journal::PayloadOf::kHold, partition, sequence, row.subject);
    row.sealed.clear();
    if (resealed.has_value()) {
      row.sealed = std::move(resealed->sealed);
      if (absl::Status s = store_.Put(partition, Table::kKeyShare, share_key, resealed->share); !s.ok()) return s;
    } else {
      ++report_.holds_needing_ids;
    }
    if (absl::Status s = store_.Put(partition, Table::kHold, key, service::EncodeHoldRow(row)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Replay::FinishMonthKeys() {
  std::vector<service::KnownMonthKey> there;
  bool damaged = false;
  absl::Status scanned =
      store_.Scan(service::kMonthKeyPartition, Table::kDecisionLog, [&](std::string_view key, std::string_view value) {
        service::KnownMonthKey one;
        if (!service::ReadMonthKeyRowKey(key, &one.name)) return true;
        damaged = !service::DecodeMonthKeyRow(value, &one.row);
        if (one.row.IsThere()) there.push_back(one);
        return !damaged;
      });
  if (!scanned.ok()) return scanned;
  if (damaged) return DamagedRow("a key of the decision log");
  for (service::KnownMonthKey& one : there) {
    const absl::StatusOr<std::optional<std::string>> share =
        Find(store_, service::kMonthKeyPartition, Table::kKeyShare, service::MonthKeyShareKey(one.name));
    if (!share.ok()) return share.status();
    if (share->has_value()) continue;
    one.row.gone_at = now_;
    ++report_.decision_keys_lost;
    absl::Status put = store_.Put(service::kMonthKeyPartition, Table::kDecisionLog, service::MonthKeyRowKey(one.name),
                                  service::EncodeMonthKeyRow(one.row));
    if (!put.ok()) return put;
  }
  return absl::OkStatus();
}

std::optional<Replay::Resealed> Replay::Reseal(journal::PayloadOf of, store::Partition partition, uint64_t number,
                                               const base::SubjectHandle& subject) const {
  const auto found = payloads_.find({of, partition, number});
  if (secret_ == nullptr || found == payloads_.end()) return std::nullopt;
  const absl::StatusOr<journal::SealedIds> ids = secret_->Open(found->second);
  if (!ids.ok()) return std::nullopt;
  base::PayloadKey key = keys_.NewPayloadKey(subject, random_);
  base::Digest unused{};
  const service::DeletionPayload payload{ids->account_id, ids->selector};
  return Resealed{service::SealDeletion(key.key, payload, subject, random_, &unused), std::move(key.share)};
}

}  // namespace consent::restore
