#include "daemon/domain/types.h"

namespace consent::domain {
namespace {

constexpr uint32_t kBase = 37;
constexpr uint32_t kSubdivision = kBase * kBase * kBase;

// 1..26 for letters, 27..36 for digits, 0 for anything else.
uint32_t Digit(char c, bool digits_too) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint32_t>(c - 'A') + 1;
  if (digits_too && c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0') + 27;
  return 0;
}

char Character(uint32_t digit) { return static_cast<char>(digit <= 26 ? 'A' + (digit - 1) : '0' + (digit - 27)); }

}  // namespace

bool Region::Parse(std::string_view text, Region* out) {
  const bool has_subdivision = text.size() > 2;
  if (text.size() < 2 || text.size() > 6 || (has_subdivision && (text.size() < 4 || text[2] != '-'))) return false;
  uint32_t packed = 0;
  for (int i = 0; i < 2; ++i) {
    const uint32_t digit = Digit(text[i], false);
    if (digit == 0) return false;
    packed = packed * kBase + digit;
  }
  for (size_t i = 3; i < 6; ++i) {
    const bool present = i < text.size();
    const uint32_t digit = present ? Digit(text[i], true) : 0;
    if (present && digit == 0) return false;
    packed = packed * kBase + digit;
  }
  *out = FromPacked(packed);
  return true;
}

Region Region::Country() const { return FromPacked(packed_ / kSubdivision * kSubdivision); }

std::string Region::ToString() const {
  std::string text;
  if (!IsSet()) return text;
  uint32_t divisor = kBase * kSubdivision;
  for (int i = 0; i < 5; ++i, divisor /= kBase) {
    const uint32_t digit = packed_ / divisor % kBase;
    if (digit == 0) break;
    if (i == 2) text.push_back('-');
    text.push_back(Character(digit));
  }
  return text;
}

const ScopeFacts* SubjectFacts::Find(ScopeKind kind, const base::Bytes16& handle) const {
  if (kind == ScopeKind::kAccount) return &scopes[0];
  for (const ScopeFacts& scope : scopes) {
    if (scope.kind == kind && scope.handle == handle) return &scope;
  }
  return nullptr;
}

ScopeFacts* SubjectFacts::Find(ScopeKind kind, const base::Bytes16& handle) {
  return const_cast<ScopeFacts*>(static_cast<const SubjectFacts*>(this)->Find(kind, handle));
}

}  // namespace consent::domain
