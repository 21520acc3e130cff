// The bound on HTTP/2 frames: each limit at, below and above it, and the same verdict however the bytes are cut into
// pieces.
#include "daemon/app/frames.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace consent::app::frames_test {
namespace {

constexpr uint8_t kData = 0, kHeaders = 1, kPriority = 2, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7,
                  kWindowUpdate = 8, kContinuation = 9, kUnknown = 42;
constexpr uint8_t kNoFlags = 0, kEndStream = 1, kAck = 1, kEndHeaders = 4;
constexpr uint32_t kFrameBytes = 1 << 20;

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Frame(uint8_t type, uint8_t flags, size_t length, uint32_t stream = 1) {
  std::string frame;
  for (const size_t part : {length >> 16, length >> 8, length, size_t{type}, size_t{flags}, size_t{stream} >> 24,
                            size_t{stream} >> 16, size_t{stream} >> 8, size_t{stream}}) {
    frame.push_back(static_cast<char>(part & 0xff));
  }
  // A body that would be a frame's head of its own if it were read as one.
  return frame + std::string(length, '\x09');
}

std::string Times(size_t count, const std::string& frame) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += frame;
  return all;
}

FrameLimits Limits() {
  FrameLimits limits;
  limits.frame_bytes = kFrameBytes;
  return limits;
}

FrameFault Feed(FrameBound& bound, const std::string& bytes, int64_t now = 1) {
  return bound.Feed(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), now);
}

FrameFault Verdict(const std::string& after_preface) {
  FrameBound bound(Limits());
  return Feed(bound, kPreface + after_preface);
}

const std::string kAcknowledged = Frame(kSettings, kNoFlags, 6, 0) + Frame(kSettings, kAck, 0, 0);
const std::string kCall = Frame(kHeaders, kEndHeaders, 200) + Frame(kData, kEndStream, 100);

TEST(Frames, AnHonestConnectionGoesOn) {
  FrameBound bound(Limits());
  EXPECT_EQ(Feed(bound, kPreface), FrameFault::kNone);
  EXPECT_FALSE(bound.called());
  EXPECT_EQ(Feed(bound, kAcknowledged), FrameFault::kNone);
  EXPECT_FALSE(bound.called());
  EXPECT_EQ(Feed(bound, Times(10'000, kCall + Frame(kWindowUpdate, kNoFlags, 4))), FrameFault::kNone);
  EXPECT_TRUE(bound.called());
  EXPECT_EQ(bound.frames(), 2 + 30'000u);
  EXPECT_EQ(bound.open_body_bytes(), 0u);
}

TEST(Frames, EachWrongByteOfThePrefaceIsCut) {
  for (size_t i = 0; i < kPreface.size(); ++i) {
    std::string wrong = kPreface;
    wrong[i] ^= 1;
    FrameBound bound(Limits());
    EXPECT_EQ(Feed(bound, wrong.substr(0, i)), FrameFault::kNone) << i;
    EXPECT_EQ(Feed(bound, wrong.substr(i)), FrameFault::kPreface) << i;
  }
  FrameBound http(Limits());
  EXPECT_EQ(Feed(http, "GET / HTTP/1.1\r\n\r\n"), FrameFault::kPreface);
}

TEST(Frames, ACutIsFinal) {
  FrameBound bound(Limits());
  EXPECT_EQ(Feed(bound, kPreface + Frame(kContinuation, kEndHeaders, 1)), FrameFault::kContinuation);
  EXPECT_EQ(Feed(bound, kCall), FrameFault::kContinuation);
}

TEST(Frames, LengthOfAFrame) {
  EXPECT_EQ(Verdict(Frame(kData, kEndStream, kFrameBytes - 1)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Frame(kData, kEndStream, kFrameBytes)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Frame(kData, kEndStream, kFrameBytes + 1)), FrameFault::kFrameBytes);
  EXPECT_EQ(Verdict(Frame(kUnknown, kNoFlags, kFrameBytes + 1)), FrameFault::kFrameBytes);
}

TEST(Frames, BytesOfAHeaderBlock) {
  constexpr size_t kMost = 32 << 10;
  for (const std::string& before : {std::string(), kAcknowledged}) {
    EXPECT_EQ(Verdict(before + Frame(kHeaders, kEndHeaders, kMost - 1)), FrameFault::kNone);
    EXPECT_EQ(Verdict(before + Frame(kHeaders, kEndHeaders, kMost)), FrameFault::kNone);
    EXPECT_EQ(Verdict(before + Frame(kHeaders, kEndHeaders, kMost + 1)), FrameFault::kHeaderBlock);
    const std::string half = before + Frame(kHeaders, kNoFlags, kMost / 2);
    EXPECT_EQ(Verdict(half + Frame(kContinuation, kEndHeaders, kMost / 2)), FrameFault::kNone);
    EXPECT_EQ(Verdict(half + Frame(kContinuation, kEndHeaders, kMost / 2 + 1)), FrameFault::kHeaderBlock);
  }
  // Blocks do not add up.
  EXPECT_EQ(Verdict(kAcknowledged + Times(10, Frame(kHeaders, kEndHeaders, kMost))), FrameFault::kNone);
}

TEST(Frames, ContinuationsOfAHeaderBlock) {
  for (const std::string& before : {std::string(), kAcknowledged}) {
    const std::string open = before + Frame(kHeaders, kNoFlags, 1) + Times(7, Frame(kContinuation, kNoFlags, 0));
    EXPECT_EQ(Verdict(open + Frame(kContinuation, kEndHeaders, 0)), FrameFault::kNone);
    EXPECT_EQ(Verdict(open + Frame(kContinuation, kNoFlags, 0)), FrameFault::kNone);
    EXPECT_EQ(Verdict(open + Times(2, Frame(kContinuation, kNoFlags, 0))), FrameFault::kHeaderBlock);
    const std::string whole = Frame(kHeaders, kNoFlags, 1) + Times(7, Frame(kContinuation, kNoFlags, 0)) +
                              Frame(kContinuation, kEndHeaders, 0);
    EXPECT_EQ(Verdict(before + Times(3, whole)), FrameFault::kNone);
  }
}

TEST(Frames, NothingMayStandWithinAHeaderBlock) {
  for (const uint8_t type : {kData, kHeaders, kPriority, kReset, kSettings, kPing, kGoAway, kWindowUpdate, kUnknown}) {
    EXPECT_EQ(Verdict(Frame(kHeaders, kNoFlags, 1) + Frame(type, kEndHeaders, 4)), FrameFault::kContinuation)
        << int{type};
  }
  EXPECT_EQ(Verdict(Frame(kContinuation, kEndHeaders, 1)), FrameFault::kContinuation);
  EXPECT_EQ(Verdict(kCall + Frame(kContinuation, kEndHeaders, 1)), FrameFault::kContinuation);
}

TEST(Frames, CallsBeforeSettingsAreAcknowledged) {
  const std::string header = Frame(kHeaders, kEndHeaders | kEndStream, 10);
  EXPECT_EQ(Verdict(Times(127, header)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Times(128, header)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Times(129, header)), FrameFault::kUnacknowledged);
  // Settings of the client's own acknowledge nothing.
  EXPECT_EQ(Verdict(Times(128, header) + Frame(kSettings, kNoFlags, 0, 0) + header), FrameFault::kUnacknowledged);
  EXPECT_EQ(Verdict(Times(128, header) + Frame(kSettings, kAck, 0, 0) + Times(1000, header)), FrameFault::kNone);
}

TEST(Frames, HeaderBytesBeforeSettingsAreAcknowledged) {
  const std::string header = Frame(kHeaders, kEndHeaders | kEndStream, 16 << 10);
  EXPECT_EQ(Verdict(Times(4, header)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Times(4, header) + Frame(kHeaders, kEndHeaders, 0)), FrameFault::kNone);
  EXPECT_EQ(Verdict(Times(4, header) + Frame(kHeaders, kEndHeaders, 1)), FrameFault::kUnacknowledged);
  EXPECT_EQ(Verdict(Times(3, header) + Frame(kHeaders, kNoFlags, 16 << 10) + Frame(kContinuation, kEndHeaders, 1)),
            FrameFault::kUnacknowledged);
  EXPECT_EQ(Verdict(Times(4, header) + Frame(kSettings, kAck, 0, 0) + Times(100, header)), FrameFault::kNone);
}

TEST(Frames, ControlFramesAtATime) {
  for (const std::string& frame :
       {Frame(kReset, kNoFlags, 4), Frame(kPing, kNoFlags, 8, 0), Frame(kSettings, kNoFlags, 0, 0),
        Frame(kSettings, kAck, 0, 0), Frame(kPriority, kNoFlags, 5), Frame(kData, kNoFlags, 0),
        Frame(kGoAway, kNoFlags, 8, 0), Frame(kUnknown, kNoFlags, 0)}) {
    FrameBound bound(Limits());
    EXPECT_EQ(Feed(bound, kPreface + Times(255, frame)), FrameFault::kNone);
    EXPECT_EQ(Feed(bound, frame), FrameFault::kNone);
    FrameBound other = bound;
    EXPECT_EQ(Feed(other, frame), FrameFault::kControlFrames) << int{static_cast<uint8_t>(frame[3])};
    EXPECT_EQ(Feed(bound, Times(2, frame), 2), FrameFault::kNone) << "a millisecond lets two go";
    other = bound;
    EXPECT_EQ(Feed(other, frame, 2), FrameFault::kControlFrames);
    EXPECT_EQ(Feed(bound, Times(256, frame), 100'000), FrameFault::kNone) << "and never more than all";
    EXPECT_EQ(Feed(bound, frame, 100'000), FrameFault::kControlFrames);
  }
  FrameBound steady(Limits());
  EXPECT_EQ(Feed(steady, kPreface), FrameFault::kNone);
  for (int64_t now = 1; now <= 20'000; ++now) {
    ASSERT_EQ(Feed(steady, Times(2, Frame(kReset, kNoFlags, 4)), now), FrameFault::kNone) << now;
  }
  // A clock that stood still or went back lets nothing go and takes nothing.
  EXPECT_EQ(Feed(steady, Frame(kReset, kNoFlags, 4), 5), FrameFault::kNone);
  // What carries something, or ends something, is no control frame.
  for (const std::string& frame :
       {Frame(kWindowUpdate, kNoFlags, 4), Frame(kData, kEndStream, 0), Frame(kData, kEndStream, 1)}) {
    EXPECT_EQ(Verdict(kAcknowledged + Times(5000, frame)), FrameFault::kNone);
  }
}

TEST(Frames, RequestsThatHaveNotEndedAreCountedByTheirBytes) {
  FrameBound bound(Limits());
  EXPECT_EQ(Feed(bound, kPreface + Frame(kData, kNoFlags, 100, 1) + Frame(kData, kNoFlags, 10, 3) +
                            Frame(kData, kNoFlags, 1, 1)),
            FrameFault::kNone);
  EXPECT_EQ(bound.open_body_bytes(), 111u);
  EXPECT_EQ(Feed(bound, Frame(kData, kEndStream, 50, 1)), FrameFault::kNone);
  EXPECT_EQ(bound.open_body_bytes(), 10u);
  EXPECT_EQ(Feed(bound, Frame(kReset, kNoFlags, 4, 3) + Frame(kData, kNoFlags, 7, 5)), FrameFault::kNone);
  EXPECT_EQ(bound.open_body_bytes(), 7u);
  EXPECT_EQ(Feed(bound, Frame(kHeaders, kEndHeaders | kEndStream, 4, 5)), FrameFault::kNone) << "trailers end it, too";
  EXPECT_EQ(bound.open_body_bytes(), 0u);
}

TEST(Frames, RequestsThatHaveNotEnded) {
  std::string open;
  for (uint32_t i = 0; i < 256; ++i) open += Frame(kData, kNoFlags, 1, 2 * i + 1);
  EXPECT_EQ(Verdict(open), FrameFault::kNone);
  EXPECT_EQ(Verdict(open + Frame(kData, kNoFlags, 1, 511)), FrameFault::kNone) << "one of them goes on";
  EXPECT_EQ(Verdict(open + Frame(kData, kNoFlags, 1, 513)), FrameFault::kOpenBodies);
  EXPECT_EQ(Verdict(open + Frame(kData, kEndStream, 1, 1) + Frame(kData, kNoFlags, 1, 513)), FrameFault::kNone);
}

// Of each kind: bytes that end with the first byte at which they are cut.
std::vector<std::pair<std::string, FrameFault>> Samples() {
  const auto head = [](const std::string& frame) { return frame.substr(0, 9); };
  return {
      {kPreface + kAcknowledged + Times(20, kCall), FrameFault::kNone},
      {kPreface + kAcknowledged + head(Frame(kData, kEndStream, kFrameBytes + 1)), FrameFault::kFrameBytes},
      {kPreface + Frame(kHeaders, kNoFlags, 3) + Times(8, Frame(kContinuation, kNoFlags, 2)) +
           head(Frame(kContinuation, kNoFlags, 2)),
       FrameFault::kHeaderBlock},
      {kPreface + kCall + Frame(kHeaders, kNoFlags, 3) + head(Frame(kPing, kNoFlags, 8)), FrameFault::kContinuation},
      {kPreface + Times(128, Frame(kHeaders, kEndHeaders, 1)) + head(Frame(kHeaders, kEndHeaders, 1)),
       FrameFault::kUnacknowledged},
      {kPreface + Times(256, Frame(kReset, kNoFlags, 0)) + head(Frame(kReset, kNoFlags, 4)),
       FrameFault::kControlFrames}};
}

TEST(Frames, SplitAtEveryByte) {
  for (const auto& [bytes, fault] : Samples()) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      FrameBound bound(Limits());
      ASSERT_EQ(Feed(bound, bytes.substr(0, i)), FrameFault::kNone) << FrameFaultName(fault) << " at " << i;
      ASSERT_EQ(Feed(bound, bytes.substr(i)), fault) << FrameFaultName(fault) << " at " << i;
    }
  }
}

TEST(Frames, RandomPiecesAreAsGoodAsTheWhole) {
  std::mt19937_64 random(20261127);
  constexpr uint8_t kTypes[] = {kData,  kData,     kHeaders, kHeaders,      kContinuation,
                                kReset, kSettings, kPing,    kWindowUpdate, kUnknown};
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = kPreface;
    for (size_t i = 0; i < 30; ++i) {
      const uint8_t flags = random() % 8 == 0 ? kNoFlags : kEndHeaders | kEndStream;
      bytes += Frame(kTypes[random() % std::size(kTypes)], flags, random() % 5 == 0 ? random() % 20'000 : random() % 40,
                     random() % 8);
    }
    FrameBound whole(Limits());
    const FrameFault expected = Feed(whole, bytes);
    FrameBound pieces(Limits());
    FrameFault seen = FrameFault::kNone;
    for (size_t at = 0; at < bytes.size() && seen == FrameFault::kNone;) {
      const size_t size = std::min<size_t>(bytes.size() - at, random() % (random() % 2 == 0 ? 12 : 5000));
      seen = Feed(pieces, bytes.substr(at, size));
      at += size;
    }
    ASSERT_EQ(seen, expected) << "round " << round;
    ASSERT_EQ(pieces.frames(), whole.frames());
    ASSERT_EQ(pieces.open_body_bytes(), whole.open_body_bytes());
  }
}

}  // namespace
}  // namespace consent::app::frames_test
