// What a use case adds to a change of a subject: rows of its own, and what they mean for the subject's record.
// ChangeSubject does the rest: turns, idempotency, evidence, the commit, the history.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/transitions.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/store/store.h"

namespace consent::service {

// What a part may look at before the commit.
struct HookInput {
  const StoredFacts& before;
  const domain::Transition& trial;  // what the command would do now
  const domain::Moment& moment;     // at which it was tried
};

// What a part puts into the commit beside the subject's record.
struct HookOutput {
  const domain::Moment& moment;
  domain::Transition& transition;
  std::vector<store::Write>& writes;
  uint8_t flags = 0;  // for the reply and the history: all flags of the recording
};

// One request's part. Used by one thread at a time, in the order Prepare, AddPreconditions, Build; after a conflict
// from the start again. Whatever a part reads of the subject stays as it is until the commit, because every
// change writes the subject's record; rows that other commits may write need preconditions of their own.
class ChangeHook {
 public:
  enum class Prepared : uint8_t {
    kGoOn = 0,
    kAnswered = 1,  // nothing is to be written: things are already as they were asked for
  };
  virtual ~ChangeHook() = default;

  // On a pool thread; may block. An error is the answer to the request.
  virtual absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) = 0;
  virtual void AddPreconditions(std::vector<store::Precondition>&) const {}
  // In the order of the commits, as store::Build: pure, and perhaps called again.
  virtual void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) = 0;
};

}  // namespace consent::service
