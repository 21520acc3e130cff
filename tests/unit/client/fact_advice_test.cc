// What missing facts would bring: sets, steps, and what stands whatever is found out.
#include "client/cli/engines/fact_advice.h"

#include <gtest/gtest.h>

namespace consent::cli {
namespace {

using Fact = MissingFact;
using Gain = FactAdvice::Gain;

constexpr Reason kLacks = Reason::kMissingFact;

FactSet Set(std::initializer_list<Fact> facts) { return FactSet(std::vector<Fact>(facts)); }

std::vector<std::vector<Fact>> StepFacts(const FactAdvice& advice) {
  std::vector<std::vector<Fact>> facts;
  for (const FactAdvice::Step& step : advice.Steps()) facts.push_back(step.facts.Facts());
  return facts;
}

TEST(FactSetTest, HoldsEachFactOnceInOrder) {
  const FactSet set = Set({Fact::kPurpose, Fact::kWake, Fact::kWake, Fact::kUnset});
  EXPECT_EQ(set.Facts(), (std::vector<Fact>{Fact::kUnset, Fact::kWake, Fact::kPurpose}));
  EXPECT_EQ(set.Size(), 3U);
  EXPECT_TRUE(FactSet().Empty());
}

TEST(CouldBeEligibleTest, OnlyWhereEveryOtherReasonCanEnd) {
  EXPECT_TRUE(CouldBeEligible({kLacks}, Set({Fact::kWake})));
  EXPECT_FALSE(CouldBeEligible({kLacks, Reason::kNoConsent}, Set({Fact::kWake})));
  EXPECT_TRUE(CouldBeEligible({kLacks, Reason::kNoConsent}, Set({Fact::kWake, Fact::kCapturedAt})))
      << "without a time the rules of a region that was left apply";
  EXPECT_FALSE(CouldBeEligible({kLacks, Reason::kRefused}, Set({Fact::kCapturedAt})));
  EXPECT_FALSE(CouldBeEligible({Reason::kRefused}, Set({}))) << "nothing is missing";
  EXPECT_FALSE(CouldBeEligible({}, Set({})));
}

TEST(FactAdviceTest, CountsWhatEachSetBrings) {
  FactAdvice advice;
  for (int i = 0; i < 8; ++i) advice.Add({kLacks}, Set({Fact::kSpeakers}));
  for (int i = 0; i < 3; ++i) advice.Add({kLacks}, Set({Fact::kSpeakers, Fact::kIdentity}));
  advice.Add({kLacks, Reason::kNoConsent}, Set({Fact::kSpeakers}));
  advice.Add({kLacks, Reason::kDeleted}, Set({Fact::kCapturedAt}));
  advice.Add({Reason::kRefused}, {});
  EXPECT_EQ(advice.With(Set({Fact::kSpeakers})), (Gain{8, 8}));
  EXPECT_EQ(advice.With(Set({Fact::kIdentity})), (Gain{0, 0}));
  EXPECT_EQ(advice.With(Set({Fact::kSpeakers, Fact::kIdentity})), (Gain{11, 11}));
  EXPECT_EQ(advice.With(Set({Fact::kCapturedAt})), (Gain{1, 0}));
  EXPECT_EQ(advice.hopeless(), 1U);
}

TEST(FactAdviceTest, StepsEndWithWhatIsMissedLeast) {
  FactAdvice advice;
  for (int i = 0; i < 10; ++i) advice.Add({kLacks}, Set({Fact::kWake, Fact::kKind}));
  for (int i = 0; i < 6; ++i) advice.Add({kLacks}, Set({Fact::kAge}));
  for (int i = 0; i < 9; ++i) advice.Add({kLacks, Reason::kDeleted}, Set({Fact::kCapturedAt}));
  advice.Add({kLacks}, Set({Fact::kWake, Fact::kKind, Fact::kAge, Fact::kSite}));
  EXPECT_EQ(StepFacts(advice), (std::vector<std::vector<Fact>>{
                                   {Fact::kWake, Fact::kKind}, {Fact::kAge}, {Fact::kSite}, {Fact::kCapturedAt}}));
  const std::vector<FactAdvice::Step> steps = advice.Steps();
  EXPECT_EQ(steps[1].more, (Gain{6, 6}));
  EXPECT_EQ(steps[1].together, (Gain{16, 16}));
  EXPECT_EQ(steps[2].together, (Gain{17, 17}));
  EXPECT_EQ(steps[3].together, (Gain{26, 17})) << "all that could come, and what is surer of it";
}

TEST(FactAdviceTest, NothingMissingBringsNothing) { EXPECT_TRUE(FactAdvice().Steps().empty()); }

// Each step of a file with every set of facts there is.
TEST(FactAdviceTest, ManySetsAreNoHarm) {
  FactAdvice advice;
  for (unsigned bits = 2; bits < 1U << 15; ++bits) advice.Add({kLacks}, FactSet::OfBits(bits));
  const std::vector<FactAdvice::Step> steps = advice.Steps();
  ASSERT_EQ(steps.size(), 15U);
  EXPECT_EQ(steps.back().together.at_most, (1U << 15) - 2);
  for (const FactAdvice::Step& step : steps) EXPECT_EQ(step.facts.Size(), 1U);
}

}  // namespace
}  // namespace consent::cli
