// R1 to R5: may it be kept?
#include <algorithm>
#include <optional>

#include "tests/support/model/view.h"

namespace consent::model {

using domain::Choice;
using domain::PurposeChoice;
using domain::Reason;
using domain::ScopeFacts;
using domain::ScopeKind;

bool Listed(const View& view, ScopeKind scope, const base::Bytes16& handle) {
  if (scope == ScopeKind::kAccount) return true;
  if (scope == ScopeKind::kDevice) return view.recording.device.IsSet() && view.recording.device.bytes == handle;
  for (const base::ProfileHandle& profile : view.recording.profiles) {
    if (profile.bytes == handle) return true;
  }
  return false;
}

// A deletion of a purpose's copies is about those alone; any other about all that there is.
bool AboutThisArtefact(const View& view, const domain::Tombstone& tombstone) {
  if (tombstone.copies_of.bits == 0) return true;
  if (view.recording.artefact == domain::Artefact::kSource) return false;
  return tombstone.copies_of.Has(view.recording.made_for);
}

// Whose recording is it, if the account was closed and its id perhaps given out again?
Known OfClosedAccount(const View& view) {
  if (!view.subject->closed_at.IsSet()) return Known::kNo;
  if (!view.subject->reopened_at.IsSet()) return Known::kYes;
  if (!view.has_time) {
    const bool came_before = view.ingested.has_value() && *view.ingested <= view.subject->reopened_at;
    return came_before ? Known::kYes : Known::kPerhaps;
  }
  return view.lo > view.subject->reopened_at ? Known::kNo : Known::kYes;
}

namespace {

bool HoldMatches(const View& view, const domain::Hold& hold) {
  if (!Listed(view, hold.scope, hold.handle)) return false;
  if (!view.has_time) return true;
  return view.lo <= hold.captured.to && hold.captured.from <= view.hi;
}

// The capture surely was ordered away: it can lie between the beginning and what is sure of the end; or it has no time,
// and arrived before what is sure of the end of an order that has no beginning.
bool SurelyOrdered(const View& view, const domain::OrderedTimes& times) {
  if (!times.sure().IsSet() || times.latest() < times.sure()) return false;
  if (!view.has_time) return !times.from().IsSet() && view.ingested.has_value() && *view.ingested <= times.sure();
  const Instant first = std::max(view.lo, times.from());
  const Instant last = std::min(view.hi, times.sure());
  return times.from() <= times.sure() && first <= last;
}

bool VerifiedTombstoneMatches(const View& view, const domain::Tombstone& tombstone) {
  if (tombstone.state != domain::TombstoneState::kVerified) return false;
  if (!AboutThisArtefact(view, tombstone)) return false;
  if (!Listed(view, tombstone.scope, tombstone.handle)) return false;
  return SurelyOrdered(view, tombstone.captured);
}

// The last moment at which it can have been captured.
std::optional<Instant> CapturedBy(const View& view) {
  if (view.has_time) return view.hi;
  return view.ingested;
}

bool PastRetention(const View& view, const ScopeFacts& scope) {
  const std::optional<Instant> captured = CapturedBy(view);
  if (!captured.has_value()) return false;
  if (scope.purge_floor.IsSet() && *captured <= scope.purge_floor) return true;
  if (scope.retention.kind != domain::RetentionKind::kMonths || !view.surely_now.has_value()) return false;
  const Instant first = view.has_time ? view.lo : *captured;
  return base::LatestAfterMonths(first, *captured, scope.retention.months) <= *view.surely_now;
}

// The notice about the inactivity went out after it began, and its period has passed.
bool InactivePastNotice(const View& view, const ScopeFacts& profile) {
  if (!view.IsChild(profile) || !view.surely_now.has_value()) return false;
  if (!profile.last_active.IsSet() || !profile.inactivity_notice.IsSet()) return false;
  const Instant inactive_from = base::AddMonths(profile.last_active, Law::ChildInactiveMonths(view.law.surely));
  if (inactive_from > *view.surely_now) return false;
  if (profile.inactivity_notice < inactive_from) return false;
  return profile.inactivity_notice + view.law.ChildNoticePeriod() <= *view.surely_now;
}

// A consent to what the copy was made for has surely run out. A device's is never needed, so that its end is none.
bool ConsentRanOut(const View& view, const ScopeFacts& scope) {
  const PurposeChoice says = Says(scope, view.recording.made_for, view.rules);
  if (scope.kind == ScopeKind::kDevice || says.choice != Choice::kGiven) return false;
  if (view.HadEndedOnceAtHome(scope, says)) return true;
  if (!view.surely_now.has_value()) return false;
  if (LifetimeIsOver(says, view.rules, *view.surely_now)) return true;
  if (scope.kind != ScopeKind::kProfile || !says.by_guardian) return false;
  const std::optional<Instant> grown = StopsBeingAChild(scope.age, view.law.ages_of_consent.front());
  return grown.has_value() && *grown <= *view.surely_now;
}

// The copy can be of before an end that a later consent, or the removal of the scope, has not undone.
bool EndedSinceTheCapture(const View& view, const ScopeFacts& scope) {
  const PurposeChoice says = Says(scope, view.recording.made_for, view.rules);
  if (!says.refused_from.IsSet() || says.copies_forgiven) return false;
  if (scope.kind == ScopeKind::kDevice && says.end_was_expiry) return false;
  const Instant owed_until = says.copies_owed_until.IsSet() ? says.copies_owed_until : says.refused_from;
  if (view.has_time) return view.lo < owed_until;
  return view.ingested.has_value() && *view.ingested < owed_until;
}

// Somebody may be in danger, and the report of that has not surely come of the age at which the evidence may go.
bool YoungSafetyReport(const View& view) {
  const Instant reported = view.marks.safety_since;
  const int64_t hold = view.rules.safety.hold.micros;
  if (!reported.IsSet() || hold <= 0) return false;
  if (!view.surely_now.has_value()) return true;
  return view.surely_now->micros - reported.micros < hold;
}

}  // namespace

Reasons RowR1(const View& view) {
  if (view.subject == nullptr) return {};
  bool held = view.marks.on_hold;
  for (const domain::Hold& hold : view.subject->holds) {
    if (HoldMatches(view, hold)) held = true;
  }
  Reasons reasons;
  if (held) reasons.push_back(Reason::kLegalHold);
  if (YoungSafetyReport(view)) reasons.push_back(Reason::kSafetyHold);
  return reasons;
}

Reasons RowR2(const View& view) {
  if (view.subject == nullptr) return {};
  Reasons reasons;
  bool deleted = view.marks.has_tombstone && view.marks.tombstone == domain::TombstoneState::kVerified;
  for (const domain::Tombstone& tombstone : view.subject->tombstones) {
    if (VerifiedTombstoneMatches(view, tombstone)) deleted = true;
  }
  if (deleted) reasons.push_back(Reason::kDeleted);
  if (OfClosedAccount(view) == Known::kYes) reasons.push_back(Reason::kAccountClosed);
  return reasons;
}

Reasons RowR3(const View& view) {
  if (view.doubtful || view.IsRestored()) return {};
  Reasons reasons;
  for (const ScopeFacts& scope : view.NamedScopes()) {
    if (scope.retention.kind == domain::RetentionKind::kDoNotSave) reasons.push_back(Reason::kDoNotSave);
    if (PastRetention(view, scope)) reasons.push_back(Reason::kRetentionExpired);
  }
  for (const ScopeFacts& profile : view.profiles) {
    if (InactivePastNotice(view, profile)) reasons.push_back(Reason::kChildInactive);
  }
  return reasons;
}

Reasons RowR4(const View& view) {
  if (view.subject == nullptr || !view.subject->registered || view.doubtful || !view.accidental) return {};
  if (view.IsRestored()) return {};
  const std::optional<Instant> captured = CapturedBy(view);
  if (!captured.has_value() || !view.surely_now.has_value()) return {};
  // Older than that: at the border itself it is kept.
  if (*captured + view.law.FalseWakeTtl() < *view.surely_now) return {Reason::kAccidentalExpired};
  return {};
}

Reasons RowR5(const View& view) {
  if (view.doubtful || view.IsRestored()) return {};
  if (view.recording.artefact == domain::Artefact::kSource) return {};
  if (view.recording.made_for == domain::Purpose::kNone) return {};
  bool ended = false;
  for (const ScopeFacts& scope : view.NamedScopes()) {
    const PurposeChoice says = Says(scope, view.recording.made_for, view.rules);
    // A no that may be another scope's purges nothing.
    if (SaysNo(says) && !says.inherited) ended = true;
    if (ConsentRanOut(view, scope)) ended = true;
    if (EndedSinceTheCapture(view, scope)) ended = true;
  }
  if (ended) return {Reason::kPurposeEnded};
  return {};
}

}  // namespace consent::model
