// Whether the bound on HTTP/2 frames is in place. It rests on how gRPC and the dynamic linker work together, which an
// update may change.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "daemon/app/connections.h"

namespace consent::app {

// Connects a pair of sockets to the running server, as `hand_over` takes them, and exchanges SETTINGS with it.
// Internal: the server answered, and no frame was seen by `connections`. ResourceExhausted: it did not answer within
// seconds, or the pair cannot be had now.
absl::Status CheckReads(Connections& connections, const std::function<void(int fd)>& hand_over);

}  // namespace consent::app
