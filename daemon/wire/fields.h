// Checks and conversions of the pieces that several requests share. Each adds what is wrong to a Violations and goes
// on, so that a caller hears of all faults at once; what it returns is meaningful only if nothing was added.
//
// All functions are total, thread-safe and allocate nothing unless they find a fault. Messages come from the parser,
// which for proto3 has already refused text that is not UTF-8 (diagnose.h names the field).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include "consent/v1/types.pb.h"
#include "daemon/base/bounds.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"
#include "daemon/wire/violations.h"

namespace consent::wire {

using base::kDefaultPageSize;
using base::kMaxBatch;
using base::kMaxLanguageBytes;
using base::kMaxNameBytes;
using base::kMaxPageSize;
using base::kMaxParts;
using base::kMaxReferenceBytes;
using base::kMaxRequestIdBytes;
using base::kMaxTokenBytes;
using base::kMinLanguageBytes;

// `min`..`max` bytes.
inline void CheckText(std::string_view text, size_t min, size_t max, const Path& at, Violations* violations);
// 1..128 bytes.
inline void CheckId(std::string_view id, const Path& at, Violations* violations);
// `min`..`max` bytes of [A-Za-z0-9._-].
void CheckLabel(std::string_view text, size_t min, size_t max, const Path& at, Violations* violations);
// A data system's (base/names.h).
void CheckSystemName(const std::string& name, const Path& at, Violations* violations);
// False where the count is out of bounds: then do not look at the items.
bool CheckCount(int count, int min, int max, const Path& at, Violations* violations);
void CheckRange(int64_t value, int64_t min, int64_t max, const Path& at, Violations* violations);
// A number that the enum has. `is_valid` is protobuf's generated E_IsValid. proto3 lets any number through its parser.
inline void CheckEnum(int value, bool (*is_valid)(int), const Path& at, Violations* violations);
// As CheckEnum, and not the zero value.
void CheckChosen(int value, bool (*is_valid)(int), const Path& at, Violations* violations);

// Neither unset nor the end of time, which stand for no time at all and must never be told as one.
inline bool IsTime(base::Instant time) { return time.IsSet() && time != base::kEndOfTime; }

// Years 1970 to 9999.
inline constexpr int64_t kLastSecond = base::kLastInstant.micros / 1'000'000;
inline constexpr int64_t kLastNano = 999'999'999;
// Of seconds and nanoseconds from 0 to these, cut to microseconds. The very first microsecond of 1970 becomes the
// second one, because a zero Instant means "not set".
constexpr base::Instant ToInstant(int64_t seconds, int64_t nanos) {
  return std::clamp(base::Instant{seconds * 1'000'000 + nanos / 1'000}, base::Instant{1}, base::kLastInstant);
}
// The same, with these bounds checked.
base::Instant ReadTimestamp(const google::protobuf::Timestamp& time, const Path& at, Violations* violations);
// Of something that has happened. A client's clock may be a minute ahead.
void CheckPast(base::Instant time, base::Instant now, const Path& at, Violations* violations);
void WriteTimestamp(base::Instant time, google::protobuf::Timestamp* out);

// Absent means source audio; everything else is a copy.
constexpr bool IsSource(int artefact) {
  return artefact == v1::ARTEFACT_UNSPECIFIED || artefact == v1::ARTEFACT_SOURCE;
}

// `DE` or `US-CA`.
domain::Region ReadRegion(std::string_view text, const Path& at, Violations* violations);
// `DE` only.
domain::Region ReadCountry(std::string_view text, const Path& at, Violations* violations);
// Refuses a code that nothing of the store can have, such as UK: what is said of it would concern nobody.
void CheckAssigned(domain::Region region, const Path& at, Violations* violations);

// Adds a fault for each field whose bytes had another wire type than declared, anywhere in the message. The parser
// keeps those as unknown fields, and so would drop, say, a flag that forbids. Numbers that this version does not
// declare are left alone: they are a newer client's. Costs a walk by reflection; lists longer than kMaxBatch are passed
// over, as their length is refused anyway.
void RefuseMistyped(const google::protobuf::Message& message, const Path& at, Violations* violations);

// The same of the message's own fields only, not of the messages in them.
void RefuseMistypedHere(const google::protobuf::Message& message, const Path& at, Violations* violations);

// How the faults read; used by the inline checks.
void AddLengthFault(size_t min, size_t max, const Path& at, Violations* violations);
void AddEnumFault(bool (*is_valid)(int), const Path& at, Violations* violations);

inline void CheckText(std::string_view text, size_t min, size_t max, const Path& at, Violations* violations) {
  if (text.size() < min || text.size() > max) AddLengthFault(min, max, at, violations);
}

// Empty where it cannot be used, which is told: the request then has none.
inline std::string ReadRequestId(const std::string& id, size_t min, const Path& at, Violations* violations) {
  CheckText(id, min, kMaxRequestIdBytes, at, violations);
  return id.size() <= kMaxRequestIdBytes ? id : "";
}
inline void CheckId(std::string_view id, const Path& at, Violations* violations) {
  CheckText(id, 1, base::kMaxIdBytes, at, violations);
}
inline void CheckEnum(int value, bool (*is_valid)(int), const Path& at, Violations* violations) {
  if (!is_valid(value)) AddEnumFault(is_valid, at, violations);
}

}  // namespace consent::wire
