// What a stretch of one thread's work cost, however busy the machine is.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <ctime>

namespace consent::test {

// Of the thread that makes it, from then on. getrusage(2), clock_gettime(2).
class ThreadCost {
 public:
  // Processor time: what the thread did not run for does not count.
  std::chrono::nanoseconds processor() const { return Processor() - began_; }
  // How often the thread gave its processor away because it had to wait for something.
  long waits() const { return Waits() - waited_; }

 private:
  static std::chrono::nanoseconds Processor() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }
  static long Waits() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  }

  const std::chrono::nanoseconds began_ = Processor();
  const long waited_ = Waits();
};

}  // namespace consent::test
