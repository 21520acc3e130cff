#include "daemon/app/shortage.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/base/mutex.h"

namespace consent::app {
namespace {

// Beside readers, writers and the threads of restrictions and grants: ours and RocksDB's (a dozen), and gRPC's, of
// which some go by the number of processors. With two, 29 were counted of 36; three more write of calls, speak to the
// service manager and probe.
constexpr size_t kFixedThreads = 27;
constexpr size_t kThreadsPerProcessor = 3;
// The C library reserves this much for each thread that allocates, up to eight a processor; so did 29 threads take 1.2
// GiB.
constexpr size_t kArenaBytes = size_t{64} << 20;
constexpr size_t kMostArenas = 16;
// The store's files, sockets and pipes of an idle daemon with an empty store, twofold.
constexpr size_t kDescriptors = 48;

constexpr std::string_view kMemoryText =
    "consentd: stopped at once because memory ran out: raise the limit (MemoryMax of the unit, ulimit -v), lower "
    "--index-max-subjects, or end others that use it. Nothing that was acknowledged is lost\n";
constexpr std::string_view kThreadText =
    "consentd: stopped at once because a thread could not be made: raise the limit of processes (TasksMax of the unit, "
    "ulimit -u). Nothing that was acknowledged is lost\n";
// The store's engine checks itself with assertions, and a damaged file can fail one before its checksum is looked at.
constexpr std::string_view kCheckText =
    "consentd: stopped at once because a check of its own or of the store's engine failed; the line above, if any, "
    "names it. Leave the files as they are: a start looks through them and says so if they are damaged. If this "
    "happens at every start, keep a copy "
    "of the data folder before anything is changed in it\n";

// What the unit's watchdog does; see "Watched" in README.md.
constexpr std::string_view kSentText =
    "consentd: ended at once by SIGABRT from another process, as systemd's watchdog does when the daemon did not "
    "answer its own probe in time; the lines above say what it waited for. Nothing that was acknowledged is lost. If "
    "it "
    "happens again, look at the disk first: a sync that hangs is the usual cause\n";

// These call only what a signal handler may.
[[noreturn]] void EndForWantOf(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  _exit(static_cast<int>(ExitCode::kShortage));
}

bool CanMap(size_t bytes) {
  void* const at = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return false;
  munmap(at, bytes);
  return true;
}

void OnNoMemory() { EndForWantOf(kMemoryText); }

void OnTerminate() {
  try {
    if (std::current_exception() != nullptr) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    EndForWantOf(kMemoryText);
  } catch (const std::system_error& error) {
    if (error.code().value() == EAGAIN) EndForWantOf(kThreadText);
    if (error.code().value() == ENOMEM) EndForWantOf(kMemoryText);
  } catch (...) {
  }
  std::abort();
}

// Libraries that are refused memory or a thread abort; what they asked for is not told, so a thread's stack is tried.
void OnAbort(int, siginfo_t* info, void*) {
  // abort() sends by tgkill, kill(2) of somebody else says SI_USER.
  const bool is_sent = info->si_code == SI_USER && info->si_pid != getpid();
  if (!is_sent && !CanMap(2 * kArenaBytes)) EndForWantOf(kMemoryText);
  const std::string_view text = is_sent ? kSentText : kCheckText;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);  // comes once this returns, also where the signal was sent from outside
}

// Threads that wait until they are let go.
class Held {
 public:
  ~Held() {
    {
      base::MutexLock lock(mutex_);
      leave_ = true;
    }
    wake_.NotifyAll();
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }
  // 0, or errno.
  int Add() {
    pthread_t thread{};
    const int error = pthread_create(&thread, nullptr, &Held::Wait, this);
    if (error == 0) threads_.push_back(thread);
    return error;
  }

 private:
  static void* Wait(void* self) {
    auto* const held = static_cast<Held*>(self);
    base::MutexLock lock(held->mutex_);
    while (!held->leave_) held->wake_.Wait(held->mutex_);
    return nullptr;
  }
  base::Mutex mutex_;
  base::CondVar wake_;
  bool leave_ GUARDED_BY(mutex_) = false;
  std::vector<pthread_t> threads_;
};

Failure Lacks(const std::string& what, int error) {
  return Failure{ExitCode::kShortage,
                 absl::StrCat("a start needs ", what, " and cannot have them: ", base::ErrorAdvice(error))};
}

}  // namespace

std::optional<Failure> CheckResources(const ops::ServeOptions& options) {
  std::vector<base::FileDescriptor> descriptors;
  while (descriptors.size() < kDescriptors) {
    descriptors.emplace_back(open("/", O_PATH | O_CLOEXEC));
    if (!descriptors.back().ok()) return Lacks(absl::StrCat(kDescriptors, " descriptors"), errno);
  }
  const size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const size_t threads =
      kFixedThreads + kThreadsPerProcessor * processors +
      static_cast<size_t>(options.read_threads + options.write_threads + kRestrictionThreads + kGrantThreads);
  const size_t room = std::min(threads, kMostArenas) * kArenaBytes;
  if (!CanMap(room)) return Lacks(absl::StrCat(room >> 20, " MiB of addresses"), ENOMEM);
  Held held;
  for (size_t made = 0; made < threads; ++made) {
    const int error = held.Add();
    // The C library says EAGAIN, too, where it has no room for the stack.
    if (error != 0) {
      return Lacks(absl::StrCat(threads, " threads"), error == EAGAIN && !CanMap(kArenaBytes) ? ENOMEM : error);
    }
  }
  if (!CanMap(room)) return Lacks(absl::StrCat(room >> 20, " MiB of addresses beside its threads' stacks"), ENOMEM);
  return std::nullopt;
}

void TellShortages() {
  std::set_new_handler(OnNoMemory);
  std::set_terminate(OnTerminate);
  struct sigaction action {};
  action.sa_sigaction = OnAbort;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGABRT, &action, nullptr);
}

}  // namespace consent::app
