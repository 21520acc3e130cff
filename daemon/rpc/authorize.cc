#include "daemon/rpc/authorize.h"

#include "daemon/wire/errors.h"

namespace consent::rpc {

Method::Method(const google::protobuf::MethodDescriptor* descriptor) {
  if (descriptor == nullptr) return;
  name_ = descriptor->service()->full_name() + '/' + descriptor->name();
  const google::protobuf::MethodOptions& options = descriptor->options();
  for (int i = 0; i < options.ExtensionSize(v1::roles); ++i) roles_.Add(options.GetExtension(v1::roles, i));
}

Method Method::Named(const std::string& full_name) {
  return Method(google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name));
}

absl::Status Authorize(const Peer& peer, const Method& method) {
  if (peer.roles.Meets(method.roles())) return absl::OkStatus();
  return wire::MakeError(v1::ERROR_REASON_ROLE_REQUIRED,
                         method.roles().Empty() ? "the method names no role, so nobody may call it"
                                                : "the caller has none of the roles that the method asks for");
}

}  // namespace consent::rpc
