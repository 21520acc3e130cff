#include "daemon/wire/appeal.h"

#include <algorithm>

#include "daemon/domain/texts.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

v1::AppealState StateOf(const domain::Appeal& appeal) {
  if (!appeal.IsOpen()) return v1::APPEAL_STATE_ANSWERED;
  return appeal.acknowledged_at.IsSet() ? v1::APPEAL_STATE_ACKNOWLEDGED : v1::APPEAL_STATE_RECEIVED;
}

}  // namespace

void WriteAppeals(const domain::DeletionRequest& request, base::Instant now, v1::DeletionRequest* out) {
  for (const domain::Appeal& appeal : request.appeals) {
    v1::Appeal& to = *out->add_appeals();
    to.set_kind(static_cast<v1::AppealKind>(appeal.kind));
    to.set_state(StateOf(appeal));
    WriteTimestamp(appeal.received_at, to.mutable_received_at());
    if (IsTime(appeal.acknowledge_by)) WriteTimestamp(appeal.acknowledge_by, to.mutable_acknowledge_by());
    if (IsTime(appeal.answer_by)) WriteTimestamp(appeal.answer_by, to.mutable_answer_by());
    if (appeal.acknowledged_at.IsSet()) WriteTimestamp(appeal.acknowledged_at, to.mutable_acknowledged_at());
    if (appeal.answered_at.IsSet()) WriteTimestamp(appeal.answered_at, to.mutable_answered_at());
    to.set_outcome(static_cast<v1::AppealOutcome>(appeal.outcome));
    to.set_answer(appeal.answer);
    to.set_acknowledgement_overdue(domain::IsLate(appeal, domain::AppealDeadline::kAcknowledgement, now));
    to.set_answer_overdue(domain::IsLate(appeal, domain::AppealDeadline::kAnswer, now));
  }
}

void WriteHowToAppeal(const domain::DeletionRequest& request, const domain::Rules& rules, std::string_view language,
                      v1::DeletionRequest* out) {
  if (request.state != domain::DeletionState::kDenied) return;
  // A policy that has dropped the regime still answers for whoever was denied under it.
  const auto named = std::find_if(rules.regimes.begin(), rules.regimes.end(),
                                  [&](const domain::Regime& regime) { return regime.name == request.regime; });
  const domain::Regime& regime = named != rules.regimes.end() ? *named : rules.regimes[rules.unknown_regime];
  const domain::AppealText* const text = domain::ChooseText(regime.appeal_texts, language);
  if (text == nullptr) return;
  out->mutable_how_to_appeal()->set_language(text->language);
  out->mutable_how_to_appeal()->set_sentence(text->sentence);
  out->mutable_how_to_appeal()->set_url(text->url);
}

}  // namespace consent::wire
