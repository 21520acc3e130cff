// Caps of review grants: never exceeded by one, whoever asks at once and wherever a process dies.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/review/cap_counters.h"
#include "daemon/service/rows/review_rows.h"
#include "tests/support/service/faulty_world.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::CapKind;

constexpr char kGrant[] = "GRANT";

PolicyBuilder PolicyWith(const std::string& version, const std::function<void(v1::ReviewCaps&)>& change) {
  PolicyBuilder policy(version);
  change(policy.Caps());
  return policy;
}

std::string AccountOf(int number) { return "account" + std::to_string(number); }
std::string Said(const service::LeaseAnswer& answer) {
  return answer.error.ok() && answer.decision.reasons.Has(domain::Reason::kCapSpent) ? "CAP_SPENT"
                                                                                     : Reviewing::Said(answer);
}

// Grants that are in the store and were not taken back.
int GrantsIn(const store::Store& store) {
  int grants = 0;
  for (uint16_t number = 0; number < store.partition_count(); ++number) {
    EXPECT_TRUE(store
                    .Scan({number}, store::Table::kReview, std::string(1, service::kGrants),
                          std::string(1, service::kGrants + 1), SIZE_MAX,
                          [&](std::string_view, std::string_view value) {
                            service::GrantRow row;
                            EXPECT_TRUE(DecodeGrantRow(value, &row));
                            if (row.grant.outcome != domain::ReviewOutcome::kNotRecorded) ++grants;
                            return true;
                          })
                    .ok());
  }
  return grants;
}

World::Options Partitions() {
  World::Options options;
  options.partitions = 5;
  return options;
}

class ReviewCapsTest : public testing::Test {
 protected:
  static constexpr int kAccounts = 12;
  ReviewCapsTest() : faulty_(Partitions()), world_(faulty_.world), reviewing_(world_) {
    for (int i = 0; i < kAccounts; ++i) Agree(world_, AccountOf(i));
    CaptureNow();
  }
  void CaptureNow() { reviewing_.CapturedAt(world_.Now() - base::Seconds(30)); }
  void Allow(const std::function<void(v1::ReviewCaps&)>& change) {
    ASSERT_TRUE(world_.Activate(PolicyWith("v" + std::to_string(++version_), change)).ok());
    CaptureNow();
  }
  // How many of the accounts' recordings are granted before the first refusal, each to a reviewer of its own unless one
  // is named.
  int LeaseAll(const std::string& recording, const std::string& reviewer = "") {
    int given = 0;
    for (int i = 0; i < kAccounts; ++i) {
      const std::string who = reviewer.empty() ? recording + std::to_string(i) : reviewer;
      const std::string said = Said(reviewing_.TryLease(AccountOf(i), recording, who));
      if (said != kGrant) {
        EXPECT_EQ(said, "CAP_SPENT");
        break;
      }
      ++given;
    }
    return given;
  }

  FaultyWorld faulty_;
  World& world_;
  Reviewing reviewing_;
  int version_ = 1;
};

TEST_F(ReviewCapsTest, EachCapGivesItsLastAndNoneAfterIt) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_reviewer_shift(3); });
  EXPECT_EQ(LeaseAll("r", "ben"), 3);
  EXPECT_EQ(LeaseAll("s", "cem"), 3) << "another reviewer";
  Allow([](v1::ReviewCaps& caps) { caps.set_per_site_day(10); });
  EXPECT_EQ(LeaseAll("t"), 4) << "six were given at the site before";
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(15); });
  EXPECT_EQ(LeaseAll("u"), 5);
  Allow([](v1::ReviewCaps& caps) {
    v1::SelectionCap& other = *caps.add_selections();
    other.set_selection(v1::SELECTION_OTHER);
    other.set_per_day(17);
  });
  EXPECT_EQ(LeaseAll("v"), 2);
  EXPECT_EQ(GrantsIn(world_.store()), 17);
}

TEST_F(ReviewCapsTest, AnAccountIsHeardSoOftenInThirtyDays) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_account(2); });
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r1", "ben")), kGrant);
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r2", "cem")), kGrant);
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r3", "dan")), "CAP_SPENT");
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(1), "r1", "ben")), kGrant) << "another account";
  world_.Wait(base::Days(30));
  CaptureNow();
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r3", "dan")), kGrant);
}

TEST_F(ReviewCapsTest, ADayAndAShiftEndAndACapCountsAnew) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_reviewer_shift(3); });
  EXPECT_EQ(LeaseAll("r", "ben"), 3);
  world_.Wait(base::Seconds(12 * 3'600 - 600));
  CaptureNow();
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(5), "s", "ben")), "CAP_SPENT") << "the shift goes on past midnight";
  world_.Wait(base::Seconds(600));
  CaptureNow();
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(5), "s", "ben")), kGrant);
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(3); });
  EXPECT_EQ(LeaseAll("t"), 2) << "one was given today";
  world_.Wait(base::Days(1));
  CaptureNow();
  EXPECT_EQ(LeaseAll("u"), 3);
}

TEST_F(ReviewCapsTest, APolicyThatAllowsLessCountsAtOnceAlsoForWhatIsReserved) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(1'000); });  // reserved in blocks of 31
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r", "ben")), kGrant);
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(4); });
  EXPECT_EQ(LeaseAll("s"), 3);
}

TEST_F(ReviewCapsTest, WhatIsRefusedTakesNothing) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(3), caps.set_per_reviewer_shift(1); });
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r", "ben")), kGrant);
  for (int i = 1; i < kAccounts; ++i) {
    EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(i), "r", "ben")), "CAP_SPENT");
    EXPECT_EQ(Said(reviewing_.TryLease("nobody", "r", "cem")).substr(0, 12), "NOT_ELIGIBLE");
    EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r", "cem")), "GRANTED");
  }
  EXPECT_EQ(LeaseAll("s"), 2);
}

TEST_F(ReviewCapsTest, AConflictOfTheGrantTakesNothing) {
  Allow([](v1::ReviewCaps& caps) { caps.set_per_day(2); });
  // The counters of reviewer, selection, site and day come first.
  for (const Fault fault :
       {Fault::kNone, Fault::kNone, Fault::kNone, Fault::kNone, Fault::kConflict, Fault::kConflict}) {
    faulty_.faulty->Inject(fault);
  }
  EXPECT_EQ(Said(reviewing_.TryLease(AccountOf(0), "r", "ben")), kGrant);
  EXPECT_EQ(LeaseAll("s"), 1);
}

TEST_F(ReviewCapsTest, APurposeWithoutCapsIsGrantedNothing) {
  PolicyBuilder policy("silent");
  policy.policy().clear_review_caps();
  ASSERT_TRUE(world_.Activate(policy).ok());
  CaptureNow();
  EXPECT_EQ(LeaseAll("r"), 0);
  EXPECT_TRUE(IsYes(world_.Check(AccountOf(0)))) << "a check counts nothing";
}

// Somebody who gives grants of which `limit` a day are allowed. False: refused, or the process died.
using Lessor = std::function<bool(World&, service::CapCounters&, Reviewing&, int number)>;

constexpr uint64_t kLimit = 5;

bool Right(World&, service::CapCounters&, Reviewing& reviewing, int number) {
  return Said(reviewing.TryLease(AccountOf(number), "r", "ben")) == kGrant;
}

// Wrong: it counts once the grant is there, and takes back what is too much.
bool CountsAfterTheGrant(World& world, service::CapCounters& counters, Reviewing& reviewing, int number) {
  const service::LeaseAnswer answer = reviewing.TryLease(AccountOf(number), "r", "ben");
  if (Said(answer) != kGrant) return false;
  const auto permit = counters.Take(service::SiteCap("wrong"), kLimit, world.Now(), service::Caller{"tool"});
  if (permit.ok() && permit->ordinal < kLimit) return true;
  world.reviews().TakeBack({answer.grant.id, answer.grant.fence}).IgnoreError();
  return false;
}

// Wrong: it reads the count, gives, and writes the count.
bool WritesTheCountAfterTheCommit(World& world, service::CapCounters&, Reviewing& reviewing, int number) {
  const service::CapName name = service::SiteCap("wrong");
  const store::Partition partition = PartitionOf(name, world.store().partition_count());
  domain::CapCounter counter;
  const auto bytes = world.store().Get(partition, store::Table::kReview, name.key);
  if (bytes.ok() && !service::DecodeCapCounter(*bytes, &counter)) return false;
  if (counter.given >= kLimit || Said(reviewing.TryLease(AccountOf(number), "r", "ben")) != kGrant) return false;
  const domain::CapCounter after{world.Now(), counter.given + 1};
  return service::CommitNow(world.core(), partition, {}, [&](const store::Stamp&) {
           return store::Change{{{store::Table::kReview, name.key, service::EncodeCapCounter(after)}},
                                service::PlainEvent(service::ChangeKind::kReviewChanged, "v1")};
         }).outcome == store::Outcome::kCommitted;
}

struct Story {
  int given = 0;         // in the store at last
  bool crashed = false;  // the commit that was to be the last one came
};
// Ten accounts, a process that dies at its `call`-th commit, which is done or not, and another one that goes on.
Story Play(const Lessor& lessor, bool has_caps, uint64_t call, bool done) {
  FaultyWorld faulty(Partitions());
  World& world = faulty.world;
  for (int i = 0; i < 10; ++i) Agree(world, AccountOf(i));
  EXPECT_TRUE(world
                  .Activate(PolicyWith("v2",
                                       [&](v1::ReviewCaps& caps) {
                                         if (has_caps) caps.set_per_day(kLimit);
                                       }))
                  .ok());
  Reviewing reviewing(world);
  reviewing.CapturedAt(world.Now() - base::Seconds(30));
  faulty.faulty->CrashAt(call, done);
  const auto work = [&] {
    service::CapCounters counters(world.core());
    for (int i = 0; i < 10 && !faulty.faulty->failed(); ++i) lessor(world, counters, reviewing, i);
  };
  work();
  if (!faulty.faulty->crashed()) return {GrantsIn(world.store()), false};
  faulty.faulty->Reopen();
  world.Restart();
  work();
  return {GrantsIn(world.store()), true};
}

struct Judgement {
  int most = 0;
  int fewest = 100;
  uint64_t deaths = 0;
};
Judgement KillAtEachCommit(const Lessor& lessor, bool has_caps) {
  Judgement judgement;
  for (const bool done : {false, true}) {
    for (uint64_t call = 1; call < 100; ++call) {
      const Story story = Play(lessor, has_caps, call, done);
      judgement.most = std::max(judgement.most, story.given);
      judgement.fewest = std::min(judgement.fewest, story.given);
      if (!story.crashed) break;
      ++judgement.deaths;
    }
  }
  return judgement;
}

TEST(ReviewCapsKilled, AtNoCommitIsACapExceededAndABlockAtMostIsLost) {
  const Judgement judgement = KillAtEachCommit(Right, true);
  EXPECT_EQ(judgement.most, static_cast<int>(kLimit));
  EXPECT_GE(judgement.fewest, static_cast<int>(kLimit - domain::BlockOf(kLimit)));
  EXPECT_GT(judgement.deaths, 20U);
}

TEST(ReviewCapsKilled, WhoReservesAfterTheGrantIsFoundOut) {
  EXPECT_GT(KillAtEachCommit(CountsAfterTheGrant, false).most, static_cast<int>(kLimit));
}

TEST(ReviewCapsKilled, WhoCountsAfterTheCommitIsFoundOut) {
  EXPECT_GT(KillAtEachCommit(WritesTheCountAfterTheCommit, false).most, static_cast<int>(kLimit));
}

// How many of so many callers, of as many services, are granted at once; each asks for recordings of three accounts.
int LeaseAtOnce(const std::vector<World*>& worlds, int callers) {
  std::atomic<int> given{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&, i] {
      World& world = *worlds[static_cast<size_t>(i) % worlds.size()];
      Reviewing reviewing(world);
      reviewing.CapturedAt(world.Now() - base::Seconds(30));
      for (int j = 0; j < 3; ++j) {
        const std::string number = std::to_string(i) + "." + std::to_string(j);
        const std::string said = Said(reviewing.TryLease(AccountOf((i + j) % 8), "r" + number, "reviewer" + number));
        EXPECT_TRUE(said == kGrant || said == "CAP_SPENT") << said;
        if (said == kGrant) ++given;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return given;
}

TEST(ReviewCapsAtOnce, SixtyFourCallersGetAsManyAsThereAre) {
  for (const int limit : {1, 37, 100, 150}) {
    World world(Partitions());
    for (int i = 0; i < 8; ++i) Agree(world, AccountOf(i));
    ASSERT_TRUE(world.Activate(PolicyWith("v2", [&](v1::ReviewCaps& caps) { caps.set_per_day(limit); })).ok());
    EXPECT_EQ(LeaseAtOnce({&world}, 64), limit);
    EXPECT_EQ(GrantsIn(world.store()), limit);
  }
}

// Two services on one store.
struct SecondService {
  explicit SecondService(store::Store& shared) : world(Over(shared)) {
    std::array<uint8_t, 64> burnt{};  // so that the two do not draw the same
    world.random.Fill(burnt.data(), burnt.size());
  }
  static World::Options Over(store::Store& shared) {
    World::Options options = Partitions();
    options.policy = false;
    options.decorate = [&shared](store::Store&) { return std::make_unique<FaultyStore>(shared, FaultyStore::Plan{}); };
    return options;
  }
  World world;
};

TEST(ReviewCapsAtOnce, TwoServicesNeverExceedTogether) {
  for (const int limit : {1, 37, 100}) {
    World first(Partitions());
    for (int i = 0; i < 8; ++i) Agree(first, AccountOf(i));
    ASSERT_TRUE(first.Activate(PolicyWith("v2", [&](v1::ReviewCaps& caps) { caps.set_per_day(limit); })).ok());
    SecondService second(first.store());
    second.world.clock.Set(first.clock.Now());
    const int given = LeaseAtOnce({&first, &second.world}, 64);
    EXPECT_EQ(GrantsIn(first.store()), given);
    EXPECT_LE(given, limit);
    EXPECT_GE(given, limit - 2 * static_cast<int>(domain::BlockOf(static_cast<uint64_t>(limit))));
  }
}

TEST(ReviewCapsAtOnce, WhoCountsAfterTheCommitIsFoundOut) {
  World world(Partitions());
  for (int i = 0; i < 64; ++i) Agree(world, AccountOf(i));
  service::CapCounters counters(world.core());
  int most = 0;
  for (int round = 0; round < 20 && most <= static_cast<int>(kLimit); ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&, i] {
        Reviewing reviewing(world);
        reviewing.CapturedAt(world.Now() - base::Seconds(30));
        WritesTheCountAfterTheCommit(world, counters, reviewing, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    most = GrantsIn(world.store());
  }
  EXPECT_GT(most, static_cast<int>(kLimit));
}

}  // namespace
}  // namespace consent::test
