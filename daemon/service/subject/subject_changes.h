// What apps do to one subject: UpsertSubject, UpdateSettings, OptOut, ReportRecording.
#pragma once

#include "daemon/service/commit/change_subject.h"

namespace consent::service {

// Thread-safe.
class SubjectChanges {
 public:
  explicit SubjectChanges(ChangeSubject& changes) : changes_(changes) {}
  // As ChangeSubject::Submit, with the part that the request's kind asks for.
  void Submit(ChangeRequest request, ChangeDone done);

 private:
  ChangeSubject& changes_;
};

}  // namespace consent::service
