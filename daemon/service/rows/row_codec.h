// What the codecs of several rows share. Private to this folder; pure; thread-safe.
#pragma once

#include <cstdint>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/domain/deletion.h"

namespace consent::service {

inline constexpr size_t kMaxLabelBytes = 64;
inline constexpr size_t kMaxTextBytes = 256;
// Of a request's part and of a task, beside the outcome: a lease ended without a report of its end.
inline constexpr uint8_t kLeasedBeforeBit = 128;

// Microseconds as a varint; unset is 0.
inline void PutTime(base::Encoder& out, base::Instant time) { out.Varint(static_cast<uint64_t>(time.micros)); }
inline base::Instant GetTime(base::Decoder& in) {
  const uint64_t micros = in.Varint();
  if (micros > static_cast<uint64_t>(INT64_MAX)) in.Fail();
  return base::Instant{static_cast<int64_t>(micros)};
}

inline void PutTimes(base::Encoder& out, const domain::OrderedTimes& times) {
  for (const base::Instant time : {times.from(), times.sure(), times.latest()}) PutTime(out, time);
}
inline domain::OrderedTimes GetTimes(base::Decoder& in) {
  const base::Instant from = GetTime(in);
  const base::Instant sure = GetTime(in);
  const base::Instant latest = GetTime(in);
  if (latest < from || latest < sure) in.Fail();
  return domain::OrderedTimes::Between(from, sure, latest);
}

// A digest that is often absent: a byte says whether it is there. None is all zero, so that each has one form.
inline void PutOptional(base::Encoder& out, const base::Digest& digest) {
  const bool is_there = digest != base::Digest{};
  out.Byte(is_there ? 1 : 0);
  if (is_there) out.Raw(base::View(digest));
}

inline base::Digest GetOptionalDigest(base::Decoder& in) {
  const uint8_t is_there = in.Byte();
  if (is_there == 0) return {};
  const base::Digest digest = in.Array<32>();
  if (is_there != 1 || digest == base::Digest{}) in.Fail();
  return digest;
}

}  // namespace consent::service
