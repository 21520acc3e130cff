// How many deletion requests there are in which state, which are due when, and how tasks ended: for metrics. Beside
// them which requests of a subject are open. Follows the requests' rows; rebuilt at the start, so nothing but
// completions begins anew with a process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/mutex.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/service/state/due_counts.h"

namespace consent::service {

struct DeletionCount {
  domain::DeletionCause cause = domain::DeletionCause::kRequested;
  std::string regime;
  domain::DeletionState state = domain::DeletionState::kReceived;
  uint64_t requests = 0;
};

// Open requests of one cause and regime, by what they are late for (domain::DeadlineKind).
struct OpenDeletions {
  domain::DeletionCause cause = domain::DeletionCause::kRequested;
  std::string regime;
  uint64_t requests = 0;
  std::array<DueCount, domain::kDeadlineKinds.size()> deadlines;
};

// Requests of one cause and regime that ended in a quarter of the calendar: completed or denied.
struct EndedDeletions {
  domain::DeletionCause cause = domain::DeletionCause::kRequested;
  std::string regime;
  uint64_t in_time = 0;
  uint64_t late = 0;
};

// One that is open past its due time.
struct LateDeletion {
  DeletionPlace place;
  base::SubjectHandle subject;
  domain::DeletionCause cause = domain::DeletionCause::kRequested;
  std::string regime;
};

// Thread-safe.
class DeletionGauges {
 public:
  static constexpr size_t kOutcomes = 6;  // numbers of domain::PurgeOutcome
  // By PurgeOutcome.
  using Outcomes = std::array<uint64_t, kOutcomes>;
  // By ExemptReason.
  using Exempt = std::array<uint64_t, domain::kExemptReasons>;
  // Seconds from receipt to completion: a quarter of an hour, and 1 to 90 days; the last bucket has no bound.
  static constexpr std::array<double, 8> kCompletionSeconds = {900,       86'400,    604'800,   1'209'600,
                                                               2'592'000, 3'888'000, 5'184'000, 7'776'000};
  struct Completions {
    std::array<uint64_t, kCompletionSeconds.size() + 1> buckets{};  // each its own, not summed up
    double sum_seconds = 0;
  };

  // At the start: counts a request in.
  void Add(DeletionPlace place, const domain::DeletionRequest& request);
  // Of a request that was written: counts it in and what it was before out, which is remembered of open ones. One that
  // has ended stays in its state. True: it was open and waited for the time to be settled or for its ids, and waits no
  // more.
  bool Put(DeletionPlace place, const domain::DeletionRequest& request);

  bool IsOpen(DeletionPlace place) const;
  // What an open request selects by; nothing: it is not open.
  std::optional<domain::SelectorKind> SelectorOf(DeletionPlace place) const;
  std::vector<DeletionPlace> OpenOf(base::SubjectHandle subject) const;

  std::vector<DeletionCount> Counts() const;
  // Those that must do it before `time` (domain::DeadlineOf), the most urgent first; at most `limit`.
  std::vector<DeletionPlace> Before(domain::DeadlineKind kind, base::Instant time, size_t limit) const;
  uint64_t CountBefore(domain::DeadlineKind kind, base::Instant time) const;
  // Open ones that a restore left without their ids.
  uint64_t needing_ids() const;
  // Receipt of the oldest open one; unset: none is open.
  base::Instant oldest_open() const;
  // Each cause and regime of which one is open. `near` and `far` are counted from `now` on.
  std::vector<OpenDeletions> Open(base::Instant now, base::Span near, base::Span far) const;
  // Those that are past their due time at `now`, the most urgent first; at most `limit`.
  std::vector<LateDeletion> Late(base::Instant now, size_t limit) const;
  // Those that ended in the quarter of `now`, by UTC; of cancelled ones nothing was owed.
  std::vector<EndedDeletions> EndedThisQuarter(base::Instant now) const;
  // How the tasks of that system ended, of all requests that are stored.
  Outcomes outcomes(domain::SystemNumber system) const;
  // And on which grounds it kept something.
  Exempt exempt(domain::SystemNumber system) const;
  // When the first of these requests was verified, of those that are open; unset: none is.
  base::Instant FirstVerified(const std::vector<DeletionPlace>& places) const;
  // Of those that somebody asked for, since the process began.
  Completions completions() const;

 private:
  using ByTime = std::map<base::Instant, std::set<DeletionPlace>>;
  // Cause and regime.
  using Kind = std::pair<domain::DeletionCause, std::string>;
  struct OfKind {
    uint64_t requests = 0;
    std::array<DueCounts, domain::kDeadlineKinds.size()> due;  // by DeadlineKind
  };
  struct Ended {
    uint64_t in_time = 0;
    uint64_t late = 0;
  };
  // What is remembered of an open request.
  struct OpenRequest {
    base::SubjectHandle subject;
    domain::DeletionCause cause = domain::DeletionCause::kRequested;
    std::string regime;
    domain::DeletionState state = domain::DeletionState::kReceived;
    base::Instant received_at;
    std::array<std::optional<base::Instant>, domain::kDeadlineKinds.size()> deadlines;  // by DeadlineKind
    bool waits = false;  // for the time to be settled, or for its ids
    bool needs_ids = false;
    base::Instant verified_at;
    std::vector<domain::SystemNumber> ended;  // whose tasks have ended
    domain::SelectorKind selector = domain::SelectorKind::kEverything;
  };
  void CountIn(DeletionPlace place, const domain::DeletionRequest& request) REQUIRES(mutex_);
  void CountOut(DeletionPlace place, const OpenRequest& open) REQUIRES(mutex_);
  // Counts the tasks of it that have ended and are not among `known`.
  void CountOutcomes(const domain::DeletionRequest& request, const std::vector<domain::SystemNumber>& known)
      REQUIRES(mutex_);
  void CountEnded(const domain::DeletionRequest& request) REQUIRES(mutex_);
  void NoteCompletion(const domain::DeletionRequest& request) REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  std::map<std::tuple<domain::DeletionCause, std::string, domain::DeletionState>, uint64_t> counts_ GUARDED_BY(mutex_);
  std::array<ByTime, domain::kDeadlineKinds.size()> deadlines_ GUARDED_BY(mutex_);  // by DeadlineKind
  // Numbers grow with the time of receipt within a partition, so the first of each is its oldest.
  std::map<DeletionPlace, OpenRequest> open_ GUARDED_BY(mutex_);
  std::map<Kind, OfKind> kinds_ GUARDED_BY(mutex_);
  std::map<std::pair<int, Kind>, Ended> ended_ GUARDED_BY(mutex_);  // by quarter (QuarterOf)
  std::map<domain::SystemNumber, Outcomes> outcomes_ GUARDED_BY(mutex_);
  std::map<domain::SystemNumber, Exempt> exempt_ GUARDED_BY(mutex_);
  std::set<std::pair<base::SubjectHandle, DeletionPlace>> open_of_ GUARDED_BY(mutex_);
  Completions completions_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> needing_ids_{0};  // written under mutex_, and asked with each request
};

}  // namespace consent::service
