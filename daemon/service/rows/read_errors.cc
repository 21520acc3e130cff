#include "daemon/service/rows/read_errors.h"

#include <string>

#include "daemon/wire/errors.h"

namespace consent::service {

absl::Status StoreUnreadable() {
  return wire::MakeError(v1::ERROR_REASON_STORE_UNREADABLE, "the store could not be read; the daemon's log says why");
}

absl::Status DamagedRow(std::string_view what) {
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, std::string(what) + " is damaged");
}

}  // namespace consent::service
