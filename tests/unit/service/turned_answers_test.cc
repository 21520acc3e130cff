// Counting by the index and the rule equals counting by hand and the model: whose answer a policy turns, and which way.
// CONSENT_TEST_CASES: how many subjects.
#include "daemon/service/subject/turned_answers.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "daemon/domain/facts_codec.h"
#include "tests/support/model/case.h"
#include "tests/support/model/dice.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;
using domain::SubjectFacts;

constexpr uint64_t kSubjectsByDefault = 2'000;

// As `consent.v1.TurnedAnswers` and the header say it, asked of the model.
service::TurnedCounts CountByHand(const std::vector<SubjectFacts>& subjects, const domain::Rules& before,
                                  const domain::Rules& after, base::Instant activated_at) {
  service::TurnedCounts counts;
  for (const SubjectFacts& facts : subjects) {
    ++counts.examined;
    model::Case asked;
    asked.subject = facts;
    asked.recording.captured_at = activated_at + base::Hours(1);
    asked.now = asked.recording.captured_at + base::Seconds(60);
    asked.recording.has_uncertainty = true;
    asked.recording.wake = domain::Wake::kButton;
    asked.recording.kind = domain::Kind::kCommand;
    asked.recording.speakers = domain::Speakers::kOne;
    asked.recording.age = domain::SpeakerAge::kAdult;
    asked.place.country = facts.region.Country();
    asked.place.site = "any";  // every regime of these policies takes any
    asked.place.reviewer_class = domain::ReviewerClass::kEmployee;
    std::vector<std::vector<base::ProfileHandle>> speakers;
    for (const domain::ScopeFacts& scope : facts.scopes) {
      if (scope.kind == domain::ScopeKind::kProfile && scope.registered) speakers.push_back({{scope.handle}});
    }
    asked.recording.identity = speakers.empty() ? domain::Identity::kNotRun : domain::Identity::kMatched;
    if (speakers.empty()) speakers.emplace_back();
    for (const Purpose purpose : domain::kAllPurposes) {
      bool gains = false;
      bool loses = false;
      for (const auto& named : speakers) {
        asked.recording.profiles.assign(named.begin(), named.end());
        asked.purpose = purpose;
        asked.rules = before;
        const bool was = model::AnswerOfModel(asked).eligibility == domain::Eligibility::kEligible;
        asked.rules = after;
        const bool is = model::AnswerOfModel(asked).eligibility == domain::Eligibility::kEligible;
        gains = gains || (!was && is);
        loses = loses || (was && !is);
      }
      service::Turned& turned = counts.by_purpose[static_cast<size_t>(purpose) - 1];
      turned.to_eligible += gains ? 1 : 0;
      turned.to_not_eligible += loses ? 1 : 0;
    }
  }
  return counts;
}

std::string Encoded(const SubjectFacts& facts) {
  std::string bytes;
  domain::EncodeFacts(facts, &bytes);
  return bytes;
}

class TurnedAnswersTest : public ::testing::Test {
 protected:
  // Subjects of all kinds, as they are after they have been written and read.
  void Fill() {
    const std::shared_ptr<const domain::Rules> rules = world_.core().policies.rules();
    const uint64_t count = model::SlowCasesFromEnvironment(kSubjectsByDefault);
    model::Dice dice(model::FromEnvironment("CONSENT_TEST_SEED", 1));
    for (uint64_t number = 0; subjects_.size() < count; ++number) {
      model::Weather weather{dice, number % 3 == 0 ? 0.3 : 0.02, world_.core().Now()};
      const std::string bytes =
          Encoded(model::MakeSubject(weather, *rules, domain::kAllPurposes[number % domain::kAllPurposes.size()]));
      SubjectFacts facts;
      if (!domain::DecodeFacts(bytes, &facts) || facts.has_more_tombstones) continue;
      world_.core().index.Put(world_.core().hasher.Subject(std::to_string(number)), bytes);
      subjects_.push_back(std::move(facts));
    }
  }
  absl::StatusOr<service::TurnedCounts> Count(const policy::Document& next, std::function<bool()> goes_on) {
    std::promise<absl::StatusOr<service::TurnedCounts>> counted;
    turned_.Count(next, std::move(goes_on), [&](const auto& counts) { counted.set_value(counts); });
    return counted.get_future().get();
  }
  void ExpectTheSame(const policy::Document& next, bool gains, bool loses) {
    const std::shared_ptr<const policy::PolicyRow> current = world_.core().policies.current();
    const absl::StatusOr<policy::State> state =
        policy::Advance(current->state, next, world_.core().Now(), &current->document);
    ASSERT_TRUE(state.ok());
    const service::TurnedCounts by_hand = CountByHand(subjects_, *world_.core().policies.rules(),
                                                      policy::BuildRules(next, *state, {}), world_.core().Now());
    const absl::StatusOr<service::TurnedCounts> counts = Count(next, [] { return true; });
    ASSERT_TRUE(counts.ok()) << counts.status();
    EXPECT_EQ(counts->examined, subjects_.size());
    bool some_gain = false;
    bool some_lose = false;
    for (size_t i = 0; i < counts->by_purpose.size(); ++i) {
      EXPECT_EQ(counts->by_purpose[i].to_eligible, by_hand.by_purpose[i].to_eligible) << i;
      EXPECT_EQ(counts->by_purpose[i].to_not_eligible, by_hand.by_purpose[i].to_not_eligible) << i;
      some_gain = some_gain || counts->by_purpose[i].to_eligible > 0;
      some_lose = some_lose || counts->by_purpose[i].to_not_eligible > 0;
    }
    EXPECT_EQ(some_gain, gains) << "else the test shows nothing";
    EXPECT_EQ(some_lose, loses) << "else the test shows nothing";
  }

  World world_;
  service::TurnedAnswers turned_{world_.core()};
  std::vector<SubjectFacts> subjects_;
};

TEST_F(TurnedAnswersTest, AreThoseOfACountByHand) {
  Fill();
  PolicyBuilder same("v2");
  ExpectTheSame(same.Build(), false, false);
  PolicyBuilder looser("v2");
  looser.Regime("eea").set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  ExpectTheSame(looser.Build(), true, false);
  PolicyBuilder stricter("v2");
  v1::Regime& us = stricter.Regime("us");
  us.set_default_rule(v1::DEFAULT_RULE_OPT_IN);
  us.set_false_wake_ttl_seconds(0);
  us.clear_allow_several_speakers();
  us.clear_allow_unmatched_speakers();
  ExpectTheSame(stricter.Build(), false, true);
  PolicyBuilder both("v2");
  both.Regime("eea").set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  both.Notice("general").set_consent_lifetime_months(1);
  both.policy().set_default_age_of_consent(21);
  ExpectTheSame(both.Build(), true, true);
}

TEST_F(TurnedAnswersTest, EndWhenTheyAreToldTo) {
  model::Dice dice(1);
  for (uint64_t number = 0; number < 2'000; ++number) {
    model::Weather weather{dice, 0, world_.core().Now()};
    world_.core().index.Put(
        world_.core().hasher.Subject(std::to_string(number)),
        Encoded(model::MakeSubject(weather, *world_.core().policies.rules(), Purpose::kHumanReview)));
  }
  int asked = 0;
  const absl::StatusOr<service::TurnedCounts> part = Count(PolicyBuilder("v2").Build(), [&] { return ++asked <= 2; });
  ASSERT_TRUE(part.ok());
  EXPECT_GE(part->examined, 2U);
  EXPECT_LT(part->examined, 2'000U);
}

// One is counted and one waits; a third is told so at once, and takes no thread from anybody.
TEST_F(TurnedAnswersTest, AThirdIsOverload) {
  std::promise<void> begun;
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  std::promise<void> first;
  std::promise<void> second;
  bool told = false;
  turned_.Count(
      PolicyBuilder("v2").Build(),
      [&] {
        if (!told) begun.set_value();
        told = true;
        gone.wait();
        return true;
      },
      [&](const auto&) { first.set_value(); });
  begun.get_future().wait();
  turned_.Count(
      PolicyBuilder("v2").Build(), [] { return true; }, [&](const auto&) { second.set_value(); });
  const absl::StatusOr<service::TurnedCounts> third = Count(PolicyBuilder("v2").Build(), [] { return true; });
  EXPECT_EQ(ReasonOf(third), "OVERLOADED");
  go.set_value();
  first.get_future().wait();
  second.get_future().wait();
}

}  // namespace
}  // namespace consent::test
