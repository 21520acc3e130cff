// The numbered hard cases about deletion requests and their tasks.
#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::PurgeOutcome;
using domain::Purpose;
using service::DeletionPlace;
using service::DeletionStep;

// Registered in Germany, help_improve on under a notice that covers the past; two data systems.
class HardCaseOfADeletion : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    deleting.Register(System("audio"));
    deleting.Register(System("transcripts-secondary"));
  }
  std::string Fate(const Recording& recording) const { return Text(world.Check("a", recording, Purpose::kNone)); }
  std::string Answer(const Recording& recording) const { return Text(world.Check("a", recording)); }

  World world;
  Deleting deleting{world};
};

TEST_F(HardCaseOfADeletion, N37_OneSystemThatHasNotConfirmedKeepsItFromBeingCompleted) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kAccepted);
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  ASSERT_TRUE(deleting.End("audio", tasks[0]).ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  world.Restart();
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  EXPECT_EQ(deleting.Work("transcripts-secondary"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  world.Restart();
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_F(HardCaseOfADeletion, N38_WhatIsNotConfirmedAtTheDeadlineIsOverdue) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  deleting.Work("audio");
  const base::Instant due = deleting.Get(place).due_at;
  world.clock.Set(due - base::Microseconds(1));
  EXPECT_FALSE(deleting.Get(place).IsOverdue(world.Now()));
  world.clock.Set(due);
  EXPECT_TRUE(deleting.Get(place).IsOverdue(world.Now()));
  service::DeletionFilter late;
  late.due_before = world.Now() + base::Microseconds(1);
  EXPECT_EQ(world.deletions().List(late, 10, {})->requests.size(), 1U);
  deleting.Work("transcripts-secondary");
  EXPECT_FALSE(deleting.Get(place).IsOverdue(world.Now())) << "it is done";
  EXPECT_TRUE(world.deletions().List(late, 10, {})->requests.empty());
}

TEST_F(HardCaseOfADeletion, ARangeFromTheBeginningOfTheServiceHasNoBeginning) {
  const base::Instant began = world.Now() - base::Days(100);
  PolicyBuilder since("v2");
  since.policy().mutable_service_began_at()->set_seconds(began.micros / 1'000'000);
  ASSERT_TRUE(world.Activate(since).ok());
  const base::Instant to = world.Now() - base::Days(5);
  Recording never_set(base::Instant{1'000'000});
  never_set.facts.ingested_at = to - base::Days(1);
  deleting.Ask("a", Within(began + base::Seconds(1), to));
  EXPECT_EQ(Fate(never_set), "KEEP");
  EXPECT_FALSE(deleting.Get(deleting.Ask("a", Within(began - base::Seconds(1), to))).selector.captured.HasBeginning());
  EXPECT_EQ(Fate(never_set), "PURGE: DELETED") << "its stamp is none, and it came before the end";
}

TEST_F(HardCaseOfADeletion, N40_ALateUploadInsideADeletedRangeIsPurged) {
  const base::Instant from = world.Now() - base::Days(10);
  const base::Instant to = world.Now() - base::Days(5);
  deleting.Ask("a", Within(from, to));
  deleting.Work("audio");
  deleting.Work("transcripts-secondary");
  world.Restart();
  EXPECT_EQ(Fate(Recording(from)), "PURGE: DELETED");
  EXPECT_EQ(Fate(Recording(to)), "PURGE: DELETED");
  EXPECT_EQ(Fate(Recording(to - base::Days(1))), "PURGE: DELETED");
  EXPECT_EQ(Fate(Recording(to + base::Days(1))), "KEEP");
  Recording fast(to + base::Hours(1));
  fast.facts.has_uncertainty = true;
  fast.facts.uncertainty = base::Hours(1);
  EXPECT_EQ(Fate(fast), "PURGE: DELETED") << "the device's clock ran an hour fast";
}

TEST_F(HardCaseOfADeletion, N41_WhatIsCapturedAfterEverythingWasDeletedFollowsTheNormalRules) {
  const Recording before(world.Now() - base::Seconds(10));
  deleting.Ask("a", AllOfIt());
  EXPECT_EQ(Answer(before), "PURGE no: DELETED");
  world.Wait(base::Hours(1));
  EXPECT_EQ(Answer(Recording(world.Now() - base::Seconds(10))), "KEEP yes: CONSENT");
}

TEST_F(HardCaseOfADeletion, N42_AnUnverifiedOneStopsUseAndPurgesNothing) {
  const Recording recording(world.Now() - base::Seconds(10));
  const DeletionPlace place = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  EXPECT_EQ(Answer(recording), "KEEP no: DELETION_PENDING");
  EXPECT_EQ(deleting.Work("audio"), 0U);
  EXPECT_TRUE(deleting.Get(place).due_at.IsSet()) << "the clock runs";
  const base::Instant due = deleting.Get(place).due_at;
  ASSERT_TRUE(deleting.Step(place, DeletionStep::kBeginVerification).ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kVerifying);
  EXPECT_EQ(Answer(recording), "KEEP no: DELETION_PENDING");
  world.Wait(base::Days(3));
  ASSERT_TRUE(deleting.Step(place, DeletionStep::kVerify).ok());
  EXPECT_EQ(deleting.Get(place).due_at, due);
  EXPECT_EQ(Answer(recording), "PURGE no: DELETED");
  EXPECT_EQ(deleting.Work("audio"), 1U);
}

TEST_F(HardCaseOfADeletion, AConfirmedReceiptChangesNoAnswerAndNoTask) {
  const Recording recording(world.Now() - base::Seconds(10));
  const DeletionPlace place = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  const uint64_t before = deleting.Get(place).changed;
  ASSERT_TRUE(deleting.Step(place, DeletionStep::kConfirmReceipt).ok());
  const domain::DeletionRequest told = deleting.Get(place);
  EXPECT_LE(told.received_at, told.receipt_confirmed_at);
  EXPECT_LE(told.receipt_confirmed_at, world.Now());
  EXPECT_GT(told.changed, before) << "its etag is another one";
  EXPECT_EQ(Answer(recording), "KEEP no: DELETION_PENDING");
  EXPECT_EQ(deleting.Work("audio"), 0U);
  ASSERT_TRUE(deleting.Step(place, DeletionStep::kVerify).ok());
  EXPECT_EQ(Answer(recording), "PURGE no: DELETED");
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(place).receipt_confirmed_at, told.receipt_confirmed_at);
}

TEST_F(HardCaseOfADeletion, AReceiptThatIsConfirmedAfterTheEndLeavesAnEqualOpenRequestListed) {
  const DeletionPlace denied = deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived);
  ASSERT_TRUE(deleting.Step(denied, DeletionStep::kDeny, "not the owner").ok());
  const DeletionPlace open = deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived);
  ASSERT_NE(open, denied);
  ASSERT_TRUE(deleting.Step(denied, DeletionStep::kConfirmReceipt).ok());
  EXPECT_TRUE(deleting.Get(denied).receipt_confirmed_at.IsSet());
  EXPECT_EQ(deleting.Get(denied).state, DeletionState::kDenied);
  EXPECT_EQ(deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived), open);
}

TEST_F(HardCaseOfADeletion, AReceiptThatIsConfirmedAfterAClosureWasCancelledClosesAndOpensNothing) {
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  const DeletionPlace cancelled = deleting.Ask("a", closure, DeletionState::kAccepted);
  ASSERT_TRUE(deleting.Cancel(cancelled).ok());
  const DeletionPlace again = deleting.Ask("a", closure, DeletionState::kAccepted);
  ASSERT_NE(again, cancelled);
  const Recording recording(world.Now() - base::Seconds(10));
  EXPECT_EQ(Answer(recording), "PURGE no: DELETED, ACCOUNT_CLOSED");
  ASSERT_TRUE(deleting.Step(cancelled, DeletionStep::kConfirmReceipt).ok());
  EXPECT_EQ(Answer(recording), "PURGE no: DELETED, ACCOUNT_CLOSED");
}

TEST_F(HardCaseOfADeletion, N43_TheSameAskedTwiceWhileOpenIsOneRequest) {
  const auto first = deleting.TryAsk("a", deleting.Recordings({"r1", "r2"}));
  const auto again = deleting.TryAsk("a", deleting.Recordings({"r2", "r1"}));
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(first->created);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(first->place, again->place);
  EXPECT_NE(deleting.Ask("a", deleting.Recordings({"r1"})), first->place);
  const base::Instant from = world.Now() - base::Days(2);
  const DeletionPlace range = deleting.Ask("a", Within(from, from + base::Days(1)));
  EXPECT_EQ(deleting.Ask("a", Within(from, from + base::Days(1))), range);
  EXPECT_NE(deleting.Ask("b", Within(from, from + base::Days(1))), range) << "another subject's";
  deleting.Work("audio");
  EXPECT_EQ(deleting.Work("transcripts-secondary"), 4U) << "each once";
  EXPECT_NE(deleting.Ask("a", Within(from, from + base::Days(1))), range) << "the first one has ended";
}

TEST_F(HardCaseOfADeletion, N43_EverythingOnMondayAndOnTuesdayAreTwoRequests) {
  const DeletionPlace monday = deleting.Ask("a", AllOfIt());
  world.Wait(base::Days(1));
  const Recording on_tuesday(world.Now() - base::Hours(1));
  EXPECT_EQ(Fate(on_tuesday), "KEEP");
  const DeletionPlace tuesday = deleting.Ask("a", AllOfIt());
  EXPECT_NE(monday, tuesday);
  EXPECT_EQ(Fate(on_tuesday), "PURGE: DELETED");
  EXPECT_EQ(world.Facts("a").tombstones.size(), 1U) << "one interval";
}

// What is verified is what was asked for before it; a later wish waits for its own verification.
TEST_F(HardCaseOfADeletion, N67_EverythingOfMondayVerifiesNothingOfTuesday) {
  const DeletionPlace monday = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  world.Wait(base::Days(1));
  const DeletionPlace named = deleting.Ask("a", deleting.Recordings({"r1"}), DeletionState::kReceived);
  const DeletionPlace tuesday = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  ASSERT_TRUE(deleting.Step(monday, DeletionStep::kVerify).ok());
  EXPECT_EQ(deleting.Get(monday).state, DeletionState::kAccepted);
  EXPECT_EQ(deleting.Get(named).state, DeletionState::kReceived);
  EXPECT_EQ(deleting.Get(tuesday).state, DeletionState::kReceived);
  EXPECT_EQ(deleting.Work("audio"), 1U);
  ASSERT_TRUE(deleting.Step(tuesday, DeletionStep::kVerify).ok());
  EXPECT_EQ(deleting.Get(named).state, DeletionState::kAccepted) << "which lies within Tuesday's";
}

TEST_F(HardCaseOfADeletion, N43_TheSameRequestIdIsTheSameRequest) {
  const auto first = deleting.TryAsk("a", AllOfIt(), DeletionState::kAccepted, "one");
  const auto again = deleting.TryAsk("a", AllOfIt(), DeletionState::kAccepted, "one");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(first->place, again->place);
  EXPECT_EQ(first->revision, again->revision);
}

TEST_F(HardCaseOfADeletion, N48_ADeniedOneKeepsItsReasonAndUseStaysStopped) {
  const Recording recording(world.Now() - base::Seconds(10));
  const DeletionPlace place = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  ASSERT_TRUE(deleting.Step(place, DeletionStep::kDeny, "not the account's owner").ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kDenied);
  EXPECT_EQ(deleting.Get(place).denied_reason, "not the account's owner");
  EXPECT_EQ(Answer(recording), "KEEP no: DELETION_DENIED");
  EXPECT_EQ(ReasonOf(deleting.Step(place, DeletionStep::kVerify)), "DELETION_STATE");
  world.Restart();
  EXPECT_EQ(Answer(recording), "KEEP no: DELETION_DENIED");
}

TEST_F(HardCaseOfADeletion, N49_WhatIsBuiltAlreadyIsExcludedFromTheNextBuildAndTheRequestSaysSo) {
  deleting.Register(System("datasets"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  deleting.Work("audio");
  deleting.Work("transcripts-secondary");
  const auto tasks = deleting.Lease("datasets");
  ASSERT_TRUE(deleting.End("datasets", tasks.at(0), PurgeOutcome::kExcludedFromNextBuild, 3).ok());
  const domain::DeletionRequest request = deleting.Get(place);
  EXPECT_EQ(request.state, DeletionState::kCompleted);
  EXPECT_EQ(request.Find(deleting.Named("datasets").number)->outcome, PurgeOutcome::kExcludedFromNextBuild);
}

TEST_F(HardCaseOfADeletion, N58_WhatArrivesAfterNotFoundIsFoundByASecondTask) {
  service::SystemRow vendor = System("vendor");
  vendor.checks_on_ingest = false;
  vendor.latest_arrival = base::Hours(1);
  deleting.Register(vendor);
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  deleting.Work("audio");
  deleting.Work("transcripts-secondary");
  const auto first = deleting.Lease("vendor");
  ASSERT_EQ(first.size(), 1U);
  ASSERT_TRUE(deleting.End("vendor", first[0], PurgeOutcome::kNotFound, 0).ok());
  EXPECT_TRUE(deleting.End("vendor", first[0], PurgeOutcome::kNotFound, 0).ok()) << "repeating is harmless";
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  world.Wait(base::Seconds(600));
  EXPECT_TRUE(deleting.Lease("vendor").empty()) << "what can still arrive has not";
  world.Restart();
  world.Wait(base::Hours(1));
  const auto second = deleting.Lease("vendor");
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].row.again, service::Again::kLateData);
  ASSERT_TRUE(deleting.End("vendor", second[0], PurgeOutcome::kAcknowledged, 1).ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  EXPECT_EQ(deleting.Get(place).Find(deleting.Named("vendor").number)->erased_count, 1U);
}

TEST(HardCaseOfADeadline, N44_GdprRequestOf31JanuaryIsDue28February) {
  World::Options options;
  options.now = At("2026-01-31T09:00:00Z");
  World world(options);
  Deleting deleting(world);
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const DeletionPlace place = deleting.Ask("a", AllOfIt(), DeletionState::kReceived);
  EXPECT_EQ(base::FormatRfc3339(deleting.Get(place).due_at), "2026-03-01T00:00:00Z") << "by the end of 28 February";
}

}  // namespace
}  // namespace consent::test
