// The one way in which a subject changes. What differs between the use cases is their hook (change_hook.h).
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/per_subject_queue.h"

namespace consent::service {

// Called exactly once, on a thread of the writing pool or of the caller.
using ChangeDone = std::function<void(absl::StatusOr<ChangeReply>)>;

// Thread-safe. Submit returns at once; the change is durable, in the index and visible to every later check before
// `done` hears of it. Errors are made with wire::MakeError. Where nothing was applied the error is that of the first
// refused part. Outlives all that was submitted.
class ChangeSubject {
 public:
  // At most `max_in_flight` changes at a time, of which a quarter is for restrictions alone; more are OVERLOADED.
  ChangeSubject(Core& core, size_t max_in_flight);
  // `request.hook` is set.
  void Submit(ChangeRequest request, ChangeDone done);
  size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

 private:
  struct Work;
  using WorkPtr = std::shared_ptr<Work>;
  void Start(const WorkPtr& work);
  void Attempt(const WorkPtr& work);
  // Ok: commit. Otherwise work.reply is the answer, unless it is for another account (`work.forward`).
  bool Prepare(Work& work) const;
  // The subject is an alias: what is said to it is said to the account that it was joined into. True: it is for that.
  bool IsForward(Work& work) const;
  // Begins anew with the account that the subject was joined into.
  void Forward(const WorkPtr& work);
  bool IsAnsweredBefore(Work& work) const;
  // An account that is closed takes restrictions, and what its closure needs; true: this is neither. Sets what a new
  // account of its id begins with.
  bool IsClosed(Work& work) const;
  absl::Status MayReopen(const domain::Command& command) const;
  bool PrepareHook(Work& work) const;
  base::Bytes16 BodyOf(const ChangeRequest& request) const;
  absl::Status PreparePayload(Work& work) const;
  store::Change Build(Work& work, const store::Stamp& stamp) const;
  void Committed(const WorkPtr& work, const store::CommitResult& result);
  void Finish(const WorkPtr& work);

  Core& core_;
  const size_t max_in_flight_;
  std::atomic<size_t> in_flight_{0};
  PerSubjectQueue turns_;
};

}  // namespace consent::service
