#include "daemon/base/month.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent::base {
namespace {

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 9999;
constexpr int kMonthsOfYear = 12;
constexpr size_t kYearDigits = 4;
constexpr size_t kMonthBytes = 7;
constexpr size_t kNumberBytes = 4;

bool ReadNumber(std::string_view text, int* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Month Month::Of(Instant t) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(t.micros)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  Month month;
  month.year_ = static_cast<int>(date.year());
  month.number_ = static_cast<int>(static_cast<unsigned>(date.month()));
  return month;
}

std::optional<Month> Month::Parse(std::string_view text) {
  Month month;
  if (text.size() != kMonthBytes || text[kYearDigits] != '-' ||
      !ReadNumber(text.substr(0, kYearDigits), &month.year_) ||
      !ReadNumber(text.substr(kYearDigits + 1), &month.number_)) {
    return std::nullopt;
  }
  if (month.year_ < kFirstYear || month.number_ < 1 || month.number_ > kMonthsOfYear) return std::nullopt;
  return month;
}

std::string Month::ToText() const {
  std::string text = std::to_string(year_);
  text.append(number_ < 10 ? "-0" : "-").append(std::to_string(number_));
  return text;
}

Month Month::Plus(int months) const {
  constexpr int64_t kFirst = int64_t{kFirstYear} * kMonthsOfYear;
  constexpr int64_t kLast = int64_t{kLastYear} * kMonthsOfYear + kMonthsOfYear - 1;
  const int64_t count = std::clamp(int64_t{year_} * kMonthsOfYear + number_ - 1 + months, kFirst, kLast);
  Month month;
  month.year_ = static_cast<int>(count / kMonthsOfYear);
  month.number_ = static_cast<int>(count % kMonthsOfYear) + 1;
  return month;
}

std::optional<MonthKeyName> MonthKeyName::Parse(std::string_view text) {
  if (text.size() != kBytes || text[kMonthBytes] != '.') return std::nullopt;
  const std::optional<Month> month = Month::Parse(text.substr(0, kMonthBytes));
  const std::string_view digits = text.substr(kMonthBytes + 1);
  std::string bytes(kNumberBytes, '\0');
  if (!month.has_value() || !FromHex(digits, bytes.data(), bytes.size())) return std::nullopt;
  const MonthKeyName name{*month, static_cast<uint32_t>(Decoder(bytes).BigEndian(kNumberBytes))};
  // One name has one text: FromHex may take capitals, too.
  if (name.ToText() != text) return std::nullopt;
  return name;
}

std::string MonthKeyName::ToText() const {
  std::string bytes;
  Encoder(&bytes).BigEndian(number, kNumberBytes);
  return month.ToText() + "." + Hex(bytes);
}

}  // namespace consent::base
