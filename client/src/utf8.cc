#include "client/src/utf8.h"

#include <cstdint>

namespace consent {
namespace {

// Length of the sequence that starts with `lead` and the bounds of its second byte; 0: not a lead byte.
int SequenceLength(uint8_t lead, uint8_t* second_low, uint8_t* second_high) {
  *second_low = 0x80;
  *second_high = 0xBF;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) {
    if (lead == 0xE0) *second_low = 0xA0;
    if (lead == 0xED) *second_high = 0x9F;
    return 3;
  }
  if (lead == 0xF0) *second_low = 0x90;
  if (lead == 0xF4) *second_high = 0x8F;
  return 4;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint8_t low = 0;
    uint8_t high = 0;
    const int length = SequenceLength(static_cast<uint8_t>(text[at]), &low, &high);
    if (length == 0 || text.size() - at < static_cast<size_t>(length)) return false;
    for (int i = 1; i < length; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + static_cast<size_t>(i)]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xBF;
    }
    at += static_cast<size_t>(length);
  }
  return true;
}

}  // namespace consent
