// How many subjects chose what: the gauges. Follows the subjects' records; rebuilt when the index is filled, so it
// survives a restart.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::service {

// Account-level choices of the registered and unregistered subjects of one region.
struct RegionCount {
  domain::Region region;
  // [purpose - 1][choice]; refusals of everything are folded in, those of controls are written per purpose when made.
  std::array<std::array<uint64_t, 4>, domain::kPurposes> subjects{};
};

// Thread-safe.
class SubjectGauges {
 public:
  // Counts `after` in and `before` out; nullptr: was, or is, not there.
  void Replace(const domain::SubjectFacts* before, const domain::SubjectFacts* after);
  // Adds all that the other counted; for filling from several threads.
  void Merge(const SubjectGauges& other);
  std::vector<RegionCount> ByRegion() const;
  uint64_t subjects() const;

 private:
  void Count(const domain::SubjectFacts& facts, int64_t sign) REQUIRES(mutex_);
  mutable base::Mutex mutex_;
  uint64_t subjects_ GUARDED_BY(mutex_) = 0;
  std::map<domain::Region, RegionCount> regions_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
