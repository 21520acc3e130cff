// Legal holds: placed, released, listed. A hold stops purging from the commit that places it; its release sends waiting
// tasks on. It holds what all accounts have that are joined with the one that it is on: each is told of both, one
// commit after the other (group_holds.h), before they are acknowledged.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/deletion/group_holds.h"
#include "daemon/service/rows/hold_rows.h"

namespace consent::service {

// A hold as the API shows it.
struct HoldView {
  HoldPlace place;
  HoldRow row;
  std::optional<DeletionPayload> payload;  // while it is in force
  std::vector<LeaseOut> leases_out;        // while it is in force
};

struct HoldPage {
  std::vector<HoldView> holds;
  std::optional<HoldPlace> next;  // where to go on; nothing: that was all
};

// A validated PlaceHold, beside the ChangeRequest that carries caller, idempotency and evidence.
struct NewHold {
  domain::HeldPart held;
  LegalBasis basis;
  DeletionPayload payload;
  base::Instant review_at = {};  // by when it has to be looked at again; unset: in base::kDefaultHoldReviewDays
};

// A validated ReleaseHold, beside its ChangeRequest.
struct HoldRelease {
  LegalBasis basis;
  std::optional<store::Sequence> etag = {};  // HoldRow::changed that was looked at; nothing: none was given
  Approval approval = {};                    // unset: one person asks for it
};

// A validated ReviewHold, beside its ChangeRequest.
struct HoldReview {
  base::Instant review_at;  // the next one; set
  std::string reason;       // why the hold goes on
};

// Which holds a listing shows.
struct HoldsFilter {
  std::optional<base::SubjectHandle> subject;  // and of all that are joined with it; nothing: of all
  bool include_released = false;
  bool past_review = false;  // only those in force whose review is over
};

// Thread-safe; outlives what was submitted.
class Holds {
 public:
  struct Placed {
    HoldPlace place;
    Revision revision;
    bool subject_is_new = false;
  };
  using PlaceDone = std::function<void(absl::StatusOr<Placed>)>;
  using ReleaseDone = std::function<void(absl::Status)>;  // also of a review

  Holds(Core& core, ChangeSubject& changes);

  // As ChangeSubject::Submit. `change` has no command. SUBJECT_FULL beyond domain::kMaxHolds in force, or where they
  // name more than domain::kMaxSelectedRecordings recordings together; ACCOUNT_CLOSED; and those of a change.
  void Place(ChangeRequest change, NewHold hold, PlaceDone done);
  // `change.command` carries the proof. Needs a pool thread; may block before it returns. HOLD_NOT_FOUND,
  // ETAG_REQUIRED, ETAG_MISMATCH, EVIDENCE_REQUIRED, CLOCK_BEHIND; at last APPROVAL_REQUIRED, where nothing else is
  // against it and the policy wants two persons. One that is released stays as it is: OK; but ETAG_MISMATCH where it is
  // not the approval's doing.
  void Release(ChangeRequest change, HoldPlace place, HoldRelease release, ReleaseDone done);
  // Likewise, but for what only a loosening needs. It goes on; one that is released stays as it is: OK.
  void Review(ChangeRequest change, HoldPlace place, HoldReview review, ReleaseDone done);

  // These block. HOLD_NOT_FOUND, STORE_UNREADABLE.
  // Without an id, which a malformed text has none of, the answer is that of an unknown one.
  absl::StatusOr<HoldPlace> Find(const std::optional<base::HoldId>& id) const;
  absl::StatusOr<HoldView> Get(HoldPlace place) const;
  // From `from` on, at most `limit`.
  absl::StatusOr<HoldPage> List(const HoldsFilter& filter, size_t limit, HoldPlace from) const;

 private:
  absl::StatusOr<std::vector<HoldPlace>> PlacesIn(store::Partition partition,
                                                  const std::vector<base::SubjectHandle>& members,
                                                  store::Sequence begin) const;

  Core& core_;
  ChangeSubject& changes_;
};

}  // namespace consent::service
