#include "daemon/service/registry/confirm_clock.h"

#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {

absl::StatusOr<base::TrustedClock::View> ConfirmClock(Core& core, base::Instant stated) {
  if (!core.time.Confirm(stated)) {
    return wire::MakeError(
        v1::ERROR_REASON_CLOCK_DISAGREES,
        "the server's clock is over an hour away from the time that was named: set the clock, then confirm it",
        {{"wall", base::FormatRfc3339(core.time.Look().wall)}});
  }
  if (!core.store.SaveClock().ok()) return StoreUnreadable();
  return core.time.Look();
}

}  // namespace consent::service
