// The bytes of one scope within a subject's facts, and of the times in them. Private to this folder; pure.
#pragma once

#include "daemon/base/bytes.h"
#include "daemon/domain/types.h"

namespace consent::domain::internal {

// Seven bytes reach the year 4253; whatever does not fit follows an escape.
inline constexpr uint64_t kTimeEscape = (uint64_t{1} << 56) - 1;

inline void PutTime(base::Encoder& out, Instant t) {
  if (t.micros >= 0 && static_cast<uint64_t>(t.micros) < kTimeEscape) {
    out.BigEndian(static_cast<uint64_t>(t.micros), 7);
    return;
  }
  out.BigEndian(kTimeEscape, 7);
  out.BigEndian(static_cast<uint64_t>(t.micros), 8);
}

// A real time, unset or kEndOfTime; what else the bytes may hold would overflow where months are added.
inline Instant GetTime(base::Decoder& in) {
  const uint64_t micros = in.BigEndian(7);
  if (micros != kTimeEscape) return Instant{static_cast<int64_t>(micros)};
  const Instant far{static_cast<int64_t>(in.BigEndian(8))};
  const bool real = far <= base::kLastInstant || far == base::kEndOfTime;
  if (far.micros < static_cast<int64_t>(kTimeEscape) || !real) in.Fail();
  return far;
}

inline base::Date GetDate(base::Decoder& in) {
  const base::Date date{static_cast<int32_t>(in.BigEndian(4))};
  if (date < base::kFirstDate || date > base::kLastDate) in.Fail();
  return date;
}

// A time that is written only where it is set.
inline Instant GetSetTime(base::Decoder& in) {
  const Instant time = GetTime(in);
  if (!time.IsSet()) in.Fail();
  return time;
}

void PutScope(base::Encoder& out, const ScopeFacts& scope);
// `is_account`: the first scope of a record, and no other, is the account. What PutScope does not write fails.
void GetScope(base::Decoder& in, bool is_account, ScopeFacts* scope);

}  // namespace consent::domain::internal
