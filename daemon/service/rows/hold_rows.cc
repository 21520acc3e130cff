#include "daemon/service/rows/hold_rows.h"

#include <algorithm>

#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kHoldFormat = 3;
constexpr char kByNumber = 'n';
constexpr char kBySubject = 's';
constexpr size_t kMaxOrderBytes = 256;
constexpr size_t kMaxHoldSealedBytes = 256 << 10;

void PutLegalBasis(base::Encoder& out, const LegalBasis& basis) {
  out.String(basis.authority);
  out.String(basis.reason);
}

LegalBasis GetLegalBasis(base::Decoder& in) {
  LegalBasis basis;
  basis.authority = in.String(kMaxOrderBytes);
  basis.reason = in.String(kMaxOrderBytes);
  return basis;
}

absl::Status DamagedHold() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a hold's row is damaged"); }

}  // namespace

std::string EncodeHoldRow(const HoldRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kHoldFormat);
  out.Raw(base::View(row.id.bytes));
  out.Raw(base::View(row.subject.bytes));
  out.Byte(static_cast<uint8_t>(row.held.scope.kind));
  if (row.held.scope.kind != domain::ScopeKind::kAccount) out.Raw(base::View(row.held.scope.handle));
  PutTime(out, row.held.captured.from);
  PutTime(out, row.held.captured.to);
  out.Varint(row.held.recordings.size());
  for (const base::RecordingHandle& recording : row.held.recordings) out.Raw(base::View(recording.bytes));
  PutLegalBasis(out, row.placed);
  PutTime(out, row.placed_at);
  PutTime(out, row.review_at);
  PutTime(out, row.reviewed_at);
  out.String(row.review_reason);
  PutTime(out, row.released_at);
  PutLegalBasis(out, row.released);
  const bool by_two = row.release_proposal != base::ProposalId{};
  out.Byte(by_two ? 1 : 0);
  if (by_two) out.Raw(base::View(row.release_proposal.bytes));
  out.Varint(row.changed);
  out.String(row.sealed);
  return bytes;
}

bool DecodeHoldRow(std::string_view bytes, HoldRow* row) {
  *row = HoldRow{};
  base::Decoder in(bytes);
  if (in.Byte() != kHoldFormat) return false;
  row->id.bytes = in.Array<16>();
  row->subject.bytes = in.Array<16>();
  const uint8_t scope = in.Byte();
  if (scope > static_cast<uint8_t>(domain::ScopeKind::kDevice)) return false;
  row->held.scope.kind = static_cast<domain::ScopeKind>(scope);
  if (row->held.scope.kind != domain::ScopeKind::kAccount) row->held.scope.handle = in.Array<16>();
  row->held.captured.from = GetTime(in);
  row->held.captured.to = GetTime(in);
  const uint64_t count = in.Varint();
  if (count > domain::kMaxSelectedRecordings) return false;
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    base::RecordingHandle recording;
    recording.bytes = in.Array<16>();
    if (i > 0 && !(row->held.recordings.back() < recording)) in.Fail();
    row->held.recordings.push_back(recording);
  }
  row->placed = GetLegalBasis(in);
  row->placed_at = GetTime(in);
  row->review_at = GetTime(in);
  row->reviewed_at = GetTime(in);
  row->review_reason = in.String(kMaxOrderBytes);
  row->released_at = GetTime(in);
  row->released = GetLegalBasis(in);
  const uint8_t by_two = in.Byte();
  if (by_two > 1) return false;
  if (by_two == 1) {
    row->release_proposal.bytes = in.Array<16>();
    if (row->release_proposal == base::ProposalId{}) return false;
  }
  row->changed = in.Varint();
  row->sealed = in.String(kMaxHoldSealedBytes);
  return in.Done();
}

std::string HoldKey(store::Sequence sequence) {
  std::string key(1, kByNumber);
  base::Encoder(&key).BigEndian(sequence, 8);
  return key;
}

bool IsHoldKey(std::string_view key) { return key.size() == 9 && key.front() == kByNumber; }

std::string HoldLinesOf(std::string_view subject_key) { return std::string(1, kBySubject).append(subject_key); }

std::string HoldOfKey(const Core& core, base::SubjectHandle subject, store::Sequence sequence) {
  std::string key = HoldLinesOf(core.SubjectKey(subject));
  base::Encoder(&key).BigEndian(sequence, 8);
  return key;
}

std::string HoldShareKey(const base::Keys& keys, HoldPlace place) {
  std::string named;
  base::Encoder out(&named);
  out.BigEndian(place.partition.number, 2);
  out.BigEndian(place.sequence, 8);
  return std::string(base::View(keys.DiskHash("hold", named)));
}

store::Sequence SequenceOfHoldKey(std::string_view key) {
  if (key.size() < 9) return 0;
  base::Decoder in(key.substr(key.size() - 8));
  return in.BigEndian(8);
}

absl::Status NoSuchHold() {
  return wire::MakeError(v1::ERROR_REASON_HOLD_NOT_FOUND, "there is no hold of that hold_id");
}

absl::StatusOr<HoldRow> LoadHold(const Core& core, HoldPlace place, std::string* bytes) {
  absl::StatusOr<std::string> stored = absl::NotFoundError("no such partition");
  if (place.partition.number < core.store.partition_count()) {
    stored = core.store.Get(place.partition, store::Table::kHold, HoldKey(place.sequence));
  }
  if (absl::IsNotFound(stored.status())) return NoSuchHold();
  if (!stored.ok()) return StoreUnreadable();
  HoldRow row;
  if (!DecodeHoldRow(*stored, &row)) return DamagedHold();
  *bytes = *std::move(stored);
  return row;
}

absl::StatusOr<std::vector<HoldInForce>> LoadHoldsInForce(const Core& core, base::SubjectHandle subject,
                                                          const domain::SubjectFacts& facts) {
  std::vector<HoldInForce> holds;
  if (facts.holds_changed == 0) return holds;
  const store::Partition partition = core.PartitionOf(subject);
  std::vector<store::Sequence> sequences;
  const absl::Status scanned =
      core.store.Scan(partition, store::Table::kHold, HoldOfKey(core, subject, 0), HoldOfKey(core, subject, UINT64_MAX),
                      SIZE_MAX, [&](std::string_view key, std::string_view) {
                        sequences.push_back(SequenceOfHoldKey(key));
                        return true;
                      });
  if (!scanned.ok()) return StoreUnreadable();
  for (const store::Sequence sequence : sequences) {
    std::string unused;
    absl::StatusOr<HoldRow> row = LoadHold(core, HoldPlace{partition, sequence}, &unused);
    if (!row.ok()) return row.status();
    if (row->InForce()) holds.push_back(HoldInForce{{partition, sequence}, sequence, *std::move(row)});
  }
  return holds;
}

namespace {

// Adds what the account's own reports hold.
absl::Status AddSafetyHold(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& facts,
                           HoldsOfGroup* group) {
  const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
  const bool may_hold =
      rules != nullptr && rules->safety.hold.micros > 0 && facts.holds_changed != 0 && facts.has_recording_marks;
  if (!may_hold) return absl::OkStatus();
  absl::StatusOr<std::vector<SafetyFlagRow>> rows = LoadSafetyFlagsOf(core, subject);
  if (!rows.ok()) return rows.status();
  std::sort(rows->begin(), rows->end(), [](const auto& a, const auto& b) { return a.recording < b.recording; });
  const base::Now now = core.Present();
  SafetyHold hold;
  hold.subject = subject;
  for (SafetyFlagRow& row : *rows) {
    const absl::StatusOr<domain::RecordingState> marks = LoadMarks(core, subject, row.recording);
    if (!marks.ok()) return marks.status();
    if (!rules->safety.Holds(marks->safety_since, now)) continue;
    hold.came = std::max(hold.came, row.reported);
    hold.recordings.push_back(row.recording);
    hold.until.push_back(rules->safety.HeldUntil(marks->safety_since));
    hold.rows.push_back(std::move(row));
  }
  if (!hold.recordings.empty()) group->safety.push_back(std::move(hold));
  return absl::OkStatus();
}

absl::Status AddHoldsOf(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& facts,
                        HoldsOfGroup* group) {
  absl::StatusOr<std::vector<HoldInForce>> holds = LoadHoldsInForce(core, subject, facts);
  if (!holds.ok()) return holds.status();
  for (HoldInForce& hold : *holds) group->holds.push_back(std::move(hold));
  return AddSafetyHold(core, subject, facts, group);
}

}  // namespace

absl::StatusOr<HoldsOfGroup> LoadHoldsOfGroup(const Core& core, base::SubjectHandle subject,
                                              const domain::SubjectFacts& facts) {
  HoldsOfGroup group;
  if (absl::Status s = AddHoldsOf(core, subject, facts, &group); !s.ok()) return s;
  if (!IsJoined(facts)) return group;
  const absl::StatusOr<std::vector<base::SubjectHandle>> others = GroupOf(core, subject);
  if (!others.ok()) return others.status();
  for (const base::SubjectHandle other : *others) {
    const absl::StatusOr<StoredFacts> stored = LoadFacts(core, other);
    if (!stored.ok()) return stored.status();
    HoldsOfGroup of_other;
    if (absl::Status s = AddHoldsOf(core, other, stored->facts, &of_other); !s.ok()) return s;
    for (HoldInForce& hold : of_other.holds) {
      hold.came = facts.holds_changed;
      group.holds.push_back(std::move(hold));
    }
    for (SafetyHold& hold : of_other.safety) {
      hold.came = facts.holds_changed;
      group.safety.push_back(std::move(hold));
    }
  }
  return group;
}

namespace {

void Overlaps(const SafetyHold& hold, const domain::Selector& selector, Overlap* overlap) {
  domain::HeldPart held;
  held.recordings = hold.recordings;
  if (!domain::MayOverlap(held, selector)) return;
  overlap->any = true;
  overlap->latest = std::max(overlap->latest, hold.came);
  // More than fit one task's exceptions: none of it is handed out until there are fewer.
  overlap->all =
      overlap->all || domain::CoversAll(held, selector) || hold.recordings.size() > domain::kMaxSelectedRecordings;
  for (size_t i = 0; i < hold.recordings.size(); ++i) {
    if (!domain::MaySelect(selector, hold.recordings[i])) continue;
    ++overlap->safety;
    const bool is_first = !overlap->safety_until.IsSet() || hold.until[i] < overlap->safety_until;
    if (is_first) overlap->safety_until = hold.until[i];
  }
}

}  // namespace

Overlap OverlapOf(const HoldsOfGroup& group, const domain::Selector& selector) {
  Overlap overlap;
  for (const HoldInForce& hold : group.holds) {
    if (!domain::MayOverlap(hold.row.held, selector)) continue;
    overlap.any = overlap.by_law = true;
    overlap.all = overlap.all || domain::CoversAll(hold.row.held, selector);
    overlap.latest = std::max(overlap.latest, hold.came);
  }
  for (const SafetyHold& hold : group.safety) Overlaps(hold, selector, &overlap);
  return overlap;
}

base::Span SafetyPause(const Core& core, base::Instant until) {
  const base::Instant surely = core.Present().earliest;
  return surely.IsSet() && until > surely ? std::min(until - surely, kSafetyPause) : kSafetyPause;
}

}  // namespace consent::service
