// Between gRPC's statuses and ours.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace consent {

// Keeps code, message and, as a payload that ErrorOf reads, the details.
absl::Status FromGrpc(const grpc::Status& status);

// The status of one item of a batch: InvalidArgument with that reason.
absl::Status ItemStatus(const std::string& reason, const std::string& message);

}  // namespace consent
