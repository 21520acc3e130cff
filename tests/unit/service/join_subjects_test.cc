// Joining two accounts, by what a backend does and what comes in between.
#include "daemon/service/subject/join_subjects.h"

#include <gtest/gtest.h>

#include <future>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/subject_rows.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using domain::JoinState;
using domain::Purpose;

class JoinTest : public testing::Test {
 protected:
  bool Yes(const std::string& account) { return IsYes(world_.Check(account)); }
  FaultyWorld faulty_{World::Options{.partitions = 16}};
  World& world_ = faulty_.world;
};

TEST_F(JoinTest, OfTwoThatAgreedSaysYesUnderBothNames) {
  Agree(world_, "a");
  Agree(world_, "b");
  const auto joined = Join(world_, "a", "b");
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_FALSE(joined->already);
  EXPECT_EQ(joined->revision.sequence, world_.RevisionOf("b"));
  EXPECT_EQ(world_.Facts("a").join, JoinState::kAlias);
  EXPECT_TRUE(Yes("a"));
  EXPECT_TRUE(Yes("b"));
  EXPECT_EQ(world_.Check("a").revision, world_.RevisionOf("b"));
  // Once more changes nothing.
  service::JoinRequest again = Request(world_, "a", "b");
  const auto repeated = Submit(world_, std::move(again));
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(repeated->already);
  EXPECT_EQ(repeated->revision, joined->revision);
  // And not after a restart either.
  world_.Restart();
  EXPECT_TRUE(Yes("a"));
  EXPECT_EQ(world_.core().joins.open(), 0U);
}

TEST_F(JoinTest, OfOneThatDidNotAgreeSaysNo) {
  Agree(world_, "a");
  ASSERT_TRUE(world_.Register("b", "DE").ok());
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  EXPECT_EQ(Text(world_.Check("a")), "KEEP no: NO_CONSENT");
  EXPECT_FALSE(Yes("b"));
  // Given again, under either name, with the joined account's etag.
  service::ChangeRequest given = world_.OptInRequest("b", Account(), Control("help_improve"), {});
  given.subject = world_.Handle("a");
  given.account_id = "a";
  given.etag = service::Revision{world_.core().PartitionOf(world_.Handle("b")), world_.RevisionOf("b")};
  given.command.expected_revision = service::kStaleEtag;  // as of another partition
  ASSERT_TRUE(world_.Submit(std::move(given)).ok());
  EXPECT_TRUE(Yes("a"));
  EXPECT_TRUE(Yes("b"));
}

TEST_F(JoinTest, AnEtagOfTheAliasIsStale) {
  Agree(world_, "a");
  Agree(world_, "b");
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  service::ChangeRequest given = world_.OptInRequest("a", Account(), Control("help_improve"), {});
  given.etag = service::Revision{world_.core().PartitionOf(world_.Handle("a")), world_.RevisionOf("a")};
  EXPECT_EQ(ReasonOf(world_.Submit(std::move(given))), "ETAG_MISMATCH");
  EXPECT_FALSE(Yes("b"));
}

TEST_F(JoinTest, ANoUnderOneNameIsOneOfBoth) {
  Agree(world_, "a");
  Agree(world_, "b");
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_FALSE(Yes("a"));
  EXPECT_EQ(Text(world_.Check("b")), "KEEP no: WITHDRAWN");
  // What is read under the alias is the joined account's.
  const auto view = world_.reads().Get(world_.Handle("a"));
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->revision.sequence, world_.RevisionOf("b"));
  // The history is its own.
  const auto history = world_.reads().History(world_.Handle("a"), 10, 0);
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(history->items.front().row.kind, service::ChangeKind::kJoined);
}

TEST_F(JoinTest, RenamingKeepsWhatWasAgreedTo) {
  Agree(world_, "a");
  EXPECT_EQ(ReasonOf(Join(world_, "a", "new")), "SUBJECT_NOT_FOUND");
  ASSERT_TRUE(Join(world_, "a", "new", true).ok());
  EXPECT_TRUE(Yes("new"));
  EXPECT_TRUE(Yes("a"));
  ASSERT_TRUE(Join(world_, "new", "newer", true).ok());
  EXPECT_TRUE(Yes("a"));
  EXPECT_TRUE(Yes("newer"));
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  for (const char* name : {"a", "new", "newer"}) EXPECT_FALSE(Yes(name)) << name;
  EXPECT_EQ(ReasonOf(Join(world_, "newer", "b", true)), "NONE");
  EXPECT_EQ(ReasonOf(Join(world_, "a", "c", true)), "ACCOUNT_JOINED");
}

TEST_F(JoinTest, OrdersOfBothCount) {
  Agree(world_, "a");
  Agree(world_, "b");
  Deleting deleting(world_);
  const auto place = deleting.Ask("a", AllOfIt(), domain::DeletionState::kReceived);
  ASSERT_TRUE(world_.Report("a", "bad", domain::Flags::kCriticalData).ok());
  const base::Instant before = world_.Now() - base::Hours(1);
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  for (const char* name : {"a", "b"}) {
    const domain::Decision waiting = world_.Check(name, Recording(before));
    EXPECT_TRUE(waiting.reasons.Has(domain::Reason::kDeletionPending)) << name;
    EXPECT_TRUE(world_.Check(name, Recording().Id("bad")).reasons.Has(domain::Reason::kCriticalData)) << name;
  }
  // Verified under its id, it purges both; cancelled it would no longer count.
  ASSERT_TRUE(deleting.Step(place, domain::DeletionStep::kVerify).ok());
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(Text(world_.Check(name, Recording(before)).disposition), "PURGE") << name;
  }
  const auto hold = deleting.Hold("a", domain::HeldPart{});
  EXPECT_EQ(Text(world_.Check("b", Recording(before)).disposition), "HOLD");
  ASSERT_TRUE(deleting.Release(hold).ok());
  EXPECT_EQ(Text(world_.Check("b", Recording(before)).disposition), "PURGE");
  EXPECT_TRUE(Yes("a"));
  // Under the alias, and of a recording that is named.
  ASSERT_TRUE(world_.Report("a", "worse", domain::Flags::kSafety).ok());
  EXPECT_FALSE(IsYes(world_.Check("b", Recording().Id("worse"))));
}

TEST_F(JoinTest, DataSystemsAreToldUnderBothIds) {
  Agree(world_, "a");
  Agree(world_, "b");
  Deleting deleting(world_);
  deleting.Register(System("audio"));
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  std::set<std::string> accounts;
  for (const service::LeasedTask& task : deleting.Lease("audio")) accounts.insert(task.payload.account_id);
  EXPECT_EQ(accounts, (std::set<std::string>{"a", "b"}));
}

TEST_F(JoinTest, ADeletionOfOneIsOneOfBoth) {
  for (const char* named : {"a", "b"}) {
    SCOPED_TRACE(named);
    FaultyWorld faulty(World::Options{.partitions = 16, .seed = 5});
    World& world = faulty.world;
    Agree(world, "a");
    Agree(world, "b");
    Deleting deleting(world);
    deleting.Register(System("audio"));
    ASSERT_TRUE(Join(world, "a", "b").ok());
    deleting.Ask(named, AllOfIt());
    std::set<std::string> accounts;
    for (const service::LeasedTask& task : deleting.Lease("audio")) accounts.insert(task.payload.account_id);
    EXPECT_EQ(accounts, (std::set<std::string>{"a", "b"}));
    // The same request sent again is the same two.
    const std::string id = "11111111-1111-1111-1111-111111111111";
    const auto first = deleting.TryAsk(named, deleting.Recordings({"r1"}), domain::DeletionState::kAccepted, id);
    const auto again = deleting.TryAsk(named, deleting.Recordings({"r1"}), domain::DeletionState::kAccepted, id);
    ASSERT_TRUE(first.ok() && again.ok()) << first.status() << again.status();
    EXPECT_EQ(first->place.number, again->place.number);
    EXPECT_EQ(deleting.Lease("audio").size(), 2U);
    EXPECT_EQ(WrongIds(world), "");
  }
}

TEST_F(JoinTest, WhatOneRefusedEndsCopiesOfTheOther) {
  Agree(world_, "a");
  Agree(world_, "b");
  Deleting deleting(world_);
  ASSERT_TRUE(world_.OptOut("b", Account(), Everything()).ok());
  deleting.Register(System("audio"));
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  std::set<std::string> accounts;
  for (const service::LeasedTask& task : deleting.Lease("audio")) accounts.insert(task.payload.account_id);
  EXPECT_EQ(accounts, std::set<std::string>{"a"});
  EXPECT_EQ(Text(world_.Check("a").disposition), "KEEP");
}

TEST_F(JoinTest, IsRefusedWhereItCannotBe) {
  Agree(world_, "a");
  Agree(world_, "b");
  Agree(world_, "c");
  service::JoinRequest request = Request(world_, "a", "b");
  request.into_etag->sequence -= 1;
  EXPECT_EQ(ReasonOf(Submit(world_, std::move(request))), "ETAG_MISMATCH");
  request = Request(world_, "a", "b");
  *request.from.command.expected_revision -= 1;
  EXPECT_EQ(ReasonOf(Submit(world_, std::move(request))), "ETAG_MISMATCH");
  request = Request(world_, "a", "b");
  request.from.command.expected_revision.reset();
  EXPECT_EQ(ReasonOf(Submit(world_, std::move(request))), "ETAG_REQUIRED");
  request = Request(world_, "a", "b");
  request.from.command.proof.actor = domain::Actor::kMissing;
  EXPECT_EQ(ReasonOf(Submit(world_, std::move(request))), "EVIDENCE_REQUIRED");
  request = Request(world_, "a", "b");
  request.into_is_new = true;
  EXPECT_EQ(ReasonOf(Submit(world_, std::move(request))), "ETAG_MISMATCH");
  EXPECT_TRUE(Yes("a"));
  ASSERT_TRUE(Join(world_, "a", "b").ok());
  EXPECT_EQ(ReasonOf(Join(world_, "c", "a")), "ACCOUNT_JOINED");
  EXPECT_EQ(ReasonOf(Join(world_, "b", "a")), "ACCOUNT_JOINED");
  Deleting deleting(world_);
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting.Ask("b", closure);
  EXPECT_EQ(ReasonOf(Join(world_, "c", "b")), "ACCOUNT_CLOSED");
  EXPECT_TRUE(Yes("c"));
  // What was recorded under the alias goes with the account that it became.
  EXPECT_EQ(Text(world_.Check("a").disposition), "PURGE");
}

// Somebody else's commit on the same store: an opt-out of everything.
void OptOutElsewhere(World& world, const std::string& account) {
  const domain::SubjectFacts before = world.Facts(account);
  domain::Command command;
  command.choices.push_back({domain::ScopeRef{}, Everything(), false});
  std::promise<store::CommitResult> promise;
  world.inner_store().Commit(
      world.core().PartitionOf(world.Handle(account)), {},
      [&](const store::Stamp& stamp) {
        const domain::Moment moment{stamp.time, stamp.sequence};
        const auto after = domain::Apply(before, command, moment, *world.core().policies.rules()).after;
        service::ChangeRow row;
        row.kind = service::ChangeKind::kOptOut;
        row.previous = before.revision;
        domain::EncodeFacts(after, &row.facts);
        store::Change change;
        change.writes.push_back({store::Table::kSubject, world.core().SubjectKey(world.Handle(account)),
                                 service::EncodeSubjectRow(world.Handle(account), row.facts)});
        change.event.subject = std::string(base::View(world.Handle(account).bytes));
        change.event.body = service::EncodeChangeRow(row);
        return change;
      },
      [&](const store::CommitResult& result) { promise.set_value(result); });
  ASSERT_EQ(promise.get_future().get().outcome, store::Outcome::kCommitted);
}

TEST_F(JoinTest, IsEndedByWhoeverComesNext) {
  for (int step = 0; step < 3; ++step) {
    SCOPED_TRACE(step);
    FaultyWorld faulty(World::Options{.partitions = 16, .seed = 7});
    World& world = faulty.world;
    Agree(world, "a");
    Agree(world, "b");
    JoinUpTo(faulty, step);
    // From the first commit on it is no.
    EXPECT_EQ(IsYes(world.Check("a")), step == 0);
    EXPECT_TRUE(IsYes(world.Check("b")));
    world.Restart();
    EXPECT_EQ(world.core().joins.open(), step == 0 ? 0U : 1U);
    // What is refused meanwhile is joined, too.
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
    // At once, where the other one had taken what was agreed to.
    EXPECT_EQ(IsYes(world.Check("b")), step != 2);
    ASSERT_TRUE(world.joins().FinishOpen().ok());
    EXPECT_EQ(world.core().joins.open(), 0U);
    EXPECT_EQ(world.Facts("a").join, step == 0 ? JoinState::kNone : JoinState::kAlias);
    EXPECT_FALSE(IsYes(world.Check("a")));
    EXPECT_EQ(IsYes(world.Check("b")), step == 0);
  }
}

// Before each commit of a join somebody else refuses on either account.
TEST_F(JoinTest, ANoBetweenAnyTwoCommitsCounts) {
  for (const char* refuses : {"a", "b"}) {
    for (int step = 0; step < 3; ++step) {
      SCOPED_TRACE(std::string(refuses) + " before commit " + std::to_string(step));
      FaultyWorld faulty(World::Options{.partitions = 16, .seed = 9});
      World& world = faulty.world;
      Agree(world, "a");
      Agree(world, "b");
      int commits = 0;
      std::function<void()> meddle = [&] {
        if (commits++ == step) return OptOutElsewhere(world, refuses);
        faulty.faulty->BeforeNextCommit(meddle);
      };
      faulty.faulty->BeforeNextCommit(meddle);
      const auto joined = Join(world, "a", "b");
      if (step == 0 && refuses == std::string("a")) {
        EXPECT_EQ(ReasonOf(joined), "ETAG_MISMATCH");
        continue;
      }
      ASSERT_TRUE(joined.ok()) << joined.status();
      EXPECT_EQ(world.Facts("a").join, JoinState::kAlias);
      EXPECT_FALSE(IsYes(world.Check("a")));
      EXPECT_FALSE(IsYes(world.Check("b")));
    }
  }
}

TEST_F(JoinTest, IsGivenUpWhereTheOtherOneIsClosedMeanwhile) {
  Agree(world_, "a");
  Agree(world_, "b");
  JoinUpTo(faulty_, 1);
  Deleting deleting(world_);
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting.Ask("b", closure);
  EXPECT_FALSE(Yes("a"));
  ASSERT_TRUE(world_.joins().FinishOpen().ok());
  EXPECT_EQ(world_.core().joins.open(), 0U);
  EXPECT_EQ(world_.Facts("a").join, JoinState::kNone);
  EXPECT_TRUE(Yes("a"));
}

}  // namespace
}  // namespace consent::test
