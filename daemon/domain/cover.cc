#include "daemon/domain/cover.h"

#include <algorithm>

namespace consent::domain {
namespace {

Instant After(Instant t) { return t + base::Microseconds(1); }

bool AreAlike(const Tombstone& a, const Tombstone& b) {
  return a.state == b.state && a.scope == b.scope && a.handle == b.handle && a.copies_of == b.copies_of;
}

}  // namespace

bool Cover::Add(const Tombstone& tombstone) {
  Interval merged = tombstone.captured;
  if (merged.to < merged.from) std::swap(merged.from, merged.to);
  auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& known) { return AreAlike(known.like, tombstone); });
  if (kind == kinds_.end()) {
    if (size_ >= kMaxCovered) return false;
    kinds_.push_back(Kind{tombstone, {merged}});
    ++size_;
    return true;
  }
  std::vector<Interval>& known = kind->intervals;
  // Those that it overlaps or touches lie side by side.
  const auto first = std::partition_point(known.begin(), known.end(), [&](const Interval& i) { return After(i.to) < merged.from; });
  const auto last = std::partition_point(first, known.end(), [&](const Interval& i) { return i.from <= After(merged.to); });
  if (first == last && size_ >= kMaxCovered) return false;
  if (first != last) {
    merged.from = std::min(merged.from, first->from);
    merged.to = std::max(merged.to, (last - 1)->to);
  }
  size_ = size_ + 1 - static_cast<size_t>(last - first);
  known.insert(known.erase(first, last), merged);
  return true;
}

std::vector<Tombstone> Cover::All() const {
  std::vector<Tombstone> all;
  for (const Kind& kind : kinds_) {
    for (const Interval& interval : kind.intervals) {
      all.push_back(kind.like);
      all.back().captured = interval;
    }
  }
  return all;
}

const Interval* Cover::Kind::Find(Instant first, Instant last) const {
  const auto match = std::partition_point(intervals.begin(), intervals.end(), [&](const Interval& i) { return i.to < first; });
  return match != intervals.end() && match->from <= last ? &*match : nullptr;
}

}  // namespace consent::domain
