#include "daemon/cases/case_file.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/time.h"
#include "daemon/json/document.h"
#include "daemon/json/places.h"
#include "daemon/json/problems.h"

namespace consent::cases {
namespace {

constexpr char kWhat[] = "cases";
constexpr int64_t kFirstOf2026 = 1'767'225'600;
constexpr int64_t kLastSecond = base::kLastInstant.micros / 1'000'000;
constexpr int kMaxPathBytes = 4096;

bool Expects(const v1::CaseAnswer& answer) {
  return answer.eligibility() != v1::ELIGIBILITY_UNSPECIFIED || answer.disposition() != v1::DISPOSITION_UNSPECIFIED ||
         answer.reasons_size() > 0 || answer.has_good_until() || answer.has_on_record();
}

bool Expects(const v1::CaseDeadlines& deadlines) {
  return deadlines.has_confirm_by() || deadlines.has_complete_by() || deadlines.has_extended_by() ||
         deadlines.has_may_extend_at() || deadlines.has_too_late_to_extend_at();
}

bool Before(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() < b.seconds() || (a.seconds() == b.seconds() && a.nanos() < b.nanos());
}

class Checker : private json::Problems {
 public:
  std::vector<json::Problem> Run(const v1::PolicyCases& file) {
    if (file.policy().size() > kMaxPathBytes) Add("policy", absl::StrCat("has over ", kMaxPathBytes, " bytes"));
    if (file.has_activated_at()) CheckTime(file.activated_at(), "activated_at");
    if (!Count("cases", file.cases_size(), 1, kMaxCases)) return Take();
    std::map<std::string, std::string> names;
    for (int i = 0; i < file.cases_size(); ++i) {
      const std::string path = absl::StrCat("cases[", i, "]");
      const v1::PolicyCase& one = file.cases(i);
      if (one.name().empty() || one.name().size() > kMaxCaseNameBytes) {
        Add(path + ".name", absl::StrCat("is not 1 to ", kMaxCaseNameBytes, " bytes"));
      }
      Unique(&names, one.name(), json::Quoted(one.name()), path + ".name");
      CheckSteps(one, ActivatedAt(file), path);
    }
    return Take();
  }

 private:
  void CheckTime(const google::protobuf::Timestamp& time, const std::string& path) {
    if (time.seconds() < 1 || time.seconds() > kLastSecond) Add(path, "is not within the years 1970 to 9999");
  }
  void CheckSteps(const v1::PolicyCase& one, google::protobuf::Timestamp last, const std::string& path) {
    if (!Count(path + ".steps", one.steps_size(), 1, kMaxSteps)) return;
    bool expects = false;
    for (int i = 0; i < one.steps_size(); ++i) {
      const v1::CaseStep& step = one.steps(i);
      const std::string at = absl::StrCat(path, ".steps[", i, "]");
      if (step.has_at()) {
        CheckTime(step.at(), at + ".at");
        if (Before(step.at(), last)) Add(at + ".at", "is before the step before, or before the policy came into force");
        last = step.at();
      }
      CheckStep(step, at);
      expects = expects || step.has_ask() || step.has_deadlines() || step.refused_size() > 0;
    }
    if (!expects) Add(path, "expects nothing: ask something, or say what is refused");
  }
  void CheckStep(const v1::CaseStep& step, const std::string& at) {
    if (step.step_case() == v1::CaseStep::STEP_NOT_SET) {
      Add(at,
          "does nothing: it needs one of subject, settings, opt_out, report, deletion, hold, suspension, "
          "child_notice, ask, deadlines");
    }
    if (step.has_ask() && !Expects(step.ask().expect())) Add(at + ".ask.expect", "expects nothing");
    if (step.has_deadlines() && !Expects(step.deadlines())) Add(at + ".deadlines", "expects nothing");
    if (step.refused_size() > 0 && !step.has_subject() && !step.has_settings() && !step.has_opt_out()) {
      Add(at + ".refused", "only of subject, settings and opt_out");
    }
  }
};

}  // namespace

google::protobuf::Timestamp ActivatedAt(const v1::PolicyCases& cases) {
  if (cases.has_activated_at()) return cases.activated_at();
  google::protobuf::Timestamp time;
  time.set_seconds(kFirstOf2026);
  return time;
}

absl::StatusOr<v1::PolicyCases> ParseCases(const std::string& json) {
  v1::PolicyCases cases;
  if (absl::Status status = json::Parse(kWhat, json, kMaxFileBytes, &cases); !status.ok()) return status;
  std::vector<json::Problem> problems = Checker().Run(cases);
  if (problems.empty()) return cases;
  const json::Places places(json);
  for (json::Problem& problem : problems) problem.message += json::PlaceText(places.Find(problem.path));
  return json::ToStatus(kWhat, problems);
}

}  // namespace consent::cases
