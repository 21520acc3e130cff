#include "daemon/service/subject/subject_changes.h"

#include <memory>
#include <utility>

#include "daemon/service/commit/report_flags.h"
#include "daemon/service/deletion/group_holds.h"
#include "daemon/service/deletion/withdrawal_follow_ups.h"
#include "daemon/service/rows/load_subject.h"

namespace consent::service {
namespace {

void TellDataSystems(ChangeRequest& request) {
  request.hook = std::make_shared<WithdrawalFollowUps>(request.subject, request.account_id, request.payload.names);
}

// By a report of SAFETY, as far as it can be read.
bool IsHeld(const Core& core, base::SubjectHandle subject, base::RecordingHandle recording) {
  const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
  const auto marks = LoadMarks(core, subject, recording);
  return !marks.ok() || rules == nullptr || rules->safety.Holds(marks->safety_since, core.Present());
}

}  // namespace

void SubjectChanges::Submit(ChangeRequest request, ChangeDone done) {
  // What a listener found in a recording stays with the account under which it was found.
  if (request.kind == ChangeKind::kReportRecording) {
    if (request.hook == nullptr) {
      request.hook = std::make_shared<ReportFlags>(request.subject, request.recording, request.flags);
    }
    if ((request.flags & domain::Flags::kSafety) != 0) return SubmitSafety(std::move(request), std::move(done));
  } else {
    request.retarget = &TellDataSystems;
    TellDataSystems(request);
  }
  changes_.Submit(std::move(request), std::move(done));
}

// It holds what all of the accounts have that are one with its own.
void SubjectChanges::SubmitSafety(ChangeRequest request, ChangeDone done) {
  ChangeRequest like = request;
  changes_.Submit(std::move(request), [this, like = std::move(like),
                                       done = std::move(done)](absl::StatusOr<ChangeReply> reply) mutable {
    if (!reply.ok() || !IsHeld(core_, like.subject, like.recording)) return done(std::move(reply));
    TellGroupOfHolds(core_, changes_, like,
                     [reply = *std::move(reply), done = std::move(done)](const absl::Status& told) mutable {
                       done(told.ok() ? absl::StatusOr<ChangeReply>(std::move(reply)) : told);
                     });
  });
}

}  // namespace consent::service
