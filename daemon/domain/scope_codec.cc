#include "daemon/domain/scope_codec.h"

#include <algorithm>

namespace consent::domain::internal {
namespace {

using base::Decoder;
using base::Encoder;

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
                   kEndWasExpiry = 128, kCopiesForgiven = 256, kByOther = 512, kInherited = 1024, kWasSuspended = 2048,
                   kUnconfirmed = 4096, kLastGiven = 8192, kOwedUntil = 16384;

constexpr int64_t kSecond = base::Seconds(1).micros;

// When the first of the scope's choices, in the order of purposes, was made; unset: there is none.
Instant FirstChoiceTime(const ScopeFacts& scope) {
  for (const PurposeChoice& choice : scope.choices) {
    if (!(choice == PurposeChoice{})) return choice.since;
  }
  return Instant{};
}

// A renewal by the person; any other time that a lifetime counts from is written in full.
bool IsWholeSecondsAfter(Instant renewed, Instant since) {
  return renewed > since && (renewed - since).micros % kSecond == 0;
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
    const bool seconds = choice.renewed.IsSet() && IsWholeSecondsAfter(choice.renewed, choice.since);
    const bool in_full = choice.renewed.IsSet() && !seconds;
    out.Byte(groups[g].mask);
    out.Varint(static_cast<uint64_t>(choice.choice) | (choice.by_guardian ? kByGuardian : 0) |
               (choice.imported ? kImported : 0) | (choice.refused_from.IsSet() ? kRefusedFrom : 0) |
               (seconds ? kRenewed : 0) | (in_full ? kLastGiven : 0) | (choice.has_ended ? kHasEnded : 0) |
               (choice.end_was_expiry ? kEndWasExpiry : 0) | (choice.copies_forgiven ? kCopiesForgiven : 0) |
               (choice.by_other ? kByOther : 0) | (choice.inherited ? kInherited : 0) |
               (choice.was_suspended ? kWasSuspended : 0) | (choice.unconfirmed ? kUnconfirmed : 0) |
               (choice.copies_owed_until.IsSet() ? kOwedUntil : 0));
    out.Varint(choice.notice);
    PutTime(out, choice.since);
    if (seconds) out.Varint(static_cast<uint64_t>((choice.renewed - choice.since).micros / kSecond));
    if (in_full) PutTime(out, choice.renewed);
    if (choice.refused_from.IsSet()) PutTime(out, choice.refused_from);
    if (choice.copies_owed_until.IsSet()) PutTime(out, choice.copies_owed_until);
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
    if ((bits & kLastGiven) != 0) {
      choice.renewed = GetSetTime(in);
      if ((bits & kRenewed) != 0 || IsWholeSecondsAfter(choice.renewed, choice.since)) in.Fail();
    }
    if ((bits & kRefusedFrom) != 0) choice.refused_from = GetSetTime(in);
    if ((bits & kOwedUntil) != 0) {
      choice.copies_owed_until = GetSetTime(in);
      if (!choice.refused_from.IsSet() || choice.copies_owed_until <= choice.refused_from) in.Fail();
    }
    choice.has_ended = (bits & kHasEnded) != 0;
    choice.end_was_expiry = (bits & kEndWasExpiry) != 0;
    choice.copies_forgiven = (bits & kCopiesForgiven) != 0;
    choice.by_other = (bits & kByOther) != 0;
    choice.inherited = (bits & kInherited) != 0;
    choice.was_suspended = (bits & kWasSuspended) != 0;
    choice.unconfirmed = (bits & kUnconfirmed) != 0;
    const bool repeated =
        seen != 0 && std::find(scope->choices.begin(), scope->choices.end(), choice) != scope->choices.end();
    if (choice == PurposeChoice{} || repeated) in.Fail();
    if (mask == 0 || mask >= 1U << kPurposes || (mask & seen) != 0 || (bits >> 15) != 0 || notice > UINT16_MAX) {
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

}  // namespace

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

}  // namespace consent::domain::internal
