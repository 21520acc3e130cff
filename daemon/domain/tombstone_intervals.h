// The tombstones of a subject that has more of them than its record holds: any number of separate times, found by the
// time of a capture.
#pragma once

#include <cstddef>
#include <vector>

#include "daemon/domain/types.h"

namespace consent::domain {

// Of one subject, in memory: 16 to 32 bytes each.
inline constexpr size_t kMaxCovered = 16'384;

// A value. Tombstones that differ in state, scope or copies are kept apart; of the others the times that overlap or
// touch are one: what is surely ordered and what perhaps is, each for itself. What is surely ordered without a
// beginning is kept apart too: it alone matches what has no time and was ingested before its end. Safe to read by many
// threads.
class TombstoneIntervals {
 public:
  // False where it is full (kMaxCovered): nothing was added. A tombstone without any time adds nothing.
  bool Add(const Tombstone& tombstone);
  // How many separate times are perhaps ordered.
  size_t size() const { return size_; }
  // Tombstones that say the same, as few as can be; where there are more than `most`, none.
  std::vector<Tombstone> All(size_t most) const;
  std::vector<Tombstone> All() const { return All(SIZE_MAX); }

  // Calls use(const Tombstone&) with those that some time from `first` to `last` may match, at most three of each kind:
  // that it matches surely or perhaps is all that a decision needs to know. Costs two binary searches for each kind.
  template <typename F>
  void Visit(Instant first, Instant last, F use) const {
    for (const Kind& kind : kinds_) {
      Tombstone tombstone = kind.like;
      if (const Interval* match = Find(kind.sure, first, last)) {
        tombstone.captured = OrderedTimes::Between(match->from, match->to, match->to);
        use(tombstone);
      }
      if (kind.until.IsSet() && first <= kind.until) {
        tombstone.captured = OrderedTimes::Until(kind.until, kind.until);
        use(tombstone);
      }
      if (const Interval* match = Find(kind.perhaps, first, last)) {
        tombstone.captured = OrderedTimes::Between(match->from, Instant{}, match->to);
        use(tombstone);
      }
    }
  }

 private:
  struct Kind {
    Tombstone like;  // but for its time
    Instant until;   // the latest sure end of those without a beginning; unset: there is none
    // In order; no two of one list overlap or touch; each of `sure` has a beginning and lies within one of `perhaps`.
    std::vector<Interval> sure;
    std::vector<Interval> perhaps;
  };
  static const Interval* Find(const std::vector<Interval>& intervals, Instant first, Instant last);
  std::vector<Kind> kinds_;  // none without an interval
  size_t size_ = 0;
};

}  // namespace consent::domain
