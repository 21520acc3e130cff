#include "client/cli/engines/task_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "client/cli/engines/task_output.h"
#include "client/cli/files.h"

namespace consent::cli {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kBlockBytes = 64 * 1024;
// Blocks read after the end: as much as a pipe can hold, so that a stranger who kept the pipe cannot hold this process.
constexpr int kMostDrained = 17;

bool IsProgram(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

// Where execvp would find it; empty: nowhere.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return IsProgram(name) ? name : "";
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "/bin:/usr/bin";
  for (;;) {
    const size_t end = folders.find(':');
    const std::string folder = folders.substr(0, end);
    std::string program = (folder.empty() ? "." : folder) + "/" + name;
    if (!name.empty() && IsProgram(program)) return program;
    if (end == std::string::npos) return "";
    folders.erase(0, end + 1);
  }
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// Above the standard descriptors, over which the child's ends are laid. The ends do not survive an exec. False: errno
// says why.
bool Open(Pipe* out) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  out->read = Descriptor(ends[0]);
  out->write = Descriptor(ends[1]);
  for (Descriptor* end : {&out->read, &out->write}) {
    if (end->get() > STDERR_FILENO) continue;
    *end = Descriptor(::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!end->IsOpen()) return false;
  }
  return true;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // posix_spawn takes them as not const and does not change them.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What the child does between fork and exec.
class SpawnPlan {
 public:
  SpawnPlan(const Pipe& in, const Pipe& out, bool show_errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_adddup2(&actions_, in.read.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, out.write.get(), STDOUT_FILENO);
    if (!show_errors) posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // Connections to the daemon and whatever else this process has open are not the command's.
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t ordinary;
    sigemptyset(&none);
    sigemptyset(&ordinary);
    for (const int number : {SIGPIPE, SIGTERM, SIGINT}) sigaddset(&ordinary, number);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &ordinary);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // 0, or the error.
  int Start(const std::string& program, const std::vector<std::string>& arguments,
            const std::vector<std::string>& environment, pid_t* child) const {
    return ::posix_spawn(child, program.c_str(), &actions_, &attributes_, Pointers(arguments).data(),
                         Pointers(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Can be read once the process has ended; -1: errno says why there is none. Not glibc's function: its header is C only
// before 2.37.
int PidDescriptor(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// A started command until it is reaped.
class Child {
 public:
  // `line` must outlive this. Takes over the worker's ends of the pipes.
  Child(pid_t pid, Descriptor in, Descriptor out, const std::string& line)
      : pid_(pid), exited_(PidDescriptor(pid)), in_(std::move(in)), out_(std::move(out)), unsent_(line) {
    ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(out_.get(), F_SETFL, O_NONBLOCK);
  }

  RunEnd Supervise(const RunLimits& limits, const Clock& clock) {
    if (!exited_.IsOpen()) {
      const int error = errno;
      Signal(SIGKILL);
      if (limits.guard != nullptr) limits.guard->Remove(pid_);
      Reap();
      return {RunEnd::How::kNotStarted, error, {}, ""};
    }
    while (!Wait(limits, clock)) {
    }
    // Its process number is its own until it is reaped, so the group is still the one that was made for it.
    Signal(SIGKILL);
    for (int n = 0; n < kMostDrained && Read(); ++n) {
    }
    if (limits.guard != nullptr) limits.guard->Remove(pid_);
    RunEnd end = Reap();
    if (ending_.has_value()) end.how = *ending_;
    end.last_number = output_.LastNumber();
    end.number_is_no_count = output_.IsNoCount();
    end.is_almost_number = output_.IsAlmostNumber();
    end.last_line = output_.LastLine();
    end.output_hash = output_.Hash();
    return end;
  }

 private:
  // One wait, and what there is to do after it. True: it has ended.
  bool Wait(const RunLimits& limits, const Clock& clock) {
    const nanoseconds now = clock.SinceBoot();
    if (!ending_.has_value() && now >= limits.terminate_at) Terminate(RunEnd::How::kOutOfTime, now + limits.grace);
    if (ending_.has_value() && !killed_ && now >= kill_at_) {
      Signal(SIGKILL);
      killed_ = true;
    }
    const nanoseconds next = !ending_.has_value() ? limits.terminate_at
                             : killed_            ? now + std::chrono::hours(1)
                                                  : kill_at_;
    const int64_t wait_ms = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
    std::array<pollfd, 5> waits = {{{exited_.get(), POLLIN, 0},
                                    {out_.get(), POLLIN, 0},
                                    {in_.get(), POLLOUT, 0},
                                    {ending_.has_value() ? -1 : limits.stop, POLLIN, 0},
                                    {ending_.has_value() ? -1 : limits.lease, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(std::clamp<int64_t>(wait_ms, 0, INT_MAX))) < 0) {
      return false;
    }
    if (waits[4].revents != 0) {
      Terminate(RunEnd::How::kLeaseEnded, clock.SinceBoot() + limits.grace);
    } else if (waits[3].revents != 0) {
      Terminate(RunEnd::How::kStopped, clock.SinceBoot() + limits.grace);
    }
    if (waits[2].revents != 0) Send();
    if (waits[1].revents != 0) Read();
    return waits[0].revents != 0;
  }

  void Terminate(RunEnd::How why, nanoseconds kill_at) {
    ending_ = why;
    kill_at_ = kill_at;
    Signal(SIGTERM);
  }

  void Signal(int number) const {
    if (::kill(-pid_, number) != 0) ::kill(pid_, number);
  }

  // Sends what the pipe takes; a command that does not read its standard input is none the worse.
  void Send() {
    const ssize_t count = ::write(in_.get(), unsent_.data(), unsent_.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count > 0) unsent_.remove_prefix(static_cast<size_t>(count));
    if (count < 0 || unsent_.empty()) in_ = Descriptor();
  }

  // Reads what there is. False: nothing now, or nothing more.
  bool Read() {
    if (!out_.IsOpen()) return false;
    const ssize_t count = ::read(out_.get(), block_.data(), block_.size());
    if (count > 0) output_.Add(std::string_view(block_.data(), static_cast<size_t>(count)));
    if (count < 0 && errno == EINTR) return true;
    if (count == 0 || (count < 0 && errno != EAGAIN)) out_ = Descriptor();
    return count > 0;
  }

  RunEnd Reap() const {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    return {info.si_code == CLD_EXITED ? RunEnd::How::kExited : RunEnd::How::kSignalled, info.si_status, {}, ""};
  }

  const pid_t pid_;
  const Descriptor exited_;
  Descriptor in_;
  Descriptor out_;
  std::string_view unsent_;
  std::string block_ = std::string(kBlockBytes, '\0');
  TaskOutput output_;
  std::optional<RunEnd::How> ending_;
  nanoseconds kill_at_{0};
  bool killed_ = false;
};

}  // namespace

TaskCommand::TaskCommand(std::string program, std::vector<std::string> arguments, bool show_errors)
    : program_(std::move(program)), arguments_(std::move(arguments)), show_errors_(show_errors) {}

absl::StatusOr<TaskCommand> TaskCommand::Create(std::vector<std::string> arguments, bool show_errors) {
  std::string program = arguments.empty() ? "" : FindProgram(arguments.front());
  if (program.empty()) {
    return absl::NotFoundError("the command is no program that may be executed; give its path, or look at PATH");
  }
  return TaskCommand(std::move(program), std::move(arguments), show_errors);
}

RunEnd TaskCommand::Run(const TaskInput& input, const RunLimits& limits, const Clock& clock) const {
  Pipe in;
  Pipe out;
  if (!Open(&in) || !Open(&out)) return {RunEnd::How::kNotStarted, errno, {}, ""};
  pid_t pid = 0;
  const int error = SpawnPlan(in, out, show_errors_).Start(program_, arguments_, input.environment, &pid);
  if (error != 0) return {RunEnd::How::kNotStarted, error, {}, ""};
  in.read = Descriptor();
  out.write = Descriptor();
  if (limits.guard != nullptr) limits.guard->Add(pid);
  return Child(pid, std::move(in.write), std::move(out.read), input.line).Supervise(limits, clock);
}

}  // namespace consent::cli
