// SAFETY flags that nobody has handled: listed, acknowledged and handled, each by its time. A flag restricts for ever;
// that it is open only says that somebody has yet to look after the person. What it holds is held by its report alone.
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
  base::Instant acknowledge_by;
  base::Instant handle_by;
  base::Instant acknowledged_at;  // unset: nobody has said that it is theirs
  std::string acknowledged_by;    // the caller's name
  base::Instant held_until;       // unset: nothing is held for it, or no longer

  // Ends are exclusive: at that very instant it is over.
  bool IsOverdue(base::Instant now) const {
    return handle_by <= now || (!acknowledged_at.IsSet() && acknowledge_by <= now);
  }
};

struct SafetyFlagPage {
  std::vector<SafetyFlagView> flags;
  std::optional<PageToken> next;  // where to go on; nothing: that was all
};

// Thread-safe; outlives what was submitted.
class SafetyFlags {
 public:
  SafetyFlags(Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}

  // Of that subject, unset: of all; `overdue`: only those that are. Those reported first, first; looks at `limit`
  // (1..1000). Blocks: call it on a pool thread. NOT_SERVING, STORE_UNREADABLE, INTERNAL.
  absl::StatusOr<SafetyFlagPage> List(base::SubjectHandle subject, bool overdue, size_t limit,
                                      const PageToken& from) const;
  // As ChangeSubject::Submit; `change.recording` and its payload say which, and who looks after it.
  // SAFETY_FLAG_NOT_FOUND, SAFETY_FLAG_ACKNOWLEDGED, SAFETY_FLAG_HANDLED, ACCOUNT_CLOSED of an erased account.
  void Acknowledge(ChangeRequest change, ChangeDone done);
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
