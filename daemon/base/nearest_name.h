// Which name was perhaps meant by one that nobody knows: "did you mean ...?" in what is said about it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/types/span.h"

namespace consent::base {

// Longer texts are near to nothing.
inline constexpr size_t kMaxNearBytes = 64;

// The name of `known` that `given` was perhaps meant to be: the one from which the fewest typing mistakes lead to it (a
// byte too many, missing or wrong, or two neighbours swapped). It is near where those are at most a third of the longer
// text's bytes, rounded down, or where it begins with `given` and that has three bytes or more. Capitals and small
// letters are the same, and so are `-` and `_`. Of several the first. Nothing: none is near.
// Pure, total, allocates nothing; at most kMaxNearBytes^2 steps for each name.
std::optional<std::string_view> NearestName(std::string_view given, absl::Span<const std::string_view> known);

}  // namespace consent::base
