// Tasks, leases and data systems: what is handed out, to whom, and what a report is worth.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::PurgeOutcome;
using service::DeletionPlace;
using service::DeletionStep;

class PurgeTasksTest : public testing::TestWithParam<uint16_t> {
 protected:
  static World::Options Partitions() {
    World::Options options;
    options.partitions = GetParam();
    return options;
  }
  bool HasKey(DeletionPlace place) {
    return world.store()
        .Get(place.partition, store::Table::kKeyShare, service::DeletionShareKey(world.core(), place))
        .ok();
  }

  World world{Partitions()};
  Deleting deleting{world};
};
INSTANTIATE_TEST_SUITE_P(Tasks, PurgeTasksTest, testing::Values(1, 3));

TEST_P(PurgeTasksTest, ALeaseIsOneWorkersUntilItRunsOut) {
  deleting.Register(System("audio"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto first = deleting.Lease("audio", 10, base::Seconds(100));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].payload.account_id, "a");
  EXPECT_TRUE(deleting.Lease("audio").empty());
  world.Wait(base::Seconds(101));
  const auto second = deleting.Lease("audio");
  ASSERT_EQ(second.size(), 1U) << "the worker that died gives it back";
  EXPECT_GT(second[0].row.epoch, first[0].row.epoch);
  EXPECT_EQ(ReasonOf(deleting.End("audio", first[0])), "LEASE_LOST") << "fenced off";
  EXPECT_EQ(ReasonOf(deleting.Fail("audio", first[0])), "LEASE_LOST");
  ASSERT_TRUE(deleting.End("audio", second[0], PurgeOutcome::kNotFound, 0).ok());
  const domain::SystemProgress part = *deleting.Get(place).Find(1);
  EXPECT_EQ(part.outcome, PurgeOutcome::kNotFound);
  EXPECT_TRUE(part.leased_before) << "the first worker may have erased what the second did not find";
}

TEST_P(PurgeTasksTest, ALateReportCountsAsLongAsNobodyElseHasTheTask) {
  deleting.Register(System("audio"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto tasks = deleting.Lease("audio", 10, base::Seconds(10));
  world.Wait(base::Seconds(60));
  EXPECT_TRUE(deleting.End("audio", tasks.at(0)).ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_P(PurgeTasksTest, ReportsMayBeRepeatedAndAreCountedOnce) {
  deleting.Register(System("audio"));
  deleting.Register(System("copies"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto tasks = deleting.Lease("audio");
  ASSERT_TRUE(deleting.End("audio", tasks.at(0), PurgeOutcome::kAcknowledged, 5).ok());
  EXPECT_TRUE(deleting.End("audio", tasks.at(0), PurgeOutcome::kAcknowledged, 5).ok());
  world.Restart();
  EXPECT_TRUE(deleting.End("audio", tasks.at(0), PurgeOutcome::kAcknowledged, 5).ok());
  EXPECT_EQ(deleting.Get(place).Find(1)->erased_count, 5U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  EXPECT_EQ(world.queue().counts(1).open, 0);
  EXPECT_EQ(world.queue().counts(2).open, 1);
  service::LeasedTask never = tasks[0];
  EXPECT_EQ(ReasonOf(deleting.End("copies", never)), "LEASE_LOST") << "not leased to anybody";
  never.place.number += 1000;
  EXPECT_EQ(ReasonOf(deleting.End("audio", never)), "TASK_NOT_FOUND");
}

TEST_P(PurgeTasksTest, AFailedTaskComesBackLaterAndLater) {
  deleting.Register(System("audio"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  base::Span longest;
  for (uint32_t failures = 1; failures <= 20; ++failures) {
    auto tasks = deleting.Lease("audio");
    ASSERT_EQ(tasks.size(), 1U) << failures;
    ASSERT_TRUE(deleting.Fail("audio", tasks[0]).ok());
    EXPECT_EQ(ReasonOf(deleting.End("audio", tasks[0])), "LEASE_LOST") << "given back";
    EXPECT_TRUE(deleting.Lease("audio").empty()) << "not at once";
    const auto open = world.tasks().List(deleting.Named("audio"), failures, 10, {});
    ASSERT_EQ(open->tasks.size(), 1U) << "never dropped";
    EXPECT_EQ(open->tasks[0].row.last_error, "it did not work");
    const base::Span delay = open->tasks[0].row.not_before - world.Now();
    EXPECT_LE(delay, base::Days(1));
    longest = std::max(longest, delay);
    if (failures % 7 == 0) world.Restart();
    world.Wait(delay);
    world.Wait(base::Seconds(1));
  }
  EXPECT_GE(longest, base::Hours(12));
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_P(PurgeTasksTest, ALeaseIsKeptByRenewalsAndByNobodyElses) {
  using State = service::Renewal::State;
  deleting.Register(System("audio"));
  deleting.Register(System("copies"));
  deleting.Ask("a", AllOfIt());
  const service::SystemRow audio = deleting.Named("audio");
  const auto task = deleting.Lease("audio", 1, base::Seconds(100)).at(0);
  const auto renew = [&](const service::SystemRow& system, uint64_t epoch) {
    return world.tasks().Renew(system, task.place, epoch, base::Seconds(100));
  };
  for (int i = 0; i < 10; ++i) {
    world.Wait(base::Seconds(60));
    const auto renewed = renew(audio, task.row.epoch);
    ASSERT_EQ(renewed->state, State::kRenewed);
    EXPECT_GE(renewed->until, world.Now() + base::Seconds(50));
    EXPECT_TRUE(deleting.Lease("audio").empty());
  }
  EXPECT_EQ(renew(audio, task.row.epoch + 1)->state, State::kLost);
  EXPECT_EQ(renew(deleting.Named("copies"), task.row.epoch)->state, State::kLost) << "another system's";
  world.Restart();
  EXPECT_EQ(renew(audio, task.row.epoch)->state, State::kRenewed);
  ASSERT_TRUE(deleting.End("audio", task).ok());
  EXPECT_EQ(renew(audio, task.row.epoch)->state, State::kDone);
}

TEST_P(PurgeTasksTest, ALeaseThatRunsOutWithoutAReportIsAFailure) {
  deleting.Register(System("audio"));
  deleting.Ask("a", AllOfIt());
  const service::SystemRow audio = deleting.Named("audio");
  for (uint32_t failures = 0; failures <= service::kStuckAfter; ++failures) {
    ASSERT_EQ(deleting.Lease("audio", 1, base::Seconds(10)).size(), 1U);
    const auto open = world.tasks().List(audio, 0, 10, {});
    EXPECT_EQ(open->tasks.at(0).row.failures, failures) << "nothing fails for ever without a word";
    EXPECT_EQ(world.queue().counts(audio.number).stuck, failures >= service::kStuckAfter ? 1 : 0);
    world.Wait(base::Seconds(11));
  }
  world.Restart();
  EXPECT_EQ(world.queue().counts(audio.number).stuck, 1);
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(world.queue().counts(audio.number).stuck, 0);
}

TEST_P(PurgeTasksTest, WhatAFailedRunErasedIsCountedAndItsEvidenceKept) {
  deleting.Register(System("audio"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const service::SystemRow audio = deleting.Named("audio");
  const auto first = deleting.Lease("audio").at(0);
  service::TaskFailure failure;
  failure.epoch = first.row.epoch;
  failure.erased_count = 3;
  failure.evidence[0] = 7;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(world.tasks().Fail(audio, place, failure).ok());
  world.Wait(base::Days(1));
  ASSERT_TRUE(deleting.End("audio", deleting.Lease("audio").at(0), PurgeOutcome::kAcknowledged, 4).ok());
  const domain::SystemProgress part = *deleting.Get(place).Find(1);
  EXPECT_EQ(part.erased_count, 7U);
  EXPECT_EQ(part.evidence[0] == 7 ? part.evidence : part.earlier_evidence, failure.evidence);
}

TEST_P(PurgeTasksTest, TheKeyGoesWithTheLastReportAndTheIdsWithIt) {
  deleting.Register(System("audio"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  EXPECT_TRUE(HasKey(place));
  EXPECT_TRUE(world.deletions().Get(place)->payload.has_value());
  deleting.Work("audio");
  EXPECT_FALSE(HasKey(place));
  EXPECT_FALSE(world.deletions().Get(place)->payload.has_value());
}

TEST_P(PurgeTasksTest, ARequestWithoutAnySystemWaitsForOne) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const DeletionPlace unverified = deleting.Ask("b", AllOfIt(), DeletionState::kReceived);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kAccepted) << "nobody could confirm anything";
  deleting.Register(System("audio"));
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  deleting.Register(System("late"));
  EXPECT_EQ(deleting.Work("late"), 0U) << "completed as of its systems";
  ASSERT_TRUE(deleting.Step(unverified, DeletionStep::kVerify).ok());
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(unverified).state, DeletionState::kInProgress);
  EXPECT_EQ(deleting.Work("late"), 1U);
  EXPECT_EQ(deleting.Get(unverified).state, DeletionState::kCompleted);
}

TEST_P(PurgeTasksTest, ASystemThatIsRegisteredGetsTasksOfWhatIsOpen) {
  deleting.Register(System("audio"));
  std::vector<DeletionPlace> places;
  for (int i = 0; i < 20; ++i) places.push_back(deleting.Ask("a" + std::to_string(i), AllOfIt()));
  deleting.Register(System("late"));
  EXPECT_EQ(world.queue().counts(deleting.Named("late").number).open, 20);
  EXPECT_EQ(deleting.Work("audio"), 20U);
  for (const DeletionPlace& place : places) EXPECT_EQ(deleting.Get(place).state, DeletionState::kInProgress);
  EXPECT_EQ(deleting.Work("late"), 20U);
  for (const DeletionPlace& place : places) EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

// Requests and a registration at once: whatever their order, no request is without a task for the new system.
TEST_P(PurgeTasksTest, RegisteringAndAcceptingCannotMissEachOther) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<DeletionPlace> places;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const DeletionPlace place = deleting.Ask("a" + std::to_string(t * kEach + i), AllOfIt());
        const std::lock_guard<std::mutex> lock(mutex);
        places.push_back(place);
      }
    });
  }
  for (const char* name : {"one", "two", "three"}) deleting.Register(System(name));
  for (std::thread& thread : threads) thread.join();
  for (const DeletionPlace& place : places) EXPECT_EQ(deleting.Get(place).parts.size(), 3U);
  for (const char* name : {"one", "two", "three"}) EXPECT_EQ(deleting.Work(name), size_t{kThreads * kEach}) << name;
  for (const DeletionPlace& place : places) EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
}

TEST_P(PurgeTasksTest, SystemsAreRegisteredOnceAndRetiredWithAReason) {
  deleting.Register(System("audio"));
  EXPECT_TRUE(world.systems().Register(System("audio")).ok()) << "the same again";
  service::SystemRow other = System("audio");
  other.checks_on_ingest = false;
  EXPECT_EQ(ReasonOf(world.systems().Register(other)), "SYSTEM_EXISTS");
  service::SystemRow blind = System("blind");
  blind.matches_by = 1;
  EXPECT_EQ(ReasonOf(world.systems().Register(blind)), "SYSTEM_CANNOT_MATCH");
  EXPECT_EQ(ReasonOf(world.systems().Retire("none", "")), "SYSTEM_NOT_FOUND");
  deleting.Register(System("copies"));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  EXPECT_EQ(ReasonOf(world.systems().Retire("copies", "")), "SYSTEM_HAS_TASKS");
  ASSERT_TRUE(world.systems().Retire("copies", "its disks were shredded").ok());
  EXPECT_EQ(deleting.Get(place).Find(2)->outcome, PurgeOutcome::kExempt);
  EXPECT_EQ(deleting.Get(place).Find(2)->exempt, domain::ExemptReason::kSystemRetired);
  EXPECT_EQ(deleting.Get(place).Find(2)->reason, "its disks were shredded");
  EXPECT_EQ(deleting.Work("audio"), 1U);
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  EXPECT_EQ(ReasonOf(world.systems().Register(System("copies"))), "SYSTEM_EXISTS") << "names are not used again";
  world.Restart();
  EXPECT_EQ(world.systems().List().size(), 2U);
  EXPECT_EQ(deleting.Get(deleting.Ask("b", AllOfIt())).parts.size(), 1U);
  for (int i = 3; i <= 64; ++i) deleting.Register(System("s" + std::to_string(i)));
  EXPECT_EQ(ReasonOf(world.systems().Register(System("one-more"))), "SYSTEMS_FULL");
}

TEST_P(PurgeTasksTest, ManyWorkersDoEachTaskOnce) {
  deleting.Register(System("audio"));
  constexpr int kRequests = 120;
  for (int i = 0; i < kRequests; ++i) deleting.Ask("a" + std::to_string(i), AllOfIt());
  std::mutex mutex;
  std::multiset<DeletionPlace> done;
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&] {
      for (auto tasks = deleting.Lease("audio", 7); !tasks.empty(); tasks = deleting.Lease("audio", 7)) {
        for (const service::LeasedTask& task : tasks) {
          EXPECT_TRUE(deleting.End("audio", task).ok());
          const std::lock_guard<std::mutex> lock(mutex);
          done.insert(task.place);
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(done.size(), size_t{kRequests});
  EXPECT_EQ(std::set<DeletionPlace>(done.begin(), done.end()).size(), size_t{kRequests});
  EXPECT_EQ(world.queue().counts(1).open, 0);
}

TEST_P(PurgeTasksTest, CancellingTakesTheTombstoneBackAndNeedsTheEtagAndEvidence) {
  deleting.Register(System("audio"));
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  const Recording recording(world.Now() - base::Days(1));
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const DeletionPlace kept =
      deleting.Ask("a", Within(world.Now() - base::Days(30), world.Now() - base::Days(20)), DeletionState::kReceived);
  EXPECT_EQ(Text(world.Check("a", recording)), "PURGE no: DELETED");
  EXPECT_EQ(ReasonOf(deleting.Step(place, DeletionStep::kCancel)), "ETAG_REQUIRED");
  ASSERT_TRUE(deleting.Cancel(place).ok());
  EXPECT_EQ(deleting.Get(place).state, DeletionState::kCancelled);
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP yes: CONSENT");
  EXPECT_EQ(Text(world.Check("a", Recording(world.Now() - base::Days(25)))), "KEEP no: DELETION_PENDING")
      << "the other one stays";
  EXPECT_EQ(deleting.Work("audio"), 0U);
  EXPECT_EQ(world.queue().counts(1).open, 0);
  EXPECT_FALSE(HasKey(place));
  const DeletionPlace begun = deleting.Ask("a", AllOfIt());
  ASSERT_EQ(deleting.Lease("audio").size(), 2U) << "what lies within it was verified with it";
  EXPECT_EQ(ReasonOf(deleting.Cancel(begun)), "DELETION_STATE") << "it may have been erased";
  EXPECT_EQ(deleting.Get(kept).state, DeletionState::kInProgress);
  EXPECT_EQ(world.deletions().List({}, 100, {})->requests.size(), 3U);
}

TEST_P(PurgeTasksTest, SingleRecordingsAreMarkedByTheStrictestOfTheirRequests) {
  deleting.Register(System("audio"));
  const Recording recording = Recording(world.Now() - base::Days(1)).Id("r1");
  const auto fate = [&] { return Text(world.Check("a", recording, domain::Purpose::kNone)); };
  const DeletionPlace one = deleting.Ask("a", deleting.Recordings({"r1", "r2"}), DeletionState::kReceived);
  const DeletionPlace two = deleting.Ask("a", deleting.Recordings({"r1"}));
  EXPECT_EQ(fate(), "PURGE: DELETED");
  ASSERT_TRUE(deleting.Cancel(two).ok());
  EXPECT_EQ(fate(), "KEEP");
  world.Restart();
  EXPECT_EQ(fate(), "KEEP");
  ASSERT_TRUE(deleting.Step(one, DeletionStep::kVerify).ok());
  EXPECT_EQ(fate(), "PURGE: DELETED");
  EXPECT_EQ(Text(world.Check("a", Recording(world.Now()).Id("r3"), domain::Purpose::kNone)), "KEEP");
  world.Restart();
  EXPECT_EQ(fate(), "PURGE: DELETED");
}

TEST_P(PurgeTasksTest, ListsGoPageByPage) {
  for (int i = 0; i < 25; ++i) deleting.Ask("a" + std::to_string(i % 5), AllOfIt(), DeletionState::kReceived);
  std::set<DeletionPlace> seen;
  DeletionPlace from;
  for (;;) {
    const auto page = world.deletions().List({}, 4, from);
    ASSERT_TRUE(page.ok());
    for (const service::DeletionView& view : page->requests) EXPECT_TRUE(seen.insert(view.place).second);
    if (!page->next.has_value()) break;
    from = *page->next;
  }
  EXPECT_EQ(seen.size(), 25U);
  service::DeletionFilter of_one;
  of_one.subject = world.Handle("a3");
  EXPECT_EQ(world.deletions().List(of_one, 100, {})->requests.size(), 5U);
  of_one.states = {DeletionState::kCompleted};
  EXPECT_TRUE(world.deletions().List(of_one, 100, {})->requests.empty());
}

}  // namespace
}  // namespace consent::test
