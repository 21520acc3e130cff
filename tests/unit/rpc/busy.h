// A pool's thread that has something else to do.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <utility>

#include "daemon/service/state/pool.h"

namespace consent::test {

// Keeps one thread of a pool busy until Release, or as long as it lives.
class Busy {
 public:
  explicit Busy(service::Pool& pool) {
    EXPECT_TRUE(pool.Post([this, released = released_] {
      begun_.set_value();
      released.wait();
    }));
    begun_.get_future().wait();
  }
  ~Busy() { Release(); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

  void Release() {
    if (!std::exchange(is_released_, true)) release_.set_value();
  }

 private:
  bool is_released_ = false;
  std::promise<void> begun_;
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
};

}  // namespace consent::test
