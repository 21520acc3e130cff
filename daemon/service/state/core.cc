#include "daemon/service/state/core.h"

namespace consent::service {

store::Partition PartitionOf(base::SubjectHandle subject, uint16_t partitions) {
  const auto bits = static_cast<uint16_t>(subject.bytes[14] << 8 | subject.bytes[15]);
  return store::Partition{static_cast<uint16_t>(bits % partitions)};
}

store::Partition Core::PartitionOf(base::SubjectHandle subject) const {
  return service::PartitionOf(subject, store.partition_count());
}

base::Instant Core::Now() const {
  const base::Instant stamp{last_stamp.load(std::memory_order_acquire)};
  return std::max(time.Now(), stamp);
}

base::Now Core::Present() const {
  const base::TrustedClock::View view = time.Look();
  const base::Instant stamp{last_stamp.load(std::memory_order_acquire)};
  base::Now now;
  now.wall = view.wall;
  now.latest = std::max(view.wall, stamp);
  now.not_before = time.last_trusted();
  now.doubtful = view.doubtful;
  now.behind = view.wall + base::TrustedClock::kBehind < stamp;
  if (!now.doubtful && !now.behind) now.earliest = std::min(view.wall, view.trusted);
  return now;
}

void Core::NoteStamp(base::Instant stamp) {
  time.NoteStamp(stamp);
  int64_t seen = last_stamp.load(std::memory_order_relaxed);
  while (seen < stamp.micros && !last_stamp.compare_exchange_weak(seen, stamp.micros, std::memory_order_release)) {
  }
}

std::string SubjectKey(const base::Keys& keys, base::SubjectHandle subject) {
  return std::string(base::View(keys.DiskKeyFor(subject).bytes));
}

std::string RecordingKey(const base::Keys& keys, base::SubjectHandle subject, base::RecordingHandle recording) {
  return SubjectKey(keys, subject) + std::string(base::View(keys.DiskHash("recording", base::View(recording.bytes))));
}

std::string Core::SubjectKey(base::SubjectHandle subject) const { return service::SubjectKey(keys, subject); }

std::string Core::RecordingKey(base::SubjectHandle subject, base::RecordingHandle recording) const {
  return service::RecordingKey(keys, subject, recording);
}

}  // namespace consent::service
