// The one place where the daemon's errors become gRPC's.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace consent::rpc {

// Code and message, and in the binary details a google.rpc.Status with ErrorInfo and, where fields were at fault,
// BadRequest, or where it is known when to repeat, RetryInfo (AIP-193). What was not made with wire::MakeError is a
// defect: INTERNAL, and its text is not sent, because nobody has checked what it says. CANCELLED goes as it is, without
// details: nobody hears it.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace consent::rpc
