// The one way in which a subject changes: UpsertSubject, UpdateSettings, OptOut and ReportRecording all come here.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/service/change.h"
#include "daemon/service/context.h"

namespace consent::service {

// Called exactly once, on a thread of the writing pool or of the caller.
using ChangeDone = std::function<void(absl::StatusOr<ChangeReply>)>;

// Thread-safe. Submit returns at once; the change is durable, in the index and visible to every later check before `done` hears of it.
// Errors are made with wire::MakeError. Where nothing was applied the error is that of the first refused part.
class ChangeSubject {
 public:
  explicit ChangeSubject(Context& context);
  void Submit(ChangeRequest request, ChangeDone done);

 private:
  Context& context_;
};

}  // namespace consent::service
