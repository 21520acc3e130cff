// A server as a child process: started with its output in a file, watched, and ended in any way that a test needs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace consent::test {

struct ProcessSpec {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // on top of this process's own, CONSENTD_* apart
  std::string output_file;                                       // appended to
};

// How a process ended: its exit code, or minus the signal's number.
using ExitStatus = int;

// Not thread-safe, except that Signal may be called beside anything but the destructor. Dies with its parent.
class ChildProcess {
 public:
  static absl::StatusOr<ChildProcess> Start(const ProcessSpec& spec);
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  // Kills with SIGKILL what still runs, and waits for it.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Nothing where it still runs after `patience`. Once it has returned a status there is nothing left to signal.
  std::optional<ExitStatus> Wait(std::chrono::milliseconds patience);
  // SIGKILL, and waits.
  ExitStatus KillAndWait();

  // User and system time so far.
  double CpuSeconds() const;
  // Resident memory.
  uint64_t ResidentBytes() const;

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;  // -1: none
};

struct Serving {
  bool yes = false;
  std::optional<ExitStatus> ended;  // of the child, where that is why it does not serve
};

// Waits until health.v1 of `address` says SERVING for `service` (empty: the whole server), or `child` has ended, or
// `patience` is over.
Serving WaitUntilServing(const std::string& address, const std::string& service, ChildProcess& child,
                         std::chrono::milliseconds patience);

// A new folder under $TMPDIR (else /tmp), mode 0700.
absl::StatusOr<std::string> MakeTempFolder(const std::string& prefix);

}  // namespace consent::test
