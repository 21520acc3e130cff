#include "tests/support/model/model.h"

#include "tests/support/model/view.h"

namespace consent::model {

using domain::Decision;
using domain::Disposition;
using domain::Eligibility;
using domain::Purpose;
using domain::Reason;

namespace {

Reasons Concatenate(const std::vector<Reasons>& rows) {
  Reasons all;
  for (const Reasons& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

Disposition DispositionOf(const View& view) {
  if (!RowR1(view).empty()) return Disposition::kHold;
  const Reasons purge = Concatenate({RowR2(view), RowR3(view), RowR4(view), RowR5(view)});
  return purge.empty() ? Disposition::kKeep : Disposition::kPurge;
}

bool EligibleByConsent(const View& view, Purpose purpose) {
  return Says(view.accounts.front(), purpose, view.rules).choice == domain::Choice::kGiven;
}

// The order in which reasons explain an eligibility: the missing and impossible first, then what became of the data.
std::vector<Reason> OrderForEligibility() {
  std::vector<Reason> order = {Reason::kUnknownSubject,    Reason::kMissingFact,      Reason::kInvalidTime,
                               Reason::kLegalHold,         Reason::kDeleted,          Reason::kAccountClosed,
                               Reason::kDoNotSave,         Reason::kRetentionExpired, Reason::kChildInactive,
                               Reason::kAccidentalExpired, Reason::kPurposeEnded};
  for (int number = static_cast<int>(Reason::kDeletionPending); number < domain::kReasons; ++number) {
    order.push_back(static_cast<Reason>(number));
  }
  return order;
}

}  // namespace

Decision Decide(const domain::SubjectFacts* subject, const domain::RecordingMarks& marks,
                const domain::Question& question, const domain::Rules& rules) {
  const View view(subject, marks, question, rules);
  const Purpose purpose = question.purpose;
  Decision decision;
  decision.revision = subject == nullptr ? 0 : subject->revision;
  decision.checked_at = question.now.latest;
  decision.good_until = question.now.latest;
  decision.disposition = DispositionOf(view);
  Reasons reasons = Concatenate({RowR1(view), RowR2(view), RowR3(view), RowR4(view), RowR5(view)});
  if (purpose != Purpose::kNone) {
    const Reasons against = Concatenate({RowE0(view, purpose), RowE1(view), RowE2(view, purpose), RowE3(view),
                                         RowE4(view, purpose), RowE5(view), RowE6(view), RowE7(view),
                                         RowE8(view, purpose), RowE9(view, purpose), RowE10(view, purpose)});
    const bool eligible = decision.disposition == Disposition::kKeep && against.empty();
    decision.eligibility = eligible ? Eligibility::kEligible : Eligibility::kNotEligible;
    if (eligible) reasons.push_back(EligibleByConsent(view, purpose) ? Reason::kConsent : Reason::kDefault);
    reasons.insert(reasons.end(), against.begin(), against.end());
  }
  for (const Reason reason : reasons) decision.reasons.Add(reason);
  return decision;
}

Reason FirstReason(const Decision& decision) {
  if (decision.eligibility != Eligibility::kNotAnswered) {
    for (const Reason reason : OrderForEligibility()) {
      if (decision.reasons.Has(reason)) return reason;
    }
    return Reason::kNone;
  }
  for (int number = 1; number < domain::kReasons; ++number) {
    if (decision.reasons.Has(static_cast<Reason>(number))) return static_cast<Reason>(number);
  }
  return Reason::kNone;
}

}  // namespace consent::model
