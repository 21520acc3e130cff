#include "daemon/base/known_names.h"

#include <optional>

#include "daemon/base/nearest_name.h"

namespace consent::base {

std::string KnownNames(std::string_view given, absl::Span<const std::string_view> known) {
  if (known.empty()) return "there is none";
  constexpr size_t kRoomForMore = sizeof(" and 999999 more");
  std::string text;
  if (const std::optional<std::string_view> nearest = NearestName(given, known)) {
    text.append("did you mean ").append(*nearest).append("? There are ");
  } else {
    text = "there are ";
  }
  size_t named = 0;
  for (const std::string_view name : known) {
    const bool is_last = named + 1 == known.size();
    if (named > 0 && text.size() + 2 + name.size() + (is_last ? 0 : kRoomForMore) > kMaxKnownNamesBytes) break;
    text.append(named == 0 ? "" : ", ").append(name);
    ++named;
  }
  if (named < known.size()) text += " and " + std::to_string(known.size() - named) + " more";
  return text;
}

}  // namespace consent::base
