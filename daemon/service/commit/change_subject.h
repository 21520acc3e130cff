// The one way in which a subject changes: UpsertSubject, UpdateSettings, OptOut, ReportRecording and deletion requests all come here.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/context.h"
#include "daemon/service/state/subject_turns.h"
#include "daemon/service/purge/task_board.h"

namespace consent::service {

// Called exactly once, on a thread of the writing pool or of the caller.
using ChangeDone = std::function<void(absl::StatusOr<ChangeReply>)>;

// Thread-safe. Submit returns at once; the change is durable, in the index and visible to every later check before `done` hears of it.
// Errors are made with wire::MakeError. Where nothing was applied the error is that of the first refused part.
// Outlives all that was submitted.
class ChangeSubject {
 public:
  // At most `max_in_flight` changes at a time; more are OVERLOADED. Tasks that changes of settings make go on the board.
  ChangeSubject(Context& context, TaskBoard& board, size_t max_in_flight);
  void Submit(ChangeRequest request, ChangeDone done);
  size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

 private:
  struct Work;
  using WorkPtr = std::shared_ptr<Work>;
  void Start(const WorkPtr& work);
  void Attempt(const WorkPtr& work);
  // Ok: commit. Otherwise work.reply is the answer.
  bool Prepare(Work& work) const;
  bool IsAnsweredBefore(Work& work) const;
  // An account that is closed takes restrictions, and what its closure needs; true: this is neither. Sets what a new account of its id begins
  // with.
  bool IsClosed(Work& work) const;
  absl::Status MayReopen(const domain::Command& command) const;
  bool PreparePart(Work& work) const;
  base::Bytes16 BodyOf(const ChangeRequest& request) const;
  absl::Status PreparePayload(Work& work) const;
  store::Change Build(Work& work, const store::Stamp& stamp) const;
  void Committed(const WorkPtr& work, const store::CommitResult& result);
  void Publish(Work& work, const store::Stamp& stamp) const;
  void Finish(const WorkPtr& work);

  Context& context_;
  TaskBoard& board_;
  const size_t max_in_flight_;
  std::atomic<size_t> in_flight_{0};
  SubjectTurns turns_;
};

// The error of a part that was refused.
absl::Status RefusalStatus(const domain::PartOutcome& part);
// Whether a loosening may be taken now: OK, CLOCK_DOUBTFUL, CLOCK_BEHIND.
absl::Status TimeToLoosen(const base::Now& now);

}  // namespace consent::service
