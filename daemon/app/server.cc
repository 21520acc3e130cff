#include "daemon/app/server.h"

#include <google/protobuf/descriptor.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "daemon/app/unix_socket.h"
#include "daemon/rpc/limits.h"

namespace consent::app {
namespace {

constexpr size_t kQuotaBytes = size_t{512} << 20;  // of all calls together
constexpr int kStreamsPerConnection = 1024;
constexpr int kMetadataBytes = 16 << 10;

void SetBounds(grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(rpc::kMaxReceiveBytes);
  grpc::ResourceQuota quota("consentd");
  quota.Resize(kQuotaBytes);
  builder->SetResourceQuota(quota);
  for (const auto& [name, value] : {
           std::pair{GRPC_ARG_ALLOW_REUSEPORT, 0},  // or a second daemon binds the same port
           std::pair{GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection},
           std::pair{GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes},
           // Dead peers are found out within 80 seconds; peers may ping each 10 seconds.
           std::pair{GRPC_ARG_KEEPALIVE_TIME_MS, 60'000},
           std::pair{GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000},
           std::pair{GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
           std::pair{GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000},
       }) {
    builder->AddChannelArgument(name, value);
  }
}

// gRPC writes to stderr in a form of its own, and may quote what a peer sent. It says nothing unless the operator asks it to.
void SilenceGrpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
}

const std::vector<const google::protobuf::ServiceDescriptor*>& Descriptors() {
  static const std::vector<const google::protobuf::ServiceDescriptor*> kAll = {
      v1::CheckRequest::descriptor()->file()->service(0), v1::GetSettingsRequest::descriptor()->file()->service(0),
      v1::GetSubjectRequest::descriptor()->file()->service(0), v1::ReportRecordingRequest::descriptor()->file()->service(0),
      v1::GetPolicyRequest::descriptor()->file()->service(0), v1::GetDeletionRequestRequest::descriptor()->file()->service(0),
      v1::ListHoldsRequest::descriptor()->file()->service(0), v1::LeaseTasksRequest::descriptor()->file()->service(0), v1::LeaseTasksRequest::descriptor()->file()->service(1)};
  return kAll;
}

}  // namespace

struct Server::Parts {
  std::optional<UnixSocket> socket;
  std::unique_ptr<grpc::Server> server;
};

Server::Server(std::unique_ptr<Parts> parts, std::string address, ops::Health& health)
    : parts_(std::move(parts)), address_(std::move(address)), health_(health) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(const std::string& address, const std::vector<grpc::Service*>& services,
                                                       ops::Health& health) {
  constexpr absl::string_view kUnix = "unix:";
  SilenceGrpc();
  auto parts = std::make_unique<Parts>();
  if (absl::StartsWith(address, kUnix)) {
    absl::StatusOr<UnixSocket> socket = UnixSocket::Prepare(address.substr(kUnix.size()));
    if (!socket.ok()) return socket.status();
    parts->socket = *std::move(socket);
  }
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetBounds(&builder);
  int port = 0;
  builder.AddListeningPort(parts->socket.has_value() ? parts->socket->bind_address() : address, grpc::InsecureServerCredentials(), &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(address, " cannot be bound; is another process using it?"));
  }
  health.Attach(parts->server->GetHealthCheckService());
  std::string shown = address;
  if (!parts->socket.has_value()) shown = absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
  std::unique_ptr<Server> server(new Server(std::move(parts), std::move(shown), health));
  if (server->parts_->socket.has_value()) {
    if (absl::Status status = server->parts_->socket->Publish(); !status.ok()) return status;
  }
  return server;
}

void Server::Shutdown(std::chrono::milliseconds patience) {
  if (parts_->server == nullptr) return;
  parts_->server->Shutdown(std::chrono::system_clock::now() + patience);
  health_.Attach(nullptr);
  parts_->server.reset();
  if (parts_->socket.has_value()) parts_->socket->Remove();
}

std::vector<std::string> ServiceNames() {
  std::vector<std::string> names;
  for (const auto* service : Descriptors()) names.push_back(service->full_name());
  return names;
}

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const auto* service : Descriptors()) {
    for (int i = 0; i < service->method_count(); ++i) names.push_back(absl::StrCat(service->full_name(), "/", service->method(i)->name()));
  }
  return names;
}

}  // namespace consent::app
