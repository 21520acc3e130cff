// When a person who said no may be asked again, against a count that knows nothing of records: the times at which the
// person said something.
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "daemon/domain/settings.h"
#include "tests/support/model/generator.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::ask_again_test {
namespace {

constexpr int kDaysInGermany = 90;
constexpr int kDaysElsewhere = 400;

Rules WithDays() {
  Rules rules = SmallRules();
  for (Regime& regime : rules.regimes) regime.ask_again_after = base::Days(kDaysElsewhere);
  rules.regimes[rules.ForRegion(In("DE")).regime].ask_again_after = base::Days(kDaysInGermany);
  return rules;
}

// What the account said last of one purpose: since when it says no; nothing: it does not.
class Said {
 public:
  void No(Instant at) {
    if (!no_since_) no_since_ = at;
  }
  void Yes() { no_since_.reset(); }
  std::optional<Instant> AskAgain(int days) const {
    if (!no_since_) return std::nullopt;
    return Instant{no_since_->micros + int64_t{days} * 24 * 3600 * 1'000'000};
  }

 private:
  std::optional<Instant> no_since_;
};

Instant MayAsk(const SmallWorld& world, const ScopeRef& scope, Purpose purpose) {
  for (const PurposeState& state : States(world.facts, world.next.now, world.rules)) {
    const ScopeFacts& facts = world.facts.scopes[state.scope];
    if (ScopeRef{facts.kind, facts.handle} == scope && state.purpose == purpose) return state.may_ask_again_at;
  }
  ADD_FAILURE() << "no such state";
  return {};
}

TEST(AskAgain, IsTheDaysOfTheRegimeAfterTheNoThatStands) {
  const std::map<std::string, int> days = {{"DE", kDaysInGermany}, {"US", kDaysElsewhere}, {"ZZ", kDaysElsewhere}};
  int nos = 0;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    model::Dice dice(seed);
    const std::string region = dice.Chance(0.5) ? "DE" : "US";
    SmallWorld world(WithDays());
    world.Register(region);
    std::map<Purpose, Said> said;
    for (int step = 0; step < 6; ++step) {
      world.GoTo(world.next.time + base::Hours(static_cast<int64_t>(1 + dice.Below(500))));
      const Purpose purpose = dice.Chance(0.5) ? Purpose::kHumanReview : Purpose::kFeatureDevelopment;
      const bool control = dice.Chance(0.3);  // "improve" is both
      const bool on = dice.Chance(0.4);
      const Target target = control ? ControlNamed("improve") : PurposeOf(purpose);
      const Instant at = world.next.time;
      world.Do(on ? On(world, Account(), target) : Off(Account(), target));
      for (const Purpose one : {Purpose::kHumanReview, Purpose::kFeatureDevelopment}) {
        if (!control && one != purpose) continue;
        on ? said[one].Yes() : said[one].No(at);
      }
    }
    for (const Purpose one : {Purpose::kHumanReview, Purpose::kFeatureDevelopment}) {
      const std::optional<Instant> expected = said[one].AskAgain(days.at(region));
      nos += expected.has_value() ? 1 : 0;
      EXPECT_EQ(MayAsk(world, Account(), one), expected.value_or(Instant{})) << seed;
    }
  }
  EXPECT_GT(nos, 500) << "the test says something";
}

TEST(AskAgain, OfAControlIsTheLatestOfAllThatSayNo) {
  SmallWorld world(WithDays());
  world.Register("DE");
  const PurposeSet both = world.rules.FindControl("improve")->purposes;
  const auto summary = [&] { return Summarise(States(world.facts, world.next.now, world.rules), world.facts, both); };
  EXPECT_FALSE(summary().may_ask_again_at.IsSet()) << "who never chose may be asked";
  const Instant first = world.next.time;
  world.Do(Off(Account(), PurposeOf(Purpose::kFeatureDevelopment)));
  EXPECT_EQ(summary().may_ask_again_at, first + base::Days(kDaysInGermany));
  world.GoTo(first + base::Days(10));
  const Instant second = world.next.time;
  world.Do(Off(Profile(1), PurposeOf(Purpose::kHumanReview)));
  EXPECT_EQ(summary().may_ask_again_at, second + base::Days(kDaysInGermany));
  world.GoTo(first + base::Days(20));
  const Instant third = world.next.time;
  world.Do(Off(Device(1), ControlNamed("improve")));
  EXPECT_EQ(summary().may_ask_again_at, third + base::Days(kDaysInGermany)) << "a device's no counts";
}

TEST(AskAgain, ALaterLessPatientPolicyCountsFromTheSameNo) {
  SmallWorld world(WithDays());
  world.Register("DE");
  const Instant at = world.next.time;
  world.Do(Off(Account(), ControlNamed("improve")));
  for (Regime& regime : world.rules.regimes) regime.ask_again_after = base::Days(7);
  EXPECT_EQ(MayAsk(world, Account(), Purpose::kHumanReview), at + base::Days(7));
}

TEST(AskAgain, NeverEndsBeyondTheLastInstantAndIsSetForEveryNo) {
  Rules rules = SmallRules();
  for (Regime& regime : rules.regimes) regime.ask_again_after = base::Days(3650);
  PurposeChoice no;
  no.choice = Choice::kRefused;
  EXPECT_EQ(MayAskAgainAt(no, In("DE"), rules), base::kLastInstant) << "whose time nobody knows";
  no.since = base::kLastInstant - base::Days(1);
  EXPECT_EQ(MayAskAgainAt(no, In("DE"), rules), base::kLastInstant);
  no.choice = Choice::kGiven;
  EXPECT_FALSE(MayAskAgainAt(no, In("DE"), rules).IsSet());
}

}  // namespace
}  // namespace consent::domain::ask_again_test
