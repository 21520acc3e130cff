// What an endpoint may be until there are certificates: this machine only.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace consent {

// The gRPC target of "unix:/path", "127.x.y.z:port", "[::1]:port" or "localhost:port". InvalidArgument: anything else.
absl::StatusOr<std::string> TargetOf(const std::string& endpoint);

}  // namespace consent
