// One decision in the making: the class behind Decide and Explain, in three files. decide.cc holds the order of the
// rows and those about the recording, decide_disposition.cc R1 to R5, decide_purpose.cc those that ask one purpose of
// every named scope (E2, E4, E8, E9). An ordinary decision notes nothing (NoTrace): what is noted for an explanation is
// compiled for Explain alone. Each file instantiates what the others use of it. Private to this folder.
#pragma once

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"
#include "daemon/domain/trace.h"

namespace consent::domain::internal {

// The interval in which the capture surely lies, and what its ingestion proves.
struct CaptureTime {
  bool known = false;    // lo and hi are set
  bool invalid = false;  // given, but impossible
  Instant lo;
  Instant hi;
  Instant ingested;  // as it was given, by the server's clock: the capture was no later; unset: not given, or of a
                     // clock that was never set

  // The capture was surely no later; unset: nothing is sure.
  Instant NoLaterThan() const { return known ? hi : ingested; }
};

// The regimes of the subject's and the capture's region, and of those that the subject left since: the stricter value
// of each field. What was perhaps captured before a region was left is not eligible by its rules, what surely was is
// purged by them.
struct MergedRegime {
  absl::InlinedVector<Region, 2> regions;
  absl::InlinedVector<const Regime*, 2> regimes;  // each once
  bool opt_in = false;
  Instant opt_out_since;
  bool allow_several = true;
  bool allow_unmatched = true;
  bool allow_unidentified = true;
  int child_inactive_months = 0;
  struct Purging {
    Span false_wake_ttl;
    int child_inactive_months = 0;
    Span child_notice_period;
  } purging;
  const AgeOfConsent* at_home = nullptr;                     // a guardian may consent only below it
  const AgeOfConsent* at_capture = nullptr;                  // nullptr: the same, or no region was named
  absl::InlinedVector<const AgeOfConsent*, 1> also_at_home;  // where the subject lives too (kStillThere)
};

// Whether something that is stored reaches the recording.
inline bool Overlaps(const CaptureTime& when, const Interval& interval) {
  return when.hi >= interval.from && when.lo <= interval.to;
}

// One decision in the making. Each member function is a row or a group of rows of the table. TraceT: NoTrace or Trace.
template <typename TraceT>
class Evaluation {
 public:
  // `trace` is not looked at by NoTrace.
  Evaluation(const SubjectFacts* subject, const RecordingState& marks, const Question& question, const Rules& rules,
             TraceT* trace);
  Decision Run();
  // Whether a hold or tombstone reaches the recording, in the record or not.
  Match MatchOf(const Hold& hold) const;
  Match MatchOf(const Tombstone& tombstone) const;
  const MergedRegime& regime() const { return regime_; }

 private:
  // A row says no, or purges, for that reason. `fill(RowFact&)` says what counted.
  template <typename Fill>
  void Say(ReasonSet* reasons, Row row, Reason reason, const Fill& fill) const {
    reasons->Add(reason);
    if constexpr (TraceT::kOn) Note(row, reason, true, RowNote::kNone, fill);
  }
  // A row concerns what is stored, and does not decide.
  template <typename Fill>
  void Nearly(Row row, Reason reason, RowNote note, const Fill& fill) const {
    if constexpr (TraceT::kOn) Note(row, reason, false, note, fill);
  }
  template <typename Fill>
  void Note(Row row, Reason reason, bool matched, RowNote note, const Fill& fill) const {
    RowFact fact;
    fact.row = row;
    fact.reason = reason;
    fact.matched = matched;
    fact.note = note;
    fill(fact);
    trace_->Note(fact);
  }
  // The same where `told` says that another row told the reason already: then nothing is noted.
  template <typename Fill>
  void SayUnless(bool told, ReasonSet* reasons, Row row, Reason reason, const Fill& fill) const {
    reasons->Add(reason);
    if constexpr (TraceT::kOn) {
      if (!told) Note(row, reason, true, RowNote::kNone, fill);
    }
  }
  static void NoFacts(RowFact&) {}

  struct Named {
    const ScopeFacts* scope;
    bool is_profile;
    bool is_child_now;
    Instant adult_from;          // by the higher of both ages of consent
    Instant guardian_until;      // by the lower: a guardian's consent counts until then
    Instant guardian_ends_home;  // by the subject's own region: only this end purges
    Instant child_again_since;   // by the latest of all homes: a guardian's consent of before has ended for good
  };

  // What denies: has it passed by the latest that it can be? By time alone something may change at `at`.
  bool PassedAt(Instant at) {
    if (at > now_.latest) good_until_ = std::min(good_until_, at);
    return at <= now_.latest;
  }
  // What purges: has it surely passed? Both ends of "now" move on alike.
  bool SurelyPassedAt(Instant at) {
    if (!now_.earliest.IsSet()) return false;
    if (at > now_.earliest) {
      good_until_ = std::min(good_until_, std::max(now_.latest, now_.latest + (at - now_.earliest)));
    }
    return at <= now_.earliest;
  }

  // Whether the recording names that scope, registered or not: what was removed since still matches.
  bool Names(ScopeKind kind, const base::Bytes16& handle) const;
  bool IsStamp(Instant given) const { return given.IsSet() && given >= rules_.service_began_at; }
  CaptureTime TimeOfCapture();
  MergedRegime Merge() const;
  void MergeWith(Region region, bool surely, MergedRegime* merged) const;
  static void MergeWith(const Regime& regime, Instant opt_out_since, bool surely, MergedRegime* merged);
  Instant GrownFrom(const Age& age) const;
  void NameScopes();

  void Dispose();
  void FindNoes(Purpose purpose);

  void Holds();
  void HoldsOf(const SubjectFacts& record);
  void SafetyHold();
  void Tombstones();
  template <typename Fill>
  void Ordered(TombstoneState state, bool surely, const Fill& what);
  void TombstonesOf(const SubjectFacts& record);
  void ClosureOf(const SubjectFacts& record);
  void RetentionOf(const ScopeFacts& scope);
  void ChildInactivity(const Named& named);
  void FalseWake();
  void EndedCopies();
  void Facts();
  void NameMissingFacts();
  bool HidesRefusal(Purpose purpose) const;
  bool HidesRefusal(ScopeKind kind, Purpose purpose) const;
  void FlagsAndVoices();
  bool OneAdultNoChild();
  void Places();
  bool PlaceMissing(const Regime& regime) const;
  bool PlaceAllowedBy(const Regime& regime) const;
  void Caps(Purpose purpose);

  void AskPurpose(Purpose purpose);
  ReasonSet PurposeRows(Purpose purpose);
  ReasonSet GuardianRow(Purpose purpose);
  ReasonSet ChoiceRows(const Named& named, Purpose purpose, const SuspensionState& suspension);
  ReasonSet ConsentRow(const Named& named, const PurposeChoice& choice, Purpose purpose,
                       const SuspensionState& suspension);
  ReasonSet UnsetRow(const Named& named, Purpose purpose, const SuspensionState& suspension);
  ReasonSet DeviceRow(const Named& named, const PurposeChoice& choice, Purpose purpose) const;
  bool Needed(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension) const;
  Instant DefaultFrom(const ScopeFacts& scope, Purpose purpose) const;
  bool DefaultDenied(Purpose purpose) const;
  bool MayBeOver(const PurposeChoice& consent) const;
  bool LifetimeOver(const PurposeChoice& consent);
  bool ConsentEnded(const Named& named, const PurposeChoice& choice);
  bool ConsentSurelyEnded(const Named& named, const PurposeChoice& choice);
  bool EndedOnce(const Named& named, const PurposeChoice& choice) const;
  bool CopiesOwed(const PurposeChoice& choice) const;
  bool CapturedWhileRefused(const PurposeChoice& choice) const;
  bool HasConsentedForThePast(const PurposeChoice& choice) const;
  bool MayHaveRefused(const ScopeFacts& scope, Purpose purpose) const;
  bool CoversCapture(const PurposeChoice& consent) const;
  bool OnConsentAlone(Purpose purpose) const;
  SuspensionState Suspended(Purpose purpose) const;

  // Of an explanation alone (explain.cc).
  void SetSuspension(Purpose purpose, RowFact* fact) const;
  void NoteSuspensions(Purpose purpose) const;
  void NoteGrounds(Purpose purpose, Reason first) const;
  void SetUnset(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension, RowFact* fact) const;
  Instant EndOf(const Named& named, const PurposeChoice& consent) const;

  // When the record, or the whole store, was restored without what allowed more; unset: it was not.
  Instant RestoredAt() const {
    return subject_ != nullptr ? std::max(subject_->restored_at, rules_.restored_at) : rules_.restored_at;
  }
  bool Accidental() const { return recording_.wake == Wake::kAccidental || (flags_ & Flags::kAccidental) != 0; }
  bool ChildPresent() const {
    return recording_.age == SpeakerAge::kChildPresent || (flags_ & Flags::kChildPresent) != 0;
  }

  TraceT* const trace_;
  const SubjectFacts* subject_;
  const RecordingState& marks_;
  const RecordingFacts& recording_;
  const Question& question_;
  const Rules& rules_;
  const base::Now now_;
  const uint8_t flags_;
  const Region country_;  // of use; a code that nobody assigns is none
  Instant good_until_;
  CaptureTime when_;
  MergedRegime regime_;
  absl::InlinedVector<Named, 4> named_;  // the account first
  bool unregistered_scope_named_ = false;
  bool on_hold_ = false;
  ReasonSet disposition_;  // of the R rows
  ReasonSet eligibility_;  // of the E rows, those of E1 that are not the disposition's included
  MissingFactSet missing_;
};

}  // namespace consent::domain::internal
