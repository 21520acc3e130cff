// A gRPC server on a loopback port of its own, and a client that can send any bytes. Real HTTP/2: gRPC's in-process
// transport knows neither frames nor trailer limits nor an orderly shutdown.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include "daemon/rpc/limits.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace consent::test {

class LocalServer {
 public:
  explicit LocalServer(const std::vector<grpc::Service*>& services) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(rpc::kMaxReceiveBytes);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    // A channel of the test's own: by default channels of one target share their connection.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ =
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments);
  }
  ~LocalServer() { server_->Shutdown(); }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  void Shutdown(std::chrono::system_clock::time_point deadline) { server_->Shutdown(deadline); }

  // `method` as "/consent.v1.EligibilityService/Check".
  grpc::Status CallRaw(const std::string& method, const std::string& bytes, std::string* reply = nullptr) {
    grpc::ClientContext context;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    const grpc::internal::RpcMethod rpc(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
    const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel_.get(), rpc, &context, request, &response);
    if (reply != nullptr && status.ok()) {
      std::vector<grpc::Slice> slices;
      if (!response.Dump(&slices).ok()) return grpc::Status(grpc::StatusCode::UNKNOWN, "the reply cannot be read");
      for (const grpc::Slice& part : slices) reply->append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    return status;
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// What the binary details of an error say.
struct Told {
  std::string reason;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> fields;  // of the violations
};
inline Told Details(const grpc::Status& status) {
  Told told;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details()) || details.code() != status.error_code() ||
      details.message() != status.error_message()) {
    return told;
  }
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    if (any.UnpackTo(&info) && info.domain() == "consent.v1") {
      told.reason = info.reason();
      told.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) told.fields.push_back(violation.field());
    }
  }
  return told;
}

}  // namespace consent::test
