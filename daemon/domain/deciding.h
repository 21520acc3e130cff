// One decision in the making: the class behind Decide, in two files. decide.cc holds the rows about the recording,
// decide_purpose.cc those that ask one purpose of every named scope (E2, E4, E8, E9). Private to this folder.
#pragma once

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"

namespace consent::domain::internal {

// The interval in which the capture surely lies.
struct CaptureTime {
  bool known = false;
  bool invalid = false;
  Instant lo;
  Instant hi;
};

// The regimes of the subject's and the capture's region, the stricter value of each field.
struct MergedRegime {
  const Regime* first = nullptr;
  const Regime* second = nullptr;  // nullptr: the same as first
  bool opt_in = true;
  Instant opt_out_since;
  Span false_wake_ttl;
  bool allow_several = false;
  bool allow_unmatched = false;
  bool allow_unidentified = false;
  int child_inactive_months = 1;
  Span child_notice_period;
  const AgeOfConsent* at_home = nullptr;     // a guardian may consent only below it
  const AgeOfConsent* at_capture = nullptr;  // nullptr: the same, or no region was named
};

// One decision in the making. Each member function is a row or a group of rows of the table.
class Deciding {
 public:
  Deciding(const SubjectFacts* subject, const RecordingMarks& marks, const Question& question, const Rules& rules);
  Decision Run();

 private:
  struct Named {
    const ScopeFacts* scope;
    bool is_profile;
    bool is_child_now;
    Instant adult_from;
    Instant guardian_until;  // a guardian's consent ends here, which is not after adult_from
    Instant guardian_since;  // and counts if it was given since then
  };

  // By time alone something may change at `at`.
  void TurnsAt(Instant at) {
    if (at > now_) good_until_ = std::min(good_until_, at);
  }
  bool PassedAt(Instant at) {
    TurnsAt(at);
    return at <= now_;
  }

  // Whether the recording names that scope, registered or not: what was removed since still matches.
  bool Names(ScopeKind kind, const base::Bytes16& handle) const;
  CaptureTime TimeOfCapture();
  MergedRegime Merge() const;
  Instant GrownFrom(const Age& age) const;
  void NameScopes();

  void Holds();
  void Tombstones();
  void RetentionOf(const ScopeFacts& scope);
  void ChildInactivity(const Named& named);
  void FalseWake();
  void EndedCopies();
  void Facts();
  void MissingScopes();
  void FlagsAndVoices();
  bool OneAdultNoChild();
  void Places();
  bool PlaceAllowedBy(const Regime& regime) const;

  void AskPurpose(Purpose purpose);
  ReasonSet PurposeRows(Purpose purpose);
  ReasonSet GuardianRow(Purpose purpose);
  ReasonSet ChoiceRows(const Named& named, Purpose purpose, const SuspensionState& suspension);
  ReasonSet ConsentRow(const Named& named, const PurposeChoice& choice, Purpose purpose, const SuspensionState& suspension);
  ReasonSet UnsetRow(const Named& named, Purpose purpose, const SuspensionState& suspension);
  ReasonSet DeviceRow(const PurposeChoice& choice) const;
  bool Needed(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension) const;
  bool LifetimeOver(const PurposeChoice& consent);
  bool ConsentEnded(const Named& named, const PurposeChoice& choice);
  bool HouseholdCovered(Purpose purpose, const SuspensionState& suspension);
  SuspensionState Suspended(Purpose purpose) const;

  bool Accidental() const { return recording_.wake == Wake::kAccidental || (flags_ & Flags::kAccidental) != 0; }
  bool ChildPresent() const { return recording_.age == SpeakerAge::kChildPresent || (flags_ & Flags::kChildPresent) != 0; }

  const SubjectFacts* subject_;
  const RecordingMarks& marks_;
  const RecordingFacts& recording_;
  const Question& question_;
  const Rules& rules_;
  const Instant now_;
  const uint8_t flags_;
  Instant good_until_;
  CaptureTime when_;
  MergedRegime regime_;
  absl::InlinedVector<Named, 4> named_;  // the account first
  bool unregistered_scope_named_ = false;
  bool on_hold_ = false;
  ReasonSet disposition_;    // of the R rows
  ReasonSet eligibility_;    // of the E rows, those of E1 that are not the disposition's included
};

}  // namespace consent::domain::internal
