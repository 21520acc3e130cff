// What an inactive child's profile is due for, and the notice to its guardian.
#include "daemon/domain/child_inactivity.h"

#include <gtest/gtest.h>

#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

constexpr base::Span kBit = base::Microseconds(1);

const ScopeFacts& Child(const SmallWorld& world) { return *world.facts.Find(ScopeKind::kProfile, Profile(2).handle); }

// Registered in DE: profile 1 is an adult, profile 2 a child that was active then.
SmallWorld Home() {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile({}, 2, AChild()));
  return world;
}

ChildInactivity Of(const SmallWorld& world, Instant now) {
  return InactivityOf(world.facts, Child(world), base::Now::Sure(now), world.rules);
}

Command Told(uint8_t profile = 2) {
  Command command;
  command.child_notice.emplace().bytes = Profile(profile).handle;
  return command;
}

TEST(ChildInactivity, OneIsDueForANoticeForAnAnswerAndForThePurgeInTurn) {
  SmallWorld world = Home();
  const Instant inactive = base::AddMonths(Child(world).last_active, 18);
  EXPECT_EQ(Of(world, inactive - kBit).due, ChildDue::kNone);
  EXPECT_EQ(Of(world, inactive).due, ChildDue::kNotice) << "at the very moment";
  EXPECT_EQ(Of(world, inactive).inactive_at, inactive);
  EXPECT_FALSE(Of(world, inactive).purge_at.IsSet());

  world.GoTo(inactive + base::Days(5));
  ASSERT_EQ(RefusalOf(world.Do(Told())), Refusal::kNone);
  const Instant told = Child(world).inactivity_notice;
  EXPECT_EQ(told, inactive + base::Days(5)) << "by the server's clock";
  const Instant over = told + world.rules.regimes[world.rules.ForRegion(In("DE")).regime].child_notice_period;
  EXPECT_EQ(Of(world, told).due, ChildDue::kAnswer);
  EXPECT_EQ(Of(world, over - kBit).due, ChildDue::kAnswer);
  EXPECT_EQ(Of(world, over).due, ChildDue::kPurge);
  EXPECT_EQ(Of(world, over).purge_at, over);
}

TEST(ChildInactivity, NobodyElseIsDue) {
  SmallWorld world = Home();
  const Instant later = base::AddMonths(Child(world).last_active, 40);
  const ScopeFacts& adult = *world.facts.Find(ScopeKind::kProfile, Profile(1).handle);
  EXPECT_EQ(InactivityOf(world.facts, adult, base::Now::Sure(later), world.rules).due, ChildDue::kNone);
  EXPECT_EQ(InactivityOf(world.facts, world.facts.account(), base::Now::Sure(later), world.rules).due, ChildDue::kNone);
  ScopeFacts unknown = Child(world);
  unknown.last_active = Instant{};
  EXPECT_EQ(InactivityOf(world.facts, unknown, base::Now::Sure(later), world.rules).due, ChildDue::kNone);
  ScopeFacts removed = Child(world);
  removed.registered = false;
  EXPECT_EQ(InactivityOf(world.facts, removed, base::Now::Sure(later), world.rules).due, ChildDue::kNone);
  SubjectFacts closed = world.facts;
  closed.closed_at = later;
  EXPECT_EQ(InactivityOf(closed, Child(world), base::Now::Sure(later), world.rules).due, ChildDue::kNone);
  // Who comes of age meanwhile is no child any more.
  ScopeFacts grown = Child(world);
  grown.age = BornOn("2010-04-01");
  EXPECT_EQ(InactivityOf(world.facts, grown, base::Now::Sure(later), world.rules).due, ChildDue::kNone);
}

TEST(ChildInactivity, ANoticeOfBeforeSaysNothingOfIt) {
  SmallWorld world = Home();
  const Instant inactive = base::AddMonths(Child(world).last_active, 18);
  ScopeFacts* child = world.facts.Find(ScopeKind::kProfile, Profile(2).handle);
  child->inactivity_notice = inactive - kBit;
  EXPECT_EQ(Of(world, inactive + base::Days(90)).due, ChildDue::kNotice);
  child->inactivity_notice = inactive;
  EXPECT_EQ(Of(world, inactive + base::Days(90)).due, ChildDue::kPurge);
}

TEST(ChildInactivity, WhatPurgesAsksTheEarlierClock) {
  SmallWorld world = Home();
  world.GoTo(base::AddMonths(Child(world).last_active, 18));
  ASSERT_EQ(RefusalOf(world.Do(Told())), Refusal::kNone);
  const Instant over = Of(world, world.next.time).purge_at;
  base::Now now = base::Now::Sure(over);
  now.earliest = over - kBit;
  EXPECT_EQ(InactivityOf(world.facts, Child(world), now, world.rules).due, ChildDue::kAnswer);
  now.earliest = Instant{};  // in doubt
  EXPECT_EQ(InactivityOf(world.facts, Child(world), now, world.rules).due, ChildDue::kAnswer);
}

TEST(ChildNotice, IsRefusedWhereThereIsNothingToTell) {
  SmallWorld world = Home();
  EXPECT_EQ(RefusalOf(world.Try(Told())), Refusal::kChildNotInactive);
  EXPECT_EQ(RefusalOf(world.Try(Told(1))), Refusal::kChildNotInactive) << "an adult";
  EXPECT_EQ(RefusalOf(world.Try(Told(9))), Refusal::kScopeNotFound);
  world.GoTo(base::AddMonths(Child(world).last_active, 18) - kBit);
  EXPECT_EQ(RefusalOf(world.Try(Told())), Refusal::kChildNotInactive) << "not yet";
}

TEST(ChildNotice, TheFirstOneStays) {
  SmallWorld world = Home();
  world.GoTo(base::AddMonths(Child(world).last_active, 18));
  ASSERT_TRUE(world.Do(Told()).parts[0].changed);
  const Instant told = Child(world).inactivity_notice;
  world.GoTo(told + base::Days(50));
  const Transition again = world.Do(Told());
  EXPECT_EQ(RefusalOf(again), Refusal::kNone);
  EXPECT_FALSE(again.parts[0].changed) << "a reminder puts nothing off";
  EXPECT_TRUE(again.changes.empty());
  EXPECT_EQ(Child(world).inactivity_notice, told);
}

TEST(ChildNotice, WaitsWhileTheTimeIsInDoubtOrBehind) {
  SmallWorld world = Home();
  world.GoTo(base::AddMonths(Child(world).last_active, 18));
  world.next.now.doubtful = true;
  EXPECT_EQ(RefusalOf(world.Try(Told())), Refusal::kClockDoubtful);
  world.next.now.doubtful = false;
  world.next.now.behind = true;
  EXPECT_EQ(RefusalOf(world.Try(Told())), Refusal::kClockBehind);
}

TEST(ChildNotice, ActivityAnswersIt) {
  SmallWorld world = Home();
  world.GoTo(base::AddMonths(Child(world).last_active, 18));
  ASSERT_EQ(RefusalOf(world.Do(Told())), Refusal::kNone);
  world.GoTo(world.next.time + base::Days(10));
  Command keep = Loosening(world);
  ProfileCommand child;
  child.profile.bytes = Profile(2).handle;
  child.last_active = world.next.time;
  keep.profiles.push_back(child);
  ASSERT_EQ(RefusalOf(world.Do(keep)), Refusal::kNone);
  EXPECT_FALSE(Child(world).inactivity_notice.IsSet());
  EXPECT_FALSE(Child(world).purge_floor.IsSet()) << "before the period was over nothing had to go";
  EXPECT_EQ(Of(world, world.next.time + base::Days(90)).due, ChildDue::kNone);
  EXPECT_EQ(RefusalOf(world.Try(Told())), Refusal::kChildNotInactive);
}

}  // namespace
}  // namespace consent::domain
