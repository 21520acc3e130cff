// PolicyService: requests to the domain's words, answers back.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/policy_service.pb.h"
#include "daemon/base/time.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::wire {

struct SuspensionInput {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Region region;  // unset: everywhere
  std::string reason;     // 1..256 bytes
  std::string etag;       // of Resume
};

struct ActivationInput {
  std::string policy_json;
  std::vector<std::string> loosens;
};
struct DiffInput {
  std::string policy_json;
  int count_seconds = 0;  // 0: subjects are not counted
};
struct PoliciesQuery {
  int page_size = 0;       // 1..1000
  std::string page_token;  // empty: the first page
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
// The version asked for; empty: the current one.
absl::StatusOr<std::string> ReadGetPolicy(const v1::GetPolicyRequest& request);
absl::StatusOr<SuspensionInput> ReadSuspend(const v1::SuspendRequest& request);
absl::StatusOr<SuspensionInput> ReadResume(const v1::ResumeRequest& request);
absl::StatusOr<ActivationInput> ReadActivatePolicy(const v1::ActivatePolicyRequest& request);
absl::StatusOr<DiffInput> ReadDiffPolicy(const v1::DiffPolicyRequest& request);
absl::StatusOr<PoliciesQuery> ReadListPolicies(const v1::ListPoliciesRequest& request);
absl::Status ReadGetClock(const v1::GetClockRequest& request);
// The time that is named.
absl::StatusOr<base::Instant> ReadConfirmClock(const v1::ConfirmClockRequest& request);

void WriteSuspension(const domain::Suspension& suspension, const std::string& reason, const std::string& etag,
                     v1::Suspension* out);
void WriteClock(const base::TrustedClock::View& clock, v1::ClockState* out);

}  // namespace consent::wire
