// A peer of the HTTP server over a real socket, well-behaved or not. Waits at most kPatience for anything.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/ops/address.h"

namespace consent::ops {

class Peer {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  // `before`: called between making the socket and connecting.
  explicit Peer(const Address& address, const std::function<bool()>& before = nullptr)
      : fd_(socket(address.kind() == Address::Kind::kIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage to{};
    socklen_t length = 0;
    address.Fill(&to, &length);
    connected_ = (before == nullptr || before()) && connect(fd_, reinterpret_cast<const sockaddr*>(&to), length) == 0;
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool connected() const { return connected_; }
  bool Send(std::string_view bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void SendNoMore() { shutdown(fd_, SHUT_WR); }

  // One answer, by its Content-Length; less if the connection ends before. `head_only`: the answer to HEAD.
  std::string Answer(bool head_only = false) {
    size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return Take(in_.size());
    }
    const size_t field = in_.find("Content-Length: ");
    const size_t body = head_only || field > end ? 0 : std::stoul(in_.substr(field + 16));
    while (in_.size() < end + 4 + body && Receive()) {
    }
    return Take(end + 4 + body);
  }
  std::string Ask(std::string_view request) {
    Send(std::string(request) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return Answer(request.substr(0, 4) == "HEAD");
  }
  // All until the connection ends. `ended` tells whether it did within the patience.
  std::string ToTheEnd() {
    while (Receive()) {
    }
    return Take(in_.size());
  }
  bool ended() const { return ended_; }
  // Whether an answer has begun to come, or the connection is over; reads nothing.
  bool Begins() { return Ready(POLLIN, kPatience); }
  // Whether the connection is over within `patience`; reads nothing.
  bool GoneWithin(std::chrono::milliseconds patience) { return Ready(POLLRDHUP, patience); }

 private:
  // Errors and hang-ups are always told.
  bool Ready(short events, std::chrono::milliseconds patience) {
    pollfd waited{fd_, events, 0};
    return poll(&waited, 1, static_cast<int>(patience.count())) == 1;
  }
  bool Receive() {
    char buffer[65536];
    if (!Ready(POLLIN, kPatience)) return false;
    const ssize_t bytes = recv(fd_, buffer, sizeof buffer, 0);
    ended_ = bytes <= 0;
    if (bytes > 0) in_.append(buffer, static_cast<size_t>(bytes));
    return bytes > 0;
  }
  std::string Take(size_t bytes) {
    std::string taken = in_.substr(0, bytes);
    in_.erase(0, bytes);
    return taken;
  }

  const int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

}  // namespace consent::ops
