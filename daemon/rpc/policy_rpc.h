// PolicyService on gRPC.
#pragma once

#include "consent/v1/policy_service.grpc.pb.h"
#include "daemon/policy/document.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/proposing.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/registry/proposals.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/turned_answers.h"

namespace consent::rpc {

// A policy file that waits, its text cut to the bound of the proto.
void WriteWaiting(const service::WaitingPolicy& waiting, v1::WaitingPolicy* out);

// Everything here runs on the read pool: suspending waits for every partition. A suspension is carried out even where
// its client went away while it was waiting its turn. Thread-safe; the references outlive the server.
class PolicyRpc final
    : public v1::PolicyService::WithRawCallbackMethod_GetPolicy<
          v1::PolicyService::WithRawCallbackMethod_Suspend<v1::PolicyService::WithRawCallbackMethod_Resume<
              v1::PolicyService::WithRawCallbackMethod_GetClock<v1::PolicyService::WithRawCallbackMethod_ConfirmClock<
                  v1::PolicyService::WithRawCallbackMethod_ActivatePolicy<
                      v1::PolicyService::WithRawCallbackMethod_DiffPolicy<
                          v1::PolicyService::WithRawCallbackMethod_ListPolicies<v1::PolicyService::Service>>>>>>>> {
 public:
  PolicyRpc(service::Core& core, service::PolicyAdmin& admin, service::Proposals& proposals,
            service::TurnedAnswers& turned, const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* GetPolicy(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* Suspend(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* GetClock(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ConfirmClock(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ActivatePolicy(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* DiffPolicy(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListPolicies(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  // Where one person may not do it. They block.
  absl::Status ProposeResume(const Proposer& proposer, const v1::ResumeRequest& request, v1::ResumeResponse* out);
  absl::Status ProposeActivation(const Proposer& proposer, const v1::ActivatePolicyRequest& request,
                                 const policy::Document& document, const service::PolicyView& before,
                                 v1::ActivatePolicyResponse* out);

  service::Core& core_;
  service::PolicyAdmin& admin_;
  service::Proposals& proposals_;
  service::TurnedAnswers& turned_;
  const RpcDependencies dependencies_;
  const Method get_;
  const Method suspend_;
  const Method resume_;
  const Method get_clock_;
  const Method confirm_clock_;
  const Method activate_;
  const Method diff_;
  const Method list_;
};

}  // namespace consent::rpc
