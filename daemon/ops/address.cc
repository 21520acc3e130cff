#include "daemon/ops/address.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"

namespace consent::ops {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr char kForms[] = "write unix:/path, 127.0.0.1:port or [::1]:port";

static_assert(Address::kMaxPathBytes + 1 == sizeof(sockaddr_un::sun_path));

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// What an operator wrote, on one line and not endless.
std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 200;
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(View(text.substr(0, kShown))), text.size() > kShown ? "'..." : "'");
}

absl::Status Wrong(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " ", View(what)));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The plain decimal of 0 to 65535 that `port` is; -1: it is none.
int PortOf(std::string_view port) {
  const bool plain = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), IsDigit) &&
                     (port.size() == 1 || port[0] != '0');
  if (!plain) return -1;
  int value = 0;
  for (const char c : port) value = value * 10 + (c - '0');
  return value <= UINT16_MAX ? value : -1;
}

bool IsIpv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string NotAnAddress(const std::string& host, const std::string& whole) {
  if (host == "localhost") {
    return "names a host, which may stand for several addresses: write 127.0.0.1:port or [::1]:port";
  }
  if (IsIpv6(host) || IsIpv6(whole)) return "must have its IPv6 address in brackets: write [::1]:port";
  return absl::StrCat("is no literal address; names, * and other schemes are not taken: ", kForms);
}

}  // namespace

absl::StatusOr<Address> Address::Parse(std::string_view text) {
  return text.substr(0, kUnix.size()) == kUnix ? ParseUnix(text) : ParseIp(text);
}

absl::StatusOr<Address> Address::ParseUnix(std::string_view text) {
  const std::string_view path = text.substr(kUnix.size());
  if (path.empty() || path[0] != '/') return Wrong(text, "must be unix: and an absolute path: write unix:/path");
  if (path.substr(0, 2) == "//") return Wrong(text, "must have one slash after unix: and not more: write unix:/path");
  if (path.size() > kMaxPathBytes) {
    return Wrong(text, absl::StrCat("has a path of ", path.size(), " bytes; a socket's is at most ", kMaxPathBytes,
                                    ": choose a shorter one"));
  }
  if (path.find('\0') != std::string_view::npos) return Wrong(text, "has a zero byte in its path: write unix:/path");
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") {
    return Wrong(text, "names a folder: add the socket's name, unix:/folder/name");
  }
  Address address;
  address.kind_ = Kind::kUnix;
  address.path_ = std::string(path);
  return address;
}

absl::StatusOr<Address> Address::ParseIp(std::string_view text) {
  if (text.empty()) return Wrong(text, absl::StrCat("is empty: ", kForms));
  const bool bracketed = text[0] == '[';
  const size_t end = bracketed ? text.find(']') : text.rfind(':');
  if (bracketed && end == std::string_view::npos) return Wrong(text, "has no closing bracket: write [::1]:port");
  const std::string host(bracketed ? text.substr(1, end - 1) : text.substr(0, end));
  if (host.find('\0') != std::string::npos) return Wrong(text, absl::StrCat("has a zero byte: ", kForms));
  Address address;
  address.kind_ = bracketed ? Kind::kIpv6 : Kind::kIpv4;
  if (inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), &address.host_) != 1) {
    return Wrong(text,
                 bracketed
                     ? "has no literal IPv6 address in its brackets, and zones (%eth0) are not taken: write [::1]:port"
                     : NotAnAddress(host, std::string(text)));
  }
  if (bracketed && IN6_IS_ADDR_V4MAPPED(&address.host_) != 0) {
    return Wrong(text, "holds an IPv4 address: write it as 127.0.0.1:port");
  }
  const std::string_view rest =
      end == std::string_view::npos ? std::string_view() : text.substr(bracketed ? end + 1 : end);
  if (rest.empty()) return Wrong(text, absl::StrCat("has no port: ", kForms));
  const int port = rest[0] == ':' ? PortOf(rest.substr(1)) : -1;
  if (port < 0) return Wrong(text, "does not end in a colon and a port, a plain number of 0 to 65535");
  address.port_ = static_cast<uint16_t>(port);
  return address;
}

bool Address::IsLoopback() const {
  if (kind_ == Kind::kIpv4) return host_.s6_addr[0] == 127;
  return kind_ == Kind::kIpv6 && IN6_IS_ADDR_LOOPBACK(&host_) != 0;
}

std::string Address::ToText() const {
  if (kind_ == Kind::kUnset) return "";
  if (kind_ == Kind::kUnix) return absl::StrCat(View(kUnix), path_);
  char host[INET6_ADDRSTRLEN] = {};
  inet_ntop(kind_ == Kind::kIpv4 ? AF_INET : AF_INET6, &host_, host, sizeof host);
  return kind_ == Kind::kIpv4 ? absl::StrCat(host, ":", port_) : absl::StrCat("[", host, "]:", port_);
}

Address Address::WithPort(uint16_t port) const {
  Address other = *this;
  other.port_ = port;
  return other;
}

void Address::Fill(sockaddr_storage* to, socklen_t* length) const {
  *to = {};
  if (kind_ == Kind::kUnix) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path_.data(), path_.size());
    std::memcpy(to, &local, sizeof local);
    *length = sizeof local;
  } else if (kind_ == Kind::kIpv4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, &host_, sizeof v4.sin_addr);
    std::memcpy(to, &v4, sizeof v4);
    *length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    v6.sin6_addr = host_;
    std::memcpy(to, &v6, sizeof v6);
    *length = sizeof v6;
  }
}

absl::StatusOr<ListeningSocket> ListeningSocket::Open(const Address& address, int backlog) {
  const bool v6 = address.kind() == Address::Kind::kIpv6;
  if (!v6 && address.kind() != Address::Kind::kIpv4) return absl::InternalError("ListeningSocket is for TCP");
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return CannotListen(address, errno);
  ListeningSocket socket(fd, address);
  const int on = 1;
  sockaddr_storage at{};
  socklen_t length = 0;
  address.Fill(&at, &length);
  // SO_REUSEADDR lets a restart take the port at once; a port that somebody listens on is refused all the same.
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
      bind(fd, reinterpret_cast<const sockaddr*>(&at), length) != 0 || listen(fd, backlog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
    return CannotListen(address, errno);
  }
  // The port is at the same place in both families' addresses.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  in_port_t port = 0;
  std::memcpy(&port, reinterpret_cast<const char*>(&at) + offsetof(sockaddr_in, sin_port), sizeof port);
  socket.address_ = address.WithPort(ntohs(port));
  return socket;
}

ListeningSocket::~ListeningSocket() {
  if (fd_ >= 0) close(fd_);
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(other.Release()), address_(std::move(other.address_)) {}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(address_, other.address_);
  return *this;
}

int ListeningSocket::Release() { return std::exchange(fd_, -1); }

absl::Status CannotListen(const Address& address, int error) {
  std::string what = std::strerror(error);
  switch (error) {
    case EADDRINUSE:
      what = address.port() == 0
                 ? "no port is free: every port of the system's own range is in use"
                 : "another process uses the port: stop that one or choose another port (`ss -ltnp` lists who listens)";
      break;
    case EADDRNOTAVAIL:
      what =
          "this machine has no such address: choose one of its own (`ip address` lists them; none of IPv6 may mean "
          "that it is switched off)";
      break;
    case EAFNOSUPPORT:
      what = "this machine's kernel has no such kind of address; where IPv6 is switched off write 127.0.0.1:port";
      break;
    case EACCES:
    case EPERM:
      what =
          "the system does not let this user have it: choose a port of 1024 or more, or see what forbids it (a "
          "capability, a security module)";
      break;
    case EMFILE:
      what = "this process may open no more files: raise its limit (`ulimit -n`, LimitNOFILE= of systemd)";
      break;
    case ENFILE:
      what = "the system can open no more files: raise fs.file-max or stop what holds them";
      break;
    case ENOBUFS:
    case ENOMEM:
      what = "the system has no memory for another socket: free some, then start again";
      break;
    default:
      break;
  }
  const std::string text = absl::StrCat(address.ToText(), " cannot be listened on: ", what);
  return base::IsShortage(error) ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

}  // namespace consent::ops
