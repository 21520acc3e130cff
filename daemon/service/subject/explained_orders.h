// The deletion requests and holds of a subject as far as they may concern one recording: as they were at some time.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/deletion.h"
#include "daemon/domain/explain.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/deletion_place.h"

namespace consent::service {

// Requests and holds of a subject that are looked at: the newest. Those that are shown: what matches first.
inline constexpr size_t kMaxOrdersLookedAt = 1'000;
inline constexpr size_t kMaxOrdersShown = 32;

// A data system's part of a request.
struct ExplainedTask {
  std::string system;
  uint8_t kind = 0;  // SystemRow::kind
  domain::SystemProgress part;
  // Of one that is open now; of a past time nothing of it is known.
  uint32_t failures = 0;
  base::Instant leased_until;  // unset: nobody has it in hand
  base::Instant not_before;    // unset: it may be handed out at once
  bool waits_for_release = false;
};

struct ExplainedRequest {
  DeletionPlace place;
  domain::DeletionRequest request;  // as it was
  domain::Tombstone orders;         // what it selects, but for single recordings
  bool names_recording = false;     // of kRecordings: it names this one
  domain::Match match = domain::Match::kOtherScope;
  std::vector<ExplainedTask> tasks;
};

struct ExplainedHold {
  base::HoldId id;
  domain::HeldPart held;
  base::Instant placed_at;
  base::Instant released_at;  // unset: in force
  domain::Match match = domain::Match::kOtherScope;
  bool names_recording = false;
};

struct ExplainedOrders {
  std::vector<ExplainedRequest> requests;  // newest first
  std::vector<ExplainedHold> holds;
  bool all_seen = true;  // false: there are more than kMaxOrdersLookedAt
  bool cut = false;      // there are more than are shown

  // Marks of the recording that they give.
  domain::RecordingState Marks() const;
  std::vector<domain::Tombstone> Tombstones() const;
  std::vector<domain::Hold> Holds() const;
  // By the rule's own predicate. Leaves kMaxOrdersShown of each, those that match first.
  void Take(const domain::Explanation& explanation);
};

// Of all these accounts, which are joined with each other, as of the end of `at`; unset: now. Without tasks. May block.
// STORE_UNREADABLE, INTERNAL.
absl::StatusOr<ExplainedOrders> LoadOrders(const Core& core, const std::vector<base::SubjectHandle>& accounts,
                                           base::RecordingHandle recording, base::Instant at);
// Fills in the tasks of requests that are shown. `is_now`: of open ones also what is known of their task.
absl::Status LoadTasks(const Core& core, base::SubjectHandle subject, bool is_now, ExplainedOrders* orders);

// The request as it was at the end of `at`, as far as its row tells: false where there was none yet. What it does not
// tell is left as it is: whether it was extended by then, and whether a task had been handed out.
bool RewindTo(base::Instant at, domain::DeletionRequest* request);

}  // namespace consent::service
