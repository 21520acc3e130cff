// What a settings page shows agrees with what is decided about a recording made now.
#include "daemon/domain/settings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

RecordingFacts MadeNow(Instant now) {
  RecordingFacts recording;
  recording.captured_at = now;
  recording.has_uncertainty = true;
  recording.wake = Wake::kIntended;
  recording.kind = Kind::kCommand;
  recording.speakers = Speakers::kOne;
  recording.identity = Identity::kMatched;
  recording.age = SpeakerAge::kAdult;
  return recording;
}

Decision DecideForAdult(const SmallWorld& world, Purpose purpose, bool with_device) {
  RecordingFacts recording = MadeNow(world.next.time);
  recording.profiles.push_back(base::ProfileHandle{Profile(1).handle});
  if (with_device) recording.device.bytes = Device(1).handle;
  Place place;
  place.country = In("DE");
  place.reviewer_class = ReviewerClass::kEmployee;
  return Decide(&world.facts, RecordingState{}, Question{recording, purpose, place, world.next.now}, world.rules);
}

bool IsOn(const SmallWorld& world, size_t scope, Purpose purpose) {
  return StateOf(world.facts, scope, purpose, world.next.now, world.rules).on;
}

Summary SummaryOf(const SmallWorld& world, Purpose purpose) {
  PurposeSet one;
  one.Add(purpose);
  return Summarise(States(world.facts, world.next.now, world.rules), world.facts, one);
}

TEST(Settings, AllScopesOnMeansEligibleAndAnyOffMeansNot) {
  const char* regions[] = {"DE", "US"};
  for (uint64_t seed = 0; seed < 3'000; ++seed) {
    model::Dice dice(seed);
    SmallWorld world;
    world.Register(regions[dice.Below(2)]);
    for (int step = 0; step < 4; ++step) {
      const ScopeRef scopes[] = {Account(), Profile(1), Device(1)};
      const ScopeRef& scope = scopes[dice.Below(3)];
      const Target targets[] = {ControlNamed("improve"), ControlNamed("messages"), PurposeOf(Purpose::kHumanReview)};
      const Target& target = targets[dice.Below(3)];
      world.Do(dice.Chance(0.6) ? On(world, scope, target) : Off(scope, target));
    }
    for (const Purpose purpose :
         {Purpose::kHumanReview, Purpose::kFeatureDevelopment, Purpose::kMessageTranscription}) {
      const bool account = IsOn(world, 0, purpose);
      const bool profile = IsOn(world, 1, purpose);
      const bool device = IsOn(world, 2, purpose);
      const Decision decision = DecideForAdult(world, purpose, true);
      const bool yes = decision.eligibility == Eligibility::kEligible;
      EXPECT_EQ(yes, account && profile && device) << "seed " << seed << " " << static_cast<int>(purpose);
    }
  }
}

TEST(Settings, SaysWhy) {
  SmallWorld world;
  world.Register("DE");
  const auto state = [&](size_t scope) {
    return StateOf(world.facts, scope, Purpose::kHumanReview, world.next.now, world.rules);
  };
  EXPECT_FALSE(state(0).on);
  EXPECT_EQ(state(0).reason, Reason::kNoConsent);
  world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
  EXPECT_TRUE(state(0).on);
  EXPECT_EQ(state(0).reason, Reason::kConsent);
  EXPECT_EQ(state(0).choice.choice, Choice::kGiven);
  world.Do(Off(Profile(1), PurposeOf(Purpose::kHumanReview)));
  EXPECT_FALSE(state(1).on);
  EXPECT_EQ(state(1).reason, Reason::kRefused);
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).answer, Answer::kPartial);
  world.Do(Off(Account(), PurposeOf(Purpose::kHumanReview)));
  EXPECT_EQ(state(0).reason, Reason::kWithdrawn);
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).answer, Answer::kOff);
}

TEST(Settings, AnExpiredConsentIsShownAsExpired) {
  SmallWorld world;
  world.Register("US");
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).reason, Reason::kDefault);
  world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
  world.Do(On(world, Profile(1), PurposeOf(Purpose::kHumanReview)));
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).answer, Answer::kOn);
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).reason, Reason::kConsent);
  world.GoTo(base::AddMonths(world.next.time, 13));
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).answer, Answer::kOff);
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).reason, Reason::kConsentExpired);
}

// No notice speaks for another adult; one adult speaks for the account and for himself in one call.
TEST(Settings, AnAccountsConsentIsPartialUntilItsAdultConsentsToo) {
  SmallWorld world;
  world.Register("DE");
  Command on = On(world, Account(), PurposeOf(Purpose::kHumanReview));
  SmallWorld both = world;
  world.Do(on);
  EXPECT_TRUE(IsOn(world, 0, Purpose::kHumanReview));
  EXPECT_FALSE(IsOn(world, 1, Purpose::kHumanReview));
  EXPECT_EQ(SummaryOf(world, Purpose::kHumanReview).answer, Answer::kPartial);
  on.self_profile = base::ProfileHandle{Profile(1).handle};
  both.Do(on);
  ASSERT_EQ(DecideForAdult(both, Purpose::kHumanReview, false).eligibility, Eligibility::kEligible);
  EXPECT_EQ(SummaryOf(both, Purpose::kHumanReview).answer, Answer::kOn);
}

TEST(Settings, TombstonesAndHoldsDoNotColourThem) {
  SmallWorld world;
  world.Register("DE");
  world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
  world.facts.tombstones.push_back(
      Tombstone{TombstoneState::kVerified, ScopeKind::kAccount, {}, OrderedTimes::Always()});
  world.facts.holds.push_back(Hold{});
  EXPECT_TRUE(IsOn(world, 0, Purpose::kHumanReview));
}

TEST(Settings, AreTotalForRandomSubjects) {
  for (const uint64_t seed : model::Seeds(20'000)) {
    const model::Case c = model::Generate(seed);
    const std::vector<PurposeState> states = States(c.subject, model::NowOf(c), c.rules);
    for (const PurposeState& state : states) {
      ASSERT_LT(state.scope, c.subject.scopes.size());
      ASSERT_TRUE(c.rules.purposes.Has(state.purpose));
      ASSERT_NE(state.reason, Reason::kNone) << "seed " << seed;
      ASSERT_EQ(state.on, state.reason == Reason::kConsent || state.reason == Reason::kDefault) << "seed " << seed;
      ASSERT_FALSE(state.on && SaysNo(state.choice.choice)) << "seed " << seed;
    }
    const Summary summary = Summarise(states, c.subject, c.rules.purposes);
    const bool any_on = std::any_of(states.begin(), states.end(), [](const PurposeState& s) { return s.on; });
    ASSERT_TRUE(any_on || summary.answer == Answer::kOff) << "seed " << seed;
  }
}

}  // namespace
}  // namespace consent::domain
