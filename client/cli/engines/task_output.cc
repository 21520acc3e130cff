#include "client/cli/engines/task_output.h"

#include <algorithm>
#include <utility>

#include "consent/purge.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"

namespace consent::cli {
namespace {

// Both sides have the bound: a count that is taken here is taken there.
static_assert(kMaxErasedCount == base::kMaxErasedCount);
constexpr int64_t kTooLarge = kMaxErasedCount + 1;

}  // namespace

void TaskOutput::Line::Add(char c) {
  empty = false;
  if (text.size() < kMaxLineBytes) text.push_back(c);
  const bool is_blank = c == ' ' || c == '\t' || c == '\r';
  const bool is_digit = c >= '0' && c <= '9';
  switch (part) {
    case Part::kBefore:
      if (is_blank) return;
      part = is_digit ? Part::kDigits : c == '-' ? Part::kMinus : Part::kNone;
      begins_as_number = is_digit || c == '-' || c == '+' || c == '.';
      break;
    case Part::kMinus:
      part = is_digit ? Part::kDigits : Part::kNone;
      below_zero = true;
      break;
    case Part::kDigits:
      if (!is_digit) part = is_blank ? Part::kAfter : Part::kNone;
      break;
    case Part::kAfter:
      if (!is_blank) part = Part::kNone;
      break;
    case Part::kNone:
      return;
  }
  if (is_digit) number = std::min(number * 10 + (c - '0'), kTooLarge);
}

TaskOutput::TaskOutput() { crypto_hash_sha256_init(&hash_); }

void TaskOutput::Add(std::string_view bytes) {
  if (bytes.empty()) return;
  empty_ = false;
  crypto_hash_sha256_update(&hash_, base::Unsigned(bytes), bytes.size());
  for (const char c : bytes) {
    if (c == '\n') {
      before_ = std::move(line_);
      line_ = Line();
    } else {
      line_.Add(c);
    }
  }
}

bool TaskOutput::IsNumber() const { return Last().part == Line::Part::kDigits || Last().part == Line::Part::kAfter; }

std::optional<int64_t> TaskOutput::LastNumber() const {
  if (!IsNumber() || IsNoCount()) return std::nullopt;
  return Last().number;
}

bool TaskOutput::IsNoCount() const {
  return IsNumber() && (Last().number == kTooLarge || (Last().below_zero && Last().number != 0));
}

bool TaskOutput::IsAlmostNumber() const { return Last().begins_as_number && !IsNumber(); }

std::string TaskOutput::LastLine() const {
  constexpr char kBlankBytes[] = " \t\r";
  const std::string& text = Last().text;
  const size_t from = text.find_first_not_of(kBlankBytes);
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(kBlankBytes) + 1 - from);
}

std::string TaskOutput::Hash() {
  if (empty_) return "";
  base::Digest digest{};
  crypto_hash_sha256_final(&hash_, digest.data());
  return std::string(base::View(digest));
}

}  // namespace consent::cli
