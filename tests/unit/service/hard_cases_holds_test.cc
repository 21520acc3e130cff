// The numbered hard cases about legal holds, and what holds mean for tasks.
#include <future>

#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::HeldPart;
using domain::PurgeOutcome;
using domain::Purpose;
using service::DeletionPlace;
using service::HoldPlace;

HeldPart TheWeekFrom(base::Instant from) {
  HeldPart held;
  held.captured = {from, from + base::Days(7)};
  return held;
}

// Registered in Germany, help_improve on under a notice that covers the past; two data systems.
class HardCaseOfAHold : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    deleting.Register(System("audio"));
    deleting.Register(System("transcripts"));
  }
  std::string Fate(const Recording& recording) const { return Text(world.Check("a", recording, Purpose::kNone)); }
  std::string Answer(const Recording& recording) const { return Text(world.Check("a", recording)); }

  World world;
  Deleting deleting{world};
  const base::Instant week = world.Now() - base::Days(30);
  const Recording inside{week + base::Days(3)};
  const Recording outside{week - base::Days(3)};
};

TEST_F(HardCaseOfAHold, N17_AHoldOnOneWeekKeepsThatWeekOfADeletionOfEverything) {
  deleting.Hold("a", TheWeekFrom(week));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  EXPECT_EQ(Answer(inside), "HOLD no: LEGAL_HOLD, DELETED");
  EXPECT_EQ(Answer(outside), "PURGE no: DELETED");
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].exceptions, std::vector<std::string>{"as it was ordered"});
  ASSERT_TRUE(deleting.End("audio", tasks[0]).ok());
  EXPECT_EQ(deleting.Work("transcripts"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress) << "that week is still there";
  EXPECT_EQ(deleting.Work("audio"), 0U) << "what is left is on hold";
  EXPECT_EQ(world.deletions().Get(place)->on_hold, domain::OnHold::kByLaw);
}

TEST_F(HardCaseOfAHold, N18_AReleaseSendsTheWaitingPurgeOnAtOnce) {
  const HoldPlace hold = deleting.Hold("a", TheWeekFrom(week));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  deleting.Work("audio");
  deleting.Work("transcripts");
  world.Restart();
  EXPECT_EQ(deleting.Work("audio"), 0U) << "nor does a restart send it on";
  ASSERT_TRUE(deleting.Release(hold).ok());
  EXPECT_EQ(Fate(inside), "PURGE: DELETED");
  EXPECT_EQ(world.deletions().Get(place)->on_hold, domain::OnHold::kNo);
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U) << "at once";
  EXPECT_TRUE(tasks[0].exceptions.empty());
  ASSERT_TRUE(deleting.End("audio", tasks[0], PurgeOutcome::kNotFound, 0).ok());
  EXPECT_EQ(deleting.Get(place).Find(1)->outcome, PurgeOutcome::kAcknowledged) << "of both rounds together";
  EXPECT_EQ(deleting.Get(place).Find(1)->erased_count, 1U);
  EXPECT_EQ(deleting.Work("transcripts"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_F(HardCaseOfAHold, N20_OfTwoHoldsOneReleasedIsStillAHold) {
  const HoldPlace first = deleting.Hold("a", TheWeekFrom(week));
  deleting.Hold("a", TheWeekFrom(week));
  const DeletionPlace place = deleting.Ask("a", Within(week, week + base::Days(7)));
  EXPECT_EQ(deleting.Work("audio"), 0U) << "all of it is on hold";
  ASSERT_TRUE(deleting.Release(first).ok());
  world.Restart();
  EXPECT_EQ(Fate(inside), "HOLD: LEGAL_HOLD, DELETED");
  EXPECT_EQ(deleting.Work("audio"), 0U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kAccepted);
}

TEST_F(HardCaseOfAHold, N21_ExpiredRetentionUnderAHoldIsHeld) {
  ASSERT_TRUE(world.Retain("a", Account(), {domain::RetentionKind::kMonths, 3}).ok());
  const base::Instant old = world.Now() - base::Days(150);
  HeldPart held;
  held.captured = {old - base::Days(1), old + base::Days(1)};
  deleting.Hold("a", held);
  EXPECT_EQ(Fate(Recording(old)), "HOLD: LEGAL_HOLD, RETENTION_EXPIRED");
  EXPECT_EQ(Fate(Recording(old + base::Days(5))), "PURGE: RETENTION_EXPIRED");
}

TEST_F(HardCaseOfAHold, N22_AHoldAfterThePurgeComesTooLateAndTheRecordSaysSo) {
  const DeletionPlace place = deleting.Ask("a", Within(week, week + base::Days(7)));
  deleting.Work("audio");
  deleting.Work("transcripts");
  const domain::DeletionRequest done = deleting.Get(place);
  ASSERT_EQ(done.state, DeletionState::kCompleted);
  const HoldPlace hold = deleting.Hold("a", TheWeekFrom(week));
  EXPECT_EQ(deleting.Get(place), done) << "it stays purged";
  EXPECT_LT(done.Find(1)->ended_at, world.holds().Get(hold)->row.placed_at);
  EXPECT_LT(done.Find(2)->ended_at, world.holds().Get(hold)->row.placed_at);
}

TEST_F(HardCaseOfAHold, WhatWasErasedBeforeTheHoldIsReportedAsThat) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto before = deleting.Lease("audio");
  ASSERT_EQ(before.size(), 1U);
  deleting.Hold("a", TheWeekFrom(week));
  EXPECT_EQ(ReasonOf(deleting.End("audio", before[0])), "LEASE_LOST") << "the lease was taken back";
  const auto after = deleting.Lease("audio");
  ASSERT_EQ(after.size(), 1U) << "and the task is handed out again at once";
  EXPECT_EQ(after[0].exceptions.size(), 1U);
  ASSERT_TRUE(deleting.End("audio", after[0], PurgeOutcome::kErasedBeforeHold).ok());
  EXPECT_EQ(deleting.Get(place).Find(1)->outcome, PurgeOutcome::kErasedBeforeHold);
  EXPECT_TRUE(deleting.Get(place).Find(1)->leased_before);
}

TEST_F(HardCaseOfAHold, ARenewalSaysThatAHoldTookTheTaskBackAndTheHoldSaysWhoStillHasIt) {
  using State = service::Renewal::State;
  deleting.Ask("a", AllOfIt());
  const service::SystemRow audio = deleting.Named("audio");
  const auto before = deleting.Lease("audio", 1, base::Hours(12));
  ASSERT_EQ(before.size(), 1U);
  const auto renewed = [&](const service::LeasedTask& task) {
    return world.tasks().Renew(audio, task.place, task.row.epoch, base::Hours(12))->state;
  };
  EXPECT_EQ(renewed(before[0]), State::kRenewed);
  const HoldPlace hold = deleting.Hold("a", TheWeekFrom(week));
  EXPECT_EQ(renewed(before[0]), State::kTakenBack) << "by the first renewal after the acknowledgement";
  const auto out = [&] { return world.holds().Get(hold)->leases_out; };
  ASSERT_EQ(out().size(), 1U);
  EXPECT_EQ(out()[0].system, audio.number);
  EXPECT_EQ(out()[0].until, before[0].row.leased_until);
  const auto after = deleting.Lease("audio");
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].row.again, service::Again::kTakenBack);
  EXPECT_EQ(renewed(before[0]), State::kTakenBack) << "also when another worker has it already";
  EXPECT_EQ(out().size(), 1U) << "the first worker may still be at it";
  service::TaskFailure stopped;
  stopped.epoch = before[0].row.epoch;
  stopped.erased_count = 5;
  stopped.evidence[0] = 1;
  ASSERT_TRUE(world.tasks().Fail(audio, before[0].place, stopped).ok());
  ASSERT_TRUE(world.tasks().Fail(audio, before[0].place, stopped).ok()) << "repeating is harmless";
  EXPECT_TRUE(out().empty()) << "it has said that it stopped";
  EXPECT_EQ(renewed(after[0]), State::kRenewed) << "the second lease is none the worse";
  EXPECT_EQ(world.queue().counts(audio.number).stuck, 0);
  ASSERT_TRUE(deleting.End("audio", after[0], PurgeOutcome::kAcknowledged, 2).ok());
  ASSERT_TRUE(deleting.Release(hold).ok());
  const auto rest = deleting.Lease("audio");
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].row.again, service::Again::kHoldReleased)
      << "what was held was there all the time: looking at new arrivals is not enough";
  EXPECT_TRUE(rest[0].row.looked_at.IsSet());
  EXPECT_EQ(rest[0].row.erased_count, 7U) << "what was erased before the hold is counted, once";
  EXPECT_EQ(rest[0].row.failures, 0U) << "a hold is no failure";
}

TEST_F(HardCaseOfAHold, ALeaseForSomethingElseIsNotTakenBack) {
  deleting.Ask("a", Within(week, week + base::Days(7)));
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  deleting.Hold("a", TheWeekFrom(week + base::Days(8)));
  EXPECT_TRUE(deleting.Lease("audio").empty());
  EXPECT_TRUE(deleting.End("audio", tasks[0]).ok());
}

TEST_F(HardCaseOfAHold, OneOfTwoReleasedWhileATaskIsOutIsNotForgotten) {
  const HoldPlace first = deleting.Hold("a", TheWeekFrom(week));
  deleting.Hold("a", TheWeekFrom(week + base::Days(8)));
  deleting.Ask("a", AllOfIt());
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].exceptions.size(), 2U);
  ASSERT_TRUE(deleting.Release(first).ok());
  EXPECT_TRUE(deleting.Lease("audio").empty()) << "it is out";
  ASSERT_TRUE(deleting.End("audio", tasks[0]).ok());
  const auto again = deleting.Lease("audio");
  ASSERT_EQ(again.size(), 1U) << "what the report did not cover may go";
  EXPECT_EQ(again[0].exceptions.size(), 1U);
  ASSERT_TRUE(deleting.End("audio", again[0]).ok());
  EXPECT_TRUE(deleting.Lease("audio").empty()) << "the rest waits";
}

TEST_F(HardCaseOfAHold, AReleaseWhileATaskIsOutLetsItBeReported) {
  const HoldPlace hold = deleting.Hold("a", TheWeekFrom(week));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto tasks = deleting.Lease("audio");
  ASSERT_EQ(tasks.size(), 1U);
  ASSERT_TRUE(deleting.Release(hold).ok());
  ASSERT_TRUE(deleting.End("audio", tasks[0]).ok());
  EXPECT_EQ(deleting.Get(place).Find(1)->outcome, PurgeOutcome::kOpen) << "it left that week alone";
  EXPECT_EQ(deleting.Work("audio"), 1U) << "so it comes again, at once";
  EXPECT_EQ(deleting.Get(place).Find(1)->outcome, PurgeOutcome::kAcknowledged);
}

TEST_F(HardCaseOfAHold, SingleRecordingsCanBeHeld) {
  const HoldPlace first = deleting.Hold("a", deleting.HeldRecordings({"r1", "r2"}));
  const HoldPlace second = deleting.Hold("a", deleting.HeldRecordings({"r2"}));
  const DeletionPlace one = deleting.Ask("a", deleting.Recordings({"r1"}));
  const DeletionPlace other = deleting.Ask("a", deleting.Recordings({"r3"}));
  Recording r1(world.Now() - base::Days(1));
  r1.id = "r1";
  Recording r2 = r1;
  r2.id = "r2";
  EXPECT_EQ(Fate(r1), "HOLD: LEGAL_HOLD, DELETED");
  EXPECT_EQ(deleting.Work("audio"), 1U) << "only r3's";
  EXPECT_EQ(deleting.Get(other).Find(1)->outcome, PurgeOutcome::kAcknowledged);
  ASSERT_TRUE(deleting.Release(first).ok());
  world.Restart();
  EXPECT_EQ(Fate(r1), "PURGE: DELETED");
  EXPECT_EQ(Fate(r2), "HOLD: LEGAL_HOLD") << "by the other hold";
  ASSERT_TRUE(deleting.Release(second).ok());
  EXPECT_EQ(Fate(r2), "KEEP");
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(one).Find(1)->outcome, PurgeOutcome::kAcknowledged);
}

TEST_F(HardCaseOfAHold, AReleaseIsALoosening) {
  const HoldPlace hold = deleting.Hold("a", HeldPart{});
  const auto release = [&](uint64_t etag, domain::Channel channel) {
    service::ChangeRequest change;
    change.command.proof.channel = channel;
    change.command.proof.actor = domain::Actor::kAgent;
    absl::Status result;
    std::promise<void> told;
    service::HoldRelease order{{"a court", "over"}};
    if (etag != 0) order.etag = etag;
    world.holds().Release(std::move(change), hold, std::move(order), [&](absl::Status done) {
      result = std::move(done);
      told.set_value();
    });
    told.get_future().get();
    return ReasonOf(result);
  };
  const uint64_t etag = world.holds().Get(hold)->row.changed;
  EXPECT_EQ(release(0, domain::Channel::kSupport), "ETAG_REQUIRED");
  EXPECT_EQ(release(etag + 1, domain::Channel::kSupport), "ETAG_MISMATCH");
  EXPECT_EQ(release(etag, domain::Channel::kMissing), "EVIDENCE_REQUIRED");
  EXPECT_EQ(Fate(inside), "HOLD: LEGAL_HOLD");
  EXPECT_EQ(release(etag, domain::Channel::kSupport), "NONE");
  EXPECT_EQ(release(etag, domain::Channel::kSupport), "NONE") << "repeated";
  EXPECT_EQ(Fate(inside), "KEEP");
  const service::HoldRow row = world.holds().Get(hold)->row;
  EXPECT_EQ(row.placed.authority, "a court");
  EXPECT_EQ(row.released.reason, "over");
  EXPECT_FALSE(world.holds().Get(hold)->payload.has_value()) << "its ids are gone";
}

TEST_F(HardCaseOfAHold, ThereIsABoundForHolds) {
  for (size_t i = 0; i < domain::kMaxHolds; ++i) {
    deleting.Hold("a", TheWeekFrom(week + base::Days(static_cast<int64_t>(i))));
  }
  EXPECT_EQ(ReasonOf(deleting.TryHold("a", HeldPart{})), "SUBJECT_FULL");
  EXPECT_EQ(ReasonOf(deleting.TryHold("b", HeldPart{})), "NONE") << "each subject's own";
  const auto page = world.holds().List({world.Handle("a"), false, false}, 10, {});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->holds.size(), 10U);
  EXPECT_TRUE(page->next.has_value());
  EXPECT_EQ(world.holds().List({}, 1000, {})->holds.size(), domain::kMaxHolds + 1);
}

}  // namespace
}  // namespace consent::test
