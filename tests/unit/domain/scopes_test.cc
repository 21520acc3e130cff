// Profiles and devices that come and go: a removal is a loosening, and forgets no refusal.
#include <gtest/gtest.h>

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"
#include "daemon/domain/facts_codec.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::scopes_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;
constexpr Purpose kTraining = Purpose::kModelTraining;

const ScopeFacts* Found(const SmallWorld& world, const ScopeRef& scope) {
  return world.facts.Find(scope.kind, scope.handle);
}

Command Remove(const SmallWorld& world, const ScopeRef& scope) {
  Command removal = Loosening(world);
  removal.removals = {scope};
  return removal;
}

ScopeRef DeviceNumber(size_t number) {
  ScopeRef device = Device(static_cast<uint8_t>(number % 256));
  device.handle[1] = static_cast<uint8_t>(number / 256);
  device.handle[2] = 1;
  return device;
}

Command AddDevice(const ScopeRef& device) {
  Command command;
  command.devices.push_back(base::DeviceHandle{device.handle});
  return command;
}

TEST(Removal, IsALoosening) {
  SmallWorld world;
  world.Register("DE");
  Command removal;
  removal.removals = {Profile(1)};
  EXPECT_EQ(RefusalOf(world.Try(removal)), Refusal::kEtagRequired);
  EXPECT_EQ(RefusalOf(world.Do(Remove(world, Profile(1)))), Refusal::kNone);
  EXPECT_TRUE(world.facts.Find(ScopeKind::kProfile, Profile(1).handle)->IsNothingButRemoved());
}

// Nobody who imports has heard of the removal.
TEST(Removal, IsUndoneByNoImport) {
  SmallWorld world;
  world.Register("DE");
  Command child = WithProfile(Loosening(world), 2, AChild());
  child.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
  for (const ScopeRef& scope : {Profile(1), Profile(2), Device(1)}) {
    ASSERT_EQ(RefusalOf(world.Do(Remove(world, scope))), Refusal::kNone);
    Command import = Import(world);
    if (scope.kind == ScopeKind::kDevice) {
      import.devices.push_back(base::DeviceHandle{scope.handle});
    } else {
      import = WithProfile(std::move(import), scope == Profile(1) ? 1 : 2, scope == Profile(1) ? AnAdult() : AChild());
    }
    EXPECT_EQ(RefusalOf(world.Do(import)), Refusal::kImportCannotLoosen);
  }
  Command unknown = WithProfile(Import(world), 3, AnAdult());
  EXPECT_EQ(RefusalOf(world.Do(unknown)), Refusal::kNone) << "one that was never there";
}

// The history tells of more scopes than a record holds.
TEST(Closing, WhatWasSaidSinceIsFoldedToTheRecordsBound) {
  for (const ChangedWhat what : {ChangedWhat::kPurpose, ChangedWhat::kRetention}) {
    SmallWorld world;
    world.Register("DE");
    world.facts.closed_at = world.next.time;
    std::vector<SaidSince> said;
    for (int number = 1; number <= 200; ++number) {
      for (const ScopeKind kind : {ScopeKind::kProfile, ScopeKind::kDevice}) {
        SaidSince one{world.facts.closed_at + base::Seconds(number), {}};
        one.change.what = what;
        one.change.scope.kind = kind;
        one.change.scope.handle = base::Bytes16{static_cast<uint8_t>(number), 1};
        one.change.purpose = kReview;
        one.change.to = Choice::kRefused;
        one.change.retention = Months(3);
        said.push_back(one);
      }
    }
    const SubjectFacts left = RefusedSinceClosure(world.facts, said);
    std::string bytes;
    EncodeFacts(left, &bytes);
    SubjectFacts back;
    ASSERT_TRUE(DecodeFacts(bytes, &back)) << "a record that can be read";
    EXPECT_EQ(back, left);
    for (const ScopeKind kind : {ScopeKind::kProfile, ScopeKind::kDevice}) {
      const ScopeFacts* fold = left.Find(kind, base::Bytes16{});
      ASSERT_NE(fold, nullptr);
      if (what == ChangedWhat::kPurpose) {
        EXPECT_TRUE(SaysNo(fold->ChoiceFor(kReview).choice));
      } else {
        EXPECT_EQ(fold->retention, Months(3));
      }
    }
  }
}

// What leaves and comes back has not forgotten that it said no.
TEST(Removal, KeepsWhatWasRefusedAndWhatHadExpired) {
  SmallWorld world;
  world.Register("US");
  world.Do(On(world, Profile(1), PurposeOf(Purpose::kPersonalisation)));
  world.Do(Off(Profile(1), PurposeOf(kReview)));
  world.Do(Off(Profile(1), ControlNamed("messages")));
  world.Do(Keep(world, Profile(1), kNothingSaved));
  const ScopeFacts before = *Found(world, Profile(1));
  const Instant removed_at = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(Remove(world, Profile(1)))), Refusal::kNone);
  const ScopeFacts& kept = *Found(world, Profile(1));
  EXPECT_TRUE(kept.WasRemoved());
  EXPECT_EQ(kept.default_from, removed_at);
  EXPECT_EQ(kept.age, Age{}) << "of the person nothing stays";
  EXPECT_EQ(kept.ChoiceFor(kReview), before.ChoiceFor(kReview));
  EXPECT_EQ(kept.ChoiceFor(Purpose::kPersonalisation), PurposeChoice{}) << "a consent goes with who gave it";
  EXPECT_EQ(kept.refused_controls.size(), 1U);
  EXPECT_EQ(kept.purge_floor, removed_at);
  EXPECT_EQ(kept.retention, Retention{});
  EXPECT_EQ(RefusalOf(world.Try(Remove(world, Profile(1)))), Refusal::kScopeNotFound);
  const Transition again = world.Do(Off(Profile(1), PurposeOf(kReview)));
  EXPECT_FALSE(again.parts[0].changed) << "it is in force";

  ASSERT_EQ(RefusalOf(world.Do(WithProfile(Loosening(world), 1, AnAdult()))), Refusal::kNone);
  EXPECT_FALSE(Found(world, Profile(1))->WasRemoved());
  EXPECT_EQ(Found(world, Profile(1))->ChoiceFor(kReview).choice, Choice::kRefused);
  EXPECT_EQ(Found(world, Profile(1))->purge_floor, removed_at);
}

// Hard case 77: off, on, removed. What was made before the off is still owed, unless a notice that covers the past was
// agreed to since.
TEST(Removal, ForgetsNoEndWhoseCopiesAreOwed) {
  for (const ScopeRef& scope : {Profile(1), Device(1)}) {
    for (const bool covers_past : {false, true}) {
      SmallWorld world;
      world.rules.notices[0].covers_past = covers_past;
      world.Register("US");
      const Instant refused = world.next.time;
      world.Do(Off(scope, PurposeOf(kReview)));
      const Instant given = world.next.time;
      ASSERT_EQ(RefusalOf(world.Do(On(world, scope, PurposeOf(kReview)))), Refusal::kNone);
      EXPECT_EQ(Found(world, scope)->ChoiceFor(kReview).copies_forgiven, covers_past);
      ASSERT_EQ(RefusalOf(world.Do(Remove(world, scope))), Refusal::kNone);
      if (covers_past) {
        EXPECT_TRUE(Found(world, scope)->IsNothingButRemoved());
        continue;
      }
      ASSERT_NE(Found(world, scope), nullptr);
      const PurposeChoice& kept = Found(world, scope)->ChoiceFor(kReview);
      EXPECT_EQ(kept.choice, Choice::kUnset);
      EXPECT_EQ(kept.refused_from, refused);
      EXPECT_EQ(kept.since, given);
      EXPECT_FALSE(kept.end_was_expiry);
    }
  }
}

TEST(Removal, AConsentThatHadExpiredIsAnEndButADevicesIsNone) {
  for (const ScopeRef& scope : {Profile(1), Device(1)}) {
    SmallWorld world;
    world.Register("US");
    ASSERT_EQ(RefusalOf(world.Do(On(world, scope, PurposeOf(kReview)))), Refusal::kNone);
    const Instant end = ConsentEnd(Found(world, scope)->ChoiceFor(kReview), world.rules);
    world.GoTo(end + base::Days(3));
    ASSERT_EQ(RefusalOf(world.Do(Remove(world, scope))), Refusal::kNone);
    if (scope.kind == ScopeKind::kDevice) {
      EXPECT_TRUE(Found(world, scope)->IsNothingButRemoved());
      continue;
    }
    ASSERT_NE(Found(world, scope), nullptr);
    EXPECT_EQ(Found(world, scope)->ChoiceFor(kReview).refused_from, end);
    EXPECT_TRUE(Found(world, scope)->ChoiceFor(kReview).end_was_expiry);
  }
}

TEST(Removal, OfAnInactiveChildBringsNothingBack) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Command{}, 2, AChild()));
  const Instant inactive = base::AddMonths(Found(world, Profile(2))->last_active, 18);
  world.facts.Find(ScopeKind::kProfile, Profile(2).handle)->inactivity_notice = inactive;
  world.GoTo(inactive + base::Days(61));
  ASSERT_EQ(RefusalOf(world.Do(Remove(world, Profile(2)))), Refusal::kNone);
  EXPECT_EQ(Found(world, Profile(2))->purge_floor, inactive + base::Days(60));
}

// No restriction is refused for want of room: a thousand device names, each with a no of its own, and all of them stay
// in force.
TEST(Fold, AThousandNamesKeepTheirRefusalsInABoundedRecord) {
  SmallWorld world;
  world.Register("US");
  for (size_t n = 0; n < 1000; ++n) {
    const Purpose purpose = n % 2 == 0 ? kReview : kTraining;
    const Target target = n % 5 == 0 ? ControlNamed("messages") : PurposeOf(purpose);
    ASSERT_EQ(RefusalOf(world.Do(Off(DeviceNumber(n), target))), Refusal::kNone) << n;
    ASSERT_LE(world.facts.scopes.size(), 3 + kMaxProfiles + 1) << n;
  }
  ASSERT_EQ(RefusalOf(world.Do(Keep(world, DeviceNumber(1000), Months(3)))), Refusal::kNone);
  std::string bytes;
  EncodeFacts(world.facts, &bytes);
  EXPECT_LE(bytes.size(), kMaxFactsBytes);
  SubjectFacts read;
  ASSERT_TRUE(DecodeFacts(bytes, &read));
  EXPECT_EQ(read, world.facts);

  const ScopeFacts* fold = world.facts.Find(ScopeKind::kDevice, base::Bytes16{});
  ASSERT_NE(fold, nullptr);
  EXPECT_TRUE(fold->IsFold());
  for (const size_t n : {0U, 1U, 2U, 500U, 999U}) {
    ASSERT_EQ(RefusalOf(world.Do([&] {
                Command add = Loosening(world);
                add.devices = AddDevice(DeviceNumber(n)).devices;
                return add;
              }())),
              Refusal::kNone);
    const Purpose purpose = n % 5 == 0 ? Purpose::kMessageTranscription : n % 2 == 0 ? kReview : kTraining;
    EXPECT_TRUE(SaysNo(EffectiveChoice(*Found(world, DeviceNumber(n)), purpose, world.rules).choice)) << n;
  }
  EXPECT_FALSE(SaysNo(EffectiveChoice(*Found(world, Device(1)), kReview, world.rules).choice))
      << "one that it knows is its own";
  EXPECT_EQ(world.facts.Find(ScopeKind::kProfile, base::Bytes16{}), nullptr) << "profiles have their own";
}

TEST(Fold, RemovedOnesFoldToo) {
  SmallWorld world;
  world.Register("US");
  Instant first_off;
  for (size_t n = 0; n < 2 * kMaxProfiles; ++n) {
    Command add = Loosening(world);
    add.devices = AddDevice(DeviceNumber(n)).devices;
    ASSERT_EQ(RefusalOf(world.Do(add)), Refusal::kNone) << n;
    if (n == 0) first_off = world.next.time;
    world.Do(Off(DeviceNumber(n), PurposeOf(kReview)));
    world.Do(On(world, DeviceNumber(n), PurposeOf(kReview)));
    world.Do(Keep(world, DeviceNumber(n), kNothingSaved));
    ASSERT_EQ(RefusalOf(world.Do(Remove(world, DeviceNumber(n)))), Refusal::kNone) << n;
    ASSERT_LE(world.facts.scopes.size(), 3 + kMaxProfiles + 1) << n;
  }
  const ScopeFacts* fold = world.facts.Find(ScopeKind::kDevice, base::Bytes16{});
  ASSERT_NE(fold, nullptr);
  EXPECT_EQ(fold->ChoiceFor(kReview).choice, Choice::kRefused) << "a remembered refusal folds as one";
  EXPECT_EQ(fold->ChoiceFor(kReview).since, first_off) << "since the first of them";
  EXPECT_GT(fold->purge_floor, first_off) << "the latest floor";
  EXPECT_EQ(RefusalOf(world.Try(Remove(world, {ScopeKind::kDevice, base::Bytes16{}}))), Refusal::kScopeNotFound);
}

}  // namespace
}  // namespace consent::domain::scopes_test
