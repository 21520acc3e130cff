// Every validation rule with a wrong policy and the exact path in the message.
#include "daemon/policy/validate.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/policy_texts.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy::validate_test {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* name;
  std::function<void(v1::Policy*)> change;
  std::string path;
  std::string message;
};

class ValidateTest : public ::testing::TestWithParam<Case> {};

TEST_P(ValidateTest, NamesPathAndBound) {
  v1::Policy policy = SamplePolicy();
  GetParam().change(&policy);
  const std::vector<Problem> problems = Validate(policy);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].path, GetParam().path);
  EXPECT_THAT(problems[0].message, HasSubstr(GetParam().message));
}

v1::Regime* Regime(v1::Policy* p, int i) { return p->mutable_regimes(i); }
v1::Notice* Notice(v1::Policy* p, int i) { return p->mutable_notices(i); }
std::string Path(const char* entry, const char* field) { return std::string(entry) + "." + field; }

template <typename Field>
void Fill(Field* field, int n) {
  while (field->size() < n) *field->Add() = "X" + std::to_string(field->size());
}

const Case kHead[] = {
    {"VersionEmpty", [](auto* p) { p->clear_version(); }, "version", "1 to 64 bytes of [A-Za-z0-9._-]"},
    {"VersionSpace", [](auto* p) { p->set_version("a b"); }, "version", "\"a b\" is not"},
    {"VersionLong", [](auto* p) { p->set_version(std::string(65, 'a')); }, "version", "1 to 64"},
    {"UnknownRegimeMissing", [](auto* p) { p->set_unknown_region_regime("x"); }, "unknown_region_regime",
     "names no regime"},
    {"UnknownRegimeOptOut", [](auto* p) { p->set_unknown_region_regime("us"); }, "unknown_region_regime",
     "must be OPT_IN"},
    {"NoPurposes",
     [](auto* p) {
       p->clear_purposes();
       p->clear_controls();
     },
     "purposes", "0 entries are not within 1 to 7"},
    {"PurposeTwice", [](auto* p) { p->add_purposes(v1::PURPOSE_HUMAN_REVIEW); }, "purposes[2]",
     "already at purposes[0]"},
    {"PurposeZero", [](auto* p) { p->add_purposes(v1::PURPOSE_UNSPECIFIED); }, "purposes[2]", "0 is no Purpose"},
    {"PurposeNumber", [](auto* p) { p->add_purposes(static_cast<v1::Purpose>(99)); }, "purposes[2]",
     "99 is no Purpose"},
    {"MarkTwice",
     [](auto* p) {
       p->add_recorded_purposes(v1::PURPOSE_HUMAN_REVIEW);
       p->add_recorded_purposes(v1::PURPOSE_HUMAN_REVIEW);
     },
     "recorded_purposes[1]", "already at recorded_purposes[0]"},
    {"MarkUnused", [](auto* p) { p->add_recorded_purposes(v1::PURPOSE_ADVERTISING); }, "recorded_purposes[0]",
     "PURPOSE_ADVERTISING is not among the policy's purposes"},
    {"AgeKey", [](auto* p) { (*p->mutable_ages_of_consent())["de"] = 16; }, "ages_of_consent[\"de\"]", "ISO 3166-1"},
    {"AgeSubdivision", [](auto* p) { (*p->mutable_ages_of_consent())["US-CA"] = 16; }, "ages_of_consent[\"US-CA\"]",
     "ISO 3166-1"},
    {"AgeLow", [](auto* p) { (*p->mutable_ages_of_consent())["DE"] = 12; }, "ages_of_consent[\"DE\"]",
     "12 is not within 13 to 21"},
    {"AgeHigh", [](auto* p) { (*p->mutable_ages_of_consent())["DE"] = 22; }, "ages_of_consent[\"DE\"]",
     "22 is not within 13 to 21"},
    {"DefaultAgeMissing", [](auto* p) { p->clear_default_age_of_consent(); }, "default_age_of_consent",
     "0 is not within 13 to 21"},
    {"NoRetention", [](auto* p) { p->clear_retention_choices(); }, "retention_choices", "at least one"},
    {"RetentionZero", [](auto* p) { p->mutable_retention_choices()->add_months(0); }, "retention_choices.months[2]",
     "1 to 120"},
    {"RetentionLong", [](auto* p) { p->mutable_retention_choices()->add_months(121); }, "retention_choices.months[2]",
     "1 to 120"},
    {"RetentionTwice", [](auto* p) { p->mutable_retention_choices()->add_months(18); }, "retention_choices.months[2]",
     "already at retention_choices.months[0]"},
    {"AnswerAgeZero", [](auto* p) { p->clear_longest_answer_age_seconds(); }, "longest_answer_age_seconds",
     "1 to 86400"},
    {"AnswerAgeLong", [](auto* p) { p->set_longest_answer_age_seconds(86'401); }, "longest_answer_age_seconds",
     "1 to 86400"},
    {"UncertaintyNegative", [](auto* p) { p->set_default_capture_uncertainty_ms(-1); },
     "default_capture_uncertainty_ms", "0 to 86400000"},
    {"UncertaintyLong", [](auto* p) { p->set_default_capture_uncertainty_ms(86'400'001); },
     "default_capture_uncertainty_ms", "0 to 86400000"},
    {"BackupsNegative", [](auto* p) { p->set_backup_keep_days(-1); }, "backup_keep_days", "0 to 400"},
    {"BackupsLong", [](auto* p) { p->set_backup_keep_days(401); }, "backup_keep_days", "0 to 400"},
    {"SafetyHoldNegative", [](auto* p) { p->set_safety_hold_hours(-1); }, "safety_hold_hours", "0 to 720"},
    {"SafetyHoldLong", [](auto* p) { p->set_safety_hold_hours(721); }, "safety_hold_hours", "0 to 720"},
    {"SafetyAcknowledgeLong", [](auto* p) { p->set_safety_acknowledge_hours(721), p->set_safety_handle_hours(720); },
     "safety_acknowledge_hours", "0 to 720"},
    {"SafetyHandleLong", [](auto* p) { p->set_safety_handle_hours(721); }, "safety_handle_hours", "0 to 720"},
    {"SafetyHandleBeforeAcknowledged",
     [](auto* p) { p->set_safety_acknowledge_hours(9), p->set_safety_handle_hours(8); }, "safety_handle_hours",
     "is less than safety_acknowledge_hours"},
    {"CapsTwice", [](auto* p) { *p->add_review_caps() = p->review_caps(0); }, "review_caps[1].purpose",
     "already at review_caps[0].purpose"},
    {"CapsOfNoPurpose", [](auto* p) { p->mutable_review_caps(0)->clear_purpose(); }, "review_caps[0].purpose",
     "is not among the policy's purposes"},
    {"CapsWithoutRate", [](auto* p) { p->mutable_review_caps(0)->clear_rates(); }, "review_caps[0].rates",
     "0 entries are not within 1 to 64"},
    {"RateZero", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(0)->clear_parts_per_million(); },
     "review_caps[0].rates[0].parts_per_million", "1 to 1000000"},
    {"RateBeyondAll", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(0)->set_parts_per_million(1'000'001); },
     "review_caps[0].rates[0].parts_per_million", "1 to 1000000"},
    {"RateOfNowhere", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(0)->clear_countries(); },
     "review_caps[0].rates[0].countries", "0 entries are not within 1 to 300"},
    {"RateOfASubdivision", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(1)->set_countries(0, "US-CA"); },
     "review_caps[0].rates[1].countries[0]", "is not ISO 3166-1"},
    {"TwoRatesOfOne", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(0)->set_countries(0, "DE"); },
     "review_caps[0].rates[1].countries[0]", "already at"},
    {"AnyCountryBesideOne", [](auto* p) { p->mutable_review_caps(0)->mutable_rates(0)->add_countries("US"); },
     "review_caps[0].rates[0].countries[0]", "must stand alone"},
    {"NoneADay", [](auto* p) { p->mutable_review_caps(0)->clear_per_day(); }, "review_caps[0].per_day", "1 to 1000000"},
    {"MoreOfASelectionThanADay", [](auto* p) { p->mutable_review_caps(0)->mutable_selections(0)->set_per_day(1'001); },
     "review_caps[0].selections[0].per_day", "0 to 1000"},
    {"CapOfNoSelection", [](auto* p) { p->mutable_review_caps(0)->mutable_selections(0)->clear_selection(); },
     "review_caps[0].selections[0].selection", "is no Selection"},
    {"NoneAtASite", [](auto* p) { p->mutable_review_caps(0)->clear_per_site_day(); }, "review_caps[0].per_site_day",
     "1 to 1000000"},
    {"ManyAShift", [](auto* p) { p->mutable_review_caps(0)->set_per_reviewer_shift(10'001); },
     "review_caps[0].per_reviewer_shift", "1 to 10000"},
    {"ManyOfAnAccount", [](auto* p) { p->mutable_review_caps(0)->set_per_account(257); }, "review_caps[0].per_account",
     "1 to 256"},
    {"DecisionsNegative", [](auto* p) { p->set_decision_log_keep_months(-1); }, "decision_log_keep_months", "0 to 120"},
    {"DecisionsLong", [](auto* p) { p->set_decision_log_keep_months(121); }, "decision_log_keep_months", "0 to 120"},
};

const Case kRegimes[] = {
    {"None", [](auto* p) { p->clear_regimes(); }, "regimes", "0 entries are not within 1 to 64"},
    {"Many",
     [](auto* p) {
       while (p->regimes_size() < 65) p->add_regimes();
     },
     "regimes", "65 entries are not within 1 to 64"},
    {"Name", [](auto* p) { Regime(p, 0)->set_name("EEA"); }, "regimes[0].name", "[a-z0-9_-]"},
    {"NameTwice", [](auto* p) { Regime(p, 1)->set_name("eea"); }, "regimes[1].name", "already at regimes[0].name"},
    {"RegionForm", [](auto* p) { Regime(p, 1)->set_regions(0, "usa"); }, "regimes[1].regions[0]",
     "\"usa\" is not ISO 3166-1"},
    {"RegionTwiceInOne", [](auto* p) { Regime(p, 0)->add_regions("DE"); }, "regimes[0].regions[2]",
     "already at regimes[0].regions[0]"},
    {"RegionInTwo", [](auto* p) { Regime(p, 1)->add_regions("DE"); }, "regimes[1].regions[1]",
     "already at regimes[0].regions[0]"},
    {"Rule", [](auto* p) { Regime(p, 0)->set_default_rule(static_cast<v1::DefaultRule>(7)); },
     "regimes[0].default_rule", "7 is no"},
    {"FalseWakeNegative", [](auto* p) { Regime(p, 1)->set_false_wake_ttl_seconds(-1); },
     Path("regimes[1]", "false_wake_ttl_seconds"), "0 to 7776000"},
    {"FalseWakeLong", [](auto* p) { Regime(p, 1)->set_false_wake_ttl_seconds(7'776'001); },
     Path("regimes[1]", "false_wake_ttl_seconds"), "0 to 7776000"},
    {"FalseWakeOptIn", [](auto* p) { Regime(p, 0)->set_false_wake_ttl_seconds(1); },
     Path("regimes[0]", "false_wake_ttl_seconds"), "must be 0"},
    {"FalseWakeUnspecifiedRule", [](auto* p) { Regime(p, 2)->set_false_wake_ttl_seconds(1); },
     Path("regimes[2]", "false_wake_ttl_seconds"), "must be 0"},
    {"SeveralOptIn", [](auto* p) { Regime(p, 0)->set_allow_several_speakers(true); },
     Path("regimes[0]", "allow_several_speakers"), "only an OPT_OUT"},
    {"UnmatchedOptIn", [](auto* p) { Regime(p, 2)->set_allow_unmatched_speakers(true); },
     Path("regimes[2]", "allow_unmatched_speakers"), "only an OPT_OUT"},
    {"Country", [](auto* p) { Regime(p, 0)->set_allowed_countries(1, "US-CA"); }, "regimes[0].allowed_countries[1]",
     "is not ISO 3166-1"},
    {"CountryTwice", [](auto* p) { Regime(p, 0)->add_allowed_countries("DE"); }, "regimes[0].allowed_countries[2]",
     "already at"},
    {"CountryAnyAndMore", [](auto* p) { Regime(p, 1)->add_allowed_countries("DE"); }, "regimes[1].allowed_countries[0]",
     "stand alone"},
    {"CountriesMany", [](auto* p) { Fill(Regime(p, 0)->mutable_allowed_countries(), 257); },
     "regimes[0].allowed_countries", "0 to 256"},
    {"SiteEmpty", [](auto* p) { Regime(p, 0)->set_allowed_sites(0, ""); }, "regimes[0].allowed_sites[0]",
     "1 to 64 bytes"},
    {"SiteLong", [](auto* p) { Regime(p, 0)->set_allowed_sites(0, std::string(65, 's')); },
     "regimes[0].allowed_sites[0]", "1 to 64 bytes"},
    {"SiteControlCharacter", [](auto* p) { Regime(p, 0)->set_allowed_sites(0, "a\nb"); }, "regimes[0].allowed_sites[0]",
     "a\\nb"},
    {"SiteTwice", [](auto* p) { Regime(p, 0)->add_allowed_sites("berlin"); }, "regimes[0].allowed_sites[1]",
     "already at"},
    {"SiteAnyAndMore", [](auto* p) { Regime(p, 1)->add_allowed_sites("x"); }, "regimes[1].allowed_sites[0]",
     "stand alone"},
    {"SitesMany", [](auto* p) { Fill(Regime(p, 0)->mutable_allowed_sites(), 257); }, "regimes[0].allowed_sites",
     "0 to 256"},
    {"ClassZero", [](auto* p) { Regime(p, 0)->add_allowed_reviewer_classes(v1::REVIEWER_CLASS_UNSPECIFIED); },
     "regimes[0].allowed_reviewer_classes[1]", "0 is no"},
    {"ClassTwice", [](auto* p) { Regime(p, 0)->add_allowed_reviewer_classes(v1::REVIEWER_CLASS_EMPLOYEE); },
     "regimes[0].allowed_reviewer_classes[1]", "already at"},
    {"InactiveZero", [](auto* p) { Regime(p, 0)->clear_child_inactive_months(); },
     Path("regimes[0]", "child_inactive_months"), "1 to 120"},
    {"InactiveLong", [](auto* p) { Regime(p, 0)->set_child_inactive_months(121); },
     Path("regimes[0]", "child_inactive_months"), "1 to 120"},
    {"NoticeDaysZero", [](auto* p) { Regime(p, 0)->clear_child_notice_days(); }, "regimes[0].child_notice_days",
     "1 to 90"},
    {"NoticeDaysLong", [](auto* p) { Regime(p, 0)->set_child_notice_days(91); }, "regimes[0].child_notice_days",
     "1 to 90"},
};

const Case kControls[] = {
    {"Many",
     [](auto* p) {
       while (p->controls_size() < 65) p->add_controls();
     },
     "controls", "65 entries are not within 0 to 64"},
    {"Name", [](auto* p) { p->mutable_controls(0)->set_name("help-improve"); }, "controls[0].name", "[a-z0-9_]"},
    {"NameTwice", [](auto* p) { p->mutable_controls(1)->set_name("help_improve"); }, "controls[1].name",
     "already at controls[0].name"},
    {"NoPurpose", [](auto* p) { p->mutable_controls(1)->clear_purposes(); }, "controls[1].purposes",
     "0 entries are not within 1 to 7"},
    {"PurposeTwice", [](auto* p) { p->mutable_controls(0)->add_purposes(v1::PURPOSE_HUMAN_REVIEW); },
     "controls[0].purposes[1]", "already at"},
    {"PurposeUnused", [](auto* p) { p->mutable_controls(0)->add_purposes(v1::PURPOSE_ADVERTISING); },
     "controls[0].purposes[1]", "PURPOSE_ADVERTISING is not among"},
    {"PurposeZero", [](auto* p) { p->mutable_controls(0)->set_purposes(0, v1::PURPOSE_UNSPECIFIED); },
     "controls[0].purposes[0]", "0 is no Purpose"},
};

const Case kNotices[] = {
    {"Many",
     [](auto* p) {
       while (p->notices_size() < 1025) p->add_notices();
     },
     "notices", "1025 entries are not within 0 to 1024"},
    {"Version", [](auto* p) { Notice(p, 1)->set_version("n/2"); }, "notices[1].version", "[A-Za-z0-9._-]"},
    {"VersionTwice", [](auto* p) { Notice(p, 1)->set_version("n1"); }, "notices[1].version",
     "already at notices[0].version"},
    {"NoLanguage", [](auto* p) { Notice(p, 0)->clear_languages(); }, "notices[0].languages",
     "0 entries are not within 1 to 256"},
    {"LanguageShort", [](auto* p) { Notice(p, 0)->set_languages(1, "d"); }, "notices[0].languages[1]", "BCP 47"},
    {"LanguageUnderscore", [](auto* p) { Notice(p, 0)->set_languages(1, "de_DE"); }, "notices[0].languages[1]",
     "BCP 47"},
    {"LanguageEmptySubtag", [](auto* p) { Notice(p, 0)->set_languages(1, "de--AT"); }, "notices[0].languages[1]",
     "BCP 47"},
    {"LanguageOpenEnd", [](auto* p) { Notice(p, 0)->set_languages(1, "de-"); }, "notices[0].languages[1]", "BCP 47"},
    {"LanguageLongSubtag", [](auto* p) { Notice(p, 0)->set_languages(1, "de-abcdefghi"); }, "notices[0].languages[1]",
     "BCP 47"},
    {"LanguageDigitFirst", [](auto* p) { Notice(p, 0)->set_languages(1, "d3"); }, "notices[0].languages[1]", "BCP 47"},
    {"LanguageTwice", [](auto* p) { Notice(p, 0)->set_languages(1, "EN"); }, "notices[0].languages[1]",
     "already at notices[0].languages[0]"},
    {"NoPurpose", [](auto* p) { Notice(p, 0)->clear_purposes(); }, "notices[0].purposes",
     "0 entries are not within 1 to 7"},
    {"PurposeNumber", [](auto* p) { Notice(p, 0)->set_purposes(0, static_cast<v1::Purpose>(8)); },
     "notices[0].purposes[0]", "8 is no Purpose"},
    {"PurposeTwice", [](auto* p) { Notice(p, 0)->add_purposes(v1::PURPOSE_HUMAN_REVIEW); }, "notices[0].purposes[1]",
     "already at"},
    {"NoValidFrom", [](auto* p) { Notice(p, 0)->clear_valid_from(); }, "notices[0].valid_from", "is missing"},
    {"ValidFromEpoch", [](auto* p) { Notice(p, 0)->mutable_valid_from()->set_seconds(0); }, "notices[0].valid_from",
     "1970 to 9999"},
    {"ValidFromFar", [](auto* p) { Notice(p, 0)->mutable_valid_from()->set_seconds(INT64_MAX); },
     "notices[0].valid_from", "1970 to 9999"},
    {"LifetimeNegative", [](auto* p) { Notice(p, 0)->set_consent_lifetime_months(-1); },
     Path("notices[0]", "consent_lifetime_months"), "0 to 120"},
    {"LifetimeLong", [](auto* p) { Notice(p, 0)->set_consent_lifetime_months(121); },
     Path("notices[0]", "consent_lifetime_months"), "0 to 120"},
    {"SupersedesUnknown", [](auto* p) { Notice(p, 2)->add_supersedes("n9"); }, "notices[2].supersedes[1]",
     "\"n9\" is no notice"},
    {"SupersedesItself", [](auto* p) { Notice(p, 2)->add_supersedes("n3"); }, "notices[2].supersedes[1]",
     "cannot supersede itself"},
    {"SupersedesTwice", [](auto* p) { Notice(p, 2)->add_supersedes("n1"); }, "notices[2].supersedes[1]", "already at"},
    {"CycleOfTwo", [](auto* p) { Notice(p, 0)->add_supersedes("n3"); }, "notices[2].supersedes[0]",
     "directly or through others"},
    {"CycleOfThree",
     [](auto* p) {
       Notice(p, 0)->add_supersedes("n2");
       Notice(p, 1)->add_supersedes("n3");
     },
     "notices[2].supersedes[0]", "directly or through others"},
};

std::string CaseName(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Head, ValidateTest, ::testing::ValuesIn(kHead), CaseName);
INSTANTIATE_TEST_SUITE_P(Regimes, ValidateTest, ::testing::ValuesIn(kRegimes), CaseName);
INSTANTIATE_TEST_SUITE_P(Controls, ValidateTest, ::testing::ValuesIn(kControls), CaseName);
INSTANTIATE_TEST_SUITE_P(Notices, ValidateTest, ::testing::ValuesIn(kNotices), CaseName);

TEST(ValidateBounds, EdgesAreValid) {
  v1::Policy policy = SamplePolicy();
  EXPECT_TRUE(Validate(policy).empty());
  policy.set_version(std::string(64, 'a'));
  policy.set_default_age_of_consent(13);
  (*policy.mutable_ages_of_consent())["SI"] = 21;
  policy.set_longest_answer_age_seconds(86'400);
  policy.set_default_capture_uncertainty_ms(0);
  Regime(&policy, 1)->set_false_wake_ttl_seconds(90 * 86'400);
  Regime(&policy, 1)->set_allow_several_speakers(true);
  Regime(&policy, 1)->set_allow_unmatched_speakers(true);
  Regime(&policy, 1)->add_regions("US-CA");
  Regime(&policy, 0)->set_allow_unidentified_single_adult(true);
  Regime(&policy, 0)->set_child_notice_days(90);
  Notice(&policy, 0)->add_languages("zh-Hant-TW");
  Notice(&policy, 0)->add_purposes(v1::PURPOSE_ADVERTISING);  // a notice may list a purpose that is not in use
  Notice(&policy, 0)->set_consent_lifetime_months(120);
  Notice(&policy, 1)->add_supersedes("n1");  // two may supersede one
  test::FillTexts(&policy);
  const std::vector<Problem> problems = Validate(policy);
  EXPECT_TRUE(problems.empty()) << problems[0].path << ": " << problems[0].message;
}

TEST(ValidateBounds, RegionsTogether) {
  v1::Policy policy = SamplePolicy();
  for (int i = 0; i < 9000; ++i) {
    constexpr char kCountries[] = "ADBEDEESFRGBITLUNL";
    const char* country = kCountries + 2 * (i / 1000);
    const char code[] = {country[0],
                         country[1],
                         '-',
                         static_cast<char>('0' + i / 100 % 10),
                         static_cast<char>('0' + i / 10 % 10),
                         static_cast<char>('0' + i % 10),
                         0};
    Regime(&policy, i % 3)->add_regions(code);
  }
  const std::vector<Problem> problems = Validate(policy);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].path, "regimes");
  EXPECT_THAT(problems[0].message, HasSubstr("at most 8192"));
}

TEST(ValidateBounds, AllProblemsUpToTheLimit) {
  v1::Policy policy = SamplePolicy();
  policy.clear_version();
  Regime(&policy, 2)->set_child_notice_days(0);
  Notice(&policy, 1)->clear_languages();
  const std::vector<Problem> four = Validate(policy);
  ASSERT_EQ(four.size(), 4U);
  EXPECT_EQ(four[0].path, "version");
  EXPECT_EQ(four[1].path, "regimes[2].child_notice_days");
  EXPECT_EQ(four[2].path, "notices[1].languages");
  EXPECT_EQ(four[3].path, "notices[1].texts[0].language") << "those of texts come last";
  for (int i = 0; i < 100; ++i) policy.mutable_retention_choices()->add_months(-i);
  EXPECT_EQ(Validate(policy).size(), kMaxProblems);
}

}  // namespace
}  // namespace consent::policy::validate_test
