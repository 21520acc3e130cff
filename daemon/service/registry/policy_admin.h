// The policy in force, its versions, and suspensions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/policy/compare.h"
#include "daemon/policy/document.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/registry/follow_policies.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/person.h"

namespace consent::service {

struct SuspensionView {
  domain::Suspension suspension;
  std::string reason;  // of the last change
  std::string etag;
  std::string by;     // whose call the last change was
  Approval approval;  // of the last change, where it took two persons
};

struct PolicyView {
  std::shared_ptr<const policy::Document> document;
  base::Instant activated_at;
  std::string activated_by;  // as policy::PolicyRow's
  std::string proposed_by;   // likewise
  bool current = false;
  std::vector<SuspensionView> suspensions;  // newest change last
};

// Who activates a policy, and what he has seen that it loosens.
struct ActivationOrder {
  std::string by;                    // the caller's name; empty: the daemon, from the file that it was started with
  std::vector<std::string> loosens;  // policy::Words of each loosening
  Approval approval = {};            // unset: one person asks for it, or the daemon
  base::Instant after = {};          // with an approval: when the policy came into force that it was proposed against
};

// Who lifts a suspension, and which.
struct ResumeOrder {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Region region;
  std::string reason;  // 1..256 bytes
  std::string etag;
  Approval approval = {};  // unset: one person asks for it
};

struct PolicyDiff {
  std::vector<policy::Difference> differences;
  std::string refused;  // why it cannot follow the policy in force, whatever is named; empty: it can
};

// A policy file that the daemon was given and that is not in force.
struct WaitingPolicy {
  std::string version;  // empty: the file could not be read as a policy
  base::Digest hash{};
  std::string why;  // one line
};

// Thread-safe; writes one after another. They block until every partition has acknowledged: call all of these on a pool
// thread.
class PolicyAdmin {
 public:
  // What came into force, after what (nullptr: the first), and by whom; see ActivationOrder.
  using Activated =
      std::function<void(const policy::PolicyRow* before, const policy::Document& document, const std::string& by)>;

  PolicyAdmin(Core& core, PolicyFollower& follower);
  // Called after each activation that changed something, on its thread. Set before anything is activated.
  void TellActivations(Activated activated) { activated_ = std::move(activated); }
  // Reads versions and suspensions into the book, and finishes what a crash left in some partitions only. Once, before
  // anything is served; allowed while the core is not ready. DataLoss where a row cannot be read.
  absl::Status Load();
  // Activates a policy where it differs from the current one; in force in every partition on return. Else the old one
  // stays in force: POLICY_REFUSED where it loosens a stored choice, drops what is in use or changes a version's
  // content; LOOSENING_NOT_NAMED, INVALID_FIELD where the order does not name what it loosens against the very policy
  // that it would follow; CLOCK_DOUBTFUL or CLOCK_BEHIND where nothing but the time is against it: the same document
  // may be activated later. At last APPROVAL_REQUIRED, where it loosens, nothing else is against it and the policy in
  // force wants two persons. With an approval ETAG_MISMATCH: another policy than it was proposed against is in force.
  absl::Status Activate(const policy::Document& document, const ActivationOrder& order);
  // What it would change. Activates nothing.
  absl::StatusOr<PolicyDiff> Diff(const policy::Document& document) const;

  // What became of the policy file that the daemon was given: nullopt where it is in force. Activating it takes it
  // away.
  void NoteWaiting(std::optional<WaitingPolicy> waiting) EXCLUDES(waiting_mutex_);
  std::optional<WaitingPolicy> waiting() const EXCLUDES(waiting_mutex_);

  // Empty version: the current one. POLICY_VERSION_NOT_FOUND.
  absl::StatusOr<PolicyView> Get(std::string_view version) const;
  // In force in every partition on return; repeating changes nothing. `reason` 1..256 bytes. Tried again while it is
  // awaited.
  absl::StatusOr<SuspensionView> Suspend(domain::Purpose purpose, domain::Region region, std::string reason,
                                         const Awaited& is_awaited = {}, const Caller& caller = {});
  // NOT_SUSPENDED, ETAG_REQUIRED, ETAG_MISMATCH, CLOCK_BEHIND; at last APPROVAL_REQUIRED, where nothing else is against
  // it and the policy wants two persons. What the approval lifted before: OK.
  absl::StatusOr<SuspensionView> Resume(const ResumeOrder& order, const Caller& caller = {});

 private:
  // Every partition says that the version in force is, and that none is being activated. The first partition last: who
  // activates begins there.
  absl::Status OpenClosed() REQUIRES(writing_);
  EveryPartition SetCurrent(const CurrentPolicy& current, const std::string& detail) const;
  absl::Status ActivateInTurn(const policy::Document& document, const ActivationOrder& order) EXCLUDES(writing_);
  // What stored choices name, by the marks of all partitions.
  absl::StatusOr<policy::Usage> ReadUsage() const;
  absl::Status MayFollow(const policy::PolicyRow* current, const policy::Document& document) const;
  // Closes `current` for it everywhere, looks again, and puts it in force.
  absl::Status Replace(const policy::PolicyRow* current, const policy::Document& document, const ActivationOrder& order)
      REQUIRES(writing_);
  // In every partition; opens them.
  absl::Status PutInForce(const policy::PolicyRow* current, const policy::Document& document,
                          const ActivationOrder& order) REQUIRES(writing_);
  // Whether the persons who ask for it suffice. Last of all: so what is proposed is what would be done.
  absl::Status Approved(const policy::PolicyRow* current, const policy::Document& document,
                        const ActivationOrder& order) const;
  // Of rows by their time; the newest change last.
  static std::vector<SuspensionView> ViewsOf(const std::vector<SuspensionRow>& rows);
  // As the first partition has them; `unchanged` holds while nobody has changed one since.
  absl::StatusOr<std::vector<SuspensionView>> ReadSuspensions(store::Precondition* unchanged) const;
  // Of what is suspended there now, or was; nullptr: never.
  using MayChange = std::function<absl::Status(const SuspensionView*)>;
  // What a lifting needs beside its rows: that the policy which lets one person do it is in force. Or nothing.
  static std::optional<store::Precondition> PolicyOf(const SuspensionRow& row, const PolicyBook::InForce& policy);
  absl::StatusOr<SuspensionView> ChangeSuspension(const SuspensionRow& row, const MayChange& may_change,
                                                  const Caller& caller, const Awaited& is_awaited = {});

  // What an error or a crash left in some partitions only.
  absl::Status FinishVersions() REQUIRES(writing_);
  absl::Status FinishSuspensions();

  Core& core_;
  PolicyFollower& follower_;
  Activated activated_;
  mutable base::Mutex writing_;
  bool left_closed_ GUARDED_BY(writing_) = false;  // an activation of ours did not come to its end
  mutable base::Mutex waiting_mutex_;
  std::optional<WaitingPolicy> waiting_ GUARDED_BY(waiting_mutex_);
};

}  // namespace consent::service
