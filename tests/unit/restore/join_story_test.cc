// Accounts that are joined around a backup whose store is lost: what either refused stands, and a join that was under
// way is ended.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/restore/life.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using domain::JoinState;

struct RestoredJoin : testing::Test {
  RestoredJoin() {
    life.deleting().Register(System("audio"));
    for (const char* name : {"a", "b"}) {
      EXPECT_TRUE(world().Register(name, "DE").ok());
      EXPECT_TRUE(world().OptIn(name, Account(), Control("help_improve")).ok());
    }
  }
  World& world() { return life.world(); }
  bool Yes(const std::string& account) { return IsYes(world().Check(account)); }
  // The first commit of a join alone, as a kill leaves it.
  void BeginToJoin() {
    service::ChangeRequest request = Request(world(), "a", "b").from;
    request.command.join = domain::JoinCommand{domain::JoinStep::kBegin, world().Handle("b"), false, nullptr};
    request.payload.accounts = {{world().Handle("b"), "b"}, {world().Handle("a"), "a"}};
    ASSERT_TRUE(world().Submit(std::move(request)).ok());
  }
  // How many requests somebody made of `account` whose ids are known, and whose are not.
  std::pair<int, int> RequestsOf(const std::string& account) {
    service::DeletionFilter filter;
    filter.subject = world().Handle(account);
    const auto page = world().deletions().List(filter, 10, {world().core().PartitionOf(*filter.subject), 0});
    std::pair<int, int> counts;
    for (const service::DeletionView& view : page->requests) {
      if (view.request.cause != domain::DeletionCause::kRequested) continue;
      ++(view.request.needs_ids ? counts.second : counts.first);
    }
    return counts;
  }
  void ExpectJoined() {
    ASSERT_TRUE(world().joins().FinishOpen().ok());
    EXPECT_EQ(world().core().joins.open(), 0U);
    EXPECT_EQ(world().Facts("a").join, JoinState::kAlias);
  }
  Life life;
};

TEST_F(RestoredJoin, OneThatWasBegunIsEnded) {
  life.Backup();
  BeginToJoin();
  ASSERT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.Lose();
  life.Restore();
  EXPECT_EQ(world().core().joins.open(), 1U);
  EXPECT_FALSE(Yes("a"));
  ExpectJoined();
  for (const char* name : {"a", "b"}) EXPECT_TRUE(world().Check(name).reasons.Has(domain::Reason::kWithdrawn)) << name;
}

TEST_F(RestoredJoin, OneOfSinceTheBackupIsJoinedOnceMore) {
  life.Backup();
  ASSERT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  ASSERT_TRUE(Join(world(), "a", "b").ok());
  life.Lose();
  life.Restore();
  EXPECT_EQ(world().Facts("a").join, JoinState::kJoining) << "another partition's journal says whether it was taken";
  EXPECT_FALSE(Yes("a"));
  EXPECT_FALSE(Yes("b"));
  ExpectJoined();
  EXPECT_FALSE(Yes("b"));
  // No file has the other's id. What is said and asked for under one name is of both all the same.
  ASSERT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  life.deleting().Ask("b", AllOfIt());
  EXPECT_EQ(RequestsOf("b"), std::make_pair(1, 0));
  EXPECT_EQ(RequestsOf("a"), std::make_pair(0, 1));
  life.deleting().Ask("a", AllOfIt());
  EXPECT_EQ(RequestsOf("a").second, 0);
}

TEST_F(RestoredJoin, OneOfBeforeTheBackupIsAsItWas) {
  ASSERT_TRUE(Join(world(), "a", "b").ok());
  life.Backup();
  ASSERT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  ASSERT_TRUE(world().Report("a", "bad", domain::Flags::kCriticalData).ok());
  life.Lose();
  life.Restore();
  EXPECT_EQ(world().Facts("a").join, JoinState::kAlias);
  EXPECT_EQ(world().core().joins.open(), 0U);
  for (const char* name : {"a", "b"}) {
    EXPECT_TRUE(world().Check(name).reasons.Has(domain::Reason::kWithdrawn)) << name;
    EXPECT_TRUE(world().Check(name, Recording().Id("bad")).reasons.Has(domain::Reason::kCriticalData)) << name;
  }
  life.deleting().Ask("b", AllOfIt());
  for (const char* name : {"a", "b"}) EXPECT_EQ(RequestsOf(name).second, 0) << name;
}

TEST_F(RestoredJoin, ANewNameOfSinceTheBackupSaysNothingThatWasNotConfirmed) {
  life.Backup();
  ASSERT_TRUE(Join(world(), "a", "new", true).ok());
  ASSERT_TRUE(Yes("new"));
  life.Lose();
  life.Restore();
  ExpectJoined();
  for (const char* name : {"a", "new"}) EXPECT_FALSE(Yes(name)) << name;
  ASSERT_TRUE(world().OptOut("a", Account(), Everything()).ok());
  EXPECT_FALSE(Yes("new"));
}

}  // namespace
}  // namespace consent::test
