#include "daemon/base/trace_id.h"

#include <algorithm>

#include "daemon/base/hash.h"

namespace consent::base {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::optional<TraceId> TraceId::FromTraceparent(std::string_view value) {
  if (value.size() != kTraceparentBytes || value.substr(0, 3) != "00-" || value[35] != '-' || value[52] != '-') {
    return std::nullopt;
  }
  const std::string_view trace = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  const std::string_view flags = value.substr(53);
  if (!IsLowerHex(trace) || !IsLowerHex(parent) || !IsLowerHex(flags) || IsZero(trace) || IsZero(parent)) {
    return std::nullopt;
  }
  Bytes16 bytes{};
  if (!FromHex(trace, bytes.data(), bytes.size())) return std::nullopt;
  return TraceId(bytes);
}

std::string TraceId::ToText() const { return Hex(View(bytes_)); }

}  // namespace consent::base
