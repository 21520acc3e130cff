#include "client/cli/task_output.h"

#include <algorithm>

#include "consent/purge.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"

namespace consent::cli {
namespace {

// Both sides have the bound: a count that is taken here is taken there.
static_assert(kMaxErasedCount == base::kMaxErasedCount);
constexpr int64_t kTooLarge = kMaxErasedCount + 1;
// Room for blanks around a number.
constexpr size_t kMostKept = 64;
constexpr std::string_view kBlanks = " \t\r";

}  // namespace

TaskOutput::TaskOutput() { crypto_hash_sha256_init(&hash_); }

void TaskOutput::Add(std::string_view bytes) {
  if (bytes.empty()) return;
  empty_ = false;
  crypto_hash_sha256_update(&hash_, base::Unsigned(bytes), bytes.size());
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    // One more than is kept marks a line as too long.
    line_.append(bytes.substr(0, std::min(end, kMostKept + 1 - line_.size())));
    if (end == bytes.size()) return;
    before_ = std::move(line_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

std::optional<int64_t> TaskOutput::LastNumber() const { return IsTooLarge() ? std::nullopt : Number(); }

bool TaskOutput::IsTooLarge() const { return Number() == kTooLarge; }

std::optional<int64_t> TaskOutput::Number() const {
  std::string_view text = line_.empty() ? before_ : line_;
  if (text.size() > kMostKept) return {};
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  text = text.substr(0, text.find_last_not_of(kBlanks) + 1);
  if (text.empty()) return {};
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    number = std::min(number * 10 + (c - '0'), kTooLarge);
  }
  return number;
}

std::string TaskOutput::Hash() {
  if (empty_) return "";
  base::Digest digest{};
  crypto_hash_sha256_final(&hash_, digest.data());
  return std::string(base::View(digest));
}

}  // namespace consent::cli
