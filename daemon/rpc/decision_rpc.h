// DecisionService on gRPC.
#pragma once

#include "consent/v1/decision_service.grpc.pb.h"
#include "daemon/decisions/recorder.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/erasure/month_keys.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/explain_check.h"
#include "daemon/service/subject/verify_decisions.h"

namespace consent::rpc {

// Everything here runs on the read pool. Thread-safe; the references outlive the server.
class DecisionRpc final : public RawService<v1::DecisionService> {
 public:
  DecisionRpc(service::Core& core, const service::VerifyDecisions& verify, const service::ExplainCheck& explain,
              const service::MonthKeys& keys, const decisions::Recorder& recorder, const RpcDependencies& dependencies);

 private:
  absl::Status Get(v1::GetDecisionLogResponse* out) const;
  absl::Status Verify(const v1::VerifyDecisionsRequest& request, v1::VerifyDecisionsResponse* out) const;
  absl::Status Handles(const v1::GetDecisionHandlesRequest& request, v1::GetDecisionHandlesResponse* out) const;
  absl::Status Explain(const v1::ExplainCheckRequest& request, v1::ExplainCheckResponse* out) const;
  absl::Status Explain(const v1::ExplainDecisionRequest& request, v1::ExplainDecisionResponse* out) const;
  absl::Status Report(const v1::ReportVerificationRequest& request, const service::Caller& caller) const;

  service::Core& core_;
  const service::VerifyDecisions& verify_;
  const service::ExplainCheck& explain_;
  const service::MonthKeys& keys_;
  const decisions::Recorder& recorder_;
};

}  // namespace consent::rpc
