// Names that are told apart in counters, each by a number: few, and found without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "daemon/base/mutex.h"

namespace consent::ops {

// The first N names that are looked for have numbers below N, in that order; any other has N. Thread-safe. A look-up
// compares the names one after another and takes no lock; a name's first one does.
template <size_t N>
class NameTable {
 public:
  size_t IndexOf(std::string_view name) EXCLUDES(mutex_) {
    size_t index = Find(name);
    if (index == N || At(index) != nullptr) return index;
    base::MutexLock lock(mutex_);
    index = Find(name);  // another thread may have named it
    if (index == N || At(index) != nullptr) return index;
    names_[index].store(&owned_.emplace_back(name), std::memory_order_release);
    return index;
  }
  // nullptr: no name has that number so far.
  const std::string* At(size_t index) const {
    return index < N ? names_[index].load(std::memory_order_acquire) : nullptr;
  }
  bool IsFull() const { return At(N - 1) != nullptr; }

 private:
  // The name's number, or the first free one.
  size_t Find(std::string_view name) const {
    size_t index = 0;
    for (; index < N; ++index) {
      const std::string* const known = At(index);
      if (known == nullptr || *known == name) break;
    }
    return index;
  }

  std::array<std::atomic<const std::string*>, N> names_{};
  base::Mutex mutex_;
  std::deque<std::string> owned_ GUARDED_BY(mutex_);
};

}  // namespace consent::ops
