#include "daemon/app/events.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "daemon/base/file.h"

namespace consent::app {

Events::Events() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // beyond a limit of file sizes a write fails, like any other that finds no room
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (signals_ < 0 || wake_ < 0) status_ = base::FileError("what waits for signals cannot be made", errno);
}

Events::~Events() {
  if (signals_ >= 0) close(signals_);
  if (wake_ >= 0) close(wake_);
}

void Events::Post(Event event) {
  waiting_.fetch_or(static_cast<uint8_t>(1U << static_cast<unsigned>(event)));
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof one);
}

bool Events::Take(Event* event) {
  const uint8_t waiting = waiting_.load();
  if (waiting == 0) return false;
  const int first = __builtin_ctz(waiting);
  waiting_.fetch_and(static_cast<uint8_t>(~(1U << first)));
  *event = static_cast<Event>(first);
  return true;
}

void Events::ReadSignals() {
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    Post(info.ssi_signo == SIGHUP ? Event::kReload : Event::kStop);
  }
}

Event Events::Wait() {
  for (;;) {
    ReadSignals();
    Event event{};
    if (Take(&event)) return event;
    pollfd fds[] = {{signals_, POLLIN, 0}, {wake_, POLLIN, 0}};
    poll(fds, 2, -1);
    uint64_t count = 0;
    (void)!read(wake_, &count, sizeof count);
  }
}

}  // namespace consent::app
