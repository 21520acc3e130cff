// Client::Create: validates the options and opens the channel.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <string>
#include <utility>

#include "client/src/credentials.h"
#include "client/src/default_endpoint.h"
#include "client/src/endpoint.h"
#include "client/src/grpc_client.h"
#include "client/src/wall_clock.h"

namespace consent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.deadline < milliseconds(1) || options.deadline > hours(1)) {
    return absl::InvalidArgumentError("the deadline must be from 1 ms to 1 hour");
  }
  const RetryPolicy& retry = options.retry;
  if (retry.max_attempts < 1 || retry.max_attempts > 10) {
    return absl::InvalidArgumentError("max_attempts must be from 1 to 10");
  }
  if (retry.first_backoff < milliseconds(1) || retry.max_backoff < retry.first_backoff ||
      retry.max_backoff > hours(1)) {
    return absl::InvalidArgumentError("the backoff must be at least 1 ms, its bound no smaller and at most 1 hour");
  }
  if (retry.attempt_timeout < milliseconds(1) || retry.attempt_timeout > hours(1)) {
    return absl::InvalidArgumentError("attempt_timeout must be from 1 ms to 1 hour");
  }
  return absl::OkStatus();
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // The longest reply is a policy with 1,024 notices; a batch of 1,000 decisions is far below.
  arguments.SetMaxReceiveMessageSize(16 << 20);
  arguments.SetMaxSendMessageSize(16 << 20);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // Reconnect about as fast as our own repetitions come.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // In spite of its name: how long one attempt to connect may take. A busy machine needs more than the wait between two
  // of them.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 3'000);
  // Repetition is decided here, by what is safe; and ids never travel through a proxy from the environment.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetServiceConfigJSON("{}");
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // One client, one connection: no sharing of a broken one between clients.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  if (options.endpoint.empty()) options.endpoint = DefaultEndpoint();
  absl::StatusOr<CredentialFiles> files = FilesOf(options);
  if (!files.ok()) return files.status();
  if (IsUnixEndpoint(options.endpoint)) *files = {};
  const absl::StatusOr<std::string> target = TargetOf(options.endpoint, files->given());
  if (!target.ok()) return target.status();
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  // The dates may still become right while the client lives; what the files are should be right now.
  if (files->given()) {
    const absl::Status status = CheckCredentials(*files, SystemTime());
    if (absl::IsInvalidArgument(status)) return status;
  }
  if (options.clock == nullptr) options.clock = Clock::System();
  if (options.random == nullptr) options.random = Random::System();
  auto channel = grpc::CreateCustomChannel(
      *target, files->given() ? WatchedCredentials(*files) : grpc::InsecureChannelCredentials(), Arguments());
  return std::make_unique<GrpcClient>(std::move(options), *std::move(files), std::move(channel));
}

}  // namespace consent
