// What a row that cannot be read is answered with.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace consent::service {

// STORE_UNREADABLE.
absl::Status StoreUnreadable();
// INTERNAL. `what` begins the sentence and names no id: "a data system's row".
absl::Status DamagedRow(std::string_view what);

}  // namespace consent::service
