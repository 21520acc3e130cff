// EligibilityService on gRPC.
#pragma once

#include <string_view>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/check_eligibility.h"

namespace consent::rpc {

// Answers in the reaction, from memory. What the index does not know is decided on the read pool: for a batch all of it
// as one task, while the answers from memory wait. Thread-safe; the references outlive the server.
class EligibilityRpc final
    : public v1::EligibilityService::WithRawCallbackMethod_Check<
          v1::EligibilityService::WithRawCallbackMethod_BatchCheck<v1::EligibilityService::Service>> {
 public:
  // `probe_account`: an account that nobody has and nobody knows. A Check of it is answered as any other, and neither
  // counted nor told, because the daemon asks it of itself.
  EligibilityRpc(service::Core& core, const service::CheckEligibility& check, const RpcDependencies& dependencies,
                 std::string_view probe_account);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                  grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* BatchCheck(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                       grpc::ByteBuffer* out) override;

 private:
  using CheckCall = CallPtr<v1::CheckRequest, v1::CheckResponse>;
  using BatchCall = CallPtr<v1::BatchCheckRequest, v1::BatchCheckResponse>;
  class Batch;

  void CheckOne(CheckCall call) const;
  void Write(const domain::Decision& decision, bool full, base::SubjectHandle subject, v1::Decision* out) const;

  service::Core& core_;
  const service::CheckEligibility& check_;
  const RpcDependencies dependencies_;
  const base::SubjectHandle probe_;
  const Method check_method_;
  const Method batch_method_;
};

}  // namespace consent::rpc
