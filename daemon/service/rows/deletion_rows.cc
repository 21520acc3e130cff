#include "daemon/service/rows/deletion_rows.h"

#include "daemon/base/hash.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;
using base::Instant;

constexpr uint8_t kDeletionFormat = 4;
constexpr size_t kMaxSystemParts = 1024;
constexpr uint8_t kExtendedBit = 1, kUnsettledBit = 2, kConfirmedBit = 4, kAppealedBit = 8;

void PutSelector(Encoder& out, const domain::Selector& selector) {
  out.Byte(static_cast<uint8_t>(selector.kind));
  out.Byte(static_cast<uint8_t>(selector.scope.kind));
  if (selector.scope.kind != domain::ScopeKind::kAccount) out.Raw(base::View(selector.scope.handle));
  PutTimes(out, selector.captured);
  out.Varint(selector.recordings.size());
  for (const base::RecordingHandle& recording : selector.recordings) out.Raw(base::View(recording.bytes));
  out.BigEndian(selector.copies_of.bits, 2);
  if (selector.kind != domain::SelectorKind::kDraft) return;
  out.Raw(base::View(selector.draft.recording.bytes));
  out.Raw(base::View(selector.draft.digest));
}

domain::Selector GetSelector(Decoder& in) {
  domain::Selector selector;
  const uint8_t kind = in.Byte();
  const uint8_t scope = in.Byte();
  if (kind < 1 || kind > static_cast<uint8_t>(domain::kLastSelectorKind) ||
      scope > static_cast<uint8_t>(domain::ScopeKind::kDevice)) {
    in.Fail();
  }
  selector.kind = static_cast<domain::SelectorKind>(kind);
  selector.scope.kind = static_cast<domain::ScopeKind>(scope);
  if (selector.scope.kind != domain::ScopeKind::kAccount) selector.scope.handle = in.Array<16>();
  selector.captured = GetTimes(in);
  const uint64_t count = in.Varint();
  if (count > domain::kMaxSelectedRecordings) in.Fail();
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    base::RecordingHandle recording;
    recording.bytes = in.Array<16>();
    if (i > 0 && !(selector.recordings.back() < recording)) in.Fail();
    selector.recordings.push_back(recording);
  }
  selector.copies_of.bits = static_cast<uint16_t>(in.BigEndian(2));
  if (selector.copies_of.bits >= 1U << domain::kPurposes) in.Fail();
  if (selector.kind != domain::SelectorKind::kDraft) return selector;
  selector.draft.recording.bytes = in.Array<16>();
  selector.draft.digest = in.Array<32>();
  return selector;
}

void PutSystemPart(Encoder& out, const domain::SystemProgress& part) {
  out.BigEndian(part.system, 2);
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(part.outcome) | (part.leased_before ? 128 : 0)));
  if (part.outcome == domain::PurgeOutcome::kOpen) return;
  out.Varint(part.epoch);
  PutTime(out, part.ended_at);
  out.Varint(part.erased_count);
  out.Raw(base::View(part.evidence));
  PutOptional(out, part.earlier_evidence);
  out.String(part.reason);
  if (part.outcome == domain::PurgeOutcome::kExempt) out.Byte(static_cast<uint8_t>(part.exempt));
}

domain::SystemProgress GetSystemPart(Decoder& in) {
  domain::SystemProgress part;
  part.system = static_cast<domain::SystemNumber>(in.BigEndian(2));
  const uint8_t bits = in.Byte();
  const uint8_t outcome = bits & 127;
  if (outcome > static_cast<uint8_t>(domain::PurgeOutcome::kErasedBeforeHold)) in.Fail();
  part.outcome = static_cast<domain::PurgeOutcome>(outcome);
  part.leased_before = (bits & 128) != 0;
  if (part.outcome == domain::PurgeOutcome::kOpen) return part;
  part.epoch = in.Varint();
  part.ended_at = GetTime(in);
  part.erased_count = in.Varint();
  part.evidence = in.Array<32>();
  part.earlier_evidence = GetOptionalDigest(in);
  part.reason = in.String(kMaxTextBytes);
  if (part.outcome != domain::PurgeOutcome::kExempt) return part;
  const uint8_t exempt = in.Byte();
  if (exempt >= domain::kExemptReasons) in.Fail();
  part.exempt = static_cast<domain::ExemptReason>(exempt);
  return part;
}

void PutAppeals(Encoder& out, const std::vector<domain::Appeal>& appeals) {
  out.Varint(appeals.size());
  for (const domain::Appeal& appeal : appeals) {
    out.Byte(static_cast<uint8_t>(appeal.kind));
    for (const Instant time :
         {appeal.received_at, appeal.acknowledge_by, appeal.answer_by, appeal.acknowledged_at, appeal.answered_at}) {
      PutTime(out, time);
    }
    if (appeal.IsOpen()) continue;
    out.Byte(static_cast<uint8_t>(appeal.outcome));
    out.String(appeal.answer);
  }
}

domain::Appeal GetAppeal(Decoder& in) {
  domain::Appeal appeal;
  const uint8_t kind = in.Byte();
  if (kind < 1 || kind > static_cast<uint8_t>(domain::AppealKind::kComplaint)) in.Fail();
  appeal.kind = static_cast<domain::AppealKind>(kind);
  for (Instant* time :
       {&appeal.received_at, &appeal.acknowledge_by, &appeal.answer_by, &appeal.acknowledged_at, &appeal.answered_at}) {
    *time = GetTime(in);
  }
  if (!appeal.received_at.IsSet()) in.Fail();
  if (appeal.IsOpen()) return appeal;
  const uint8_t outcome = in.Byte();
  if (outcome < 1 || outcome > static_cast<uint8_t>(domain::AppealOutcome::kWithdrawn)) in.Fail();
  appeal.outcome = static_cast<domain::AppealOutcome>(outcome);
  appeal.answer = in.String(kMaxTextBytes);
  return appeal;
}

// At least one, and none but the last is open.
std::vector<domain::Appeal> GetAppeals(Decoder& in) {
  std::vector<domain::Appeal> appeals;
  const uint64_t count = in.Varint();
  if (count < 1 || count > domain::kMaxAppeals) in.Fail();
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    if (domain::OpenAppeal(appeals) != nullptr) in.Fail();
    appeals.push_back(GetAppeal(in));
  }
  return appeals;
}

}  // namespace

std::string DeletionKey(DeletionNumber number) {
  std::string key;
  Encoder(&key).BigEndian(number, 8);
  return key;
}

std::string DeletionBySubjectKey(const Core& core, base::SubjectHandle subject, DeletionNumber number) {
  return core.SubjectKey(subject) + DeletionKey(number);
}

std::string OpenDeletionKey(const Core& core, base::SubjectHandle subject, const domain::Selector& selector) {
  return core.SubjectKey(subject) + std::string(base::View(SelectorDigest(selector)));
}

std::string DeletionShareKey(const base::Keys& keys, DeletionPlace place) {
  std::string named;
  Encoder out(&named);
  out.BigEndian(place.partition.number, 2);
  out.BigEndian(place.number, 8);
  return std::string(base::View(keys.DiskHash("deletion", named)));
}

DeletionNumber NumberOfKey(std::string_view key) {
  if (key.size() < 8) return 0;
  Decoder in(key.substr(key.size() - 8));
  return in.BigEndian(8);
}

std::string EncodeDeletionRow(const DeletionRow& row) {
  const domain::DeletionRequest& request = row.request;
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kDeletionFormat);
  out.Raw(base::View(request.id.bytes));
  out.Raw(base::View(request.subject.bytes));
  out.Byte(static_cast<uint8_t>(request.cause));
  out.Byte(static_cast<uint8_t>(request.state));
  const bool confirmed = request.receipt_confirmed_at.IsSet();
  out.Byte(static_cast<uint8_t>((request.extended ? kExtendedBit : 0) | (request.IsUnsettled() ? kUnsettledBit : 0) |
                                (confirmed ? kConfirmedBit : 0) | (request.appeals.empty() ? 0 : kAppealedBit)));
  out.Byte(static_cast<uint8_t>(request.requester));
  out.String(request.regime);
  for (const Instant time :
       {request.received_at, request.confirm_by, request.due_at, request.verified_at, request.ended_at}) {
    PutTime(out, time);
  }
  if (request.IsUnsettled()) {
    out.Raw(base::View(request.doubt_since.boot));
    out.Varint(static_cast<uint64_t>(request.doubt_since.since.micros));
    PutTime(out, request.doubt_after);
  }
  if (confirmed) {
    PutTime(out, request.receipt_confirmed_at);
    out.Byte(static_cast<uint8_t>(request.receipt_channel));
  }
  if (!request.appeals.empty()) PutAppeals(out, request.appeals);
  out.String(request.denied_reason);
  out.Varint(request.changed);
  PutSelector(out, request.selector);
  if (request.selector.kind == domain::SelectorKind::kAccountClosure) {
    PutTime(out, request.closed_before);
    PutTime(out, request.reopened_before);
  }
  out.Varint(request.parts.size());
  for (const domain::SystemProgress& part : request.parts) PutSystemPart(out, part);
  out.String(row.sealed);
  return bytes;
}

bool DecodeDeletionRow(std::string_view bytes, DeletionRow* row) {
  *row = DeletionRow{};
  domain::DeletionRequest& request = row->request;
  Decoder in(bytes);
  if (in.Byte() != kDeletionFormat) return false;
  request.id.bytes = in.Array<16>();
  request.subject.bytes = in.Array<16>();
  const uint8_t cause = in.Byte();
  const uint8_t state = in.Byte();
  const uint8_t bits = in.Byte();
  const uint8_t requester = in.Byte();
  if (cause < 1 || cause > static_cast<uint8_t>(domain::kLastDeletionCause) || state < 1 ||
      state > static_cast<uint8_t>(domain::DeletionState::kCancelled) ||
      bits > (kExtendedBit | kUnsettledBit | kConfirmedBit | kAppealedBit) ||
      requester > static_cast<uint8_t>(domain::Actor::kSystem)) {
    return false;
  }
  request.cause = static_cast<domain::DeletionCause>(cause);
  request.state = static_cast<domain::DeletionState>(state);
  request.extended = (bits & kExtendedBit) != 0;
  request.requester = static_cast<domain::Actor>(requester);
  request.regime = in.String(kMaxLabelBytes);
  for (Instant* time :
       {&request.received_at, &request.confirm_by, &request.due_at, &request.verified_at, &request.ended_at}) {
    *time = GetTime(in);
  }
  if ((bits & kUnsettledBit) != 0) {
    request.doubt_since.boot = in.Array<16>();
    const uint64_t since = in.Varint();
    request.doubt_since.since = base::Span{static_cast<int64_t>(since)};
    request.doubt_after = GetTime(in);
    if (!request.IsUnsettled() || since > static_cast<uint64_t>(INT64_MAX)) in.Fail();
  }
  if ((bits & kConfirmedBit) != 0) {
    request.receipt_confirmed_at = GetTime(in);
    const uint8_t channel = in.Byte();
    if (!request.receipt_confirmed_at.IsSet() || channel < 1 ||
        channel > static_cast<uint8_t>(domain::ReceiptChannel::kOther)) {
      in.Fail();
    }
    request.receipt_channel = static_cast<domain::ReceiptChannel>(channel);
  }
  if ((bits & kAppealedBit) != 0) request.appeals = GetAppeals(in);
  request.denied_reason = in.String(kMaxTextBytes);
  request.changed = in.Varint();
  request.selector = GetSelector(in);
  if (request.selector.kind == domain::SelectorKind::kAccountClosure) {
    request.closed_before = GetTime(in);
    request.reopened_before = GetTime(in);
  }
  const uint64_t parts = in.Varint();
  if (parts > kMaxSystemParts) return false;
  for (uint64_t i = 0; in.ok() && i < parts; ++i) request.parts.push_back(GetSystemPart(in));
  row->sealed = in.String(kMaxDeletionPayloadBytes);
  request.needs_ids = row->sealed.empty() && domain::IsOpen(request.state) && !domain::HasItsTasksBehindIt(request);
  return in.Done();
}

std::string EncodeDeletionBySubjectRow(const DeletionBySubjectRow& row) {
  std::string bytes(1, static_cast<char>(row.state));
  if (!row.tombstone) return bytes;
  Encoder out(&bytes);
  out.Byte(static_cast<uint8_t>(row.tombstone->scope));
  if (row.tombstone->scope != domain::ScopeKind::kAccount) out.Raw(base::View(row.tombstone->handle));
  PutTimes(out, row.tombstone->captured);
  out.BigEndian(row.tombstone->copies_of.bits, 2);
  return bytes;
}

bool DecodeDeletionBySubjectRow(std::string_view bytes, DeletionBySubjectRow* row) {
  Decoder in(bytes);
  const uint8_t state = in.Byte();
  row->state = static_cast<domain::DeletionState>(state);
  row->tombstone.reset();
  if (in.ok() && !in.Done()) {
    domain::Tombstone& tombstone = row->tombstone.emplace();
    const uint8_t scope = in.Byte();
    if (scope > static_cast<uint8_t>(domain::ScopeKind::kDevice) || row->state == domain::DeletionState::kCancelled) {
      in.Fail();
    }
    tombstone.state = domain::TombstoneStateOf(row->state);
    tombstone.scope = static_cast<domain::ScopeKind>(scope);
    if (tombstone.scope != domain::ScopeKind::kAccount) tombstone.handle = in.Array<16>();
    tombstone.captured = GetTimes(in);
    tombstone.copies_of.bits = static_cast<uint16_t>(in.BigEndian(2));
    if (tombstone.copies_of.bits >= 1U << domain::kPurposes) in.Fail();
  }
  return in.Done() && state >= 1 && state <= static_cast<uint8_t>(domain::DeletionState::kCancelled);
}

void ListDeletion(const Core& core, DeletionNumber number, const domain::DeletionRequest& request,
                  std::vector<store::Write>& writes) {
  DeletionBySubjectRow row{request.state, {}};
  domain::Tombstone tombstone;
  if (domain::TombstoneOf(request, &tombstone)) row.tombstone = tombstone;
  writes.push_back({store::Table::kDeletionBySubject, DeletionBySubjectKey(core, request.subject, number),
                    EncodeDeletionBySubjectRow(row)});
  if (request.selector.IsOpenEnded() || request.cause != domain::DeletionCause::kRequested) return;
  std::optional<std::string> open;
  if (domain::IsOpen(request.state)) open = DeletionKey(number);
  writes.push_back(
      {store::Table::kOpenDeletionBySelector, OpenDeletionKey(core, request.subject, request.selector), open});
}

absl::StatusOr<DeletionNumber> FindOpenFor(const Core& core, base::SubjectHandle subject,
                                           const domain::Selector& selector) {
  if (selector.IsOpenEnded()) return DeletionNumber{0};
  const auto row = core.store.Get(core.PartitionOf(subject), store::Table::kOpenDeletionBySelector,
                                  OpenDeletionKey(core, subject, selector));
  if (absl::IsNotFound(row.status())) return DeletionNumber{0};
  if (!row.ok()) return StoreUnreadable();
  return NumberOfKey(*row);
}

absl::StatusOr<DeletionNumber> FindFinishedClosure(const Core& core, base::SubjectHandle subject) {
  const auto places = ListDeletionsOf(
      core, subject, [](domain::DeletionState state) { return state == domain::DeletionState::kCompleted; });
  if (!places.ok()) return places.status();
  for (auto place = places->rbegin(); place != places->rend(); ++place) {
    const absl::StatusOr<DeletionRow> row = LoadDeletion(core, *place);
    if (!row.ok()) return row.status();
    if (row->request.selector.kind == domain::SelectorKind::kAccountClosure) return place->number;
  }
  return DeletionNumber{0};
}

base::Bytes16 SelectorDigest(const domain::Selector& selector) {
  domain::Selector fixed = selector;
  if (selector.kind == domain::SelectorKind::kAccountClosure) fixed.captured = domain::OrderedTimes();
  std::string bytes;
  Encoder out(&bytes);
  PutSelector(out, fixed);
  const base::Digest whole = base::Blake2b(bytes);
  base::Bytes16 digest{};
  std::memcpy(digest.data(), whole.data(), digest.size());
  return digest;
}

absl::Status NoSuchDeletion() {
  return wire::MakeError(v1::ERROR_REASON_DELETION_NOT_FOUND, "there is no deletion request of that deletion_id");
}

absl::StatusOr<DeletionRow> LoadDeletion(const Core& core, DeletionPlace place, std::string* bytes) {
  absl::StatusOr<std::string> stored = absl::NotFoundError("no such partition");
  if (place.partition.number < core.store.partition_count()) {
    stored = core.store.Get(place.partition, store::Table::kDeletion, DeletionKey(place.number));
  }
  if (absl::IsNotFound(stored.status())) return NoSuchDeletion();
  if (!stored.ok()) return StoreUnreadable();
  DeletionRow row;
  if (!DecodeDeletionRow(*stored, &row)) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a deletion request's row is damaged");
  }
  *bytes = *std::move(stored);
  return row;
}

absl::StatusOr<DeletionRow> LoadDeletion(const Core& core, DeletionPlace place) {
  std::string unused;
  return LoadDeletion(core, place, &unused);
}

absl::StatusOr<domain::TombstoneIntervals> LoadTombstoneIntervals(const Core& core, base::SubjectHandle subject,
                                                                  DeletionNumber except,
                                                                  const std::function<void(DeletionNumber)>& named) {
  domain::TombstoneIntervals cover;
  bool damaged = false;
  bool fits = true;
  const absl::Status scanned = core.store.Scan(
      core.PartitionOf(subject), store::Table::kDeletionBySubject, DeletionBySubjectKey(core, subject, 0),
      DeletionBySubjectKey(core, subject, UINT64_MAX), SIZE_MAX, [&](std::string_view key, std::string_view value) {
        const DeletionNumber number = NumberOfKey(key);
        DeletionBySubjectRow row;
        damaged = !DecodeDeletionBySubjectRow(value, &row);
        if (damaged || number == except) return !damaged;
        if (row.tombstone) {
          fits = cover.Add(*row.tombstone);
        } else if (row.state != domain::DeletionState::kCancelled) {
          named(number);
        }
        return fits;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a line of a subject's deletion requests is damaged");
  if (!fits) return TooManyTombstones();
  return cover;
}

absl::Status TooManyTombstones() {
  return wire::MakeError(
      v1::ERROR_REASON_SUBJECT_FULL,
      "the subject has as many separate deletions of times as there may be; one that overlaps or encloses them fits",
      {{"limit", std::to_string(domain::kMaxCovered)}});
}

absl::StatusOr<std::vector<DeletionPlace>> ListDeletionsOf(
    const Core& core, base::SubjectHandle subject, const std::function<bool(domain::DeletionState)>& is_wanted) {
  const store::Partition partition = core.PartitionOf(subject);
  std::vector<DeletionPlace> places;
  const absl::Status scanned = core.store.Scan(
      partition, store::Table::kDeletionBySubject, DeletionBySubjectKey(core, subject, 0),
      DeletionBySubjectKey(core, subject, UINT64_MAX), SIZE_MAX, [&](std::string_view key, std::string_view value) {
        DeletionBySubjectRow row;
        if (!DecodeDeletionBySubjectRow(value, &row) || is_wanted(row.state)) {
          places.push_back(DeletionPlace{partition, NumberOfKey(key)});
        }
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return places;
}

absl::StatusOr<std::vector<std::pair<DeletionPlace, domain::DeletionRequest>>> LoadOpenDeletions(
    const Core& core, base::SubjectHandle subject) {
  const absl::StatusOr<std::vector<DeletionPlace>> places = ListDeletionsOf(core, subject, domain::IsOpen);
  if (!places.ok()) return places.status();
  std::vector<std::pair<DeletionPlace, domain::DeletionRequest>> open;
  for (const DeletionPlace& place : *places) {
    absl::StatusOr<DeletionRow> row = LoadDeletion(core, place);
    if (!row.ok()) return row.status();
    if (domain::IsOpen(row->request.state)) open.emplace_back(place, std::move(row->request));
  }
  return open;
}

}  // namespace consent::service
