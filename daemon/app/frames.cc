#include "daemon/app/frames.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace consent::app {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113, 6.
enum FrameType : uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kWindowUpdate = 8, kContinuation = 9 };
constexpr uint8_t kAck = 0x1;         // of SETTINGS
constexpr uint8_t kEndStream = 0x1;   // of DATA and HEADERS
constexpr uint8_t kEndHeaders = 0x4;  // of HEADERS and CONTINUATION

}  // namespace

const char* FrameFaultName(FrameFault fault) {
  static constexpr const char* kNames[] = {"none",         "preface",        "frame_bytes",    "header_block",
                                           "continuation", "unacknowledged", "control_frames", "open_bodies"};
  const auto index = static_cast<size_t>(fault);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

FrameFault FrameBound::Feed(const uint8_t* bytes, size_t size, int64_t now) {
  if (fault_ != FrameFault::kNone) return fault_;
  const uint8_t* const end = bytes + size;
  for (; preface_ < kPreface.size() && bytes != end; ++bytes, ++preface_) {
    if (*bytes != static_cast<uint8_t>(kPreface[preface_])) return Fail(FrameFault::kPreface);
  }
  while (bytes != end) {
    if (left_ > 0) {
      const auto skipped = static_cast<uint32_t>(std::min<size_t>(left_, end - bytes));
      left_ -= skipped;
      bytes += skipped;
      continue;
    }
    head_[have_++] = *bytes++;
    if (have_ < kHeadBytes) continue;
    have_ = 0;
    if (Begin(now) != FrameFault::kNone) return fault_;
  }
  return FrameFault::kNone;
}

FrameFault FrameBound::Begin(int64_t now) {
  ++frames_;
  const uint32_t length = uint32_t{head_[0]} << 16 | uint32_t{head_[1]} << 8 | head_[2];
  const uint8_t type = head_[3];
  const uint8_t flags = head_[4];
  const uint32_t stream =
      (uint32_t{head_[5]} << 24 | uint32_t{head_[6]} << 16 | uint32_t{head_[7]} << 8 | head_[8]) & 0x7fffffff;
  left_ = length;
  if (length > limits_.frame_bytes) return Fail(FrameFault::kFrameBytes);
  if (in_block_ != (type == kContinuation)) return Fail(FrameFault::kContinuation);
  switch (type) {
    case kHeaders:
      return BeginHeaders(length, flags, stream);
    case kContinuation:
      return BeginContinuation(length, flags);
    case kData:
      return BeginData(length, flags, stream, now);
    case kWindowUpdate:
      return FrameFault::kNone;  // costs no more than it is long
    case kReset:
      EndBody(stream);
      break;
    case kSettings:
      if ((flags & kAck) != 0) acknowledged_ = true;
      break;
    default:
      break;
  }
  return CountControl(now);
}

FrameFault FrameBound::BeginHeaders(uint32_t length, uint8_t flags, uint32_t stream) {
  called_ = true;
  if ((flags & kEndStream) != 0) EndBody(stream);  // trailers
  if (!acknowledged_ && ++early_headers_ > limits_.unacknowledged_headers) return Fail(FrameFault::kUnacknowledged);
  block_ = 0;
  pieces_ = 0;
  return AddToBlock(length, flags);
}

FrameFault FrameBound::BeginContinuation(uint32_t length, uint8_t flags) {
  if (++pieces_ > limits_.block_continuations) return Fail(FrameFault::kHeaderBlock);
  return AddToBlock(length, flags);
}

FrameFault FrameBound::AddToBlock(uint32_t length, uint8_t flags) {
  block_ += length;  // no overflow: a length has 24 bits, and what is over the bound is the last
  if (block_ > limits_.block_bytes) return Fail(FrameFault::kHeaderBlock);
  if (!acknowledged_ && (early_bytes_ += length) > limits_.unacknowledged_bytes) {
    return Fail(FrameFault::kUnacknowledged);
  }
  in_block_ = (flags & kEndHeaders) == 0;
  return FrameFault::kNone;
}

FrameFault FrameBound::BeginData(uint32_t length, uint8_t flags, uint32_t stream, int64_t now) {
  if ((flags & kEndStream) != 0) {
    EndBody(stream);
  } else if (length > 0) {
    bodies_[stream] += length;
    open_body_bytes_ += length;
    if (bodies_.size() > limits_.open_bodies) return Fail(FrameFault::kOpenBodies);
  }
  // gRPC ends many a request with an empty frame: only one that does not is for nothing.
  return length == 0 && (flags & kEndStream) == 0 ? CountControl(now) : FrameFault::kNone;
}

FrameFault FrameBound::CountControl(int64_t now) {
  // A bucket that leaks: so many at once, and as many again as the time since has let go.
  constexpr int64_t kOne = 1000;
  const int64_t gone = std::clamp<int64_t>(now - counted_at_, 0, kOne) * limits_.control_frames_a_second;
  control_ = std::max<int64_t>(control_ - gone, 0) + kOne;
  counted_at_ = now;
  return control_ > kOne * limits_.control_frames ? Fail(FrameFault::kControlFrames) : FrameFault::kNone;
}

void FrameBound::EndBody(uint32_t stream) {
  const auto found = bodies_.find(stream);
  if (found == bodies_.end()) return;
  open_body_bytes_ -= found->second;
  bodies_.erase(found);
}

}  // namespace consent::app
