// A policy as the plain values that the decision reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/state.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using ::testing::ElementsAre;

domain::Rules Build(const v1::Policy& policy, base::Instant now = At(1)) {
  const PolicyRow row = Activated(policy, now);
  return BuildRules(row.document, row.state, {});
}

TEST(BuildRules, CopiesEveryField) {
  const PolicyRow row = Activated(SamplePolicy(), At(1));
  domain::Suspension suspension;
  suspension.purpose = domain::Purpose::kHumanReview;
  suspension.active = true;
  const domain::Rules rules = BuildRules(row.document, row.state, {suspension});
  EXPECT_EQ(rules.version, "v1");
  EXPECT_EQ(rules.hash, row.document.hash());
  EXPECT_EQ(rules.longest_answer_age, base::Seconds(300));
  EXPECT_EQ(rules.default_uncertainty, base::Seconds(2));
  EXPECT_EQ(rules.unknown_regime, 2U);
  EXPECT_EQ(rules.default_age_of_consent, 18);
  EXPECT_EQ(rules.AgeOfConsentIn(RegionOf("DE")), 16);
  EXPECT_EQ(rules.AgeOfConsentIn(RegionOf("FR")), 18);
  EXPECT_EQ(rules.purposes.bits, 0b11);
  EXPECT_EQ(rules.recorded.bits, 0) << "silence marks nothing";
  EXPECT_TRUE(rules.offers_until_deleted);
  EXPECT_TRUE(rules.offers_do_not_save);
  EXPECT_THAT(rules.offered_months, ElementsAre(3, 18));
  ASSERT_EQ(rules.suspensions.size(), 1U);
  EXPECT_TRUE(rules.suspensions[0].active);
  ASSERT_EQ(rules.controls.size(), 2U);
  EXPECT_EQ(rules.controls[1].name, "train");
  EXPECT_EQ(rules.controls[1].number, 2);
  EXPECT_EQ(rules.controls[1].purposes.bits, 0b10);
}

TEST(BuildRules, Regimes) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_regimes(0)->clear_allowed_countries();
  policy.mutable_regimes(0)->add_allowed_countries("FR");
  policy.mutable_regimes(0)->add_allowed_countries("DE");
  policy.mutable_regimes(0)->add_allowed_sites("aachen");
  policy.mutable_regimes(1)->set_allow_several_speakers(true);
  policy.mutable_regimes(2)->set_allow_unidentified_single_adult(true);
  const domain::Rules rules = Build(policy);
  const domain::Regime& eea = rules.regimes[0];
  EXPECT_EQ(eea.name, "eea");
  EXPECT_EQ(eea.default_rule, domain::DefaultRule::kOptIn);
  EXPECT_EQ(eea.false_wake_ttl, base::Span{});
  EXPECT_FALSE(eea.countries.any);
  EXPECT_THAT(eea.countries.named, ElementsAre(RegionOf("DE"), RegionOf("FR")));
  EXPECT_FALSE(eea.any_site);
  EXPECT_THAT(eea.sites, ElementsAre("aachen", "berlin"));
  EXPECT_TRUE(eea.employees);
  EXPECT_FALSE(eea.contractors);
  EXPECT_EQ(eea.child_inactive_months, 18);
  EXPECT_EQ(eea.child_notice_period, base::Days(60));
  const domain::Regime& us = rules.regimes[1];
  EXPECT_EQ(us.default_rule, domain::DefaultRule::kOptOut);
  EXPECT_EQ(us.false_wake_ttl, base::Hours(1));
  EXPECT_TRUE(us.countries.any && us.any_site && us.employees && us.contractors && us.allow_several_speakers);
  EXPECT_FALSE(us.allow_unmatched_speakers);
  const domain::Regime& unknown = rules.regimes[2];
  EXPECT_EQ(unknown.default_rule, domain::DefaultRule::kOptIn);
  EXPECT_TRUE(unknown.allow_unidentified_single_adult);
  EXPECT_FALSE(unknown.countries.any || unknown.any_site || unknown.employees || unknown.contractors);
  EXPECT_EQ(rules.ForRegion(RegionOf("FR")).regime, 0U);
  EXPECT_EQ(rules.ForRegion(RegionOf("US-CA")).regime, 1U);
  EXPECT_EQ(rules.ForRegion(RegionOf("JP")).regime, 2U);
}

TEST(BuildRules, NoticesSortedByNumberAndSupersededFromTheEarliest) {
  v1::Policy policy = SamplePolicy();
  const PolicyRow first = Activated(policy, At(1));
  policy.mutable_notices()->SwapElements(0, 2);
  policy.mutable_notices(1)->add_supersedes("n1");  // n2, valid from February: before n3
  const PolicyRow second = Activated(policy, At(2), &first);
  const domain::Rules rules = BuildRules(second.document, second.state, {});
  ASSERT_EQ(rules.notices.size(), 3U);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(rules.notices[i].number, i + 1);
  const domain::Notice& n1 = rules.notices[0];
  EXPECT_EQ(n1.version, "n1");
  EXPECT_THAT(n1.languages, ElementsAre("en", "de"));
  EXPECT_EQ(n1.purposes.bits, 0b1);
  EXPECT_TRUE(n1.says_people_listen);
  EXPECT_FALSE(n1.covers_past);
  EXPECT_EQ(n1.valid_from, At(0));
  EXPECT_EQ(n1.superseded_from, At(31 * 86'400));
  EXPECT_EQ(n1.consent_lifetime_months, 24);
  EXPECT_EQ(rules.notices[2].superseded_from, base::kEndOfTime);
  EXPECT_EQ(rules.notices[2].purposes.bits, 0b11);
}

TEST(BuildRules, ValidFromIsCutToMicroseconds) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_notices(0)->mutable_valid_from()->set_nanos(1'999);
  EXPECT_EQ(Build(policy).notices[0].valid_from.micros, At(0).micros + 1);
  policy.mutable_notices(0)->mutable_valid_from()->set_seconds(253'402'300'799);
  EXPECT_EQ(Build(policy).notices[0].valid_from, base::kLastInstant);
}

TEST(BuildRules, WhatTheStateLacksDenies) {
  const domain::Rules rules = BuildRules(Parsed(SamplePolicy()), State{}, {});
  EXPECT_TRUE(rules.notices.empty());
  EXPECT_TRUE(rules.controls.empty());
  EXPECT_EQ(rules.ForRegion(RegionOf("US")).opt_out_since, base::kEndOfTime);
}

}  // namespace
}  // namespace consent::policy
