// Flags of a recording: a list on the wire, bits in the domain.
#pragma once

#include <cstdint>

#include <google/protobuf/repeated_field.h>

#include "consent/v1/types.pb.h"
#include "daemon/domain/types.h"
#include "daemon/wire/fields.h"

namespace consent::wire {

inline constexpr int kFlags = 4;

// The bit of one flag; 0: no such flag.
constexpr uint8_t FlagBit(int flag) {
  switch (flag) {
    case v1::FLAG_CRITICAL_DATA:
      return domain::Flags::kCriticalData;
    case v1::FLAG_SAFETY:
      return domain::Flags::kSafety;
    case v1::FLAG_ACCIDENTAL:
      return domain::Flags::kAccidental;
    case v1::FLAG_CHILD_PRESENT:
      return domain::Flags::kChildPresent;
    default:
      return 0;
  }
}

// The flags of a list of `min`..`max`; each must be known and not the zero value. Those that are stand in the result
// whatever the others.
inline uint8_t ReadFlags(const google::protobuf::RepeatedField<int>& flags, int min, int max, const Path& parent,
                         Violations* violations) {
  uint8_t bits = 0;
  if (flags.size() < min || flags.size() > max) {
    CheckCount(flags.size(), min, max, Path(parent, "flags"), violations);
    return 0;
  }
  for (int i = 0; i < flags.size(); ++i) {
    const uint8_t bit = FlagBit(flags[i]);
    if (bit == 0) CheckChosen(flags[i], v1::Flag_IsValid, Path(parent, "flags", i), violations);
    bits = static_cast<uint8_t>(bits | bit);
  }
  return bits;
}

}  // namespace consent::wire
