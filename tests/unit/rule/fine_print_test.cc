// The sentences of the product's "Fine print" that are about the decision, one test each.
#include <gtest/gtest.h>

#include "tests/unit/rule/scene.h"

namespace consent::model {
namespace {

using base::Microseconds;
using domain::Age;
using domain::AgeKind;
using domain::Artefact;
using domain::Purpose;
using domain::PurposeChoice;
using domain::RetentionKind;

constexpr Purpose kReview = Purpose::kHumanReview;
constexpr Purpose kTraining = Purpose::kModelTraining;

// Of age in the US at 13, in Germany at 16.
Age Fourteen() {
  return {AgeKind::kBorn, base::Date{static_cast<int32_t>(Scene::Ago(14 * 366).micros / base::Days(1).micros)}, {}};
}

Scene Tim(Age age) {
  Scene scene;
  scene.AddProfile("tim", age).NamesProfiles({"tim"}).GuardianGives("tim", kReview, Scene::Ago(100));
  return scene;
}

void CapturedIn(Scene& scene, const char* region) {
  scene.facts.recording.has_region = true;
  scene.facts.recording.region = RegionOf(region);
}

TEST(FinePrint, AtTheVeryInstantOfAnEndItHasEnded) {
  Scene lifetime;
  lifetime.Gives("", kReview, base::AddMonths(lifetime.facts.now, -12), Scene::kOneYear);
  EXPECT_EQ(lifetime.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
  Scene notice;
  notice.Gives("", kReview, Scene::Ago(100), Scene::kSuperseded)
      .facts.rules.notices[Scene::kSuperseded - 1]
      .superseded_from = notice.facts.now;
  EXPECT_EQ(notice.Answer(), "NOT_ELIGIBLE KEEP NOTICE_SUPERSEDED");
  Scene kept;
  kept.Keeps({RetentionKind::kMonths, 2}).AsksDispositionOnly().Captured(base::AddMonths(kept.facts.now, -2));
  EXPECT_EQ(kept.Answer(), "PURGE RETENTION_EXPIRED");
  kept.Captured(kept.facts.recording.captured_at + Microseconds(1));
  EXPECT_EQ(kept.Answer(), "KEEP");
}

TEST(FinePrint, ACaptureThatTouchesAChangeTakesItsStricterSide) {
  Scene scene;
  scene.Scope("ann").age = {AgeKind::kAdult, {}, Scene::Ago(3)};
  scene.Gives("ann", kReview, Scene::Ago(3), Scene::kCoversPast).Captured(Scene::Ago(3)).Uncertain(base::Seconds(0));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Uncertain(Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "child to adult: child";
}

TEST(FinePrint, AChildIsOneBelowTheHigherAgeAndAGuardianCountsBelowTheLower) {
  Scene german = Tim(Fourteen());
  EXPECT_EQ(german.Answer(), "ELIGIBLE KEEP CONSENT");
  CapturedIn(german, "US");
  EXPECT_EQ(german.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED")
      << "of age there, a child at home";
  german.Copy(Artefact::kTranscript, kReview);
  EXPECT_EQ(german.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED") << "a journey purges nothing";
  Scene american = Tim(Fourteen());
  american.LivesIn("US").Gives("tim", kReview, Scene::Ago(10));
  EXPECT_EQ(american.Answer(), "ELIGIBLE KEEP CONSENT");
  CapturedIn(american, "DE");
  EXPECT_EQ(american.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "a child where it was captured";
}

TEST(FinePrint, AGuardiansConsentCountsOnlyIfHeWasTheNamedOne) {
  Scene scene = Tim({AgeKind::kChild, {}, {}});
  scene.Scope("tim").guardian_since = Scene::Ago(100);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Scope("tim").guardian_since = Scene::Ago(100) + Microseconds(1);
  scene.Scope("tim").ChoiceFor(kReview).imported = true;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "an import's own time included";
}

TEST(FinePrint, AnAdultsConsentStopsCountingWhileAChildIsMadeOfThem) {
  Scene scene;
  scene.LivesIn("US").AddProfile("tim", Fourteen()).NamesProfiles({"tim"}).Gives("tim", kReview, Scene::Ago(100));
  scene.Copy(Artefact::kTranscript, kReview);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.LivesIn("DE");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "moved: neither WITHDRAWN nor PURGE";
  scene.LivesIn("US").Scope("tim").age = {AgeKind::kChild, {}, {}};
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "a corrected birth date";
  scene.Scope("tim").age = Fourteen();
  scene.facts.rules.ages_of_consent[RegionOf("US")].ChangeTo(16, Scene::Ago(2));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN") << "a policy";
}

TEST(FinePrint, ComingOfAgeNeedsAConsentGivenAfterwards) {
  Scene scene;
  scene.Scope("ann").age = {AgeKind::kAdult, {}, Scene::Ago(30)};
  scene.Gives("ann", kReview, Scene::Ago(40)).Copy(Artefact::kTranscript, kReview);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED") << "given as a child; and no PURGE for that";
  scene.Gives("ann", kReview, Scene::Ago(30));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.GuardianGives("ann", kReview, Scene::Ago(40));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE PURPOSE_ENDED CONSENT_EXPIRED") << "the guardian's has ended";
  Scene again = Tim({AgeKind::kChild, {}, {}});
  again.Scope("tim").ChoiceFor(kReview).has_ended = true;
  EXPECT_EQ(again.Answer(), "NOT_ELIGIBLE KEEP CHILD_WITHOUT_GUARDIAN CONSENT_EXPIRED")
      << "a correction brings nothing back";
}

TEST(FinePrint, ADefaultCountsFromTheLatestOfItsBeginnings) {
  const auto set = [](Scene& scene, int which, domain::Instant at) {
    if (which == 0) scene.facts.rules.regions[RegionOf("US")].opt_out_since = at;
    if (which == 1) scene.facts.subject.default_from = at;
    if (which == 2) scene.facts.rules.in_use_since[static_cast<size_t>(kReview) - 1] = at;
    if (which == 3) scene.Gives("", kReview, Scene::AgoHours(1), Scene::kCoversPast).facts.subject.default_denied = at;
    if (which == 4) scene.Scope("ann").default_from = at;
  };
  for (int which = 0; which < 5; ++which) {
    Scene scene;
    scene.LivesIn("US").NobodyChose();
    set(scene, which, scene.facts.recording.captured_at);
    EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT") << which;
    set(scene, which, scene.facts.recording.captured_at + Microseconds(1));
    EXPECT_EQ(AnswerOfRule(scene.facts).eligibility, domain::Eligibility::kNotEligible)
        << which << ' ' << scene.Answer();
  }
  for (const int wide : {0, 1}) {
    Scene scene;
    scene.LivesIn("US").NobodyChose().Asks(kTraining).facts.subject.default_denied = Scene::Ago(3);
    scene.facts.rules.controls[0].purposes.Add(kTraining);
    if (wide == 0) scene.Scope("").refused_controls.push_back({1, Scene::Ago(2)});
    if (wide == 1) scene.Scope("").refused_all_since = Scene::Ago(2);
    EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP REFUSED")
        << "a control or ALL is an answer, so that ann's default goes on";
  }
}

TEST(FinePrint, ACopyCapturedWithinARefusalThatHasEndedIsKept) {
  Scene scene;
  scene.Withdraws("ann", kReview, Scene::Ago(20))
      .Gives("ann", kReview, Scene::Ago(10))
      .Copy(Artefact::kFeature, kReview);
  scene.AsksDispositionOnly().Captured(Scene::Ago(20));
  EXPECT_EQ(scene.Answer(), "KEEP");
  scene.Captured(Scene::Ago(20) - Microseconds(1));
  EXPECT_EQ(scene.Answer(), "PURGE PURPOSE_ENDED");
}

TEST(FinePrint, ADevicesConsentIsNeverNeededSoItsEndIsNone) {
  Scene scene;
  scene.Gives("kitchen", kReview, Scene::Ago(400), Scene::kOneYear).Copy(Artefact::kFeature, kReview);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  PurposeChoice& choice = scene.Gives("kitchen", kReview, Scene::AgoHours(1)).Scope("kitchen").ChoiceFor(kReview);
  choice.refused_from = Scene::AgoHours(2);
  choice.end_was_expiry = true;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << "nor the end of an earlier one";
  choice.end_was_expiry = false;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE PURPOSE_ENDED CAPTURED_BEFORE_CONSENT") << "a refusal counts";
}

TEST(FinePrint, AFalseWakeWithoutATimeGoesByItsIngestion) {
  Scene scene;
  scene.LivesIn("US").Captured({}).AsksDispositionOnly().facts.recording.wake = domain::Wake::kAccidental;
  EXPECT_EQ(scene.Answer(), "KEEP") << "without either";
  scene.facts.recording.ingested_at = Scene::Ago(30);
  EXPECT_EQ(scene.Answer(), "KEEP");
  scene.facts.recording.ingested_at = Scene::Ago(30) - Microseconds(1);
  EXPECT_EQ(scene.Answer(), "PURGE ACCIDENTAL_EXPIRED");
  scene.facts.subject.registered = false;
  EXPECT_EQ(scene.Answer(), "KEEP") << "only restrictions have named it";
}

TEST(FinePrint, AHoldThatMayMatchMatches) {
  Scene scene;
  scene.Hold(Scene::Ago(30), Scene::Ago(2))
      .Uncertain(base::Microseconds(base::Days(1).micros - 1))
      .AsksDispositionOnly();
  EXPECT_EQ(scene.Answer(), "KEEP");
  scene.Uncertain(base::Days(1));
  EXPECT_EQ(scene.Answer(), "HOLD LEGAL_HOLD");
}

TEST(FinePrint, AClassSaidForAnotherPurposeIsIgnored) {
  Scene scene;
  scene.Asks(kTraining).Gives("", kTraining, Scene::Ago(100)).Gives("ann", kTraining, Scene::Ago(100));
  scene.Germany().employees = false;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
}

// Of the decision itself, not of the fine print: who leaves out a name is no better off than who says it.
TEST(FinePrint, AMessageThatNamesNoDeviceCountsWhatTheDevicesRefuseOfMessages) {
  Scene scene;
  scene.facts.recording.kind = domain::Kind::kMessage;
  scene.Gives("", Purpose::kMessageTranscription, Scene::Ago(100))
      .Gives("ann", Purpose::kMessageTranscription, Scene::Ago(100));
  scene.Refuses("kitchen", Purpose::kMessageTranscription, Scene::Ago(50));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MESSAGES_NOT_ALLOWED");
  scene.facts.recording.device = {};
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MESSAGES_NOT_ALLOWED");
}

}  // namespace
}  // namespace consent::model
