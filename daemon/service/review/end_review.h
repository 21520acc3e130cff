// EndReview: the listener stops, and perhaps says what was found, as who submits may.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "daemon/domain/review.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Thread-safe. Needs no live grant: what is found restricts, and no restriction comes too late. The first outcome of a
// grant stays; the flags of every later one are stored all the same.
class EndReview {
 public:
  // Submits a report of flags that brings its hook: SubjectChanges::Submit, which tells joined accounts of it, too.
  using Report = std::function<void(ChangeRequest, ChangeDone)>;
  EndReview(Core& core, Report report) : core_(core), report_(std::move(report)) {}

  // Called exactly once, on any thread. GRANT_NOT_FOUND; GRANT_LOST, where the recording was granted anew and the
  // outcome is no flag; STORE_UNREADABLE, INTERNAL; those of a commit and of SubjectChanges.
  using Done = std::function<void(const absl::Status&)>;
  // Blocks until the change is submitted: call it on a pool thread. The outcome and its flags are one commit.
  void Run(const domain::GrantName& name, domain::ReviewOutcome outcome, const Caller& caller,
           const Awaited& is_awaited, const Done& done);
  // Stores flags (domain::Flags, not 0) of the grant's recording and leaves the grant as it is; likewise.
  // GRANT_NOT_FOUND; STORE_UNREADABLE, INTERNAL; those of a commit and of SubjectChanges.
  void NoteFlags(const domain::GrantName& name, uint8_t flags, const Caller& caller, const Awaited& is_awaited,
                 const Done& done);

 private:
  absl::Status EndWithoutFlags(const domain::GrantName& name, domain::ReviewOutcome outcome, const Caller& caller);
  // What was found, and the outcome of the grant in the same commit; kNone: it stays as it is.
  struct Found {
    uint8_t flags = 0;
    domain::ReviewOutcome outcome = domain::ReviewOutcome::kNone;
  };
  class EndHook;
  absl::StatusOr<ChangeRequest> RequestOf(const domain::GrantName& name, const Found& found,
                                          const Caller& caller) const;
  void Store(const domain::GrantName& name, const Found& found, const Caller& caller, const Awaited& is_awaited,
             const Done& done);

  Core& core_;
  const Report report_;
};

}  // namespace consent::service
