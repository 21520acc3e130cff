#include "daemon/base/clock.h"

#include <ctime>
#include <fstream>
#include <string>

namespace consent::base {
namespace {

int64_t ReadMicros(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Instant SystemClock::Now() const { return Instant{ReadMicros(CLOCK_REALTIME)}; }

Span SystemClock::SinceBoot() const { return Span{ReadMicros(CLOCK_BOOTTIME)}; }

bool ReadBootId(BootId* id) {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (!std::getline(file, text)) return false;
  size_t digits = 0;
  for (const char c : text) {
    const int digit = HexDigit(c);
    if (digit < 0) continue;
    if (digits == 2 * id->size()) return false;
    uint8_t& byte = (*id)[digits / 2];
    byte = static_cast<uint8_t>(byte << 4 | digit);
    ++digits;
  }
  return digits == 2 * id->size();
}

}  // namespace consent::base
