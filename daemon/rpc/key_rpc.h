// KeyService on gRPC.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "consent/v1/key_service.grpc.pb.h"
#include "daemon/base/keys.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/erasure/master_keys.h"
#include "daemon/service/erasure/rewrap_shares.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

// Reads the key file as it is now. Called on the read pool, by several threads at once.
using ReadKeyFile = std::function<absl::StatusOr<base::Keys>()>;

// Everything here runs on the read pool. Thread-safe; the references outlive the server.
class KeyRpc final : public RawService<v1::KeyService> {
 public:
  KeyRpc(service::Core& core, service::MasterKeys& master_keys, const service::RewrapShares& rewrapping,
         ReadKeyFile read, const RpcDependencies& dependencies);

 private:
  absl::Status Get(v1::KeyState* out) const;
  absl::Status Rewrap() const;

  service::Core& core_;
  service::MasterKeys& master_keys_;
  const service::RewrapShares& rewrapping_;
  const ReadKeyFile read_;
};

}  // namespace consent::rpc
