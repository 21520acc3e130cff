#include "daemon/service/commit/newly_restricted.h"

#include <algorithm>

namespace consent::service {

bool IsNewlyRestricted(const ChangeRequest& request, const domain::SubjectFacts& before,
                       const domain::Transition& transition) {
  switch (request.kind) {
    case ChangeKind::kChildNotice:
    case ChangeKind::kSafetyFlagHandled:
    case ChangeKind::kHoldReleased:
    case ChangeKind::kHoldReviewed:
    case ChangeKind::kDeletionCancelled:
    case ChangeKind::kDeletionExtended:
    case ChangeKind::kDeletionReceiptConfirmed:
    case ChangeKind::kDeletionAppealReceived:
    case ChangeKind::kDeletionAppealAcknowledged:
    case ChangeKind::kDeletionAppealAnswered:
      return false;
    case ChangeKind::kUpsertSubject:
    case ChangeKind::kUpdateSettings:
    case ChangeKind::kOptOut:
    case ChangeKind::kReportRecording:
      break;
    default:
      return true;
  }
  const auto restricts = [](const domain::FactChange& change) {
    return !change.loosens && change.what != domain::ChangedWhat::kRefusedAgain;
  };
  if (request.create_new || std::any_of(transition.changes.begin(), transition.changes.end(), restricts)) return true;
  domain::SubjectFacts same = before;
  same.revision = transition.after.revision;
  return transition.changes.empty() && !(same == transition.after);
}

}  // namespace consent::service
