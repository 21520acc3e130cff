#include "tests/unit/policy/sample.h"

#include <cstdio>
#include <cstdlib>

#include <google/protobuf/util/json_util.h>

#include "tests/support/policy_texts.h"

namespace consent::policy {
namespace {

constexpr const char* kSample = R"json({
  "version": "v1",
  "regimes": [
    {"name": "eea", "regions": ["DE", "FR"], "default_rule": "DEFAULT_RULE_OPT_IN", "allowed_countries": ["DE", "FR"],
     "allowed_sites": ["berlin"], "allowed_reviewer_classes": ["REVIEWER_CLASS_EMPLOYEE"],
     "child_inactive_months": 18, "child_notice_days": 60},
    {"name": "us", "regions": ["US"], "default_rule": "DEFAULT_RULE_OPT_OUT", "false_wake_ttl_seconds": 3600,
     "allowed_countries": ["*"], "allowed_sites": ["*"],
     "allowed_reviewer_classes": ["REVIEWER_CLASS_EMPLOYEE", "REVIEWER_CLASS_CONTRACTOR"],
     "child_inactive_months": 18, "child_notice_days": 60},
    {"name": "unknown", "child_inactive_months": 12, "child_notice_days": 30}
  ],
  "unknown_region_regime": "unknown",
  "purposes": ["PURPOSE_HUMAN_REVIEW", "PURPOSE_MODEL_TRAINING"],
  "controls": [
    {"name": "help_improve", "purposes": ["PURPOSE_HUMAN_REVIEW"]},
    {"name": "train", "purposes": ["PURPOSE_MODEL_TRAINING"]}
  ],
  "notices": [
    {"version": "n1", "languages": ["en", "de"], "purposes": ["PURPOSE_HUMAN_REVIEW"], "says_people_listen": true,
     "valid_from": "2026-01-01T00:00:00Z", "consent_lifetime_months": 24},
    {"version": "n2", "languages": ["en"], "purposes": ["PURPOSE_HUMAN_REVIEW"], "valid_from": "2026-02-01T00:00:00Z"},
    {"version": "n3", "languages": ["en"], "purposes": ["PURPOSE_HUMAN_REVIEW", "PURPOSE_MODEL_TRAINING"],
     "says_people_listen": true, "valid_from": "2026-03-01T00:00:00Z", "supersedes": ["n1"], "consent_lifetime_months": 12}
  ],
  "ages_of_consent": {"DE": 16},
  "default_age_of_consent": 18,
  "retention_choices": {"until_deleted": true, "months": [18, 3], "do_not_save": true},
  "longest_answer_age_seconds": 300,
  "default_capture_uncertainty_ms": 2000,
  "review_caps": [
    {"purpose": "PURPOSE_HUMAN_REVIEW",
     "rates": [{"countries": ["*"], "parts_per_million": 500}, {"countries": ["DE", "FR"], "parts_per_million": 2000}],
     "per_day": 1000, "selections": [{"selection": "SELECTION_RANDOM", "per_day": 600}], "per_site_day": 500,
     "per_reviewer_shift": 100, "per_account": 4}
  ]
})json";

void Set(v1::Period* period, int count, v1::PeriodUnit unit) {
  period->set_count(count);
  period->set_unit(unit);
}

// The tests' own mistake, not a finding.
void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "sample policy: %s\n", what.c_str());
  std::abort();
}

}  // namespace

v1::Policy SamplePolicy() {
  v1::Policy policy;
  Require(google::protobuf::util::JsonStringToMessage(kSample, &policy).ok(), "does not parse");
  test::FillTexts(&policy);
  return Parsed(policy).policy();
}

v1::Policy PolicyWithDeadlines() {
  v1::Policy policy = SamplePolicy();
  v1::DeletionDeadlines* eea = policy.mutable_regimes(0)->mutable_deletion_deadlines();
  Set(eea->mutable_confirmation(), 10, v1::PERIOD_UNIT_BUSINESS_DAYS);
  Set(eea->mutable_completion(), 1, v1::PERIOD_UNIT_MONTHS);
  Set(eea->mutable_extension(), 2, v1::PERIOD_UNIT_MONTHS);
  Set(eea->mutable_extension_notice(), 1, v1::PERIOD_UNIT_MONTHS);
  v1::DeletionDeadlines* us = policy.mutable_regimes(1)->mutable_deletion_deadlines();
  Set(us->mutable_confirmation(), 10, v1::PERIOD_UNIT_BUSINESS_DAYS);
  Set(us->mutable_completion(), 45, v1::PERIOD_UNIT_CALENDAR_DAYS);
  Set(us->mutable_extension(), 45, v1::PERIOD_UNIT_CALENDAR_DAYS);
  Set(us->mutable_extension_notice(), 45, v1::PERIOD_UNIT_CALENDAR_DAYS);
  policy.mutable_regimes(1)->set_holiday_calendar("us");
  v1::HolidayCalendar* calendar = policy.add_holiday_calendars();
  calendar->set_name("us");
  for (const char* date : {"2026-06-19", "2026-07-03", "2026-09-07"}) calendar->add_dates(date);
  return policy;
}

std::string ToJson(const v1::Policy& policy) {
  std::string json;
  Require(google::protobuf::util::MessageToJsonString(policy, &json).ok(), "does not print");
  return json;
}

Document Parsed(const v1::Policy& policy) {
  v1::Policy whole = policy;
  test::FillTexts(&whole);
  absl::StatusOr<Document> document = Document::Parse(ToJson(whole));
  Require(document.ok(), std::string(document.status().message()));
  return *std::move(document);
}

std::string ParseError(const std::string& json) {
  const absl::StatusOr<Document> document = Document::Parse(json);
  if (document.ok()) return "";
  Require(document.status().code() == absl::StatusCode::kInvalidArgument, "another code than InvalidArgument");
  return std::string(document.status().message());
}

base::Instant At(int64_t seconds) { return base::Instant{1'767'225'600'000'000} + base::Seconds(seconds); }

domain::Region RegionOf(const std::string& text) {
  domain::Region region;
  Require(domain::Region::Parse(text, &region), text + " is no region");
  return region;
}

PolicyRow Activated(const v1::Policy& policy, base::Instant now, const PolicyRow* previous) {
  Document document = Parsed(policy);
  absl::StatusOr<State> state = Advance(previous == nullptr ? State{} : previous->state, document, now,
                                        previous == nullptr ? nullptr : &previous->document);
  Require(state.ok(), std::string(state.status().message()));
  return {std::move(document), *std::move(state)};
}

absl::StatusOr<PolicyRow> Reread(const Document& document, const State& state) {
  absl::StatusOr<VersionRow> version = DecodeVersion(EncodeVersion({document.hash(), state}));
  if (!version.ok()) return version.status();
  absl::StatusOr<Document> again = Document::Parse(document.json());
  if (!again.ok()) return again.status();
  return Join(*std::move(again), *std::move(version));
}

}  // namespace consent::policy
