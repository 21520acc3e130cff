#include "daemon/ops/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "daemon/ops/version.h"

namespace consent::ops {
namespace {

// Field `number` (as proc(5) counts them) of /proc/self/stat; 0 where it cannot be read.
double StatField(int number) {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream rest(line.substr(after_name + 1));
  std::string word;
  for (int i = 3; i <= number; ++i) rest >> word;
  return std::strtod(word.c_str(), nullptr);
}

double BootTime() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    double value = 0;
    if (word == "btime" && in >> value) return value;
  }
  return 0;
}

double OpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  double count = -3;  // itself, . and ..
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// The smallest memory bound of the process's control group (version 2) and those above it; nothing: there is none, or
// the system has no such groups.
std::optional<double> MemoryLimit() {
  std::ifstream in("/proc/self/cgroup");
  constexpr std::string_view kUnified = "0::";
  std::string group;
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, kUnified.size(), kUnified) == 0) group = line.substr(kUnified.size());
  }
  std::optional<double> least;
  while (!group.empty()) {
    std::ifstream bound("/sys/fs/cgroup" + (group == "/" ? "" : group) + "/memory.max");
    double bytes = 0;
    if (bound >> bytes && (!least.has_value() || bytes < *least)) least = bytes;  // "max" is no number
    if (group.front() != '/' || group == "/") break;
    group.resize(std::max<size_t>(group.rfind('/'), 1));
  }
  return least;
}

std::optional<double> MaxFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void DefineProcessMetrics(MetricRegistry& registry) {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  registry.Gauge("consentd_build_info", "The version that runs.", {"version"},
                 [](SeriesSink& series) { series.Set({kVersion}, 1); });
  registry.Counter("process_cpu_seconds_total", "User and system CPU time.",
                   [ticks] { return (StatField(14) + StatField(15)) / ticks; });
  registry.Gauge("process_resident_memory_bytes", "Resident memory.",
                 [] { return StatField(24) * static_cast<double>(sysconf(_SC_PAGESIZE)); });
  registry.Gauge("process_start_time_seconds", "When the process started.",
                 [ticks] { return BootTime() + StatField(22) / ticks; });
  registry.Gauge("process_virtual_memory_bytes", "Virtual memory.", [] { return StatField(23); });
  registry.Gauge("process_open_fds", "Open files.", [] { return OpenFiles(); });
  registry.Gauge("process_max_fds", "Files that may be open.", [] { return MaxFiles(); });
  registry.Gauge("consentd_memory_limit_bytes", "Memory that the process's control group may use.",
                 [] { return MemoryLimit(); });
}

}  // namespace consent::ops
