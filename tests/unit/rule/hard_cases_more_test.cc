// The hard cases of the product's page that are decided from facts alone, by number, from 28 to 59. Those from 61 on:
// hard_cases_edges_test.cc.
#include <gtest/gtest.h>

#include "tests/unit/rule/scene.h"

namespace consent::model::hard_cases_more_test {
namespace {

using base::Hours;
using base::Microseconds;
using base::Seconds;
using domain::Artefact;
using domain::Flags;
using domain::Purpose;
using domain::TombstoneState;

constexpr Purpose kReview = Purpose::kHumanReview;

TEST(HardCases, Case28_AccountOnProfileOff) {
  EXPECT_EQ(Scene().Refuses("ann", kReview, Scene::Ago(50)).Answer(), "NOT_ELIGIBLE KEEP REFUSED");
  EXPECT_EQ(Scene().NeverChose("ann").Answer(), "NOT_ELIGIBLE KEEP PROFILE_WITHOUT_CONSENT");
  Scene opt_out;
  opt_out.LivesIn("US").NeverChose("ann");
  EXPECT_EQ(opt_out.Answer(), "ELIGIBLE KEEP DEFAULT") << "the weaker ground is the reason";
  Scene unnamed;
  unnamed.Refuses("ann", kReview, Scene::Ago(50)).NamesProfiles({});
  unnamed.facts.recording.identity = domain::Identity::kUnmatched;
  EXPECT_EQ(unnamed.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT SPEAKER_UNMATCHED") << "it may be the one who refused";
}

TEST(HardCases, Case29_DeviceOff) {
  EXPECT_EQ(Scene().Refuses("kitchen", kReview, Scene::Ago(50)).Answer(), "NOT_ELIGIBLE KEEP REFUSED");
  Scene scene;
  scene.Gives("kitchen", kReview, Scene::Ago(50)).Withdraws("", kReview, Scene::Ago(20));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP WITHDRAWN") << "a device's yes never helps";
  EXPECT_EQ(Scene().NobodyChose().Gives("kitchen", kReview, Scene::Ago(50)).Answer(),
            "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  Scene unnamed;
  unnamed.Refuses("kitchen", kReview, Scene::Ago(50)).facts.recording.device = {};
  EXPECT_EQ(unnamed.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT");

  // Off, on, off, on: of the first refusal, in which it was captured, the record says no more than that there was one
  // before the last.
  Scene twice;
  twice.Gives("kitchen", kReview, Scene::AgoHours(1)).facts.recording.device = {};
  twice.Scope("kitchen").ChoiceFor(kReview).refused_from = Scene::AgoHours(2);
  EXPECT_EQ(twice.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT");
  twice.Scope("kitchen").ChoiceFor(kReview).notice = Scene::kCoversPast;
  EXPECT_EQ(twice.Answer(), "ELIGIBLE KEEP CONSENT") << "it has agreed to the past since";
}

TEST(HardCases, Case30_GuestBesideTheOwner) {
  Scene scene;
  scene.facts.recording.speakers = domain::Speakers::kSeveral;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP SEVERAL_SPEAKERS");
  scene.Germany().allow_several_speakers = true;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP SEVERAL_SPEAKERS") << "no policy allows it where opt-in";
  scene.LivesIn("US");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP SEVERAL_SPEAKERS");
  scene.States().allow_several_speakers = true;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
}

TEST(HardCases, Case31_AccidentalWakeEverythingOn) {
  Scene scene;
  scene.facts.recording.wake = domain::Wake::kAccidental;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE ACCIDENTAL_EXPIRED ACCIDENTAL") << "opt-in: at once";
  scene.Captured(scene.facts.now);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP ACCIDENTAL");
  scene.LivesIn("US").Captured(Scene::Ago(30));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP ACCIDENTAL");
  scene.Captured(Scene::Ago(30) - Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE ACCIDENTAL_EXPIRED ACCIDENTAL") << "at its time-to-live";
}

TEST(HardCases, Case32_MessageWithMessagesOff) {
  Scene scene;
  scene.facts.recording.kind = domain::Kind::kMessage;
  scene.Gives("", Purpose::kFeatureDevelopment, Scene::Ago(100));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MESSAGES_NOT_ALLOWED");
  scene.Gives("", Purpose::kMessageTranscription, Scene::Ago(100))
      .Gives("ann", Purpose::kMessageTranscription, Scene::Ago(100));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Scope("").refused_controls.push_back({2, Scene::Ago(5)});
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MESSAGES_NOT_ALLOWED");
}

TEST(HardCases, Case33_ReportedAsCritical) {
  Scene scene;
  scene.facts.recording.flags = Flags::kCriticalData;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CRITICAL_DATA");
  scene.facts.marks.flags = Flags::kCriticalData;
  scene.facts.recording.flags = 0;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CRITICAL_DATA") << "the next caller's line omits the flag";
  scene.facts.recording.flags = Flags::kSafety;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CRITICAL_DATA SAFETY");
}

TEST(HardCases, Case34_PurposeSuspendedAndLifted) {
  EXPECT_EQ(Scene().Suspend(kReview, Scene::Ago(1)).Answer(), "NOT_ELIGIBLE KEEP SUSPENDED");
  EXPECT_EQ(Scene().Suspend(Purpose::kModelTraining, Scene::Ago(1)).Answer(), "ELIGIBLE KEEP CONSENT");
  Scene lifted;
  lifted.Suspend(kReview, Scene::Ago(30), Scene::Ago(20));
  EXPECT_EQ(lifted.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT") << "only choices made since count";
  lifted.Gives("", kReview, Scene::Ago(20)).Gives("ann", kReview, Scene::Ago(20));
  EXPECT_EQ(lifted.Answer(), "ELIGIBLE KEEP CONSENT");
  Scene by_default;
  by_default.LivesIn("US").NobodyChose().Suspend(kReview, Scene::Ago(30), Scene::Ago(20));
  EXPECT_EQ(by_default.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT")
      << "no falling back to a default";
  Scene elsewhere;
  elsewhere.Suspend(kReview, Scene::Ago(1)).facts.rules.suspensions[0].region = RegionOf("FR");
  EXPECT_EQ(elsewhere.Answer(), "ELIGIBLE KEEP CONSENT");
}

TEST(HardCases, Case35_EmployeesOnly) {
  Scene scene;
  scene.Germany().contractors = false;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.facts.place.reviewer_class = domain::ReviewerClass::kContractor;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP REVIEWER_NOT_ALLOWED");
  scene.facts.place.reviewer_class = domain::ReviewerClass::kMissing;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT");
}

// A code that ISO 3166-1 does not assign, and the policy does not name, is no place, also where every country is one.
TEST(HardCases, Case69_ACountryThatIsNoneIsAMissingFact) {
  for (const char* code : {"UK", "EL", "ZZ", "XK", "QQ"}) {
    Scene scene;
    scene.Germany().countries.any = true;
    scene.facts.place.country = RegionOf(code);
    EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << code;
    scene.Germany().countries = {false, {RegionOf("DE")}};
    EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << code;
  }
  Scene named;
  named.Germany().countries = {false, {RegionOf("XK")}};
  named.facts.place.country = RegionOf("XK");
  EXPECT_EQ(named.Answer(), "ELIGIBLE KEEP CONSENT");
}

// E6: who was removed since may have spoken.
TEST(HardCases, NotIdentifiedInAHouseholdThatSomebodyLeft) {
  for (const int left_days_ago : {0, 1, 2}) {
    Scene scene;
    scene.Germany().allow_unidentified_single_adult = true;
    scene.NamesProfiles({}).facts.recording.identity = domain::Identity::kNotRun;
    EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
    scene.AddProfile("ben");
    scene.Scope("ben").registered = false;
    scene.Scope("ben").default_from = Scene::Ago(left_days_ago);
    EXPECT_EQ(scene.Answer(), left_days_ago < 2 ? "NOT_ELIGIBLE KEEP SPEAKER_NOT_IDENTIFIED" : "ELIGIBLE KEEP CONSENT")
        << left_days_ago;
  }
}

TEST(HardCases, Case36_MovedFromTheStatesToGermany) {
  Scene scene;
  scene.LivesIn("US").NobodyChose();
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT");
  scene.LivesIn("DE");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  scene.LivesIn("US");
  scene.facts.recording.has_region = true;
  scene.facts.recording.region = RegionOf("DE");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT") << "captured on a journey";
}

TEST(HardCases, Case40_LateUploadInsideADeletedRange) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified, Scene::Ago(10), Scene::Ago(5)).Captured(Scene::Ago(7));
  scene.facts.recording.ingested_at = Scene::AgoHours(1);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
  // The device's clock ran an hour fast: it says half an hour after the end of the range, and knows its clock by an
  // hour.
  scene.Captured(Scene::Ago(5) + Seconds(1800));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Uncertain(Hours(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
  // Or the server had it before the range ended: it cannot have been captured after.
  scene.Uncertain(Hours(1)).Captured(Scene::Ago(5) + Seconds(3599)).facts.recording.ingested_at = Scene::Ago(5);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
}

TEST(HardCases, Case41_CapturedAfterDeleteEverything) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified, {}, Scene::Ago(2));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Captured(Scene::Ago(2));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED") << "both ends belong to it";
}

TEST(HardCases, Case42_UnverifiedDeletion) {
  EXPECT_EQ(Scene().Delete(TombstoneState::kPending).Answer(), "NOT_ELIGIBLE KEEP DELETION_PENDING");
  Scene of_one;
  of_one.facts.marks.has_tombstone = true;
  EXPECT_EQ(of_one.Answer(), "NOT_ELIGIBLE KEEP DELETION_PENDING");
}

TEST(HardCases, Case46_AccountClosed) {
  Scene scene;
  scene.facts.subject.closed_at = Scene::AgoHours(1);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE ACCOUNT_CLOSED");
  scene.Captured({});
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "PURGE ACCOUNT_CLOSED") << "whenever it was captured";
}

TEST(HardCases, Case48_DeniedDeletion) {
  EXPECT_EQ(Scene().Delete(TombstoneState::kDenied).Answer(), "NOT_ELIGIBLE KEEP DELETION_DENIED");
}

TEST(HardCases, Case53_DefaultUserOptsOutSourceAndReviewCopy) {
  Scene scene;
  scene.LivesIn("US").NobodyChose().Refuses("", kReview, Scene::AgoHours(1)).AsksDispositionOnly();
  EXPECT_EQ(scene.Answer(), "KEEP") << "the audio store asks about the source";
  scene.Copy(Artefact::kReviewCopy, kReview);
  EXPECT_EQ(scene.Answer(), "PURGE PURPOSE_ENDED") << "the vendor asks about its copy";
  scene.Copy(Artefact::kFeature, Purpose::kPersonalisation);
  EXPECT_EQ(scene.Answer(), "KEEP") << "a copy for another purpose";
}

TEST(HardCases, Case54_ConsentOlderThanItsNoticesLifetime) {
  Scene scene;
  scene.LivesIn("US").NobodyChose().Gives("", kReview, base::AddMonths(scene.facts.now, -12) + Microseconds(1),
                                          Scene::kOneYear);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT") << "ann, who is named, never chose";
  scene.Gives("", kReview, base::AddMonths(scene.facts.now, -12), Scene::kOneYear);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
  scene.Copy(Artefact::kTranscript, kReview);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE PURPOSE_ENDED CONSENT_EXPIRED");
}

TEST(HardCases, Case55_PurposeAddedAfterOptOutOfAll) {
  Scene scene;
  scene.LivesIn("US").NobodyChose().Asks(Purpose::kAdvertising);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT");
  scene.Scope("").refused_all_since = Scene::Ago(200);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP REFUSED");
  Scene by_control;
  by_control.LivesIn("US").NobodyChose().Scope("").refused_controls.push_back({1, Scene::Ago(200)});
  by_control.Asks(Purpose::kPersonalisation);
  EXPECT_EQ(by_control.Answer(), "ELIGIBLE KEEP DEFAULT");
  by_control.facts.rules.controls[0].purposes.Add(Purpose::kPersonalisation);
  EXPECT_EQ(by_control.Answer(), "NOT_ELIGIBLE KEEP REFUSED");
}

TEST(HardCases, Case56_NoticeThatDoesNotSayThatPeopleListen) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(100), Scene::kSilentOnPeople);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NOTICE_SILENT_ON_PEOPLE");
  Scene machines;
  machines.Asks(Purpose::kModelTraining).Gives("", Purpose::kModelTraining, Scene::Ago(100), Scene::kSilentOnPeople);
  machines.Gives("ann", Purpose::kModelTraining, Scene::Ago(100), Scene::kSilentOnPeople);
  EXPECT_EQ(machines.Answer(), "ELIGIBLE KEEP CONSENT");
}

TEST(HardCases, Case57_LooseningReachesOnlyLaterCaptures) {
  // Germany → US: the default applies from the change on.
  Scene moved;
  moved.LivesIn("US").NobodyChose().facts.subject.default_from = Scene::Ago(3);
  EXPECT_EQ(moved.Answer(), "ELIGIBLE KEEP DEFAULT");
  moved.Captured(Scene::Ago(3) - Microseconds(1));
  EXPECT_EQ(moved.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  // What Germany does not allow stays so for what was captured until then, be it about a place, a voice or a
  // suspension.
  const auto laxer = [](int captured) {
    Scene scene;
    scene.LivesIn("US").facts.subject.former_regions.push_back({RegionOf("DE"), Scene::Ago(3)});
    scene.Gives("", kReview, Scene::Ago(2), Scene::kCoversPast)
        .Gives("ann", kReview, Scene::Ago(2), Scene::kCoversPast);
    scene.Captured(Scene::Ago(captured)).Uncertain(domain::Span{});
    return scene;
  };
  for (const bool later : {true, false}) {
    const int captured = later ? 2 : 3;
    Scene place = laxer(captured);
    place.Germany().employees = false;
    EXPECT_EQ(place.Answer(), later ? "ELIGIBLE KEEP CONSENT" : "NOT_ELIGIBLE KEEP REVIEWER_NOT_ALLOWED");
    Scene voices = laxer(captured);
    voices.States().allow_several_speakers = true;
    voices.facts.recording.speakers = domain::Speakers::kSeveral;
    EXPECT_EQ(voices.Answer(), later ? "ELIGIBLE KEEP CONSENT" : "NOT_ELIGIBLE KEEP SEVERAL_SPEAKERS");
    Scene suspended = laxer(captured);
    suspended.Suspend(kReview, Scene::Ago(100));
    suspended.facts.rules.suspensions[0].region = RegionOf("DE");
    EXPECT_EQ(suspended.Answer(), later ? "ELIGIBLE KEEP CONSENT" : "NOT_ELIGIBLE KEEP SUSPENDED");
    Scene wake = laxer(captured);
    wake.facts.recording.wake = domain::Wake::kAccidental;
    // At the border it is kept: nobody is sure that it was captured before the move.
    EXPECT_EQ(wake.Answer(), "NOT_ELIGIBLE KEEP ACCIDENTAL");
  }
  // Of what the record has folded into one nobody knows what it allowed.
  Scene several = laxer(4);
  several.facts.subject.former_regions[0] = {{}, Scene::Ago(3), true};
  EXPECT_EQ(several.Answer(), "NOT_ELIGIBLE KEEP PLACE_NOT_ALLOWED REVIEWER_NOT_ALLOWED");
  several.Captured(Scene::Ago(2));
  EXPECT_EQ(several.Answer(), "ELIGIBLE KEEP CONSENT");
  Scene wake = laxer(4);
  wake.facts.recording.wake = domain::Wake::kAccidental;
  EXPECT_EQ(wake.Answer(), "NOT_ELIGIBLE PURGE ACCIDENTAL_EXPIRED ACCIDENTAL")
      << "it had to go at once, and no move brings it back";
  // Child → adult: what the child said stays the child's, and its guardian's consent has ended.
  Scene grown;
  grown.Scope("ann").age = {domain::AgeKind::kAdult, {}, Scene::Ago(3)};
  grown.Gives("ann", kReview, Scene::Ago(2));
  EXPECT_EQ(grown.Answer(), "ELIGIBLE KEEP CONSENT");
  grown.Captured(Scene::Ago(3) - Microseconds(1));
  EXPECT_EQ(grown.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CAPTURED_BEFORE_CONSENT");
  grown.Captured(Scene::Ago(1)).GuardianGives("ann", kReview, Scene::Ago(100));
  EXPECT_EQ(grown.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
}

TEST(HardCases, Case59_SupersededNotice) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(100), Scene::kSuperseded);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NOTICE_SUPERSEDED");
  scene.Copy(Artefact::kAnnotation, kReview);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP NOTICE_SUPERSEDED") << "no copy is purged for that";
  scene.Gives("", kReview, Scene::Ago(1));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << "renewed";
}

}  // namespace
}  // namespace consent::model::hard_cases_more_test
