// Where the library takes time and chance from. Injected so that tests need not wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "consent/export.h"
#include "consent/types.h"

namespace consent {

// Thread-safe.
class CONSENT_EXPORT Clock {
 public:
  virtual ~Clock() = default;
  // Time since some fixed moment; goes on while the machine sleeps and is never set (CLOCK_BOOTTIME).
  virtual std::chrono::nanoseconds SinceBoot() const = 0;
  // Returns after `time`.
  virtual void Sleep(std::chrono::nanoseconds time) = 0;

  static std::shared_ptr<Clock> System();
};

// Thread-safe.
class CONSENT_EXPORT Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* out, size_t size) = 0;

  // The kernel's generator.
  static std::shared_ptr<Random> System();
};

}  // namespace consent
