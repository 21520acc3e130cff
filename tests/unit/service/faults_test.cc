// A store that answers Conflict, Retry and Unknown: nothing is acknowledged that did not happen, and nothing happens
// twice.
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <utility>

#include "daemon/base/hash.h"
#include "daemon/service/rows/subject_rows.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

// Its index holds `max_subjects`; of the others the store is asked.
World::Options Indexing(uint64_t max_subjects) {
  World::Options options;
  options.max_subjects = max_subjects;
  return options;
}

service::ChangeRequest WithId(service::ChangeRequest request, const std::string& id) {
  request.request_id = id;
  request.body_hash = base::Sha256(id);
  return request;
}

TEST(Faults, AConflictIsTriedAgain) {
  FaultyWorld f;
  ASSERT_TRUE(f.world.Register("a", "DE").ok());
  for (int i = 0; i < 5; ++i) f.faulty->Inject(Fault::kConflict);
  ASSERT_TRUE(f.world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_TRUE(IsYes(f.world.Check("a")));
}

// The user says no and takes a deletion back while a check reads: it must not take the consent from before and the
// recording from after.
TEST(Faults, ACheckIsOfOneMoment) {
  FaultyWorld f(Indexing(0));
  Deleting deleting(f.world);
  ASSERT_TRUE(f.world.Register("a", "DE").ok());
  ASSERT_TRUE(f.world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  const Recording recording(f.world.Now() - base::Days(1));
  const service::DeletionPlace place = deleting.Ask("a", deleting.Recordings({recording.id}));
  EXPECT_EQ(Text(f.world.Check("a", recording)), "PURGE no: DELETED");
  f.faulty->BeforeNextGet(store::Table::kRecording, [&] {
    ASSERT_TRUE(f.world.OptOut("a", Account(), Everything()).ok());
    ASSERT_TRUE(deleting.Cancel(place).ok());
  });
  EXPECT_EQ(Text(f.world.Check("a", recording)), "KEEP no: WITHDRAWN");
}

TEST(Faults, ConflictsWithoutEndAreContention) {
  FaultyWorld f;
  for (int i = 0; i < 2'000; ++i) f.faulty->Inject(Fault::kConflict);
  EXPECT_EQ(ReasonOf(f.world.OptOut("a", Account(), Everything())), "CONTENTION");
  EXPECT_FALSE(f.world.Known("a"));
}

// Whoever waits for a no is answered once the others are through, however many they are.
TEST(Faults, ARestrictionThatIsAwaitedIsTriedUntilNobodyWaits) {
  FaultyWorld f;
  for (int i = 0; i < 2'000; ++i) f.faulty->Inject(Fault::kConflict);
  service::ChangeRequest request = f.world.OptOutRequest("a", Account(), Everything());
  request.is_awaited = [] { return true; };
  EXPECT_TRUE(f.world.Submit(request).ok());
  for (int i = 0; i < 3'000; ++i) f.faulty->Inject(Fault::kConflict);
  int asked = 0;
  request.is_awaited = [&asked] { return ++asked < 100; };
  EXPECT_EQ(ReasonOf(f.world.Submit(request)), "CONTENTION");
  EXPECT_EQ(asked, 100);
}

// The first partition's queue is full, and there is room a moment later.
TEST(Faults, ASuspensionWaitsForRoom) {
  for (const uint16_t partitions : {uint16_t{1}, uint16_t{3}}) {
    FaultyWorld f({.partitions = partitions});
    f.faulty->Inject(Fault::kRetry);
    EXPECT_TRUE(f.world.admin().Suspend(domain::Purpose::kHumanReview, domain::Region{}, "why").ok());
  }
}

TEST(Faults, ASuspensionThatIsAwaitedIsToo) {
  FaultyWorld f;
  for (int i = 0; i < 2'000; ++i) f.faulty->Inject(Fault::kConflict);
  const auto suspend = [&](const service::Awaited& is_awaited) {
    return f.world.admin().Suspend(domain::Purpose::kHumanReview, domain::Region{}, "why", is_awaited);
  };
  EXPECT_EQ(ReasonOf(suspend({}).status()), "CONTENTION");
  EXPECT_TRUE(suspend([] { return true; }).ok());
}

TEST(Faults, RetryIsOverloaded) {
  FaultyWorld f;
  f.faulty->Inject(Fault::kRetry);
  EXPECT_EQ(ReasonOf(f.world.OptOut("a", Account(), Everything())), "OVERLOADED");
  EXPECT_FALSE(f.world.Known("a"));
  EXPECT_TRUE(f.world.OptOut("a", Account(), Everything()).ok());
}

TEST(Faults, UnknownIsFoundOutByItsRequestId) {
  for (const Fault fault : {Fault::kUnknownLost, Fault::kUnknownDone}) {
    FaultyWorld f;
    ASSERT_TRUE(f.world.Register("a", "DE").ok());
    const service::ChangeRequest on = WithId(f.world.OptInRequest("a", Account(), Control("help_improve"), {}), "one");
    f.faulty->Inject(fault);
    EXPECT_EQ(ReasonOf(f.world.Submit(on)), "OUTCOME_UNKNOWN");
    EXPECT_EQ(ReasonOf(f.world.OptOut("a", Account(), Everything())), "STORE_UNREADABLE")
        << "a failed store is not written to";
    f.faulty->Reopen();
    f.world.Restart();
    EXPECT_EQ(IsYes(f.world.Check("a")), fault == Fault::kUnknownDone);
    const Reply again = f.world.Submit(on);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_TRUE(IsYes(f.world.Check("a")));
    EXPECT_EQ(f.world.reads().History(f.world.Handle("a"), 100, 0)->items.size(), 2U) << "once";
  }
}

// The index would be another daemon's business; with none the store alone is asked.
TEST(Faults, ANewSubjectMadeElsewhereMeanwhileKeepsItsKey) {
  FaultyWorld m(Indexing(0));
  World& world = m.world;
  const service::ChangeRequest first = world.OptOutRequest("a", Profile("ann"), Everything());
  const std::string key = world.core().SubjectKey(world.Handle("a"));
  std::string share;
  m.faulty->BeforeNextCommit([&] {
    // On a thread of the pool: another one makes the same subject.
    std::promise<Reply> promise;
    service::ChangeSubject all(world.core(), 10);
    service::SubjectChanges elsewhere(world.core(), all);
    elsewhere.Submit(world.OptOutRequest("a", Profile("ben"), Everything()),
                     [&](Reply reply) { promise.set_value(std::move(reply)); });
    ASSERT_TRUE(promise.get_future().get().ok());
    share = *world.store().Get({}, store::Table::kKeyShare, key);
  });
  ASSERT_TRUE(world.Submit(first).ok());
  EXPECT_EQ(*world.store().Get({}, store::Table::kKeyShare, key), share)
      << "the first key seals what was written with it";
  EXPECT_EQ(world.Facts("a").scopes.size(), 3U) << "both refusals are there";
  const auto history = world.reads().History(world.Handle("a"), 10, 0);
  ASSERT_TRUE(history.ok()) << history.status().message();
  EXPECT_EQ(history->items.size(), 2U);
  EXPECT_EQ(world.reads().Get(world.Handle("a"))->names.size(), 2U);
}

TEST(Faults, ALooseningIsRefusedWhereARestrictionCameInBetween) {
  FaultyWorld m(Indexing(0));
  World& world = m.world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest on = world.OptInRequest("a", Account(), Control("help_improve"), {});
  m.faulty->BeforeNextCommit([&] {
    std::promise<Reply> promise;
    service::ChangeSubject all(world.core(), 10);
    service::SubjectChanges elsewhere(world.core(), all);
    elsewhere.Submit(world.OptOutRequest("a", Account(), Everything()),
                     [&](Reply reply) { promise.set_value(std::move(reply)); });
    ASSERT_TRUE(promise.get_future().get().ok());
  });
  EXPECT_EQ(ReasonOf(world.Submit(on)), "ETAG_MISMATCH");
  EXPECT_FALSE(IsYes(world.Check("a")));
}

// Refused only at its place in the order: the request is on record, and both its answers are the refusal.
TEST(Faults, WhatIsRefusedAtTheCommitIsRefusedWhenItIsRepeated) {
  FaultyWorld m(Indexing(1000));
  World& world = m.world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest on = WithId(world.OptInRequest("a", Account(), Control("help_improve"), {}), "one");
  const base::Instant now = world.clock.Now();
  world.Wait(base::Hours(1));
  ASSERT_TRUE(world.OptOut("b", Account(), Everything()).ok());
  m.faulty->BeforeNextCommit([&] { world.clock.Set(now); });  // now over a minute behind
  EXPECT_EQ(ReasonOf(world.Submit(on)), "CLOCK_BEHIND");
  world.clock.Set(now + base::Hours(2));
  EXPECT_EQ(ReasonOf(world.Submit(on)), "CLOCK_BEHIND") << "the same answer again";
  EXPECT_FALSE(IsYes(world.Check("a")));
}

TEST(Faults, SeededFaultsNeverLoseWhatWasAcknowledged) {
  for (const uint64_t seed : model::SlowSeeds(40)) {
    FaultyWorld f;
    ASSERT_TRUE(f.world.Register("a", "DE").ok());
    std::mt19937_64 random(seed);
    bool on = false;
    for (int step = 0; step < 40; ++step) {
      constexpr Fault kFaults[] = {Fault::kNone,  Fault::kNone,        Fault::kConflict,
                                   Fault::kRetry, Fault::kUnknownLost, Fault::kUnknownDone};
      const Fault fault = kFaults[random() % 6];
      const bool want = random() % 2 == 0;
      service::ChangeRequest request =
          want ? f.world.OptInRequest("a", Account(), Control("help_improve"), Under("past"))
               : f.world.OptOutRequest("a", Account(), Control("help_improve"));
      request = WithId(std::move(request), std::to_string(step));
      f.faulty->Inject(fault);
      for (int attempt = 0;; ++attempt) {
        ASSERT_LT(attempt, 5) << "seed " << seed;
        const Reply reply = f.world.Submit(request);
        if (reply.ok()) break;
        if (ReasonOf(reply) == "OUTCOME_UNKNOWN") {
          f.faulty->Reopen();
          f.world.Restart();
        } else {
          ASSERT_EQ(ReasonOf(reply), "OVERLOADED") << "seed " << seed;
        }
      }
      on = want;
      ASSERT_EQ(IsYes(f.world.Check("a")), on) << "seed " << seed << " step " << step;
    }
    const auto history = f.world.reads().History(f.world.Handle("a"), 1000, 0);
    ASSERT_EQ(history->items.size(), 41U) << "seed " << seed << ": each happened once";
  }
}

// What comes in between the reading and the commit of something else about deletions.
class Crossing : public testing::Test {
 protected:
  void SetUp() override {
    deleting.Register(System("audio"));
    ASSERT_TRUE(world.Register("a", "US").ok());
  }
  FaultyWorld faulty;
  World& world = faulty.world;
  Deleting deleting{world};
};

TEST_F(Crossing, ASystemThatComesWhileAPurposeIsWithdrawnHasItsTask) {
  faulty.faulty->BeforeNextCommit([&] { deleting.Register(System("late")); });
  ASSERT_TRUE(world.OptOut("a", Account(), Only(domain::Purpose::kHumanReview)).ok());
  EXPECT_EQ(deleting.Lease("late").size(), 1U);
  EXPECT_EQ(deleting.Lease("audio").size(), 1U);
}

TEST_F(Crossing, TheFirstSystemThatComesWhileAPurposeIsWithdrawnHasItsTask) {
  FaultyWorld fresh;
  Deleting there(fresh.world);
  ASSERT_TRUE(fresh.world.Register("a", "US").ok());
  fresh.faulty->BeforeNextCommit([&] { there.Register(System("late")); });
  ASSERT_TRUE(fresh.world.OptOut("a", Account(), Only(domain::Purpose::kHumanReview)).ok());
  EXPECT_EQ(there.Lease("late").size(), 1U);
}

TEST_F(Crossing, AHoldThatIsPlacedWhileATaskIsLeasedIsInTheLease) {
  deleting.Ask("a", AllOfIt());
  domain::HeldPart held;
  held.captured.to = world.Now() - base::Days(1);
  faulty.faulty->BeforeNextCommit([&] { deleting.Hold("a", held); });
  const auto leased = deleting.Lease("audio");
  ASSERT_EQ(leased.size(), 1U);
  EXPECT_EQ(leased[0].exceptions.size(), 1U);
}

TEST_F(Crossing, AHoldThatIsPlacedWhileATaskIsReportedTakesTheLeaseBack) {
  const service::DeletionPlace place = deleting.Ask("a", AllOfIt());
  const auto leased = deleting.Lease("audio");
  ASSERT_EQ(leased.size(), 1U);
  faulty.faulty->BeforeNextCommit([&] { deleting.Hold("a", domain::HeldPart{}); });
  EXPECT_EQ(ReasonOf(deleting.End("audio", leased[0])), "LEASE_LOST");
  EXPECT_EQ(deleting.Get(place).Find(1)->outcome, domain::PurgeOutcome::kOpen);
}

}  // namespace
}  // namespace consent::test
