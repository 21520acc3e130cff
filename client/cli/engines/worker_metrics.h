// What a worker shows of itself: a file for node_exporter's textfile collector.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/engines/worker_engine.h"
#include "consent/clock.h"

namespace consent::cli {

// What the metrics say beside WorkerCounts. Times: none where there was none.
struct WorkerTimes {
  std::optional<Time> started_at;
  // When the daemon last answered a lease.
  std::optional<Time> answered_at;
  // When it last took an outcome.
  std::optional<Time> succeeded_at;
  // Tasks that ended, and how long they took in all.
  uint64_t ended = 0;
  std::chrono::nanoseconds took{0};
};

// In the text format of Prometheus. `system` is 1 to 64 bytes of [a-z0-9_-]. Names nobody.
std::string WorkerMetricsText(const std::string& system, const WorkerCounts& counts, size_t running,
                              const WorkerTimes& times);

// Writes the file whole, mode 0644, under a name beside it that the collector does not read, and puts it in place. It
// is not synced: after a crash of the machine there is nothing worth having in it. Not thread-safe.
class WorkerMetricsFile {
 public:
  using Now = std::function<Time()>;

  // Without a file: Note and Write do nothing.
  WorkerMetricsFile() = default;
  // `path` ends with `.prom`, which is what the collector reads, and what keeps a mistyped path from replacing
  // something else. Writes the file for the first time. InvalidArgument: it ends otherwise; FailedPrecondition: it
  // cannot be written.
  static absl::StatusOr<WorkerMetricsFile> Create(std::string path, std::string system, const Clock& clock, Now now);

  void NoteAnswered() { times_.answered_at = NowOrNone(); }
  void NoteEnded(const EndedTask& task);
  // At most once a second, unless `at_once`. FailedPrecondition: it cannot be written, which the first of a row of
  // failures says; OK of the others.
  absl::Status Write(const WorkerCounts& counts, size_t running, bool at_once);

 private:
  WorkerMetricsFile(std::string path, std::string system, const Clock& clock, Now now)
      : path_(std::move(path)), system_(std::move(system)), clock_(&clock), now_(std::move(now)) {}
  std::optional<Time> NowOrNone() const { return now_ ? std::optional<Time>(now_()) : std::nullopt; }

  std::string path_;
  std::string system_;
  const Clock* clock_ = nullptr;
  Now now_;
  WorkerTimes times_;
  std::optional<std::chrono::nanoseconds> written_;
  bool fails_ = false;
};

}  // namespace consent::cli
