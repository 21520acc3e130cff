// Who calls, and may they. Every handler asks here before it looks at the request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "consent/v1/roles.pb.h"
#include "daemon/callers/meter.h"
#include "daemon/callers/role_set.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/person.h"

namespace consent::rpc {

using callers::RoleSet;

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
  // A call can carry a restriction.
  bool may_restrict() const { return may_restrict_; }
  // It answers about people, so that a person's call of it goes on record.
  bool reads_people() const { return reads_people_; }

 private:
  std::string name_;
  RoleSet roles_;
  bool may_restrict_ = false;
  bool reads_people_ = false;
};

// Who is at the other end of a call, and what he may do.
struct Peer {
  service::Caller caller;
  RoleSet roles;
  std::vector<std::string> systems = {};       // the data systems that it works for; empty: all
  absl::Status refusal = {};                   // why it may do nothing, whatever its roles; OK: nothing is against it
  std::shared_ptr<callers::Meter> meter = {};  // nullptr: no limits
  std::string connection = {};                 // of who has limits: its name (callers::CallerConnections)

  // Whether it may see the evidence of a change that `author` made.
  bool SeesEvidenceOf(std::string_view author) const;
  bool WorksFor(std::string_view system) const;
  // An auditor, officer or operator, whose reads go on record. Whoever is a backend, too, is none: it reads for its
  // users.
  bool IsPerson() const;
};

// Tells who is at the other end of a call. Each listener has its own; thread-safe, and outlives the server.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Peer PeerOf(const grpc::CallbackServerContext& context) const = 0;
  // The same, as far as it tells two persons apart. Asked only for what takes two.
  virtual service::Person PersonOf(const grpc::CallbackServerContext& context) const = 0;
};

// How gRPC names a peer whose user is known, before the user's number; what the composition root has it say.
inline constexpr std::string_view kUserPeer = "unix-abstract:consentd-user-";
// The user that `peer` names, at the listener of that name; unknown where it names none.
service::Person UserAt(std::string_view peer, const std::string& listener);

// Everybody who reaches a listener is the same peer: of a Unix socket, whose folder says who may, or of loopback.
class OnePeer final : public Authenticator {
 public:
  explicit OnePeer(Peer peer) : peer_(std::move(peer)) {}
  Peer PeerOf(const grpc::CallbackServerContext&) const override { return peer_; }
  // The user that connected to a Unix socket; nobody in particular else.
  service::Person PersonOf(const grpc::CallbackServerContext& context) const override {
    return UserAt(context.peer(), peer_.caller.identity);
  }

 private:
  const Peer peer_;
};

// The peer's refusal; else ROLE_REQUIRED where it has none of the method's roles, or the method names none.
absl::Status Authorize(const Peer& peer, const Method& method);
// SYSTEM_NOT_YOURS where the peer does not work for `system`, whether or not that is registered.
absl::Status CheckSystem(const Peer& peer, std::string_view system);

}  // namespace consent::rpc
