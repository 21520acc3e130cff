// --listen: where the API is served, and who comes there. And --metrics-listen, which has no who.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/names.h"
#include "daemon/ops/address.h"

namespace consent::ops {

// Where a listener is to stand, as it was written. Immutable.
class Place {
 public:
  // Takes what Address::Parse takes, NAME:port and *:port. A name: letters, digits, hyphens and dots, at most 253
  // bytes, and not of digits and dots alone. InvalidArgument as Address::Parse says.
  static absl::StatusOr<Place> Parse(std::string_view text);

  // A Unix socket, or an address of loopback itself: only this machine reaches it, whatever a name service says.
  bool IsLocal() const { return address_.kind() == Address::Kind::kUnix || address_.IsLoopback(); }
  bool IsUnix() const { return address_.kind() == Address::Kind::kUnix; }
  // Asks the name service where it is a name, which may block. Of a name's addresses, and of `*`, which is both
  // families, those that this machine has. NotFound: the name has no address; Unavailable: the name service does not
  // answer, or this machine has none of the addresses.
  absl::StatusOr<std::vector<Address>> Resolve() const;
  const std::string& text() const { return text_; }
  // Neither names the system's choice of a port, and both are the same.
  bool Collides(const Place& other) const { return text_ == other.text_ && port_ != 0; }

 private:
  std::string text_;  // in its canonical form
  Address address_;   // unset: a name, or `*`
  std::string name_;  // empty: an address, or `*`
  uint16_t port_ = 0;
};

// One --listen. What follows the place says who comes there, and is for places without certificates alone.
struct ListenOption {
  Place place;
  std::string group;                      // of a Unix socket: who may reach it; empty: the daemon's user alone
  std::vector<std::string> roles;         // as roles.proto names them, without prefix; empty: all
  std::string name = base::kLocalCaller;  // what history and logs call whoever comes there
  std::vector<std::string> systems;       // that a PURGER or STORE there works for; empty: all, where it has all roles
};

// PLACE[,group=NAME][,roles=ROLE+ROLE...][,name=NAME][,systems=NAME+NAME...]: each at most once, at most 64 roles and
// systems, names as base/names.h takes them. InvalidArgument: what is wrong and what to write instead, in one line.
absl::StatusOr<ListenOption> ParseListen(std::string_view text);

// What all --listen say together: 1 to 16, none twice; without certificates local places alone; with them nobody else
// says who comes to a TCP one. InvalidArgument, with the option's name in front.
absl::StatusOr<std::vector<ListenOption>> ReadListeners(const std::vector<std::string>& texts, bool has_certificates);

// What --metrics-listen says: a TCP place that is none of the listeners'. InvalidArgument likewise.
absl::StatusOr<Place> ReadMetricsPlace(std::string_view text, const std::vector<ListenOption>& listeners);

}  // namespace consent::ops
