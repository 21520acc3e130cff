#include "client/cli/engines/orphan_guard.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace consent::cli {
namespace {

// More than a worker runs at once.
constexpr size_t kMostGroups = 128;

// The life of the guard: a positive number is a group that runs, a negative one a group that has ended; the end of the
// pipe is the end of the worker. Allocates nothing.
[[noreturn]] void Guard(int groups) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) std::signal(number, SIG_IGN);
  for (int other = 0; other <= STDERR_FILENO; ++other) {
    if (other != groups) ::close(other);
  }
  std::array<pid_t, kMostGroups> running{};
  pid_t told = 0;
  for (;;) {
    const ssize_t count = ::read(groups, &told, sizeof told);
    if (count < 0 && errno == EINTR) continue;
    if (count != sizeof told) break;
    pid_t* const at = std::find(running.begin(), running.end(), told > 0 ? 0 : -told);
    if (at != running.end()) *at = told > 0 ? told : 0;
  }
  for (const pid_t group : running) {
    if (group > 0) ::kill(-group, SIGKILL);
  }
  ::_exit(0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<OrphanGuard>> OrphanGuard::Start() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::UnavailableError("no pipe is to be had: raise the limit of open files");
  }
  Descriptor read(ends[0]);
  Descriptor write(ends[1]);
  const pid_t guard = ::fork();
  if (guard < 0) return absl::UnavailableError("no process is to be had: raise the limit of processes");
  if (guard == 0) {
    ::close(write.get());
    Guard(read.get());
  }
  return std::unique_ptr<OrphanGuard>(new OrphanGuard(guard, std::move(write)));
}

OrphanGuard::~OrphanGuard() {
  groups_ = Descriptor();
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void OrphanGuard::Add(pid_t group) const { Tell(group); }
void OrphanGuard::Remove(pid_t group) const { Tell(-group); }

void OrphanGuard::Tell(pid_t group) const {
  // Fewer bytes than PIPE_BUF are written whole or not at all; a guard that somebody has killed is missed by nobody but
  // an orphan.
  while (::write(groups_.get(), &group, sizeof group) < 0 && errno == EINTR) {
  }
}

}  // namespace consent::cli
