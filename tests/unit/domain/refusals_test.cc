// Every reason for which a part can be refused, and that nothing but the part is.
#include <gtest/gtest.h>

#include <set>

#include "daemon/domain/effective.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::refusals_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;

TEST(Refusals, LooseningNeedsTheCurrentEtag) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), PurposeOf(kReview));
  on.expected_revision.reset();
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kEtagRequired);
  for (const uint64_t wrong : {uint64_t{0}, world.facts.revision - 1, world.facts.revision + 1}) {
    on.expected_revision = wrong;
    EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kEtagMismatch) << wrong;
  }
  on.expected_revision = world.facts.revision;
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kNone);
}

TEST(Refusals, LooseningNeedsEvidence) {
  SmallWorld world;
  world.Register("DE");
  const Command whole = On(world, Account(), PurposeOf(kReview));
  Command less = whole;
  less.proof.channel = Channel::kMissing;
  EXPECT_EQ(world.Try(less).parts[0].detail, "channel");
  less = whole;
  less.proof.actor = Actor::kMissing;
  EXPECT_EQ(world.Try(less).parts[0].detail, "actor");
  less = whole;
  less.proof.notice_version.clear();
  EXPECT_EQ(world.Try(less).parts[0].detail, "notice_version");
  less = whole;
  less.proof.notice_language.clear();
  EXPECT_EQ(world.Try(less).parts[0].detail, "notice_language");
  for (const Command& longer : {Keep(world, Account(), kUntilDeleted)}) {
    ASSERT_TRUE(world.Do(Keep(world, Account(), Months(3))).AnyApplied());
    Command without = longer;
    without.expected_revision = world.facts.revision;
    without.proof = Proof{};
    EXPECT_EQ(RefusalOf(world.Try(without)), Refusal::kEvidenceRequired);
  }
}

TEST(Refusals, NoticeMustBeUsable) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), PurposeOf(kReview));
  for (const char* version : {"nobody wrote it", "later", "old"}) {
    on.proof.notice_version = version;
    EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kNoticeNotUsable) << version;
  }
  on = On(world, Account(), PurposeOf(kReview));
  on.proof.notice_language = "fr";
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kNoticeNotUsable);
  on = On(world, Account(), PurposeOf(Purpose::kPersonalisation));
  on.proof.notice_version = "narrow";
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kNoticeNotUsable) << "the notice does not list it";
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), PurposeOf(Purpose::kAdvertising)))), Refusal::kNoticeNotUsable)
      << "the policy does not use it";
  on = On(world, Account(), PurposeOf(kReview));
  on.proof.given_at = world.next.time - base::Hours(1);
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kNoticeNotUsable) << "a time of its own without an import";
}

// The last word was no: what the control gains later is refused, whatever was agreed to between two noes.
TEST(Refusals, AControlRefusedAgainIsRefusedFromThenOn) {
  for (const ScopeRef& scope : {Account(), Profile(1), Device(1)}) {
    for (const Target& all : {ControlNamed("messages"), Target{}}) {
      SmallWorld world;
      world.Register("DE");
      world.Do(Off(scope, all));
      ASSERT_EQ(RefusalOf(world.Do(On(world, scope, PurposeOf(kReview)))), Refusal::kNone);
      EXPECT_TRUE(world.Do(Off(scope, all)).parts[0].changed);
      EXPECT_FALSE(world.Do(Off(scope, all)).parts[0].changed) << "once";
      for (Control& control : world.rules.controls) control.purposes.Add(kReview);
      EXPECT_TRUE(SaysNo(EffectiveChoice(*world.facts.Find(scope.kind, scope.handle), kReview, world.rules).choice));
    }
  }
}

TEST(Refusals, AControlThatOnlyAnEarlierPolicyHadIsTurnedOffAndNotOn) {
  SmallWorld world;
  world.Register("US");
  world.rules.retired_controls.push_back({"gone", 9, {}});
  world.rules.retired_controls[0].purposes.Add(kReview);
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), ControlNamed("gone")))), Refusal::kUnknownControl);
  ASSERT_EQ(RefusalOf(world.Do(Off(Account(), ControlNamed("gone")))), Refusal::kNone);
  EXPECT_TRUE(SaysNo(world.facts.account().ChoiceFor(kReview).choice));
  EXPECT_FALSE(SaysNo(world.facts.account().ChoiceFor(Purpose::kPersonalisation).choice));
  PurposeSet more;
  more.Add(Purpose::kPersonalisation);
  world.rules.controls.push_back({"gone", 9, more});
  EXPECT_TRUE(SaysNo(EffectiveChoice(world.facts.account(), Purpose::kPersonalisation, world.rules).choice))
      << "it came back with more";
}

TEST(Refusals, AGuardianSaysWho) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), PurposeOf(kReview));
  on.proof.actor = Actor::kGuardian;
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kEvidenceRequired);
  EXPECT_EQ(world.Try(on).parts[0].detail, "guardian_id");
}

TEST(Refusals, GuardianRequired) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Command{}, 2, AChild()));
  Command on = On(world, Profile(2), PurposeOf(kReview));
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kGuardianRequired) << "the child itself";
  on.proof.actor = Actor::kGuardian;
  on.proof.guardian = Guardian(1);
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kGuardianRequired) << "none is named";
  on.proof.guardian = {};
  EXPECT_EQ(RefusalOf(world.Try(on)), Refusal::kGuardianRequired) << "no guardian equals no guardian";
}

TEST(Refusals, SubjectAndScopeNotFound) {
  SmallWorld world;
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), PurposeOf(kReview)))), Refusal::kSubjectNotFound);
  world.Register("DE");
  EXPECT_EQ(RefusalOf(world.Try(On(world, Profile(9), PurposeOf(kReview)))), Refusal::kScopeNotFound);
  world.Do(Off(Profile(9), PurposeOf(kReview)));
  EXPECT_EQ(RefusalOf(world.Try(On(world, Profile(9), PurposeOf(kReview)))), Refusal::kScopeNotFound)
      << "named by a refusal only";
  Command removal = Loosening(world);
  removal.removals = {Profile(8)};
  EXPECT_EQ(RefusalOf(world.Try(removal)), Refusal::kScopeNotFound);
  removal.removals = {Account()};
  EXPECT_EQ(RefusalOf(world.Try(removal)), Refusal::kScopeNotFound) << "an account is closed, not removed";
}

TEST(Refusals, AClockThatIsNotTrustedAndAPolicyThatChangesStopLooseningsOnly) {
  for (const Refusal why : {Refusal::kClockBehind, Refusal::kClockDoubtful, Refusal::kPolicyChanging}) {
    SmallWorld world;
    world.Register("DE");
    world.Do(Keep(world, Account(), Months(3)));
    world.next.now.behind = why == Refusal::kClockBehind;
    world.next.now.doubtful = why == Refusal::kClockDoubtful;
    world.next.policy_changing = why == Refusal::kPolicyChanging;
    EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), PurposeOf(kReview)))), why);
    EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), Months(18)))), why);
    EXPECT_EQ(RefusalOf(world.Try(Off(Account(), Target{}))), Refusal::kNone);
    EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), kNothingSaved))), Refusal::kNone);
  }
}

TEST(Refusals, AClosedAccountIsRestrictedOnly) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Keep(world, Account(), Months(3)));
  world.facts.closed_at = world.next.time;
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), PurposeOf(kReview)))), Refusal::kAccountClosed);
  EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), kUntilDeleted))), Refusal::kAccountClosed);
  EXPECT_EQ(RefusalOf(world.Do(Keep(world, Account(), Months(18)))), Refusal::kNone) << "it binds who comes next";
  EXPECT_EQ(world.facts.account().retention, Months(3)) << "and not the closed one";
  EXPECT_EQ(RefusalOf(world.Do(Off(Account(), Target{}))), Refusal::kNone);
  EXPECT_EQ(RefusalOf(world.Do(Keep(world, Account(), kNothingSaved))), Refusal::kNone);
  EXPECT_TRUE(SaysNo(world.facts.account().ChoiceFor(kReview).choice));
}

TEST(Refusals, NamesThatThePolicyDoesNotHave) {
  SmallWorld world;
  world.Register("DE");
  for (const bool on : {false, true}) {
    Command command = On(world, Account(), ControlNamed("nobody"));
    command.choices[0].on = on;
    EXPECT_EQ(RefusalOf(world.Try(command)), Refusal::kUnknownControl) << on;
  }
  EXPECT_EQ(RefusalOf(world.Try(On(world, Account(), Target{}))), Refusal::kAllCannotBeTurnedOn);
  EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), Months(4)))), Refusal::kRetentionNotOffered);
  world.rules.offers_do_not_save = false;
  EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), kNothingSaved))), Refusal::kRetentionNotOffered);
}

TEST(Refusals, ContradictionIsOff) {
  SmallWorld world;
  world.Register("DE");
  const Target targets[] = {Target{}, ControlNamed("improve"), PurposeOf(kReview)};
  for (const Target& off : targets) {
    for (const bool off_first : {false, true}) {
      Command command = On(world, Account(), PurposeOf(kReview));
      command.choices.insert(off_first ? command.choices.begin() : command.choices.end(), {Account(), off, false});
      const Transition done = world.Try(command);
      EXPECT_EQ(done.parts[off_first ? 1 : 0].refusal, Refusal::kContradiction);
      EXPECT_EQ(done.parts[off_first ? 0 : 1].refusal, Refusal::kNone);
      EXPECT_TRUE(SaysNo(done.after.account().ChoiceFor(kReview).choice));
    }
  }
  // The same target, whatever else keeps the yes from being done.
  for (const Target& target : {ControlNamed("improve"), PurposeOf(kReview)}) {
    Command both;
    both.choices = {{Account(), target, true}, {Account(), target, false}};
    const Transition done = world.Try(both);
    EXPECT_EQ(done.parts[0].refusal, Refusal::kContradiction);
    EXPECT_EQ(done.parts[1].refusal, Refusal::kNone);
    EXPECT_TRUE(SaysNo(done.after.account().ChoiceFor(kReview).choice));
  }
  Command control = On(world, Account(), ControlNamed("improve"));
  control.choices.push_back({Account(), PurposeOf(kReview), false});
  EXPECT_EQ(world.Try(control).parts[0].refusal, Refusal::kContradiction) << "a purpose of it is off";
  Command kept = Keep(world, Account(), Months(18));
  kept.retention.insert(kept.retention.begin(), {Account(), Months(3)});
  const Transition shortest = world.Try(kept);
  EXPECT_EQ(shortest.parts[0].refusal, Refusal::kNone);
  EXPECT_EQ(shortest.parts[1].refusal, Refusal::kContradiction);
  Command elsewhere = On(world, Account(), PurposeOf(kReview));
  elsewhere.choices.push_back({Profile(1), Target{}, false});
  EXPECT_EQ(world.Try(elsewhere).parts[0].refusal, Refusal::kNone) << "another scope is no contradiction";
}

TEST(Refusals, SubjectFull) {
  SmallWorld world;
  world.Register("DE");
  for (size_t n = 1; n < kMaxProfiles; ++n) {
    ASSERT_EQ(RefusalOf(world.Do(WithProfile(Command{}, static_cast<uint8_t>(n + 1), AChild()))), Refusal::kNone) << n;
  }
  EXPECT_EQ(RefusalOf(world.Do(WithProfile(Command{}, 200, AChild()))), Refusal::kSubjectFull);
  EXPECT_EQ(RefusalOf(world.Do(Off(Profile(200), Target{}))), Refusal::kNone) << "a restriction always finds room";
  EXPECT_EQ(RefusalOf(world.Do(Keep(world, Profile(201), Months(3)))), Refusal::kNone);
}

// Of a request that cannot be used as it was sent only the restrictions are done.
TEST(Refusals, WhatCannotBeUsedLoosensNothing) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Keep(world, Account(), Months(3)));
  const Command good[] = {On(world, Account(), PurposeOf(kReview)), Keep(world, Account(), kUntilDeleted)};
  for (Command command : good) {
    command.unusable = "etag: too long";
    EXPECT_EQ(RefusalOf(world.Try(command)), Refusal::kUnusable);
    EXPECT_EQ(world.Try(command).parts[0].detail, "etag: too long");
  }
  Command people = Loosening(world);
  people.region = Region{};
  people.profiles.push_back({base::ProfileHandle{Profile(1).handle}, Age{AgeKind::kChild, {}, {}}, {}, {}});
  people.removals.push_back(Profile(1));
  people.choices.push_back({Account(), Target{}, false, ""});
  people.choices.push_back({Account(), Target{}, false, "changes[1].target: must be named"});
  people.unusable = "region: not a code";
  const Transition done = world.Try(people);
  ASSERT_EQ(done.parts.size(), 5U);
  for (const size_t refused : {0U, 1U, 2U, 4U}) EXPECT_EQ(done.parts[refused].refusal, Refusal::kUnusable) << refused;
  EXPECT_EQ(done.parts[3].refusal, Refusal::kNone);
  EXPECT_EQ(done.after.region, world.facts.region);
  EXPECT_TRUE(done.after.account().refused_all_since.IsSet());
  Command unreadable;
  unreadable.choices.push_back({Account(), Target{}, false, "targets[0]: must be named"});
  EXPECT_EQ(RefusalOf(world.Try(unreadable)), Refusal::kUnusable);
  EXPECT_FALSE(world.Try(unreadable).after.account().refused_all_since.IsSet()) << "it says nothing";
  Command new_one;
  new_one.registers = true;
  new_one.unusable = "region: not a code";
  EXPECT_FALSE(Apply(SubjectFacts{}, new_one, Moment{At("2026-03-01T12:00:00Z"), 1}, world.rules).after.registered);
}

TEST(Refusals, AreOnDiskUnderTheirNumbers) {
  const std::set<uint8_t> numbers = {static_cast<uint8_t>(Refusal::kNone),
                                     static_cast<uint8_t>(Refusal::kEtagRequired),
                                     static_cast<uint8_t>(Refusal::kEtagMismatch),
                                     static_cast<uint8_t>(Refusal::kEvidenceRequired),
                                     static_cast<uint8_t>(Refusal::kNoticeNotUsable),
                                     static_cast<uint8_t>(Refusal::kGuardianRequired),
                                     static_cast<uint8_t>(Refusal::kImportCannotLoosen),
                                     static_cast<uint8_t>(Refusal::kSubjectNotFound),
                                     static_cast<uint8_t>(Refusal::kScopeNotFound),
                                     static_cast<uint8_t>(Refusal::kSubjectFull),
                                     static_cast<uint8_t>(Refusal::kClockBehind),
                                     static_cast<uint8_t>(Refusal::kUnknownControl),
                                     static_cast<uint8_t>(Refusal::kAllCannotBeTurnedOn),
                                     static_cast<uint8_t>(Refusal::kRetentionNotOffered),
                                     static_cast<uint8_t>(Refusal::kContradiction),
                                     static_cast<uint8_t>(Refusal::kPolicyChanging),
                                     static_cast<uint8_t>(Refusal::kClockDoubtful),
                                     static_cast<uint8_t>(Refusal::kAccountClosed),
                                     static_cast<uint8_t>(Refusal::kUnknownRegion),
                                     static_cast<uint8_t>(Refusal::kUnusable),
                                     static_cast<uint8_t>(Refusal::kChildNotInactive),
                                     static_cast<uint8_t>(Refusal::kAccountJoined)};
  EXPECT_EQ(numbers.size(), 22U);
  EXPECT_EQ(*numbers.rbegin(), 21) << "a reason was added: test it here";
  EXPECT_EQ(static_cast<uint8_t>(Refusal::kLast), 21);
}

}  // namespace
}  // namespace consent::domain::refusals_test
