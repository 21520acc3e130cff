// Bytes of strangers on an HTTP/2 connection. The verdict does not depend on how they are cut into pieces, is final,
// and what the bound remembers stays within its own limits.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "daemon/app/frames.h"

namespace {

using consent::app::FrameBound;
using consent::app::FrameFault;

void Require(bool condition) {
  if (!condition) std::abort();
}

consent::app::FrameLimits Limits() {
  // Small ones, so that a short input reaches them.
  consent::app::FrameLimits limits;
  limits.frame_bytes = 2000;
  limits.block_bytes = 300;
  limits.block_continuations = 2;
  limits.unacknowledged_headers = 3;
  limits.unacknowledged_bytes = 400;
  limits.control_frames = 4;
  limits.open_bodies = 3;
  return limits;
}

}  // namespace

// The first byte says how long the pieces are.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = size_t{data[0]} + 1;
  ++data;
  --size;
  FrameBound whole(Limits());
  const FrameFault expected = whole.Feed(data, size, 1);
  FrameBound pieces(Limits());
  FrameFault seen = FrameFault::kNone;
  for (size_t at = 0; at < size; at += piece) {
    const FrameFault now = pieces.Feed(data + at, piece < size - at ? piece : size - at, 1);
    Require(seen == FrameFault::kNone || now == seen);
    seen = now;
  }
  Require(seen == expected && pieces.frames() == whole.frames() && pieces.called() == whole.called());
  Require(pieces.open_body_bytes() == whole.open_body_bytes() &&
          whole.open_body_bytes() <= size + Limits().frame_bytes);
  return 0;
}
