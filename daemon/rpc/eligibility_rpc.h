// EligibilityService on gRPC.
#pragma once

#include <memory>
#include <string_view>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "daemon/decisions/recorder.h"
#include "daemon/rpc/call.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/check_eligibility.h"
#include "daemon/wire/eligibility.h"

namespace consent::rpc {

// Answers in the reaction, from memory. What the index does not know is decided on the read pool: for a batch all of it
// as one task, while the answers from memory wait. A yes that the policy wants on record is answered from the decision
// log's thread once it is, and is NOT_RECORDED where it cannot be. Thread-safe; the references outlive the server.
class EligibilityRpc final
    : public v1::EligibilityService::WithRawCallbackMethod_Check<
          v1::EligibilityService::WithRawCallbackMethod_BatchCheck<v1::EligibilityService::Service>> {
 public:
  // `probe_account`: an account that nobody has and nobody knows. A Check of it is answered as any other, and neither
  // counted nor told, because the daemon asks it of itself.
  EligibilityRpc(service::Core& core, const service::CheckEligibility& check, decisions::Recorder& recorder,
                 const RpcDependencies& dependencies, std::string_view probe_account);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                  grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* BatchCheck(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                       grpc::ByteBuffer* out) override;

 private:
  using CheckCall = CallPtr<v1::CheckRequest, v1::CheckResponse>;
  using BatchCall = CallPtr<v1::BatchCheckRequest, v1::BatchCheckResponse>;
  class Batch;
  // One Check on its way.
  struct One {
    CheckCall call;
    bool is_probe = false;
    wire::CheckQuery query;
    service::CheckItem item;
    service::CheckSession session;
    store::Sequence head = 0;  // read before the look-up
  };

  void CheckOne(CheckCall call) const;
  // Answers, a yes once it is on record.
  void Conclude(std::shared_ptr<One> one, const domain::Decision& decision) const;
  void Answer(const One& one, const domain::Decision& decision) const;
  // Tells the observer.
  void Tell(const One& one, const domain::Decision& decision) const;
  std::unique_ptr<decisions::RecordWriter> BeginRecord(const service::Caller& caller, const wire::CheckQuery& query,
                                                       const service::CheckSession& session, size_t most) const;
  // The yes of `decision` to the recording.
  void Record(const service::CheckItem& item, store::Sequence head, const domain::Decision& decision,
              decisions::RecordWriter* record) const;
  void Write(const domain::Decision& decision, bool full, base::SubjectHandle subject, v1::Decision* out) const;

  service::Core& core_;
  const service::CheckEligibility& check_;
  decisions::Recorder& recorder_;
  const RpcDependencies dependencies_;
  const base::SubjectHandle probe_;
  const Method check_method_;
  const Method batch_method_;
};

}  // namespace consent::rpc
