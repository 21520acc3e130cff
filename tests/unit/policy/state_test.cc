// Numbers and histories over activations.
#include "daemon/policy/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using base::Instant;

constexpr auto kOptIn = v1::DEFAULT_RULE_OPT_IN;
constexpr auto kOptOut = v1::DEFAULT_RULE_OPT_OUT;

// Regimes [0] "in" and [1] "out" with these regions.
v1::Policy Regions(const std::vector<std::string>& in, const std::vector<std::string>& out) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_regimes(0)->mutable_regions()->Assign(in.begin(), in.end());
  policy.mutable_regimes(1)->mutable_regions()->Assign(out.begin(), out.end());
  return policy;
}

Instant Since(const PolicyRow& row, const std::string& region) {
  return BuildRules(row.document, row.state, {}).ForRegion(RegionOf(region)).opt_out_since;
}

TEST(StateNumbers, GoUpInTheFilesOrderAndStay) {
  v1::Policy policy = SamplePolicy();
  const PolicyRow first = Activated(policy, At(1));
  EXPECT_EQ(first.state.notices, (std::map<std::string, domain::NoticeNumber>{{"n1", 1}, {"n2", 2}, {"n3", 3}}));
  EXPECT_EQ(first.state.controls.at("help_improve").number, 1);
  EXPECT_EQ(first.state.controls.at("train").number, 2);

  policy.mutable_notices()->DeleteSubrange(1, 1);  // n2
  policy.add_notices()->CopyFrom(policy.notices(0));
  policy.mutable_notices(2)->set_version("a-new-one");
  policy.mutable_controls(0)->set_name("renamed");
  const PolicyRow second = Activated(policy, At(2), &first);
  EXPECT_EQ(second.state.notices.at("n2"), 2);
  EXPECT_EQ(second.state.notices.at("a-new-one"), 4);
  EXPECT_EQ(second.state.controls.at("help_improve").number, 1);
  EXPECT_EQ(second.state.controls.at("renamed").number, 3);

  const PolicyRow third = Activated(SamplePolicy(), At(3), &second);
  EXPECT_EQ(third.state.notices, second.state.notices);
  EXPECT_EQ(third.state.controls.at("renamed").number, 3);
}

TEST(StateNumbers, RunOutInsteadOfComingBack) {
  v1::Policy policy = SamplePolicy();
  PolicyRow row = Activated(policy, At(1));
  for (int i = 0; i < 62; ++i) {
    policy.mutable_controls(0)->set_name("c" + std::to_string(i));
    row = Activated(policy, At(2), &row);
  }
  EXPECT_EQ(row.state.controls.size(), 64U);
  policy.mutable_controls(0)->set_name("one_more");
  EXPECT_EQ(Advance(row.state, Parsed(policy), At(3)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Advance(row.state, Parsed(SamplePolicy()), At(3)).ok());

  State full = row.state;
  for (size_t i = full.notices.size(); i < kMaxNoticesEver; ++i) {
    full.notices.emplace("x" + std::to_string(i), static_cast<domain::NoticeNumber>(i + 1));
  }
  EXPECT_TRUE(Advance(full, Parsed(SamplePolicy()), At(3)).ok());
  v1::Policy more = SamplePolicy();
  more.mutable_notices(1)->set_version("one-more");
  EXPECT_EQ(Advance(full, Parsed(more), At(3)).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(StateTime, MustBeSetAndNeverGoesBack) {
  const Document document = Parsed(SamplePolicy());
  for (const Instant bad : {Instant{}, Instant{-1}, base::kEndOfTime}) {
    EXPECT_EQ(Advance({}, document, bad).status().code(), absl::StatusCode::kInvalidArgument);
  }
  const PolicyRow first = Activated(Regions({"US"}, {}), At(100));
  const PolicyRow second = Activated(Regions({}, {"US"}), At(50), &first);
  EXPECT_EQ(second.state.activated_at, At(100));
  EXPECT_EQ(Since(second, "US"), At(100));
}

TEST(StateOptOut, BeginsWithTheActivation) {
  const PolicyRow row = Activated(Regions({"DE"}, {"US"}), At(1));
  EXPECT_EQ(Since(row, "US"), At(1));
  EXPECT_EQ(Since(row, "US-CA"), At(1));
  EXPECT_FALSE(Since(row, "DE").IsSet());
  EXPECT_FALSE(Since(row, "JP").IsSet());
}

TEST(StateOptOut, KeepsItsTimeWithoutABreakAndBeginsAnewUnderAnotherRegime) {
  const PolicyRow first = Activated(Regions({"DE"}, {"US"}), At(1));
  EXPECT_EQ(Since(Activated(Regions({"DE", "FR"}, {"US"}), At(2), &first), "US"), At(1));
  v1::Policy moved = Regions({"DE"}, {});
  v1::Regime* other = moved.add_regimes();
  *other = moved.regimes(1);
  other->set_name("us2");
  other->add_regions("US");
  const PolicyRow second = Activated(moved, At(2), &first);  // still OPT_OUT
  EXPECT_EQ(Since(second, "US"), At(2)) << "as for a subject that moves between the two";
}

TEST(StateOptOut, BreaksByOptInAndByNotBeingNamed) {
  const PolicyRow first = Activated(Regions({}, {"US", "CA"}), At(1));
  const PolicyRow second = Activated(Regions({"US"}, {}), At(2), &first);
  EXPECT_FALSE(Since(second, "US").IsSet());
  EXPECT_FALSE(Since(second, "CA").IsSet());
  const PolicyRow third = Activated(Regions({}, {"US", "CA"}), At(3), &second);
  EXPECT_EQ(Since(third, "US"), At(3));
  EXPECT_EQ(Since(third, "CA"), At(3));
}

TEST(StateOptOut, ASubdivisionInheritsItsCountrysTime) {
  const PolicyRow first = Activated(Regions({}, {"US"}), At(1));
  const PolicyRow second = Activated(Regions({}, {"US", "US-CA"}), At(2), &first);
  EXPECT_EQ(Since(second, "US-CA"), At(1));
  const PolicyRow third = Activated(Regions({}, {"US-CA"}), At(3), &second);  // the country goes, the subdivision stays
  EXPECT_EQ(Since(third, "US-CA"), At(1));
  EXPECT_FALSE(Since(third, "US").IsSet());
  EXPECT_FALSE(Since(third, "US-NY").IsSet());
}

TEST(StateOptOut, ASubdivisionUnderOptInDoesNotInheritLater) {
  const PolicyRow first = Activated(Regions({"US-CA"}, {"US"}), At(1));
  EXPECT_FALSE(Since(first, "US-CA").IsSet());
  const PolicyRow second = Activated(Regions({}, {"US", "US-CA"}), At(2), &first);
  EXPECT_EQ(Since(second, "US-CA"), At(2));
  EXPECT_EQ(Since(second, "US"), At(1));
}

TEST(StateOptOut, DroppingASubdivisionsEntryIsItsOwnBeginning) {
  const PolicyRow first = Activated(Regions({"US-CA"}, {"US"}), At(1));
  const PolicyRow second =
      Activated(Regions({}, {"US"}), At(2), &first);  // California falls under its country's default
  EXPECT_EQ(Since(second, "US"), At(1));
  EXPECT_EQ(Since(second, "US-CA"), At(2));
  const PolicyRow third = Activated(Regions({}, {"US"}), At(3), &second);
  EXPECT_EQ(Since(third, "US-CA"), At(2));
  const PolicyRow fourth = Activated(Regions({"US"}, {}), At(4), &third);
  EXPECT_FALSE(Since(fourth, "US-CA").IsSet());
  EXPECT_EQ(fourth.state.opt_out_since.count(RegionOf("US-CA")), 0U);
  const PolicyRow fifth = Activated(Regions({}, {"US"}), At(5), &fourth);
  EXPECT_EQ(Since(fifth, "US-CA"), At(5));
}

TEST(StateOptOut, AnUnspecifiedRuleIsOptIn) {
  v1::Policy policy = Regions({}, {"US"});
  const PolicyRow first = Activated(policy, At(1));
  policy.mutable_regimes(1)->clear_default_rule();
  policy.mutable_regimes(1)->clear_false_wake_ttl_seconds();
  EXPECT_FALSE(Since(Activated(policy, At(2), &first), "US").IsSet());
}

TEST(StateOptOut, FlippingTheRegimesRuleCounts) {
  v1::Policy policy = Regions({"DE"}, {"US"});
  const PolicyRow first = Activated(policy, At(1));
  policy.mutable_regimes(0)->set_default_rule(kOptOut);
  policy.mutable_regimes(1)->set_default_rule(kOptIn);
  policy.mutable_regimes(1)->clear_false_wake_ttl_seconds();
  const PolicyRow second = Activated(policy, At(2), &first);
  EXPECT_EQ(Since(second, "DE"), At(2));
  EXPECT_FALSE(Since(second, "US").IsSet());
}

TEST(StateOptOut, ItsEndIsRemembered) {
  const auto until = [](const PolicyRow& row, const char* region) {
    return BuildRules(row.document, row.state, {}).OptOutUntil(RegionOf(region));
  };
  const PolicyRow first = Activated(Regions({"DE"}, {"US"}), At(1));
  EXPECT_FALSE(until(first, "US").IsSet());
  // Named anew inside a country that stays OPT_OUT.
  const PolicyRow second = Activated(Regions({"DE", "US-CA"}, {"US"}), At(2), &first);
  EXPECT_EQ(until(second, "US-CA"), At(2));
  EXPECT_FALSE(until(second, "US").IsSet());
  const PolicyRow third = Activated(Regions({"DE", "US"}, {}), At(3), &second);
  EXPECT_EQ(until(third, "US"), At(3));
  EXPECT_EQ(until(third, "US-NY"), At(3)) << "by its country";
  EXPECT_FALSE(until(third, "DE").IsSet());
  // No longer named at all, and back again.
  const PolicyRow fourth = Activated(Regions({"DE"}, {"FR"}), At(4), &third);
  const PolicyRow fifth = Activated(Regions({"DE"}, {"US"}), At(5), &fourth);
  EXPECT_EQ(until(fifth, "FR"), At(5));
  EXPECT_EQ(until(fifth, "US"), At(3));
}

TEST(StateOptOut, OfMoreEndsThanItHoldsSubdivisionsCountAsTheirCountry) {
  std::vector<std::string> many = {"FR"};
  for (size_t i = 0; i < kMaxOnceOptOut; ++i) many.push_back((i < 1000 ? "US-" : "CA-") + std::to_string(i % 1000));
  const PolicyRow first = Activated(Regions({}, many), At(1));
  const PolicyRow second = Activated(Regions(many, {}), At(2), &first);
  EXPECT_EQ(
      second.state.opt_out_until,
      (std::map<domain::Region, Instant>{{RegionOf("CA"), At(2)}, {RegionOf("FR"), At(2)}, {RegionOf("US"), At(2)}}));
}

TEST(StatePurposes, ANewOneHasItsOwnBeginning) {
  v1::Policy policy = Regions({}, {"US"});
  const PolicyRow first = Activated(policy, At(1));
  EXPECT_EQ(first.state.in_use_since[0], At(1));
  EXPECT_FALSE(first.state.in_use_since[6].IsSet());
  policy.add_purposes(v1::PURPOSE_ADVERTISING);
  const PolicyRow second = Activated(policy, At(2), &first);
  EXPECT_EQ(second.state.in_use_since[0], At(1));
  EXPECT_EQ(second.state.in_use_since[6], At(2));
  EXPECT_EQ(second.state.opt_out_since.at(RegionOf("US")), At(1));
  EXPECT_EQ(Since(second, "US"), At(1));
  EXPECT_EQ(BuildRules(second.document, second.state, {}).InUseSince(domain::Purpose::kAdvertising), At(2));
  const PolicyRow third = Activated(Regions({}, {"US"}), At(3), &second);  // taken away again
  EXPECT_FALSE(third.state.in_use_since[6].IsSet());
  EXPECT_EQ(Since(third, "US"), At(1));
}

TEST(StateAges, KeepWhatTheyWere) {
  using Step = domain::AgeOfConsent::Step;
  v1::Policy policy = SamplePolicy();  // DE 16, others 18
  const PolicyRow first = Activated(policy, At(1));
  (*policy.mutable_ages_of_consent())["DE"] = 14;
  (*policy.mutable_ages_of_consent())["FR"] = 15;
  const PolicyRow second = Activated(policy, At(2), &first);
  policy.clear_ages_of_consent();
  const PolicyRow third = Activated(policy, At(3), &second);
  policy.set_default_age_of_consent(21);
  const PolicyRow fourth = Activated(policy, At(4), &third);
  const domain::Rules rules = BuildRules(fourth.document, fourth.state, {});
  EXPECT_EQ(rules.AgeOfConsentIn(RegionOf("DE-BE")).steps(),
            (std::vector<Step>{{{}, 16}, {At(2), 14}, {At(3), 18}, {At(4), 21}}));
  EXPECT_EQ(rules.AgeOfConsentIn(RegionOf("FR")).steps(),
            (std::vector<Step>{{{}, 18}, {At(2), 15}, {At(3), 18}, {At(4), 21}}));
  EXPECT_EQ(rules.AgeOfConsentIn(RegionOf("PL")).steps(), (std::vector<Step>{{{}, 18}, {At(4), 21}}));
  EXPECT_EQ(third.state.ages_of_consent.size(), 3U);
  EXPECT_TRUE(Reread(fourth.document, fourth.state).ok());
}

TEST(StateAges, RunOutInsteadOfBeingForgotten) {
  v1::Policy policy = SamplePolicy();
  PolicyRow row = Activated(policy, At(1));
  for (size_t step = 1; step < kMaxAgeSteps; ++step) {
    (*policy.mutable_ages_of_consent())["DE"] = step % 2 == 0 ? 16 : 14;
    row = Activated(policy, At(static_cast<int>(step) + 1), &row);
  }
  (*policy.mutable_ages_of_consent())["DE"] = 17;
  EXPECT_EQ(Advance(row.state, Parsed(policy), At(99)).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(StateControls, RememberWhatRetiredWithThem) {
  v1::Policy policy = SamplePolicy();
  policy.mutable_controls(0)->add_purposes(v1::PURPOSE_MODEL_TRAINING);
  const PolicyRow first = Activated(policy, At(1));
  EXPECT_EQ(first.state.controls.at("help_improve").covers.bits, 0b11);
  policy.mutable_controls(0)->mutable_purposes()->RemoveLast();
  policy.mutable_controls()->RemoveLast();
  v1::Policy retired = policy;
  retired.mutable_purposes()->RemoveLast();
  const PolicyRow second = Activated(retired, At(2), &first);
  EXPECT_EQ(second.state.controls.at("help_improve").covers.bits, 0b11);  // owed, should it come back
  EXPECT_EQ(second.state.controls.at("train").covers.bits, 0b10);
  const PolicyRow third = Activated(policy, At(3), &first);  // still in use, taken out of the control
  EXPECT_EQ(third.state.controls.at("help_improve").covers.bits, 0b01);
  EXPECT_EQ(third.state.controls.at("train").covers.bits, 0);
  EXPECT_EQ(third.state.controls.at("help_improve").last_listed.bits, 0b01);
  EXPECT_EQ(third.state.controls.at("train").last_listed.bits, 0b10) << "what the button of an older app means";
}

}  // namespace
}  // namespace consent::policy
