#include "daemon/base/names.h"

#include <algorithm>

#include "daemon/base/bounds.h"

namespace consent::base {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsSystemCharacter(char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

template <typename Allowed>
bool IsName(std::string_view name, Allowed allowed) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

std::string WhyNoSystemName(std::string_view name) {
  return IsName(name, IsSystemCharacter) ? "" : "is not 1 to " + std::to_string(kMaxNameBytes) + " bytes of [a-z0-9_-]";
}

std::string WhyNoCallerName(std::string_view name) {
  if (!IsName(name, [](char c) { return IsSystemCharacter(c) || c == '.'; }) || !IsLower(name.front())) {
    return "is not 1 to " + std::to_string(kMaxNameBytes) + " bytes of [a-z0-9._-] that begin with a letter";
  }
  const bool is_taken = name == kLocalCaller || name == kUnknownCaller || name == kOtherCallers;
  return is_taken ? "is taken" : "";
}

}  // namespace consent::base
