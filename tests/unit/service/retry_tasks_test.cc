// Tasks that failed are tried again at once; what a worker does not do is left to others; and looking takes nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "daemon/service/rows/change_row.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using domain::SelectorKind;
using service::Accepts;
using service::AcceptsOf;
using service::DeletionPlace;
using service::LeasedTask;
using service::Retried;

class RetryTest : public testing::TestWithParam<uint16_t> {
 protected:
  static World::Options Partitions() {
    World::Options options;
    options.partitions = GetParam();
    return options;
  }
  void SetUp() override { deleting.Register(System("audio")); }
  Retried Retry(DeletionPlace place) const {
    const auto retried = world.tasks().Retry(deleting.Named("audio"), {place}, "an operator");
    EXPECT_TRUE(retried.ok()) << retried.status();
    return retried->front();
  }
  service::TaskRow Row(DeletionPlace place) const {
    std::string bytes;
    return *service::LoadTask(world.core(), deleting.Named("audio"), place, &bytes);
  }
  // The only task that there is.
  DeletionPlace Failed(const std::string& account, int times = 1) {
    const DeletionPlace place = deleting.Ask(account, AllOfIt());
    for (int n = 0; n < times; ++n) {
      const auto leased = deleting.Lease("audio");
      EXPECT_EQ(leased.size(), 1U);
      EXPECT_TRUE(deleting.Fail("audio", leased.at(0)).ok());
      if (n + 1 < times) {
        EXPECT_EQ(Retry(place), Retried::kDue);
      }
    }
    return place;
  }

  FaultyWorld faulty{Partitions()};
  World& world = faulty.world;
  Deleting deleting{world};
};
INSTANTIATE_TEST_SUITE_P(Tasks, RetryTest, testing::Values(1, 3));

TEST_P(RetryTest, EndsThePauseAndKeepsTheFailures) {
  const DeletionPlace place = Failed("a", 6);
  EXPECT_TRUE(deleting.Lease("audio").empty()) << "it pauses";
  EXPECT_EQ(Retry(place), Retried::kDue);
  EXPECT_EQ(Row(place).failures, 6U);
  EXPECT_EQ(Row(place).last_error, "it did not work");
  EXPECT_EQ(world.queue().counts(1).stuck, 1) << "nobody has seen it work yet";
  world.Restart();
  EXPECT_EQ(Retry(place), Retried::kWasDue) << "durable, and repeating changes nothing";
  const auto again = deleting.Lease("audio");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(Retry(place), Retried::kLeased);
  ASSERT_TRUE(deleting.Fail("audio", again[0]).ok());
  EXPECT_EQ(Row(place).failures, 7U);
  EXPECT_GT((Row(place).not_before - world.Now()).micros, base::Seconds(60).micros) << "it pauses as long as before";
}

TEST_P(RetryTest, NeverTakesALeaseNorAnEndedTask) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  EXPECT_EQ(Retry(place), Retried::kWasDue);
  const LeasedTask task = deleting.Lease("audio", 1, base::Seconds(100)).at(0);
  const service::TaskRow before = Row(place);
  EXPECT_EQ(Retry(place), Retried::kLeased);
  EXPECT_EQ(service::EncodeTaskRow(Row(place)), service::EncodeTaskRow(before));
  EXPECT_TRUE(deleting.Lease("audio").empty());
  world.Wait(base::Seconds(101));
  EXPECT_EQ(Retry(place), Retried::kWasDue) << "the lease has run out";
  EXPECT_TRUE(deleting.End("audio", task).ok()) << "and nobody has taken it since";
  EXPECT_EQ(Retry(place), Retried::kNotFound);
  EXPECT_EQ(Retry({place.partition, place.number + 1000}), Retried::kNotFound);
}

TEST_P(RetryTest, WhatIsOnHoldWaitsForItsRelease) {
  domain::HeldPart week;
  week.captured = {world.Now() - base::Days(9), world.Now() - base::Days(2)};
  const service::HoldPlace hold = deleting.Hold("a", week);
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  ASSERT_TRUE(deleting.End("audio", deleting.Lease("audio").at(0)).ok());
  EXPECT_EQ(Retry(place), Retried::kOnHold);
  EXPECT_TRUE(deleting.Lease("audio").empty());
  ASSERT_TRUE(deleting.Release(hold).ok());
  EXPECT_EQ(deleting.Work("audio"), 1U);
}

// Whoever looked before its date would report the request as done before what is late has arrived.
TEST_P(RetryTest, WhatWaitsForLateDataWaitsForItsDate) {
  service::SystemRow late = System("late");
  late.checks_on_ingest = false;
  late.latest_arrival = base::Days(5);
  deleting.Register(late);
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  ASSERT_TRUE(deleting.End("late", deleting.Lease("late").at(0)).ok());
  const auto retry = [&] { return world.tasks().Retry(deleting.Named("late"), {place}, "")->front(); };
  EXPECT_EQ(retry(), Retried::kWaitsForDate);
  EXPECT_TRUE(deleting.Lease("late").empty());
  world.Wait(base::Days(6));
  EXPECT_EQ(retry(), Retried::kWasDue);
  ASSERT_TRUE(deleting.Fail("late", deleting.Lease("late").at(0)).ok());
  EXPECT_EQ(retry(), Retried::kDue) << "its date has passed, so that is a pause";
}

// A lease that comes between the reading and the commit wins.
TEST_P(RetryTest, ALeaseBetweenReadingAndCommitIsNotTouched) {
  const DeletionPlace place = Failed("a");
  std::vector<LeasedTask> leased;
  faulty.faulty->BeforeNextCommit([&] {
    EXPECT_EQ(Retry(place), Retried::kDue);
    leased = deleting.Lease("audio");
  });
  EXPECT_EQ(Retry(place), Retried::kLeased);
  ASSERT_EQ(leased.size(), 1U);
  EXPECT_EQ(Row(place).epoch, leased[0].row.epoch);
  EXPECT_TRUE(deleting.End("audio", leased[0]).ok());
}

// The daemon dies after some of the commits: repeating does the rest and nothing twice.
TEST_P(RetryTest, ACrashBetweenIsMendedByRepeating) {
  std::vector<DeletionPlace> places;
  for (int n = 0; n < 8; ++n) places.push_back(deleting.Ask("a" + std::to_string(n), AllOfIt()));
  for (const LeasedTask& task : deleting.Lease("audio")) ASSERT_TRUE(deleting.Fail("audio", task).ok());
  const service::SystemRow audio = deleting.Named("audio");
  ASSERT_TRUE(world.tasks().Retry(audio, {places[0], places[1]}, "").ok());
  for (const Fault fault : {Fault::kUnknownLost, Fault::kUnknownDone}) {
    faulty.faulty->Inject(fault);
    EXPECT_FALSE(world.tasks().Retry(audio, places, "").ok());
    faulty.faulty->Reopen();
    world.Restart();
  }
  const auto repeated = world.tasks().Retry(audio, places, "");
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  for (const Retried state : *repeated) EXPECT_TRUE(state == Retried::kDue || state == Retried::kWasDue);
  const auto once_more = world.tasks().Retry(audio, places, "");
  for (const Retried state : *once_more) EXPECT_EQ(state, Retried::kWasDue);
  for (const DeletionPlace& place : places) EXPECT_EQ(Row(place).failures, 1U);
  EXPECT_EQ(deleting.Work("audio"), places.size());
}

// Two workers and an operator who never stops: each lease is one worker's, and each of their reports counts.
TEST_P(RetryTest, WorkersAndRetriesAtOnceLoseNoLease) {
  constexpr int kEach = 60;
  std::vector<DeletionPlace> places;
  for (int n = 0; n < 4; ++n) places.push_back(deleting.Ask("a" + std::to_string(n), AllOfIt()));
  const service::SystemRow audio = deleting.Named("audio");
  std::mutex mutex;
  std::set<std::pair<DeletionPlace, uint64_t>> leases;
  std::atomic<int> failures = 0;
  std::vector<std::thread> workers;
  for (int w = 0; w < 2; ++w) {
    workers.emplace_back([&] {
      for (int done = 0; done < kEach;) {
        const auto leased = world.tasks().Lease(audio, 2, base::Seconds(300));
        for (const LeasedTask& task : *leased) {
          {
            const std::lock_guard<std::mutex> lock(mutex);
            EXPECT_TRUE(leases.emplace(task.place, task.row.epoch).second) << "handed out twice";
          }
          EXPECT_EQ(deleting.Fail("audio", task), absl::OkStatus()) << "its lease was taken";
          ++failures;
          ++done;
        }
      }
    });
  }
  std::atomic<bool> over = false;
  std::thread operator_([&] {
    while (!over) EXPECT_TRUE(world.tasks().Retry(audio, places, "an operator").ok());
  });
  for (std::thread& worker : workers) worker.join();
  over = true;
  operator_.join();
  uint64_t counted = 0;
  for (const DeletionPlace& place : places) counted += Row(place).failures;
  EXPECT_EQ(counted, static_cast<uint64_t>(failures)) << "each failure counts once";
}

TEST_P(RetryTest, SaysInTheFeedWhoseCallItWas) {
  const DeletionPlace place = Failed("a");
  ASSERT_EQ(Retry(place), Retried::kDue);
  const auto rows = world.core().store.Feed(place.partition, 1, 1000);
  ASSERT_TRUE(rows.ok());
  service::ChangeRow change;
  ASSERT_TRUE(service::DecodeChangeRow(rows->back().event.body, &change));
  EXPECT_EQ(change.kind, service::ChangeKind::kTaskRetried);
  EXPECT_EQ(change.caller, "an operator");
}

class AcceptsTest : public RetryTest {
 protected:
  std::vector<LeasedTask> Lease(Accepts accepts, size_t limit = 10) {
    return *world.tasks().Lease(deleting.Named("audio"), limit, base::Seconds(100), accepts);
  }
};
INSTANTIATE_TEST_SUITE_P(Tasks, AcceptsTest, testing::Values(1, 3));

TEST_P(AcceptsTest, WhatIsNotAcceptedIsLeftToOthersAlsoAfterARestart) {
  for (int n = 0; n < 5; ++n) deleting.Ask("a" + std::to_string(n), AllOfIt());
  const DeletionPlace named = deleting.Ask("b", deleting.Recordings({"r"}));
  for (const bool restart : {false, true}) {
    if (restart) world.Restart();
    EXPECT_TRUE(Lease(AcceptsOf(SelectorKind::kDevice)).empty());
    const auto leased = Lease(AcceptsOf(SelectorKind::kRecordings), 1);
    ASSERT_EQ(leased.size(), 1U) << "however many others wait for longer";
    EXPECT_EQ(leased[0].place, named);
    service::TaskFailure back;
    back.epoch = leased[0].row.epoch;
    back.not_begun = true;
    ASSERT_TRUE(world.tasks().Fail(deleting.Named("audio"), named, back).ok());
  }
  EXPECT_EQ(Lease(AcceptsOf(SelectorKind::kEverything)).size(), 5U);
}

// The system is one without a worker as long as nobody does one of the kinds that are open.
TEST_P(AcceptsTest, AKindThatNobodyDoesIsSeenAsASilentWorker) {
  const auto seen = [&] { return world.queue().counts(deleting.Named("audio").number).worker_seen; };
  deleting.Ask("a", AllOfIt());
  deleting.Ask("b", deleting.Recordings({"r"}));
  EXPECT_FALSE(seen().IsSet());
  const LeasedTask task = Lease(AcceptsOf(SelectorKind::kRecordings)).at(0);
  EXPECT_FALSE(seen().IsSet()) << "nobody does the other";
  const base::Instant asked = world.Now();
  EXPECT_EQ(Lease(AcceptsOf(SelectorKind::kEverything)).size(), 1U);
  EXPECT_EQ(seen(), asked);
  world.Wait(base::Seconds(50));
  ASSERT_TRUE(world.tasks().Renew(deleting.Named("audio"), task.place, task.row.epoch, base::Seconds(100)).ok());
  EXPECT_EQ(seen(), asked) << "whoever renews the one does not do the other";
  ASSERT_TRUE(deleting.End("audio", task).ok());
  EXPECT_EQ(seen(), asked);
  world.Wait(base::Seconds(51));
  Lease(service::kAcceptsAll);
  EXPECT_EQ(seen(), world.Now());
}

TEST_P(AcceptsTest, LookingLeasesNothingAndSeesWhatALeaseWouldGet) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  deleting.Ask("b", deleting.Recordings({"r"}));
  const std::string before = service::EncodeTaskRow(Row(place));
  const auto looked = world.tasks().Look(deleting.Named("audio"), 10, AcceptsOf(SelectorKind::kEverything));
  ASSERT_TRUE(looked.ok()) << looked.status();
  ASSERT_EQ(looked->size(), 1U);
  EXPECT_EQ((*looked)[0].payload.account_id, "a");
  EXPECT_EQ(service::EncodeTaskRow(Row(place)), before);
  EXPECT_EQ(deleting.Get(place).state, domain::DeletionState::kAccepted) << "nothing has begun";
  EXPECT_FALSE(world.queue().counts(1).worker_seen.IsSet()) << "who looks is no worker";
  EXPECT_EQ(world.tasks().Look(deleting.Named("audio"), 10)->size(), 2U);
  EXPECT_EQ(deleting.Work("audio"), 2U);
  EXPECT_TRUE(world.tasks().Look(deleting.Named("audio"), 10)->empty());
}

}  // namespace
}  // namespace consent::test
