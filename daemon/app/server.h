// The gRPC server: what it listens on, its bounds, and the services on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/app/connections.h"
#include "daemon/ops/address.h"
#include "daemon/ops/health.h"

namespace grpc {
class ServerCredentials;
class Service;
}  // namespace grpc

namespace consent::app {

// When a connection ends that goes no further. Each ends what the others do not: README.md has the table.
struct ConnectionTimes {
  std::chrono::milliseconds handshake{std::chrono::seconds(5)};     // until the first SETTINGS
  std::chrono::milliseconds idle{std::chrono::minutes(5)};          // without a call
  std::chrono::milliseconds age{std::chrono::minutes(10)};          // whatever it does; a client connects again
  std::chrono::milliseconds grace{std::chrono::seconds(30)};        // for its calls after that
  std::chrono::milliseconds ping{std::chrono::seconds(60)};         // between pings of a silent peer
  std::chrono::milliseconds ping_answer{std::chrono::seconds(20)};  // after which it counts as gone
};

// One address that is listened on, and what is served there.
struct Listener {
  ops::Address address;
  std::string group;  // of a Unix socket: who may reach it beside the daemon's user; empty: nobody
  // Of ServerOptions::served, by number.
  size_t served_by = 0;
};

// What one gRPC server has: services that take all of its peers alike, and credentials.
struct Served {
  std::vector<grpc::Service*> services;                  // outlive the server
  std::shared_ptr<grpc::ServerCredentials> credentials;  // null: none are asked for, and no TLS is spoken
};

struct ServerOptions {
  std::vector<Listener> listeners;  // at least one
  // At least one. The first one has no credentials; the daemon's connections to itself are served by it.
  std::vector<Served> served;
  ConnectionLimits connections;
  ConnectionTimes times;
  // Hears which TLS connections are open; those of callers that stay over their limits are ended. Outlives the server;
  // may be null.
  callers::CallerConnections* callers = nullptr;
  // A caller stayed over its limits, and its `connections` end one after another; on a thread of the server's. May be
  // empty.
  std::function<void(const std::string& caller, size_t connections)> on_overstay;
  // Connections were cut because of what they sent, or made way; at most each ten seconds, on a thread of the server's.
  // May be empty.
  std::function<void(const ConnectionCounts&)> on_cuts;
};

// Main thread only, but for Counts and ConnectOwn.
class Server {
 public:
  // Listens with health, reflection and the given services. Nobody is let in before health is attached.
  // ResourceExhausted: what it takes cannot be had now. Internal: what gRPC reads does not pass through the frame
  // bound. All others: an address cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(const ServerOptions& options, ops::Health& health);
  // Cancels what is under way.
  ~Server();

  // The addresses with the ports that are really in use, in the order of the listeners.
  const std::vector<std::string>& addresses() const { return addresses_; }
  // Thread-safe.
  ConnectionCounts Counts() const;
  // A connected, non-blocking socket to the server: the daemon's way to ask itself, which passes everything that a
  // peer's bytes pass but the accept loop, and needs no room (Connections::AdmitOwn). The caller closes it.
  // Unavailable: the server is shut down; else the socket cannot be had. Thread-safe.
  absl::StatusOr<int> ConnectOwn();
  // Takes no more connections or calls, ends connections without calls, waits for calls under way until `patience` has
  // passed, cancels the rest and waits for that. Idempotent.
  void Shutdown(std::chrono::milliseconds patience);

 private:
  struct Parts;
  Server(std::unique_ptr<Parts> parts, ops::Health& health);
  absl::Status Begin(const ServerOptions& options);
  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
  ops::Health& health_;
};

// Full names of the services of consent.v1, and of their methods as "service/method", the ones called most first.
std::vector<std::string> ServiceNames();
std::vector<std::string> MethodNames();

}  // namespace consent::app
