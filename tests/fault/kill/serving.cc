#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <thread>

#include "tests/fault/kill/child_process.h"

namespace consent::test {
namespace {

// grpc.health.v1.HealthCheckRequest{service}; Debian ships no generated client of it.
grpc::ByteBuffer HealthRequest(const std::string& service) {
  std::string bytes;
  if (!service.empty()) bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

bool SaysServing(const grpc::ByteBuffer& reply) {
  grpc::Slice slice;
  // HealthCheckResponse{status: SERVING}.
  return reply.TrySingleSlice(&slice).ok() && slice.size() == 2 && slice.begin()[0] == 0x08 && slice.begin()[1] == 1;
}

bool IsServing(grpc::GenericStub& stub, const grpc::ByteBuffer& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->StartCall();
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  const bool ended = queue.Next(&tag, &ok);
  return ended && ok && status.ok() && SaysServing(reply);
}

}  // namespace

Serving WaitUntilServing(const std::string& address, const std::string& service, ChildProcess& child,
                         std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const grpc::ByteBuffer request = HealthRequest(service);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  while (std::chrono::steady_clock::now() < until) {
    // A new one each time: a channel that failed once waits for seconds before it tries again.
    grpc::GenericStub stub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    if (IsServing(stub, request)) return {true, std::nullopt};
    if (const auto ended = child.Wait(std::chrono::milliseconds(5)); ended.has_value()) return {false, ended};
  }
  return {false, std::nullopt};
}

}  // namespace consent::test
