#include "daemon/domain/tombstone_intervals.h"

#include <algorithm>

namespace consent::domain {
namespace {

Instant After(Instant t) { return t + base::Microseconds(1); }

bool AreAlike(const Tombstone& a, const Tombstone& b) {
  return a.state == b.state && a.scope == b.scope && a.handle == b.handle && a.copies_of == b.copies_of;
}

// Those that `added` overlaps or touches lie side by side.
struct Neighbours {
  std::vector<Interval>::iterator first;
  std::vector<Interval>::iterator last;
};
Neighbours NeighboursOf(std::vector<Interval>& known, const Interval& added) {
  const auto first =
      std::partition_point(known.begin(), known.end(), [&](const Interval& i) { return After(i.to) < added.from; });
  return {first,
          std::partition_point(first, known.end(), [&](const Interval& i) { return i.from <= After(added.to); })};
}

void Insert(std::vector<Interval>& known, Interval added) {
  const auto [first, last] = NeighboursOf(known, added);
  if (first != last) {
    added.from = std::min(added.from, first->from);
    added.to = std::max(added.to, (last - 1)->to);
  }
  known.insert(known.erase(first, last), added);
}

}  // namespace

bool TombstoneIntervals::Add(const Tombstone& tombstone) {
  const OrderedTimes& times = tombstone.captured;
  if (times.IsEmpty()) return true;
  const Interval perhaps{times.from(), times.latest()};
  auto kind =
      std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& known) { return AreAlike(known.like, tombstone); });
  const bool is_new = kind == kinds_.end();
  if (size_ >= kMaxCovered) {
    if (is_new) return false;
    const Neighbours beside = NeighboursOf(kind->perhaps, perhaps);
    if (beside.first == beside.last) return false;
  }
  if (is_new) kind = kinds_.insert(kinds_.end(), Kind{tombstone, {}, {}, {}});
  size_ -= kind->perhaps.size();
  Insert(kind->perhaps, perhaps);
  size_ += kind->perhaps.size();
  if (times.sure().IsSet() && !times.HasBeginning()) kind->until = std::max(kind->until, times.sure());
  if (times.HasBeginning() && times.sure() >= times.from()) Insert(kind->sure, Interval{times.from(), times.sure()});
  return true;
}

std::vector<Tombstone> TombstoneIntervals::All(size_t most) const {
  std::vector<Tombstone> all;
  const auto add = [&all](const Tombstone& like, const OrderedTimes& captured) {
    all.push_back(like);
    all.back().captured = captured;
  };
  for (const Kind& kind : kinds_) {
    auto sure = kind.sure.begin();
    for (const Interval& perhaps : kind.perhaps) {
      const auto end =
          std::partition_point(sure, kind.sure.end(), [&](const Interval& i) { return i.from <= perhaps.to; });
      // One from its beginning on is told together with what perhaps is.
      const bool together = perhaps.from.IsSet() && sure != end && sure->from == perhaps.from && end - sure == 1;
      const Instant until = perhaps.from.IsSet() ? Instant{} : kind.until;
      add(kind.like, OrderedTimes::Between(perhaps.from, together ? sure->to : until, perhaps.to));
      for (auto i = sure; i != end && !together; ++i) {
        if (i->to > until) add(kind.like, OrderedTimes::Between(i->from, i->to, i->to));
      }
      if (all.size() > most) return {};
      sure = end;
    }
  }
  return all;
}

const Interval* TombstoneIntervals::Find(const std::vector<Interval>& intervals, Instant first, Instant last) {
  const auto match =
      std::partition_point(intervals.begin(), intervals.end(), [&](const Interval& i) { return i.to < first; });
  return match != intervals.end() && match->from <= last ? &*match : nullptr;
}

}  // namespace consent::domain
