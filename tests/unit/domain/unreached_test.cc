// What a consent does not reach, held against the rule: reached is exactly what a recording of now would be eligible
// by.
#include "daemon/domain/unreached.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"
#include "tests/support/model/dice.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::unreached_test {
namespace {

constexpr uint8_t kAnn = 1;
constexpr uint8_t kBob = 2;
constexpr uint8_t kChild = 3;
constexpr uint8_t kNobodys = 9;       // a device that says nothing
constexpr uint8_t kAsTheAccount = 8;  // somebody who chose as the account did
constexpr Purpose kImproved[] = {Purpose::kHumanReview, Purpose::kFeatureDevelopment};

// A household of two adults and a child with three devices.
SmallWorld Household(const std::string& region) {
  SmallWorld world;
  world.Register(region);
  Command people = WithProfile(WithProfile(Loosening(world), kBob, AnAdult()), kChild, AChild());
  people.profiles.back().guardian = Guardian(1);
  for (const uint8_t device : {uint8_t{2}, kNobodys})
    people.devices.push_back(base::DeviceHandle{Device(device).handle});
  const Transition done = world.Do(people);
  for (const PartOutcome& part : done.parts) EXPECT_EQ(part.refusal, Refusal::kNone);
  return world;
}

// A recording with nothing against it: of now, of the one profile, by the device, for the purpose, in a place that the
// rules allow.
bool IsEligible(const SubjectFacts& facts, const SmallWorld& world, const ScopeRef& speaker, uint8_t device,
                Purpose purpose) {
  RecordingFacts recording;
  recording.captured_at = world.next.time;
  recording.has_uncertainty = true;
  recording.wake = Wake::kButton;
  recording.kind = Kind::kCommand;
  recording.speakers = Speakers::kOne;
  recording.identity = Identity::kMatched;
  recording.age = speaker == Profile(kChild) ? SpeakerAge::kChildPresent : SpeakerAge::kAdult;
  recording.profiles.push_back(base::ProfileHandle{speaker.handle});
  recording.device.bytes = Device(device).handle;
  Place place;
  place.country = In("DE");
  place.site = "any";
  place.reviewer_class = ReviewerClass::kEmployee;
  const Question question{recording, purpose, place, world.next.now};
  return Decide(&facts, RecordingState{}, question, world.rules).eligibility == Eligibility::kEligible;
}

// The account's own recordings are those of an adult who chose as the account did.
bool AccountIsEligible(const SmallWorld& world, uint8_t device, Purpose purpose) {
  SubjectFacts facts = world.facts;
  ScopeFacts somebody = facts.account();
  somebody.kind = ScopeKind::kProfile;
  somebody.handle = Profile(kAsTheAccount).handle;
  somebody.registered = true;
  somebody.age = AnAdult();
  facts.scopes.push_back(somebody);
  return IsEligible(facts, world, Profile(kAsTheAccount), device, purpose);
}

bool IsTold(const std::vector<Unreached>& unreached, const ScopeRef& scope, Purpose purpose) {
  return std::any_of(unreached.begin(), unreached.end(),
                     [&](const Unreached& one) { return one.scope == scope && one.purpose == purpose; });
}

// Something is said, mostly a yes, of somebody, under one of two notices.
Command Said(const SmallWorld& world, model::Dice& dice) {
  const ScopeRef scopes[] = {Account(), Account(), Profile(kAnn), Profile(kBob), Profile(kChild), Device(1), Device(2)};
  const Target targets[] = {ControlNamed("improve"), ControlNamed("messages"), PurposeOf(Purpose::kHumanReview),
                            PurposeOf(Purpose::kFeatureDevelopment)};
  const ScopeRef& scope = scopes[dice.Below(std::size(scopes))];
  Command said = dice.Chance(0.75) ? On(world, scope, targets[dice.Below(4)]) : Off(scope, targets[dice.Below(4)]);
  if (dice.Chance(0.4)) said.proof.notice_version = "narrow";
  if (scope == Account() && dice.Chance(0.4)) said.self_profile = base::ProfileHandle{Profile(kAnn).handle};
  if (scope == Profile(kChild)) {
    said.proof.actor = Actor::kGuardian;
    said.proof.guardian = Guardian(1);
  }
  return said;
}

void ExpectWhatTheRuleSays(const SmallWorld& world, const Consented& consent, const std::vector<Unreached>& unreached,
                           uint64_t seed) {
  for (const Purpose purpose : kAllPurposes) {
    if (!consent.purposes.Has(purpose)) continue;
    const auto expect = [&](const ScopeRef& scope, bool eligible) {
      EXPECT_EQ(IsTold(unreached, scope, purpose), !eligible)
          << "seed " << seed << " scope " << static_cast<int>(scope.kind) << int{scope.handle[0]} << " purpose "
          << static_cast<int>(purpose);
    };
    const bool of_account = consent.scope == Account();
    if (of_account) expect(Account(), AccountIsEligible(world, kNobodys, purpose));
    for (const uint8_t profile : {kAnn, kBob, kChild}) {
      if (!of_account && consent.scope != Profile(profile)) continue;
      expect(Profile(profile), IsEligible(world.facts, world, Profile(profile), kNobodys, purpose));
    }
    for (const uint8_t device : {uint8_t{1}, uint8_t{2}}) {
      if (consent.scope == Device(device)) expect(Device(device), AccountIsEligible(world, device, purpose));
      if (!of_account) continue;
      const ScopeFacts& scope = *world.facts.Find(ScopeKind::kDevice, Device(device).handle);
      const bool says_no = SaysNo(EffectiveChoice(scope, purpose, world.rules).choice);
      EXPECT_EQ(IsTold(unreached, Device(device), purpose), says_no) << "seed " << seed;
      EXPECT_FALSE(says_no && AccountIsEligible(world, device, purpose)) << "seed " << seed;
    }
  }
}

TEST(Unreached, IsExactlyWhatTheRuleRefuses) {
  const char* const regions[] = {"DE", "US", "GB"};
  std::map<bool, int> seen;
  const model::SeedRange seeds = model::Seeds(4'000);
  for (const uint64_t seed : seeds) {
    model::Dice dice(seed);
    SmallWorld world = Household(regions[dice.Below(3)]);
    if (dice.Chance(0.1)) {
      world.rules.suspensions.push_back(
          {Purpose::kFeatureDevelopment, Region{}, dice.Chance(0.5), world.next.time, world.next.time});
    }
    for (uint64_t steps = 1 + dice.Below(5); steps > 0; --steps) {
      const Command said = Said(world, dice);
      const Transition done = world.Do(said);
      const std::vector<Consented> consents = ConsentedBy(said, done.parts, world.rules);
      const bool applied = done.parts[0].refusal == Refusal::kNone;
      ASSERT_EQ(consents.size(), applied && said.choices[0].on ? 1U : 0U);
      if (consents.empty()) continue;
      const auto unreached = UnreachedBy(world.facts, consents, world.next.now, world.rules);
      ExpectWhatTheRuleSays(world, consents[0], unreached, seed);
      ++seen[unreached.empty()];
    }
  }
  if (!seeds.whole) return;
  EXPECT_GT(seen[true], 500) << "all is reached";
  EXPECT_GT(seen[false], 2'000);
}

TEST(Unreached, AControlIsPartialWhereAndOnlyWhereSomethingOfItIsOffAndSomethingOn) {
  for (const uint64_t seed : model::Seeds(2'000)) {
    model::Dice dice(seed);
    SmallWorld world = Household(dice.Chance(0.5) ? "DE" : "US");
    for (int step = 0; step < 4; ++step) world.Do(Said(world, dice));
    const std::vector<PurposeState> states = States(world.facts, world.next.now, world.rules);
    for (const Control& control : world.rules.controls) {
      const auto unreached = UnreachedIn(states, world.facts, control.purposes, world.rules);
      const Answer answer = Summarise(states, world.facts, control.purposes).answer;
      EXPECT_EQ(unreached.empty(), answer == Answer::kOn) << "seed " << seed;
      if (answer == Answer::kPartial) {
        EXPECT_EQ(Summarise(states, world.facts, control.purposes).reason, unreached.front().reason);
      }
    }
  }
}

std::vector<Unreached> After(SmallWorld& world, const Command& command) {
  const Transition done = world.Do(command);
  EXPECT_EQ(RefusalOf(done), Refusal::kNone);
  return UnreachedBy(world.facts, ConsentedBy(command, done.parts, world.rules), world.next.now, world.rules);
}

TEST(Unreached, AnAccountsYesSpeaksForNoProfile) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), ControlNamed("improve"));
  SmallWorld one_tap = world;
  const std::vector<Unreached> unreached = After(world, on);
  ASSERT_EQ(unreached.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(unreached[i], (Unreached{Profile(kAnn), kImproved[i], Reason::kProfileWithoutConsent, 0}));
  }
  on.self_profile = base::ProfileHandle{Profile(kAnn).handle};
  EXPECT_EQ(After(one_tap, on), std::vector<Unreached>()) << "for the account and the only adult, in one tap";
  // Where a default allows it, nobody has to say anything.
  SmallWorld elsewhere;
  elsewhere.Register("US");
  EXPECT_EQ(After(elsewhere, On(elsewhere, Account(), ControlNamed("improve"))), std::vector<Unreached>());
}

TEST(Unreached, ANoticeMayLeaveAPurposeOfTheControlOut) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), ControlNamed("improve"));
  on.proof.notice_version = "narrow";
  on.self_profile = base::ProfileHandle{Profile(kAnn).handle};
  const std::vector<Unreached> unreached = After(world, on);
  const NoticeNumber narrow = world.rules.FindNotice("narrow")->number;
  ASSERT_EQ(unreached.size(), 2U);
  EXPECT_EQ(unreached[0], (Unreached{Account(), Purpose::kFeatureDevelopment, Reason::kNoConsent, narrow}));
  EXPECT_EQ(unreached[1], (Unreached{Profile(kAnn), Purpose::kFeatureDevelopment, Reason::kNoConsent, narrow}));
  // The account has both now, the profile still under the narrow one: that is why it lacks its own.
  const std::vector<Unreached> later = After(world, On(world, Account(), PurposeOf(Purpose::kFeatureDevelopment)));
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].reason, Reason::kProfileWithoutConsent);
  EXPECT_EQ(later[0].uncovering_notice, 0) << "the one purpose that was asked for was never asked for there";
  const auto states = States(world.facts, world.next.now, world.rules);
  const auto shown = UnreachedIn(states, world.facts, world.rules.controls[0].purposes, world.rules);
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0], (Unreached{Profile(kAnn), Purpose::kFeatureDevelopment, Reason::kProfileWithoutConsent, narrow}));
}

TEST(Unreached, AProfilesYesNeedsTheAccounts) {
  SmallWorld world;
  world.Register("DE");
  const auto unreached = After(world, On(world, Profile(kAnn), PurposeOf(Purpose::kHumanReview)));
  ASSERT_EQ(unreached.size(), 1U) << "of the scope that said it alone";
  EXPECT_EQ(unreached[0], (Unreached{Profile(kAnn), Purpose::kHumanReview, Reason::kNoConsent, 0}));
}

TEST(OnceRegistered, IsWhatARegistrationMakesOfASubject) {
  for (const char* region : {"DE", "US", "US-CA", "GB"}) {
    for (const bool refused : {false, true}) {
      SmallWorld world;
      if (refused) world.Do(Off(Account(), ControlNamed("improve")));
      SubjectFacts asked = world.facts;
      for (const PurposeState& state : States(asked, world.next.now, world.rules)) {
        EXPECT_FALSE(state.on) << "nothing is in force before it is registered";
        EXPECT_EQ(state.reason, Reason::kUnknownSubject);
      }
      asked.region = In(region);
      const auto promised = States(OnceRegistered(asked, world.next.time), world.next.now, world.rules);
      Command command;
      command.registers = true;
      command.region = In(region);
      command.expected_revision = world.facts.revision;
      command.proof = Loosening(world).proof;
      const Moment now = world.next;
      ASSERT_TRUE(world.Do(command).registered_now) << region;
      EXPECT_EQ(OnceRegistered(asked, now.time).default_from, world.facts.default_from)
          << "nothing of before is allowed";
      const auto kept = States(world.facts, now.now, world.rules);
      ASSERT_EQ(promised.size(), kept.size());
      for (size_t i = 0; i < kept.size(); ++i) {
        EXPECT_EQ(promised[i].on, kept[i].on) << region << " " << static_cast<int>(kept[i].purpose);
        EXPECT_EQ(promised[i].reason, kept[i].reason);
      }
      const Answer improve = Summarise(promised, asked, world.rules.controls[0].purposes).answer;
      EXPECT_EQ(improve, region[0] == 'U' && !refused ? Answer::kOn : Answer::kOff) << region;
    }
  }
}

TEST(AdultProfiles, AreThoseWhoConsentForThemselves) {
  SmallWorld world = Household("DE");
  const auto adults = [&world] {
    std::vector<ScopeRef> found;
    for (const size_t i : AdultProfiles(world.facts, world.next.now, world.rules)) {
      found.push_back({world.facts.scopes[i].kind, world.facts.scopes[i].handle});
    }
    return found;
  };
  EXPECT_EQ(adults(), (std::vector<ScopeRef>{Profile(kAnn), Profile(kBob)}));
  world.Do(Off(Profile(kBob), ControlNamed("messages")));
  Command removed = Loosening(world);
  removed.removals.push_back(Profile(kBob));
  world.Do(removed);
  EXPECT_EQ(adults(), std::vector<ScopeRef>{Profile(kAnn)});
  world.Do(WithProfile(Loosening(world), kChild, BornOn("2010-03-02")));
  EXPECT_EQ(adults(), std::vector<ScopeRef>{Profile(kAnn)}) << "sixteen tomorrow";
  world.GoTo(At("2026-03-03T13:00:00Z"));
  EXPECT_EQ(adults(), (std::vector<ScopeRef>{Profile(kAnn), Profile(kChild)}));
}

}  // namespace
}  // namespace consent::domain::unreached_test
