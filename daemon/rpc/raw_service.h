// A service whose methods are given by their names: one line for each, where gRPC's generated classes need one class,
// one declaration and one definition. What is registered is what those register.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include "daemon/rpc/call.h"

namespace consent::rpc {

// ServiceT is a generated one, such as v1::DeletionService. Each of its methods must be served.
template <typename ServiceT>
class RawService : public ServiceT::Service {
 protected:
  explicit RawService(const RpcDependencies& dependencies) : dependencies_(dependencies) {}

  // Before the server starts, once for each method: a call of `name` that was admitted goes to
  // use(CallPtr<RequestT, ResponseT>).
  template <typename RequestT, typename ResponseT, typename Use>
  void Serve(const char* name, Use use) {
    using Bytes = grpc::ByteBuffer;
    const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()
                                       ->FindServiceByName(ServiceT::service_full_name())
                                       ->FindMethodByName(name);
    methods_.push_back(std::make_unique<Method>(descriptor));
    this->MarkMethodRawCallback(descriptor->index(),
                                new grpc::internal::CallbackUnaryHandler<Bytes, Bytes>(
                                    [this, method = methods_.back().get(), use = std::move(use)](
                                        grpc::CallbackServerContext* context, const Bytes* in, Bytes* out) {
                                      return Handle<RequestT, ResponseT>(dependencies_, *method, context, in, out, use);
                                    }));
  }

  const RpcDependencies dependencies_;

 private:
  std::vector<std::unique_ptr<Method>> methods_;
};

}  // namespace consent::rpc
