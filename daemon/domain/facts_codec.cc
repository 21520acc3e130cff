#include "daemon/domain/facts_codec.h"

#include <algorithm>

#include "daemon/base/bytes.h"

namespace consent::domain {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kFormat = 4;
// Beside the account: profiles and devices, as many again that only restrictions named or that were removed, and what
// the rest folds into.
constexpr size_t kMaxScopes = 4 * kMaxProfiles + 2;

// Of a subject.
constexpr uint64_t kRegistered = 1, kMarks = 2, kRegion = 4, kDefaultFrom = 8, kClosed = 16, kSelectors = 32,
                   kMoreScopes = 64, kReopened = 128, kDefaultDenied = 256, kForgotten = 512, kUnverified = 1024,
                   kLeftDefault = 2048, kFormerRegions = 4096;
// Instead of their number: more than the record holds, and none in it.
constexpr uint64_t kManyTombstones = kMaxTombstones + 1;
// In place of a former region that is several in one; the packed form of none.
constexpr uint32_t kSeveralRegions = UINT32_MAX;
// Of a tombstone; the low two bits are its state.
constexpr uint8_t kOfCopies = 4, kUnsure = 8, kNoEnd = 16, kNoBeginning = 32;
// Of a scope; the low two bits are its kind. What is common is below 128, and so takes one byte.
constexpr uint64_t kScopeRegistered = 4, kScopeDefaultFrom = 8, kRefusedControls = 16, kScopeRetention = 32,
                   kRefusedAll = 128, kPurgeFloor = 256;
// Everything was refused at the time of the scope's first choice, as one opt-out does it: the time is not written
// again.
constexpr uint64_t kRefusedAllThen = 64;
// The same of a control; beside its number.
constexpr uint8_t kRefusedThen = 128;
// Of a person; the low two bits are the kind of age.
constexpr uint8_t kBornBefore = 4, kBorn = 8, kGuardian = 16, kAdultSince = 32, kLastActive = 64,
                  kInactivityNotice = 128;
// Of a choice; the low two bits are the choice.
constexpr uint64_t kByGuardian = 4, kImported = 8, kRefusedFrom = 16, kRenewed = 32, kHasEnded = 64,
                   kEndWasExpiry = 128, kCopiesForgiven = 256, kByOther = 512, kInherited = 1024, kWasSuspended = 2048;

// Seven bytes reach the year 4253; whatever does not fit follows an escape.
constexpr uint64_t kTimeEscape = (uint64_t{1} << 56) - 1;

constexpr int64_t kSecond = base::Seconds(1).micros;

void PutTime(Encoder& out, Instant t) {
  if (t.micros >= 0 && static_cast<uint64_t>(t.micros) < kTimeEscape) {
    out.BigEndian(static_cast<uint64_t>(t.micros), 7);
    return;
  }
  out.BigEndian(kTimeEscape, 7);
  out.BigEndian(static_cast<uint64_t>(t.micros), 8);
}

// A real time, unset or kEndOfTime; what else the bytes may hold would overflow where months are added.
Instant GetTime(Decoder& in) {
  const uint64_t micros = in.BigEndian(7);
  if (micros != kTimeEscape) return Instant{static_cast<int64_t>(micros)};
  const Instant far{static_cast<int64_t>(in.BigEndian(8))};
  const bool real = far <= base::kLastInstant || far == base::kEndOfTime;
  if (far.micros < static_cast<int64_t>(kTimeEscape) || !real) in.Fail();
  return far;
}

base::Date GetDate(Decoder& in) {
  const base::Date date{static_cast<int32_t>(in.BigEndian(4))};
  if (date < base::kFirstDate || date > base::kLastDate) in.Fail();
  return date;
}

// A time that is written only where it is set.
Instant GetSetTime(Decoder& in) {
  const Instant time = GetTime(in);
  if (!time.IsSet()) in.Fail();
  return time;
}

// When the first of the scope's choices, in the order of purposes, was made; unset: there is none.
Instant FirstChoiceTime(const ScopeFacts& scope) {
  for (const PurposeChoice& choice : scope.choices) {
    if (!(choice == PurposeChoice{})) return choice.since;
  }
  return Instant{};
}

// Purposes that share one choice are written once.
void PutChoices(Encoder& out, const ScopeFacts& scope) {
  struct Group {
    const PurposeChoice* choice;
    uint8_t mask;
  };
  std::array<Group, kPurposes> groups{};
  size_t count = 0;
  for (int i = 0; i < kPurposes; ++i) {
    const PurposeChoice& choice = scope.choices[i];
    if (choice == PurposeChoice{}) continue;
    size_t g = 0;
    while (g < count && !(*groups[g].choice == choice)) ++g;
    if (g == count) groups[count++] = Group{&choice, 0};
    groups[g].mask = static_cast<uint8_t>(groups[g].mask | 1U << i);
  }
  out.Byte(static_cast<uint8_t>(count));
  for (size_t g = 0; g < count; ++g) {
    const PurposeChoice& choice = *groups[g].choice;
    out.Byte(groups[g].mask);
    out.Varint(static_cast<uint64_t>(choice.choice) | (choice.by_guardian ? kByGuardian : 0) |
               (choice.imported ? kImported : 0) | (choice.refused_from.IsSet() ? kRefusedFrom : 0) |
               (choice.renewed.IsSet() ? kRenewed : 0) | (choice.has_ended ? kHasEnded : 0) |
               (choice.end_was_expiry ? kEndWasExpiry : 0) | (choice.copies_forgiven ? kCopiesForgiven : 0) |
               (choice.by_other ? kByOther : 0) | (choice.inherited ? kInherited : 0) |
               (choice.was_suspended ? kWasSuspended : 0));
    out.Varint(choice.notice);
    PutTime(out, choice.since);
    if (choice.renewed.IsSet()) out.Varint(static_cast<uint64_t>((choice.renewed - choice.since).micros / kSecond));
    if (choice.refused_from.IsSet()) PutTime(out, choice.refused_from);
  }
}

// A renewal lies whole seconds after the first time.
Instant GetRenewal(Decoder& in, Instant since) {
  const uint64_t seconds = in.Varint();
  const bool fits = seconds != 0 && seconds <= static_cast<uint64_t>(base::kLastInstant.micros / kSecond) &&
                    since <= base::kLastInstant;
  const Instant renewed{since.micros + static_cast<int64_t>(fits ? seconds : 0) * kSecond};
  if (!fits || renewed > base::kLastInstant) in.Fail();
  return renewed;
}

// One set of choices has one encoding: groups differ, and stand in the order of their first purposes.
void GetChoices(Decoder& in, ScopeFacts* scope) {
  const uint8_t count = in.Byte();
  if (count > kPurposes) in.Fail();
  uint8_t seen = 0;
  int last_first = -1;
  for (uint8_t g = 0; in.ok() && g < count; ++g) {
    const uint8_t mask = in.Byte();
    const uint64_t bits = in.Varint();
    PurposeChoice choice;
    choice.choice = static_cast<Choice>(bits & 3);
    choice.by_guardian = (bits & kByGuardian) != 0;
    choice.imported = (bits & kImported) != 0;
    const uint64_t notice = in.Varint();
    choice.notice = static_cast<NoticeNumber>(notice);
    choice.since = GetTime(in);
    if ((bits & kRenewed) != 0) choice.renewed = GetRenewal(in, choice.since);
    if ((bits & kRefusedFrom) != 0) choice.refused_from = GetSetTime(in);
    choice.has_ended = (bits & kHasEnded) != 0;
    choice.end_was_expiry = (bits & kEndWasExpiry) != 0;
    choice.copies_forgiven = (bits & kCopiesForgiven) != 0;
    choice.by_other = (bits & kByOther) != 0;
    choice.inherited = (bits & kInherited) != 0;
    choice.was_suspended = (bits & kWasSuspended) != 0;
    const bool repeated =
        seen != 0 && std::find(scope->choices.begin(), scope->choices.end(), choice) != scope->choices.end();
    if (choice == PurposeChoice{} || repeated) in.Fail();
    if (mask == 0 || mask >= 1U << kPurposes || (mask & seen) != 0 || (bits >> 12) != 0 || notice > UINT16_MAX) {
      in.Fail();
    }
    seen |= mask;
    const int first = mask == 0 ? 0 : __builtin_ctz(mask);
    if (first <= last_first) in.Fail();
    last_first = first;
    for (int i = 0; i < kPurposes; ++i) {
      if ((mask >> i & 1) != 0) scope->choices[i] = choice;
    }
  }
}

void PutPerson(Encoder& out, const ScopeFacts& scope) {
  const Age& age = scope.age;
  const bool born = age.born != base::Date{};
  const bool guardian = scope.guardian.IsSet() || scope.guardian_since.IsSet();
  out.Byte(static_cast<uint8_t>(
      static_cast<uint8_t>(age.kind) | (age.born_before ? kBornBefore : 0) | (born ? kBorn : 0) |
      (guardian ? kGuardian : 0) | (age.adult_since.IsSet() ? kAdultSince : 0) |
      (scope.last_active.IsSet() ? kLastActive : 0) | (scope.inactivity_notice.IsSet() ? kInactivityNotice : 0)));
  if (age.born_before) out.BigEndian(static_cast<uint32_t>(age.born_before->days), 4);
  if (born) out.BigEndian(static_cast<uint32_t>(age.born.days), 4);
  if (guardian) {
    out.Raw(base::View(scope.guardian.bytes));
    PutTime(out, scope.guardian_since);
  }
  for (const Instant t : {age.adult_since, scope.last_active, scope.inactivity_notice}) {
    if (t.IsSet()) PutTime(out, t);
  }
}

void GetPerson(Decoder& in, ScopeFacts* scope) {
  const uint8_t bits = in.Byte();
  scope->age.kind = static_cast<AgeKind>(bits & 3);
  if ((bits & kBornBefore) != 0) scope->age.born_before = GetDate(in);
  if ((bits & kBorn) != 0) {
    scope->age.born = GetDate(in);
    if (scope->age.born == base::Date{}) in.Fail();
  }
  if ((bits & kGuardian) != 0) {
    scope->guardian.bytes = in.Array<16>();
    scope->guardian_since = GetTime(in);
    if (!scope->guardian.IsSet() && !scope->guardian_since.IsSet()) in.Fail();
  }
  if ((bits & kAdultSince) != 0) scope->age.adult_since = GetSetTime(in);
  if ((bits & kLastActive) != 0) scope->last_active = GetSetTime(in);
  if ((bits & kInactivityNotice) != 0) scope->inactivity_notice = GetSetTime(in);
}

void PutScope(Encoder& out, const ScopeFacts& scope) {
  const bool retention = !(scope.retention == Retention{});
  const Instant first = FirstChoiceTime(scope);
  const bool all = scope.refused_all_since.IsSet();
  const bool all_then = all && scope.refused_all_since == first;
  out.Varint(static_cast<uint64_t>(scope.kind) | (scope.registered ? kScopeRegistered : 0) |
             (all && !all_then ? kRefusedAll : 0) | (all_then ? kRefusedAllThen : 0) |
             (scope.refused_controls.empty() ? 0 : kRefusedControls) | (retention ? kScopeRetention : 0) |
             (scope.default_from.IsSet() ? kScopeDefaultFrom : 0) | (scope.purge_floor.IsSet() ? kPurgeFloor : 0));
  if (scope.kind != ScopeKind::kAccount) out.Raw(base::View(scope.handle));
  PutChoices(out, scope);
  if (all && !all_then) PutTime(out, scope.refused_all_since);
  if (!scope.refused_controls.empty()) {
    out.Byte(static_cast<uint8_t>(scope.refused_controls.size()));
    for (const ControlRefusal& refusal : scope.refused_controls) {
      const bool then = refusal.since == first;
      out.Byte(static_cast<uint8_t>(refusal.control | (then ? kRefusedThen : 0)));
      if (!then) PutTime(out, refusal.since);
    }
  }
  if (retention) {
    out.Byte(static_cast<uint8_t>(scope.retention.kind));
    out.Byte(scope.retention.months);
  }
  if (scope.purge_floor.IsSet()) PutTime(out, scope.purge_floor);
  if (scope.default_from.IsSet()) PutTime(out, scope.default_from);
  if (scope.kind == ScopeKind::kProfile) PutPerson(out, scope);
}

void GetRefusals(Decoder& in, uint64_t bits, ScopeFacts* scope) {
  if ((bits & (kRefusedAll | kRefusedAllThen | kRefusedControls)) == 0) return;
  const Instant first = FirstChoiceTime(*scope);
  if ((bits & kRefusedAll) != 0) {
    scope->refused_all_since = GetSetTime(in);
    if (scope->refused_all_since == first || (bits & kRefusedAllThen) != 0) in.Fail();
  } else if ((bits & kRefusedAllThen) != 0) {
    scope->refused_all_since = first;
    if (!first.IsSet()) in.Fail();
  }
  if ((bits & kRefusedControls) == 0) return;
  const uint8_t count = in.Byte();
  if (count == 0 || count > kMaxControls) in.Fail();
  for (uint8_t i = 0; in.ok() && i < count; ++i) {
    ControlRefusal refusal;
    const uint8_t control = in.Byte();
    const bool then = (control & kRefusedThen) != 0;
    refusal.control = static_cast<ControlNumber>(control & ~kRefusedThen);
    refusal.since = then ? first : GetTime(in);
    if (refusal.control == 0 || refusal.control > kMaxControls || then != (refusal.since == first)) in.Fail();
    scope->refused_controls.push_back(refusal);
  }
}

void GetRetention(Decoder& in, ScopeFacts* scope) {
  const uint8_t kind = in.Byte();
  scope->retention.months = in.Byte();
  scope->retention.kind = static_cast<RetentionKind>(kind);
  const bool months_fit = kind != static_cast<uint8_t>(RetentionKind::kMonths) ||
                          (scope->retention.months >= 1 && scope->retention.months <= 120);
  if (kind > static_cast<uint8_t>(RetentionKind::kDoNotSave) || !months_fit || scope->retention == Retention{}) {
    in.Fail();
  }
}

void GetScope(Decoder& in, bool is_account, ScopeFacts* scope) {
  const uint64_t bits = in.Varint();
  scope->kind = static_cast<ScopeKind>(bits & 3);
  scope->registered = (bits & kScopeRegistered) != 0;
  const bool kind_fits = is_account ? scope->kind == ScopeKind::kAccount
                                    : scope->kind == ScopeKind::kProfile || scope->kind == ScopeKind::kDevice;
  if (!kind_fits || (bits >> 9) != 0) in.Fail();
  if (!is_account) scope->handle = in.Array<16>();
  GetChoices(in, scope);
  GetRefusals(in, bits, scope);
  if ((bits & kScopeRetention) != 0) GetRetention(in, scope);
  if ((bits & kPurgeFloor) != 0) scope->purge_floor = GetSetTime(in);
  if ((bits & kScopeDefaultFrom) != 0) scope->default_from = GetSetTime(in);
  if (scope->kind == ScopeKind::kProfile) GetPerson(in, scope);
}

void PutScopeName(Encoder& out, ScopeKind kind, const base::Bytes16& handle) {
  out.Byte(static_cast<uint8_t>(kind));
  if (kind != ScopeKind::kAccount) out.Raw(base::View(handle));
}

void GetScopeName(Decoder& in, ScopeKind* kind, base::Bytes16* handle) {
  const uint8_t number = in.Byte();
  if (number > static_cast<uint8_t>(ScopeKind::kDevice)) in.Fail();
  *kind = static_cast<ScopeKind>(number);
  if (*kind != ScopeKind::kAccount) *handle = in.Array<16>();
}

void PutTombstone(Encoder& out, const Tombstone& tombstone) {
  const OrderedTimes& times = tombstone.captured;
  const bool of_copies = !tombstone.copies_of.Empty();
  const bool unsure = times.sure() != times.latest();
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(tombstone.state) | (of_copies ? kOfCopies : 0) |
                                (unsure ? kUnsure : 0) | (times.HasEnd() ? 0 : kNoEnd) |
                                (times.HasBeginning() ? 0 : kNoBeginning)));
  if (of_copies) out.Byte(tombstone.copies_of.bits);
  PutScopeName(out, tombstone.scope, tombstone.handle);
  if (times.HasBeginning()) PutTime(out, times.from());
  if (times.HasEnd()) PutTime(out, times.latest());
  if (unsure) PutTime(out, times.sure());
}

Tombstone GetTombstone(Decoder& in) {
  Tombstone tombstone;
  const uint8_t bits = in.Byte();
  const uint8_t state = bits & 3;
  if (state > static_cast<uint8_t>(TombstoneState::kVerified) || (bits >> 6) != 0) in.Fail();
  tombstone.state = static_cast<TombstoneState>(state);
  if ((bits & kOfCopies) != 0) {
    tombstone.copies_of.bits = in.Byte();
    if (tombstone.copies_of.Empty() || tombstone.copies_of.bits >= 1U << kPurposes) in.Fail();
  }
  GetScopeName(in, &tombstone.scope, &tombstone.handle);
  const Instant from = (bits & kNoBeginning) != 0 ? Instant{} : GetSetTime(in);
  const Instant latest = (bits & kNoEnd) != 0 ? base::kEndOfTime : GetSetTime(in);
  const Instant sure = (bits & kUnsure) != 0 ? GetTime(in) : latest;
  tombstone.captured = OrderedTimes::Between(from, sure, latest);
  const bool in_order = from <= latest && sure <= latest && (sure != latest) == ((bits & kUnsure) != 0);
  if (!in_order || tombstone.captured.HasEnd() == ((bits & kNoEnd) != 0)) in.Fail();
  return tombstone;
}

void GetSelectors(Decoder& in, SubjectFacts* out) {
  uint64_t tombstones = in.Varint();
  if (tombstones > kManyTombstones) in.Fail();
  out->has_more_tombstones = tombstones == kManyTombstones;
  if (out->has_more_tombstones) tombstones = 0;
  for (uint64_t i = 0; in.ok() && i < tombstones; ++i) {
    out->tombstones.push_back(GetTombstone(in));
  }
  const uint64_t holds = in.Varint();
  if (holds > kMaxHolds) in.Fail();
  for (uint64_t i = 0; in.ok() && i < holds; ++i) {
    Hold hold;
    GetScopeName(in, &hold.scope, &hold.handle);
    hold.captured.from = GetTime(in);
    hold.captured.to = GetTime(in);
    out->holds.push_back(hold);
  }
  out->holds_changed = in.Varint();
  if (tombstones + holds + out->holds_changed == 0 && !out->has_more_tombstones) in.Fail();
}

void PutFormerRegions(Encoder& out, const SubjectFacts& facts) {
  out.Byte(static_cast<uint8_t>(facts.former_regions.size()));
  for (const FormerRegion& former : facts.former_regions) {
    out.BigEndian(former.several ? kSeveralRegions : former.region.packed(), 4);
    PutTime(out, former.until);
  }
}

void GetFormerRegions(Decoder& in, SubjectFacts* out) {
  const uint8_t count = in.Byte();
  if (count == 0 || count > kMaxFormerRegions) in.Fail();
  for (uint8_t i = 0; in.ok() && i < count; ++i) {
    FormerRegion former;
    const auto packed = static_cast<uint32_t>(in.BigEndian(4));
    former.several = packed == kSeveralRegions;
    if (packed != 0 && !former.several) {
      former.region = Region::FromPacked(packed);
      if (!former.region.IsSet()) in.Fail();
    }
    former.until = GetSetTime(in);
    out->former_regions.push_back(former);
  }
}

// Everything back to what allows nothing; memory is kept.
void Reset(SubjectFacts* out) {
  out->revision = 0;
  out->registered = false;
  out->has_recording_marks = false;
  out->has_unverified_deletions = false;
  out->left_a_default = false;
  out->region = Region{};
  out->former_regions.clear();
  out->default_from = Instant{};
  out->default_denied = Instant{};
  out->closed_at = Instant{};
  out->forgotten = false;
  out->reopened_at = Instant{};
  out->holds_changed = 0;
  out->scopes.resize(1);
  out->scopes[0] = ScopeFacts{};
  out->tombstones.clear();
  out->has_more_tombstones = false;
  out->cover.reset();
  out->holds.clear();
}

bool Decode(std::string_view bytes, SubjectFacts* out) {
  Decoder in(bytes);
  if (in.Byte() != kFormat) return false;
  const uint64_t bits = in.Varint();
  out->registered = (bits & kRegistered) != 0;
  out->has_recording_marks = (bits & kMarks) != 0;
  out->has_unverified_deletions = (bits & kUnverified) != 0;
  out->left_a_default = (bits & kLeftDefault) != 0;
  out->revision = in.Varint();
  if ((bits & kRegion) != 0) {
    out->region = Region::FromPacked(static_cast<uint32_t>(in.BigEndian(4)));
    if (!out->region.IsSet()) in.Fail();
  }
  if ((bits & kDefaultFrom) != 0) out->default_from = GetSetTime(in);
  if ((bits & kClosed) != 0) out->closed_at = GetSetTime(in);
  if ((bits & kReopened) != 0) out->reopened_at = GetSetTime(in);
  if ((bits & kDefaultDenied) != 0) out->default_denied = GetSetTime(in);
  if ((bits & kFormerRegions) != 0) GetFormerRegions(in, out);
  out->forgotten = (bits & kForgotten) != 0;
  if ((bits >> 13) != 0 || ((out->reopened_at.IsSet() || out->forgotten) && !out->closed_at.IsSet())) in.Fail();
  GetScope(in, true, &out->scopes[0]);
  if ((bits & kMoreScopes) != 0) {
    const uint64_t count = in.Varint();
    if (count == 0 || count > kMaxScopes) in.Fail();
    for (uint64_t i = 0; in.ok() && i < count; ++i) {
      out->scopes.emplace_back();
      GetScope(in, false, &out->scopes.back());
    }
  }
  if ((bits & kSelectors) != 0) GetSelectors(in, out);
  return in.Done();
}

}  // namespace

void EncodeFacts(const SubjectFacts& facts, std::string* bytes) {
  Encoder out(bytes);
  const bool selectors =
      !facts.tombstones.empty() || facts.has_more_tombstones || !facts.holds.empty() || facts.holds_changed != 0;
  out.Byte(kFormat);
  out.Varint((facts.registered ? kRegistered : 0) | (facts.has_recording_marks ? kMarks : 0) |
             (facts.region.IsSet() ? kRegion : 0) | (facts.default_from.IsSet() ? kDefaultFrom : 0) |
             (facts.closed_at.IsSet() ? kClosed : 0) | (selectors ? kSelectors : 0) |
             (facts.scopes.size() > 1 ? kMoreScopes : 0) | (facts.reopened_at.IsSet() ? kReopened : 0) |
             (facts.default_denied.IsSet() ? kDefaultDenied : 0) | (facts.forgotten ? kForgotten : 0) |
             (facts.has_unverified_deletions ? kUnverified : 0) | (facts.left_a_default ? kLeftDefault : 0) |
             (facts.former_regions.empty() ? 0 : kFormerRegions));
  out.Varint(facts.revision);
  if (facts.region.IsSet()) out.BigEndian(facts.region.packed(), 4);
  if (facts.default_from.IsSet()) PutTime(out, facts.default_from);
  if (facts.closed_at.IsSet()) PutTime(out, facts.closed_at);
  if (facts.reopened_at.IsSet()) PutTime(out, facts.reopened_at);
  if (facts.default_denied.IsSet()) PutTime(out, facts.default_denied);
  if (!facts.former_regions.empty()) PutFormerRegions(out, facts);
  PutScope(out, facts.account());
  if (facts.scopes.size() > 1) {
    out.Varint(facts.scopes.size() - 1);
    for (size_t i = 1; i < facts.scopes.size(); ++i) PutScope(out, facts.scopes[i]);
  }
  if (!selectors) return;
  out.Varint(facts.has_more_tombstones ? kManyTombstones : facts.tombstones.size());
  for (const Tombstone& tombstone : facts.tombstones) PutTombstone(out, tombstone);
  out.Varint(facts.holds.size());
  for (const Hold& hold : facts.holds) {
    PutScopeName(out, hold.scope, hold.handle);
    PutTime(out, hold.captured.from);
    PutTime(out, hold.captured.to);
  }
  out.Varint(facts.holds_changed);
}

uint64_t RevisionOf(std::string_view bytes) {
  Decoder in(bytes);
  const bool known = in.Byte() == kFormat;
  in.Varint();
  const uint64_t revision = in.Varint();
  return known && in.ok() ? revision : 0;
}

bool DecodeFacts(std::string_view bytes, SubjectFacts* out) {
  Reset(out);
  if (bytes.size() <= kMaxFactsBytes && Decode(bytes, out)) return true;
  Reset(out);
  return false;
}

}  // namespace consent::domain
