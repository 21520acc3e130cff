#include "daemon/domain/decide.h"

#include <algorithm>

#include "daemon/domain/evaluation.h"
#include "daemon/domain/tombstone_intervals.h"

namespace consent::domain {
namespace internal {

template <typename TraceT>
Evaluation<TraceT>::Evaluation(const SubjectFacts* subject, const RecordingState& marks, const Question& question,
                               const Rules& rules, TraceT* trace)
    : trace_(trace),
      subject_(subject),
      marks_(marks),
      recording_(question.recording),
      question_(question),
      rules_(rules),
      now_(question.now),
      flags_(static_cast<uint8_t>(marks.flags | question.recording.flags)),
      country_(rules.Knows(question.place.country) ? question.place.country : Region{}),
      good_until_(question.now.latest + rules.longest_answer_age),
      when_(TimeOfCapture()),
      regime_(Merge()) {
  if (subject_ != nullptr) NameScopes();
}

template <typename TraceT>
CaptureTime Evaluation<TraceT>::TimeOfCapture() {
  CaptureTime when;
  const Instant captured = recording_.captured_at;
  if (IsStamp(recording_.ingested_at) && PassedAt(recording_.ingested_at)) when.ingested = recording_.ingested_at;
  if (!captured.IsSet()) return when;
  const Instant ingested = when.ingested.IsSet() ? when.ingested : now_.latest;
  // While the capture lies ahead of a moving "now" every comparison moves with it.
  if (captured > ingested && !when.ingested.IsSet()) good_until_ = now_.latest;
  const Span uncertainty = recording_.has_uncertainty ? recording_.uncertainty : rules_.default_uncertainty;
  if (!IsStamp(captured) || captured - uncertainty > ingested) {
    when.invalid = true;
    return when;
  }
  const Instant t = std::min(captured, ingested);
  when.known = true;
  when.lo = t - uncertainty;
  when.hi = t + uncertainty;
  return when;
}

template <typename TraceT>
MergedRegime Evaluation<TraceT>::Merge() const {
  MergedRegime merged;
  const Region home = subject_ != nullptr ? subject_->region : recording_.region;
  merged.at_home = &rules_.AgeOfConsentIn(home);
  MergeWith(home, true, &merged);
  if (recording_.has_region && recording_.region != home) {
    merged.at_capture = &rules_.AgeOfConsentIn(recording_.region);
    MergeWith(recording_.region, true, &merged);
  }
  if (subject_ == nullptr) return merged;
  for (const FormerRegion& former : subject_->former_regions) {
    if (when_.known && when_.lo > former.until) continue;
    const Instant no_later = when_.NoLaterThan();
    if (former.several) {
      // Never more permissive than what nobody knows any more; and it purges nothing.
      static const Regime kStrictest;
      MergeWith(kStrictest, Instant{}, false, &merged);
    } else {
      MergeWith(former.region, no_later.IsSet() && no_later < former.until, &merged);
      if (former.until == kStillThere) merged.also_at_home.push_back(&rules_.AgeOfConsentIn(former.region));
    }
  }
  return merged;
}

template <typename TraceT>
void Evaluation<TraceT>::MergeWith(Region region, bool surely, MergedRegime* merged) const {
  const RegionRules rules = rules_.ForRegion(region);
  merged->regions.push_back(region);
  MergeWith(rules_.regimes[rules.regime], rules.opt_out_since, surely, merged);
}

template <typename TraceT>
void Evaluation<TraceT>::MergeWith(const Regime& regime, Instant opt_out_since, bool surely, MergedRegime* merged) {
  const bool is_first = merged->regimes.empty();
  const bool opt_in = regime.default_rule == DefaultRule::kOptIn;
  if (is_first || std::find(merged->regimes.begin(), merged->regimes.end(), &regime) == merged->regimes.end()) {
    merged->regimes.push_back(&regime);
  }
  merged->opt_in = merged->opt_in || opt_in;
  merged->opt_out_since = std::max(merged->opt_out_since, opt_out_since);
  merged->allow_several = merged->allow_several && !opt_in && regime.allow_several_speakers;
  merged->allow_unmatched = merged->allow_unmatched && !opt_in && regime.allow_unmatched_speakers;
  merged->allow_unidentified = merged->allow_unidentified && regime.allow_unidentified_single_adult;
  const auto shorter = [is_first](auto a, auto b) { return is_first ? b : std::min(a, b); };
  merged->child_inactive_months = shorter(merged->child_inactive_months, regime.child_inactive_months);
  if (!surely) return;
  MergedRegime::Purging& purging = merged->purging;
  purging.false_wake_ttl = shorter(purging.false_wake_ttl, opt_in ? Span{} : regime.false_wake_ttl);
  purging.child_inactive_months = shorter(purging.child_inactive_months, regime.child_inactive_months);
  purging.child_notice_period = shorter(purging.child_notice_period, regime.child_notice_period);
}

// Since when someone is an adult by all regions that count.
template <typename TraceT>
Instant Evaluation<TraceT>::GrownFrom(const Age& age) const {
  Instant grown = AdultFrom(age, *regime_.at_home);
  if (regime_.at_capture != nullptr) grown = std::max(grown, AdultFrom(age, *regime_.at_capture));
  for (const AgeOfConsent* also : regime_.also_at_home) grown = std::max(grown, AdultFrom(age, *also));
  return grown;
}

template <typename TraceT>
void Evaluation<TraceT>::NameScopes() {
  named_.push_back(Named{&subject_->account(), false, false, {}, {}, {}, {}});
  for (const base::ProfileHandle& profile : recording_.profiles) {
    const ScopeFacts* scope = subject_->Find(ScopeKind::kProfile, profile.bytes);
    if (scope == nullptr || !scope->registered) unregistered_scope_named_ = true;
    if (scope == nullptr) continue;
    const Instant at_home = AdultFrom(scope->age, *regime_.at_home);
    const Instant at_capture = regime_.at_capture != nullptr ? AdultFrom(scope->age, *regime_.at_capture) : at_home;
    Instant adult_from = std::max(at_home, at_capture);
    Instant guardian_until = std::min(at_home, at_capture);
    Instant child_again_since = ChildAgainSince(scope->age, *regime_.at_home);
    for (const AgeOfConsent* also : regime_.also_at_home) {
      adult_from = std::max(adult_from, AdultFrom(scope->age, *also));
      guardian_until = std::min(guardian_until, AdultFrom(scope->age, *also));
      child_again_since = std::max(child_again_since, ChildAgainSince(scope->age, *also));
    }
    named_.push_back(Named{scope, true, !PassedAt(adult_from), adult_from, guardian_until, at_home, child_again_since});
  }
  if (recording_.device.IsSet()) {
    const ScopeFacts* scope = subject_->Find(ScopeKind::kDevice, recording_.device.bytes);
    if (scope == nullptr || !scope->registered) unregistered_scope_named_ = true;
    if (scope != nullptr) named_.push_back(Named{scope, false, false, {}, {}, {}, {}});
  }
}

template <typename TraceT>
bool Evaluation<TraceT>::Names(ScopeKind kind, const base::Bytes16& handle) const {
  switch (kind) {
    case ScopeKind::kAccount:
      return true;
    case ScopeKind::kProfile:
      return std::any_of(recording_.profiles.begin(), recording_.profiles.end(),
                         [&](const base::ProfileHandle& profile) { return profile.bytes == handle; });
    case ScopeKind::kDevice:
      return recording_.device.IsSet() && recording_.device.bytes == handle;
  }
  return true;
}

// E0, the part that needs no subject.
template <typename TraceT>
void Evaluation<TraceT>::Facts() {
  const bool is_copy = recording_.artefact != Artefact::kSource;
  const bool missing = !recording_.captured_at.IsSet() || recording_.wake == Wake::kMissing ||
                       recording_.kind == Kind::kMissing || recording_.speakers == Speakers::kMissing ||
                       recording_.identity == Identity::kMissing || recording_.age == SpeakerAge::kMissing ||
                       (recording_.identity == Identity::kMatched && recording_.profiles.empty()) ||
                       (is_copy && !IsPurpose(recording_.made_for)) || !IsPurpose(question_.purpose);
  const bool place_missing =
      IsPurpose(question_.purpose) && std::any_of(regime_.regimes.begin(), regime_.regimes.end(),
                                                  [this](const Regime* regime) { return PlaceMissing(*regime); });
  if (missing || place_missing || unregistered_scope_named_) {
    Say(&eligibility_, Row::kE0, Reason::kMissingFact, NoFacts);
    NameMissingFacts();
  }
  if (when_.invalid) {
    Say(&eligibility_, Row::kE0, Reason::kInvalidTime, [this](RowFact& fact) { fact.at = recording_.captured_at; });
  }
}

// Which facts of Facts() are missing; apart from it, because hardly any recording lacks one.
template <typename TraceT>
void Evaluation<TraceT>::NameMissingFacts() {
  const auto note = [this](bool is_missing, MissingFact fact) {
    if (is_missing) missing_.Add(fact);
  };
  note(!recording_.captured_at.IsSet(), MissingFact::kCapturedAt);
  note(recording_.wake == Wake::kMissing, MissingFact::kWake);
  note(recording_.kind == Kind::kMissing, MissingFact::kKind);
  note(recording_.speakers == Speakers::kMissing, MissingFact::kSpeakers);
  note(recording_.identity == Identity::kMissing, MissingFact::kIdentity);
  note(recording_.age == SpeakerAge::kMissing, MissingFact::kAge);
  note(recording_.identity == Identity::kMatched && recording_.profiles.empty(), MissingFact::kProfileIds);
  note(recording_.artefact != Artefact::kSource && !IsPurpose(recording_.made_for), MissingFact::kMadeFor);
  note(unregistered_scope_named_, MissingFact::kUnregisteredScope);
  note(!IsPurpose(question_.purpose), MissingFact::kPurpose);
  if (!IsPurpose(question_.purpose)) return;
  const bool is_review = question_.purpose == Purpose::kHumanReview;
  note(is_review && question_.place.reviewer_class == ReviewerClass::kMissing, MissingFact::kReviewerClass);
  for (const Regime* regime : regime_.regimes) {
    const bool needs_country = is_review || !regime->CountriesFor(question_.purpose).any;
    note(needs_country && !country_.IsSet(), MissingFact::kCountry);
    note(!regime->any_site && question_.place.site.empty(), MissingFact::kSite);
  }
}

template <typename TraceT>
bool Evaluation<TraceT>::HasConsentedForThePast(const PurposeChoice& choice) const {
  if (choice.choice != Choice::kGiven) return choice.copies_forgiven;
  const Notice* notice = choice.unconfirmed ? nullptr : rules_.FindNotice(choice.notice);  // one that does not count
  return notice != nullptr && notice->covers_past;
}

// It says no, or may have said no when the capture was made and has not consented for the past since. The record knows
// the last end alone, so any before the last consent may have been a refusal, and may have begun before the capture.
template <typename TraceT>
bool Evaluation<TraceT>::MayHaveRefused(const ScopeFacts& scope, Purpose purpose) const {
  const PurposeChoice choice = EffectiveChoice(scope, purpose, rules_);
  if (SaysNo(choice.choice) || PerhapsOneRefused(scope, purpose, choice, rules_)) return true;
  return when_.known && choice.refused_from.IsSet() && !HasConsentedForThePast(choice) && when_.lo < choice.since;
}

template <typename TraceT>
bool Evaluation<TraceT>::CapturedWhileRefused(const PurposeChoice& choice) const {
  if (!when_.known || !choice.refused_from.IsSet() || choice.end_was_expiry) return false;
  return !HasConsentedForThePast(choice) && when_.hi >= choice.refused_from && when_.lo < choice.since;
}

// E0: who names no profile (device) may be one that said no, also one that is gone.
template <typename TraceT>
bool Evaluation<TraceT>::HidesRefusal(ScopeKind kind, Purpose purpose) const {
  const bool is_named = kind == ScopeKind::kProfile ? !recording_.profiles.empty() : recording_.device.IsSet();
  if (is_named) return false;
  return std::any_of(subject_->scopes.begin(), subject_->scopes.end(),
                     [&](const ScopeFacts& scope) { return scope.kind == kind && MayHaveRefused(scope, purpose); });
}

template <typename TraceT>
bool Evaluation<TraceT>::HidesRefusal(Purpose purpose) const {
  return HidesRefusal(ScopeKind::kProfile, purpose) || HidesRefusal(ScopeKind::kDevice, purpose);
}

// E3, E5, E6.
template <typename TraceT>
void Evaluation<TraceT>::FlagsAndVoices() {
  if ((flags_ & Flags::kCriticalData) != 0) Say(&eligibility_, Row::kE3, Reason::kCriticalData, NoFacts);
  if ((flags_ & Flags::kSafety) != 0) Say(&eligibility_, Row::kE3, Reason::kSafety, NoFacts);
  if (Accidental()) Say(&eligibility_, Row::kE5, Reason::kAccidental, NoFacts);
  if (subject_ == nullptr) return;
  const auto voice = [this](bool concerns, bool is_allowed, Reason reason) {
    if (!concerns) return;
    if (is_allowed) {
      Nearly(Row::kE6, reason, RowNote::kAllowed, NoFacts);
    } else {
      Say(&eligibility_, Row::kE6, reason, NoFacts);
    }
  };
  voice(recording_.speakers == Speakers::kSeveral, regime_.allow_several, Reason::kSeveralSpeakers);
  voice(recording_.identity == Identity::kUnmatched, regime_.allow_unmatched, Reason::kSpeakerUnmatched);
  if (recording_.identity == Identity::kNotRun) {
    voice(true, regime_.allow_unidentified && OneAdultNoChild(), Reason::kSpeakerNotIdentified);
  }
}

// Now, and when it was captured.
template <typename TraceT>
bool Evaluation<TraceT>::OneAdultNoChild() {
  int adults = 0;
  int children = 0;
  for (const ScopeFacts& scope : subject_->scopes) {
    if (scope.kind != ScopeKind::kProfile) continue;
    if (!scope.registered) {
      // Who was removed since may have been there, and may have been a child.
      const bool was_there = scope.WasRemoved() && !(when_.known && when_.lo > scope.default_from);
      children += was_there ? 1 : 0;
      continue;
    }
    const Instant adult_from = GrownFrom(scope.age);
    const bool adult = PassedAt(adult_from) && when_.known && adult_from <= when_.lo;
    (adult ? adults : children) += 1;
  }
  return adults == 1 && children == 0;
}

// What is left out is never more permissive than what is said.
template <typename TraceT>
bool Evaluation<TraceT>::PlaceMissing(const Regime& regime) const {
  const Place& place = question_.place;
  const bool is_review = question_.purpose == Purpose::kHumanReview;
  if (is_review && (!country_.IsSet() || place.reviewer_class == ReviewerClass::kMissing)) return true;
  if (!country_.IsSet() && !regime.CountriesFor(question_.purpose).any) return true;
  return place.site.empty() && !regime.any_site;
}

template <typename TraceT>
bool Evaluation<TraceT>::PlaceAllowedBy(const Regime& regime) const {
  const Place& place = question_.place;
  const Countries& countries = regime.CountriesFor(question_.purpose);
  if (country_.IsSet() && !countries.any &&
      !std::binary_search(countries.named.begin(), countries.named.end(), country_)) {
    return false;
  }
  return regime.any_site || place.site.empty() ||
         std::binary_search(regime.sites.begin(), regime.sites.end(), place.site);
}

// E10.
template <typename TraceT>
void Evaluation<TraceT>::Places() {
  for (const Regime* regime : regime_.regimes) {
    const auto what = [&](RowFact& fact) {
      fact.region = question_.place.country;
      fact.regime = static_cast<int>(regime - rules_.regimes.data());
    };
    if (!PlaceAllowedBy(*regime)) {
      Say(&eligibility_, Row::kE10, Reason::kPlaceNotAllowed, what);
    } else if (country_.IsSet()) {
      Nearly(Row::kE10, Reason::kPlaceNotAllowed, RowNote::kAllowed, what);
    }
    if (question_.purpose != Purpose::kHumanReview) continue;
    const ReviewerClass reviewer = question_.place.reviewer_class;
    if ((reviewer == ReviewerClass::kEmployee && !regime->employees) ||
        (reviewer == ReviewerClass::kContractor && !regime->contractors)) {
      Say(&eligibility_, Row::kE10, Reason::kReviewerNotAllowed, what);
    }
  }
}

// E11, of a grant alone.
template <typename TraceT>
void Evaluation<TraceT>::Caps(Purpose purpose) {
  if (question_.grants == nullptr) return;
  const ReviewCaps* caps = rules_.FindReviewCaps(purpose);
  if (caps == nullptr || IsCapSpent(*caps, RateRegion(subject_, recording_), *question_.grants)) {
    Say(&eligibility_, Row::kE11, Reason::kCapSpent, NoFacts);
  }
}

// What depends on the purpose itself: E0's unnamed scopes, E2, E4, E7, E8 and E9.
template <typename TraceT>
void Evaluation<TraceT>::AskPurpose(Purpose purpose) {
  const ReasonSet purpose_rows = PurposeRows(purpose);
  eligibility_.Add(purpose_rows);
  if (subject_ == nullptr) return;
  const bool hides_refusal = HidesRefusal(purpose);
  if (hides_refusal) {
    Say(&eligibility_, Row::kE0, Reason::kMissingFact, [](RowFact& fact) { fact.note = RowNote::kUnnamedScope; });
    if (HidesRefusal(ScopeKind::kProfile, purpose)) missing_.Add(MissingFact::kProfileIds);
    if (HidesRefusal(ScopeKind::kDevice, purpose)) missing_.Add(MissingFact::kDeviceId);
  }
  if (recording_.kind != Kind::kMessage) return;
  constexpr Purpose kMessages = Purpose::kMessageTranscription;
  if constexpr (TraceT::kOn) trace_->BeginCause();
  const bool messages_allowed = purpose == kMessages ? purpose_rows.Empty() && !hides_refusal
                                                     : PurposeRows(kMessages).Empty() && !HidesRefusal(kMessages);
  if constexpr (TraceT::kOn) trace_->EndCause();
  if (!messages_allowed) Say(&eligibility_, Row::kE7, Reason::kMessagesNotAllowed, NoFacts);
}

// R1 to R5.
template <typename TraceT>
void Evaluation<TraceT>::Dispose() {
  Holds();
  SafetyHold();
  Tombstones();
  // Only orders purge in doubt of the time, and where a restored record may forbid what was allowed since.
  const ReasonSet by_orders = disposition_;
  for (const Named& named : named_) {
    RetentionOf(*named.scope);
    ChildInactivity(named);
  }
  FalseWake();
  EndedCopies();
  if (now_.doubtful || RestoredAt().IsSet()) {
    disposition_ = by_orders;
    if constexpr (TraceT::kOn) {
      trace_->KeepOrdersAlone(now_.doubtful ? RowNote::kClockDoubtful : RowNote::kRestored);
    }
  }
}

// E0 to E11.
template <typename TraceT>
void Evaluation<TraceT>::FindNoes(Purpose purpose) {
  if (now_.doubtful) Say(&eligibility_, Row::kE0, Reason::kClockDoubtful, NoFacts);
  if (RestoredAt().IsSet()) {
    Say(&eligibility_, Row::kE0, Reason::kRestored, [this](RowFact& fact) { fact.since = RestoredAt(); });
  }
  Facts();
  // Of one that is being joined, or is an alias, the other record decides: by its own alone nothing is known to be
  // allowed.
  const bool is_known = subject_ != nullptr && subject_->registered && subject_->join == JoinState::kNone &&
                        std::none_of(subject_->beside.begin(), subject_->beside.end(),
                                     [](const OrdersBeside& alias) { return alias.is_behind; });
  if (!is_known) Say(&eligibility_, Row::kE0, Reason::kUnknownSubject, NoFacts);
  FlagsAndVoices();
  if (IsPurpose(purpose)) AskPurpose(purpose);
  Places();
  Caps(purpose);
}

// E12: whether a consent of the account and of each named profile covers the capture.
template <typename TraceT>
bool Evaluation<TraceT>::OnConsentAlone(Purpose purpose) const {
  return std::all_of(named_.begin(), named_.end(), [&](const Named& named) {
    if (named.scope->kind == ScopeKind::kDevice) return true;
    const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
    return choice.choice == Choice::kGiven && CoversCapture(choice);
  });
}

template <typename TraceT>
Decision Evaluation<TraceT>::Run() {
  if (subject_ != nullptr) Dispose();
  Decision decision;
  decision.disposition = on_hold_               ? Disposition::kHold
                         : disposition_.Empty() ? Disposition::kKeep
                                                : Disposition::kPurge;
  decision.disposed = disposition_;
  decision.reasons = disposition_;
  decision.revision = subject_ != nullptr ? subject_->revision : 0;
  decision.checked_at = now_.latest;
  decision.regime = static_cast<uint16_t>(regime_.regimes.front() - rules_.regimes.data());
  const Purpose purpose = question_.purpose;
  if (purpose != Purpose::kNone) {
    FindNoes(purpose);
    decision.reasons.Add(eligibility_);
    const bool eligible = decision.reasons.Empty();
    decision.eligibility = eligible ? Eligibility::kEligible : Eligibility::kNotEligible;
    if (eligible) decision.reasons.Add(OnConsentAlone(purpose) ? Reason::kConsent : Reason::kDefault);
    if constexpr (TraceT::kOn) NoteGrounds(purpose, decision.FirstReason());
  }
  decision.missing = missing_;
  decision.good_until = good_until_;
  return decision;
}

// What the other files use.
template Decision Evaluation<NoTrace>::Run();
template bool Evaluation<NoTrace>::Names(ScopeKind kind, const base::Bytes16& handle) const;
template bool Evaluation<NoTrace>::CapturedWhileRefused(const PurposeChoice& choice) const;
template bool Evaluation<NoTrace>::HasConsentedForThePast(const PurposeChoice& choice) const;
template Evaluation<Trace>::Evaluation(const SubjectFacts* subject, const RecordingState& marks,
                                       const Question& question, const Rules& rules, Trace* trace);
template Decision Evaluation<Trace>::Run();
template bool Evaluation<Trace>::Names(ScopeKind kind, const base::Bytes16& handle) const;
template bool Evaluation<Trace>::CapturedWhileRefused(const PurposeChoice& choice) const;
template bool Evaluation<Trace>::HasConsentedForThePast(const PurposeChoice& choice) const;

}  // namespace internal

Decision Decide(const SubjectFacts* subject, const RecordingState& marks, const Question& question,
                const Rules& rules) {
  return internal::Evaluation<internal::NoTrace>(subject, marks, question, rules, nullptr).Run();
}

}  // namespace consent::domain
