// What a client may send on one HTTP/2 connection before gRPC looks at it: frames and header blocks are bounded here,
// because gRPC 1.51 counts metadata a frame at a time and holds no bound at all until the peer has acknowledged its
// SETTINGS. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

namespace consent::app {

// Why a connection is cut. kNone: go on.
enum class FrameFault : uint8_t {
  kNone = 0,
  kPreface = 1,         // does not begin as HTTP/2 does
  kFrameBytes = 2,      // a frame is too long
  kHeaderBlock = 3,     // a header block is too long or in too many pieces
  kContinuation = 4,    // CONTINUATION that continues nothing, or another frame inside a header block
  kUnacknowledged = 5,  // too many calls, or too large ones, before the server's SETTINGS are acknowledged
  kControlFrames = 6,   // too many frames at a time that carry nothing
  kOpenBodies = 7,      // too many requests that have begun and not ended
};
inline constexpr size_t kFrameFaults = 8;
// As metrics and logs say it; "none" for kNone.
const char* FrameFaultName(FrameFault fault);

struct FrameLimits {
  uint32_t frame_bytes = 0;         // of one frame; above every message that is taken
  uint32_t block_bytes = 32 << 10;  // of one header block: HEADERS and its CONTINUATIONs
  uint32_t block_continuations = 8;
  uint32_t unacknowledged_headers = 128;     // HEADERS until SETTINGS are acknowledged
  uint32_t unacknowledged_bytes = 64 << 10;  // of their blocks together
  uint32_t control_frames = 256;             // at once: RST_STREAM, PING, SETTINGS, PRIORITY, empty DATA, unknown types
  uint32_t control_frames_a_second = 2000;   // of them, in the long run
  uint32_t open_bodies = 256;                // streams whose DATA has begun and not ended
};

// Follows the client's half of one connection by the nine bytes in front of each frame (RFC 9113, 4.1). Copies nothing;
// allocates only for a request that comes in more than one DATA frame. Not thread-safe.
class FrameBound {
 public:
  explicit FrameBound(const FrameLimits& limits) : limits_(limits) {}

  // The next bytes that the client sent, in whatever pieces; `now` is the time in milliseconds and does not go back.
  // Anything but kNone is final: the bytes of this call and all later ones must not be passed on.
  FrameFault Feed(const uint8_t* bytes, size_t size, int64_t now);

  uint64_t frames() const { return frames_; }  // whose heads were seen
  bool called() const { return called_; }      // a request has begun
  // Bytes of requests that have begun and not ended: what the server may hold for them.
  uint64_t open_body_bytes() const { return open_body_bytes_; }

 private:
  static constexpr size_t kHeadBytes = 9;

  FrameFault Fail(FrameFault fault) { return fault_ = fault; }
  // The whole head is in head_: what the frame means.
  FrameFault Begin(int64_t now);
  FrameFault BeginHeaders(uint32_t length, uint8_t flags, uint32_t stream);
  FrameFault BeginContinuation(uint32_t length, uint8_t flags);
  FrameFault AddToBlock(uint32_t length, uint8_t flags);
  FrameFault BeginData(uint32_t length, uint8_t flags, uint32_t stream, int64_t now);
  FrameFault CountControl(int64_t now);
  void EndBody(uint32_t stream);

  FrameLimits limits_;
  FrameFault fault_ = FrameFault::kNone;
  std::array<uint8_t, kHeadBytes> head_{};
  uint8_t have_ = 0;     // bytes of head_
  uint8_t preface_ = 0;  // bytes of the preface that were seen
  bool acknowledged_ = false;
  bool called_ = false;
  bool in_block_ = false;  // a header block has begun and not ended
  uint32_t left_ = 0;      // bytes of this frame that are yet to come
  uint32_t block_ = 0;     // bytes of this header block
  uint32_t pieces_ = 0;    // its CONTINUATIONs
  uint32_t early_headers_ = 0;
  uint32_t early_bytes_ = 0;
  int64_t control_ = 0;  // thousandths of control frames that are held against the client
  int64_t counted_at_ = 0;
  uint64_t frames_ = 0;
  uint64_t open_body_bytes_ = 0;
  std::map<uint32_t, uint64_t> bodies_;  // stream -> bytes so far
};

}  // namespace consent::app
