// A file of cases is valid as a whole, or says where it is not.
#include "daemon/cases/case_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace consent::cases {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Error(const std::string& json) { return std::string(ParseCases(json).status().message()); }

// One case of these steps.
std::string WithSteps(const std::string& steps) {
  return R"({"policy": "p.json", "cases": [{"name": "a", "steps": [)" + steps + "]}]}";
}

constexpr char kAsk[] = R"({"ask": {"expect": {"eligibility": "ELIGIBILITY_NOT_ELIGIBLE"}}})";

TEST(CaseFile, TheLeast) {
  const absl::StatusOr<v1::PolicyCases> cases = ParseCases(WithSteps(kAsk));
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ(ActivatedAt(*cases).seconds(), 1'767'225'600);
}

TEST(CaseFile, SaysWhatIsWrongAndWhere) {
  const std::string ask = kAsk;
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{}", "cases: 0 entries are not within 1 to 4096"},
      {WithSteps(""), "cases[0].steps: 0 entries"},
      {WithSteps("{}," + ask), "cases[0].steps[0]: does nothing: it needs one of subject"},
      {WithSteps(R"({"report": {"flags": ["FLAG_SAFETY"]}})"), "cases[0]: expects nothing"},
      {WithSteps(R"({"ask": {}})"), "cases[0].steps[0].ask.expect: expects nothing"},
      {WithSteps(R"({"deadlines": {"region": "DE"}})"), "cases[0].steps[0].deadlines: expects nothing"},
      {WithSteps(R"({"at": "2026-02-01T00:00:00Z", "hold": {}}, {"at": "2026-01-31T00:00:00Z", "hold": {}}, )" + ask),
       "cases[0].steps[1].at: is before the step before"},
      {WithSteps(R"({"at": "2025-12-31T00:00:00Z", "hold": {}}, )" + ask), "before the policy came into force"},
      {WithSteps(R"({"hold": {}, "refused": ["X"]}, )" + ask), "cases[0].steps[0].refused: only of subject"},
      {R"({"cases": [{"name": "a", "steps": [)" + ask + R"(]}, {"name": "a", "steps": [)" + ask + "]}]}",
       "cases[1].name: \"a\" is already at cases[0].name"},
      {R"({"cases": [{"steps": [)" + ask + "]}]}", "cases[0].name: is not 1 to 256 bytes"},
      {WithSteps(R"({"ask": {"expect": {"reasons": ["REASON_WHY"]}}})"),
       "cases[0].steps[0].ask.expect.reasons[0]: \"REASON_WHY\" is no Reason (permitted: REASON_LEGAL_HOLD"},
      {WithSteps(R"({"ask": {"expects": {}}})"), "unknown key (permitted: recording, place, purpose"},
      {WithSteps(R"({"hold": {}, "ask": {"expect": {"on_record": true}}})"), "oneof"},
  };
  for (const auto& [json, says] : wrong) EXPECT_THAT(Error(json), HasSubstr(says)) << json;
  EXPECT_THAT(Error("{\n \"cases\": [\n  {\"name\": \"a\",\n   \"steps\": [{}, " + ask + "]}]}"),
              AllOf(HasSubstr("cases[0].steps[0]"), HasSubstr("(line 4, column 14)")));
}

}  // namespace
}  // namespace consent::cases
