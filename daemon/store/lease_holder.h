// Takes, keeps and gives back one lease over any store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/store/lease.h"
#include "daemon/store/store.h"

namespace consent::store {

// Thread-safe. Step and GiveBack wait for the store, one at a time; the others do not.
class LeaseHolder {
 public:
  struct Options {
    Partition partition;
    std::string name;    // 1..64 bytes
    std::string holder;  // 1..64 bytes; no other process's, nor of this one's before it was restarted: 16 random bytes
    base::Span length;   // positive, and the same for all who want the lease: how long it outlasts its holder's silence
    Event event;         // what the feed says of the commits that take, renew and give it back
  };

  // The store and the clock, of which only SinceBoot counts, outlive it.
  LeaseHolder(Store& store, const base::Clock& clock, Options options);

  // Renews the lease if it is this side's, otherwise looks at it and takes it if it may. To be called every third of
  // the length or more often; each renewal is a commit with a row in the feed. One commit and two reads at most. True:
  // it is held. False: another side has it, or nobody knows yet; look again. Unavailable: the store cannot be read or
  // failed; may be repeated once it serves again. InvalidArgument: the options; DataLoss: the lease's row cannot be
  // read.
  absl::StatusOr<bool> Step() EXCLUDES(step_mutex_, mutex_);

  // What every commit under the lease takes as a precondition. Nothing where the lease is not held, or could have been
  // taken by others since it was renewed; then nothing outside of the store may be done under it either.
  std::optional<Precondition> Guard() const EXCLUDES(mutex_);
  // Of the lease that Guard speaks of; 0: none.
  uint64_t Token() const EXCLUDES(mutex_);

  // Lets others take it at once. Ok also where it is not held. Unavailable: it may or may not be given back; it ends by
  // itself in any case.
  absl::Status GiveBack() EXCLUDES(step_mutex_, mutex_);

 private:
  // Of the lease that is this side's. Others may take it at `until`.
  struct Held {
    LeaseGrant grant;
    uint64_t count = 0;  // of the renewals that were sent
    base::Span until;
  };

  absl::StatusOr<bool> Renew(Held held) REQUIRES(step_mutex_);
  absl::StatusOr<bool> LookAndTake() REQUIRES(step_mutex_);
  absl::StatusOr<LeaseRows> Read() const;
  CommitResult CommitAndWait(LeaseChange change);
  std::optional<Held> held() const EXCLUDES(mutex_);
  void Set(std::optional<Held> held) EXCLUDES(mutex_);
  bool IsHeld() const REQUIRES(mutex_);
  base::Span After(base::Span began) const { return base::Span{began.micros + options_.length.micros}; }

  Store& store_;
  const base::Clock& clock_;
  const Options options_;
  base::Mutex step_mutex_;
  LeaseWatch watch_ GUARDED_BY(step_mutex_);
  mutable base::Mutex mutex_;
  std::optional<Held> held_ GUARDED_BY(mutex_);
};

}  // namespace consent::store
