#include "client/cli/engines/worker_metrics.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "client/cli/files.h"
#include "client/cli/output.h"

namespace consent::cli {
namespace {

constexpr std::string_view kMetricsSuffix = ".prom";
constexpr std::chrono::seconds kMetricsEvery{1};

std::string MetricSeconds(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3f", value);
  return text.data();
}

// Writes families one after another.
class MetricFamilies {
 public:
  explicit MetricFamilies(const std::string& system) : label_("{system=\"" + system + "\"") {}

  void Begin(const std::string& name, const char* type, const char* help) {
    name_ = "consent_worker_" + name;
    text_ += "# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " " + type + "\n";
  }
  void Add(const std::string& value, const std::string& more = "", const std::string& suffix = "") {
    text_ += name_ + suffix + label_ + more + "} " + value + "\n";
  }
  void One(const std::string& name, const char* type, const char* help, const std::string& value) {
    Begin(name, type, help);
    Add(value);
  }
  void At(const std::string& name, const char* help, const std::optional<Time>& time) {
    if (!time.has_value()) return;
    One(name, "gauge", help, MetricSeconds(std::chrono::duration<double>(time->time_since_epoch()).count()));
  }
  std::string Take() { return std::move(text_); }

 private:
  const std::string label_;
  std::string name_;
  std::string text_;
};

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::FailedPreconditionError("the file " + path + " cannot be written: " + std::strerror(error));
}

}  // namespace

std::string WorkerMetricsText(const std::string& system, const WorkerCounts& counts, size_t running,
                              const WorkerTimes& times) {
  MetricFamilies families(system);
  families.Begin("tasks_total", "counter", "Tasks that this worker has done with, by what became of them.");
  const std::array<std::pair<const char*, uint64_t>, 11> ends = {{{"acknowledged", counts.done},
                                                                  {"not_found", counts.not_found},
                                                                  {"exempt", counts.exempt},
                                                                  {"excluded_from_next_build", counts.excluded},
                                                                  {"again_later", counts.retried},
                                                                  {"failed", counts.failed},
                                                                  {"given_back", counts.given_back},
                                                                  {"taken_back", counts.taken_back},
                                                                  {"lost", counts.lost},
                                                                  {"refused", counts.refused},
                                                                  {"unreported", counts.unreported}}};
  for (const auto& [outcome, count] : ends) {
    families.Add(std::to_string(count), std::string(",outcome=\"") + outcome + "\"");
  }
  families.Begin("task_seconds", "summary", "How long tasks took, from their command's start to the report's answer.");
  families.Add(MetricSeconds(std::chrono::duration<double>(times.took).count()), "", "_sum");
  families.Add(std::to_string(times.ended), "", "_count");
  families.One("erased_total", "counter", "What its commands erased, as they counted.", std::to_string(counts.erased));
  families.One("running", "gauge", "Commands that run now.", std::to_string(running));
  families.One("open_tasks", "gauge", "Open tasks of the data system, as the last lease said.",
               std::to_string(counts.open));
  families.At("start_timestamp_seconds", "When it was started.", times.started_at);
  families.At("last_answer_timestamp_seconds", "When the daemon last answered a request for tasks.", times.answered_at);
  families.At("last_success_timestamp_seconds", "When the daemon last took an outcome.", times.succeeded_at);
  return families.Take();
}

absl::StatusOr<WorkerMetricsFile> WorkerMetricsFile::Create(std::string path, std::string system, const Clock& clock,
                                                            Now now) {
  const size_t end = path.size() - std::min(path.size(), kMetricsSuffix.size());
  if (path.substr(end) != kMetricsSuffix) {
    return absl::InvalidArgumentError("--metrics-file must end with .prom, as node_exporter's collector reads it");
  }
  WorkerMetricsFile file(std::move(path), std::move(system), clock, std::move(now));
  file.times_.started_at = file.NowOrNone();
  if (absl::Status written = file.Write({}, 0, true); !written.ok()) return written;
  return file;
}

void WorkerMetricsFile::NoteEnded(const EndedTask& task) {
  ++times_.ended;
  times_.took += task.took;
  if (task.end <= TaskEnd::kExcluded) times_.succeeded_at = NowOrNone();
}

absl::Status WorkerMetricsFile::Write(const WorkerCounts& counts, size_t running, bool at_once) {
  if (path_.empty()) return absl::OkStatus();
  const std::chrono::nanoseconds now = clock_->SinceBoot();
  if (!at_once && written_.has_value() && now - *written_ < kMetricsEvery) return absl::OkStatus();
  written_ = now;
  const std::string text = WorkerMetricsText(system_, counts, running, times_);
  std::string beside = path_ + ".XXXXXX";
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  const bool placed = file.IsOpen() && WriteAll(file.get(), text) &&
                      ::fchmod(file.get(), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) == 0 &&
                      ::rename(beside.c_str(), path_.c_str()) == 0;
  const int error = errno;
  if (!placed && file.IsOpen()) ::unlink(beside.c_str());
  const bool was_failing = std::exchange(fails_, !placed);
  return placed || was_failing ? absl::OkStatus() : CannotWrite(path_, error);
}

}  // namespace consent::cli
