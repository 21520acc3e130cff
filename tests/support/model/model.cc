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

Reasons Disposing(const View& view) {
  return Concatenate({RowR1(view), RowR2(view), RowR3(view), RowR4(view), RowR5(view)});
}

Disposition DispositionOf(const View& view) {
  if (!RowR1(view).empty()) return Disposition::kHold;
  const Reasons purge = Concatenate({RowR2(view), RowR3(view), RowR4(view), RowR5(view)});
  return purge.empty() ? Disposition::kKeep : Disposition::kPurge;
}

}  // namespace

Decision Decide(const domain::SubjectFacts* subject, const domain::RecordingState& marks,
                const domain::Question& question, const domain::Rules& rules) {
  const View view(subject, marks, question, rules);
  const Purpose purpose = question.purpose;
  Decision decision;
  decision.revision = subject == nullptr ? 0 : subject->revision;
  decision.checked_at = question.now.latest;
  decision.good_until = question.now.latest;
  decision.disposition = DispositionOf(view);
  Reasons reasons = Disposing(view);
  if (purpose != Purpose::kNone) {
    const Reasons against =
        Concatenate({RowE0(view, purpose), RowE1(view), RowE2(view, purpose), RowE3(view), RowE4(view, purpose),
                     RowE5(view), RowE6(view), RowE7(view), RowE8(view, purpose), RowE9(view, purpose),
                     RowE9OfCopies(view), RowE10(view, purpose), RowE11(view, purpose, question.grants)});
    const bool eligible = decision.disposition == Disposition::kKeep && against.empty();
    decision.eligibility = eligible ? Eligibility::kEligible : Eligibility::kNotEligible;
    if (eligible) reasons.push_back(EligibleByConsent(view, purpose) ? Reason::kConsent : Reason::kDefault);
    reasons.insert(reasons.end(), against.begin(), against.end());
  }
  for (const Reason reason : Disposing(view)) decision.disposed.Add(reason);
  for (const Reason reason : reasons) decision.reasons.Add(reason);
  return decision;
}

// The disposition's, then E0's, then those of E1 and so on, within each in the order of the table.
Reason FirstReason(const Decision& decision) {
  for (const Reason held : {Reason::kLegalHold, Reason::kSafetyHold}) {
    if (decision.disposed.Has(held)) return held;
  }
  for (int number = 1; number < domain::kReasons; ++number) {
    if (decision.disposed.Has(static_cast<Reason>(number))) return static_cast<Reason>(number);
  }
  for (const Reason reason : {Reason::kClockDoubtful, Reason::kRestored, Reason::kUnknownSubject, Reason::kMissingFact,
                              Reason::kInvalidTime}) {
    if (decision.reasons.Has(reason)) return reason;
  }
  for (int number = 1; number < domain::kReasons; ++number) {
    if (decision.reasons.Has(static_cast<Reason>(number))) return static_cast<Reason>(number);
  }
  return Reason::kNone;
}

}  // namespace consent::model
