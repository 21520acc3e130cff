// From the request to release a hold to what the use case takes: for who asks for it, and for who approves it.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "consent/v1/hold_service.pb.h"
#include "daemon/base/random_id.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/deletion/holds.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

struct HoldReleaseCall {
  service::ChangeRequest change;
  service::HoldRelease release;
  std::optional<base::HoldId> hold_id;  // nothing: the text is no id
};

// INVALID_FIELD, MALFORMED_MESSAGE. Thread-safe.
absl::StatusOr<HoldReleaseCall> ReadHoldRelease(const service::Core& core, const service::Caller& caller,
                                                const v1::ReleaseHoldRequest& request);

}  // namespace consent::rpc
