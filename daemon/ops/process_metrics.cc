#include "daemon/ops/process_metrics.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

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
  registry.Gauge("process_open_fds", "Open files.", [] { return OpenFiles(); });
}

}  // namespace consent::ops
