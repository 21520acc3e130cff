#include "daemon/app/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/app/peer_user.h"
#include "daemon/base/file.h"

namespace consent::app {
namespace {

constexpr std::chrono::milliseconds kBetweenTicks{1000};
// How long the loop rests where there are no descriptors, or too many connections are on their way out.
constexpr std::chrono::milliseconds kRest{10};
// Between looks for peers that have been silent for too long.
constexpr std::chrono::milliseconds kBetweenSilenceLooks{100};
constexpr int kEventsAtATime = 64;
// Those that come too often wait here; more are turned away.
constexpr size_t kMostParked = 32;

bool IsIp(int fd) {
  int domain = AF_UNSPEC;
  socklen_t size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
}

void AddToPoll(int poll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

std::string PeerOf(int fd) {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&from), &size) != 0) return "";
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return "4" + std::string(reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr);
  }
  if (from.ss_family == AF_INET6) {
    constexpr size_t kNetworkBytes = 8;
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    return "6" + std::string(reinterpret_cast<const char*>(&v6.sin6_addr), kNetworkBytes);
  }
  const std::optional<uid_t> user = PeerUser(fd);
  return user.has_value() ? absl::StrCat("u", *user) : "";
}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Start(Options options) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(std::move(options)));
  acceptor->stop_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  acceptor->poll_ = epoll_create1(EPOLL_CLOEXEC);
  if (acceptor->stop_ < 0 || acceptor->poll_ < 0) {
    return base::FileError("what waits for connections cannot be made", errno);
  }
  AddToPoll(acceptor->poll_, acceptor->stop_);
  AddToPoll(acceptor->poll_, acceptor->options_.listener);
  acceptor->thread_ = std::thread([&self = *acceptor] { self.Run(); });
  return acceptor;
}

Acceptor::~Acceptor() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    (void)!write(stop_, &one, sizeof one);
    thread_.join();
  }
  for (const auto& [fd, accepted] : silent_) close(fd);
  for (const auto& [turn, parked] : parked_) close(parked.fd);
  for (const int fd : {held_, poll_, stop_, options_.listener}) {
    if (fd >= 0) close(fd);
  }
}

void Acceptor::Run() {
  SteadyClock::time_point tick = SteadyClock::now() + kBetweenTicks;
  bool rests = false;
  for (;;) {
    std::array<epoll_event, kEventsAtATime> events{};
    // While it rests, the listener is not asked: what waits there would wake it at once.
    if (rests) epoll_ctl(poll_, EPOLL_CTL_DEL, options_.listener, nullptr);
    const std::chrono::milliseconds wait = rests || !parked_.empty() ? kRest
                                           : silent_.empty()         ? kBetweenTicks
                                                                     : kBetweenSilenceLooks;
    const int count = epoll_wait(poll_, events.data(), kEventsAtATime, static_cast<int>(wait.count()));
    if (rests) AddToPoll(poll_, options_.listener);
    bool incoming = rests;
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == stop_) return;
      if (fd == options_.listener) {
        incoming = true;
      } else {
        Arrived(fd);
      }
    }
    TakeParked();
    if (incoming) rests = !AcceptAll();
    CloseOverdue();
    if (SteadyClock::now() < tick) continue;
    if (options_.each_second) options_.each_second();
    tick = SteadyClock::now() + kBetweenTicks;
  }
}

void Acceptor::Arrived(int fd) {
  char first = 0;
  const ssize_t size = recv(fd, &first, 1, MSG_PEEK);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;  // woken for nothing
  silent_.erase(fd);
  epoll_ctl(poll_, EPOLL_CTL_DEL, fd, nullptr);
  if (size > 0) {
    options_.hand_over(fd);
  } else {
    close(fd);
  }
}

void Acceptor::CloseOverdue() {
  const SteadyClock::time_point before = SteadyClock::now() - options_.silence;
  for (auto at = silent_.begin(); at != silent_.end();) {
    if (at->second >= before) {
      ++at;
      continue;
    }
    close(at->first);  // leaves the epoll, too
    at = silent_.erase(at);
  }
}

bool Acceptor::AcceptAll() {
  constexpr int kAtATime = 64;  // then the loop looks whether it shall stop
  for (int i = 0; i < kAtATime; ++i) {
    if (options_.connections->Crowded()) return false;
    if (held_ >= 0) {
      const int held = std::exchange(held_, -1);
      if (!Take(held, PeerOf(held))) return false;
      continue;
    }
    const int fd = accept4(options_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      // A peer that gave up is nobody's fault; whatever else fails (EMFILE, ENFILE, ENOBUFS, ENOMEM) gets time to pass.
      if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return false;
    }
    if (IsIp(fd)) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const std::string peer = PeerOf(fd);
    const std::optional<SteadyClock::time_point> turn = options_.connections->MayComeAt(peer);
    if (turn && *turn <= SteadyClock::now()) {
      if (!Take(fd, peer)) return false;
    } else if (turn && parked_.size() < kMostParked && options_.connections->HasRoomFor(parked_.size())) {
      parked_.emplace(*turn, Parked{fd, peer});
    } else {
      options_.connections->CountTurnedAway();
      close(fd);
    }
  }
  return true;
}

bool Acceptor::Take(int fd, const std::string& peer) {
  const Admission admission =
      peer.empty() ? Admission::kTurnedAway : options_.connections->Admit(fd, peer, options_.spoken);
  if (admission == Admission::kLater) {
    held_ = fd;
    return false;
  }
  if (admission == Admission::kTurnedAway) {
    close(fd);
    return true;
  }
  silent_.emplace(fd, SteadyClock::now());
  AddToPoll(poll_, fd);
  return true;
}

void Acceptor::TakeParked() {
  while (!parked_.empty() && parked_.begin()->first <= SteadyClock::now() && held_ < 0 &&
         !options_.connections->Crowded()) {
    const Parked parked = std::move(parked_.extract(parked_.begin()).mapped());
    (void)Take(parked.fd, parked.peer);  // where it has to wait, it is the one that is held
  }
}

}  // namespace consent::app
