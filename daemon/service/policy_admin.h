// The policy in force, its versions, and suspensions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/policy/document.h"
#include "daemon/service/context.h"

namespace consent::service {

struct SuspensionView {
  domain::Suspension suspension;
  std::string reason;  // of the last change
  std::string etag;
};

struct PolicyView {
  std::shared_ptr<const policy::Document> document;
  base::Instant activated_at;
  bool current = false;
  std::vector<SuspensionView> suspensions;
};

// Thread-safe. Writes block until every partition has acknowledged: call all of these on a pool thread.
class PolicyAdmin {
 public:
  explicit PolicyAdmin(Context& context);
  // Empty version: the current one. POLICY_VERSION_NOT_FOUND.
  absl::StatusOr<PolicyView> Get(std::string_view version) const;
  // In force in every partition on return. `reason` 1..256 bytes.
  absl::StatusOr<SuspensionView> Suspend(domain::Purpose purpose, domain::Region region, std::string reason);
  // NOT_SUSPENDED, ETAG_REQUIRED, ETAG_MISMATCH, CLOCK_BEHIND.
  absl::StatusOr<SuspensionView> Resume(domain::Purpose purpose, domain::Region region, std::string reason, std::string etag);
  // Activates a policy where it differs from the current one. FailedPrecondition where it loosens a stored choice or drops what is in
  // use: the old one stays in force.
  absl::Status Activate(policy::Document document);

 private:
  Context& context_;
};

}  // namespace consent::service
