// The hard cases of the product's page that are decided from facts alone, by number. The others need a store, a clock
// or a network and are tested where those are. Cases 28 and later: hard_cases_more_test.cc.
#include <gtest/gtest.h>

#include "tests/unit/rule/scene.h"

namespace consent::model::hard_cases_test {
namespace {

using base::Days;
using base::Hours;
using base::Microseconds;
using base::Seconds;
using domain::Purpose;
using domain::RetentionKind;
using domain::TombstoneState;

constexpr Purpose kReview = Purpose::kHumanReview;

TEST(HardCases, Case01_OptInAdultValidWakeCurrentNotice) { EXPECT_EQ(Scene().Answer(), "ELIGIBLE KEEP CONSENT"); }

TEST(HardCases, Case02_UnknownSubject) {
  Scene scene;
  scene.facts.known = false;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP UNKNOWN_SUBJECT");
  Scene only_restricted;
  only_restricted.facts.subject.registered = false;
  EXPECT_EQ(only_restricted.Answer(), "NOT_ELIGIBLE KEEP UNKNOWN_SUBJECT");
}

TEST(HardCases, Case03_NothingChosenWhereOptIn) {
  EXPECT_EQ(Scene().NobodyChose().Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  EXPECT_EQ(Scene().NeverChose("").Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT");
}

TEST(HardCases, Case04_NothingChosenWhereOptOut) {
  EXPECT_EQ(Scene().LivesIn("US").NobodyChose().Answer(), "ELIGIBLE KEEP DEFAULT");
  EXPECT_EQ(Scene().LivesIn("US-TX").NobodyChose().Answer(), "ELIGIBLE KEEP DEFAULT")
      << "a subdivision without rules of its own";
}

TEST(HardCases, Case05_UnknownRegionIsOptIn) {
  EXPECT_EQ(Scene().LivesIn("XA").NeverChose("").Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT");
  EXPECT_EQ(Scene().LivesIn("").NeverChose("").Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT");
  EXPECT_EQ(Scene().LivesIn("XA").Answer(), "ELIGIBLE KEEP CONSENT");
  Scene abroad;
  abroad.LivesIn("US").NobodyChose();
  abroad.facts.recording.has_region = true;
  EXPECT_EQ(abroad.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT") << "a capture somewhere unknown";
}

TEST(HardCases, Case07_OptOutAfterSampling) {
  Scene scene;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Withdraws("", kReview, Scene::AgoHours(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP WITHDRAWN");
}

TEST(HardCases, Case08_ConsentAfterTheCaptureNoticeSilentOnThePast) {
  Scene scene;
  scene.Gives("", kReview, Scene::AgoHours(1)).Gives("ann", kReview, Scene::AgoHours(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT");
}

TEST(HardCases, Case09_ConsentAfterTheCaptureNoticeCoversThePast) {
  Scene scene;
  scene.Gives("", kReview, Scene::AgoHours(1), Scene::kCoversPast)
      .Gives("ann", kReview, Scene::AgoHours(1), Scene::kCoversPast);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
}

TEST(HardCases, Case10_ConsentAtCaptureWithdrawnNow) {
  EXPECT_EQ(Scene().Withdraws("", kReview, Scene::AgoHours(2)).Answer(), "NOT_ELIGIBLE KEEP WITHDRAWN");
}

TEST(HardCases, Case11_OnOffOnCapturedWhileOff) {
  for (const char* region : {"DE", "US"}) {
    Scene scene;
    scene.LivesIn(region).Withdraws("", kReview, Scene::Ago(2)).Gives("", kReview, Scene::AgoHours(12));
    EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_WHILE_REFUSED CAPTURED_BEFORE_CONSENT") << region;
    scene.Captured(Scene::Ago(10));
    EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT")
        << region << ": only captures after the last on";
    scene.Captured(Scene::AgoHours(12));
    EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << region;
    scene.Captured(Scene::Ago(1))
        .Withdraws("", kReview, Scene::Ago(2))
        .Gives("", kReview, Scene::AgoHours(12), Scene::kCoversPast);
    EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << region << ": unless that notice covers the past";
  }
}

TEST(HardCases, Case12_ServerOrderNotTheClientsClock) {
  // The fast client said yes "two hours from now"; the server received it before the opt-out, so the facts hold the
  // opt-out.
  Scene scene;
  scene.Gives("", kReview, Scene::AgoHours(2)).Withdraws("", kReview, Scene::AgoHours(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP WITHDRAWN");
  // Nor does a device's fast clock carry a capture over the consent: the time of arrival is the earlier one.
  Scene fast;
  fast.Gives("", kReview, Scene::AgoHours(3)).Captured(Scene::AgoHours(3)).Uncertain(Hours(2));
  fast.facts.recording.ingested_at = Scene::AgoHours(4);
  EXPECT_EQ(fast.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT");
}

TEST(HardCases, Case13_CaptureAndChangeWithinTheUncertainty) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(1)).Captured(Scene::Ago(1) + Seconds(5)).Uncertain(Seconds(5));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << "just outside";
  scene.Captured(Scene::Ago(1) + Seconds(5) - Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT") << "one microsecond inside";
  Scene policys;
  policys.facts.rules.default_uncertainty = Hours(1);
  policys.Gives("", kReview, Scene::Ago(1)).Captured(Scene::Ago(1) + Hours(1) - Microseconds(1));
  EXPECT_EQ(policys.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT") << "by the policy's uncertainty";
}

TEST(HardCases, Case14_CapturedTomorrow) {
  EXPECT_EQ(Scene().Captured(Scene::Ago(-1)).Answer(), "NOT_ELIGIBLE KEEP INVALID_TIME");
  EXPECT_EQ(Scene().Captured(Scene::Ago(-1)).Uncertain(Days(1)).Answer(), "ELIGIBLE KEEP CONSENT")
      << "within its uncertainty";
  Scene before_arrival;
  before_arrival.facts.recording.ingested_at = Scene::Ago(2);
  EXPECT_EQ(before_arrival.Answer(), "NOT_ELIGIBLE KEEP INVALID_TIME") << "captured after it arrived";
}

TEST(HardCases, Case17_HoldOnOneWeekAndDeletionOfEverything) {
  Scene scene;
  scene.Hold(Scene::Ago(20), Scene::Ago(13)).Delete(TombstoneState::kVerified, {}, Scene::AgoHours(1));
  scene.Captured(Scene::Ago(15));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD DELETED");
  scene.Captured(Scene::Ago(10));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
}

TEST(HardCases, Case18_HoldReleasedDeletionWaiting) {
  Scene scene;
  scene.Hold().Delete(TombstoneState::kVerified);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD DELETED");
  scene.facts.subject.holds.clear();
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
}

TEST(HardCases, Case19_HoldAndOptedIn) { EXPECT_EQ(Scene().Hold().Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD"); }

TEST(HardCases, Case20_TwoHoldsOneReleased) {
  Scene scene;
  scene.Hold(Scene::Ago(5), Scene::Ago(0)).Hold(Scene::Ago(300), Scene::AgoHours(1));
  scene.Delete(TombstoneState::kVerified);
  scene.facts.subject.holds.erase(scene.facts.subject.holds.begin());
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD DELETED");
  Scene marked;
  marked.Hold();
  marked.facts.marks.on_hold = true;
  marked.facts.subject.holds.clear();
  EXPECT_EQ(marked.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD") << "the one on this very recording is left";
}

TEST(HardCases, Case21_ExpiredRetentionUnderHold) {
  Scene scene;
  scene.Keeps({RetentionKind::kMonths, 3}).Captured(Scene::Ago(99)).Hold();
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD RETENTION_EXPIRED");
}

TEST(HardCases, Case23_DoNotSavePurgesEarlierAudioToo) {
  Scene scene;
  scene.Keeps({RetentionKind::kDoNotSave, 0}).Captured(Scene::Ago(90));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DO_NOT_SAVE");
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "PURGE DO_NOT_SAVE");
}

TEST(HardCases, Case24_ShorterRetentionPurgesAndLongerResurrectsNothing) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(400)).Gives("ann", kReview, Scene::Ago(400)).Captured(Scene::Ago(100));
  scene.Keeps({RetentionKind::kMonths, 18});
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Keeps({RetentionKind::kMonths, 3});
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE RETENTION_EXPIRED");
  scene.Keeps({RetentionKind::kMonths, 18}).Scope("").purge_floor = base::AddMonths(scene.facts.now, -3);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE RETENTION_EXPIRED") << "lengthening leaves a floor behind";
  scene.Captured(base::AddMonths(scene.facts.now, -3) + Microseconds(1));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Uncertain(Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP RETENTION_EXPIRED") << "a border is KEEP and never eligible";
}

TEST(HardCases, Case25_ChildProfileWithOnlyAGeneralConsent) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(100), Scene::kCoversPast);
  scene.AddProfile("tim", {domain::AgeKind::kChild, {}, {}}).NamesProfiles({"tim"});
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN");
  scene.Gives("tim", kReview, Scene::Ago(100));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "the child's own yes";
  scene.GuardianGives("tim", Purpose::kModelTraining, Scene::Ago(100));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "the guardian's for another purpose";
  scene.GuardianGives("tim", kReview, Scene::Ago(100));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Scope("tim").guardian_since = Scene::Ago(99);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "an earlier guardian's";
}

TEST(HardCases, Case26_ChildPresentOnAnAdultsProfile) {
  Scene scene;
  scene.facts.recording.age = domain::SpeakerAge::kChildPresent;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN");
  Scene reported;
  reported.facts.marks.flags = domain::Flags::kChildPresent;
  EXPECT_EQ(reported.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "the strictest of stored and given wins";
}

TEST(HardCases, Case27_ChildInactiveEighteenMonths) {
  Scene scene;
  scene.AddProfile("tim", {domain::AgeKind::kChild, {}, {}}).NamesProfiles({"tim"});
  scene.GuardianGives("tim", kReview, Scene::Ago(100));
  domain::ScopeFacts& tim = scene.Scope("tim");
  tim.last_active = base::AddMonths(scene.facts.now, -18) + base::Days(1);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  tim.last_active = base::AddMonths(scene.facts.now, -18);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_INACTIVE");
  tim.last_active = base::AddMonths(scene.facts.now, -24);
  tim.inactivity_notice = Scene::Ago(60) + Microseconds(1);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_INACTIVE") << "the notice's period still runs";
  tim.inactivity_notice = Scene::Ago(60);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE CHILD_INACTIVE");
  tim.inactivity_notice = {};
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_INACTIVE") << "the guardian keeps it: the notice is answered";
  tim.last_active = Scene::Ago(1);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << "active again before";
}

}  // namespace
}  // namespace consent::model::hard_cases_test
