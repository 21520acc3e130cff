// How far each partition's commits are in everything that a service remembers.
#pragma once

#include <array>
#include <atomic>

#include "daemon/store/store.h"

namespace consent::service {

// Thread-safe. Who reads a head and looks a subject up afterwards sees every change up to it.
class PublishedHeads {
 public:
  store::Sequence Of(store::Partition partition) const {
    return heads_[partition.number].load(std::memory_order_acquire);
  }
  // In the order of the partition's commits, once all parts have followed.
  void Publish(store::Partition partition, store::Sequence sequence) {
    heads_[partition.number].store(sequence, std::memory_order_release);
  }

 private:
  static constexpr size_t kMostPartitions = 1024;
  std::array<std::atomic<store::Sequence>, kMostPartitions> heads_{};
};

}  // namespace consent::service
