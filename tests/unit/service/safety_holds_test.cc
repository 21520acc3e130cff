// What a report of SAFETY holds, and until when: answers, purge tasks, and closed accounts.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Flags;
using domain::OnHold;
using domain::Purpose;
using service::DeletionPlace;
using service::LeasedTask;
using Names = std::set<std::string>;

constexpr base::Span kHold = base::Hours(72);

PolicyBuilder Holding(int hours, const std::string& version) {
  PolicyBuilder policy(version);
  policy.policy().set_safety_hold_hours(hours);
  return policy;
}

// The recordings that a task leaves alone.
Names LeftOutOf(const LeasedTask& task) {
  Names names;
  for (const std::string& exception : task.exceptions) {
    v1::HoldSelector held;
    if (!held.ParseFromString(exception)) names.insert(exception);
    for (const std::string& id : held.recordings().recording_ids()) names.insert(id);
  }
  return names;
}

class SafetyHolds : public testing::TestWithParam<uint64_t> {
 protected:
  SafetyHolds() : world_(World::Options{.partitions = 4, .max_subjects = GetParam()}) {
    EXPECT_TRUE(world_.Activate(Holding(72, "v2")).ok());
    deleting_.Register(System("audio"));
    EXPECT_TRUE(world_.Register("a", "DE").ok());
    EXPECT_TRUE(world_.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  }
  // Returns from when on it is held.
  base::Instant Report(const std::string& recording, const std::string& account = "a") {
    world_.Wait(base::Seconds(1));  // two commits of one time are stamped one after the other
    EXPECT_TRUE(world_.Report(account, recording, Flags::kSafety).ok());
    return world_.Now() - base::Seconds(60);
  }
  std::string Fate(const std::string& recording, const std::string& account = "a") const {
    return Text(world_.Check(account, Recording(old_).Id(recording), Purpose::kNone));
  }
  std::vector<LeasedTask> Lease() { return deleting_.Lease("audio", 100, base::Hours(6)); }
  absl::Status End(const LeasedTask& task) { return deleting_.End("audio", task); }
  // The only one that is handed out now; ends it.
  Names LeaveOutOfTheOnlyOne() {
    const auto tasks = Lease();
    EXPECT_EQ(tasks.size(), 1U);
    if (tasks.size() != 1) return {"no task"};
    EXPECT_TRUE(End(tasks[0]).ok());
    return LeftOutOf(tasks[0]);
  }
  // By the wall: stamps that were made at one time lie behind it.
  void WaitUntil(base::Instant time) { world_.Wait(time - world_.clock.Now()); }
  store::Sequence Head() const {
    return world_.store().GetHead(world_.core().PartitionOf(world_.Handle("a"))).stamp.sequence;
  }

  World world_;
  Deleting deleting_{world_};
  const base::Instant old_ = world_.Now() - base::Days(20);
};
INSTANTIATE_TEST_SUITE_P(Index, SafetyHolds, testing::Values(uint64_t{1} << 20, uint64_t{0}),
                         [](const auto& of) { return of.param == 0 ? "NoIndex" : "Index"; });

TEST_P(SafetyHolds, WhatIsDeletedIsHeldUntilTheHoursAreOver) {
  const base::Instant since = Report("r1");
  deleting_.Ask("a", AllOfIt());
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED");
  EXPECT_EQ(Fate("r2"), "PURGE: DELETED") << "no other one";
  EXPECT_EQ(Text(world_.Check("a", Recording(old_).Id("r1"))), "HOLD no: SAFETY_HOLD, DELETED, SAFETY");
  world_.Restart();
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED") << "the time is in the store";
  WaitUntil(since + kHold - base::Seconds(1));
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED");
  ASSERT_TRUE(world_.Report("a", "r1", Flags::kSafety | Flags::kCriticalData).ok());
  EXPECT_EQ(Fate("r1"), "PURGE: DELETED") << "the first report counts";
}

TEST_P(SafetyHolds, ATaskOfTheRecordingIsNotHandedOutBefore) {
  const base::Instant since = Report("r1");
  const DeletionPlace place = deleting_.Ask("a", deleting_.Recordings({"r1"}));
  const domain::DeletionRequest asked = deleting_.Get(place);
  EXPECT_TRUE(Lease().empty());
  EXPECT_EQ(world_.deletions().Get(place)->on_hold, OnHold::kForSafety);
  world_.Restart();
  EXPECT_TRUE(Lease().empty()) << "nor does a restart send it on";
  const store::Sequence head = Head();
  WaitUntil(since + kHold - base::Seconds(1));
  EXPECT_TRUE(Lease().empty());
  WaitUntil(since + kHold);
  EXPECT_EQ(Head(), head) << "it becomes due by itself: nothing was written";
  EXPECT_EQ(world_.deletions().Get(place)->on_hold, OnHold::kNo);
  EXPECT_EQ(deleting_.Get(place), asked) << "deadlines stay what they were";
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kCompleted);
}

TEST_P(SafetyHolds, ATaskOfEverythingLeavesItOutAndComesAgain) {
  const base::Instant first = Report("r1");
  world_.Wait(base::Hours(10));
  const base::Instant second = Report("r2");
  const DeletionPlace place = deleting_.Ask("a", AllOfIt());
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), (Names{"r1", "r2"}));
  EXPECT_TRUE(Lease().empty());
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kInProgress);
  EXPECT_EQ(world_.deletions().Get(place)->on_hold, OnHold::kForSafety);
  world_.Restart();
  EXPECT_TRUE(Lease().empty());
  WaitUntil(first + kHold);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{"r2"}) << "what has ended goes, what has not stays";
  EXPECT_TRUE(Lease().empty());
  WaitUntil(second + kHold);
  const auto last = Lease();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].row.again, service::Again::kHoldReleased);
  EXPECT_TRUE(last[0].exceptions.empty());
  ASSERT_TRUE(End(last[0]).ok());
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kCompleted);
}

TEST_P(SafetyHolds, AReportTakesALeaseBack) {
  deleting_.Ask("a", AllOfIt());
  const auto out = Lease();
  ASSERT_EQ(out.size(), 1U);
  ASSERT_TRUE(world_.Report("a", "r9", Flags::kCriticalData).ok());
  const auto renewed = [&] {
    return world_.tasks().Renew(deleting_.Named("audio"), out[0].place, out[0].row.epoch, base::Hours(6))->state;
  };
  EXPECT_EQ(renewed(), service::Renewal::State::kRenewed) << "critical data holds nothing";
  const base::Instant since = Report("r1");
  EXPECT_EQ(renewed(), service::Renewal::State::kTakenBack);
  EXPECT_EQ(ReasonOf(End(out[0])), "LEASE_LOST") << "it may have erased what must be kept";
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{"r1"});
  ASSERT_TRUE(world_.Report("a", "r1", Flags::kSafety).ok());
  EXPECT_TRUE(Lease().empty()) << "a repeated report sends nothing on";
  WaitUntil(since + kHold);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
}

TEST_P(SafetyHolds, AHoldThatEndsWhileATaskIsOutIsDoneAfterwards) {
  const base::Instant since = Report("r1");
  const DeletionPlace place = deleting_.Ask("a", AllOfIt());
  WaitUntil(since + kHold - base::Seconds(120));
  const auto out = Lease();
  ASSERT_EQ(out.size(), 1U);
  WaitUntil(since + kHold);
  ASSERT_TRUE(End(out[0]).ok());
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kInProgress) << "what was left out is still there";
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kCompleted);
}

TEST_P(SafetyHolds, BesideALegalHoldEachEndsByItself) {
  const base::Instant since = Report("r1");
  const service::HoldPlace hold = deleting_.Hold("a", deleting_.HeldRecordings({"r3"}));
  const DeletionPlace place = deleting_.Ask("a", AllOfIt());
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), (Names{"as it was ordered", "r1"}));
  EXPECT_EQ(world_.deletions().Get(place)->on_hold, OnHold::kByLaw);
  WaitUntil(since + kHold);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{"as it was ordered"});
  EXPECT_TRUE(Lease().empty());
  ASSERT_TRUE(deleting_.Release(hold).ok());
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kCompleted);
}

TEST_P(SafetyHolds, ThePolicyInForceCountsForTasksToo) {
  const base::Instant since = Report("r1");
  deleting_.Ask("a", deleting_.Recordings({"r1"}));
  world_.Wait(base::Hours(30));
  EXPECT_TRUE(Lease().empty());
  ASSERT_TRUE(world_.Activate(Holding(24, "v3")).ok());
  EXPECT_EQ(Fate("r1"), "PURGE: DELETED");
  world_.Wait(service::kSafetyPause);
  const auto tasks = Lease();
  ASSERT_EQ(tasks.size(), 1U) << "looked at again soon";
  ASSERT_TRUE(deleting_.Fail("audio", tasks[0]).ok());
  ASSERT_TRUE(world_.Activate(Holding(72, "v4")).ok());
  world_.Wait(base::Hours(1));
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED");
  EXPECT_TRUE(Lease().empty()) << "a longer one holds what is still there";
  WaitUntil(since + kHold);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
}

TEST_P(SafetyHolds, WithoutHoursNothingIsHeld) {
  ASSERT_TRUE(world_.Activate(Holding(0, "v3")).ok());
  Report("r1");
  deleting_.Ask("a", deleting_.Recordings({"r1"}));
  EXPECT_EQ(Fate("r1"), "PURGE: DELETED");
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
}

TEST_P(SafetyHolds, InDoubtOfTheTimeItLastsForTasksToo) {
  const base::Instant since = Report("r1");
  deleting_.Ask("a", deleting_.Recordings({"r1"}));
  WaitUntil(since + kHold);
  world_.clock.StepWall(base::Days(400));
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED");
  EXPECT_TRUE(Lease().empty());
  world_.clock.StepWall(base::Span{-base::Days(400).micros});
  EXPECT_EQ(Fate("r1"), "PURGE: DELETED");
  world_.Wait(service::kSafetyPause);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
}

// The wall says yesterday: by it the report would be a day older than it is.
TEST_P(SafetyHolds, AReportInDoubtOfTheTimeIsNotTakenForAnOlderOne) {
  world_.Wait(base::Days(3));
  world_.clock.StepWall(base::Span{-base::Days(1).micros});
  const base::Instant truly = world_.time().Look().trusted;
  ASSERT_TRUE(world_.time().Look().doubtful);
  ASSERT_TRUE(world_.Report("a", "r1", Flags::kSafety).ok());
  world_.clock.StepWall(base::Days(1));
  deleting_.Ask("a", deleting_.Recordings({"r1"}));
  WaitUntil(truly + kHold - base::Seconds(1));
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED");
  EXPECT_TRUE(Lease().empty());
  world_.Wait(base::Seconds(62));
  EXPECT_EQ(Fate("r1"), "PURGE: DELETED");
}

TEST_P(SafetyHolds, AClosedAccountIsErasedAfterwards) {
  const base::Instant since = Report("r1");
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  const DeletionPlace place = deleting_.Ask("a", closure);
  EXPECT_EQ(Fate("r1"), "HOLD: SAFETY_HOLD, DELETED, ACCOUNT_CLOSED");
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{"r1"});
  EXPECT_FALSE(domain::IsForgotten(world_.Facts("a")));
  EXPECT_EQ(world_.core().safety_flags.open(), 1U) << "somebody can still be told";
  WaitUntil(since + kHold);
  EXPECT_EQ(LeaveOutOfTheOnlyOne(), Names{});
  EXPECT_EQ(deleting_.Get(place).state, DeletionState::kCompleted);
  EXPECT_TRUE(domain::IsForgotten(world_.Facts("a")));
  ASSERT_TRUE(world_.Report("a", "r7", Flags::kSafety).ok());
  EXPECT_EQ(Fate("r7").find("HOLD"), std::string::npos) << "nobody can be told whose it is";
}

TEST_P(SafetyHolds, WhatWasReportedUnderOneNameIsHeldUnderAll) {
  ASSERT_TRUE(world_.Register("b", "DE").ok());
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  deleting_.Ask("b", AllOfIt());
  const auto out = Lease();
  ASSERT_EQ(out.size(), 2U) << "one of each account";
  const base::Instant since = Report("r1", "a");
  for (const char* name : {"a", "b"}) EXPECT_EQ(Fate("r1", name), "HOLD: SAFETY_HOLD, DELETED") << name;
  for (const LeasedTask& task : out) EXPECT_EQ(ReasonOf(End(task)), "LEASE_LOST");
  const auto again = Lease();
  ASSERT_EQ(again.size(), 2U);
  for (const LeasedTask& task : again) {
    EXPECT_EQ(LeftOutOf(task), Names{"r1"});
    EXPECT_TRUE(End(task).ok());
  }
  EXPECT_TRUE(Lease().empty());
  WaitUntil(since + kHold);
  const auto last = Lease();
  ASSERT_EQ(last.size(), 2U);
  for (const LeasedTask& task : last) EXPECT_EQ(LeftOutOf(task), Names{});
}

}  // namespace
}  // namespace consent::test
