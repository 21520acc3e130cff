#include "daemon/rpc/hold_release.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/wire/hold.h"

namespace consent::rpc {

absl::StatusOr<HoldReleaseCall> ReadHoldRelease(const service::Core& core, const service::Caller& caller,
                                                const v1::ReleaseHoldRequest& request) {
  auto input = wire::ReadReleaseHold(request, core.hasher);
  if (!input.ok()) return input.status();
  HoldReleaseCall call;
  call.hold_id = input->hold_id;
  call.release.basis = {std::move(input->authority), std::move(input->reason)};
  if (!input->etag.empty() && input->hold_id.has_value()) {
    const auto etag = core.tokens.DecodeEtag(input->etag, *input->hold_id);
    call.release.etag = etag.has_value() ? etag->changed : service::kStaleEtag;
  }
  call.change = ToChangeRequest(core, caller, service::ChangeKind::kHoldReleased, std::move(input->change));
  return call;
}

}  // namespace consent::rpc
