// What the partitions' rows say of policies, as their commits told it: which version is in force in each, and which
// notices and controls some stored choice of it names. It spares changes from reading those rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "daemon/base/time.h"
#include "daemon/store/store.h"

namespace consent::service {

// A notice or control that some choice of a partition names, or named once: written with the first such choice, never
// counted and never taken back.
struct UsageMark {
  bool of_control = false;
  uint16_t number = 0;  // of the notice or control
  auto operator<=>(const UsageMark&) const = default;
};

// The version in force in a partition; closed while one is being activated, so that loosenings wait.
struct CurrentPolicy {
  base::Instant activated_at;  // unset: none yet
  bool is_closed = false;
  bool operator==(const CurrentPolicy&) const = default;
};

// Thread-safe; takes no lock. Written in the order of the partition's commits, before they are acknowledged.
class PartitionPolicies {
 public:
  // Notices beyond this number are never known here, so their marks are written with each choice.
  static constexpr uint16_t kNotices = 4096;

  explicit PartitionPolicies(uint16_t partitions) : current_(partitions), words_(size_t{partitions} * kWords) {}

  CurrentPolicy Current(store::Partition partition) const {
    const int64_t value = current_[partition.number].load(std::memory_order_acquire);
    return {base::Instant{value >> 1}, (value & 1) != 0};
  }
  void SetCurrent(store::Partition partition, const CurrentPolicy& current) {
    current_[partition.number].store(current.activated_at.micros << 1 | (current.is_closed ? 1 : 0),
                                     std::memory_order_release);
  }

  // Whether the partition surely has the mark's row.
  bool Has(store::Partition partition, UsageMark mark) const {
    const size_t bit = BitOf(mark);
    return bit < kBits && (words_[WordOf(partition, bit)].load(std::memory_order_acquire) >> (bit % 64) & 1) != 0;
  }
  void Add(store::Partition partition, UsageMark mark) {
    const size_t bit = BitOf(mark);
    if (bit < kBits) words_[WordOf(partition, bit)].fetch_or(uint64_t{1} << (bit % 64), std::memory_order_release);
  }

 private:
  static constexpr size_t kControls = 128;
  static constexpr size_t kBits = kControls + kNotices + 64;
  static constexpr size_t kWords = kBits / 64;
  static size_t BitOf(UsageMark mark) {
    if (mark.of_control) return mark.number < kControls ? mark.number : kBits;
    return mark.number <= kNotices ? kControls + mark.number : kBits;
  }
  static size_t WordOf(store::Partition partition, size_t bit) { return size_t{partition.number} * kWords + bit / 64; }

  std::vector<std::atomic<int64_t>> current_;  // micros << 1 | is_closed
  std::vector<std::atomic<uint64_t>> words_;
};

}  // namespace consent::service
