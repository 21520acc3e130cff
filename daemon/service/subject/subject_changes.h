// What apps do to one subject: UpsertSubject, UpdateSettings, OptOut, ReportRecording.
#pragma once

#include "daemon/service/commit/change_subject.h"

namespace consent::service {

// Thread-safe.
class SubjectChanges {
 public:
  SubjectChanges(const Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}
  // As ChangeSubject::Submit, with the part that the request's kind asks for. A report of SAFETY is told to the
  // accounts that are joined with its own, one commit after the other, before it is acknowledged; where that fails the
  // flag stands, and the same report again tells them.
  void Submit(ChangeRequest request, ChangeDone done);

 private:
  void SubmitSafety(ChangeRequest request, ChangeDone done);

  const Core& core_;
  ChangeSubject& changes_;
};

}  // namespace consent::service
