#include "daemon/rpc/key_rpc.h"

#include <string>
#include <utility>

#include "daemon/service/rows/key_share_rows.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {

KeyRpc::KeyRpc(service::Core& core, service::MasterKeys& master_keys, const service::RewrapShares& rewrapping,
               ReadKeyFile read, const RpcDependencies& dependencies)
    : RawService(dependencies),
      core_(core),
      master_keys_(master_keys),
      rewrapping_(rewrapping),
      read_(std::move(read)) {
  Serve<v1::GetKeysRequest, v1::GetKeysResponse>("GetKeys", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Get(call->response()->mutable_keys()); });
  });
  Serve<v1::RewrapSharesRequest, v1::RewrapSharesResponse>("RewrapShares", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] {
      const absl::Status begun = Rewrap();
      return begun.ok() ? Get(call->response()->mutable_keys()) : begun;
    });
  });
}

absl::Status KeyRpc::Get(v1::KeyState* out) const {
  const absl::StatusOr<service::MasterKeyRow> row = service::ReadMasterKeyRow(core_.store);
  if (!row.ok()) return row.status();
  for (const uint16_t number : core_.shares.keys()->master_numbers()) out->add_master_keys(number);
  out->set_rewrapped_to(row->reached);
  out->set_rewrapping_to(row->IsUnderWay() ? row->wanted : 0);
  out->set_shares_left(static_cast<int64_t>(rewrapping_.left()));
  return absl::OkStatus();
}

absl::Status KeyRpc::Rewrap() const {
  const absl::StatusOr<base::Keys> file = read_();
  if (!file.ok()) {
    return wire::MakeError(v1::ERROR_REASON_KEY_FILE_REFUSED, std::string(file.status().message()));
  }
  if (absl::Status s = master_keys_.Take(*file); !s.ok()) return s;
  return master_keys_.BeginRewrapping();
}

}  // namespace consent::rpc
