// Two services on one store, each with a memory of its own that is fed by publication alone: whatever either of them
// does, both answer as one that has just read the store. Steps come one at a time; some of them come in the middle of
// another one, right before it commits. Variants that are wrong on purpose must be found out.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/oracle.h"
#include "tests/simulation/service_pair.h"

namespace consent::simulation::two_services_test {
namespace {

constexpr uint64_t kRuns = 12;  // 200 are 100,000 steps: CONSENT_SIMULATION_RUNS=200

TEST(TwoServices, EachKnowsWhatTheOtherDoes) {
  const Seeds seeds = SeedsOf(kRuns);
  size_t meddled = 0;
  size_t tasks_done = 0;
  size_t yes = 0;
  size_t crowded = 0;
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    ServicePair pair(seed, WrongStore::kNone);
    const std::string wrong = pair.Play();
    ASSERT_EQ(wrong, "") << "seed " << seed;
    meddled += pair.meddled();
    tasks_done += pair.tasks_done();
    yes += pair.yes();
    crowded += pair.crowded();
  }
  std::printf(
      "%zu steps came in the middle of another, %zu tasks were done, %zu checks said yes, %zu crowded records\n",
      meddled, tasks_done, yes, crowded);
  if (!seeds.whole) return;
  EXPECT_GT(meddled, 10 * seeds.count) << "a run in which nothing happens shows nothing";
  EXPECT_GT(tasks_done, 10 * seeds.count);
  EXPECT_GT(yes, 10 * seeds.count);
  EXPECT_GT(crowded, 0U);
}

TEST(TwoServices, ASuspensionThatWasRenewedMeanwhileIsNotLifted) {
  PairedService a(1, nullptr);
  PairedService b(1, &a.world.inner_store());
  ASSERT_TRUE(a.world.Activate(test::PolicyBuilder()).ok());
  const domain::Purpose purpose = domain::Purpose::kHumanReview;
  const auto suspended = b.world.admin().Suspend(purpose, {}, "first");
  ASSERT_TRUE(suspended.ok());
  b.world.clock.Set(a.world.clock.Now());
  a.store->BeforeNextCommit([&] {
    ASSERT_TRUE(b.world.admin().Resume({purpose, {}, "over", suspended->etag}).ok());
    ASSERT_TRUE(b.world.admin().Suspend(purpose, {}, "second").ok());
  });
  EXPECT_EQ(test::ReasonOf(a.world.admin().Resume({purpose, {}, "over", suspended->etag})), "ETAG_MISMATCH");
  EXPECT_EQ(a.world.admin().Get("")->suspensions.back().reason, "second");
  EXPECT_TRUE(a.world.admin().Get("")->suspensions.back().suspension.active);
}

// A report of one service comes right before the other one's promise is committed, and the other way round.
TEST(TwoServices, NeitherAPromiseNorAReportIsLost) {
  for (const bool report_first : {true, false}) {
    PairedService a(1, nullptr);
    PairedService b(1, &a.world.inner_store());
    ASSERT_TRUE(a.world.Activate(test::PolicyBuilder()).ok());
    ASSERT_TRUE(a.world.systems().Register(test::System("audio")).ok());
    b.world.clock.Set(a.world.clock.Now());
    service::Sweep sweep;
    sweep.started_at = a.world.Now() - base::Hours(1);
    sweep.ended_at = a.world.Now() - base::Seconds(1);
    sweep.counts.asked = sweep.counts.kept = 5;
    const auto report = [&](PairedService& service) {
      EXPECT_TRUE(service.world.sweeps().Report("audio", sweep, service::Caller{"store"}).ok());
    };
    const auto promise = [&](PairedService& service) {
      const service::SystemRetention swept{service::SystemRetentionKind::kSwept, "", {}, 7};
      EXPECT_TRUE(service.world.sweeps().SetRetention("audio", swept, service::Caller{"officer"}).ok());
    };
    a.store->BeforeNextCommit([&] { report_first ? report(b) : promise(b); });
    report_first ? promise(a) : report(a);
    for (PairedService* service : {&a, &b}) {
      const service::SystemRow audio = *service->world.systems().Find("audio");
      const service::RetentionView view = service->world.sweeps().Of(audio);
      EXPECT_EQ(view.row.retention.sweep_days, 7);
      EXPECT_EQ(view.row.last.counts.kept, 5U);
      EXPECT_EQ(view.row.last_whole_at, sweep.started_at);
      EXPECT_EQ(view.state, service::RetentionState::kKept);
    }
  }
}

// How many seeds it takes to find the variant out; 0: none of them does.
uint64_t SeedsToFind(WrongStore wrong) {
  constexpr uint64_t kMostSeeds = 200;
  for (uint64_t seed = 1; seed <= kMostSeeds; ++seed) {
    const std::string found = ServicePair(seed, wrong).Play();
    if (found.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), found.c_str());
    return seed;
  }
  return 0;
}

TEST(TwoServices, AStoreThatForgetsThePreconditionOnTheRegistryIsFoundOut) {
  EXPECT_NE(SeedsToFind(WrongStore::kForgetsRegistry), 0U);
}
TEST(TwoServices, AStoreThatForgetsThePreconditionOnThePolicyIsFoundOut) {
  EXPECT_NE(SeedsToFind(WrongStore::kForgetsPolicy), 0U);
}
TEST(TwoServices, AStoreThatForgetsThePreconditionOnARecordIsFoundOut) {
  EXPECT_NE(SeedsToFind(WrongStore::kForgetsRecord), 0U);
}
TEST(TwoServices, APublicationThatIsLostIsFoundOut) { EXPECT_NE(SeedsToFind(WrongStore::kLosesPublication), 0U); }

}  // namespace
}  // namespace consent::simulation::two_services_test
