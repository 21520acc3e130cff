// Where a listener stands, read strictly, and the TCP sockets that the daemon makes itself. For every listener: the
// API's and HTTP's.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace consent::ops {

// A Unix socket's path, or a literal IP address with a port. Immutable; a default one is unset and cannot be listened
// on.
class Address {
 public:
  enum class Kind : uint8_t { kUnset = 0, kUnix = 1, kIpv4 = 2, kIpv6 = 3 };
  // What sun_path holds beside its end.
  static constexpr size_t kMaxPathBytes = 107;

  Address() = default;
  // Takes unix:/absolute/path of at most kMaxPathBytes bytes, A.B.C.D:port and [IPv6]:port, the port a plain decimal of
  // 0 to 65535. No names (one may stand for several addresses), services, wildcards, zones or IPv4 within IPv6, and
  // nothing left out. InvalidArgument: what is wrong with `text`, quoted, and what to write instead; one line, whatever
  // bytes `text` holds.
  static absl::StatusOr<Address> Parse(std::string_view text);

  Kind kind() const { return kind_; }
  const std::string& path() const { return path_; }  // of kUnix
  uint16_t port() const { return port_; }            // of kIpv4 and kIpv6; 0: the system chooses
  // 127.0.0.0/8 and ::1.
  bool IsLoopback() const;
  // The form that Parse takes, the address itself in its canonical form. Empty: unset.
  std::string ToText() const;
  Address WithPort(uint16_t port) const;
  // As system calls want it: `length` bytes of `to`. Not for kUnset.
  void Fill(sockaddr_storage* to, socklen_t* length) const;

  friend bool operator==(const Address& left, const Address& right) { return left.ToText() == right.ToText(); }

 private:
  static absl::StatusOr<Address> ParseUnix(std::string_view text);
  static absl::StatusOr<Address> ParseIp(std::string_view text);

  Kind kind_ = Kind::kUnset;
  std::string path_;
  in6_addr host_{};  // of kIpv4 in the first four bytes
  uint16_t port_ = 0;
};

// A TCP socket that listens. Closed with its owner. Movable.
class ListeningSocket {
 public:
  // `address` is of kIpv4 or kIpv6, and IPv6 takes no IPv4 along. Does not block; a port that another process listens
  // on is never shared, one whose last connections have yet to time out is taken. Else as CannotListen says.
  static absl::StatusOr<ListeningSocket> Open(const Address& address, int backlog);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;

  int fd() const { return fd_; }
  // The caller closes it from here on.
  int Release();
  // With the port that is really in use.
  const Address& address() const { return address_; }

 private:
  ListeningSocket(int fd, Address address) : fd_(fd), address_(std::move(address)) {}
  int fd_ = -1;
  Address address_;
};

// What to tell an operator when a system call for listening on `address` failed with `error`, an errno: the true cause
// and what to do. ResourceExhausted: base::IsShortage; Unavailable: all others.
absl::Status CannotListen(const Address& address, int error);

}  // namespace consent::ops
