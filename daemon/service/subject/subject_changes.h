// What apps do to one subject: UpsertSubject, UpdateSettings, OptOut, ReportRecording.
#pragma once

#include "daemon/service/commit/change_subject.h"
#include "daemon/service/purge/task_queue.h"

namespace consent::service {

// Thread-safe.
class SubjectChanges {
 public:
  // Tasks that changes of settings make go on the queue.
  SubjectChanges(ChangeSubject& changes, TaskQueue& queue) : changes_(changes), queue_(queue) {}
  // As ChangeSubject::Submit, with the part that the request's kind asks for.
  void Submit(ChangeRequest request, ChangeDone done);

 private:
  ChangeSubject& changes_;
  TaskQueue& queue_;
};

}  // namespace consent::service
