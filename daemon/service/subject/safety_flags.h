// SAFETY flags that nobody has handled: listed, and handled. A flag restricts for ever; that it is open only says that
// somebody has yet to look after the person.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/tokens.h"

namespace consent::service {

struct SafetyFlagView {
  std::string account_id;
  std::string recording_id;
  base::Instant reported_at;
  std::string reported_by;  // the caller's name
};

struct SafetyFlagPage {
  std::vector<SafetyFlagView> flags;
  std::optional<PageToken> next;  // where to go on; nothing: that was all
};

// Thread-safe; outlives what was submitted.
class SafetyFlags {
 public:
  SafetyFlags(Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}

  // Of that subject, unset: of all. Those reported first, first; looks at `limit` (1..1000). Blocks: call it on a pool
  // thread. NOT_SERVING, STORE_UNREADABLE, INTERNAL.
  absl::StatusOr<SafetyFlagPage> List(base::SubjectHandle subject, size_t limit, const PageToken& from) const;
  // As ChangeSubject::Submit; `change.recording` and its payload say which, and what was done. SAFETY_FLAG_NOT_FOUND,
  // SAFETY_FLAG_HANDLED, ACCOUNT_CLOSED of an erased account.
  void Handle(ChangeRequest change, ChangeDone done);

 private:
  // Nothing: it was handled, or its account erased, just now.
  absl::StatusOr<std::optional<SafetyFlagView>> Read(const OpenSafetyFlags::Place& place) const;

  Core& core_;
  ChangeSubject& changes_;
};

}  // namespace consent::service
