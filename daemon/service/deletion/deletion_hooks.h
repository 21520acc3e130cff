// What the steps of a deletion request add to a change of its subject. Private to this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/service/commit/change_hook.h"
#include "daemon/service/deletion/missing_ids.h"
#include "daemon/service/deletion/new_deletion.h"
#include "daemon/service/deletion/verify_within.h"
#include "daemon/service/purge/open_tasks.h"

namespace consent::service {

// What a request means for the rule: tombstones of the record, marks of single recordings.
class DeletionEffect {
 public:
  explicit DeletionEffect(base::SubjectHandle subject) : subject_(subject) {}
  // Reads what is stored of the recordings that the selector names.
  absl::Status LoadRecordings(const Core& core, const domain::Selector& selector);
  // From all requests of the subject but the one at `except`: for steps after which a request selects less, or
  // otherwise.
  absl::Status LoadOthers(const Core& core, DeletionPlace except, const domain::Selector& selector);
  // Whether there is room for its tombstone.
  bool Fits(const domain::SubjectFacts& before, const domain::DeletionRequest& request) const;
  void Apply(const Core& core, const domain::DeletionRequest& request, HookOutput& out);

 private:
  // False where there is no room.
  bool SetTombstones(const domain::DeletionRequest& request, domain::SubjectFacts& facts) const;

  const base::SubjectHandle subject_;
  bool anew_ = false;  // the tombstones are those of `others_` and the request's
  domain::TombstoneIntervals others_;
  std::vector<std::pair<base::RecordingHandle, domain::RecordingState>> recordings_;
};

class CreateDeletionHook final : public ChangeHook {
 public:
  CreateDeletionHook(base::SubjectHandle subject, NewDeletion deletion);
  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override;
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override;
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override;

  // Of an open request for the same that was found; 0: none.
  DeletionNumber found() const { return found_; }
  // It is verified, and more requests that lie within it wait to be.
  bool more_within() const { return within_.more(); }

 private:
  NewDeletion deletion_;
  domain::DeletionRequest request_;
  DeletionEffect effect_;
  SystemsSeen systems_;
  VerifyWithin within_;
  MissingIds missing_;
  std::string share_;
  std::string sealed_;
  base::Digest commitment_{};
  DeletionNumber found_ = 0;
};

class DeletionStepHook final : public ChangeHook {
 public:
  DeletionStepHook(base::SubjectHandle subject, DeletionPlace place, domain::StepCommand step,
                   const domain::Command& command);
  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override;
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override;
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override;

  // It is verified, and more requests that lie within it wait to be.
  bool more_within() const { return within_.more(); }
  // It was so before: nothing was written.
  bool already() const { return already_; }

 private:
  domain::StepRefusal Do(domain::DeletionRequest& request, const domain::Moment& moment,
                         const domain::Rules& rules) const;
  absl::Status MayCancel(const Core& core) const;

  const DeletionPlace place_;
  const domain::StepCommand command_;
  const DeletionStep step_;
  const domain::Proof proof_;
  DeletionRow row_;
  std::string bytes_;
  SystemsSeen systems_;
  DeletionEffect effect_;
  VerifyWithin within_;
  OpenTasksOf cancelled_;
  bool already_ = false;
};

}  // namespace consent::service
