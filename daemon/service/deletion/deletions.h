// Deletion requests: received, verified, denied, extended, cancelled; read and listed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/deletion/new_deletion.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// A request as the API shows it.
struct DeletionView {
  DeletionPlace place;
  domain::DeletionRequest request;
  std::optional<DeletionPayload> payload;        // while its key exists
  domain::OnHold on_hold = domain::OnHold::kNo;  // it is open, and some of what it selects is on hold
};

struct DeletionPage {
  std::vector<DeletionView> requests;
  std::optional<DeletionPlace> next;  // where to go on; nothing: that was all
};

struct DeletionFilter {
  std::optional<base::SubjectHandle> subject;
  std::vector<domain::DeletionState> states;  // empty: all
  std::vector<domain::DeletionCause> causes;  // empty: all
  base::Instant due_before;                   // unset: any; else only open ones
  base::Instant received_from;                // unset: any
  base::Instant received_before;              // unset: any
  bool has_open_appeal = false;               // true: only those with an appeal that is not answered
};

// Thread-safe; outlives what was submitted.
class Deletions {
 public:
  struct Created {
    DeletionPlace place;
    bool created = false;
    Revision revision;
    bool account_closed = false;
    bool subject_is_new = false;
    std::string unusable;  // as ChangeReply
  };
  using CreateDone = std::function<void(absl::StatusOr<Created>)>;
  struct Stepped {
    bool already = false;  // things were as they were asked for before: nothing was written
  };
  using StepDone = std::function<void(absl::StatusOr<Stepped>)>;

  Deletions(Core& core, ChangeSubject& changes);

  // As ChangeSubject::Submit. `change` has no command. SUBJECT_FULL and those of a change. Of accounts that were joined
  // each gets a request of its own, because data systems know it under its own id; the answer is that of the one which
  // was named, once all are received. Each goes its own way from there.
  void Create(ChangeRequest change, NewDeletion deletion, CreateDone done);
  // `change.command` carries the proof. Needs a pool thread; may block before it returns. DELETION_NOT_FOUND,
  // DELETION_STATE, EXTENSION_NOT_ALLOWED, ETAG_REQUIRED, ETAG_MISMATCH, EVIDENCE_REQUIRED, CLOCK_BEHIND.
  void Step(ChangeRequest change, DeletionPlace place, domain::StepCommand step, StepDone done);

  // These block. DELETION_NOT_FOUND, STORE_UNREADABLE.
  // Without an id, which a malformed text has none of, the answer is that of an unknown one.
  absl::StatusOr<DeletionPlace> Find(const std::optional<base::DeletionId>& id) const;
  absl::StatusOr<DeletionView> Get(DeletionPlace place) const;
  // It is open, and some of what it selects is on hold: asked without unsealing anything.
  absl::StatusOr<bool> IsOnHold(DeletionPlace place) const;
  absl::StatusOr<DeletionPage> List(const DeletionFilter& filter, size_t limit, DeletionPlace from) const;

 private:
  // Of the account that `change` is of alone.
  void CreateOne(ChangeRequest change, NewDeletion deletion, CreateDone done);
  // The same order for accounts that are joined with the one that it was given for, one after another.
  struct Joint;
  void CreateNext(const std::shared_ptr<Joint>& joint);
  absl::StatusOr<DeletionView> View(DeletionPlace place, DeletionRow row) const;
  absl::StatusOr<domain::OnHold> HoldOn(const domain::DeletionRequest& request) const;

  Core& core_;
  ChangeSubject& changes_;
};

}  // namespace consent::service
