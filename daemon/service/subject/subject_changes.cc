#include "daemon/service/subject/subject_changes.h"

#include <memory>
#include <utility>

#include "daemon/service/commit/report_flags.h"
#include "daemon/service/deletion/withdrawal_follow_ups.h"

namespace consent::service {
namespace {

void TellDataSystems(ChangeRequest& request) {
  request.hook = std::make_shared<WithdrawalFollowUps>(request.subject, request.account_id, request.payload.names);
}

}  // namespace

void SubjectChanges::Submit(ChangeRequest request, ChangeDone done) {
  // What a listener found in a recording stays with the account under which it was found.
  if (request.kind == ChangeKind::kReportRecording) {
    request.hook = std::make_shared<ReportFlags>(request.subject, request.recording, request.flags);
  } else {
    request.retarget = &TellDataSystems;
    TellDataSystems(request);
  }
  changes_.Submit(std::move(request), std::move(done));
}

}  // namespace consent::service
