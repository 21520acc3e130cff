#include "daemon/wire/policy.h"

#include "daemon/domain/standards.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

using base::kMaxReasonBytes;

template <typename Request>
SuspensionInput ReadCommon(const Request& request, Violations* faults) {
  const Path root;
  SuspensionInput input;
  RefuseMistyped(request, root, faults);
  CheckChosen(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), faults);
  input.purpose = static_cast<domain::Purpose>(request.purpose());
  if (!request.region().empty()) {
    const Path at(root, "region");
    input.region = ReadRegion(request.region(), at, faults);
    // It would stop nothing.
    const bool means_something = domain::IsAssigned(input.region) || domain::IsUserAssigned(input.region);
    if (input.region.IsSet() && !means_something) faults->Add(at, domain::WhyNotAssigned(input.region));
  }
  CheckText(request.reason(), 1, kMaxReasonBytes, Path(root, "reason"), faults);
  input.reason = request.reason();
  return input;
}

}  // namespace

absl::StatusOr<std::string> ReadGetPolicy(const v1::GetPolicyRequest& request) {
  Violations faults;
  RefuseMistyped(request, Path(), &faults);
  CheckLabel(request.version(), 0, kMaxNameBytes, Path(Path(), "version"), &faults);
  if (!faults.empty()) return faults.ToStatus();
  return request.version();
}

absl::StatusOr<SuspensionInput> ReadSuspend(const v1::SuspendRequest& request) {
  Violations faults;
  SuspensionInput input = ReadCommon(request, &faults);
  if (!faults.empty()) return faults.ToStatus();
  return input;
}

absl::StatusOr<SuspensionInput> ReadResume(const v1::ResumeRequest& request) {
  Violations faults;
  SuspensionInput input = ReadCommon(request, &faults);
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(Path(), "etag"), &faults);
  if (!faults.empty()) return faults.ToStatus();
  input.etag = request.etag();
  return input;
}

void WriteSuspension(const domain::Suspension& suspension, const std::string& reason, const std::string& etag, v1::Suspension* out) {
  out->set_purpose(static_cast<v1::Purpose>(suspension.purpose));
  if (suspension.region.IsSet()) out->set_region(suspension.region.ToString());
  out->set_active(suspension.active);
  if (suspension.suspended_at.IsSet()) WriteTimestamp(suspension.suspended_at, out->mutable_suspended_at());
  if (!suspension.active && suspension.resumed_at.IsSet()) WriteTimestamp(suspension.resumed_at, out->mutable_resumed_at());
  out->set_reason(reason);
  out->set_etag(etag);
}

}  // namespace consent::wire
