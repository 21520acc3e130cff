// Each field of the policies that ship is loosened once, wherever it stands: a shipped case fails, the difference is
// named, and no activation passes without its words.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "daemon/cases/play.h"
#include "daemon/policy/compare.h"
#include "tests/unit/cases/mutants.h"
#include "tests/unit/cases/shipped.h"

namespace consent::cases::mutation_test {
namespace {

std::string ToJson(const v1::Policy& policy) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(policy, &json).ok());
  return json;
}

// All shipped cases, those first that belong to the policy, each a file of its own, so that the first that fails ends
// it.
class Cases {
 public:
  explicit Cases(const policy::Document& policy) {
    for (const ShippedPolicy& shipped : ShippedPolicies()) {
      const v1::PolicyCases file = CasesAt(CONSENT_DEPLOY_DIR, shipped.cases);
      for (const v1::PolicyCase& one : file.cases()) {
        v1::PolicyCases alone = file;
        alone.clear_cases();
        *alone.add_cases() = one;
        // One that fails under the policy as it ships is another policy's.
        if (Passes(alone, policy)) cases_.push_back(std::move(alone));
      }
    }
  }
  size_t size() const { return cases_.size(); }
  // The name of one that fails; empty: none does.
  std::string FailingUnder(const policy::Document& policy) {
    for (size_t i = 0; i < cases_.size(); ++i) {
      const size_t at = (last_ + i) % cases_.size();
      if (Passes(cases_[at], policy)) continue;
      last_ = at;  // what comes next is often found by the same or the next one
      return cases_[at].cases(0).name();
    }
    return "";
  }

 private:
  static bool Passes(const v1::PolicyCases& cases, const policy::Document& policy) {
    const auto results = PlayCases(cases, policy);
    return results.ok() && results->front().failures.empty();
  }
  std::vector<v1::PolicyCases> cases_;
  size_t last_ = 0;
};

// What no valid policy can loosen there: a bound is reached, or an opt-in regime may not.
const std::set<std::string>& SometimesInvalid() {
  static const std::set<std::string> fields = {"consent.v1.Policy.ages_of_consent",
                                               "consent.v1.Policy.unknown_region_regime",
                                               "consent.v1.Regime.default_rule",
                                               "consent.v1.Regime.false_wake_ttl_seconds",
                                               "consent.v1.Regime.allow_several_speakers",
                                               "consent.v1.Regime.allow_unmatched_speakers",
                                               "consent.v1.Period.count",
                                               "consent.v1.Period.unit",
                                               "consent.v1.ReviewRate.parts_per_million"};
  return fields;
}

class EachFieldLoosened : public ::testing::TestWithParam<int> {};

TEST_P(EachFieldLoosened, FailsACaseIsNamedAndIsRefusedWithoutTheWords) {
  const ShippedPolicy& shipped = ShippedPolicies()[static_cast<size_t>(GetParam())];
  const policy::Document original = PolicyAt(CONSENT_DEPLOY_DIR, shipped.policy);
  const absl::StatusOr<policy::State> state = policy::Advance({}, original, base::Instant{1'767'225'600'000'000});
  ASSERT_TRUE(state.ok());
  const policy::PolicyRow row{original, *state};
  Cases cases(original);
  size_t valid = 0;
  std::set<std::string> mutated;
  const std::vector<Mutant> mutants = MutantsOf(original.policy());
  for (const Mutant& mutant : mutants) {
    const absl::StatusOr<policy::Document> next = policy::Document::Parse(ToJson(mutant.policy));
    if (!next.ok()) {
      EXPECT_TRUE(SometimesInvalid().count(mutant.field) != 0) << mutant.place << ": " << next.status();
      continue;
    }
    ++valid;
    mutated.insert(mutant.field);
    if (mutant.turns_answers) {
      EXPECT_NE(cases.FailingUnder(*next), "") << "no shipped case fails for " << mutant.place;
    }
    std::vector<std::string> words;
    bool named = false;
    for (const policy::Difference& difference : policy::Compare(row, *next)) {
      if (!policy::Loosens(difference)) continue;
      words.push_back(policy::Words(difference));
      named = named || difference.path.find(mutant.named_as) != std::string::npos;
    }
    EXPECT_TRUE(named) << mutant.place << " is not named: " << ::testing::PrintToString(words);
    EXPECT_EQ(policy::CheckNamed(&row, *next, {}).code(), absl::StatusCode::kFailedPrecondition) << mutant.place;
    EXPECT_TRUE(policy::CheckNamed(&row, *next, words).ok()) << mutant.place;
  }
  std::printf("%s: %zu mutants, %zu of them valid, of %zu fields; %zu cases\n", shipped.policy.c_str(), mutants.size(),
              valid, mutated.size(), cases.size());
  EXPECT_GT(valid, 150U);
}

INSTANTIATE_TEST_SUITE_P(Shipped, EachFieldLoosened, ::testing::Range(0, 3));

}  // namespace
}  // namespace consent::cases::mutation_test
