// What holds, deletions, explanations and counts make of accounts that are joined, whichever name is asked about.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "daemon/service/rows/load_subject.h"
#include "daemon/service/subject/explain_check.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using domain::JoinState;
using domain::PurgeOutcome;

std::multiset<std::string> AccountsOf(const std::vector<service::LeasedTask>& tasks) {
  std::multiset<std::string> accounts;
  for (const service::LeasedTask& task : tasks) accounts.insert(task.payload.account_id);
  return accounts;
}
const std::multiset<std::string> kBoth = {"a", "b"};

class JoinedTest : public testing::Test {
 protected:
  JoinedTest() {
    Agree(world_, "a");
    Agree(world_, "b");
    deleting_.Register(System("audio"));
  }
  bool Yes(const std::string& account) { return IsYes(world_.Check(account)); }
  service::HoldPage HoldsOf(const std::string& account, size_t limit = 10, service::HoldPlace from = {}) {
    service::HoldsFilter filter;
    filter.subject = world_.Handle(account);
    auto page = world_.holds().List(filter, limit, from);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : service::HoldPage{};
  }
  service::Explained Why(const std::string& account, const Recording& recording, base::Instant at = {}) {
    const service::ExplainQuery query{{world_.Handle(account), {}, recording.id, recording.Facts(world_.core().hasher)},
                                      domain::Purpose::kHumanReview,
                                      Employee(),
                                      at};
    auto explained = service::ExplainCheck(world_.core()).Run(query);
    EXPECT_TRUE(explained.ok()) << explained.status();
    return explained.ok() ? *std::move(explained) : service::Explained{};
  }
  // How many requests that somebody made of `account` lack their ids.
  int NeedingIds(const std::string& account) {
    service::DeletionFilter filter;
    filter.subject = world_.Handle(account);
    const auto page = world_.deletions().List(filter, 10, {world_.core().PartitionOf(*filter.subject), 0});
    EXPECT_TRUE(page.ok() && !page->requests.empty()) << account;
    return static_cast<int>(std::count_if(page->requests.begin(), page->requests.end(), [](const auto& view) {
      return view.request.cause == domain::DeletionCause::kRequested && view.request.needs_ids;
    }));
  }
  // As a restore leaves a store of which no backup has the ids.
  void LoseIdsOf(const std::string& account) {
    std::promise<store::CommitResult> promise;
    const store::RowKey row{store::Table::kNames, world_.core().SubjectKey(world_.Handle(account))};
    world_.inner_store().Commit(
        world_.core().PartitionOf(world_.Handle(account)), {},
        [&](const store::Stamp&) {
          store::Change change;
          change.writes.push_back({row.table, row.key, std::nullopt});
          change.event = service::PlainEvent(service::ChangeKind::kTasksLeased, "", "");
          return change;
        },
        [&](const store::CommitResult& result) { promise.set_value(result); });
    ASSERT_EQ(promise.get_future().get().outcome, store::Outcome::kCommitted);
  }

  FaultyWorld faulty_{World::Options{.partitions = 16}};
  World& world_ = faulty_.world;
  Deleting deleting_{world_};
};

TEST_F(JoinedTest, AHoldOnOneKeepsWhatBothHave) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  for (const char* held : {"a", "b"}) {
    for (const char* asked : {"a", "b"}) {
      SCOPED_TRACE(std::string("a hold on ") + held + ", deleted under " + asked);
      const service::HoldPlace hold = deleting_.Hold(held, domain::HeldPart{});
      const service::DeletionPlace place = deleting_.Ask(asked, AllOfIt());
      for (const char* name : {"a", "b"}) EXPECT_EQ(Text(world_.Check(name).disposition), "HOLD") << name;
      EXPECT_TRUE(deleting_.Lease("audio").empty());
      EXPECT_EQ(world_.deletions().IsOnHold(place).value_or(false), true);
      ASSERT_TRUE(deleting_.Release(hold).ok());
      const auto tasks = deleting_.Lease("audio");
      EXPECT_EQ(AccountsOf(tasks), kBoth) << "its release sends both on";
      for (const auto& task : tasks) EXPECT_TRUE(deleting_.End("audio", task).ok());
      EXPECT_EQ(deleting_.Get(place).state, domain::DeletionState::kCompleted);
    }
  }
}

TEST_F(JoinedTest, AHoldOnOneTakesBackWhatIsOutOfTheOther) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  for (const char* held : {"a", "b"}) {
    SCOPED_TRACE(held);
    deleting_.Ask("a", AllOfIt());
    const auto out = deleting_.Lease("audio");
    ASSERT_EQ(AccountsOf(out), kBoth);
    const service::HoldPlace hold = deleting_.Hold(held, domain::HeldPart{});
    EXPECT_EQ(world_.holds().Get(hold)->leases_out.size(), 2U);
    for (const auto& task : out) EXPECT_EQ(ReasonOf(deleting_.End("audio", task)), "LEASE_LOST");
    ASSERT_TRUE(deleting_.Release(hold).ok());
    world_.Wait(base::Seconds(600));
    EXPECT_EQ(deleting_.Work("audio"), 2U);
  }
}

TEST_F(JoinedTest, APartialHoldOnOneIsAnExceptionOfBoth) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  deleting_.Hold("b", deleting_.HeldRecordings({"r1"}));
  deleting_.Ask("a", AllOfIt());
  const auto tasks = deleting_.Lease("audio");
  ASSERT_EQ(AccountsOf(tasks), kBoth);
  for (const auto& task : tasks) {
    EXPECT_EQ(task.exceptions, std::vector<std::string>{"as it was ordered"});
    EXPECT_TRUE(deleting_.End("audio", task).ok());
  }
  EXPECT_TRUE(deleting_.Lease("audio").empty()) << "the rest waits for its release";
  EXPECT_EQ(Text(world_.Check("a", Recording().Id("r1")).disposition), "HOLD");
}

// A hold of before the join, on whichever of three, holds what the others have from the join on.
TEST_F(JoinedTest, AHoldOfBeforeTheJoinTakesBackWhatIsOutOfTheOthers) {
  for (const char* held : {"a", "b", "c"}) {
    SCOPED_TRACE(held);
    FaultyWorld faulty(World::Options{.partitions = 16, .seed = 3});
    World& world = faulty.world;
    Deleting deleting(world);
    for (const char* name : {"a", "b", "c"}) Agree(world, name);
    deleting.Register(System("audio"));
    ASSERT_TRUE(Join(world, "a", "b").ok());
    const service::HoldPlace hold = deleting.Hold(held, deleting.HeldRecordings({"r1"}));
    for (const char* name : {"b", "c"}) deleting.Ask(name, AllOfIt());
    const auto out = deleting.Lease("audio");
    ASSERT_EQ(out.size(), 3U);
    ASSERT_TRUE(Join(world, "c", "b").ok());
    for (const auto& task : out) {
      const bool knew = !task.exceptions.empty();
      const bool in_its_group = (task.payload.account_id == "c") == (std::string(held) == "c");
      EXPECT_EQ(knew, in_its_group);
      if (knew) continue;
      EXPECT_EQ(ReasonOf(deleting.End("audio", task)), "LEASE_LOST") << task.payload.account_id;
    }
    for (const auto& task : deleting.Lease("audio")) EXPECT_FALSE(task.exceptions.empty());
    EXPECT_TRUE(deleting.Release(hold).ok());
  }
}

// Killed between the commits of a hold it is not acknowledged, and holds all the same.
TEST_F(JoinedTest, AHoldIsAcknowledgedOnceAllKnowIt) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  deleting_.Ask("a", AllOfIt());
  const auto out = deleting_.Lease("audio");
  ASSERT_EQ(out.size(), 2U);
  faulty_.faulty->Inject(Fault::kNone);
  faulty_.faulty->Inject(Fault::kRetry);
  EXPECT_EQ(ReasonOf(deleting_.TryHold("b", domain::HeldPart{})), "OVERLOADED");
  world_.Wait(base::Seconds(600));
  EXPECT_TRUE(deleting_.Lease("audio").empty());
  deleting_.Hold("b", domain::HeldPart{});
  for (const auto& task : out) EXPECT_EQ(ReasonOf(deleting_.End("audio", task)), "LEASE_LOST");
}

TEST_F(JoinedTest, HoldsAreListedUnderEachName) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  const std::vector<service::HoldPlace> placed = {deleting_.Hold("a", domain::HeldPart{}),
                                                  deleting_.Hold("b", domain::HeldPart{}),
                                                  deleting_.Hold("a", deleting_.HeldRecordings({"r1"}))};
  for (const char* name : {"a", "b"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(HoldsOf(name).holds.size(), placed.size());
    std::vector<service::HoldPlace> seen;
    service::HoldPage page = HoldsOf(name, 1);
    for (size_t i = 0; i < 10 && !page.holds.empty(); ++i) {
      seen.push_back(page.holds[0].place);
      if (!page.next) break;
      page = HoldsOf(name, 1, *page.next);
    }
    EXPECT_EQ(seen.size(), placed.size());
    for (const service::HoldPlace place : placed) EXPECT_EQ(std::count(seen.begin(), seen.end(), place), 1);
  }
}

TEST_F(JoinedTest, AChainOfJoinsIsOneAccount) {
  Agree(world_, "c");
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  ASSERT_TRUE(Join(world_, "b", "c").ok());
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(Yes(name)) << name;
  EXPECT_EQ(ReasonOf(Join(world_, "c", "a")), "ACCOUNT_JOINED") << "nor back again";
  ASSERT_TRUE(world_.Report("a", "bad", domain::Flags::kCriticalData).ok());
  for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(IsYes(world_.Check(name, Recording().Id("bad")))) << name;
  deleting_.Ask("b", AllOfIt());
  EXPECT_EQ(AccountsOf(deleting_.Lease("audio")), (std::multiset<std::string>{"a", "b", "c"}));
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(Yes(name)) << name;
}

TEST_F(JoinedTest, NoMoreThanTheBoundAreJoinedIntoOne) {
  for (size_t i = 0; i < domain::kMaxJoinedFrom; ++i) {
    const std::string name = "more" + std::to_string(i);
    Agree(world_, name);
    ASSERT_EQ(ReasonOf(Join(world_, name, "b")), "NONE") << i;
  }
  const auto refused = Join(world_, "a", "b");
  EXPECT_EQ(ReasonOf(refused), "SUBJECT_FULL");
  EXPECT_NE(std::string(refused.status().message()).find("as many accounts as may be"), std::string::npos);
  EXPECT_EQ(world_.Facts("a").join, JoinState::kNone) << "before anything began";
  EXPECT_TRUE(Yes("a"));
  EXPECT_EQ(ReasonOf(Join(world_, "b", "renamed", true)), "SUBJECT_FULL") << "those that came before included";
  EXPECT_TRUE(Yes("more0"));
  EXPECT_TRUE(Yes("b"));
}

TEST_F(JoinedTest, AClosedAccountIsJoinedIntoNothing) {
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting_.Ask("a", closure);
  EXPECT_EQ(ReasonOf(Join(world_, "a", "b")), "ACCOUNT_CLOSED");
  EXPECT_EQ(deleting_.Work("audio"), 1U);
  EXPECT_EQ(ReasonOf(Join(world_, "a", "b")), "ACCOUNT_CLOSED") << "nor one that is forgotten";
  EXPECT_EQ(ReasonOf(Join(world_, "b", "a")), "ACCOUNT_CLOSED");
  EXPECT_TRUE(Yes("b"));
}

// At any step a closure of the one that is joined is of it alone.
TEST_F(JoinedTest, AClosureBetweenTheCommitsGivesTheJoinUp) {
  for (const int step : {1, 2}) {
    SCOPED_TRACE(step);
    FaultyWorld faulty(World::Options{.partitions = 16, .seed = 4});
    World& world = faulty.world;
    Agree(world, "a");
    Agree(world, "b");
    JoinUpTo(faulty, step);
    domain::Selector closure;
    closure.kind = domain::SelectorKind::kAccountClosure;
    Deleting(world).Ask("a", closure);
    ASSERT_TRUE(world.joins().FinishOpen().ok());
    EXPECT_EQ(world.Facts("a").join, JoinState::kNone);
    EXPECT_EQ(world.core().joins.open(), 0U);
    EXPECT_EQ(Text(world.Check("a").disposition), "PURGE");
    EXPECT_EQ(Text(world.Check("b")), "KEEP yes: CONSENT");
  }
}

TEST_F(JoinedTest, AnAliasIsExplainedByAllThatDecidesIt) {
  const base::Instant apart = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.OptOut("b", Account(), Everything()).ok());
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  const service::HoldPlace hold = deleting_.Hold("a", domain::HeldPart{});
  const service::DeletionPlace request = deleting_.Ask("b", AllOfIt());
  const base::Instant joined = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(deleting_.Release(hold).ok());
  Recording recording(apart - base::Seconds(30));
  for (const char* name : {"a", "b"}) {
    SCOPED_TRACE(name);
    const service::Explained now = Why(name, recording);
    EXPECT_EQ(Text(now.explanation.decision), Text(world_.Check(name, recording)));
    EXPECT_TRUE(now.explanation.decision.disposed.Has(domain::Reason::kDeleted));
    EXPECT_EQ(now.orders.holds.size(), 1U);
    EXPECT_EQ(now.orders.requests.size(), 4U) << "for what was refused, and for everything, of both";
    const service::Explained then = Why(name, recording, joined);
    EXPECT_EQ(Text(then.explanation.decision.disposition), "HOLD");
    EXPECT_TRUE(then.explanation.decision.reasons.Has(domain::Reason::kWithdrawn));
    EXPECT_EQ(then.revision.partition, world_.core().PartitionOf(world_.Handle("b")));
    const service::Explained before = Why(name, recording, apart);
    EXPECT_EQ(Text(before.explanation.decision), "KEEP yes: CONSENT") << "each by what it was";
    EXPECT_EQ(before.revision.partition, world_.core().PartitionOf(world_.Handle(name)));
  }
  EXPECT_EQ(deleting_.Get(request).state, domain::DeletionState::kAccepted);
}

TEST_F(JoinedTest, WhatIsCountedOfPeopleIsCountedOnce) {
  const auto consents = [&] {
    uint64_t given = 0;
    for (const service::RegionCount& region : world_.core().gauges.ByRegion()) {
      given += region.subjects[0][static_cast<size_t>(domain::Choice::kGiven)];
    }
    return given;
  };
  EXPECT_EQ(consents(), 2U);
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  EXPECT_EQ(consents(), 1U);
  world_.Restart();
  EXPECT_EQ(consents(), 1U);
}

// What a restore cannot know is asked for again, and until then nothing that was said is lost.
TEST_F(JoinedTest, WithoutTheIdsOfEachOtherRefusalsAndDeletionsCountAllTheSame) {
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  for (const char* name : {"a", "b"}) LoseIdsOf(name);
  world_.Restart();
  EXPECT_TRUE(Yes("a"));
  deleting_.Ask("b", AllOfIt());
  EXPECT_EQ(AccountsOf(deleting_.Lease("audio")), std::multiset<std::string>{"b"});
  EXPECT_EQ(NeedingIds("a"), 1) << "it is owed, and listed so";
  EXPECT_EQ(Text(world_.Check("a", Recording(world_.Now() - base::Hours(1))).disposition), "PURGE");
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  for (const char* name : {"a", "b"}) EXPECT_FALSE(Yes(name)) << name;
  deleting_.Ask("b", AllOfIt());
  EXPECT_EQ(NeedingIds("a"), 2) << "the same under the name that is known has no other id";
  // The same join has the ids known, and the same request completes those of before.
  const uint64_t before = world_.RevisionOf("a");
  const auto again = Join(world_, "a", "b");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->already);
  EXPECT_NE(world_.RevisionOf("a"), before) << "it has learnt whose alias it is";
  deleting_.Ask("b", AllOfIt());
  for (const char* name : {"a", "b"}) EXPECT_EQ(NeedingIds(name), 0) << name;
  for (const char* name : {"a", "b"}) {
    const auto others = service::JoinedWith(world_.core(), world_.Handle(name));
    ASSERT_TRUE(others.ok() && others->size() == 1U);
    EXPECT_EQ(others->front().second, std::string(name) == "a" ? "b" : "a");
  }
}

}  // namespace
}  // namespace consent::test
