// What apps do to one subject: UpsertSubject, UpdateSettings, OptOut, ReportRecording.
#pragma once

#include "daemon/service/commit/change_subject.h"
#include "daemon/service/purge/task_board.h"

namespace consent::service {

// Thread-safe.
class SubjectChanges {
 public:
  // Tasks that changes of settings make go on the board.
  SubjectChanges(ChangeSubject& changes, TaskBoard& board) : changes_(changes), board_(board) {}
  // As ChangeSubject::Submit, with the part that the request's kind asks for.
  void Submit(ChangeRequest request, ChangeDone done);

 private:
  ChangeSubject& changes_;
  TaskBoard& board_;
};

}  // namespace consent::service
