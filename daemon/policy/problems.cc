#include "daemon/policy/problems.h"

#include "absl/strings/ascii.h"

namespace consent::policy {

bool IsControlCharacter(char c) {
  const auto u = static_cast<unsigned char>(c);
  return absl::ascii_islower(u) || absl::ascii_isdigit(u) || c == '_';
}
bool IsRegimeCharacter(char c) { return IsControlCharacter(c) || c == '-'; }

}  // namespace consent::policy
