// Who calls, and may they. Every handler asks here before it looks at the request.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "consent/v1/roles.pb.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/rows/change_row.h"

namespace consent::rpc {

// A set of roles; a default-constructed one is empty and lets nobody in.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  static constexpr RoleSet All() {
    RoleSet all;
    all.bits_ = ~1U;
    return all;
  }
  // UNSPECIFIED and unknown numbers are no roles.
  constexpr void Add(int role) {
    if (role > v1::ROLE_UNSPECIFIED && role < 32) bits_ |= 1U << role;
  }
  constexpr bool Empty() const { return bits_ == 0; }
  constexpr bool Meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }

 private:
  uint32_t bits_ = 0;
};

// An RPC: its name and the roles of which a caller needs one, read from the method's descriptor. Immutable.
class Method {
 public:
  // nullptr: a method without roles.
  explicit Method(const google::protobuf::MethodDescriptor* descriptor);
  // Of the protos that are linked in; "consent.v1.EligibilityService.Check". A name that does not exist has no roles.
  static Method Named(const std::string& full_name);

  // "consent.v1.EligibilityService/Check".
  const std::string& name() const { return name_; }
  RoleSet roles() const { return roles_; }

 private:
  std::string name_;
  RoleSet roles_;
};

struct Peer {
  service::Caller caller;
  RoleSet roles;
  std::vector<std::string> systems = {};  // data systems that a PURGER or STORE works for; empty: all
};

// Tells who is at the other end of a call. Each listener has its own; thread-safe, and outlives the server.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Peer PeerOf(const grpc::CallbackServerContext& context) const = 0;
};

// Everybody who reaches a listener is the same peer: of a Unix socket, whose folder says who may, or of loopback.
class OnePeer final : public Authenticator {
 public:
  explicit OnePeer(Peer peer) : peer_(std::move(peer)) {}
  Peer PeerOf(const grpc::CallbackServerContext&) const override { return peer_; }

 private:
  const Peer peer_;
};

// ROLE_REQUIRED where the peer has none of the method's roles, or the method names none.
absl::Status Authorize(const Peer& peer, const Method& method);

}  // namespace consent::rpc
