// Hard case 27 by what a backend does: inactive children are listed, the notice is recorded, and what they said goes.
#include "daemon/service/subject/children_due.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::ChildDue;

// The names of those who are listed, page by page.
std::set<std::string> Listed(World& world, const std::vector<ChildDue>& due = {}, size_t limit = 100,
                             size_t* pages = nullptr) {
  std::set<std::string> names;
  service::PageToken from;
  for (;;) {
    const auto page = world.children_due().List({{}, due}, limit, from);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return names;
    if (pages != nullptr) ++*pages;
    for (const service::InactiveChildren& account : page->accounts) {
      for (const auto& [profile, inactivity] : account.profiles) {
        std::string name;
        for (const auto& [scope, id] : account.view.names) {
          if (scope.kind == domain::ScopeKind::kProfile && scope.handle == profile.handle) name = id;
        }
        EXPECT_TRUE(names.insert(account.view.account_id + "/" + name).second) << "listed twice";
      }
    }
    if (!page->next.has_value()) return names;
    from = *page->next;
  }
}

Reply Register(World& world, const std::string& account, const std::vector<Person>& people) {
  service::ChangeRequest request = world.Request(account, service::ChangeKind::kUpsertSubject);
  request.account_id = account;
  request.command.registers = true;
  domain::Region region;
  EXPECT_TRUE(domain::Region::Parse("DE", &region));
  request.command.region = region;
  for (const Person& person : people) {
    request.command.profiles.push_back(world.Command(person));
    request.command.profiles.back().last_active = world.Now();
    request.payload.names.emplace_back(world.Ref(Profile(person.id)), person.id);
    if (!person.guardian.empty()) {
      request.payload.guardians.emplace_back(*request.command.profiles.back().guardian, person.guardian);
    }
  }
  return world.Submit(std::move(request));
}

Reply TellGuardian(World& world, const std::string& account, const std::string& profile) {
  service::ChangeRequest request = world.Request(account, service::ChangeKind::kChildNotice);
  request.command.child_notice.emplace().bytes = world.Ref(Profile(profile)).handle;
  return world.Submit(std::move(request));
}

// The guardian says that it shall stay, having looked at what is stored.
Reply Keep(World& world, const std::string& account, const std::string& profile) {
  service::ChangeRequest request = world.Request(account, service::ChangeKind::kUpsertSubject);
  request.account_id = account;
  request.command.expected_revision = world.RevisionOf(account);
  request.command.proof = world.Proof(Given{});
  domain::ProfileCommand child;
  child.profile.bytes = world.Ref(Profile(profile)).handle;
  child.last_active = world.Now();
  request.command.profiles.push_back(child);
  request.payload.names.emplace_back(world.Ref(Profile(profile)), profile);
  return world.Submit(std::move(request));
}

// What is to be done with a recording that is not eligible because its child stays away.
std::string InactiveAnd(const domain::Decision& decision) {
  EXPECT_FALSE(IsYes(decision));
  EXPECT_TRUE(decision.reasons.Has(domain::Reason::kChildInactive)) << Text(decision);
  return Text(decision.disposition);
}

TEST(HardCase, N27_AnInactiveChildsRecordingsGoAfterTheNoticePeriod) {
  World world;
  for (const char* account : {"a", "b", "c"}) {
    ASSERT_TRUE(Register(world, account, {Adult("ann"), Child("ben", "gil")}).ok());
  }
  Recording bens = Recording().Spoken({"ben"});
  EXPECT_TRUE(Listed(world).empty());
  EXPECT_EQ(ReasonOf(TellGuardian(world, "a", "ben")), "CHILD_NOT_INACTIVE");

  world.Wait(base::Days(560));  // 18 months and some days
  EXPECT_EQ(Listed(world, {ChildDue::kNotice}), (std::set<std::string>{"a/ben", "b/ben", "c/ben"})) << "no adult";
  EXPECT_EQ(InactiveAnd(world.Check("a", bens)), "KEEP");
  EXPECT_EQ(Text(world.Check("a", Recording())).find("CHILD_INACTIVE"), std::string::npos);
  ASSERT_TRUE(TellGuardian(world, "a", "ben").ok());
  ASSERT_TRUE(TellGuardian(world, "b", "ben").ok());
  EXPECT_EQ(Listed(world, {ChildDue::kNotice}), (std::set<std::string>{"c/ben"}));
  EXPECT_EQ(Listed(world, {ChildDue::kAnswer}), (std::set<std::string>{"a/ben", "b/ben"}));
  EXPECT_EQ(InactiveAnd(world.Check("a", bens)), "KEEP");

  world.Wait(base::Days(30));
  ASSERT_TRUE(Keep(world, "b", "ben").ok());
  world.Restart();
  world.Wait(base::Days(60));
  EXPECT_EQ(Listed(world), (std::set<std::string>{"a/ben", "c/ben"}));
  EXPECT_EQ(Listed(world, {ChildDue::kPurge}), (std::set<std::string>{"a/ben"}));
  EXPECT_EQ(InactiveAnd(world.Check("a", bens)), "PURGE");
  EXPECT_EQ(Text(world.Check("b", bens).disposition), "KEEP") << "the guardian kept it";
  EXPECT_EQ(InactiveAnd(world.Check("c", bens)), "KEEP") << "nobody was told, so nothing goes";
  EXPECT_EQ(Text(world.Check("a", Recording().Spoken({"ann"})).disposition), "KEEP") << "the adult's stays";
}

TEST(ChildrenDue, TheHistorySaysThatTheNoticeWentOut) {
  World world;
  ASSERT_TRUE(Register(world, "a", {Child("ben", "gil")}).ok());
  world.Wait(base::Days(560));
  const Reply first = TellGuardian(world, "a", "ben");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(first->parts[0].changed);
  const Reply again = TellGuardian(world, "a", "ben");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->parts[0].changed);
  const auto history = world.reads().History(world.Handle("a"), 10, 0);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->items.size(), 3U);
  EXPECT_EQ(history->items[1].row.kind, service::ChangeKind::kChildNotice);
  ASSERT_EQ(history->items[1].row.changes.size(), 1U);
  EXPECT_EQ(history->items[1].row.changes[0].what, domain::ChangedWhat::kChildNotice);
  EXPECT_EQ(ReasonOf(TellGuardian(world, "a", "eve")), "SCOPE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(TellGuardian(world, "nobody", "ben")), "SCOPE_NOT_FOUND");
  EXPECT_FALSE(world.Known("nobody"));
}

TEST(ChildrenDue, PagesShowEachOnceInEveryPartition) {
  World::Options options;
  options.partitions = 3;
  World world(options);
  std::set<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    const std::string account = "account-" + std::to_string(i);
    ASSERT_TRUE(Register(world, account, {Child("ben", "gil"), Child("eve", "gil"), Adult("ann")}).ok());
    expected.insert({account + "/ben", account + "/eve"});
  }
  world.Wait(base::Days(560));
  for (const size_t limit : {1U, 3U, 7U, 1000U}) {
    size_t pages = 0;
    EXPECT_EQ(Listed(world, {}, limit, &pages), expected) << limit;
    if (limit == 1) {
      EXPECT_EQ(pages, 20U);
    }
  }
  const auto one = world.children_due().List({world.Handle("account-7"), {}}, 100, {});
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->accounts.size(), 1U);
  EXPECT_EQ(one->accounts[0].profiles.size(), 2U);
  EXPECT_TRUE(world.children_due().List({world.Handle("nobody"), {}}, 100, {})->accounts.empty());
}

TEST(ChildrenDue, TheAccountsIdIsKeptBesideAChildAlone) {
  World world;
  ASSERT_TRUE(Register(world, "a", {Adult("ann")}).ok());
  ASSERT_TRUE(Register(world, "b", {Adult("ann"), Child("ben", "gil")}).ok());
  EXPECT_EQ(world.reads().Get(world.Handle("a"))->account_id, "");
  EXPECT_EQ(world.reads().Get(world.Handle("b"))->account_id, "b");
}

}  // namespace
}  // namespace consent::test
