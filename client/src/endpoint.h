// Where the daemon listens, as gRPC wants it.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace consent {

// A Unix socket: file access says who may come, and TLS is not spoken there.
bool IsUnixEndpoint(const std::string& endpoint);

// The gRPC target of "unix:/path", "HOST:port" or "[IPv6]:port", where HOST is a name or an IPv4 address. Without `tls`
// only this machine is meant: "127.x.y.z:port", "[::1]:port" or "localhost:port". InvalidArgument: anything else.
absl::StatusOr<std::string> TargetOf(const std::string& endpoint, bool tls);

}  // namespace consent
