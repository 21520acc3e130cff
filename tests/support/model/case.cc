#include "tests/support/model/case.h"

#include "daemon/domain/tombstone_intervals.h"
#include "tests/support/model/model.h"
#include "tests/support/reason_name.h"

namespace consent::model {

base::Now NowOf(const Case& c) {
  const bool none = c.doubtful || c.behind;
  return base::Now{c.now, none ? domain::Instant{} : c.now - c.lag, c.now, domain::Instant{}, c.doubtful, c.behind};
}

domain::Question QuestionOf(const Case& c) {
  return {c.recording, c.purpose, c.place, NowOf(c), c.grants.has_value() ? &*c.grants : nullptr};
}

domain::Decision AnswerOfRule(const Case& c) {
  return domain::Decide(c.known ? &c.subject : nullptr, c.marks, QuestionOf(c), c.rules);
}

domain::Decision AnswerOfRuleByCover(const Case& c) {
  Case beside = c;
  domain::TombstoneIntervals cover;
  for (const domain::Tombstone& tombstone : c.subject.tombstones) cover.Add(tombstone);
  beside.subject.tombstones.clear();
  beside.subject.has_more_tombstones = true;
  beside.subject.cover = std::make_shared<const domain::TombstoneIntervals>(std::move(cover));
  return AnswerOfRule(beside);
}

domain::Decision AnswerOfModel(const Case& c) {
  return model::Decide(c.known ? &c.subject : nullptr, c.marks, QuestionOf(c), c.rules);
}

std::string Difference(const domain::Decision& rule, const domain::Decision& model) {
  std::string text;
  if (rule.eligibility != model.eligibility) text += "eligibility ";
  if (rule.disposition != model.disposition) text += "disposition ";
  for (int number = 0; number < domain::kReasons; ++number) {
    const auto reason = static_cast<domain::Reason>(number);
    if (rule.reasons.Has(reason) == model.reasons.Has(reason)) continue;
    text += rule.reasons.Has(reason) ? "+" : "-";
    text += test::ReasonName(reason);
    text += ' ';
  }
  if (rule.FirstReason() != model::FirstReason(model)) text += "first-reason ";
  if (rule.FirstReason() != model::FirstReason(rule)) text += "first-reason-of-rule ";
  if (!(rule.disposed == model.disposed)) text += "disposed ";
  if (rule.revision != model.revision) text += "revision ";
  if (rule.checked_at != model.checked_at) text += "checked_at ";
  return text;
}

}  // namespace consent::model
