// Servers that speak consentd's API and know nothing: what gRPC and protobuf alone allow.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "daemon/app/tls.h"

namespace consent::bench {

// Parses each request and answers a constant reply of the shape and size of consentd's, from within the reaction.
// Requests and replies lie on an arena of the call's own, as consentd's do.
class EmptyEligibility final : public v1::EligibilityService::CallbackService {
 public:
  EmptyEligibility();
  ~EmptyEligibility() override;
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const v1::CheckRequest* request,
                                  v1::CheckResponse* response) override;
  grpc::ServerUnaryReactor* BatchCheck(grpc::CallbackServerContext* context, const v1::BatchCheckRequest* request,
                                       v1::BatchCheckResponse* response) override;

 private:
  struct Allocators;
  const std::unique_ptr<Allocators> allocators_;
  v1::CheckResponse check_;
  v1::BatchCheckResponse batch_;
};

// The same for UpdateSettings. `write`, where given, does the durable work and calls back when it is done, on any
// thread.
class EmptySettings final : public v1::SettingsService::CallbackService {
 public:
  using Write = std::function<void(const v1::UpdateSettingsRequest& request, std::function<void(bool ok)> done)>;
  explicit EmptySettings(Write write = {});
  ~EmptySettings() override;
  grpc::ServerUnaryReactor* UpdateSettings(grpc::CallbackServerContext* context,
                                           const v1::UpdateSettingsRequest* request,
                                           v1::UpdateSettingsResponse* response) override;

 private:
  struct Allocators;
  const std::unique_ptr<Allocators> allocators_;
  const Write write_;
  v1::UpdateSettingsResponse update_;
};

// Serves with the daemon's own server options until the process is killed: on Unix sockets, and where `tls` is given
// over TLS on all other addresses. Returns only where it cannot listen.
int ServeForever(const std::vector<std::string>& addresses, const app::TlsFiles& tls,
                 const std::vector<grpc::Service*>& services);

}  // namespace consent::bench
