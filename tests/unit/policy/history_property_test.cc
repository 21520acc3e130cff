// Seeded random histories of activations, checked against a model that keeps the whole history and searches it.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/policy/compare.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

constexpr const char* kRegionPool[] = {"US", "US-CA", "US-NY", "DE", "DE-BE", "JP"};

class History {
 public:
  explicit History(uint32_t seed) : random_(seed) {}

  v1::Policy RandomPolicy(int step) {
    v1::Policy policy = SamplePolicy();
    policy.set_version("v" + std::to_string(step));
    policy.mutable_regimes(0)->clear_regions();
    policy.mutable_regimes(1)->clear_regions();
    for (const char* region : kRegionPool) {
      const int where = Roll(3);
      if (where < 2) policy.mutable_regimes(where)->add_regions(region);
    }
    if (Roll(4) == 0) policy.add_purposes(v1::PURPOSE_ADVERTISING);
    for (int i = 2; i >= 0; --i) {
      if (Roll(3) == 0) {
        policy.mutable_notices(i)->set_version("m" + std::to_string(Roll(40)) + "-" + std::to_string(i));
      }
    }
    policy.mutable_notices(2)->clear_supersedes();
    if (Roll(3) == 0) policy.mutable_controls(1)->set_name("c" + std::to_string(Roll(20)));
    return policy;
  }
  Usage RandomUsage() {
    Usage usage;
    for (int i = Roll(3); i > 0; --i) usage.notices.insert(static_cast<domain::NoticeNumber>(1 + Roll(60)));
    if (Roll(3) == 0) usage.controls.insert(static_cast<domain::ControlNumber>(1 + Roll(20)));
    return usage;
  }
  int Roll(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

 private:
  std::mt19937 random_;
};

struct Activation {
  domain::Rules rules;
  base::Instant at;
};

// The time of the activation after which OPT_OUT applied to `region` all along; unset: it does not apply now.
base::Instant BeganIn(const std::vector<Activation>& history, domain::Region region) {
  base::Instant began;
  for (const Activation& activation : history) {
    const domain::RegionRules rules = activation.rules.ForRegion(region);
    const bool opt_out = activation.rules.regimes[rules.regime].default_rule == domain::DefaultRule::kOptOut;
    began = !opt_out ? base::Instant{} : began.IsSet() ? began : activation.at;
  }
  return began;
}

template <typename Numbers, typename Number>
void ExpectNumbersKept(std::map<std::string, int>* ever, const Numbers& numbers, Number number) {
  std::map<int, std::string> names;
  for (const auto& [name, entry] : numbers) {
    const auto [at, added] = ever->emplace(name, number(entry));
    EXPECT_EQ(at->second, number(entry)) << name << " changed its number";
  }
  for (const auto& [name, given] : *ever) EXPECT_TRUE(names.emplace(given, name).second) << given << " was given twice";
  EXPECT_EQ(ever->size(), numbers.size());
}

class HistoryProperty : public ::testing::TestWithParam<uint32_t> {};

TEST_P(HistoryProperty, NumbersStayAndDefaultsNeverReachBack) {
  History random(GetParam());
  std::optional<PolicyRow> current;
  std::vector<Activation> history;
  std::map<std::string, int> notices;
  std::map<std::string, int> controls;
  int64_t clock = 0;
  for (int step = 0; step < 60; ++step) {
    const Document next = Parsed(random.RandomPolicy(step));
    if (!CheckActivation(current ? &*current : nullptr, next, random.RandomUsage()).ok()) continue;
    clock += random.Roll(100) - 20;  // the wall clock may go back
    const absl::StatusOr<State> state = Advance(current ? current->state : State{}, next, At(1'000 + clock));
    ASSERT_TRUE(state.ok()) << state.status();
    const absl::StatusOr<PolicyRow> stored = Reread(next, *state);
    ASSERT_TRUE(stored.ok()) << stored.status();
    ASSERT_EQ(stored->state, *state);
    EXPECT_GE(state->activated_at, current ? current->state.activated_at : base::Instant{});
    current = *stored;
    history.push_back({BuildRules(next, *state, {}), state->activated_at});
    ExpectNumbersKept(&notices, state->notices, [](domain::NoticeNumber n) { return static_cast<int>(n); });
    ExpectNumbersKept(&controls, state->controls, [](const ControlState& c) { return static_cast<int>(c.number); });
    EXPECT_EQ(history.back().rules.in_use_since, state->in_use_since);
    for (const char* name : {"US", "US-CA", "US-NY", "US-TX", "DE", "DE-BE", "DE-BY", "JP", "JP-13", "FR"}) {
      const domain::Region region = RegionOf(name);
      const base::Instant began = BeganIn(history, region);
      EXPECT_EQ(history.back().rules.ForRegion(region).opt_out_since, began) << name << " at step " << step;
    }
  }
  EXPECT_GT(history.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryProperty, ::testing::Range(1U, 41U));

}  // namespace
}  // namespace consent::policy
