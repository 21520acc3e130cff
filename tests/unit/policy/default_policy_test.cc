// The policy that ships, and the examples that are made from it.
#include "daemon/policy/default_policy.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include <google/protobuf/util/message_differencer.h>

#include "daemon/policy/texts.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using google::protobuf::util::MessageDifferencer;

std::string Deployed(const std::string& name) {
  std::ifstream file(std::string(CONSENT_DEPLOY_DIR) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Document ParsedFile(const std::string& name) {
  const absl::StatusOr<Document> document = Document::Parse(Deployed(name));
  EXPECT_TRUE(document.ok()) << document.status();
  return *document;
}

TEST(DefaultPolicy, IsTheDeployedFile) { EXPECT_EQ(DefaultPolicyJson(), Deployed("policy.json")); }

TEST(DefaultPolicy, DefaultsToNoEverywhere) {
  const Document document = ParsedFile("policy.json");
  const PolicyRow row = Activated(document.policy(), At(1));
  const domain::Rules rules = BuildRules(row.document, row.state, {});
  for (const domain::Regime& regime : rules.regimes) {
    EXPECT_EQ(regime.default_rule, domain::DefaultRule::kOptIn) << regime.name;
    EXPECT_FALSE(regime.contractors || regime.countries.any || regime.allow_unidentified_single_adult) << regime.name;
  }
  const domain::Regime& unknown = rules.regimes[rules.unknown_regime];
  EXPECT_EQ(unknown.name, "unknown");
  EXPECT_TRUE(unknown.countries.named.empty() && unknown.sites.empty() && !unknown.any_site && !unknown.employees);
  EXPECT_EQ(rules.purposes.bits, 0x7f);
  EXPECT_EQ(rules.recorded.bits, 0b1) << "what people may listen to is on record";
}

TEST(DefaultPolicy, EeaIsReviewedInTheEeaOnly) {
  const v1::Regime eea = ParsedFile("policy.json").policy().regimes(0);
  ASSERT_EQ(eea.name(), "eea");
  EXPECT_EQ(eea.regions_size(), 30);
  EXPECT_TRUE(std::equal(eea.regions().begin(), eea.regions().end(), eea.allowed_countries().begin(),
                         eea.allowed_countries().end()));
}

TEST(DefaultPolicy, EveryRegionHasAnAgeWithinArticle8) {
  const v1::Policy policy = ParsedFile("policy.json").policy();
  EXPECT_EQ(policy.default_age_of_consent(), 18);
  for (const v1::Regime& regime : policy.regimes()) {
    for (const std::string& region : regime.regions()) {
      const auto age = policy.ages_of_consent().find(region);
      ASSERT_NE(age, policy.ages_of_consent().end()) << region;
      EXPECT_GE(age->second, 13) << region;
      EXPECT_LE(age->second, 16) << region;
    }
  }
}

TEST(DefaultPolicy, ControlsCoverEveryPurposeOnce) {
  std::vector<int> times(8);
  const v1::Policy policy = ParsedFile("policy.json").policy();
  for (const v1::Control& control : policy.controls()) {
    for (const int p : control.purposes()) ++times[static_cast<size_t>(p)];
  }
  EXPECT_EQ(times, (std::vector<int>{0, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(DefaultPolicy, NoticesDifferInOneFlagEach) {
  const v1::Policy policy = ParsedFile("policy.json").policy();
  ASSERT_EQ(policy.notices_size(), 2);
  v1::Notice plain = policy.notices(0);
  EXPECT_FALSE(plain.covers_past());
  EXPECT_TRUE(plain.says_people_listen());
  plain.set_version("2026-01-past");
  plain.set_covers_past(true);
  ASSERT_EQ(plain.texts_size(), policy.notices(1).texts_size());
  for (int i = 0; i < plain.texts_size(); ++i)
    EXPECT_NE(plain.texts(i).sentence(), policy.notices(1).texts(i).sentence());
  *plain.mutable_texts() = policy.notices(1).texts();
  EXPECT_TRUE(MessageDifferencer::Equals(plain, policy.notices(1)));
}

TEST(DefaultPolicy, SpeaksEnglishAndGermanAndSaysInBothThatPeopleListen) {
  const v1::Policy policy = ParsedFile("policy.json").policy();
  const auto languages = [](const auto& texts) {
    std::set<std::string> tags;
    for (const auto& text : texts) tags.insert(text.language());
    return tags;
  };
  const std::set<std::string> both = {"de", "en"};
  for (const v1::Notice& notice : policy.notices()) EXPECT_EQ(languages(notice.texts()), both) << notice.version();
  for (const v1::Regime& regime : policy.regimes()) EXPECT_EQ(languages(regime.appeal_texts()), both) << regime.name();
  for (const v1::Control& control : policy.controls()) {
    EXPECT_EQ(languages(control.texts()), both) << control.name();
    for (const v1::LocalizedText& text : control.texts()) {
      const MarkedSentence read = ReadMarks(text.sentence());
      const bool listens = control.name() == "help_improve" || control.name() == "messages_improve";
      EXPECT_EQ(read.marks, listens ? 1 : 0) << control.name();
      EXPECT_EQ(read.shown.find('['), std::string::npos);
    }
  }
}

TEST(ExamplePolicies, DifferFromTheDefaultInTheNamedFieldsOnly) {
  v1::Policy expected = ParsedFile("policy.json").policy();
  expected.set_version("2027-01-single-adult");
  for (v1::Regime& regime : *expected.mutable_regimes()) {
    regime.set_allow_unidentified_single_adult(regime.name() != expected.unknown_region_regime());
  }
  for (v1::Persons persons :
       {expected.approvals().resume(), expected.approvals().release_hold(), expected.approvals().activate_policy()}) {
    EXPECT_EQ(persons, v1::PERSONS_TWO);
  }
  expected.mutable_approvals()->set_resume(v1::PERSONS_ONE);
  expected.mutable_approvals()->set_release_hold(v1::PERSONS_ONE);
  expected.mutable_approvals()->set_activate_policy(v1::PERSONS_ONE);
  expected.mutable_review_caps(0)->mutable_rates(0)->set_parts_per_million(1'000'000);
  EXPECT_TRUE(MessageDifferencer::Equals(expected, ParsedFile("examples/policy-single-adult.json").policy()));

  expected = ParsedFile("policy.json").policy();
  expected.set_version("2027-01-us-opt-out");
  for (v1::Regime& regime : *expected.mutable_regimes()) {
    if (regime.name() == "us") regime.set_default_rule(v1::DEFAULT_RULE_OPT_OUT);
  }
  EXPECT_TRUE(MessageDifferencer::Equals(expected, ParsedFile("examples/policy-us-opt-out.json").policy()));
}

}  // namespace
}  // namespace consent::policy
