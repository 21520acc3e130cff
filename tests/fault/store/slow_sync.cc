#include "tests/fault/store/slow_sync.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

std::atomic<int64_t> slower{0};
std::atomic<uint64_t> syncs_of_logs{0};

bool IsLog(int fd) {
  std::array<char, 32> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link.data(), path.data(), path.size());
  return size > 0 && std::string_view(path.data(), static_cast<size_t>(size)).ends_with(".log");
}

int SyncSlowly(int fd, const char* name) {
  using Sync = int (*)(int);
  if (IsLog(fd)) ++syncs_of_logs;
  const timespec pause = {0, slower * 1000};
  nanosleep(&pause, nullptr);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

// The engine's library finds these before the C library's.
extern "C" int fsync(int fd) { return SyncSlowly(fd, "fsync"); }
extern "C" int fdatasync(int fd) { return SyncSlowly(fd, "fdatasync"); }

namespace consent::test {

void SlowDownSyncs(int64_t microseconds) { slower = microseconds; }
uint64_t SyncsOfLogs() { return syncs_of_logs; }

}  // namespace consent::test
