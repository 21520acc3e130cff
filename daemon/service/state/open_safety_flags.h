// Which SAFETY flags nobody has handled, by the time of their report: for listings and metrics. Follows their rows;
// rebuilt at the start. About 250 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/base/time.h"
#include "daemon/store/store.h"

namespace consent::service {

// Thread-safe.
class OpenSafetyFlags {
 public:
  // Of a partition there are no two of one time: each is reported by a commit of its own.
  struct Place {
    base::Instant reported_at;
    store::Partition partition;
    std::string key;  // Core::RecordingKey
    auto operator<=>(const Place&) const = default;
  };

  void Put(Place place, bool acknowledged) EXCLUDES(mutex_);
  void Remove(store::Partition partition, std::string_view key) EXCLUDES(mutex_);
  // All of one subject, by its Core::SubjectKey: its account is erased, and nobody can be named any more.
  void RemoveSubject(store::Partition partition, std::string_view subject_key) EXCLUDES(mutex_);

  uint64_t open() const EXCLUDES(mutex_);
  // When the first of them was reported; unset: none is open.
  base::Instant oldest() const EXCLUDES(mutex_);
  // Those that were reported at that time or before; of these, those of which nobody has said that they are theirs.
  // Looks at each of them.
  struct Past {
    uint64_t open = 0;
    uint64_t unacknowledged = 0;
  };
  Past ReportedBy(base::Instant time) const EXCLUDES(mutex_);
  // From that time and partition on, those reported first, first; at most `limit`. `subject_key`: of that subject
  // alone, by its Core::SubjectKey, unless it is empty.
  std::vector<Place> From(const Place& first, std::string_view subject_key, size_t limit) const EXCLUDES(mutex_);

 private:
  mutable base::Mutex mutex_;
  std::map<Place, bool> by_time_ GUARDED_BY(mutex_);  // whether it is acknowledged
  std::map<std::pair<store::Partition, std::string>, base::Instant> by_key_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
