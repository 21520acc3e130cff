#include "consent/clock.h"

#include <ctime>

#include "daemon/base/random.h"

namespace consent {
namespace {

class SystemClock final : public Clock {
 public:
  std::chrono::nanoseconds SinceBoot() const override {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  void Sleep(std::chrono::nanoseconds time) override {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    timespec left{};
    left.tv_sec = static_cast<time_t>(seconds.count());
    left.tv_nsec = static_cast<long>((time - seconds).count());
    while (::nanosleep(&left, &left) != 0) {
    }
  }
};

class KernelRandom final : public Random {
 public:
  void Fill(void* out, size_t size) override { source_.Fill(out, size); }

 private:
  base::SystemRandom source_;
};

}  // namespace

std::shared_ptr<Clock> Clock::System() { return std::make_shared<SystemClock>(); }
std::shared_ptr<Random> Random::System() { return std::make_shared<KernelRandom>(); }

}  // namespace consent
