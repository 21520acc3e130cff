// What to say after a name that is not known: which one was perhaps meant, and which there are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace consent::base {

inline constexpr size_t kMaxKnownNamesBytes = 200;

// "did you mean help_improve? There are help_improve, messages_improve"; without the question where NearestName finds
// nothing, and with "and 12 more" where not all fit; "there is none" of none. Never says `given` itself, which may be
// an id. At most kMaxKnownNamesBytes where no name has over 64 bytes. Pure.
std::string KnownNames(std::string_view given, absl::Span<const std::string_view> known);

}  // namespace consent::base
