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
#include "consent/v1/approval_service.pb.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/status_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "daemon/app/acceptor.h"
#include "daemon/app/after_cuts.h"
#include "daemon/app/check_reads.h"
#include "daemon/app/overstayed.h"
#include "daemon/app/peer_user.h"
#include "daemon/app/reads.h"
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

void SetBounds(const ConnectionTimes& times, const grpc::ResourceQuota& quota, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(rpc::kMaxReceiveBytes);
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
      v1::ListProposalsRequest::descriptor()->file()->service(0),
      v1::LeaseTasksRequest::descriptor()->file()->service(0),
      v1::LeaseTasksRequest::descriptor()->file()->service(1),
      v1::GetDecisionLogRequest::descriptor()->file()->service(0),
      v1::GetStatusRequest::descriptor()->file()->service(0)};
  return kAll;
}

// A descriptor that listens, and the address it has.
struct Opened {
  int fd = -1;
  std::string address;
  std::optional<UnixSocket> socket;
};

absl::StatusOr<Opened> Open(const Listener& listener) {
  Opened opened;
  if (listener.address.kind() == ops::Address::Kind::kUnix) {
    absl::StatusOr<UnixSocket> socket = UnixSocket::Listen(listener.address.path(), listener.group, kBacklog);
    if (!socket.ok()) return socket.status();
    opened.fd = socket->Release();
    opened.address = listener.address.ToText();
    opened.socket.emplace(*std::move(socket));
    return opened;
  }
  absl::StatusOr<ops::ListeningSocket> socket = ops::ListeningSocket::Open(listener.address, kBacklog);
  if (!socket.ok()) return socket.status();
  opened.address = socket->address().ToText();
  opened.fd = socket->Release();
  return opened;
}

}  // namespace

// Members go in reverse order: nobody is accepted any more when the servers end, and their connections outlive them.
struct Server::Parts {
  // One gRPC server, and the way of accepted connections into it.
  struct Hosted {
    void HandOver(int fd) const {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = fd;
      way_in->HandleNewConnection(&connection);
    }
    Spoken spoken = Spoken::kHttp2;
    std::unique_ptr<grpc::Server> server;
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> way_in;
  };

  explicit Parts(const ServerOptions& options)
      : connections(options.connections, options.callers),
        after_cuts(connections, options.on_cuts),
        overstayed(connections, options.callers, options.on_overstay) {}
  void EachSecond();
  Connections connections;
  AfterCuts after_cuts;   // of the first acceptor's thread
  Overstayed overstayed;  // of the same
  std::vector<UnixSocket> sockets;
  std::vector<std::unique_ptr<Hosted>> hosted;
  base::Mutex own_mutex;
  bool takes_own GUARDED_BY(own_mutex) = true;  // until the shutdown begins
  std::vector<std::unique_ptr<Acceptor>> acceptors;
};

void Server::Parts::EachSecond() {
  after_cuts.Look();
  overstayed.EndSome();
}

Server::Server(std::unique_ptr<Parts> parts, ops::Health& health) : parts_(std::move(parts)), health_(health) {}

Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options, ops::Health& health) {
  SilenceGrpc();
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(options), health));
  if (absl::Status status = server->Begin(options); !status.ok()) return status;
  return server;
}

absl::Status Server::Begin(const ServerOptions& options) {
  Parts& parts = *parts_;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ResourceQuota quota("consentd");
  quota.Resize(kQuotaBytes);
  for (const Served& served : options.served) {
    auto hosted = std::make_unique<Parts::Hosted>();
    grpc::ServerBuilder builder;
    SetBounds(options.times, quota, &builder);
    const bool is_tls = served.credentials != nullptr;
    hosted->spoken = is_tls ? Spoken::kTls : Spoken::kHttp2;
    hosted->way_in = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        is_tls ? served.credentials : grpc::InsecureServerCredentials());
    for (grpc::Service* service : served.services) builder.RegisterService(service);
    hosted->server = builder.BuildAndStart();
    if (hosted->server == nullptr) return absl::InternalError("gRPC's server could not be started");
    health_.Attach(hosted->server->GetHealthCheckService());
    parts.hosted.push_back(std::move(hosted));
  }
  if (!SeesDeciphered()) {
    return absl::InternalError(
        "what TLS deciphers does not pass through the bound on HTTP/2 frames: OpenSSL's own SSL_read is found before "
        "the "
        "daemon's; nothing is served. Start it without what is preloaded, or build it again");
  }
  if (!SeesPeerUsers()) {
    return absl::InternalError(
        "gRPC does not ask the daemon who is at the other end of a Unix socket: libc's own getpeername is found first; "
        "nothing is served. Start it without what is preloaded, or build it again");
  }
  const auto hand_over_own = [&parts](int fd) { parts.hosted.front()->HandOver(fd); };
  if (absl::Status status = CheckReads(parts.connections, hand_over_own); !status.ok()) return status;
  for (const Listener& listener : options.listeners) {
    absl::StatusOr<Opened> opened = Open(listener);
    if (!opened.ok()) return opened.status();
    const Parts::Hosted& hosted = *parts.hosted[listener.served_by];
    Acceptor::Options accepting;
    accepting.listener = opened->fd;
    accepting.connections = &parts.connections;
    accepting.spoken = hosted.spoken;
    accepting.silence = options.times.handshake;
    if (parts.acceptors.empty()) accepting.each_second = [&parts] { parts.EachSecond(); };
    accepting.hand_over = [&hosted](int fd) { hosted.HandOver(fd); };
    absl::StatusOr<std::unique_ptr<Acceptor>> acceptor = Acceptor::Start(std::move(accepting));
    if (!acceptor.ok()) return acceptor.status();
    parts.acceptors.push_back(*std::move(acceptor));
    addresses_.push_back(opened->address);
    if (!opened->socket.has_value()) continue;
    // Before the next one is bound: in one folder both would have the same name until then.
    parts.sockets.push_back(*std::move(opened->socket));
    if (absl::Status status = parts.sockets.back().Publish(); !status.ok()) return status;
  }
  return absl::OkStatus();
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
  parts.hosted.front()->HandOver(served);
  return own;
}

ConnectionCounts Server::Counts() const { return parts_->connections.Counts(); }

void Server::Shutdown(std::chrono::milliseconds patience) {
  Parts& parts = *parts_;
  parts.acceptors.clear();
  {
    base::MutexLock lock(parts.own_mutex);
    parts.takes_own = false;
  }
  // gRPC waits for each connection to answer a ping. Those that never made a call have nothing to lose; of the others
  // whoever does not answer has gone, or never meant to.
  parts.connections.EndCallless();
  std::promise<void> ended;
  std::thread impatient([&parts, over = ended.get_future()] {
    if (over.wait_for(kPingPatience) == std::future_status::timeout) parts.connections.EndSilent();
  });
  const auto deadline = std::chrono::system_clock::now() + patience;
  std::vector<std::thread> endings;
  for (const auto& hosted : parts.hosted) {
    endings.emplace_back([&server = *hosted->server, deadline] { server.Shutdown(deadline); });
  }
  for (std::thread& ending : endings) ending.join();
  ended.set_value();
  impatient.join();
  health_.Detach();
  parts.hosted.clear();
  for (UnixSocket& socket : parts.sockets) socket.Remove();
  parts.sockets.clear();
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
