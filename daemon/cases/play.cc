#include "daemon/cases/play.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/cases/case_file.h"
#include "daemon/cases/player.h"
#include "daemon/domain/deadlines.h"
#include "daemon/domain/decide.h"
#include "daemon/policy/state.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/fields.h"

namespace consent::cases {
namespace {

// Ids of cases are nobody's.
constexpr base::Bytes16 kKey = {'c', 'a', 's', 'e', 's'};

std::string TimeText(base::Instant time) {
  return time == base::kEndOfTime ? "never" : time.IsSet() ? base::FormatRfc3339(time) : "none";
}

// Without the name of its enum, as people say it.
std::string Short(const std::string& name, const char* prefix) { return name.substr(std::string(prefix).size()); }
std::string EligibilityText(int value) {
  return Short(v1::Eligibility_Name(static_cast<v1::Eligibility>(value)), "ELIGIBILITY_");
}
std::string DispositionText(int value) {
  return Short(v1::Disposition_Name(static_cast<v1::Disposition>(value)), "DISPOSITION_");
}

template <typename Reasons>
std::string ReasonsText(const Reasons& reasons) {
  std::string text;
  for (const int reason : reasons) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    Short(v1::Reason_Name(static_cast<v1::Reason>(reason)), "REASON_"));
  }
  return text.empty() ? "no reason" : text;
}

// What of an answer is looked at, in words: both texts have the same parts.
std::string AnswerText(const v1::CaseAnswer& looked_at, const v1::Decision& decision, bool on_record) {
  std::string text;
  const auto add = [&text](const std::string& part) { absl::StrAppend(&text, text.empty() ? "" : "; ", part); };
  if (looked_at.eligibility() != v1::ELIGIBILITY_UNSPECIFIED) add(EligibilityText(decision.eligibility()));
  if (looked_at.disposition() != v1::DISPOSITION_UNSPECIFIED) add(DispositionText(decision.disposition()));
  if (looked_at.reasons_size() > 0) add(ReasonsText(decision.reasons()));
  if (looked_at.has_good_until()) add("good until " + TimeText(base::Instant{decision.good_until_us()}));
  if (looked_at.has_on_record()) add(on_record ? "on record" : "not on record");
  return text;
}

}  // namespace

Player::Player(domain::Rules rules, base::Instant start, const v1::CaseDefaults& defaults)
    : rules_(std::move(rules)), defaults_(defaults), hasher_(kKey), now_(start) {}

CaseResult Player::Play(const v1::PolicyCase& one) {
  result_.name = one.name();
  for (step_ = 0; step_ < one.steps_size(); ++step_) {
    if (one.steps(step_).has_at()) now_ = ToInstant(one.steps(step_).at());
    Step(one.steps(step_));
  }
  return std::move(result_);
}

void Player::Step(const v1::CaseStep& step) {
  switch (step.step_case()) {
    case v1::CaseStep::kSubject:
      return Subject(step.subject(), step);
    case v1::CaseStep::kSettings:
      return Settings(step.settings(), step);
    case v1::CaseStep::kOptOut:
      return OptOut(step.opt_out(), step);
    case v1::CaseStep::kReport:
      return Report(step.report());
    case v1::CaseStep::kDeletion:
      return Delete(step.deletion());
    case v1::CaseStep::kHold:
      return Hold(step.hold());
    case v1::CaseStep::kSuspension:
      return Suspend(step.suspension());
    case v1::CaseStep::kChildNotice:
      return NotifyOfChild(step.child_notice());
    case v1::CaseStep::kAsk:
      return Ask(step.ask());
    case v1::CaseStep::kDeadlines:
      return Deadlines(step.deadlines());
    case v1::CaseStep::STEP_NOT_SET:
      return;  // a file with such a step is not valid
  }
}

void Player::Expect(const std::string& expected, const std::string& got) {
  if (expected != got) result_.failures.push_back({step_, base::FormatRfc3339(now_), expected, got});
}

void Player::Ask(const v1::CaseQuestion& question) {
  const bool filled = !question.without_defaults();
  v1::Recording recording = filled ? Filled(defaults_.recording(), question.recording()) : question.recording();
  if (recording.account_id().empty()) recording.set_account_id(kAccount);
  if (recording.recording_id().empty()) recording.set_recording_id(kRecording);
  const v1::Place place = filled ? Filled(defaults_.place(), question.place()) : question.place();
  v1::Purpose purpose = question.purpose();
  if (purpose == v1::PURPOSE_UNSPECIFIED && filled) purpose = defaults_.purpose();
  if (question.disposition_only()) purpose = v1::PURPOSE_UNSPECIFIED;

  wire::Violations violations;
  const wire::Path root;
  const wire::Path at(root, "ask");
  domain::Place where;
  wire::ReadPlace(place, wire::Path(at, "place"), &violations, &where);
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts facts;
  wire::ReadRecording(recording, hasher_, wire::Path(at, "recording"), &violations, &subject, &id, &facts);
  if (!violations.empty()) return Expect("a question that the API takes", violations.Why());

  base::Now now = base::Now::Sure(now_);
  if (question.clock_doubtful()) {
    now.doubtful = true;
    now.earliest = {};
  }
  const auto known = subjects_.find(subject);
  const auto marks = marks_.find({subject, hasher_.Recording(id)});
  const domain::Decision decision = domain::Decide(known == subjects_.end() ? nullptr : &known->second,
                                                   marks == marks_.end() ? domain::RecordingState{} : marks->second,
                                                   {facts, static_cast<domain::Purpose>(purpose), where, now}, rules_);
  v1::Decision got;
  wire::WriteDecision(decision, true, &got);
  const v1::CaseAnswer& expect = question.expect();
  v1::Decision expected;
  expected.set_eligibility(expect.eligibility());
  expected.set_disposition(expect.disposition());
  *expected.mutable_reasons() = expect.reasons();
  if (expect.has_good_until()) expected.set_good_until_us(ToInstant(expect.good_until()).micros);
  Expect(AnswerText(expect, expected, expect.on_record()),
         AnswerText(expect, got, rules_.recorded.Has(static_cast<domain::Purpose>(purpose))));
}

void Player::Deadlines(const v1::CaseDeadlines& deadlines) {
  domain::Region region;
  if (!deadlines.region().empty() && !domain::Region::Parse(deadlines.region(), &region)) {
    return Expect("a region such as DE or US-CA", "something else");
  }
  const domain::DeadlineRules& rules = rules_.regimes[rules_.ForRegion(region).regime].deletion;
  const domain::Deadlines ends = domain::DeadlinesOf(now_, rules);
  const auto end = [this](const char* what, bool looked_at, const google::protobuf::Timestamp& time,
                          base::Instant got) {
    if (looked_at) {
      Expect(absl::StrCat(what, " ", TimeText(ToInstant(time))), absl::StrCat(what, " ", TimeText(got)));
    }
  };
  end("confirm by", deadlines.has_confirm_by(), deadlines.confirm_by(), ends.confirm_by);
  end("complete by", deadlines.has_complete_by(), deadlines.complete_by(), ends.complete_by);
  end("extended by", deadlines.has_extended_by(), deadlines.extended_by(), domain::ExtendedDeadline(now_, rules));
  const auto extension = [&](const google::protobuf::Timestamp& time, bool expected) {
    const bool may = domain::MayExtend(now_, ToInstant(time), rules);
    const std::string at = TimeText(ToInstant(time));
    Expect((expected ? "may be extended at " : "may not be extended at ") + at,
           (may ? "may be extended at " : "may not be extended at ") + at);
  };
  if (deadlines.has_may_extend_at()) extension(deadlines.may_extend_at(), true);
  if (deadlines.has_too_late_to_extend_at()) extension(deadlines.too_late_to_extend_at(), false);
}

absl::StatusOr<std::vector<CaseResult>> PlayCases(const v1::PolicyCases& cases, const policy::Document& policy) {
  const base::Instant start = ToInstant(ActivatedAt(cases));
  const absl::StatusOr<policy::State> state = policy::Advance(policy::State{}, policy, start);
  if (!state.ok()) return state.status();
  const domain::Rules rules = policy::BuildRules(policy, *state, {});
  std::vector<CaseResult> results;
  results.reserve(static_cast<size_t>(cases.cases_size()));
  for (const v1::PolicyCase& one : cases.cases()) {
    results.push_back(Player(rules, start, cases.defaults()).Play(one));
  }
  return results;
}

}  // namespace consent::cases
