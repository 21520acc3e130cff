// What becomes of regions, closures, deletions, holds and earlier joins where two records become one.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "daemon/domain/strictest.h"
#include "daemon/domain/tombstone_intervals.h"
#include "tests/unit/domain/two_records.h"

namespace consent::domain::strictest_orders_test {
namespace {

SubjectFacts Living(const char* region, std::vector<FormerRegion> former = {}) {
  SubjectFacts facts;
  facts.registered = facts.account().registered = true;
  facts.region = Of(region);
  facts.former_regions.assign(former.begin(), former.end());
  return facts;
}
using Former = absl::InlinedVector<FormerRegion, 1>;

TEST(StrictestOrders, BothRegionsRulesHoldUntilOneIsTold) {
  const SubjectFacts de = Living("DE");
  const SubjectFacts us = Living("US");
  EXPECT_EQ(Strictest(de, us, kJoinedAt).region, Of("DE"));
  EXPECT_EQ(Strictest(de, us, kJoinedAt).former_regions, (Former{{Of("US"), kStillThere}}));
  EXPECT_EQ(Strictest(us, de, kJoinedAt).region, Of("US"));
  EXPECT_EQ(Strictest(us, de, kJoinedAt).former_regions, (Former{{Of("DE"), kStillThere}}));
  EXPECT_TRUE(Strictest(de, de, kJoinedAt).former_regions.empty());
  SubjectFacts nowhere = Living("US");
  nowhere.registered = false;
  EXPECT_EQ(Strictest(nowhere, de, kJoinedAt).region, Of("DE"));
  EXPECT_EQ(Strictest(de, nowhere, kJoinedAt).region, Of("DE"));
  EXPECT_TRUE(Strictest(de, nowhere, kJoinedAt).former_regions.empty());
}

TEST(StrictestOrders, RegionsThatWereLeftStayInTheirOrderEachOnceAtItsLatest) {
  const SubjectFacts a = Living("DE", {{Of("FR"), T(10)}, {Of("US"), T(30)}});
  const SubjectFacts b = Living("DE", {{Of("CA"), T(5)}, {Of("FR"), T(20)}, {Of("IT"), T(40)}});
  const Former both = {{Of("CA"), T(5)}, {Of("FR"), T(20)}, {Of("US"), T(30)}, {Of("IT"), T(40)}};
  EXPECT_EQ(Strictest(a, b, kJoinedAt).former_regions, both);
  EXPECT_EQ(Strictest(b, a, kJoinedAt).former_regions, both);
  // One that nobody knows any more is none that was never told.
  const SubjectFacts several = Living("DE", {{Region{}, T(10), true}});
  const SubjectFacts untold = Living("DE", {{Region{}, T(20)}});
  EXPECT_EQ(Strictest(several, untold, kJoinedAt).former_regions.size(), 2U);
  EXPECT_EQ(Strictest(several, several, kJoinedAt).former_regions.size(), 1U);
}

TEST(StrictestOrders, OfMoreRegionsThanARecordHoldsTheFirstAreNobodyKnowsWhich) {
  std::vector<FormerRegion> left;
  for (const char* name : {"FR", "US", "CA", "IT", "ES", "PT", "PL", "SE"}) {
    left.push_back({Of(name), T(static_cast<int64_t>(10 * (left.size() + 1)))});
  }
  const SubjectFacts full = Living("DE", left);
  EXPECT_EQ(Strictest(full, Living("DE"), kJoinedAt).former_regions.size(), kMaxFormerRegions);
  EXPECT_FALSE(Strictest(full, Living("DE"), kJoinedAt).former_regions.front().several);
  const SubjectFacts more = Strictest(full, Living("DE", {{Of("NO"), T(15)}, {Of("DK"), T(90)}}), kJoinedAt);
  ASSERT_EQ(more.former_regions.size(), kMaxFormerRegions);
  EXPECT_EQ(more.former_regions[0], (FormerRegion{Region{}, T(20), true})) << "FR, NO and US";
  EXPECT_EQ(more.former_regions[1].region, Of("CA"));
  EXPECT_EQ(more.former_regions.back().region, Of("DK"));
}

SubjectFacts Closed(int64_t closed, int64_t reopened = 0, bool forgotten = false) {
  SubjectFacts facts = Living("DE");
  facts.closed_at = T(closed);
  facts.reopened_at = T(reopened);
  facts.forgotten = forgotten;
  return facts;
}

TEST(StrictestOrders, AClosureOfEitherIsOneAndTheLaterBeginningCounts) {
  const auto both = [](const SubjectFacts& a, const SubjectFacts& b, const SubjectFacts& stays) {
    for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
      EXPECT_EQ(joined.closed_at, stays.closed_at);
      EXPECT_EQ(joined.reopened_at, stays.reopened_at);
      EXPECT_EQ(joined.forgotten, stays.forgotten);
    }
  };
  both(Closed(10), Closed(0), Closed(10));
  both(Closed(10), Closed(20), Closed(10));
  both(Closed(10, 15), Closed(20), Closed(10));
  both(Closed(10, 15), Closed(20, 30), Closed(10, 30));
  both(Closed(10, 15), Closed(0), Closed(10, 15));
  both(Closed(10, 0, true), Closed(0), Closed(10, 0, true));
  both(Closed(10, 0, true), Closed(10, 0, true), Closed(10, 0, true));
  both(Closed(10, 15, true), Closed(0), Closed(10, 15, false));
}

Tombstone Range(int64_t second, TombstoneState state = TombstoneState::kVerified) {
  Tombstone tombstone;
  tombstone.state = state;
  tombstone.captured = OrderedTimes::Between(T(second), T(second), T(second));
  return tombstone;
}
SubjectFacts Deleted(int from, int count) {
  SubjectFacts facts = Living("DE");
  for (int i = from; i < from + count; ++i) facts.tombstones.push_back(Range(10 * (i + 1)));
  return facts;
}
SubjectFacts Covered(int from, int count) {
  SubjectFacts facts = Living("DE");
  facts.has_more_tombstones = true;
  TombstoneIntervals cover;
  for (int i = from; i < from + count; ++i) cover.Add(Range(10 * (i + 1)));
  facts.cover = std::make_shared<const TombstoneIntervals>(std::move(cover));
  return facts;
}

TEST(StrictestOrders, DeletionsOfBothCountInTheRecordOrBesideIt) {
  constexpr int kMost = static_cast<int>(kMaxTombstones);
  EXPECT_EQ(Strictest(Deleted(0, 3), Deleted(1, 3), kJoinedAt).tombstones.size(), 4U);
  EXPECT_EQ(Strictest(Deleted(0, 2), Deleted(0, 0), kJoinedAt).tombstones.size(), 2U);
  const SubjectFacts full = Strictest(Deleted(0, kMost), Deleted(kMost - 1, 1), kJoinedAt);
  EXPECT_FALSE(full.has_more_tombstones);
  EXPECT_EQ(full.tombstones.size(), kMaxTombstones);
  for (const auto& joined : {Strictest(Deleted(0, kMost), Deleted(kMost, 1), kJoinedAt),
                             Strictest(Covered(0, kMost), Deleted(kMost, 1), kJoinedAt),
                             Strictest(Deleted(kMost, 1), Covered(0, kMost), kJoinedAt),
                             Strictest(Covered(1, kMost), Covered(0, kMost), kJoinedAt)}) {
    EXPECT_TRUE(joined.has_more_tombstones);
    EXPECT_TRUE(joined.tombstones.empty());
    ASSERT_NE(joined.cover, nullptr);
    EXPECT_EQ(joined.cover->size(), kMaxTombstones + 1);
  }
}

// Nobody knows what is ordered: nothing is eligible.
TEST(StrictestOrders, WhereOneLacksItsDeletionsOrTheyAreTooManyNothingIsKnown) {
  SubjectFacts lacking = Covered(0, 1);
  lacking.cover = nullptr;
  for (const auto& joined : {Strictest(lacking, Covered(0, 1), kJoinedAt), Strictest(Covered(0, 1), lacking, kJoinedAt),
                             Strictest(lacking, Deleted(0, 1), kJoinedAt)}) {
    EXPECT_TRUE(joined.has_more_tombstones);
    EXPECT_EQ(joined.cover, nullptr);
  }
  const int half = static_cast<int>(kMaxCovered) / 2 + 1;
  for (const auto& joined : {Strictest(Covered(0, half), Covered(half, half), kJoinedAt),
                             Strictest(Covered(0, 2 * half - 3), Deleted(3 * half, 2), kJoinedAt)}) {
    EXPECT_TRUE(joined.has_more_tombstones);
    EXPECT_EQ(joined.cover, nullptr);
  }
}

domain::Hold Held(uint8_t profile, int64_t from, int64_t to, ScopeKind kind = ScopeKind::kProfile) {
  Hold hold;
  hold.scope = profile == 0 ? ScopeKind::kAccount : kind;
  hold.handle[0] = profile;
  hold.captured = {T(from), T(to)};
  return hold;
}
SubjectFacts OnHold(const std::vector<domain::Hold>& holds) {
  SubjectFacts facts = Living("DE");
  facts.holds.assign(holds.begin(), holds.end());
  return facts;
}

TEST(StrictestOrders, HoldsOfBothHold) {
  const SubjectFacts joined =
      Strictest(OnHold({Held(1, 10, 20), Held(2, 10, 20)}), OnHold({Held(2, 10, 20), Held(3, 1, 2)}), kJoinedAt);
  EXPECT_EQ(joined.holds.size(), 3U);
  EXPECT_EQ(Strictest(OnHold({}), OnHold({Held(2, 10, 20)}), kJoinedAt).holds.size(), 1U);
}

TEST(StrictestOrders, MoreHoldsThanARecordHasGrowTogether) {
  constexpr int kHalf = static_cast<int>(kMaxHolds) / 2;
  std::vector<domain::Hold> first;
  std::vector<domain::Hold> second;
  for (int i = 0; i < kHalf; ++i) {
    first.push_back(Held(1, 100 + 10 * i, 105 + 10 * i));
    second.push_back(Held(2, 2'000 - 10 * i, 2'005 - 10 * i));
  }
  EXPECT_EQ(Strictest(OnHold(first), OnHold(second), kJoinedAt).holds.size(), kMaxHolds) << "as many as there may be";
  second.push_back(Held(2, 500, 3'000, ScopeKind::kDevice));
  const SubjectFacts by_scope = Strictest(OnHold(first), OnHold(second), kJoinedAt);
  ASSERT_EQ(by_scope.holds.size(), 3U);
  EXPECT_EQ(by_scope.holds[0], Held(1, 100, 105 + 10 * (kHalf - 1)));
  EXPECT_EQ(by_scope.holds[1], Held(2, 2'000 - 10 * (kHalf - 1), 2'005));
  EXPECT_EQ(by_scope.holds[2], Held(2, 500, 3'000, ScopeKind::kDevice));
  // Of more scopes than there may be holds: all of the account's.
  std::vector<domain::Hold> many;
  for (int i = 0; i < kHalf + 1; ++i) many.push_back(Held(static_cast<uint8_t>(100 + i), 50 + i, 60 + i));
  std::vector<domain::Hold> others;
  for (int i = 0; i < kHalf; ++i) others.push_back(Held(static_cast<uint8_t>(1 + i), 500, 600 + i));
  const SubjectFacts of_all = Strictest(OnHold(many), OnHold(others), kJoinedAt);
  ASSERT_EQ(of_all.holds.size(), 1U);
  EXPECT_EQ(of_all.holds[0], Held(0, 50, 600 + kHalf - 1));
}

base::SubjectHandle Account(uint8_t number) {
  base::SubjectHandle handle;
  handle.bytes[0] = number;
  return handle;
}

TEST(StrictestOrders, WhatWasJoinedIntoEitherIsJoinedIntoBoth) {
  SubjectFacts a = Living("DE");
  SubjectFacts b = Living("DE");
  a.joined_from = {{Account(1), 10}, {Account(2), 30}};
  b.joined_from = {{Account(2), 20}, {Account(1), 40}, {Account(3), 5}};
  for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
    ASSERT_EQ(joined.joined_from.size(), 3U);
    for (const JoinedFrom& from : joined.joined_from) {
      EXPECT_EQ(from.revision, from.subject == Account(1) ? 40U : from.subject == Account(2) ? 30U : 5U);
    }
  }
  a.joined_from.clear();
  for (size_t i = 0; i < kMaxJoinedFrom; ++i) a.joined_from.push_back({Account(static_cast<uint8_t>(50 + i)), 1});
  EXPECT_EQ(Strictest(a, b, kJoinedAt).joined_from.size(), kMaxJoinedFrom);
}

TEST(StrictestOrders, TheFurtherStateOfAJoinStays) {
  SubjectFacts alone = Living("DE");
  SubjectFacts joining = Living("DE");
  joining.join = JoinState::kJoining;
  joining.joined_into = Account(1);
  SubjectFacts alias = Living("DE");
  alias.join = JoinState::kAlias;
  alias.joined_into = Account(2);
  const auto both = [](const SubjectFacts& a, const SubjectFacts& b, const SubjectFacts& stays) {
    for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
      EXPECT_EQ(joined.join, stays.join);
      EXPECT_EQ(joined.joined_into, stays.joined_into);
    }
  };
  both(alone, joining, joining);
  both(joining, alias, alias);
  both(alone, alias, alias);
  both(alone, alone, alone);
}

}  // namespace
}  // namespace consent::domain::strictest_orders_test
