// What becomes of each fact of a record, but the choices (strictest_choices_test.cc), where two records become one:
// what either says that allows less, in either order.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "daemon/domain/strictest.h"
#include "daemon/domain/tombstone_intervals.h"
#include "tests/unit/domain/two_records.h"

namespace consent::domain::strictest_records_test {
namespace {

SubjectFacts Somebody() {
  SubjectFacts facts;
  facts.registered = facts.account().registered = true;
  facts.region = Of("DE");
  return facts;
}
ScopeFacts& Add(SubjectFacts* facts, ScopeKind kind, uint8_t number, bool registered = true) {
  facts->scopes.emplace_back();
  facts->scopes.back().kind = kind;
  facts->scopes.back().handle[0] = number;
  facts->scopes.back().registered = registered;
  return facts->scopes.back();
}
SubjectFacts WithProfile(bool registered = true) {
  SubjectFacts facts = Somebody();
  Add(&facts, ScopeKind::kProfile, 1, registered);
  return facts;
}
PurposeChoice Given() {
  PurposeChoice given;
  given.choice = Choice::kGiven;
  given.notice = 7;
  given.since = T(5);
  return given;
}

// `set` makes a record say a value; of two that say `a` and `b` the joined one says `stays`.
template <typename Value, typename Set, typename Get>
void Joins(const char* what, const SubjectFacts& base, Set set, Get get, Value a, Value b, Value stays) {
  SCOPED_TRACE(what);
  SubjectFacts one = base;
  SubjectFacts other = base;
  set(&one, a);
  set(&other, b);
  EXPECT_EQ(get(Strictest(one, other, kJoinedAt)), stays);
  EXPECT_EQ(get(Strictest(other, one, kJoinedAt)), stays);
}
// Of a field that is stricter the later it is, and of one that is where either has it.
template <typename Ref>
void LaterStays(const char* what, const SubjectFacts& base, Ref ref) {
  const auto set = [&ref](SubjectFacts* facts, int64_t value) { ref(*facts) = T(value); };
  const auto get = [&ref](SubjectFacts facts) { return ref(facts).micros / 1'000'000; };
  Joins<int64_t>(what, base, set, get, 10, 20, 20);
  Joins<int64_t>(what, base, set, get, 0, 20, 20);
}
template <typename Ref>
void EitherStays(const char* what, Ref ref) {
  const auto set = [&ref](SubjectFacts* facts, bool value) { ref(*facts) = value; };
  const auto get = [&ref](SubjectFacts facts) { return static_cast<bool>(ref(facts)); };
  Joins(what, Somebody(), set, get, true, false, true);
  Joins(what, Somebody(), set, get, false, false, false);
}

TEST(StrictestRecords, WhatEitherSaysOfTheWholeAccountStays) {
  LaterStays("default_from", Somebody(), [](SubjectFacts& facts) -> Instant& { return facts.default_from; });
  LaterStays("default_denied", Somebody(), [](SubjectFacts& facts) -> Instant& { return facts.default_denied; });
  LaterStays("restored_at", Somebody(), [](SubjectFacts& facts) -> Instant& { return facts.restored_at; });
  EitherStays("marks", [](SubjectFacts& facts) -> bool& { return facts.has_recording_marks; });
  EitherStays("unverified", [](SubjectFacts& facts) -> bool& { return facts.has_unverified_deletions; });
  EitherStays("left_a_default", [](SubjectFacts& facts) -> bool& { return facts.left_a_default; });
  const auto revision = [](SubjectFacts* facts, uint64_t value) { facts->revision = value; };
  Joins<uint64_t>(
      "revision", Somebody(), revision, [](const auto& facts) { return facts.revision; }, 3, 4, 4);
  const auto holds = [](SubjectFacts* facts, uint64_t value) { facts->holds_changed = value; };
  Joins<uint64_t>(
      "holds_changed", Somebody(), holds, [](const auto& facts) { return facts.holds_changed; }, 3, 4, 4);
}

TEST(StrictestRecords, WhereOneIsNotRegisteredNoDefaultAllowsUntilItIsChosen) {
  SubjectFacts named = Somebody();
  named.registered = named.account().registered = false;
  named.region = Region{};
  for (const auto& joined : {Strictest(Somebody(), named, kJoinedAt), Strictest(named, Somebody(), kJoinedAt)}) {
    EXPECT_TRUE(joined.registered);
    EXPECT_TRUE(joined.account().registered);
    EXPECT_EQ(joined.default_denied, kJoinedAt);
    EXPECT_EQ(joined.region, Of("DE"));
    EXPECT_TRUE(joined.former_regions.empty()) << "who was only named lives nowhere";
  }
  EXPECT_EQ(Strictest(Somebody(), Somebody(), kJoinedAt).default_denied, Instant{});
  named.default_denied = kJoinedAt + base::Seconds(1);
  EXPECT_EQ(Strictest(named, Somebody(), kJoinedAt).default_denied, named.default_denied);
  EXPECT_FALSE(Strictest(named, named, kJoinedAt).registered);
}

TEST(StrictestRecords, WhatEitherSaysOfAScopeStays) {
  for (const ScopeKind kind : {ScopeKind::kAccount, ScopeKind::kProfile, ScopeKind::kDevice}) {
    SCOPED_TRACE(static_cast<int>(kind));
    SubjectFacts base = Somebody();
    if (kind != ScopeKind::kAccount) Add(&base, kind, 1);
    const auto last = [](SubjectFacts& facts) -> ScopeFacts& { return facts.scopes.back(); };
    LaterStays("default_from", base, [&](SubjectFacts& facts) -> Instant& { return last(facts).default_from; });
    LaterStays("purge_floor", base, [&](SubjectFacts& facts) -> Instant& { return last(facts).purge_floor; });
    LaterStays("refused_all", base, [&](SubjectFacts& facts) -> Instant& { return last(facts).refused_all_since; });
    // Months; 0: do not save, 255: until deleted.
    const auto retain = [&](SubjectFacts* facts, int months) {
      last(*facts).retention = months == 0     ? Retention{RetentionKind::kDoNotSave, 0}
                               : months == 255 ? Retention{}
                                               : Retention{RetentionKind::kMonths, static_cast<uint8_t>(months)};
    };
    const auto kept = [&](SubjectFacts facts) {
      const Retention retention = last(facts).retention;
      return retention.kind == RetentionKind::kDoNotSave ? 0 : retention.months == 0 ? 255 : int{retention.months};
    };
    Joins("retention", base, retain, kept, 3, 18, 3);
    Joins("retention", base, retain, kept, 255, 18, 18);
    Joins("retention", base, retain, kept, 0, 1, 0);
    Joins("retention", base, retain, kept, 255, 255, 255);
  }
}

TEST(StrictestRecords, ControlsThatEitherRefusedStayRefused) {
  SubjectFacts a = Somebody();
  SubjectFacts b = Somebody();
  a.account().refused_controls = {{1, T(10)}, {2, T(20)}};
  b.account().refused_controls = {{2, T(15)}, {3, T(30)}, {1, T(11)}};
  for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
    auto controls = joined.account().refused_controls;
    std::sort(controls.begin(), controls.end(), [](const auto& x, const auto& y) { return x.control < y.control; });
    const decltype(controls) both = {{1, T(11)}, {2, T(20)}, {3, T(30)}};
    EXPECT_EQ(controls, both);
  }
}

TEST(StrictestRecords, AScopeThatOneRemovedIsThereAsIfItWereStillThere) {
  const SubjectFacts there = WithProfile();
  const SubjectFacts removed = WithProfile(false);
  for (const auto& joined : {Strictest(there, removed, kJoinedAt), Strictest(removed, there, kJoinedAt)}) {
    EXPECT_FALSE(joined.scopes.back().registered);
    EXPECT_EQ(joined.scopes.back().default_from, kStillThere);
    EXPECT_TRUE(joined.account().registered);
    EXPECT_EQ(joined.account().default_from, Instant{});
  }
  EXPECT_TRUE(Strictest(there, there, kJoinedAt).scopes.back().registered);
  EXPECT_FALSE(Strictest(removed, removed, kJoinedAt).scopes.back().registered);
  EXPECT_EQ(Strictest(removed, removed, kJoinedAt).scopes.back().default_from, Instant{});
}

Age AgeOf(AgeKind kind, int32_t born = 0) {
  Age age;
  age.kind = kind;
  age.born = base::Date{born};
  return age;
}

TEST(StrictestRecords, TheYoungerOfTwoAgesStays) {
  const auto set = [](SubjectFacts* facts, Age age) { facts->scopes.back().age = age; };
  const auto get = [](const SubjectFacts& facts) { return facts.scopes.back().age; };
  const auto joins = [&](Age a, Age b, Age stays) { Joins("age", WithProfile(), set, get, a, b, stays); };
  const Age adult = AgeOf(AgeKind::kAdult);
  const Age child = AgeOf(AgeKind::kChild);
  const Age unknown = AgeOf(AgeKind::kUnknown);
  const Age young = AgeOf(AgeKind::kBorn, 15'000);
  const Age old = AgeOf(AgeKind::kBorn, 5'000);
  joins(adult, child, child);
  joins(adult, unknown, unknown);
  joins(child, unknown, unknown);
  joins(young, child, child);
  joins(young, unknown, unknown);
  joins(old, young, young);
  joins(adult, old, old);
  joins(adult, AgeOf(AgeKind::kBorn, -3'650), AgeOf(AgeKind::kBorn, -3'650));
  joins(young, young, young);
  const auto since = [&](Age age, int64_t adult_since, int32_t born_before) {
    age.adult_since = T(adult_since);
    if (born_before != 0) age.born_before = base::Date{born_before};
    return age;
  };
  joins(since(adult, 10, 5'000), since(adult, 20, 4'000), since(adult, 20, 5'000));
  joins(since(adult, 10, 0), since(adult, 0, 4'000), since(adult, 10, 4'000));
}

TEST(StrictestRecords, OfAPersonNeitherKnowsMoreThanBoth) {
  const auto guardian = [](SubjectFacts* facts, uint8_t number) { facts->scopes.back().guardian.bytes[0] = number; };
  const auto named = [](const SubjectFacts& facts) { return facts.scopes.back().guardian.bytes[0]; };
  Joins<uint8_t>("one guardian", WithProfile(), guardian, named, 5, 5, 5);
  Joins<uint8_t>("two guardians", WithProfile(), guardian, named, 5, 6, 0);
  Joins<uint8_t>("a guardian and none", WithProfile(), guardian, named, 5, 0, 0);
  LaterStays("guardian_since", WithProfile(),
             [](SubjectFacts& facts) -> Instant& { return facts.scopes.back().guardian_since; });
  const auto active = [](SubjectFacts* facts, int64_t at) { facts->scopes.back().last_active = T(at); };
  const auto was_active = [](const SubjectFacts& facts) { return facts.scopes.back().last_active.micros / 1'000'000; };
  Joins<int64_t>("active", WithProfile(), active, was_active, 10, 20, 10);
  Joins<int64_t>("active", WithProfile(), active, was_active, 0, 20, 20);
  const auto tell = [](SubjectFacts* facts, int64_t at) { facts->scopes.back().inactivity_notice = T(at); };
  const auto told = [](const SubjectFacts& facts) { return facts.scopes.back().inactivity_notice.micros / 1'000'000; };
  Joins<int64_t>("both were told", WithProfile(), tell, told, 10, 20, 20);
  Joins<int64_t>("one was told", WithProfile(), tell, told, 0, 20, 0);
}

TEST(StrictestRecords, WhoOneAloneKnowsIsThereAndHasNotAgreedToTheOther) {
  SubjectFacts a = Somebody();
  ScopeFacts& profile = Add(&a, ScopeKind::kProfile, 1);
  profile.default_from = T(3);
  profile.age = AgeOf(AgeKind::kBorn, 15'000);
  profile.guardian.bytes[0] = 9;
  profile.guardian_since = T(4);
  profile.last_active = T(6);
  profile.inactivity_notice = T(7);
  profile.ChoiceFor(Purpose::kHumanReview) = Given();
  ScopeFacts there = profile;
  there.ChoiceFor(Purpose::kHumanReview).unconfirmed = true;
  SubjectFacts b = Somebody();
  for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
    ASSERT_EQ(joined.scopes.size(), 2U);
    EXPECT_EQ(joined.scopes.back(), there);
  }
  // Unless it is among those that are gone there and refused.
  Add(&b, ScopeKind::kProfile, 0, false).ChoiceFor(Purpose::kHumanReview).choice = Choice::kRefused;
  b.scopes.back().ChoiceFor(Purpose::kHumanReview).since = T(2);
  for (const auto& joined : {Strictest(a, b, kJoinedAt), Strictest(b, a, kJoinedAt)}) {
    const ScopeFacts* known = joined.Find(ScopeKind::kProfile, profile.handle);
    ASSERT_NE(known, nullptr);
    EXPECT_EQ(known->ChoiceFor(Purpose::kHumanReview).choice, Choice::kRefused);
    EXPECT_TRUE(known->ChoiceFor(Purpose::kHumanReview).inherited);
  }
}

// Profiles [from, from + count), all of whom agreed.
SubjectFacts Household(int from, int count, bool registered = true) {
  SubjectFacts facts = Somebody();
  for (int i = from; i < from + count; ++i) {
    Add(&facts, ScopeKind::kProfile, static_cast<uint8_t>(1 + i), registered).ChoiceFor(Purpose::kHumanReview) =
        registered ? Given() : PurposeChoice{};
  }
  return facts;
}

TEST(StrictestRecords, MoreThanMayBeRegisteredLoseThat) {
  constexpr int kMost = static_cast<int>(kMaxProfiles);
  const auto registered = [](const SubjectFacts& facts) {
    return std::count_if(facts.scopes.begin() + 1, facts.scopes.end(), [](const auto& s) { return s.registered; });
  };
  SubjectFacts first = Household(0, kMost);
  SubjectFacts after_one_gone = WithProfile(false);
  const SubjectFacts others = Household(1, kMost);
  after_one_gone.scopes.insert(after_one_gone.scopes.end(), others.scopes.begin() + 1, others.scopes.end());
  EXPECT_EQ(Strictest(after_one_gone, after_one_gone, kJoinedAt), after_one_gone) << "it does not count";
  const SubjectFacts full = Strictest(first, Household(0, kMost), kJoinedAt);
  EXPECT_EQ(registered(full), kMost);
  EXPECT_FALSE(full.scopes.back().ChoiceFor(Purpose::kHumanReview).unconfirmed);
  Add(&first, ScopeKind::kDevice, 200);  // counts for itself
  const SubjectFacts joined = Strictest(first, Household(kMost, 2), kJoinedAt);
  EXPECT_EQ(registered(joined), kMost + 1);
  const ScopeFacts& last = joined.scopes.back();
  EXPECT_FALSE(last.registered);
  EXPECT_EQ(last.default_from, kStillThere);
  // Alike in both, it would count if it were still registered; so it is given again first.
  SubjectFacts both = Household(0, kMost + 1);
  EXPECT_TRUE(Strictest(both, both, kJoinedAt).scopes.back().ChoiceFor(Purpose::kHumanReview).unconfirmed);
  EXPECT_EQ(Strictest(both, both, kJoinedAt).scopes.back().ChoiceFor(Purpose::kModelTraining), PurposeChoice{});
  // Those that were never registered beside them fold.
  SubjectFacts gone = Household(kMost + 1, kMost, false);
  for (auto& scope : gone.scopes) scope.refused_all_since = T(3);
  const SubjectFacts many = Strictest(both, gone, kJoinedAt);
  EXPECT_LE(many.scopes.size(), 2 * kMaxProfiles + 2);
  EXPECT_NE(many.Find(ScopeKind::kProfile, {}), nullptr);
}

}  // namespace
}  // namespace consent::domain::strictest_records_test
