// GrpcClient's calls about master keys, and their conversion.
#include "client/src/grpc_client.h"

namespace consent {
namespace {

KeyState StateOf(const v1::KeyState& keys) {
  KeyState state;
  state.master_keys.assign(keys.master_keys().begin(), keys.master_keys().end());
  state.rewrapped_to = keys.rewrapped_to();
  state.rewrapping_to = keys.rewrapping_to();
  state.shares_left = keys.shares_left();
  return state;
}

}  // namespace

absl::StatusOr<KeyState> GrpcClient::GetKeys(const CallOptions& options) {
  v1::GetKeysResponse response;
  const absl::Status called =
      Call(options, true, *keys_, &v1::KeyService::Stub::GetKeys, v1::GetKeysRequest(), &response);
  if (!called.ok()) return called;
  return StateOf(response.keys());
}

absl::StatusOr<KeyState> GrpcClient::RewrapShares(const CallOptions& options) {
  v1::RewrapSharesResponse response;
  const absl::Status called =
      Call(options, true, *keys_, &v1::KeyService::Stub::RewrapShares, v1::RewrapSharesRequest(), &response);
  if (!called.ok()) return called;
  return StateOf(response.keys());
}

}  // namespace consent
