#include "daemon/policy/problems.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace consent::policy {

bool IsControlCharacter(char c) {
  const auto u = static_cast<unsigned char>(c);
  return absl::ascii_islower(u) || absl::ascii_isdigit(u) || c == '_';
}
bool IsRegimeCharacter(char c) { return IsControlCharacter(c) || c == '-'; }

std::string PermittedOf(const google::protobuf::EnumDescriptor& values) {
  std::string text = " (permitted: ";
  for (int i = 1; i < values.value_count(); ++i) absl::StrAppend(&text, i == 1 ? "" : ", ", values.value(i)->name());
  return text + ")";
}

}  // namespace consent::policy
