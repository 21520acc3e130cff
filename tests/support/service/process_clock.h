// The trusted clock of one process after another.
#pragma once

#include <memory>
#include <optional>

#include "daemon/base/trusted_clock.h"

namespace consent::test {

// Thread-safe, apart from Begin. A clock for a store that outlives its processes; what each knew goes on to the next,
// as in a head file.
class ProcessClock final : public base::Clock {
 public:
  explicit ProcessClock(const base::Clock& system) : system_(system) { Begin(base::Instant{}); }
  base::Instant Now() const override { return time_->Now(); }
  base::Span SinceBoot() const override { return time_->SinceBoot(); }

  base::TrustedClock& time() { return *time_; }
  // The next process, whose store's last stamp is `last_stamp`. Nobody may use the clock of the one before.
  void Begin(base::Instant last_stamp) {
    std::optional<base::ClockRecord> before;
    if (time_ != nullptr) before = time_->Tick();
    base::BootId boot{};
    boot[0] = boot_;
    time_ = std::make_unique<base::TrustedClock>(system_, boot, base::ClockBounds{});
    if (before) time_->Resume(before, last_stamp);
  }
  void CountBoot() { ++boot_; }

 private:
  const base::Clock& system_;
  uint8_t boot_ = 1;
  std::unique_ptr<base::TrustedClock> time_;
};

}  // namespace consent::test
