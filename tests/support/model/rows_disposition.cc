// R1 to R5: may it be kept?
#include "tests/support/model/view.h"

namespace consent::model {

using domain::Choice;
using domain::PurposeChoice;
using domain::Reason;
using domain::ScopeFacts;
using domain::ScopeKind;

namespace {

bool Listed(const View& view, ScopeKind scope, const base::Bytes16& handle) {
  if (scope == ScopeKind::kAccount) return true;
  if (scope == ScopeKind::kDevice) return view.recording.device.IsSet() && view.recording.device.bytes == handle;
  for (const base::ProfileHandle& profile : view.recording.profiles) {
    if (profile.bytes == handle) return true;
  }
  return false;
}

bool Overlap(const View& view, const domain::Interval& interval) {
  return view.lo <= interval.to && interval.from <= view.hi;
}

}  // namespace

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
  if (!view.has_time) return Known::kPerhaps;
  return view.lo > view.subject->reopened_at ? Known::kNo : Known::kYes;
}

namespace {

bool HoldMatches(const View& view, const domain::Hold& hold) {
  if (!Listed(view, hold.scope, hold.handle)) return false;
  return !view.has_time || Overlap(view, hold.captured);
}

bool VerifiedTombstoneMatches(const View& view, const domain::Tombstone& tombstone) {
  if (tombstone.state != domain::DeletionState::kVerified) return false;
  if (!AboutThisArtefact(view, tombstone)) return false;
  if (!Listed(view, tombstone.scope, tombstone.handle)) return false;
  return view.has_time && Overlap(view, tombstone.captured);
}

bool PastRetention(const View& view, const ScopeFacts& scope) {
  if (!view.has_time) return false;
  if (scope.purge_floor.IsSet() && view.hi <= scope.purge_floor) return true;
  if (scope.retention.kind != domain::RetentionKind::kMonths) return false;
  return base::AddMonths(view.hi, scope.retention.months) <= view.now;
}

// The notice about the inactivity went out after it began, and its period has passed.
bool InactivePastNotice(const View& view, const ScopeFacts& profile) {
  if (!view.IsChild(profile)) return false;
  if (!profile.last_active.IsSet() || !profile.inactivity_notice.IsSet()) return false;
  const Instant inactive_from = base::AddMonths(profile.last_active, view.law.ChildInactiveMonths());
  if (inactive_from > view.now) return false;
  if (profile.inactivity_notice < inactive_from) return false;
  return profile.inactivity_notice + view.law.ChildNoticePeriod() <= view.now;
}

// A scope's consent to what the copy was made for has run out.
bool ConsentRanOut(const View& view, const ScopeFacts& scope) {
  const PurposeChoice says = Says(scope, view.recording.made_for, view.rules);
  if (says.choice != Choice::kGiven) return false;
  return LifetimeIsOver(says, view.rules, view.now) || view.IsOutgrown(scope, says);
}

}  // namespace

Reasons RowR1(const View& view) {
  if (view.subject == nullptr) return {};
  bool held = view.marks.on_hold;
  for (const domain::Hold& hold : view.subject->holds) {
    if (HoldMatches(view, hold)) held = true;
  }
  if (held) return {Reason::kLegalHold};
  return {};
}

Reasons RowR2(const View& view) {
  if (view.subject == nullptr) return {};
  Reasons reasons;
  bool deleted = view.marks.has_tombstone && view.marks.tombstone == domain::DeletionState::kVerified;
  for (const domain::Tombstone& tombstone : view.subject->tombstones) {
    if (VerifiedTombstoneMatches(view, tombstone)) deleted = true;
  }
  if (deleted) reasons.push_back(Reason::kDeleted);
  if (OfClosedAccount(view) == Known::kYes) reasons.push_back(Reason::kAccountClosed);
  return reasons;
}

Reasons RowR3(const View& view) {
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
  if (view.subject == nullptr || !view.accidental || !view.has_time) return {};
  if (view.now - view.hi > view.law.FalseWakeTtl()) return {Reason::kAccidentalExpired};
  return {};
}

Reasons RowR5(const View& view) {
  if (view.recording.artefact == domain::Artefact::kSource) return {};
  if (view.recording.made_for == domain::Purpose::kNone) return {};
  bool ended = false;
  for (const ScopeFacts& scope : view.NamedScopes()) {
    const Choice choice = Says(scope, view.recording.made_for, view.rules).choice;
    if (choice == Choice::kRefused || choice == Choice::kWithdrawn) ended = true;
  }
  for (const ScopeFacts& account : view.accounts) {
    if (ConsentRanOut(view, account)) ended = true;
  }
  for (const ScopeFacts& profile : view.profiles) {
    if (ConsentRanOut(view, profile)) ended = true;
  }
  if (ended) return {Reason::kPurposeEnded};
  return {};
}

}  // namespace consent::model
