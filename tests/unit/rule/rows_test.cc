// Each row of the table by itself: the plainest scene in which its reason applies, and no other reason where that can
// be.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/reason_name.h"
#include "tests/unit/rule/scene.h"

namespace consent::model::rows_test {
namespace {

using domain::Purpose;
using domain::Reason;
using domain::TombstoneState;

constexpr Purpose kReview = Purpose::kHumanReview;

struct Row {
  const char* row;
  Reason first;        // what FirstReason says
  const char* answer;  // everything
  void (*change)(Scene&);
};

void Child(Scene& s) {
  s.Scope("ann").age = {domain::AgeKind::kChild, {}, {}};
  s.GuardianGives("ann", kReview, Scene::Ago(100));
}

const Row kDispositionRows[] = {
    {"R1", Reason::kLegalHold, "HOLD LEGAL_HOLD", [](Scene& s) { s.Hold(); }},
    {"R1", Reason::kSafetyHold, "HOLD SAFETY_HOLD", [](Scene& s) { s.ReportsSafety(Scene::Ago(2)); }},
    {"R2", Reason::kDeleted, "PURGE DELETED", [](Scene& s) { s.Delete(TombstoneState::kVerified); }},
    {"R2", Reason::kAccountClosed, "PURGE ACCOUNT_CLOSED", [](Scene& s) { s.facts.subject.closed_at = Scene::Ago(1); }},
    {"R3", Reason::kDoNotSave, "PURGE DO_NOT_SAVE",
     [](Scene& s) {
       s.Keeps({domain::RetentionKind::kDoNotSave, 0});
     }},
    {"R3", Reason::kRetentionExpired, "PURGE RETENTION_EXPIRED",
     [](Scene& s) { s.Scope("").purge_floor = Scene::Ago(1); }},
    {"R3", Reason::kChildInactive, "PURGE CHILD_INACTIVE",
     [](Scene& s) {
       Child(s);
       s.Scope("ann").last_active = Scene::Ago(900);
       s.Scope("ann").inactivity_notice = Scene::Ago(70);
     }},
    {"R4", Reason::kAccidentalExpired, "PURGE ACCIDENTAL_EXPIRED",
     [](Scene& s) { s.facts.recording.wake = domain::Wake::kAccidental; }},
    {"R5", Reason::kPurposeEnded, "PURGE PURPOSE_ENDED",
     [](Scene& s) {
       s.Copy(domain::Artefact::kTranscript, Purpose::kAdvertising)
           .Refuses("ann", Purpose::kAdvertising, Scene::Ago(1));
     }},
    {"R6", Reason::kNone, "KEEP", [](Scene&) {}},
};

const Row kEarlyRows[] = {
    {"E0", Reason::kClockDoubtful, "NOT_ELIGIBLE KEEP CLOCK_DOUBTFUL", [](Scene& s) { s.facts.doubtful = true; }},
    {"E0", Reason::kRestored, "NOT_ELIGIBLE KEEP RESTORED",
     [](Scene& s) { s.facts.subject.restored_at = Scene::Ago(1); }},
    {"E0", Reason::kRestored, "NOT_ELIGIBLE KEEP RESTORED",
     [](Scene& s) { s.facts.rules.restored_at = Scene::Ago(1); }},
    {"E0", Reason::kUnknownSubject, "NOT_ELIGIBLE KEEP UNKNOWN_SUBJECT", [](Scene& s) { s.facts.known = false; }},
    {"E0", Reason::kMissingFact, "NOT_ELIGIBLE KEEP MISSING_FACT",
     [](Scene& s) { s.facts.recording.kind = domain::Kind::kMissing; }},
    {"E0", Reason::kInvalidTime, "NOT_ELIGIBLE KEEP INVALID_TIME", [](Scene& s) { s.Captured(Scene::Ago(-1)); }},
    {"E1", Reason::kLegalHold, "NOT_ELIGIBLE HOLD LEGAL_HOLD", [](Scene& s) { s.Hold(); }},
    {"E1", Reason::kSafetyHold, "NOT_ELIGIBLE HOLD SAFETY_HOLD SAFETY",
     [](Scene& s) { s.ReportsSafety(Scene::Ago(2)); }},
    {"E1", Reason::kDeleted, "NOT_ELIGIBLE PURGE DELETED", [](Scene& s) { s.Delete(TombstoneState::kVerified); }},
    {"E1", Reason::kAccountClosed, "NOT_ELIGIBLE PURGE ACCOUNT_CLOSED",
     [](Scene& s) { s.facts.subject.closed_at = Scene::Ago(1); }},
    {"E1", Reason::kDoNotSave, "NOT_ELIGIBLE PURGE DO_NOT_SAVE",
     [](Scene& s) {
       s.Keeps({domain::RetentionKind::kDoNotSave, 0});
     }},
    {"E1", Reason::kRetentionExpired, "NOT_ELIGIBLE KEEP RETENTION_EXPIRED",
     [](Scene& s) { s.Uncertain(base::Seconds(1)).Scope("").purge_floor = Scene::Ago(1); }},
    {"E1", Reason::kChildInactive, "NOT_ELIGIBLE KEEP CHILD_INACTIVE",
     [](Scene& s) {
       Child(s);
       s.Scope("ann").last_active = Scene::Ago(900);
     }},
    {"E1", Reason::kPurposeEnded, "NOT_ELIGIBLE PURGE PURPOSE_ENDED",
     [](Scene& s) {
       s.Copy(domain::Artefact::kTranscript, Purpose::kAdvertising)
           .Refuses("ann", Purpose::kAdvertising, Scene::Ago(1));
     }},
    // A false wake is not eligible for being one, so ACCIDENTAL is always beside it.
    {"E1", Reason::kAccidentalExpired, "NOT_ELIGIBLE PURGE ACCIDENTAL_EXPIRED ACCIDENTAL",
     [](Scene& s) { s.facts.recording.flags = domain::Flags::kAccidental; }},
    {"E1", Reason::kDeletionPending, "NOT_ELIGIBLE KEEP DELETION_PENDING",
     [](Scene& s) { s.Delete(TombstoneState::kPending); }},
    {"E1", Reason::kDeletionDenied, "NOT_ELIGIBLE KEEP DELETION_DENIED",
     [](Scene& s) { s.Delete(TombstoneState::kDenied); }},
    {"E2", Reason::kSuspended, "NOT_ELIGIBLE KEEP SUSPENDED", [](Scene& s) { s.Suspend(kReview, Scene::Ago(1)); }},
    {"E3", Reason::kCriticalData, "NOT_ELIGIBLE KEEP CRITICAL_DATA",
     [](Scene& s) { s.facts.marks.flags = domain::Flags::kCriticalData; }},
    {"E3", Reason::kSafety, "NOT_ELIGIBLE KEEP SAFETY",
     [](Scene& s) { s.facts.recording.flags = domain::Flags::kSafety; }},
    {"E4", Reason::kChildWithoutGuardian, "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN",
     [](Scene& s) { s.facts.recording.age = domain::SpeakerAge::kChildPresent; }},
    {"E5", Reason::kAccidental, "NOT_ELIGIBLE KEEP ACCIDENTAL",
     [](Scene& s) { s.LivesIn("US").facts.recording.wake = domain::Wake::kAccidental; }},
    {"E6", Reason::kSeveralSpeakers, "NOT_ELIGIBLE KEEP SEVERAL_SPEAKERS",
     [](Scene& s) { s.facts.recording.speakers = domain::Speakers::kSeveral; }},
    {"E6", Reason::kSpeakerUnmatched, "NOT_ELIGIBLE KEEP SPEAKER_UNMATCHED",
     [](Scene& s) { s.facts.recording.identity = domain::Identity::kUnmatched; }},
    {"E6", Reason::kSpeakerNotIdentified, "NOT_ELIGIBLE KEEP SPEAKER_NOT_IDENTIFIED",
     [](Scene& s) { s.facts.recording.identity = domain::Identity::kNotRun; }},
    {"E7", Reason::kMessagesNotAllowed, "NOT_ELIGIBLE KEEP MESSAGES_NOT_ALLOWED",
     [](Scene& s) { s.facts.recording.kind = domain::Kind::kMessage; }},
};

const Row kLateRows[] = {
    {"E8", Reason::kRefused, "NOT_ELIGIBLE KEEP REFUSED", [](Scene& s) { s.Refuses("", kReview, Scene::Ago(2)); }},
    {"E8", Reason::kWithdrawn, "NOT_ELIGIBLE KEEP WITHDRAWN",
     [](Scene& s) { s.Withdraws("ann", kReview, Scene::Ago(2)); }},
    // What was captured while refused was captured before the consent that followed.
    {"E8", Reason::kCapturedWhileRefused, "NOT_ELIGIBLE KEEP CAPTURED_WHILE_REFUSED CAPTURED_BEFORE_CONSENT",
     [](Scene& s) {
       s.LivesIn("US").Refuses("kitchen", kReview, Scene::Ago(2)).Gives("kitchen", kReview, Scene::AgoHours(1));
     }},
    {"E9", Reason::kNoConsent, "NOT_ELIGIBLE KEEP NO_CONSENT", [](Scene& s) { s.NeverChose(""); }},
    {"E9", Reason::kConsentExpired, "NOT_ELIGIBLE KEEP CONSENT_EXPIRED",
     [](Scene& s) { s.Gives("", kReview, Scene::Ago(400), Scene::kOneYear); }},
    {"E9", Reason::kNoticeSuperseded, "NOT_ELIGIBLE KEEP NOTICE_SUPERSEDED",
     [](Scene& s) { s.Gives("", kReview, Scene::Ago(100), Scene::kSuperseded); }},
    {"E9", Reason::kCapturedBeforeConsent, "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT",
     [](Scene& s) { s.Gives("", kReview, Scene::AgoHours(1)); }},
    {"E9", Reason::kProfileWithoutConsent, "NOT_ELIGIBLE KEEP PROFILE_WITHOUT_CONSENT",
     [](Scene& s) { s.NeverChose("ann"); }},
    {"E9", Reason::kNoticeSilentOnPeople, "NOT_ELIGIBLE KEEP NOTICE_SILENT_ON_PEOPLE",
     [](Scene& s) { s.Gives("", kReview, Scene::Ago(100), Scene::kSilentOnPeople); }},
    {"E10", Reason::kPlaceNotAllowed, "NOT_ELIGIBLE KEEP PLACE_NOT_ALLOWED",
     [](Scene& s) { s.Germany().countries.any = false; }},
    {"E10", Reason::kPlaceNotAllowed, "NOT_ELIGIBLE KEEP PLACE_NOT_ALLOWED",
     [](Scene& s) {
       s.Germany().any_site = false;
       s.facts.place.site = "mumbai";
     }},
    {"E10", Reason::kReviewerNotAllowed, "NOT_ELIGIBLE KEEP REVIEWER_NOT_ALLOWED",
     [](Scene& s) { s.Germany().employees = false; }},
    {"E11", Reason::kCapSpent, "NOT_ELIGIBLE KEEP CAP_SPENT",
     [](Scene& s) { s.AsksForGrant().Given(domain::CapKind::kDay) = 10; }},
    {"E12", Reason::kConsent, "ELIGIBLE KEEP CONSENT", [](Scene&) {}},
    {"E12", Reason::kDefault, "ELIGIBLE KEEP DEFAULT", [](Scene& s) { s.LivesIn("US").NobodyChose(); }},
};

std::set<Reason> Check(const Row* begin, const Row* end, bool asked) {
  std::set<Reason> seen;
  for (const Row* row = begin; row != end; ++row) {
    Scene scene;
    if (!asked) scene.AsksDispositionOnly();
    row->change(scene);
    EXPECT_EQ(scene.Answer(), row->answer) << row->row;
    EXPECT_EQ(AnswerOfRule(scene.facts).FirstReason(), row->first) << row->row;
    seen.insert(row->first);
  }
  return seen;
}

TEST(Rows, EachRowByItself) {
  const std::set<Reason> disposition = Check(std::begin(kDispositionRows), std::end(kDispositionRows), false);
  std::set<Reason> eligibility = Check(std::begin(kEarlyRows), std::end(kEarlyRows), true);
  eligibility.merge(Check(std::begin(kLateRows), std::end(kLateRows), true));
  for (int number = 1; number < domain::kReasons; ++number) {
    if (!domain::IsOfRule(static_cast<Reason>(number))) continue;
    const auto reason = static_cast<Reason>(number);
    EXPECT_EQ(eligibility.count(reason), 1U) << test::ReasonName(reason) << " has no row of its own here";
    const bool of_the_disposition = reason <= Reason::kPurposeEnded || reason == Reason::kSafetyHold;
    EXPECT_EQ(disposition.count(reason), of_the_disposition ? 1U : 0U) << test::ReasonName(reason);
  }
}

// US: of age at 13, so a guardian's consent has ended at 14; a capture in Germany, where one is a child until 16,
// revives nothing.
TEST(Rows, AGuardiansConsentEndsWhereTheChildLives) {
  const auto born = base::Date{static_cast<int32_t>(Scene::Ago(14 * 366).micros / base::Days(1).micros)};
  Scene scene;
  scene.LivesIn("US").AddProfile("tim", {domain::AgeKind::kBorn, born, {}}).NamesProfiles({"tim"});
  scene.GuardianGives("tim", kReview, Scene::Ago(600));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
  scene.facts.recording.has_region = true;
  scene.facts.recording.region = RegionOf("DE");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED");
  Scene german;
  german.AddProfile("tim", {domain::AgeKind::kBorn, born, {}})
      .NamesProfiles({"tim"})
      .GuardianGives("tim", kReview, Scene::Ago(600));
  EXPECT_EQ(german.Answer(), "ELIGIBLE KEEP CONSENT");
  german.facts.recording.has_region = true;
  german.facts.recording.region = RegionOf("US");
  EXPECT_EQ(german.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED")
      << "nobody answers for who is of age there";
}

// A policy's change of the age of consent: lowered it ends what guardians gave, and makes adults for later captures
// only; raised again it brings nothing back.
TEST(Rows, AChangedAgeOfConsentLoosensNothingThatWas) {
  const auto born = base::Date{static_cast<int32_t>(Scene::Ago(14 * 366).micros / base::Days(1).micros)};
  const auto tim = [&] {
    Scene scene;
    scene.AddProfile("tim", {domain::AgeKind::kBorn, born, {}})
        .NamesProfiles({"tim"})
        .GuardianGives("tim", kReview, Scene::Ago(600));
    return scene;
  };
  Scene lowered = tim();
  lowered.facts.rules.ages_of_consent[RegionOf("DE")].ChangeTo(13, Scene::Ago(30));
  EXPECT_EQ(lowered.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
  Scene raised = lowered;
  raised.facts.rules.ages_of_consent[RegionOf("DE")].ChangeTo(16, Scene::Ago(10));
  EXPECT_EQ(raised.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED") << "ended stays ended";
  raised.GuardianGives("tim", kReview, Scene::Ago(5));
  EXPECT_EQ(raised.Answer(), "ELIGIBLE KEEP CONSENT") << "and can be given anew";
  Scene own = lowered;
  own.Gives("tim", kReview, Scene::Ago(20));
  EXPECT_EQ(own.Answer(), "ELIGIBLE KEEP CONSENT");
  own.Gives("tim", kReview, Scene::Ago(20), Scene::kCoversPast).Captured(Scene::Ago(31));
  EXPECT_EQ(own.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "a child when it was captured";
}

TEST(Rows, ARemovedScopesRefusalCountsWheneverCaptured) {
  Scene scene;
  scene.AddProfile("bob").Refuses("bob", kReview, Scene::Ago(50));
  scene.NamesProfiles({}).facts.recording.identity = domain::Identity::kNotRun;
  scene.Germany().allow_unidentified_single_adult = true;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT SPEAKER_NOT_IDENTIFIED");
  scene.Scope("bob").registered = false;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << "named by a restriction only";
  scene.Scope("bob").default_from = Scene::Ago(3);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT")
      << "gone before the capture, as far as this daemon was told";
  scene.Captured(Scene::Ago(3) - base::Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT SPEAKER_NOT_IDENTIFIED")
      << "it may be bob's voice, and he was in the household";
}

TEST(Rows, ADefaultDoesNotReachBackBeforeItsPurposeWasInUse) {
  Scene scene;
  scene.LivesIn("US").NobodyChose();
  scene.facts.rules.in_use_since[static_cast<size_t>(kReview) - 1] = Scene::Ago(3);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT");
  scene.Captured(Scene::Ago(3) - base::Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  scene.facts.rules.in_use_since[static_cast<size_t>(kReview) - 1] = {};
  scene.facts.rules.in_use_since[static_cast<size_t>(Purpose::kModelTraining) - 1] = Scene::Ago(1);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT") << "another purpose's beginning is its own matter";
}

// No such number comes through the wire; a caller that links the rule may still pass one.
TEST(Rows, ANumberThatIsNoPurposeIsAMissingFact) {
  for (const int number : {8, 100, 255}) {
    Scene scene;
    scene.facts.recording.kind = domain::Kind::kMessage;
    scene.Copy(domain::Artefact::kFeature, static_cast<Purpose>(number));
    const domain::Question question{scene.facts.recording, static_cast<Purpose>(number), scene.facts.place,
                                    NowOf(scene.facts)};
    const domain::Decision decision = domain::Decide(&scene.facts.subject, {}, question, scene.facts.rules);
    EXPECT_EQ(decision.eligibility, domain::Eligibility::kNotEligible) << number;
    EXPECT_EQ(decision.disposition, domain::Disposition::kKeep) << number;
    EXPECT_EQ(decision.FirstReason(), Reason::kMissingFact) << number;
  }
}

TEST(Rows, TheFirstMatchingRowExplainsAndTheOthersAreReportedToo) {
  Scene scene;
  scene.Hold().Delete(TombstoneState::kVerified).Keeps({domain::RetentionKind::kDoNotSave, 0});
  scene.Copy(domain::Artefact::kTranscript, kReview).Withdraws("", kReview, Scene::Ago(2));
  scene.facts.recording.wake = domain::Wake::kAccidental;
  scene.facts.recording.speakers = domain::Speakers::kMissing;
  EXPECT_EQ(scene.Answer(),
            "NOT_ELIGIBLE HOLD LEGAL_HOLD DELETED DO_NOT_SAVE ACCIDENTAL_EXPIRED PURPOSE_ENDED MISSING_FACT ACCIDENTAL "
            "WITHDRAWN");
  EXPECT_EQ(AnswerOfRule(scene.facts).FirstReason(), Reason::kLegalHold) << "the first of the full list";
  scene.AsksDispositionOnly();
  EXPECT_EQ(AnswerOfRule(scene.facts).FirstReason(), Reason::kLegalHold);
}

TEST(Rows, WithoutATimeNothingIsPurgedForItsTimeAndNothingIsEligible) {
  Scene scene;
  scene.Captured({}).Delete(TombstoneState::kVerified, Scene::Ago(30), Scene::Ago(20));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT DELETED");
  scene.facts.subject.tombstones.clear();
  scene.Keeps({domain::RetentionKind::kMonths, 120}).facts.recording.wake = domain::Wake::kAccidental;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT RETENTION_EXPIRED ACCIDENTAL");
  scene.Hold(Scene::Ago(30), Scene::Ago(20));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD MISSING_FACT RETENTION_EXPIRED ACCIDENTAL");
}

}  // namespace
}  // namespace consent::model::rows_test
