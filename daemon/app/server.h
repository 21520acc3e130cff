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

struct ServerOptions {
  ops::Address address;
  ConnectionLimits connections;
  ConnectionTimes times;
  // Connections were cut because of what they sent, or made way; at most each ten seconds, on a thread of the server's.
  // May be empty.
  std::function<void(const ConnectionCounts&)> on_cuts;
};

// Main thread only, but for Counts and ConnectOwn.
class Server {
 public:
  // Listens with health, reflection and the given services, which must outlive the server. Nobody is let in before
  // health is attached. ResourceExhausted: what it takes cannot be had now. Internal: what gRPC reads does not pass
  // through the frame bound. All others: the address cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(ServerOptions options,
                                                        const std::vector<grpc::Service*>& services,
                                                        ops::Health& health);
  // Cancels what is under way.
  ~Server();

  // The address with the port that is really in use.
  const std::string& address() const { return address_; }
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
  Server(std::unique_ptr<Parts> parts, std::string address, ops::Health& health);
  std::unique_ptr<Parts> parts_;
  const std::string address_;
  ops::Health& health_;
};

// Full names of the services of consent.v1, and of their methods as "service/method", the ones called most first.
std::vector<std::string> ServiceNames();
std::vector<std::string> MethodNames();

}  // namespace consent::app
