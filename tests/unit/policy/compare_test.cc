// What differs, of which kind, and what is refused while stored choices refer to it.
#include "daemon/policy/compare.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using ::testing::HasSubstr;
using Kind = DifferenceKind;

// The base that each case changes: the sample with flags to turn off as well as on.
v1::Policy Base() {
  v1::Policy policy = SamplePolicy();
  policy.mutable_notices(1)->set_covers_past(true);
  policy.mutable_regimes(1)->set_allow_several_speakers(true);
  policy.add_recorded_purposes(v1::PURPOSE_HUMAN_REVIEW);
  policy.set_safety_hold_hours(72);
  return policy;
}

struct Case {
  const char* name;
  std::function<void(v1::Policy*)> change;
  const char* path;
  const char* what;
  Kind kind;
};

class CompareTest : public ::testing::TestWithParam<Case> {
 protected:
  PolicyRow previous_ = Activated(Base(), At(1));
  Document Next() const {
    v1::Policy policy = Base();
    GetParam().change(&policy);
    policy.set_version("v2");
    return Parsed(policy);
  }
};

TEST_P(CompareTest, SaysWhatAndOfWhichKind) {
  const std::vector<Difference> differences = Compare(previous_, Next());
  ASSERT_FALSE(differences.empty());
  bool found = false;
  for (const Difference& difference : differences) {
    if (difference.path != GetParam().path || difference.what.find(GetParam().what) == std::string::npos) continue;
    found = true;
    EXPECT_EQ(difference.kind, GetParam().kind) << static_cast<int>(difference.kind);
    EXPECT_EQ(difference.kind == Kind::kBreaksStored, (difference.notice != 0) != (difference.control != 0));
  }
  EXPECT_TRUE(found) << differences[0].path << ": " << differences[0].what;
}

// What loosens waits for its very words, and for nothing else.
TEST_P(CompareTest, WhatLoosensIsNamedWordByWord) {
  std::vector<std::string> words;
  for (const Difference& difference : Compare(previous_, Next())) {
    const bool drops_a_notice = difference.what == "dropped";
    EXPECT_EQ(Loosens(difference),
              difference.kind == Kind::kLoosening || (difference.kind == Kind::kBreaksStored && !drops_a_notice));
    if (Loosens(difference)) words.push_back(Words(difference));
  }
  EXPECT_TRUE(CheckNamed(&previous_, Next(), words).ok());
  EXPECT_TRUE(CheckNamed(nullptr, Next(), {}).ok()) << "the first has no predecessor";
  const absl::Status unnamed = CheckNamed(&previous_, Next(), {});
  EXPECT_EQ(unnamed.code(), words.empty() ? absl::StatusCode::kOk : absl::StatusCode::kFailedPrecondition);
  for (const std::string& one : words) EXPECT_THAT(std::string(unnamed.message()), HasSubstr(one));
  std::vector<std::string> more = words;
  more.emplace_back("purposes: gains PURPOSE_NOBODY");
  EXPECT_EQ(CheckNamed(&previous_, Next(), more).code(), absl::StatusCode::kInvalidArgument);
  if (words.empty()) return;
  words.back().pop_back();
  EXPECT_EQ(CheckNamed(&previous_, Next(), words).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(CompareTest, UnusedItIsAlwaysAllowed) {
  const absl::Status status = CheckActivation(&previous_, Next(), {});
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(CompareTest, InUseOnlyTheBreakingIsRefused) {
  const Usage everything{{1, 2, 3}, {1, 2}};
  const absl::Status status = CheckActivation(&previous_, Next(), everything);
  if (GetParam().kind != Kind::kBreaksStored) {
    EXPECT_TRUE(status.ok()) << status;
    return;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(GetParam().path) + ": "));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().what));
}

v1::Regime* R(v1::Policy* p, int i) { return p->mutable_regimes(i); }
v1::Notice* N(v1::Policy* p, int i) { return p->mutable_notices(i); }
void SetAge(v1::Policy* p, const char* country, int years) { (*p->mutable_ages_of_consent())[country] = years; }

const Case kRegimes[] = {
    {"ToOptOut", [](auto* p) { R(p, 0)->set_default_rule(v1::DEFAULT_RULE_OPT_OUT); }, "regimes[\"eea\"].default_rule",
     "OPT_IN becomes OPT_OUT", Kind::kLoosening},
    {"ToOptIn",
     [](auto* p) {
       R(p, 1)->set_default_rule(v1::DEFAULT_RULE_OPT_IN);
       R(p, 1)->clear_false_wake_ttl_seconds();
       R(p, 1)->clear_allow_several_speakers();
     },
     "regimes[\"us\"].default_rule", "OPT_OUT becomes OPT_IN", Kind::kRestriction},
    {"TtlLonger", [](auto* p) { R(p, 1)->set_false_wake_ttl_seconds(3601); }, "regimes[\"us\"].false_wake_ttl_seconds",
     "3600 becomes 3601", Kind::kLoosening},
    {"TtlShorter", [](auto* p) { R(p, 1)->set_false_wake_ttl_seconds(3599); }, "regimes[\"us\"].false_wake_ttl_seconds",
     "becomes 3599", Kind::kRestriction},
    {"CountryGained", [](auto* p) { R(p, 0)->add_allowed_countries("PL"); }, "regimes[\"eea\"].allowed_countries",
     "gains PL", Kind::kLoosening},
    {"CountryLost", [](auto* p) { R(p, 0)->mutable_allowed_countries()->RemoveLast(); },
     "regimes[\"eea\"].allowed_countries", "loses FR", Kind::kRestriction},
    {"SiteGained", [](auto* p) { R(p, 0)->add_allowed_sites("x"); }, "regimes[\"eea\"].allowed_sites", "gains x",
     Kind::kLoosening},
    {"SiteLost", [](auto* p) { R(p, 0)->clear_allowed_sites(); }, "regimes[\"eea\"].allowed_sites", "loses berlin",
     Kind::kRestriction},
    {"ClassGained", [](auto* p) { R(p, 2)->add_allowed_reviewer_classes(v1::REVIEWER_CLASS_CONTRACTOR); },
     "regimes[\"unknown\"].allowed_reviewer_classes", "gains REVIEWER_CLASS_CONTRACTOR", Kind::kLoosening},
    {"ClassLost", [](auto* p) { R(p, 0)->clear_allowed_reviewer_classes(); },
     "regimes[\"eea\"].allowed_reviewer_classes", "loses", Kind::kRestriction},
    {"SeveralOff", [](auto* p) { R(p, 1)->set_allow_several_speakers(false); },
     "regimes[\"us\"].allow_several_speakers", "turned off", Kind::kRestriction},
    {"UnmatchedOn", [](auto* p) { R(p, 1)->set_allow_unmatched_speakers(true); },
     "regimes[\"us\"].allow_unmatched_speakers", "turned on", Kind::kLoosening},
    {"SingleAdultOn", [](auto* p) { R(p, 0)->set_allow_unidentified_single_adult(true); },
     "regimes[\"eea\"].allow_unidentified_single_adult", "turned on", Kind::kLoosening},
    {"InactiveLonger", [](auto* p) { R(p, 0)->set_child_inactive_months(19); },
     "regimes[\"eea\"].child_inactive_months", "18 becomes 19", Kind::kLoosening},
    {"NoticeShorter", [](auto* p) { R(p, 0)->set_child_notice_days(59); }, "regimes[\"eea\"].child_notice_days",
     "60 becomes 59", Kind::kRestriction},
    {"RegionToLooser",
     [](auto* p) {
       R(p, 0)->mutable_regions()->RemoveLast();
       R(p, 1)->add_regions("FR");
     },
     "regimes[\"us\"].regions", "takes FR over from \"eea\"", Kind::kLoosening},
    {"RegionNewlyNamed", [](auto* p) { R(p, 0)->add_regions("PL"); }, "regimes[\"eea\"].regions",
     "takes PL over from \"unknown\"", Kind::kLoosening},
    {"RegionDropped", [](auto* p) { R(p, 1)->clear_regions(); }, "regimes[\"unknown\"].regions",
     "takes US over from \"us\"", Kind::kRestriction},
    {"RegimeRenamed", [](auto* p) { R(p, 0)->set_name("europe"); }, "regimes[\"europe\"].regions",
     "takes DE, FR over from \"eea\"", Kind::kNeutral},
    {"UnknownElsewhere", [](auto* p) { p->set_unknown_region_regime("eea"); }, "regimes[\"eea\"].regions",
     "takes unknown regions over", Kind::kLoosening},
};

v1::ReviewCaps* Caps(v1::Policy* policy) { return policy->mutable_review_caps(0); }

const Case kGlobals[] = {
    {"PurposeGained", [](auto* p) { p->add_purposes(v1::PURPOSE_ADVERTISING); }, "purposes",
     "gains PURPOSE_ADVERTISING", Kind::kLoosening},
    {"PurposeRetired",
     [](auto* p) {
       p->mutable_purposes()->RemoveLast();
       p->mutable_controls()->RemoveLast();
     },
     "purposes", "loses PURPOSE_MODEL_TRAINING", Kind::kRestriction},
    {"MarkGained", [](auto* p) { p->add_recorded_purposes(v1::PURPOSE_MODEL_TRAINING); }, "recorded_purposes",
     "gains PURPOSE_MODEL_TRAINING", Kind::kRestriction},
    {"MarkLost", [](auto* p) { p->clear_recorded_purposes(); }, "recorded_purposes", "loses PURPOSE_HUMAN_REVIEW",
     Kind::kLoosening},
    {"AgeLower", [](auto* p) { SetAge(p, "DE", 14); }, "ages_of_consent[\"DE\"]", "guardians' consents for them end",
     Kind::kLoosening},
    {"AgeHigher", [](auto* p) { SetAge(p, "DE", 17); }, "ages_of_consent[\"DE\"]",
     "own consents of those in between do not count", Kind::kRestriction},
    {"AgeListed", [](auto* p) { SetAge(p, "FR", 15); }, "ages_of_consent[\"FR\"]", "18 becomes 15", Kind::kLoosening},
    {"AgeUnlisted", [](auto* p) { p->clear_ages_of_consent(); }, "ages_of_consent[\"DE\"]", "16 becomes 18",
     Kind::kRestriction},
    {"DefaultAge", [](auto* p) { p->set_default_age_of_consent(16); }, "default_age_of_consent", "18 becomes 16",
     Kind::kLoosening},
    {"ChoiceOffered", [](auto* p) { p->mutable_retention_choices()->add_months(36); }, "retention_choices",
     "gains 36 months", Kind::kLoosening},
    {"ChoiceGone", [](auto* p) { p->mutable_retention_choices()->clear_until_deleted(); }, "retention_choices",
     "loses until_deleted", Kind::kRestriction},
    {"AnswerLonger", [](auto* p) { p->set_longest_answer_age_seconds(301); }, "longest_answer_age_seconds",
     "300 becomes 301", Kind::kLoosening},
    {"AnswerShorter", [](auto* p) { p->set_longest_answer_age_seconds(299); }, "longest_answer_age_seconds",
     "300 becomes 299", Kind::kRestriction},
    {"Uncertainty", [](auto* p) { p->set_default_capture_uncertainty_ms(0); }, "default_capture_uncertainty_ms",
     "2000 becomes 0", Kind::kLoosening},
    {"BackupsLonger", [](auto* p) { p->set_backup_keep_days(31); }, "backup_keep_days", "30 becomes 31",
     Kind::kLoosening},
    {"BackupsShorter", [](auto* p) { p->set_backup_keep_days(29); }, "backup_keep_days", "30 becomes 29",
     Kind::kRestriction},
    {"DecisionsLonger", [](auto* p) { p->set_decision_log_keep_months(25); }, "decision_log_keep_months",
     "24 becomes 25", Kind::kLoosening},
    {"DecisionsShorter", [](auto* p) { p->set_decision_log_keep_months(23); }, "decision_log_keep_months",
     "24 becomes 23", Kind::kRestriction},
    {"SafetyHoldShorter", [](auto* p) { p->set_safety_hold_hours(71); }, "safety_hold_hours", "72 becomes 71",
     Kind::kLoosening},
    {"SafetyHoldGone", [](auto* p) { p->clear_safety_hold_hours(); }, "safety_hold_hours", "72 becomes 0",
     Kind::kLoosening},
    {"SafetyHoldLonger", [](auto* p) { p->set_safety_hold_hours(73); }, "safety_hold_hours", "72 becomes 73",
     Kind::kNeutral},
    {"SafetyAcknowledgedLater", [](auto* p) { p->set_safety_acknowledge_hours(25); }, "safety_acknowledge_hours",
     "24 becomes 25", Kind::kLoosening},
    {"SafetyHandledLater", [](auto* p) { p->set_safety_handle_hours(73); }, "safety_handle_hours", "72 becomes 73",
     Kind::kLoosening},
    {"RateHigher", [](auto* p) { Caps(p)->mutable_rates(0)->set_parts_per_million(501); },
     "review_caps[PURPOSE_HUMAN_REVIEW].rates[\"*\"]", "500 becomes 501", Kind::kLoosening},
    {"RateLower", [](auto* p) { Caps(p)->mutable_rates(1)->mutable_countries()->RemoveLast(); },
     "review_caps[PURPOSE_HUMAN_REVIEW].rates[\"FR\"]", "2000 becomes 500", Kind::kRestriction},
    {"RateGone", [](auto* p) { Caps(p)->mutable_rates()->DeleteSubrange(0, 1); },
     "review_caps[PURPOSE_HUMAN_REVIEW].rates[\"*\"]", "500 becomes 0", Kind::kRestriction},
    {"MoreOfOneSelection", [](auto* p) { Caps(p)->clear_selections(); },
     "review_caps[PURPOSE_HUMAN_REVIEW].selections[SELECTION_RANDOM]", "600 becomes 1000", Kind::kLoosening},
    {"MoreAtASite", [](auto* p) { Caps(p)->set_per_site_day(501); }, "review_caps[PURPOSE_HUMAN_REVIEW].per_site_day",
     "500 becomes 501", Kind::kLoosening},
    {"MoreAShift", [](auto* p) { Caps(p)->set_per_reviewer_shift(101); },
     "review_caps[PURPOSE_HUMAN_REVIEW].per_reviewer_shift", "100 becomes 101", Kind::kLoosening},
    {"FewerOfAnAccount", [](auto* p) { Caps(p)->set_per_account(3); }, "review_caps[PURPOSE_HUMAN_REVIEW].per_account",
     "4 becomes 3", Kind::kRestriction},
    {"SafetyHandledSooner", [](auto* p) { p->set_safety_handle_hours(71); }, "safety_handle_hours", "72 becomes 71",
     Kind::kRestriction},
};

const Case kControls[] = {
    {"New",
     [](auto* p) {
       auto* c = p->add_controls();
       c->set_name("both");
       c->add_purposes(v1::PURPOSE_HUMAN_REVIEW);
     },
     "controls[\"both\"]", "new", Kind::kNeutral},
    {"Gains", [](auto* p) { p->mutable_controls(0)->add_purposes(v1::PURPOSE_MODEL_TRAINING); },
     "controls[\"help_improve\"]", "gains PURPOSE_MODEL_TRAINING", Kind::kLoosening},
    {"Loses", [](auto* p) { p->mutable_controls(0)->set_purposes(0, v1::PURPOSE_MODEL_TRAINING); },
     "controls[\"help_improve\"]", "no longer covers PURPOSE_HUMAN_REVIEW", Kind::kBreaksStored},
    {"Dropped", [](auto* p) { p->mutable_controls()->RemoveLast(); }, "controls[\"train\"]",
     "dropped with PURPOSE_MODEL_TRAINING", Kind::kBreaksStored},
    {"DroppedWithItsPurpose",
     [](auto* p) {
       p->mutable_purposes()->RemoveLast();
       p->mutable_controls()->RemoveLast();
     },
     "controls[\"train\"]", "dropped with all its purposes", Kind::kNeutral},
};

const Case kNotices[] = {
    {"New",
     [](auto* p) {
       auto* n = p->add_notices();
       *n = p->notices(1);
       n->set_version("n4");
     },
     "notices[\"n4\"]", "new", Kind::kLoosening},
    {"Dropped", [](auto* p) { p->mutable_notices()->DeleteSubrange(1, 1); }, "notices[\"n2\"]", "dropped",
     Kind::kBreaksStored},
    {"LanguageGained", [](auto* p) { N(p, 0)->add_languages("fr"); }, "notices[\"n1\"].languages", "gains fr",
     Kind::kLoosening},
    {"LanguageLost", [](auto* p) { N(p, 0)->mutable_languages()->RemoveLast(); }, "notices[\"n1\"].languages",
     "loses de", Kind::kRestriction},
    {"PurposeGained", [](auto* p) { N(p, 0)->add_purposes(v1::PURPOSE_ADVERTISING); }, "notices[\"n1\"].purposes",
     "gains PURPOSE_ADVERTISING", Kind::kBreaksStored},
    {"PurposeLost", [](auto* p) { N(p, 2)->mutable_purposes()->RemoveLast(); }, "notices[\"n3\"].purposes",
     "loses PURPOSE_MODEL_TRAINING", Kind::kRestriction},
    {"PeopleOn", [](auto* p) { N(p, 1)->set_says_people_listen(true); }, "notices[\"n2\"].says_people_listen",
     "turned on", Kind::kBreaksStored},
    {"PeopleOff", [](auto* p) { N(p, 0)->set_says_people_listen(false); }, "notices[\"n1\"].says_people_listen",
     "turned off", Kind::kRestriction},
    {"PastOn", [](auto* p) { N(p, 0)->set_covers_past(true); }, "notices[\"n1\"].covers_past", "turned on",
     Kind::kBreaksStored},
    {"PastOff", [](auto* p) { N(p, 1)->set_covers_past(false); }, "notices[\"n2\"].covers_past", "turned off",
     Kind::kRestriction},
    {"ValidEarlier", [](auto* p) { N(p, 1)->mutable_valid_from()->set_seconds(1'767'225'601); },
     "notices[\"n2\"].valid_from", "becomes 2026-01-01T00:00:01Z", Kind::kBreaksStored},
    {"ValidLater", [](auto* p) { N(p, 1)->mutable_valid_from()->set_nanos(1'000); }, "notices[\"n2\"].valid_from",
     "becomes", Kind::kRestriction},
    {"LifetimeLonger", [](auto* p) { N(p, 0)->set_consent_lifetime_months(25); },
     "notices[\"n1\"].consent_lifetime_months", "24 becomes 25", Kind::kBreaksStored},
    {"LifetimeRemoved", [](auto* p) { N(p, 0)->set_consent_lifetime_months(0); },
     "notices[\"n1\"].consent_lifetime_months", "no end", Kind::kBreaksStored},
    {"LifetimeShorter", [](auto* p) { N(p, 0)->set_consent_lifetime_months(23); },
     "notices[\"n1\"].consent_lifetime_months", "24 becomes 23", Kind::kRestriction},
    {"LifetimeIntroduced", [](auto* p) { N(p, 1)->set_consent_lifetime_months(120); },
     "notices[\"n2\"].consent_lifetime_months", "0 becomes 120", Kind::kRestriction},
    {"SupersededNoMore", [](auto* p) { N(p, 2)->clear_supersedes(); }, "notices[\"n1\"] superseded from",
     "becomes never", Kind::kBreaksStored},
    {"SupersederDropped", [](auto* p) { p->mutable_notices()->RemoveLast(); }, "notices[\"n1\"] superseded from",
     "becomes never", Kind::kBreaksStored},
    {"SupersededLater", [](auto* p) { N(p, 2)->mutable_valid_from()->set_nanos(1'000); },
     "notices[\"n1\"] superseded from", "becomes 2026-03-01", Kind::kBreaksStored},
    {"SupersededEarlier", [](auto* p) { N(p, 1)->add_supersedes("n1"); }, "notices[\"n1\"] superseded from",
     "becomes 2026-02-01T00:00:00Z", Kind::kRestriction},
    {"NewlySuperseded", [](auto* p) { N(p, 2)->add_supersedes("n2"); }, "notices[\"n2\"] superseded from",
     "never becomes", Kind::kRestriction},
};

std::string CaseName(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Regimes, CompareTest, ::testing::ValuesIn(kRegimes), CaseName);
INSTANTIATE_TEST_SUITE_P(Globals, CompareTest, ::testing::ValuesIn(kGlobals), CaseName);
INSTANTIATE_TEST_SUITE_P(Controls, CompareTest, ::testing::ValuesIn(kControls), CaseName);
INSTANTIATE_TEST_SUITE_P(Notices, CompareTest, ::testing::ValuesIn(kNotices), CaseName);

}  // namespace
}  // namespace consent::policy
