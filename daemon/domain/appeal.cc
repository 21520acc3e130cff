#include "daemon/domain/appeal.h"

#include <algorithm>
#include <utility>

namespace consent::domain {
namespace {

// When it happened: as it was said, else now and not before `since`. False: as it was said it cannot be.
bool ReadTime(Instant said, Instant since, const Moment& moment, Instant* at) {
  if (said.IsSet() && (said < since || moment.now.wall < said)) return false;
  *at = said.IsSet() ? said : std::max(moment.Received(), since);
  return true;
}

}  // namespace

std::optional<Instant> DeadlineOf(const Appeal& appeal, AppealDeadline kind) {
  if (!appeal.IsOpen()) return std::nullopt;
  switch (kind) {
    case AppealDeadline::kAcknowledgement:
      if (appeal.acknowledged_at.IsSet()) break;
      return appeal.acknowledge_by;
    case AppealDeadline::kAnswer:
      return appeal.answer_by;
  }
  return std::nullopt;
}

bool IsLate(const Appeal& appeal, AppealDeadline kind, Instant now) {
  const std::optional<Instant> deadline = DeadlineOf(appeal, kind);
  return deadline.has_value() && now >= *deadline;
}

const Appeal* OpenAppeal(const std::vector<Appeal>& appeals) {
  return !appeals.empty() && appeals.back().IsOpen() ? &appeals.back() : nullptr;
}

AppealRefusal ReceiveAppeal(std::vector<Appeal>& appeals, const AppealWord& word, bool is_denied, Instant since,
                            const Moment& moment, const DeadlineRules& rules) {
  if (word.kind == AppealKind::kAppeal && !is_denied) return AppealRefusal::kNotDenied;
  if (OpenAppeal(appeals) != nullptr) return AppealRefusal::kNone;
  if (appeals.size() >= kMaxAppeals) return AppealRefusal::kTooMany;
  Appeal appeal;
  appeal.kind = word.kind == AppealKind::kMissing ? AppealKind::kComplaint : word.kind;
  if (!ReadTime(word.at, since, moment, &appeal.received_at)) return AppealRefusal::kTime;
  appeal.acknowledge_by = EndOf(appeal.received_at, rules.appeal_acknowledgement, rules);
  appeal.answer_by = EndOf(appeal.received_at, rules.appeal_answer, rules);
  appeals.push_back(std::move(appeal));
  return AppealRefusal::kNone;
}

AppealRefusal AcknowledgeAppeal(std::vector<Appeal>& appeals, const AppealWord& word, const Moment& moment) {
  if (appeals.empty()) return AppealRefusal::kNoneOpen;
  Appeal& appeal = appeals.back();
  if (appeal.acknowledged_at.IsSet()) return AppealRefusal::kNone;
  if (!appeal.IsOpen()) return AppealRefusal::kNoneOpen;
  return ReadTime(word.at, appeal.received_at, moment, &appeal.acknowledged_at) ? AppealRefusal::kNone
                                                                                : AppealRefusal::kTime;
}

AppealRefusal AnswerAppeal(std::vector<Appeal>& appeals, const AppealWord& word, const Moment& moment) {
  if (appeals.empty()) return AppealRefusal::kNoneOpen;
  Appeal& appeal = appeals.back();
  if (!appeal.IsOpen()) return AppealRefusal::kNone;
  const Instant since = std::max(appeal.received_at, appeal.acknowledged_at);
  if (!ReadTime(word.at, since, moment, &appeal.answered_at)) return AppealRefusal::kTime;
  appeal.outcome = word.outcome == AppealOutcome::kMissing ? AppealOutcome::kRejected : word.outcome;
  appeal.answer = word.answer;
  return AppealRefusal::kNone;
}

}  // namespace consent::domain
