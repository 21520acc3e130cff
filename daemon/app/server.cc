#include "daemon/app/server.h"

#include <google/protobuf/descriptor.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "daemon/app/acceptor.h"
#include "daemon/app/after_cuts.h"
#include "daemon/app/check_reads.h"
#include "daemon/app/unix_socket.h"
#include "daemon/base/file.h"
#include "daemon/base/mutex.h"
#include "daemon/rpc/limits.h"

namespace consent::app {
namespace {

constexpr size_t kQuotaBytes = size_t{512} << 20;  // of all calls together
constexpr int kStreamsPerConnection = 128;
constexpr int kMetadataBytes = 8 << 10;
constexpr int kBacklog =
    4096;  // as many as the system lets wait: a peer that finds the queue of a Unix socket full gives up at once

// A drain's ping is answered by every peer that lives, within this.
constexpr std::chrono::seconds kPingPatience{2};

int Milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

void SetBounds(const ConnectionTimes& times, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(rpc::kMaxReceiveBytes);
  grpc::ResourceQuota quota("consentd");
  quota.Resize(kQuotaBytes);
  builder->SetResourceQuota(quota);
  for (const auto& [name, value] : {
           std::pair{GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection},
           std::pair{GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes},
           std::pair{GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Milliseconds(times.handshake)},
           std::pair{GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(times.idle)},
           std::pair{GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(times.age)},
           std::pair{GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Milliseconds(times.grace)},
           // Peers may ping each 10 seconds.
           std::pair{GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(times.ping)},
           std::pair{GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(times.ping_answer)},
           std::pair{GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
           std::pair{GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000},
       }) {
    builder->AddChannelArgument(name, value);
  }
}

// gRPC writes to stderr in a form of its own, and may quote what a peer sent. It says nothing unless the operator asks
// it to.
void SilenceGrpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) {
    gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
  }
}

const std::vector<const google::protobuf::ServiceDescriptor*>& Descriptors() {
  static const std::vector<const google::protobuf::ServiceDescriptor*> kAll = {
      v1::CheckRequest::descriptor()->file()->service(0),
      v1::GetSettingsRequest::descriptor()->file()->service(0),
      v1::GetSubjectRequest::descriptor()->file()->service(0),
      v1::ReportRecordingRequest::descriptor()->file()->service(0),
      v1::GetPolicyRequest::descriptor()->file()->service(0),
      v1::GetDeletionRequestRequest::descriptor()->file()->service(0),
      v1::ListHoldsRequest::descriptor()->file()->service(0),
      v1::LeaseTasksRequest::descriptor()->file()->service(0),
      v1::LeaseTasksRequest::descriptor()->file()->service(1),
      v1::GetDecisionLogRequest::descriptor()->file()->service(0)};
  return kAll;
}

// A descriptor that listens, and the address it has.
struct Listener {
  int fd = -1;
  std::string address;
  std::optional<UnixSocket> socket;
};

absl::StatusOr<Listener> Open(const ops::Address& address) {
  Listener listener;
  if (address.kind() == ops::Address::Kind::kUnix) {
    absl::StatusOr<UnixSocket> socket = UnixSocket::Listen(address.path(), kBacklog);
    if (!socket.ok()) return socket.status();
    listener.fd = socket->Release();
    listener.address = address.ToText();
    listener.socket.emplace(*std::move(socket));
    return listener;
  }
  absl::StatusOr<ops::ListeningSocket> socket = ops::ListeningSocket::Open(address, kBacklog);
  if (!socket.ok()) return socket.status();
  listener.address = socket->address().ToText();
  listener.fd = socket->Release();
  return listener;
}

}  // namespace

// Members go in reverse order: nobody is accepted any more when the server ends, and its connections outlive it.
struct Server::Parts {
  explicit Parts(ServerOptions options)
      : connections(options.connections), after_cuts(connections, std::move(options.on_cuts)) {}
  void HandOver(int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    way_in->HandleNewConnection(&connection);
  }
  Connections connections;
  AfterCuts after_cuts;  // of the acceptor's thread
  std::optional<UnixSocket> socket;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> way_in;
  base::Mutex own_mutex;
  bool takes_own GUARDED_BY(own_mutex) = true;  // until the shutdown begins
  std::unique_ptr<Acceptor> acceptor;
};

Server::Server(std::unique_ptr<Parts> parts, std::string address, ops::Health& health)
    : parts_(std::move(parts)), address_(std::move(address)), health_(health) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(ServerOptions options,
                                                       const std::vector<grpc::Service*>& services,
                                                       ops::Health& health) {
  SilenceGrpc();
  absl::StatusOr<Listener> listener = Open(options.address);
  if (!listener.ok()) return listener.status();
  const ConnectionTimes times = options.times;
  auto made = std::make_unique<Parts>(std::move(options));
  std::unique_ptr<Server> server(new Server(std::move(made), listener->address, health));
  Parts& parts = *server->parts_;
  if (listener->socket.has_value()) parts.socket.emplace(*std::move(listener->socket));
  Acceptor::Options accepting;
  accepting.listener = listener->fd;
  accepting.connections = &parts.connections;
  accepting.silence = times.handshake;
  accepting.each_second = [&parts] { parts.after_cuts.Look(); };
  accepting.hand_over = [&parts](int fd) { parts.HandOver(fd); };

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetBounds(times, &builder);
  parts.way_in = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  for (grpc::Service* service : services) builder.RegisterService(service);
  parts.server = builder.BuildAndStart();
  if (parts.server == nullptr) {
    close(accepting.listener);
    return absl::InternalError("gRPC's server could not be started");
  }
  health.Attach(parts.server->GetHealthCheckService());
  if (absl::Status status = CheckReads(parts.connections, accepting.hand_over); !status.ok()) {
    close(accepting.listener);
    return status;
  }
  absl::StatusOr<std::unique_ptr<Acceptor>> acceptor = Acceptor::Start(std::move(accepting));
  if (!acceptor.ok()) return acceptor.status();
  parts.acceptor = *std::move(acceptor);
  if (parts.socket.has_value()) {
    if (absl::Status status = parts.socket->Publish(); !status.ok()) return status;
  }
  return server;
}

absl::StatusOr<int> Server::ConnectOwn() {
  Parts& parts = *parts_;
  base::MutexLock lock(parts.own_mutex);
  if (!parts.takes_own) return absl::UnavailableError("the server is shut down");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return base::FileError("a connection of the daemon to itself cannot be made", errno);
  }
  const auto [served, own] = ends;
  if (!parts.connections.AdmitOwn(served)) {
    close(served);
    close(own);
    return absl::ResourceExhaustedError("a connection of the daemon to itself cannot be followed");
  }
  parts.HandOver(served);
  return own;
}

ConnectionCounts Server::Counts() const { return parts_->connections.Counts(); }

void Server::Shutdown(std::chrono::milliseconds patience) {
  if (parts_->server == nullptr) return;
  parts_->acceptor.reset();
  {
    base::MutexLock lock(parts_->own_mutex);
    parts_->takes_own = false;
  }
  // gRPC waits for each connection to answer a ping. Those that never made a call have nothing to lose; of the others
  // whoever does not answer has gone, or never meant to.
  parts_->connections.EndCallless();
  std::promise<void> ended;
  std::thread impatient([this, over = ended.get_future()] {
    if (over.wait_for(kPingPatience) == std::future_status::timeout) parts_->connections.EndSilent();
  });
  parts_->server->Shutdown(std::chrono::system_clock::now() + patience);
  ended.set_value();
  impatient.join();
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
    for (int i = 0; i < service->method_count(); ++i) {
      names.push_back(absl::StrCat(service->full_name(), "/", service->method(i)->name()));
    }
  }
  return names;
}

}  // namespace consent::app
