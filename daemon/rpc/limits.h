// How large a message may be. The composition root sets kMaxReceiveBytes on the server builder
// (SetMaxReceiveMessageSize); the other limits are enforced by the handlers and by daemon/wire.
#pragma once

#include <cstddef>

namespace consent::rpc {

// The documented limit of a request. A batch of 1,000 recordings with every id of 128 bytes fits.
inline constexpr size_t kMaxRequestBytes = size_t{4} << 20;

// What gRPC itself lets through. A little more, so that a request just above the limit gets MESSAGE_TOO_LARGE with the
// limit in its details; beyond this gRPC answers RESOURCE_EXHAUSTED on its own, without details.
inline constexpr int kMaxReceiveBytes = (4 << 20) + (256 << 10);

}  // namespace consent::rpc
