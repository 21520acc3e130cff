// The keys of the decision log of a running daemon: made before a line needs them, destroyed once the policy's months
// are over.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "daemon/base/month.h"
#include "daemon/decisions/handle_keys.h"
#include "daemon/decisions/recorder.h"
#include "daemon/ops/log.h"
#include "daemon/service/erasure/month_keys.h"
#include "daemon/service/state/core.h"

namespace consent::app {

// One thread at a time. The references outlive it.
class MonthKeyKeeper {
 public:
  // Keys of the next month are made so long before it begins.
  static constexpr base::Span kAhead = base::Days(1);
  static constexpr std::chrono::milliseconds kBetweenLooks{1'000};

  MonthKeyKeeper(service::Core& core, service::MonthKeys& keys, decisions::HandleKeys& in_use,
                 decisions::Recorder& recorder, ops::Log& log)
      : core_(core), keys_(keys), in_use_(in_use), recorder_(recorder), log_(log) {}

  // Sees to it that lines of now can be written, while the log is on, and destroys what is to be destroyed; while the
  // time is in doubt nothing is destroyed. Says in the log what it could not do: until it can, nothing is on record.
  // Blocks where there is something to do. How long to rest until the next look.
  std::chrono::milliseconds Look();

 private:
  absl::Status MakeAhead(const base::Now& now);
  absl::Status DestroyOld(const base::Now& now);

  service::Core& core_;
  service::MonthKeys& keys_;
  decisions::HandleKeys& in_use_;
  decisions::Recorder& recorder_;
  ops::Log& log_;
  std::optional<base::Month> first_kept_;  // as of the last look that destroyed what is older
  std::string failure_;                    // of the last look; empty: none
};

}  // namespace consent::app
