#include "consent/answer.h"

#include <algorithm>
#include <utility>

#include "client/src/answer_maker.h"

namespace consent {
namespace {

// No policy may let an answer live longer than a day, so a longer one is a mistake and not trusted further.
constexpr std::chrono::microseconds kLongestLife = std::chrono::hours(24);

bool SaysYes(const ReceivedDecision& decision) {
  if (decision.asked == Purpose::kUnset || decision.eligibility != Eligibility::kEligible) return false;
  if (decision.disposition != Disposition::kKeep || decision.reasons.empty()) return false;
  return std::all_of(decision.reasons.begin(), decision.reasons.end(),
                     [](Reason reason) { return reason == Reason::kConsent || reason == Reason::kDefault; });
}

}  // namespace

bool Answer::IsFresh() const { return clock_ != nullptr && clock_->SinceBoot() < fresh_until_; }

bool Answer::MayUse(Purpose purpose) const {
  return purpose != Purpose::kUnset && purpose == purpose_ && eligibility_ == Eligibility::kEligible && IsFresh();
}

size_t BatchAnswers::Unanswered() const {
  return static_cast<size_t>(
      std::count_if(answers.begin(), answers.end(), [](const Answer& answer) { return !answer.error().ok(); }));
}

Answer AnswerMaker::Received(ReceivedDecision decision, std::shared_ptr<const Clock> clock) {
  Answer answer;
  if (decision.eligibility == Eligibility::kEligible && !SaysYes(decision)) {
    return Failed(absl::InternalError(
        "the answer contradicts itself: eligible with a reason, a disposition or a purpose that does not allow it"));
  }
  answer.purpose_ = decision.asked;
  answer.eligibility_ = decision.eligibility;
  answer.disposition_ = decision.disposition;
  answer.reasons_ = std::move(decision.reasons);
  answer.missing_facts_ = std::move(decision.missing_facts);
  answer.revision_ = std::move(decision.revision);
  answer.policy_version_ = std::move(decision.policy_version);
  answer.policy_hash_ = std::move(decision.policy_hash);
  answer.checked_at_ = decision.checked_at;
  answer.good_until_ = decision.good_until;
  answer.clock_ = std::move(clock);
  // Differences of the daemon's own times only: this machine's wall clock plays no part. Compared before they are
  // subtracted so that no reply can overflow.
  if (decision.checked_at > Time{} && decision.good_until > decision.checked_at) {
    answer.fresh_until_ = decision.sent + std::min(decision.good_until - decision.checked_at, kLongestLife);
  }
  answer.error_ = absl::OkStatus();
  return answer;
}

Answer AnswerMaker::Failed(absl::Status why) {
  Answer answer;
  answer.error_ = why.ok() ? absl::InternalError("no answer, and no reason why") : std::move(why);
  return answer;
}

}  // namespace consent
