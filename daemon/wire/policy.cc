#include "daemon/wire/policy.h"

#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

using base::kMaxReasonBytes;

template <typename Request>
SuspensionInput ReadCommon(const Request& request, bool of_store, Violations* violations) {
  const Path root;
  SuspensionInput input;
  RefuseMistyped(request, root, violations);
  if (!of_store) CheckChosen(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), violations);
  input.purpose = static_cast<domain::Purpose>(request.purpose());
  if (!request.region().empty()) {
    const Path at(root, "region");
    input.region = ReadRegion(request.region(), at, violations);
    CheckAssigned(input.region, at, violations);
  }
  CheckText(request.reason(), 1, kMaxReasonBytes, Path(root, "reason"), violations);
  input.reason = request.reason();
  return input;
}

}  // namespace

absl::StatusOr<std::string> ReadGetPolicy(const v1::GetPolicyRequest& request) {
  Violations violations;
  RefuseMistyped(request, Path(), &violations);
  CheckLabel(request.version(), 0, kMaxNameBytes, Path(Path(), "version"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return request.version();
}

absl::StatusOr<SuspensionInput> ReadSuspend(const v1::SuspendRequest& request) {
  Violations violations;
  SuspensionInput input = ReadCommon(request, false, &violations);
  if (!violations.empty()) return violations.ToStatus();
  return input;
}

absl::StatusOr<SuspensionInput> ReadResume(const v1::ResumeRequest& request) {
  Violations violations;
  SuspensionInput input = ReadCommon(request, request.restored(), &violations);
  if (request.restored() && (request.purpose() != v1::PURPOSE_UNSPECIFIED || !request.region().empty())) {
    violations.Add(Path(Path(), "restored"), "stands alone: it names no purpose and no region");
  }
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(Path(), "etag"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  input.etag = request.etag();
  return input;
}

absl::StatusOr<ActivationInput> ReadActivatePolicy(const v1::ActivatePolicyRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckText(request.policy_json(), 1, base::kMaxPolicyBytes, Path(root, "policy_json"), &violations);
  if (CheckCount(request.loosens_size(), 0, base::kMaxLoosens, Path(root, "loosens"), &violations)) {
    for (int i = 0; i < request.loosens_size(); ++i) {
      CheckText(request.loosens(i), 1, base::kMaxLooseningBytes, Path(root, "loosens", i), &violations);
    }
  }
  if (!violations.empty()) return violations.ToStatus();
  return ActivationInput{request.policy_json(), {request.loosens().begin(), request.loosens().end()}};
}

absl::StatusOr<DiffInput> ReadDiffPolicy(const v1::DiffPolicyRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckText(request.policy_json(), 1, base::kMaxPolicyBytes, Path(root, "policy_json"), &violations);
  CheckRange(request.count_seconds(), 0, base::kMaxCountSeconds, Path(root, "count_seconds"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return DiffInput{request.policy_json(), request.count_seconds()};
}

absl::StatusOr<PoliciesQuery> ReadListPolicies(const v1::ListPoliciesRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return PoliciesQuery{request.page_size() == 0 ? kDefaultPageSize : request.page_size(), request.page_token()};
}

absl::Status ReadGetClock(const v1::GetClockRequest& request) {
  Violations violations;
  RefuseMistyped(request, Path(), &violations);
  return violations.ToStatus();
}

absl::StatusOr<base::Instant> ReadConfirmClock(const v1::ConfirmClockRequest& request) {
  Violations violations;
  const Path root;
  const Path at(root, "time");
  RefuseMistyped(request, root, &violations);
  base::Instant time;
  if (request.has_time()) {
    time = ReadTimestamp(request.time(), at, &violations);
  } else {
    violations.Add(at, "must be set");
  }
  if (!violations.empty()) return violations.ToStatus();
  return time;
}

void WriteSuspension(const domain::Suspension& suspension, const std::string& reason, const std::string& etag,
                     v1::Suspension* out) {
  out->set_purpose(static_cast<v1::Purpose>(suspension.purpose));
  if (suspension.region.IsSet()) out->set_region(suspension.region.ToString());
  out->set_active(suspension.active);
  if (suspension.suspended_at.IsSet()) WriteTimestamp(suspension.suspended_at, out->mutable_suspended_at());
  if (!suspension.active && suspension.resumed_at.IsSet()) {
    WriteTimestamp(suspension.resumed_at, out->mutable_resumed_at());
  }
  out->set_reason(reason);
  out->set_etag(etag);
}

void WriteClock(const base::TrustedClock::View& clock, v1::ClockState* out) {
  WriteTimestamp(clock.wall, out->mutable_wall());
  WriteTimestamp(clock.trusted, out->mutable_trusted());
  out->set_doubtful(clock.doubtful);
}

}  // namespace consent::wire
