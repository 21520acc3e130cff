// StatusService on gRPC.
#pragma once

#include <functional>

#include "consent/v1/status_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"

namespace consent::rpc {

// Fills the answer of GetStatus. Called on the read pool, by several threads at once.
using ReadStatus = std::function<void(v1::GetStatusResponse* out)>;

// Thread-safe; the references outlive the server.
class StatusRpc final : public RawService<v1::StatusService> {
 public:
  StatusRpc(ReadStatus read, const RpcDependencies& dependencies);

 private:
  const ReadStatus read_;
};

}  // namespace consent::rpc
