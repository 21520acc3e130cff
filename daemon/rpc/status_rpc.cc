#include "daemon/rpc/status_rpc.h"

#include <utility>

namespace consent::rpc {

StatusRpc::StatusRpc(ReadStatus read, const RpcDependencies& dependencies)
    : RawService(dependencies), read_(std::move(read)) {
  Serve<v1::GetStatusRequest, v1::GetStatusResponse>("GetStatus", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] {
      read_(call->response());
      return absl::OkStatus();
    });
  });
}

}  // namespace consent::rpc
