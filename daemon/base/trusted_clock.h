// The clock of a running daemon: knows when the wall is not to be believed.
#pragma once

#include <atomic>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/base/trusted_time.h"

namespace consent::base {

// Thread-safe, apart from Resume, which comes before anything else. Reading takes no lock. As a Clock it gives the time
// for stamps.
class TrustedClock final : public Clock {
 public:
  // `system` outlives it. The wall is believed until Resume.
  TrustedClock(const Clock& system, const BootId& boot_id, const ClockBounds& bounds);

  // What the process before knew, and the last stamp of the store.
  void Resume(const std::optional<ClockRecord>& before, Instant last_stamp) EXCLUDES(mutex_);

  // The wall; but the trusted time while the wall is doubtful and ahead of it. Stamps never go back, so one that was
  // taken from such a wall would carry all later ones with it, long after the wall is right again.
  Instant Now() const override;
  Span SinceBoot() const override { return system_.SinceBoot(); }

  struct View {
    Instant wall;
    Instant trusted;
    bool doubtful = true;
    Span Offset() const { return wall - trusted; }
  };
  // A wall that jumped is doubtful in the very next view.
  View Look() const;
  // Views so far whose wall was doubtful.
  uint64_t doubts() const { return doubts_.load(std::memory_order_relaxed); }
  // How far ahead of the trusted time (behind it: negative) the wall was in the latest doubtful view since this was
  // asked last; nothing where there was none. So a jump is told of that was over before anybody watched.
  std::optional<Span> TakeDoubt();

  // A wall that is further than this behind a stamp does not speak for it.
  static constexpr Span kBehind = Seconds(60);
  // A commit's. Kept where time is trusted, and the wall not behind it.
  void NoteStamp(Instant stamp);
  Instant last_trusted() const { return Instant{last_trusted_.load(std::memory_order_acquire)}; }

  const BootId& boot_id() const { return boot_id_; }
  // `length` from now on.
  BootTime After(Span length) const { return BootTime{boot_id_, Span{SinceBoot().micros + length.micros}}; }
  bool IsOver(const BootTime& t) const { return t.boot != boot_id_ || SinceBoot() >= t.since; }

  // Follows the wall; to be called every second or so. What the next process is to know.
  ClockRecord Tick() EXCLUDES(mutex_);

  // How far a confirmed time may be from the wall that it vouches for.
  static constexpr Span kConfirmed = Hours(1);
  // Vouches for the wall by naming the time. False where the wall is further from it than kConfirmed: nothing is
  // confirmed.
  [[nodiscard]] bool Confirm(Instant stated) EXCLUDES(mutex_);

 private:
  ClockReading Read() const { return ClockReading{system_.Now(), system_.SinceBoot()}; }
  void Publish() REQUIRES(mutex_);

  const Clock& system_;
  const BootId boot_id_;
  const ClockBounds bounds_;
  // Published in this order and read in the other: who sees the narrow bound sees the offset that it belongs to.
  std::atomic<int64_t> offset_;
  std::atomic<int64_t> ahead_;
  std::atomic<int64_t> last_trusted_{0};
  mutable std::atomic<uint64_t> doubts_{0};
  mutable std::atomic<int64_t> latest_doubt_{0};  // an offset; 0: none since it was taken
  Mutex mutex_;
  TrustedTime time_ GUARDED_BY(mutex_);
  Instant doubtful_since_ GUARDED_BY(mutex_);
};

}  // namespace consent::base
