// The gRPC server: what it listens on, its bounds, and the services on it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/health.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace consent::app {

// Main thread only.
class Server {
 public:
  // Listens on `address` (as ops::ListenAddress takes it) with health, reflection and the given services, which must outlive the
  // server. Health is attached before anybody can connect to a Unix socket. FailedPrecondition, Unavailable: the address cannot be
  // used.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(const std::string& address, const std::vector<grpc::Service*>& services,
                                                        ops::Health& health);
  // Cancels what is under way.
  ~Server();

  // The address with the port that is really in use.
  const std::string& address() const { return address_; }
  // Takes no more calls, waits for those under way until `patience` has passed, cancels the rest and waits for that. Idempotent.
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
