#include "daemon/service/subject/subject_changes.h"

#include <memory>
#include <utility>

#include "daemon/service/deletion/withdrawal_follow_ups.h"
#include "daemon/service/subject/report_flags.h"

namespace consent::service {

void SubjectChanges::Submit(ChangeRequest request, ChangeDone done) {
  if (request.kind == ChangeKind::kReportRecording) {
    request.hook = std::make_shared<ReportFlags>(request.subject, request.recording, request.flags);
  } else {
    request.hook = std::make_shared<WithdrawalFollowUps>(request.subject, request.account_id, request.payload.names);
  }
  changes_.Submit(std::move(request), std::move(done));
}

}  // namespace consent::service
