#include "daemon/service/registry/confirm_clock.h"

#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {

absl::StatusOr<base::TrustedClock::View> ConfirmClock(Context& context, base::Instant stated) {
  if (!context.time.Confirm(stated)) {
    return wire::MakeError(
        v1::ERROR_REASON_CLOCK_DISAGREES,
        "the server's clock is over an hour away from the time that was named: set the clock, then confirm it",
        {{"wall", base::FormatRfc3339(context.time.Look().wall)}});
  }
  if (!context.store.SaveClock().ok()) return StoreUnreadable();
  return context.time.Look();
}

}  // namespace consent::service
