// The hard cases of the product's page from 61 on, as far as the rule alone decides them: borders of clocks, of orders
// and of what is left out.
#include <gtest/gtest.h>

#include "tests/unit/rule/scene.h"

namespace consent::model::hard_cases_edges_test {
namespace {

using base::Microseconds;
using base::Seconds;
using domain::Artefact;
using domain::Choice;
using domain::Instant;
using domain::OrderedTimes;
using domain::Purpose;
using domain::PurposeChoice;
using domain::RetentionKind;
using domain::TombstoneState;

constexpr Purpose kReview = Purpose::kHumanReview;
constexpr Purpose kTraining = Purpose::kModelTraining;
// A clock that was never set.
constexpr Instant kUnsetClock{5'000'000};

// What a removed scope leaves: it refused from `from` until `until`.
PurposeChoice Left(Instant from, Instant until) {
  PurposeChoice choice;
  choice.refused_from = from;
  choice.since = until;
  return choice;
}

void Remove(Scene& scene, const char* who, Instant at) {
  scene.Scope(who).registered = false;
  scene.Scope(who).default_from = at;
}

TEST(HardCases, Case61_ClosureReceivedAndNotVerified) {
  Scene scene;
  scene.LivesIn("US").NobodyChose().Order(TombstoneState::kPending, OrderedTimes::Always());
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP DELETION_PENDING");
  scene.Captured(scene.facts.now);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP DELETION_PENDING") << "whenever captured";
}

TEST(HardCases, Case62_ADeviceThatRefusedAndWasRemoved) {
  Scene scene;
  scene.Refuses("kitchen", kReview, Scene::Ago(50));
  Remove(scene, "kitchen", Scene::Ago(30));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT REFUSED") << "named, and gone";
  scene.facts.recording.device = {};
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT");
  EXPECT_EQ(scene.Asks(kTraining).Gives("", kTraining, Scene::Ago(9)).Gives("ann", kTraining, Scene::Ago(9)).Answer(),
            "ELIGIBLE KEEP CONSENT")
      << "it said nothing to this purpose";
  Scene folded;
  folded.facts.recording.device = {};
  domain::ScopeFacts fold;
  fold.kind = domain::ScopeKind::kDevice;
  fold.ChoiceFor(kReview).choice = Choice::kRefused;
  fold.ChoiceFor(kReview).since = Scene::Ago(50);
  folded.facts.subject.scopes.push_back(fold);
  EXPECT_EQ(folded.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << "one of many that are gone";
  Scene then;
  then.Scope("kitchen").ChoiceFor(kReview) = Left(Scene::Ago(20), Scene::Ago(10));
  Remove(then, "kitchen", Scene::Ago(5));
  then.facts.recording.device = {};
  EXPECT_EQ(then.Answer(), "ELIGIBLE KEEP CONSENT") << "it had agreed again before the capture";
  then.Captured(Scene::Ago(15));
  EXPECT_EQ(then.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << "it refused when this was captured";
  then.Scope("kitchen").ChoiceFor(kReview).copies_forgiven = true;
  EXPECT_EQ(then.Answer(), "ELIGIBLE KEEP CONSENT") << "and agreed for the past since";
}

TEST(HardCases, Case64_TheClockRanFourHundredDaysAheadForOneWrite) {
  Scene scene;
  scene.facts.now = Scene::Ago(-400);  // the last stamp, which the clock is behind now
  scene.facts.behind = true;
  scene.Keeps({RetentionKind::kMonths, 3}).Refuses("", kReview, Scene::Ago(-400));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP RETENTION_EXPIRED REFUSED")
      << "the write counts, and nothing is purged by it";
  scene.facts.recording.wake = domain::Wake::kAccidental;
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "KEEP");
  scene.facts.now = Scene::Ago(0);
  scene.facts.behind = false;
  scene.LivesIn("US");
  EXPECT_EQ(scene.Answer(), "KEEP") << "nor afterwards";
}

TEST(HardCases, Case65_ACaptureASecondAheadUnderAHold) {
  Scene scene;
  scene.Hold().Captured(scene.facts.now + Seconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD LEGAL_HOLD INVALID_TIME");
  const domain::Decision decision = AnswerOfRule(scene.facts);
  EXPECT_EQ(decision.good_until, decision.checked_at) << "its life is over at once, and it is an answer";
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "HOLD LEGAL_HOLD");
}

TEST(HardCases, Case66_EverythingAndACaptureStampOfNextYear) {
  Scene scene;
  scene.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::Ago(1), Scene::Ago(1))).Captured(Scene::Ago(-300));
  scene.facts.recording.ingested_at = Scene::Ago(7);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED INVALID_TIME");
  scene.Captured({});
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "PURGE DELETED");
  scene.facts.recording.ingested_at = Scene::Ago(1);
  EXPECT_EQ(scene.Answer(), "PURGE DELETED") << "no later than the end";
  scene.facts.recording.ingested_at = Scene::Ago(1) + Microseconds(1);
  EXPECT_EQ(scene.Answer(), "KEEP");
  Scene range;
  range.Delete(TombstoneState::kVerified, Scene::Ago(30), Scene::Ago(1)).Captured({}).facts.recording.ingested_at =
      Scene::Ago(7);
  EXPECT_EQ(range.AsksDispositionOnly().Answer(), "KEEP") << "it can be of before a range that has a beginning";
}

// Two orders that overlap are not one without a beginning, neither in the record nor beside it.
TEST(HardCases, Case66_AnOrderWithoutABeginningIsNotProlongedByARange) {
  Scene scene;
  scene.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::Ago(10), Scene::Ago(10)));
  scene.Delete(TombstoneState::kVerified, Scene::Ago(20), Scene::Ago(1)).Captured({}).AsksDispositionOnly();
  for (const int days : {11, 10, 5}) {
    scene.facts.recording.ingested_at = Scene::Ago(days);
    EXPECT_EQ(scene.Answer(), days >= 10 ? "PURGE DELETED" : "KEEP");
    EXPECT_EQ(Difference(AnswerOfRuleByCover(scene.facts), AnswerOfRule(scene.facts)), "") << days;
  }
}

TEST(HardCases, Case68_AConsentConfirmedAgainBeforeItsEnd) {
  Scene scene;
  scene.Gives("", kReview, Scene::Ago(400), Scene::kOneYear)
      .Gives("ann", kReview, Scene::Ago(400))
      .Captured(Scene::Ago(399));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CONSENT_EXPIRED");
  scene.Scope("").ChoiceFor(kReview).renewed = Scene::Ago(40);
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT")
      << "captures count since the first time, the lifetime from the last";
}

TEST(HardCases, Case69_TrainingWithoutACountryWhereSomeAreAllowed) {
  Scene scene;
  scene.Asks(kTraining).Gives("", kTraining, Scene::Ago(100)).Gives("ann", kTraining, Scene::Ago(100));
  scene.facts.place.country = {};
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT") << "anywhere";
  scene.Germany().other_countries.push_back({kTraining, {false, {RegionOf("DE")}}});
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT");
  scene.facts.place.country = RegionOf("FR");
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP PLACE_NOT_ALLOWED");
  scene.facts.place.country = RegionOf("DE");
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Germany().any_site = false;
  scene.Germany().sites = {"berlin"};
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.facts.place.site.clear();
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT") << "the site is asked for in the same way";
}

TEST(HardCases, Case70_WithdrawnAndGivenAgainUnderANoticeSilentOnThePast) {
  Scene scene;
  scene.Withdraws("", kReview, Scene::Ago(20))
      .Gives("", kReview, Scene::Ago(10))
      .AsksDispositionOnly()
      .Captured(Scene::Ago(30));
  EXPECT_EQ(scene.Answer(), "KEEP") << "the source";
  scene.Copy(Artefact::kReviewCopy, kReview);
  EXPECT_EQ(scene.Answer(), "PURGE PURPOSE_ENDED") << "the copy of before";
  scene.Captured({}).facts.recording.ingested_at = Scene::Ago(30);
  EXPECT_EQ(scene.Answer(), "PURGE PURPOSE_ENDED") << "ingested before, whenever captured";
  scene.Captured(Scene::Ago(9)).facts.recording.ingested_at = {};
  EXPECT_EQ(scene.Answer(), "KEEP") << "a copy of what was captured since";
  scene.Captured(Scene::Ago(30))
      .Withdraws("", kReview, Scene::Ago(20))
      .Gives("", kReview, Scene::Ago(10), Scene::kCoversPast);
  EXPECT_EQ(scene.Answer(), "KEEP") << "what is still owed is cancelled";
}

TEST(HardCases, Case71_TheClockRanSixDaysAheadForOneWriteBeforeEverything) {
  // Received yesterday by the wall; the last stamp lay five days ahead of today.
  Scene scene;
  scene.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::Ago(1), Scene::Ago(-5))).Captured(scene.facts.now);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP DELETED") << "the next day's recording";
  scene.Captured(Scene::Ago(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
}

TEST(HardCases, Case72_TheClockRanSixDaysBehindOrIsInDoubt) {
  Scene scene;
  scene.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::Ago(7), Scene::Ago(1))).Captured(Scene::Ago(3));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP DELETED") << "recorded in those six days";
  scene.Captured(Scene::Ago(7));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED") << "what is sure";

  Scene doubt;
  doubt.facts.doubtful = true;
  EXPECT_EQ(doubt.Answer(), "NOT_ELIGIBLE KEEP CLOCK_DOUBTFUL");
  doubt.Refuses("", kReview, Scene::AgoHours(1))
      .Copy(Artefact::kReviewCopy, kReview)
      .Keeps({RetentionKind::kDoNotSave, 0});
  EXPECT_EQ(doubt.Answer(), "NOT_ELIGIBLE KEEP CLOCK_DOUBTFUL REFUSED")
      << "an opt-out is taken, and nothing is purged for it yet";
  Scene received_in_doubt = doubt;
  received_in_doubt.Order(TombstoneState::kVerified, OrderedTimes::Until({}, doubt.facts.now));
  EXPECT_EQ(received_in_doubt.AsksDispositionOnly().Answer(), "KEEP");
  Scene earlier = doubt;
  earlier.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::AgoHours(2), Scene::AgoHours(2)));
  EXPECT_EQ(earlier.AsksDispositionOnly().Answer(), "PURGE DELETED");
  Scene named = doubt;
  named.facts.marks.has_tombstone = true;
  named.facts.marks.tombstone = TombstoneState::kVerified;
  EXPECT_EQ(named.AsksDispositionOnly().Answer(), "PURGE DELETED");
  Scene closed = doubt;
  closed.facts.subject.closed_at = Scene::AgoHours(1);
  EXPECT_EQ(closed.AsksDispositionOnly().Answer(), "PURGE ACCOUNT_CLOSED");
  doubt.facts.doubtful = false;
  EXPECT_EQ(doubt.Answer(), "NOT_ELIGIBLE PURGE DO_NOT_SAVE PURPOSE_ENDED REFUSED") << "confirmed: it all stands";
}

TEST(HardCases, Case75_StampsOfAClockThatWasNeverSet) {
  Scene scene;
  scene.Order(TombstoneState::kVerified, OrderedTimes::Until(Scene::Ago(1), Scene::Ago(1))).Captured(Scene::Ago(-300));
  scene.facts.recording.ingested_at = kUnsetClock;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP INVALID_TIME DELETED");
  scene.Captured({});
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP MISSING_FACT DELETED");
  scene.Captured(kUnsetClock);
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP INVALID_TIME DELETED") << "before the service began";
  Scene kept;
  kept.Keeps({RetentionKind::kMonths, 3}).Captured(kUnsetClock).facts.recording.ingested_at = kept.facts.now;
  EXPECT_EQ(kept.Answer(), "NOT_ELIGIBLE KEEP INVALID_TIME RETENTION_EXPIRED");
  kept.facts.recording.ingested_at = base::AddMonths(kept.facts.now, -4);
  EXPECT_EQ(kept.Answer(), "NOT_ELIGIBLE PURGE RETENTION_EXPIRED INVALID_TIME") << "ingested longer ago";
}

TEST(HardCases, Case76_EverythingTwice) {
  const OrderedTimes monday = OrderedTimes::Until(Scene::Ago(3), Scene::Ago(3));
  const OrderedTimes tuesday = OrderedTimes::Until(Scene::Ago(2), Scene::Ago(2));
  EXPECT_TRUE(tuesday.Contains(monday)) << "so that verifying the later one verifies the earlier";
  EXPECT_FALSE(monday.Contains(tuesday));
  EXPECT_TRUE(OrderedTimes::Always().Contains(tuesday)) << "a closure holds all of them";
  Scene scene;
  scene.Order(TombstoneState::kVerified, monday).Order(TombstoneState::kVerified, tuesday).Captured(Scene::Ago(2));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED");
}

TEST(HardCases, Case77_WhatARemovalAndADenialLeave) {
  Scene scene;
  scene.Scope("kitchen").ChoiceFor(kReview) = Left(Scene::Ago(20), Scene::Ago(10));
  Remove(scene, "kitchen", Scene::Ago(5));
  scene.AsksDispositionOnly().Copy(Artefact::kReviewCopy, kReview).Captured(Scene::Ago(30));
  EXPECT_EQ(scene.Answer(), "PURGE PURPOSE_ENDED") << "a copy of before the off";
  scene.Captured(Scene::Ago(15));
  EXPECT_EQ(scene.Answer(), "KEEP") << "of that time nothing is told";

  Scene denied;
  denied.LivesIn("US").NobodyChose().Order(TombstoneState::kDenied, OrderedTimes::Until(Scene::Ago(2), Scene::Ago(2)));
  EXPECT_EQ(denied.Answer(), "ELIGIBLE KEEP DEFAULT") << "a denied request stops only what was captured before";
  denied.facts.subject.default_denied = Scene::Ago(2);
  EXPECT_EQ(denied.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT");
  denied.Gives("", kReview, Scene::Ago(1));
  EXPECT_EQ(denied.Answer(), "ELIGIBLE KEEP DEFAULT") << "the subject has chosen";
  denied.Asks(kTraining);
  EXPECT_EQ(denied.Answer(), "NOT_ELIGIBLE KEEP NO_CONSENT PROFILE_WITHOUT_CONSENT") << "but not this purpose";
  denied.Asks(kReview).Gives("", kReview, Scene::Ago(100));
  EXPECT_EQ(denied.Answer(), "NOT_ELIGIBLE KEEP PROFILE_WITHOUT_CONSENT")
      << "what was chosen before the denial is no answer to it";
}

TEST(HardCases, Case78_ConfirmedAgainAfterASuspension) {
  Scene scene;
  scene.Suspend(kReview, Scene::Ago(30), Scene::Ago(20))
      .Gives("", kReview, Scene::Ago(10))
      .Gives("ann", kReview, Scene::Ago(10));
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP CONSENT");
  scene.Captured(Scene::Ago(10) - Microseconds(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP CAPTURED_BEFORE_CONSENT") << "captures since then";
}

}  // namespace
}  // namespace consent::model::hard_cases_edges_test
