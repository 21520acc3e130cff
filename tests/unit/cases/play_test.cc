// A case fails where the answer is another one, and says what was expected and what was got.
#include "daemon/cases/play.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "daemon/cases/case_file.h"
#include "tests/unit/cases/shipped.h"

namespace consent::cases {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kDefaults[] = R"("defaults": {
    "recording": {"profile_ids": ["ann"], "wake": "WAKE_BUTTON", "kind": "KIND_COMMAND", "speakers": "SPEAKERS_ONE",
                  "identity": "IDENTITY_MATCHED", "age": "SPEAKER_AGE_ADULT", "captured_at": "2026-03-20T12:00:00Z"},
    "place": {"country": "DE", "site": "berlin", "reviewer_class": "REVIEWER_CLASS_EMPLOYEE"},
    "purpose": "PURPOSE_HUMAN_REVIEW",
    "evidence": {"notice_version": "2026-01", "notice_language": "en", "channel": "CHANNEL_APP", "actor": "ACTOR_SELF"}})";
constexpr char kRegister[] =
    R"({"subject": {"region": "DE", "profiles": [{"profile_id": "ann", "age": {"adult": true}}]}})";
constexpr char kOn[] = R"({"at": "2026-03-02T12:00:00Z", "settings": {"self_profile_id": "ann",
    "changes": [{"target": {"control": "help_improve"}, "turn": "SWITCH_ON"}]}})";

// The failures of one case of these steps, under the default policy.
std::vector<CaseFailure> Play(const std::string& steps) {
  const absl::StatusOr<v1::PolicyCases> cases =
      ParseCases(std::string("{") + kDefaults + R"(, "cases": [{"name": "one", "steps": [)" + steps + "]}]}");
  if (!cases.ok()) {
    ADD_FAILURE() << cases.status();
    return {};
  }
  const auto results = PlayCases(*cases, PolicyAt(CONSENT_DEPLOY_DIR, "policy.json"));
  if (!results.ok() || results->size() != 1) {
    ADD_FAILURE() << results.status();
    return {};
  }
  return results->front().failures;
}

std::string Ask(const std::string& expect, const std::string& more = "") {
  return R"({"at": "2026-04-01T12:00:00Z", "ask": {"expect": )" + expect + more + "}}";
}
std::string Steps(const std::string& last) { return std::string(kRegister) + ", " + kOn + ", " + last; }

TEST(Play, WhatIsAsExpectedFailsNothing) {
  EXPECT_THAT(Play(Steps(Ask(R"({"eligibility": "ELIGIBILITY_ELIGIBLE", "disposition": "DISPOSITION_KEEP",
      "reasons": ["REASON_CONSENT"], "good_until": "2026-04-01T12:05:00Z", "on_record": true})"))),
              IsEmpty());
}

TEST(Play, EachPartOfAnAnswerIsLookedAt) {
  const std::vector<std::array<std::string, 3>> wrong = {
      {R"({"eligibility": "ELIGIBILITY_NOT_ELIGIBLE"})", "NOT_ELIGIBLE", "ELIGIBLE"},
      {R"({"disposition": "DISPOSITION_PURGE"})", "PURGE", "KEEP"},
      {R"({"reasons": ["REASON_DEFAULT"]})", "DEFAULT", "CONSENT"},
      {R"({"reasons": ["REASON_CONSENT", "REASON_DEFAULT"]})", "CONSENT, DEFAULT", "CONSENT"},
      {R"({"good_until": "2026-04-01T12:05:01Z"})", "good until 2026-04-01T12:05:01Z",
       "good until 2026-04-01T12:05:00Z"},
      {R"({"on_record": false})", "not on record", "on record"},
  };
  for (const auto& [expect, expected, got] : wrong) {
    const std::vector<CaseFailure> failures = Play(Steps(Ask(expect)));
    ASSERT_EQ(failures.size(), 1U) << expect;
    EXPECT_EQ(failures[0].expected, expected);
    EXPECT_EQ(failures[0].got, got);
    EXPECT_EQ(failures[0].step, 2);
    EXPECT_EQ(failures[0].at, "2026-04-01T12:00:00Z");
  }
}

TEST(Play, RefusalsAreToldInTheApisWords) {
  const std::string off = R"({"settings": {"etag": "stale", "changes": [
      {"target": {"control": "train_models"}, "turn": "SWITCH_ON"}]})";
  EXPECT_THAT(Play(Steps(off + R"(, "refused": ["ETAG_MISMATCH"]}, )" + Ask(R"({"disposition": "DISPOSITION_KEEP"})"))),
              IsEmpty());
  const std::vector<CaseFailure> failures = Play(Steps(off + "}, " + Ask(R"({"disposition": "DISPOSITION_KEEP"})")));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].expected, "every part is done");
  EXPECT_EQ(failures[0].got, "refused: ETAG_MISMATCH");
}

// A step that the API would not take is a failure: a typing error passes for no answer.
TEST(Play, WhatTheApiRefusesFails) {
  const std::vector<CaseFailure> failures =
      Play(Steps(Ask(R"({"eligibility": "ELIGIBILITY_NOT_ELIGIBLE"})", R"(, "place": {"country": "de"})")));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].expected, "a question that the API takes");
  EXPECT_THAT(failures[0].got, HasSubstr("ask.place.country"));
  EXPECT_EQ(Play(Steps(R"({"hold": {"release": true}}, )" + Ask(R"({"disposition": "DISPOSITION_KEEP"})"))).size(), 1U);
  EXPECT_EQ(Play(Steps(R"({"report": {}}, )" + Ask(R"({"disposition": "DISPOSITION_KEEP"})"))).size(), 1U);
}

TEST(Play, WithoutDefaultsWhatIsMissingIsMissing) {
  const std::string no = R"({"reasons": ["REASON_MISSING_FACT"], "eligibility": "ELIGIBILITY_NOT_ELIGIBLE"})";
  EXPECT_THAT(Play(Steps(Ask(no, R"(, "without_defaults": true, "purpose": "PURPOSE_HUMAN_REVIEW")"))), IsEmpty());
  EXPECT_EQ(Play(Steps(Ask(no))).size(), 1U) << "with them nothing is missing";
}

// Two cases of one file know nothing of each other.
TEST(Play, CasesAreApart) {
  const std::string file =
      std::string("{") + kDefaults + R"(, "cases": [{"name": "one", "steps": [)" +
      Steps(R"({"suspension": {"purpose": "PURPOSE_HUMAN_REVIEW"}}, )" + Ask(R"({"reasons": ["REASON_SUSPENDED"]})")) +
      R"(]}, {"name": "two", "steps": [)" + Ask(R"({"eligibility": "ELIGIBILITY_NOT_ELIGIBLE"})") +
      R"(]}, {"name": "three", "steps": [)" + Steps(Ask(R"({"reasons": ["REASON_CONSENT"]})")) + "]}]}";
  const absl::StatusOr<v1::PolicyCases> cases = ParseCases(file);
  ASSERT_TRUE(cases.ok()) << cases.status();
  const auto results = PlayCases(*cases, PolicyAt(CONSENT_DEPLOY_DIR, "policy.json"));
  ASSERT_TRUE(results.ok());
  for (const CaseResult& result : *results) {
    EXPECT_THAT(result.failures, IsEmpty()) << result.name << ": " << result.failures[0].got;
  }
}

}  // namespace
}  // namespace consent::cases
