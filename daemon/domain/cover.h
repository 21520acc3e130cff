// The tombstones of a subject that has more of them than its record holds: any number of separate times, found by the time of a capture.
#pragma once

#include <cstddef>
#include <vector>

#include "daemon/domain/types.h"

namespace consent::domain {

// Of one subject, in memory: 16 bytes each.
inline constexpr size_t kMaxCovered = 16'384;

// A value. Tombstones that differ in state, scope or copies are kept apart; of the others those that overlap or touch are one. Safe to
// read by many threads.
class Cover {
 public:
  // False where it is full (kMaxCovered): nothing was added.
  bool Add(const Tombstone& tombstone);
  // How many separate tombstones.
  size_t size() const { return size_; }
  std::vector<Tombstone> All() const;

  // Calls use(const Tombstone&) with those that some time from `first` to `last` may match, at most one of each kind: that it matches is
  // all that a decision needs to know. Costs a binary search for each kind.
  template <typename F>
  void Visit(Instant first, Instant last, F use) const {
    for (const Kind& kind : kinds_) {
      const Interval* match = kind.Find(first, last);
      if (match == nullptr) continue;
      Tombstone tombstone = kind.like;
      tombstone.captured = *match;
      use(tombstone);
    }
  }

 private:
  struct Kind {
    Tombstone like;                   // but for its time
    std::vector<Interval> intervals;  // in order; no two overlap or touch
    const Interval* Find(Instant first, Instant last) const;
  };
  std::vector<Kind> kinds_;  // none without an interval
  size_t size_ = 0;
};

}  // namespace consent::domain
