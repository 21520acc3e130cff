// One run of a worker's command: a process group of its own, without a shell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/engines/orphan_guard.h"
#include "client/cli/engines/task_input.h"
#include "consent/clock.h"

namespace consent::cli {

// When a run has to be over, by Clock::SinceBoot.
struct RunLimits {
  // Its process group gets SIGTERM,
  std::chrono::nanoseconds terminate_at{0};
  // and, this much after SIGTERM for whatever reason, SIGKILL.
  std::chrono::nanoseconds grace{0};
  // SIGTERM at once when this descriptor can be read; -1: none.
  int stop = -1;
  // The same, for what has become of the task's lease; -1: none.
  int lease = -1;
  // Kills its process group where this process dies; nullptr: nobody does.
  const OrphanGuard* guard = nullptr;
};

struct RunEnd {
  enum class How {
    // `number` is the error (errno).
    kNotStarted,
    // `number` is the exit status.
    kExited,
    // `number` is the signal, which came from somebody else.
    kSignalled,
    // It was ended here, whatever it then said.
    kOutOfTime,
    kStopped,
    kLeaseEnded,
  };
  How how = How::kNotStarted;
  int number = 0;
  // See TaskOutput::LastNumber.
  std::optional<int64_t> last_number;
  // SHA-256 of all of its standard output, 32 bytes; empty where it wrote nothing.
  std::string output_hash;
  // See TaskOutput::IsNoCount.
  bool number_is_no_count = false;
  bool is_almost_number = false;  // the last line begins as a number does and is none
  // See TaskOutput::LastLine. It may name people: nothing of it is shown, and an exemption's words alone are reported.
  std::string last_line = {};
};

// Immutable and thread-safe. The process must ignore SIGPIPE, as consentctl does: a command need not read its standard
// input.
class TaskCommand {
 public:
  // The program as execvp finds it, and its arguments, at least the program itself. `show_errors`: the command's
  // standard error is this process's; else nobody's, because what it writes may name people. NotFound: there is no such
  // program that may be executed.
  static absl::StatusOr<TaskCommand> Create(std::vector<std::string> arguments, bool show_errors);

  // Blocks until the command has ended. What it left running in its process group is killed then.
  RunEnd Run(const TaskInput& input, const RunLimits& limits, const Clock& clock) const;

 private:
  TaskCommand(std::string program, std::vector<std::string> arguments, bool show_errors);

  std::string program_;
  std::vector<std::string> arguments_;
  bool show_errors_ = false;
};

}  // namespace consent::cli
