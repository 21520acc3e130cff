// bench_head_file FOLDER: what the head file costs a group of commits, whole and where only some partitions moved.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/store/rocksdb/head_file.h"

namespace {

using consent::store::HeadFile;
using consent::store::HeadRecord;
using consent::store::Partition;
using Clock = std::chrono::steady_clock;

constexpr int kGroups = 2'000;

// Nanoseconds a group, the median of five runs. A new whole record whenever `whole`, else as the store does it.
double Measure(const std::string& folder, uint16_t partitions, uint16_t moved, bool whole) {
  HeadRecord record;
  record.generation = 1;
  record.heads.resize(partitions);
  auto file = HeadFile::Replace(folder + "/head", record);
  if (!file.ok()) std::abort();
  std::vector<double> runs;
  for (int run = 0; run < 5; ++run) {
    const Clock::time_point began = Clock::now();
    for (int group = 0; group < kGroups; ++group) {
      std::vector<Partition> which;
      const int count = whole ? partitions : moved;
      for (int i = 0; i < count; ++i) which.push_back(Partition{static_cast<uint16_t>((group + i) % partitions)});
      record.heads[which.front().number].stamp.sequence++;
      ++record.generation;
      if (!(*file)->Write(record, which).ok()) std::abort();
    }
    runs.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / kGroups);
  }
  std::sort(runs.begin(), runs.end());
  return runs[2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const std::string folder = argv[1];
  std::setbuf(stdout, nullptr);
  std::printf("1 of 1 partition moved:         %8.0f ns a group\n", Measure(folder, 1, 1, false));
  std::printf("1 of 1,024, whole record:       %8.0f ns a group\n", Measure(folder, 1024, 1, true));
  std::printf("1 of 1,024, what moved:         %8.0f ns a group\n", Measure(folder, 1024, 1, false));
  std::printf("64 of 1,024, what moved:        %8.0f ns a group\n", Measure(folder, 1024, 64, false));
  std::printf("1,024 of 1,024, what moved:     %8.0f ns a group\n", Measure(folder, 1024, 1024, false));
  return 0;
}
