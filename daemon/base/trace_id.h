// The trace that a call belongs to: the trace-id of the W3C recommendation "Trace Context" (2021-11-23), section 3.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

// 16 bytes, never all zero. It comes from outside and names a caller's trace, no person. Immutable; thread-safe.
class TraceId {
 public:
  // How long a traceparent of version 00 is, in bytes.
  static constexpr size_t kTraceparentBytes = 55;

  // The trace-id of a header's value `00-<32 hex>-<16 hex>-<2 hex>`. Hex digits are in lower case, and neither the
  // trace-id nor the parent-id is all zero (sections 3.2.2.3 and 3.2.2.4). nullopt: anything else, later versions too.
  static std::optional<TraceId> FromTraceparent(std::string_view value);

  // 32 hex digits in lower case.
  std::string ToText() const;
  bool operator==(const TraceId&) const = default;

 private:
  explicit TraceId(const Bytes16& bytes) : bytes_(bytes) {}
  Bytes16 bytes_;
};

}  // namespace consent::base
