// Calendar months of UTC, and the names of keys of which each month has its own.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/time.h"

namespace consent::base {

// A calendar month of UTC, of the years 1970 to 9999.
class Month {
 public:
  Month() = default;
  // Of a set instant.
  static Month Of(Instant t);
  // "2026-11". Nothing of any other text.
  static std::optional<Month> Parse(std::string_view text);
  std::string ToText() const;
  // So many months later, or earlier; at most the last and at least the first that there is.
  Month Plus(int months) const;
  auto operator<=>(const Month&) const = default;

 private:
  int year_ = 1970;
  int number_ = 1;  // 1..12
};

// The name of a month's key. A month may have several: one that was lost with a store, and the one that the restored
// store drew. The number is of chance, so that no two have one name.
struct MonthKeyName {
  static constexpr size_t kBytes = 16;

  Month month;
  uint32_t number = 0;

  // "2026-11.5e0c91d2". Nothing of any other text.
  static std::optional<MonthKeyName> Parse(std::string_view text);
  std::string ToText() const;  // kBytes
  auto operator<=>(const MonthKeyName&) const = default;
};

}  // namespace consent::base
