#include "daemon/service/context.h"

namespace consent::service {

store::Partition Context::PartitionOf(base::SubjectHandle subject) const {
  return store::Partition{static_cast<uint16_t>(subject.bytes[15] % store.partition_count())};
}

base::Instant Context::Now() const {
  const base::Instant stamp{last_stamp.load(std::memory_order_acquire)};
  return std::max(clock.Now(), stamp);
}

base::Now Context::Present() const {
  const base::Instant wall = clock.Now();
  const base::Instant stamp{last_stamp.load(std::memory_order_acquire)};
  const bool behind = wall + base::Seconds(60) < stamp;
  return base::Now{wall, behind ? base::Instant{} : wall, std::max(wall, stamp), base::Instant{}, false, behind};
}

bool Context::ClockBehind() const {
  const base::Instant stamp{last_stamp.load(std::memory_order_acquire)};
  return clock.Now() + base::Seconds(60) < stamp;
}

void Context::NoteStamp(base::Instant stamp) {
  int64_t seen = last_stamp.load(std::memory_order_relaxed);
  while (seen < stamp.micros && !last_stamp.compare_exchange_weak(seen, stamp.micros, std::memory_order_release)) {
  }
}

std::string Context::SubjectKey(base::SubjectHandle subject) const {
  return std::string(base::View(keys.DiskKeyFor(subject).bytes));
}

std::string Context::RecordingKey(base::SubjectHandle subject, base::RecordingHandle recording) const {
  return SubjectKey(subject) + std::string(base::View(keys.DiskHash("recording", base::View(recording.bytes))));
}

}  // namespace consent::service
