// E0 to E7, E10 and E11: may it be used? What the choices say is in rows_choices.cc.
#include <algorithm>

#include "tests/support/model/view.h"

namespace consent::model {

using domain::Choice;
using domain::Flags;
using domain::Identity;
using domain::Purpose;
using domain::PurposeChoice;
using domain::Reason;
using domain::ReviewerClass;
using domain::ScopeFacts;
using domain::ScopeKind;

namespace {

bool AnyScopeRefuses(const View& view, ScopeKind kind, Purpose purpose) {
  for (const ScopeFacts& scope : view.subject->scopes) {
    if (scope.kind != kind) continue;
    const PurposeChoice says = Says(scope, purpose, view.rules);
    if (SaysNo(says) || PerhapsRefusedAtTheCapture(view, says)) return true;
    // One of the two records that became this one may have refused, and never said this.
    if (says.unconfirmed && !WiderRefusals(scope, purpose, view.rules).empty()) return true;
  }
  return false;
}

bool PlaceLacksFacts(const View& view, Purpose purpose) {
  const bool people_listen = purpose == Purpose::kHumanReview;
  if (people_listen && view.place.reviewer_class == ReviewerClass::kMissing) return true;
  if (!view.place.country.IsSet() && (people_listen || !view.law.AnyCountryAllowed(purpose))) return true;
  return view.place.site.empty() && !view.law.AnySiteAllowed();
}

bool RecordingLacksFacts(const View& view) {
  const domain::RecordingFacts& recording = view.recording;
  if (!recording.captured_at.IsSet()) return true;
  if (recording.wake == domain::Wake::kMissing) return true;
  if (recording.kind == domain::Kind::kMissing) return true;
  if (recording.speakers == domain::Speakers::kMissing) return true;
  if (recording.identity == Identity::kMissing) return true;
  if (recording.age == domain::SpeakerAge::kMissing) return true;
  if (recording.identity == Identity::kMatched && recording.profiles.empty()) return true;
  return recording.artefact != domain::Artefact::kSource && recording.made_for == Purpose::kNone;
}

bool NamesLackFacts(const View& view, Purpose purpose) {
  if (view.subject == nullptr) return false;
  if (view.names_strange_profile || view.names_strange_device) return true;
  for (const ScopeFacts& profile : view.profiles) {
    if (!profile.registered) return true;
  }
  for (const ScopeFacts& device : view.devices) {
    if (!device.registered) return true;
  }
  return HidesARefusal(view, purpose);
}

// Whether a deletion in this state matches for the eligibility: what has no time is matched by every time.
bool DeletionMatches(const View& view, domain::TombstoneState state) {
  if (view.marks.has_tombstone && view.marks.tombstone == state) return true;
  for (const domain::Tombstone& tombstone : view.subject->tombstones) {
    if (tombstone.state != state || !AboutThisArtefact(view, tombstone)) continue;
    if (!Listed(view, tombstone.scope, tombstone.handle)) continue;
    const domain::OrderedTimes& times = tombstone.captured;
    if (!times.latest().IsSet()) continue;
    if (!view.has_time) return true;
    if (std::max(view.lo, times.from()) <= std::min(view.hi, times.latest())) return true;
  }
  return false;
}

// The strict side of a retention's border.
bool PerhapsPastRetention(const View& view, const ScopeFacts& scope) {
  const bool months = scope.retention.kind == domain::RetentionKind::kMonths;
  const bool floor = scope.purge_floor.IsSet();
  if (!view.has_time) return months || floor;
  if (floor && view.lo <= scope.purge_floor) return true;
  return months && base::EarliestAfterMonths(view.lo, view.hi, scope.retention.months) <= view.now;
}

bool Inactive(const View& view, const ScopeFacts& profile) {
  if (!view.IsChild(profile) || !profile.last_active.IsSet()) return false;
  return base::AddMonths(profile.last_active, Law::ChildInactiveMonths(view.law.regimes)) <= view.now;
}

// He has to be the guardian who was named when he gave it.
bool HasGuardiansConsent(const View& view, const ScopeFacts& profile, Purpose purpose) {
  const PurposeChoice says = Says(profile, purpose, view.rules);
  if (says.choice != Choice::kGiven || !says.by_guardian) return false;
  if (!profile.guardian.IsSet() || FirstConsented(says) < profile.guardian_since) return false;
  return view.MayHaveGuardian(profile) && !view.HadEndedOnce(profile, says);
}

// Now, and when it was captured: without a time nobody knows.
bool HasExactlyOneAdultAndNoChild(const View& view) {
  for (const ScopeFacts& scope : view.subject->scopes) {
    // Removed after the capture, or perhaps: somebody more was in the household.
    const bool gone = scope.kind == ScopeKind::kProfile && !scope.registered && scope.default_from.IsSet();
    if (gone && (!view.has_time || scope.default_from >= view.lo)) return false;
  }
  if (!view.has_time) return false;
  int adults = 0;
  int children = 0;
  for (const ScopeFacts& scope : view.subject->scopes) {
    if (scope.kind != ScopeKind::kProfile || !scope.registered) continue;
    if (view.IsChild(scope) || view.WasChildAtCapture(scope)) {
      ++children;
    } else {
      ++adults;
    }
  }
  return adults == 1 && children == 0;
}

}  // namespace

bool HidesARefusal(const View& view, Purpose purpose) {
  if (view.recording.profiles.empty() && AnyScopeRefuses(view, ScopeKind::kProfile, purpose)) return true;
  return !view.recording.device.IsSet() && AnyScopeRefuses(view, ScopeKind::kDevice, purpose);
}

Reasons RowE0(const View& view, Purpose purpose) {
  Reasons reasons;
  if (view.doubtful) reasons.push_back(Reason::kClockDoubtful);
  if (view.IsRestored()) reasons.push_back(Reason::kRestored);
  // Of one that is being joined, or is another one's alias, its own record knows nothing.
  const bool known = view.subject != nullptr && view.subject->registered;
  if (!known || view.subject->join != domain::JoinState::kNone) reasons.push_back(Reason::kUnknownSubject);
  const bool missing = RecordingLacksFacts(view) || PlaceLacksFacts(view, purpose) || NamesLackFacts(view, purpose);
  if (missing) reasons.push_back(Reason::kMissingFact);
  if (view.time_invalid) reasons.push_back(Reason::kInvalidTime);
  return reasons;
}

Reasons RowE1(const View& view) {
  if (view.subject == nullptr) return {};
  Reasons reasons;
  if (DeletionMatches(view, domain::TombstoneState::kVerified)) reasons.push_back(Reason::kDeleted);
  if (DeletionMatches(view, domain::TombstoneState::kPending)) reasons.push_back(Reason::kDeletionPending);
  if (DeletionMatches(view, domain::TombstoneState::kDenied)) reasons.push_back(Reason::kDeletionDenied);
  if (OfClosedAccount(view) == Known::kPerhaps) reasons.push_back(Reason::kAccountClosed);
  for (const ScopeFacts& scope : view.NamedScopes()) {
    if (PerhapsPastRetention(view, scope)) reasons.push_back(Reason::kRetentionExpired);
  }
  for (const ScopeFacts& profile : view.profiles) {
    if (Inactive(view, profile)) reasons.push_back(Reason::kChildInactive);
  }
  return reasons;
}

Reasons RowE2(const View& view, Purpose purpose) {
  if (SuspensionsOf(view.rules, purpose, view.law.regions).now) return {Reason::kSuspended};
  return {};
}

Reasons RowE3(const View& view) {
  Reasons reasons;
  if ((view.flags & Flags::kCriticalData) != 0) reasons.push_back(Reason::kCriticalData);
  if ((view.flags & Flags::kSafety) != 0) reasons.push_back(Reason::kSafety);
  return reasons;
}

Reasons RowE4(const View& view, Purpose purpose) {
  if (view.subject == nullptr) return {};
  Reasons applies = {Reason::kChildWithoutGuardian};
  for (const ScopeFacts& profile : view.profiles) {
    const bool child = view.IsChild(profile);
    if (child && !HasGuardiansConsent(view, profile, purpose)) return applies;
    if (!child && view.WasChildAtCapture(profile)) return applies;
  }
  const bool present =
      view.recording.age == domain::SpeakerAge::kChildPresent || (view.flags & Flags::kChildPresent) != 0;
  if (present && !view.NamesAChild()) return applies;
  return {};
}

Reasons RowE5(const View& view) {
  if (view.accidental) return {Reason::kAccidental};
  return {};
}

Reasons RowE6(const View& view) {
  if (view.subject == nullptr) return {};
  Reasons reasons;
  if (view.recording.speakers == domain::Speakers::kSeveral && !view.law.SeveralSpeakersAllowed()) {
    reasons.push_back(Reason::kSeveralSpeakers);
  }
  if (view.recording.identity == Identity::kUnmatched && !view.law.UnmatchedSpeakersAllowed()) {
    reasons.push_back(Reason::kSpeakerUnmatched);
  }
  if (view.recording.identity == Identity::kNotRun) {
    const bool allowed = view.law.UnidentifiedSingleAdultAllowed() && HasExactlyOneAdultAndNoChild(view);
    if (!allowed) reasons.push_back(Reason::kSpeakerNotIdentified);
  }
  return reasons;
}

Reasons RowE7(const View& view) {
  if (view.subject == nullptr || view.recording.kind != domain::Kind::kMessage) return {};
  const Purpose asked = Purpose::kMessageTranscription;
  const bool allowed = RowE2(view, asked).empty() && RowE4(view, asked).empty() && RowE8(view, asked).empty() &&
                       RowE9(view, asked).empty() && !HidesARefusal(view, asked);
  if (allowed) return {};
  return {Reason::kMessagesNotAllowed};
}

// What is not said is a missing fact, and no wrong place.
Reasons RowE10(const View& view, Purpose purpose) {
  Reasons reasons;
  const domain::Place& place = view.place;
  const bool country_wrong = place.country.IsSet() && !view.law.CountryAllowed(purpose, place.country);
  const bool site_wrong = !place.site.empty() && !view.law.SiteAllowed(place.site);
  if (country_wrong || site_wrong) reasons.push_back(Reason::kPlaceNotAllowed);
  const bool class_matters = purpose == Purpose::kHumanReview && place.reviewer_class != ReviewerClass::kMissing;
  if (class_matters && !view.law.ClassAllowed(place.reviewer_class)) reasons.push_back(Reason::kReviewerNotAllowed);
  return reasons;
}

// A cap is spent where one more would be over it. A rate counts parts of a million utterances, so the one more is
// compared by multiplying: (given + 1) * 1,000,000 <= parts * utterances.
Reasons RowE11(const View& view, Purpose purpose, const domain::GrantCounts* grants) {
  if (grants == nullptr) return {};
  Reasons spent = {Reason::kCapSpent};
  domain::Region country = view.subject == nullptr ? domain::Region() : view.subject->region.Country();
  if (view.recording.has_region) country = view.recording.region.Country();
  for (const domain::ReviewCaps& caps : view.rules.review_caps) {
    if (caps.purpose != purpose) continue;
    const auto more = [&](domain::CapKind kind) { return grants->given[static_cast<size_t>(kind)] + 1; };
    std::optional<uint32_t> parts;
    for (const domain::ReviewRate& rate : caps.rates) {
      if (!rate.country.IsSet() && !parts.has_value()) parts = rate.parts_per_million;
    }
    for (const domain::ReviewRate& rate : caps.rates) {
      if (rate.country.IsSet() && rate.country == country) parts = rate.parts_per_million;
    }
    if (!parts.has_value()) return spent;
    const bool of_all = *parts == 1'000'000;
    if (!of_all && more(domain::CapKind::kRate) * 1'000'000 > *parts * grants->population) return spent;
    if (more(domain::CapKind::kDay) > caps.per_day) return spent;
    const size_t selection = static_cast<size_t>(grants->selection) - 1;
    if (more(domain::CapKind::kSelection) > caps.per_selection_day[selection]) return spent;
    if (more(domain::CapKind::kSite) > caps.per_site_day) return spent;
    if (more(domain::CapKind::kReviewer) > caps.per_reviewer_shift) return spent;
    if (more(domain::CapKind::kAccount) > caps.per_account) return spent;
    return {};
  }
  return spent;
}

}  // namespace consent::model
