// The rule against the model, a million times and more.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "tests/support/model/case.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"
#include "tests/support/model/shrink.h"
#include "tests/support/reason_name.h"

namespace consent::model {
namespace {

using domain::Decision;
using domain::Eligibility;
using domain::Reason;

constexpr uint64_t kChunks = 16;
constexpr uint64_t kCases = 200'000;

bool Differ(const Case& c) { return !Difference(AnswerOfRule(c), AnswerOfModel(c)).empty(); }

std::string Explain(const Case& c) {
  const Decision rule = AnswerOfRule(c);
  const Decision model = AnswerOfModel(c);
  return "CONSENT_TEST_SEED=" + std::to_string(c.seed) + " CONSENT_TEST_CASES=1 replays it; made smaller:\n" + Dump(c) +
         "rule:   " + Dump(rule) + "\nmodel:  " + Dump(model) + "\ndiffer: " + Difference(rule, model) + "\n";
}

// What a run has seen.
struct Tally {
  uint64_t cases = 0;
  uint64_t asked = 0;
  uint64_t eligible = 0;
  std::array<uint64_t, domain::kReasons> reasons{};
  std::array<uint64_t, 4> dispositions{};

  void Count(const Case& c, const Decision& decision) {
    ++cases;
    if (c.purpose != domain::Purpose::kNone) ++asked;
    if (decision.eligibility == Eligibility::kEligible) ++eligible;
    ++dispositions[static_cast<size_t>(decision.disposition)];
    decision.reasons.ForEach([&](Reason reason) { ++reasons[static_cast<size_t>(reason)]; });
  }
};

double Percent(uint64_t part, uint64_t of) {
  return of == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(of);
}

class Differential : public testing::TestWithParam<uint64_t> {};

TEST_P(Differential, RuleAndModelAgree) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), kChunks, kCases);
  Tally tally;
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case c = Generate(seed);
    const Decision rule = AnswerOfRule(c);
    tally.Count(c, rule);
    const Decision model = AnswerOfModel(c);
    if (!Difference(rule, model).empty()) FAIL() << Explain(Shrink(c, Differ));
    if (c.subject.tombstones.empty()) continue;
    const std::string by_cover = Difference(AnswerOfRuleByCover(c), model);
    ASSERT_EQ(by_cover, "") << "with the tombstones beside the record; CONSENT_TEST_SEED=" << seed
                            << " CONSENT_TEST_CASES=1 replays it\n"
                            << Dump(c);
  }
  std::printf("%llu cases, %.1f %% eligible of those asked for a purpose\n",
              static_cast<unsigned long long>(tally.cases), Percent(tally.eligible, tally.asked));
}

INSTANTIATE_TEST_SUITE_P(Chunks, Differential, testing::Range(uint64_t{0}, kChunks));

// The comparison is worth nothing if the cases are dull.
TEST(Generator, ReachesEveryAnswerOften) {
  Tally tally;
  for (uint64_t seed = 1; seed <= 60'000; ++seed) {
    const Case c = Generate(seed);
    tally.Count(c, AnswerOfModel(c));
  }
  EXPECT_GE(tally.eligible * 20, tally.asked) << "at least 5 % must be eligible";
  for (int number = 1; number < domain::kReasons; ++number) {
    if (!domain::IsOfRule(static_cast<Reason>(number))) continue;
    EXPECT_GE(tally.reasons[static_cast<size_t>(number)], 30U) << test::ReasonName(static_cast<Reason>(number));
  }
  for (size_t disposition = 1; disposition < tally.dispositions.size(); ++disposition) {
    EXPECT_GE(tally.dispositions[disposition], 1'000U) << disposition;
  }
  for (int number = 1; number < domain::kReasons; ++number) {
    if (!domain::IsOfRule(static_cast<Reason>(number))) continue;
    std::printf("%7.3f %% %s\n", Percent(tally.reasons[static_cast<size_t>(number)], tally.cases),
                test::ReasonName(static_cast<Reason>(number)).c_str());
  }
  std::printf("%7.3f %% eligible of those asked for a purpose\n", Percent(tally.eligible, tally.asked));
}

TEST(Generator, GivesTheSameCaseForTheSameSeed) {
  for (uint64_t seed = 1; seed <= 200; ++seed) EXPECT_EQ(Dump(Generate(seed)), Dump(Generate(seed)));
}

}  // namespace
}  // namespace consent::model
