// Regions, ages, guardians, activity: who lives behind an account.
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/domain/effective.h"
#include "daemon/domain/ended_uses.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

Command Move(const std::string& region) {
  Command command;
  command.region = In(region);
  return command;
}

ProfileCommand About(uint8_t number) {
  ProfileCommand profile;
  profile.profile.bytes = Profile(number).handle;
  return profile;
}

const ScopeFacts& ProfileFacts(const SmallWorld& world, uint8_t number) {
  return *world.facts.Find(ScopeKind::kProfile, Profile(number).handle);
}

// Guardian 1 consents for a child.
Command ByGuardian(const SmallWorld& world, uint8_t number) {
  Command command = On(world, Profile(number), PurposeOf(Purpose::kHumanReview));
  command.proof.actor = Actor::kGuardian;
  command.proof.guardian = Guardian(1);
  return command;
}

TEST(Region, StricterNeedsNothing) {
  SmallWorld world;
  world.Register("US");
  const Instant moved = world.next.time;
  EXPECT_EQ(RefusalOf(world.Do(Move("US-CA"))), Refusal::kNone) << "its default began later";
  EXPECT_EQ(world.facts.default_from, moved) << "another regime's default counts from the move to it";
  EXPECT_EQ(RefusalOf(world.Do(Move("DE"))), Refusal::kNone);
  EXPECT_EQ(RefusalOf(world.Do(Move("GB"))), Refusal::kNone) << "the same regime, a higher age of consent";
}

TEST(Region, LooserNeedsEtagAndEvidenceAndStartsTheDefaultAnew) {
  for (const auto& [from, to] : {std::pair{"DE", "US"}, std::pair{"GB", "DE"}, std::pair{"US-CA", "US"}}) {
    SmallWorld world;
    world.Register(from);
    EXPECT_EQ(RefusalOf(world.Try(Move(to))), Refusal::kEtagRequired) << from << " " << to;
    Command move = Loosening(world);
    move.region = In(to);
    move.proof.notice_version.clear();  // a move is no consent
    const Instant now = world.next.time;
    EXPECT_EQ(RefusalOf(world.Do(move)), Refusal::kNone);
    EXPECT_EQ(world.facts.default_from, now);
  }
}

TEST(Region, ASuspensionLeftBehindIsALoosening) {
  for (const bool active : {true, false}) {
    SmallWorld world;
    world.Register("DE");
    world.rules.ages_of_consent[In("GB")] = 16;
    ASSERT_EQ(RefusalOf(world.Try(Move("GB"))), Refusal::kNone);
    Suspension suspension;
    suspension.purpose = Purpose::kHumanReview;
    suspension.region = In("DE");
    suspension.active = active;
    if (!active) suspension.resumed_at = At("2026-02-01T00:00:00Z");
    world.rules.suspensions.push_back(suspension);
    EXPECT_EQ(RefusalOf(world.Try(Move("GB"))), Refusal::kEtagRequired) << active;
  }
}

Command LooserMove(const SmallWorld& world, const std::string& region) {
  Command move = Loosening(world);
  move.region = In(region);
  return move;
}

// Otherwise moving away and back would do what lifting it does not.
TEST(Region, ASuspensionLeftBehindRevivesNoConsent) {
  for (const bool active : {true, false}) {
    SmallWorld world;
    world.Register("DE");
    for (const Purpose purpose : {Purpose::kHumanReview, Purpose::kModelTraining}) {
      world.Do(On(world, Account(), PurposeOf(purpose)));
    }
    Suspension suspension;
    suspension.purpose = Purpose::kHumanReview;
    suspension.region = In("DE");
    suspension.active = active;
    suspension.suspended_at = world.next.time;
    if (!active) suspension.resumed_at = world.next.time;
    world.rules.suspensions.push_back(suspension);
    ASSERT_EQ(RefusalOf(world.Do(LooserMove(world, "US"))), Refusal::kNone);
    const auto choice = [&world](Purpose purpose) { return world.facts.account().ChoiceFor(purpose); };
    EXPECT_TRUE(choice(Purpose::kHumanReview).was_suspended) << active;
    EXPECT_FALSE(choice(Purpose::kModelTraining).was_suspended) << "that was not suspended";
    const Instant again = world.next.time;
    world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
    EXPECT_FALSE(choice(Purpose::kHumanReview).was_suspended);
    EXPECT_EQ(choice(Purpose::kHumanReview).since, again) << "a new consent, no renewal";
  }
}

TEST(Region, AConsentOfAfterASuspensionMovesAlong) {
  SmallWorld world;
  world.Register("DE");
  Suspension suspension;
  suspension.purpose = Purpose::kHumanReview;
  suspension.region = In("DE");
  suspension.suspended_at = suspension.resumed_at = world.next.time;
  world.rules.suspensions.push_back(suspension);
  world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
  world.Do(LooserMove(world, "US"));
  EXPECT_FALSE(world.facts.account().ChoiceFor(Purpose::kHumanReview).was_suspended);
}

using Former = std::vector<FormerRegion>;

Former FormerOf(const SmallWorld& world) {
  return Former(world.facts.former_regions.begin(), world.facts.former_regions.end());
}

TEST(Region, WhatWasLeftForALaxerOneIsRemembered) {
  SmallWorld world;
  world.Register("DE");
  EXPECT_EQ(FormerOf(world), Former{}) << "who was nowhere before has left nothing";
  const Instant first = world.next.time;
  world.Do(LooserMove(world, "US"));
  EXPECT_EQ(FormerOf(world), (Former{{In("DE"), first}}));
  world.Do(Move("DE"));
  EXPECT_EQ(FormerOf(world), (Former{{In("DE"), first}})) << "a stricter one is strict enough for all of the past";
  const Instant second = world.next.time;
  world.Do(LooserMove(world, "US"));
  EXPECT_EQ(FormerOf(world), (Former{{In("DE"), second}})) << "each once";
}

TEST(Region, OfMoreThanTheRecordHoldsOnlyTheTimeOfTheOldestIsKnown) {
  SmallWorld world;
  world.Register("DE");
  std::vector<Instant> left;
  // Each lets children come of age a year earlier than the one before.
  const char* const regions[] = {"AT", "BE", "BG", "CY", "CZ", "DK", "EE", "ES", "FI", "FR"};
  int years = 16;
  for (const char* region : regions) {
    world.rules.ages_of_consent[In(region)] = --years;
    left.push_back(world.next.time);
    ASSERT_EQ(RefusalOf(world.Do(LooserMove(world, region))), Refusal::kNone) << region;
  }
  Former expected{{Region{}, left[2], true}};
  for (size_t i = 3; i < std::size(regions); ++i) expected.push_back({In(regions[i - 1]), left[i]});
  EXPECT_EQ(FormerOf(world), expected);
  EXPECT_EQ(expected.size(), kMaxFormerRegions);
}

TEST(Region, AMoveBringsNothingBackThatAChildsInactivityPurged) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Loosening(world), 2, AChild()));
  Regime& home = world.rules.regimes[world.rules.ForRegion(In("DE")).regime];
  home.child_inactive_months = 18;
  home.child_notice_period = base::Days(60);
  ScopeFacts& child = *world.facts.Find(ScopeKind::kProfile, Profile(2).handle);
  child.inactivity_notice = base::AddMonths(child.last_active, 18);
  const Instant purged = child.inactivity_notice + base::Days(60);
  world.next.time = world.next.now.earliest = world.next.now.latest = purged + base::Days(1);
  world.Do(LooserMove(world, "US"));
  EXPECT_EQ(ProfileFacts(world, 2).purge_floor, purged);
}

TEST(Region, TheFirstRegistrationNeedsNothingEvenAfterARefusal) {
  SmallWorld world;
  world.Do(Off(Account(), Target{}));
  world.Register("US");
  EXPECT_TRUE(world.facts.registered);
  EXPECT_TRUE(SaysNo(world.facts.account().ChoiceFor(Purpose::kHumanReview).choice));
}

TEST(Age, LoweringIsARestriction) {
  SmallWorld world;
  world.Register("DE");
  for (const Age& age : {BornOn("1990-01-01"), BornOn("2015-01-01"), AChild(), Age{}}) {
    EXPECT_EQ(RefusalOf(world.Do(WithProfile(Command{}, 1, age))), Refusal::kNone);
  }
}

TEST(Age, RaisingIsALooseningAndCountsFromThen) {
  for (const Age& from : {Age{}, AChild(), BornOn("2015-01-01")}) {
    for (const Age& to : {AnAdult(), BornOn("1990-01-01")}) {
      SmallWorld world;
      world.Register("DE");
      world.Do(WithProfile(Command{}, 2, AChild()));
      world.Do(WithProfile(Loosening(world), 2, from));
      EXPECT_EQ(RefusalOf(world.Try(WithProfile(Command{}, 2, to))), Refusal::kEtagRequired);
      Command raise = WithProfile(Loosening(world), 2, to);
      raise.profiles[0].age->adult_since = At("2000-01-01T00:00:00Z");  // a caller cannot say so
      const Instant now = world.next.time;
      ASSERT_EQ(RefusalOf(world.Do(raise)), Refusal::kNone);
      EXPECT_EQ(ProfileFacts(world, 2).age.adult_since, now);
      EXPECT_EQ(ProfileFacts(world, 2).default_from, now);
    }
  }
}

TEST(Age, CorrectingAnAdultsEndsNoConsentAndMakesNoPastCaptureAnAdults) {
  for (const Age& from : {BornOn("1999-06-01"), BornOn("2008-03-01")}) {
    for (const Age& to : {BornOn("1990-01-01"), AnAdult()}) {
      SmallWorld world;
      world.Register("US");
      world.Do(WithProfile(Loosening(world), 2, from));
      const Instant default_from = ProfileFacts(world, 2).default_from;
      ASSERT_EQ(RefusalOf(world.Do(On(world, Profile(2), PurposeOf(Purpose::kHumanReview)))), Refusal::kNone);
      const PurposeChoice given = ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview);
      EXPECT_EQ(RefusalOf(world.Try(WithProfile(Command{}, 2, to))), Refusal::kEtagRequired);
      ASSERT_EQ(RefusalOf(world.Do(WithProfile(Loosening(world), 2, to))), Refusal::kNone);
      const ScopeFacts& corrected = ProfileFacts(world, 2);
      EXPECT_EQ(corrected.age.born, to.born);
      EXPECT_EQ(corrected.ChoiceFor(Purpose::kHumanReview), given);
      EXPECT_EQ(corrected.default_from, default_from);
      for (const int years : {13, 16, 21}) EXPECT_EQ(AdultFrom(corrected.age, years), AdultFrom(from, years)) << years;

      world.Do(WithProfile(Command{}, 2, BornOn("2009-01-01")));
      EXPECT_EQ(AdultFrom(ProfileFacts(world, 2).age, 16), AdultFrom(BornOn("2009-01-01"), 16))
          << "a later date still restricts";
    }
  }
}

// A guardian's consent is a matter of where the child lives: 14 there, and another country's 16 brings nothing back and
// ends nothing.
TEST(Age, AnotherCountrysAgeOfConsentEndsNoGuardiansConsent) {
  SmallWorld world;
  world.Register("DE");
  Command child = WithProfile(Loosening(world), 2, BornOn("2012-02-01"));
  child.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
  ASSERT_EQ(RefusalOf(world.Do(ByGuardian(world, 2))), Refusal::kNone);
  world.Do(WithProfile(Command{}, 2, BornOn("2014-01-01")));
  EXPECT_EQ(ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).choice, Choice::kGiven)
      << "a child before and after at home";
}

// Who was a child where it lived stays one for what was captured then, whatever another country's age says of that
// time.
TEST(Region, AMoveMakesNobodyAnAdultOfThePast) {
  for (const char* from : {"DE", ""}) {
    SmallWorld world;
    Command there = Loosening(world);
    there.registers = true;
    if (*from != '\0') there.region = In(from);
    world.Do(there);
    world.Do(WithProfile(Loosening(world), 2, BornOn("2012-01-10")));
    world.Do(WithProfile(Loosening(world), 3, BornOn("1990-01-10")));
    Command move = Loosening(world);
    move.region = In("US");
    const Instant moved = world.next.time;
    ASSERT_EQ(RefusalOf(world.Do(move)), Refusal::kNone);
    const AgeOfConsent& thirteen = world.rules.AgeOfConsentIn(In("US"));
    EXPECT_EQ(AdultFrom(ProfileFacts(world, 2).age, thirteen), moved);
    EXPECT_LT(AdultFrom(ProfileFacts(world, 3).age, thirteen), moved) << "an adult here and there";
  }
}

TEST(Age, WhoWasRemovedAndComesBackIsNoAdultOfThePast) {
  for (const Age& before : {AChild(), BornOn("2015-01-01"), Age{}, AnAdult()}) {
    SmallWorld world;
    world.Register("DE");
    world.Do(WithProfile(Loosening(world), 2, before));
    Command removal = Loosening(world);
    removal.removals.push_back(Profile(2));
    ASSERT_EQ(RefusalOf(world.Do(removal)), Refusal::kNone);
    const Instant back = world.next.time;
    ASSERT_EQ(RefusalOf(world.Do(WithProfile(Loosening(world), 2, AnAdult()))), Refusal::kNone);
    EXPECT_EQ(ProfileFacts(world, 2).age.adult_since, back) << "nobody knows any more who it was";
  }
}

TEST(Age, AddingAnAdultIsALooseningAddingAChildIsNot) {
  SmallWorld world;
  world.Register("US");
  EXPECT_EQ(RefusalOf(world.Try(WithProfile(Command{}, 2, AnAdult()))), Refusal::kEtagRequired);
  EXPECT_EQ(RefusalOf(world.Try(WithProfile(Command{}, 2, BornOn("2020-01-01")))), Refusal::kEtagRequired)
      << "it comes of age one day";
  EXPECT_EQ(RefusalOf(world.Try(WithProfile(Command{}, 2, AChild()))), Refusal::kNone);
  Command device;
  device.devices.push_back(base::DeviceHandle{Device(2).handle});
  EXPECT_EQ(RefusalOf(world.Try(device)), Refusal::kEtagRequired);
}

TEST(Age, LoweringEndsForGoodWhatComingOfAgeHadEnded) {
  SmallWorld world;
  world.Register("US");
  Command born = WithProfile(Loosening(world), 2, BornOn("2013-03-02"));
  born.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(born)), Refusal::kNone);
  ASSERT_EQ(RefusalOf(world.Do(ByGuardian(world, 2))), Refusal::kNone);
  const auto choice = [&] { return ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).choice; };

  SmallWorld early = world;
  early.Do(WithProfile(Command{}, 2, AChild()));
  EXPECT_EQ(early.facts.Find(ScopeKind::kProfile, Profile(2).handle)->ChoiceFor(Purpose::kHumanReview).choice,
            Choice::kGiven)
      << "a child before and after: the guardian's consent goes on";

  EXPECT_FALSE(early.facts.Find(ScopeKind::kProfile, Profile(2).handle)->ChoiceFor(Purpose::kHumanReview).has_ended);

  world.GoTo(At("2026-03-05T00:00:00Z"));  // 13 in the US
  SmallWorld moved = world;
  world.Do(WithProfile(Command{}, 2, AChild()));
  EXPECT_EQ(choice(), Choice::kGiven) << "nobody withdrew it";
  EXPECT_TRUE(ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).has_ended);
  moved.Do(Move("DE"));
  const PurposeChoice& there =
      moved.facts.Find(ScopeKind::kProfile, Profile(2).handle)->ChoiceFor(Purpose::kHumanReview);
  EXPECT_EQ(there.choice, Choice::kGiven);
  EXPECT_TRUE(there.has_ended) << "a higher age of consent makes a child again, too";
}

// A corrected birth date or a move makes a child of an adult: what the adult chose stays as it was said, and nothing is
// owed for it.
TEST(Age, WhatIsComputedIsNeverStoredAsIfSomebodyHadSaidIt) {
  for (const bool by_correction : {true, false}) {
    SmallWorld world;
    world.Register("US");
    ASSERT_EQ(RefusalOf(world.Do(WithProfile(Loosening(world), 2, BornOn("2011-01-01")))), Refusal::kNone);
    ASSERT_EQ(RefusalOf(world.Do(On(world, Profile(2), PurposeOf(Purpose::kHumanReview)))), Refusal::kNone);
    const SubjectFacts before = world.facts;
    const Transition made_child =
        world.Do(by_correction ? WithProfile(Command{}, 2, BornOn("2015-01-01")) : Move("DE"));
    ASSERT_EQ(RefusalOf(made_child), Refusal::kNone);
    ASSERT_EQ(made_child.changes.size(), 1U) << "the age or the region";
    EXPECT_EQ(ProfileFacts(world, 2).choices, before.Find(ScopeKind::kProfile, Profile(2).handle)->choices);
    EXPECT_TRUE(EndedBy(before, made_child, world.next, world.rules).empty()) << "no task, no purge";
  }
}

TEST(Guardian, LeavesTheProfileWhenTheChildHasComeOfAge) {
  for (const bool by_correction : {true, false}) {
    SmallWorld world;
    world.Register("DE");
    Command child = WithProfile(Loosening(world), 2, BornOn("2010-06-01"));
    child.profiles[0].guardian = Guardian(1);
    ASSERT_EQ(RefusalOf(world.Do(child)), Refusal::kNone);
    if (by_correction) {
      ASSERT_EQ(RefusalOf(world.Do(WithProfile(Loosening(world), 2, BornOn("2000-01-01")))), Refusal::kNone);
    } else {
      world.GoTo(At("2026-06-02T00:00:00Z"));
      SmallWorld doubtful = world;
      doubtful.next.now.doubtful = true;
      doubtful.Do(Off(Device(1), PurposeOf(Purpose::kHumanReview)));
      EXPECT_TRUE(ProfileFacts(doubtful, 2).guardian.IsSet()) << "a clock that nobody trusts takes no name away";
      const Transition any = world.Do(Off(Device(1), PurposeOf(Purpose::kHumanReview)));
      EXPECT_EQ(any.changes.back().what, ChangedWhat::kGuardian) << "by time alone: with the next change of anything";
    }
    EXPECT_FALSE(ProfileFacts(world, 2).guardian.IsSet());
    EXPECT_FALSE(ProfileFacts(world, 2).guardian_since.IsSet());
    Command name = Loosening(world);
    name.profiles.push_back(About(2));
    name.profiles[0].guardian = Guardian(1);
    EXPECT_FALSE(world.Do(name).parts[0].changed) << "an adult has none";
    EXPECT_FALSE(ProfileFacts(world, 2).guardian.IsSet());
  }
}

// Nobody asks for an etag when a child is said to be younger; so it must not let a guardian's consent last longer.
TEST(Guardian, ConsentsAnewWhereItsConsentWouldLastLonger) {
  struct Row {
    const char* name;
    std::function<void(Command&)> change;
  };
  const std::vector<Row> rows = {
      {"a child of no age", [](Command& c) { c.profiles.push_back(About(2)), c.profiles[0].age = AChild(); }},
      {"born later", [](Command& c) { c.profiles.push_back(About(2)), c.profiles[0].age = BornOn("2013-01-01"); }},
      {"a move to a higher age of consent", [](Command& c) { c.region = In("GB"); }},
  };
  for (const Row& row : rows) {
    for (const bool as_loosening : {false, true}) {
      SmallWorld world;
      world.Register("DE");
      Command born = WithProfile(Loosening(world), 2, BornOn("2012-01-01"));
      born.profiles[0].guardian = Guardian(1);
      ASSERT_EQ(RefusalOf(world.Do(born)), Refusal::kNone);
      ASSERT_EQ(RefusalOf(world.Do(ByGuardian(world, 2))), Refusal::kNone);
      const Instant given = ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).since;
      Command change = as_loosening ? Loosening(world) : Command{};
      row.change(change);
      ASSERT_EQ(RefusalOf(world.Do(change)), Refusal::kNone) << row.name;
      EXPECT_EQ(ProfileFacts(world, 2).guardian_since > given, !as_loosening) << row.name;
      EXPECT_EQ(ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).choice, Choice::kGiven)
          << "nobody took it back";
    }
  }
}

TEST(Guardian, NamingIsALooseningTakingAwayIsNot) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Command{}, 2, AChild()));
  Command name;
  name.profiles.push_back(About(2));
  name.profiles[0].guardian = Guardian(1);
  EXPECT_EQ(RefusalOf(world.Try(name)), Refusal::kEtagRequired);
  Command allowed = Loosening(world);
  allowed.profiles = name.profiles;
  const Instant named = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(allowed)), Refusal::kNone);
  EXPECT_EQ(ProfileFacts(world, 2).guardian_since, named);
  EXPECT_FALSE(world.Try(name).parts[0].changed) << "the same again";
  name.profiles[0].guardian = base::GuardianHandle{};
  const Instant taken = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(name)), Refusal::kNone);
  EXPECT_FALSE(ProfileFacts(world, 2).guardian.IsSet());
  EXPECT_EQ(ProfileFacts(world, 2).guardian_since, taken);
}

TEST(Guardian, AChildCanBeAddedWithItsGuardian) {
  SmallWorld world;
  world.Register("DE");
  Command add = WithProfile(Command{}, 2, AChild());
  add.profiles[0].guardian = Guardian(1);
  ASSERT_EQ(RefusalOf(world.Do(add)), Refusal::kNone);
  ASSERT_EQ(RefusalOf(world.Do(ByGuardian(world, 2))), Refusal::kNone);
  EXPECT_TRUE(ProfileFacts(world, 2).ChoiceFor(Purpose::kHumanReview).by_guardian);
}

TEST(Activity, KeepsAChildActiveAndWakesItOnlyWithEvidence) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Command{}, 2, AChild()));
  Command active;
  active.profiles.push_back(About(2));
  world.GoTo(base::AddMonths(world.next.time, 17));
  active.profiles[0].last_active = world.next.time + base::Days(3);
  const Instant seen = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(active)), Refusal::kNone);
  EXPECT_EQ(ProfileFacts(world, 2).last_active, seen) << "never ahead of the server's time";
  active.profiles[0].last_active = seen - base::Days(1);
  EXPECT_FALSE(world.Do(active).parts[0].changed) << "never back";

  world.GoTo(base::AddMonths(seen, 18));
  active.profiles[0].last_active = world.next.time;
  EXPECT_EQ(RefusalOf(world.Try(active)), Refusal::kEtagRequired);
  Command awake = Loosening(world);
  awake.profiles = active.profiles;
  EXPECT_EQ(RefusalOf(world.Do(awake)), Refusal::kNone);
  EXPECT_FALSE(ProfileFacts(world, 2).purge_floor.IsSet()) << "no notice went out: nothing was purged";
}

TEST(Activity, WhatTheNoticePeriodPurgedStaysPurged) {
  SmallWorld world;
  world.Register("DE");
  world.Do(WithProfile(Command{}, 2, AChild()));
  const Instant inactive = base::AddMonths(ProfileFacts(world, 2).last_active, 18);
  world.facts.Find(ScopeKind::kProfile, Profile(2).handle)->inactivity_notice = inactive;
  world.GoTo(inactive + base::Days(61));
  Command awake = Loosening(world);
  awake.profiles.push_back(About(2));
  awake.profiles[0].last_active = world.next.time;
  ASSERT_EQ(RefusalOf(world.Do(awake)), Refusal::kNone);
  EXPECT_EQ(ProfileFacts(world, 2).purge_floor, inactive + base::Days(60));
  EXPECT_FALSE(ProfileFacts(world, 2).inactivity_notice.IsSet());
}

}  // namespace
}  // namespace consent::domain
