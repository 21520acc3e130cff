#include "client/cli/engines/stop_request.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include "client/cli/exit_codes.h"

namespace consent::cli {
namespace {

void Raise(const Descriptor& event) {
  const uint64_t one = 1;
  // Cannot fail: the counter is far from its end.
  (void)!::write(event.get(), &one, sizeof one);
}

[[noreturn]] void EndProcess() {
  constexpr std::string_view kSaid =
      "consentctl: ended at once, in the middle of what was under way. Run the same command again: what was done is "
      "not "
      "done twice\n";
  (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
  ::_exit(kStopped);
}

}  // namespace

StopRequest::StopRequest(std::chrono::milliseconds patience, AtOnce at_once)
    : patience_(patience), when_at_once_(at_once) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
  asked_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  at_once_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  over_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  if (!signals_.IsOpen() || !asked_.IsOpen() || !at_once_.IsOpen() || !over_.IsOpen()) {
    status_ = absl::FailedPreconditionError("signals cannot be waited for: " + std::string(std::strerror(errno)));
    return;
  }
  thread_ = std::thread([this] { Run(); });
}

StopRequest::~StopRequest() {
  if (!thread_.joinable()) return;
  Raise(over_);
  thread_.join();
}

void StopRequest::Run() {
  for (;;) {
    pollfd waits[] = {{signals_.get(), POLLIN, 0}, {over_.get(), POLLIN, 0}};
    const int ready = ::poll(waits, 2, is_asked_.load() ? static_cast<int>(patience_.count()) : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (waits[1].revents != 0) return;
    signalfd_siginfo info{};
    if (waits[0].revents != 0) (void)!::read(signals_.get(), &info, sizeof info);
    if (is_asked_.exchange(true)) {
      if (when_at_once_ == AtOnce::kEndsProcess) EndProcess();
      Raise(at_once_);
      return;
    }
    Raise(asked_);
  }
}

bool StopRequest::Pause(int descriptor, std::chrono::milliseconds time) {
  pollfd wait{descriptor, POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
}

}  // namespace consent::cli
