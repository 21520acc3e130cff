#include "daemon/base/nearest_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace consent::base {
namespace {

constexpr size_t kLeastBytes = 3;

// As names are compared: case and the kind of dash do not count.
char Folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

bool BeginsWith(std::string_view name, std::string_view beginning) {
  return name.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), name.begin(),
                                                       [](char a, char b) { return Folded(a) == Folded(b); });
}

// The optimal string alignment distance, row by row: insertion, deletion, substitution, swap of neighbours, one each.
// Both have at most kMaxNearBytes.
size_t Mistakes(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, kMaxNearBytes + 1>;
  Row before_last{};
  Row last{};
  Row row{};
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Folded(a[i - 1]) == Folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && Folded(a[i - 1]) == Folded(b[j - 2]) && Folded(a[i - 2]) == Folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string_view> NearestName(std::string_view given, absl::Span<const std::string_view> known) {
  std::optional<std::string_view> nearest;
  if (given.empty() || given.size() > kMaxNearBytes) return nearest;
  size_t fewest = kMaxNearBytes + 1;
  for (const std::string_view name : known) {
    if (name.empty() || name.size() > kMaxNearBytes) continue;
    const size_t mistakes = Mistakes(given, name);
    const bool is_begun = given.size() >= kLeastBytes && BeginsWith(name, given);
    if ((mistakes > std::max(given.size(), name.size()) / 3 && !is_begun) || mistakes >= fewest) continue;
    nearest = name;
    fewest = mistakes;
  }
  return nearest;
}

}  // namespace consent::base
