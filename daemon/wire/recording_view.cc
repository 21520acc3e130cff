#include "daemon/wire/recording_view.h"

#include <cstring>
#include <utility>

namespace consent::wire {
namespace {

// Of protobuf's encoding; a tag is field number * 8 + wire type, one byte for the numbers 1 to 15.
constexpr int kVarint = 0;
constexpr int kBytes = 2;
constexpr uint8_t kMore = 0x80;

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool AtEnd() const { return at_ == end_; }

  // Below 128.
  bool Byte(uint8_t* out) {
    if (at_ == end_) return false;
    *out = static_cast<uint8_t>(*at_++);
    return *out < kMore;
  }

  // Nine bytes at most: 63 bits.
  bool Varint(int64_t* out) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && at_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < kMore) {
        *out = static_cast<int64_t>(value);
        return byte != 0 || shift == 0;
      }
    }
    return false;
  }

  // Up to 127 bytes behind their length.
  bool Bytes(std::string_view* out) {
    uint8_t size = 0;
    if (!Byte(&size) || end_ - at_ < size) return false;
    *out = std::string_view(at_, size);
    at_ += size;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const char* at = text.data();
  size_t left = text.size();
  uint64_t high = 0;
  for (; left >= sizeof high; at += sizeof high, left -= sizeof high) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    high |= word & kHighBits;
  }
  for (; left > 0; ++at, --left) high |= static_cast<uint8_t>(*at) & kMore;
  return high == 0;
}

bool ParseTime(std::string_view bytes, google::protobuf::Timestamp* out) {
  using google::protobuf::Timestamp;
  Cursor in(bytes);
  int64_t seconds = 0;
  int64_t nanos = 0;
  while (!in.AtEnd()) {
    uint8_t tag = 0;
    if (!in.Byte(&tag)) return false;
    if (tag == Timestamp::kSecondsFieldNumber * 8 + kVarint) {
      if (!in.Varint(&seconds)) return false;
    } else if (tag == Timestamp::kNanosFieldNumber * 8 + kVarint) {
      if (!in.Varint(&nanos) || nanos > INT32_MAX) return false;
    } else {
      return false;
    }
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(nanos));
  return true;
}

}  // namespace

void RecordingView::Clear() {
  recording_id_ = account_id_ = device_id_ = region_ = {};
  profiles_ = 0;
  has_captured_at_ = has_ingested_at_ = has_uncertainty_ = false;
  captured_at_.Clear();
  ingested_at_.Clear();
  uncertainty_ = 0;
  enums_ = {};
}

bool RecordingView::TakeBytes(int field, std::string_view bytes) {
  if (field == v1::Recording::kCapturedAtFieldNumber) {
    return !std::exchange(has_captured_at_, true) && ParseTime(bytes, &captured_at_);
  }
  if (field == v1::Recording::kIngestedAtFieldNumber) {
    return !std::exchange(has_ingested_at_, true) && ParseTime(bytes, &ingested_at_);
  }
  return IsAscii(bytes) && TakeText(field, bytes);
}

bool RecordingView::TakeText(int field, std::string_view text) {
  switch (field) {
    case v1::Recording::kRecordingIdFieldNumber:
      recording_id_ = text;
      return true;
    case v1::Recording::kAccountIdFieldNumber:
      account_id_ = text;
      return true;
    case v1::Recording::kProfileIdsFieldNumber:
      if (profiles_ == kProfiles) return false;
      profile_ids_[static_cast<size_t>(profiles_++)] = text;
      return true;
    case v1::Recording::kDeviceIdFieldNumber:
      device_id_ = text;
      return true;
    case v1::Recording::kRegionFieldNumber:
      region_ = text;
      return true;
    default:
      return false;
  }
}

bool RecordingView::Parse(std::string_view bytes) {
  Clear();
  Cursor in(bytes);
  while (!in.AtEnd()) {
    uint8_t tag = 0;
    if (!in.Byte(&tag)) return false;
    const int field = tag >> 3;
    const int type = tag & 7;
    if (type == kBytes) {
      std::string_view content;
      if (!in.Bytes(&content) || !TakeBytes(field, content)) return false;
    } else if (type == kVarint && field >= kFirstEnum) {
      if (!in.Byte(&enums_[static_cast<size_t>(field - kFirstEnum)])) return false;
    } else if (type == kVarint && field == v1::Recording::kCapturedUncertaintyMsFieldNumber) {
      has_uncertainty_ = true;
      if (!in.Varint(&uncertainty_)) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace consent::wire
