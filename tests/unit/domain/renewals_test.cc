// When a consent that is given again is a renewal, and what a new one remembers of the one before.
#include <gtest/gtest.h>

#include <functional>

#include "daemon/domain/effective.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::renewals_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;

const PurposeChoice& Of(const SmallWorld& world, const ScopeRef& scope) {
  return world.facts.Find(scope.kind, scope.handle)->ChoiceFor(kReview);
}

SmallWorld WithConsentOf(const ScopeRef& scope) {
  SmallWorld world;
  world.Register("US");
  EXPECT_EQ(RefusalOf(world.Do(On(world, scope, PurposeOf(kReview)))), Refusal::kNone);
  return world;
}

// Hard case 68: confirmed on its last day but one, it holds as long again, and captures count from the first time.
TEST(Renewal, StartsTheLifetimeAnewAndKeepsTheFirstTime) {
  for (const ScopeRef& scope : {Account(), Profile(1), Device(1)}) {
    SmallWorld world = WithConsentOf(scope);
    const Instant since = Of(world, scope).since;
    const Instant end = ConsentEnd(Of(world, scope), world.rules);
    world.GoTo(end - base::Days(1) + base::Milliseconds(700));
    const Transition renewal = world.Do(On(world, scope, PurposeOf(kReview)));
    EXPECT_TRUE(renewal.parts[0].changed) << "and the history says so";
    ASSERT_EQ(renewal.changes.size(), 1U);
    EXPECT_EQ(renewal.changes[0].from, Choice::kGiven);
    EXPECT_EQ(renewal.changes[0].to, Choice::kGiven);
    EXPECT_EQ(Of(world, scope).since, since);
    EXPECT_EQ(Of(world, scope).renewed, end - base::Days(1)) << "in whole seconds, rounded down";
    EXPECT_EQ(ConsentEnd(Of(world, scope), world.rules), base::AddMonths(end - base::Days(1), 12));
  }
}

TEST(Renewal, WithinASecondChangesNothing) {
  SmallWorld world = WithConsentOf(Account());
  const Instant since = Of(world, Account()).since;
  world.GoTo(since + base::Milliseconds(999));
  EXPECT_FALSE(world.Do(On(world, Account(), PurposeOf(kReview))).parts[0].changed);
  EXPECT_FALSE(Of(world, Account()).renewed.IsSet());
}

TEST(Renewal, OfAGuardianByTheSameGuardianOnly) {
  SmallWorld world;
  world.Register("DE");
  Command child = WithProfile(Loosening(world), 2, BornOn("2014-01-01"));
  child.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
  const auto consent = [&](uint8_t guardian) {
    Command on = On(world, Profile(2), PurposeOf(kReview));
    on.proof.actor = Actor::kGuardian;
    on.proof.guardian = Guardian(guardian);
    return on;
  };
  const Instant first = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(consent(1))), Refusal::kNone);
  ASSERT_EQ(RefusalOf(world.Do(consent(1))), Refusal::kNone);
  EXPECT_EQ(Of(world, Profile(2)).since, first);
  EXPECT_TRUE(Of(world, Profile(2)).renewed.IsSet());
  Command other = Loosening(world);
  other.profiles.push_back({});
  other.profiles[0].profile.bytes = Profile(2).handle;
  other.profiles[0].guardian = Guardian(2);
  ASSERT_EQ(RefusalOf(world.Do(other)), Refusal::kNone);
  const Instant second = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(consent(2))), Refusal::kNone);
  EXPECT_EQ(Of(world, Profile(2)).since, second);
  EXPECT_FALSE(Of(world, Profile(2)).renewed.IsSet());
}

struct NoRenewal {
  const char* name;
  std::function<void(SmallWorld&)> meanwhile;
  std::function<void(Command&)> instead;
  bool was_expiry = false;  // the new consent remembers that the one before had expired
};

void Suspend(SmallWorld& world, bool active) {
  Suspension suspension;
  suspension.purpose = kReview;
  suspension.active = active;
  suspension.suspended_at = world.next.time;
  if (!active) suspension.resumed_at = world.next.time;
  world.rules.suspensions.push_back(suspension);
}

TEST(Renewal, InEveryOtherCaseItIsANewConsent) {
  const auto nothing = [](auto&) {};
  const std::vector<NoRenewal> rows = {
      {"expired", [](SmallWorld& w) { w.GoTo(base::AddMonths(w.next.time, 13)); }, nothing, true},
      {"refused", [](SmallWorld& w) { w.Do(Off(Profile(1), PurposeOf(kReview))); }, nothing},
      {"all refused", [](SmallWorld& w) { w.Do(Off(Profile(1), Target{})); }, nothing},
      {"suspended since", [](SmallWorld& w) { Suspend(w, false); }, nothing},  // hard case 78
      {"suspended now", [](SmallWorld& w) { Suspend(w, true); }, nothing},
      {"another notice", nothing, [](Command& c) { c.proof.notice_version = "narrow"; }},
      {"an agent", nothing, [](Command& c) { c.proof.actor = Actor::kAgent; }},
      {"the system", nothing, [](Command& c) { c.proof.actor = Actor::kSystem; }},
      {"the person after an agent",
       [](SmallWorld& w) {
         Command agent = On(w, Profile(1), PurposeOf(kReview));
         agent.proof.actor = Actor::kAgent;
         w.Do(agent);
       },
       nothing},
      {"removed",
       [](SmallWorld& w) {
         Command removal = Loosening(w);
         removal.removals = {Profile(1)};
         w.Do(removal);
         w.Do(WithProfile(Loosening(w), 1, AnAdult()));
       },
       nothing},
  };
  for (const NoRenewal& row : rows) {
    SmallWorld world = WithConsentOf(Profile(1));
    const Instant end = ConsentEnd(Of(world, Profile(1)), world.rules);
    row.meanwhile(world);
    Command again = On(world, Profile(1), PurposeOf(kReview));
    row.instead(again);
    const Instant now = world.next.time;
    ASSERT_EQ(RefusalOf(world.Do(again)), Refusal::kNone) << row.name;
    EXPECT_EQ(Of(world, Profile(1)).since, now) << row.name;
    EXPECT_FALSE(Of(world, Profile(1)).renewed.IsSet()) << row.name;
    EXPECT_EQ(Of(world, Profile(1)).end_was_expiry, row.was_expiry) << row.name;
    if (!row.was_expiry) continue;
    EXPECT_EQ(Of(world, Profile(1)).refused_from, end) << row.name;
  }
}

// Coming of age is an end: the guardian's consent has expired then, and the adult's own begins.
TEST(Renewal, ComingOfAgeNeedsAConsentOfOnesOwn) {
  SmallWorld world;
  world.Register("US");
  Command child = WithProfile(Loosening(world), 2, BornOn("2013-03-10"));
  child.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
  Command by_guardian = On(world, Profile(2), PurposeOf(kReview));
  by_guardian.proof.actor = Actor::kGuardian;
  by_guardian.proof.guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(by_guardian)), Refusal::kNone);
  world.GoTo(At("2026-04-01T00:00:00Z"));
  const Instant now = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(On(world, Profile(2), PurposeOf(kReview)))), Refusal::kNone);
  EXPECT_EQ(Of(world, Profile(2)).since, now);
  EXPECT_EQ(Of(world, Profile(2)).refused_from, At("2026-03-10T12:00:00Z"));
  EXPECT_TRUE(Of(world, Profile(2)).end_was_expiry);
}

// A notice that covers the past forgives, and that is kept until a new end.
TEST(Renewal, ForgivenCopiesStaySoUntilANewEnd) {
  SmallWorld world;
  world.rules.notices[1].covers_past = true;  // narrow
  world.Register("US");
  world.Do(Off(Account(), PurposeOf(kReview)));
  const auto give = [&](const char* notice) {
    Command on = On(world, Account(), PurposeOf(kReview));
    on.proof.notice_version = notice;
    ASSERT_EQ(RefusalOf(world.Do(on)), Refusal::kNone);
  };
  give("n1");
  EXPECT_FALSE(Of(world, Account()).copies_forgiven);
  give("narrow");
  EXPECT_TRUE(Of(world, Account()).copies_forgiven);
  give("n1");
  EXPECT_TRUE(Of(world, Account()).copies_forgiven) << "a later notice that is silent on the past takes nothing back";
  const Instant off = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  give("n1");
  EXPECT_EQ(Of(world, Account()).refused_from, off);
  EXPECT_FALSE(Of(world, Account()).copies_forgiven) << "a new end";
  SmallWorld never = WithConsentOf(Account());
  EXPECT_FALSE(Of(never, Account()).copies_forgiven) << "there is nothing to forgive";
}

// One adult's one tap: for the account and for oneself, both or neither.
TEST(SelfProfile, IsTurnedOnWithTheAccount) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), ControlNamed("improve"));
  on.self_profile = base::ProfileHandle{Profile(1).handle};
  ASSERT_EQ(RefusalOf(world.Do(on)), Refusal::kNone);
  EXPECT_EQ(Of(world, Account()).choice, Choice::kGiven);
  EXPECT_EQ(Of(world, Profile(1)), Of(world, Account()));

  world.Do(WithProfile(Command{}, 2, AChild()));
  for (const uint8_t other : {2, 3}) {
    Command refused = On(world, Account(), PurposeOf(Purpose::kPersonalisation));
    refused.self_profile = base::ProfileHandle{Profile(other).handle};
    EXPECT_EQ(RefusalOf(world.Try(refused)), other == 2 ? Refusal::kGuardianRequired : Refusal::kScopeNotFound);
    EXPECT_EQ(world.Try(refused).after.account().ChoiceFor(Purpose::kPersonalisation).choice, Choice::kUnset)
        << "neither";
  }
  Command off_there = On(world, Account(), PurposeOf(kReview));
  off_there.self_profile = base::ProfileHandle{Profile(1).handle};
  off_there.choices.push_back({Profile(1), Target{}, false});
  EXPECT_EQ(world.Try(off_there).parts[0].refusal, Refusal::kContradiction);
}

}  // namespace
}  // namespace consent::domain::renewals_test
