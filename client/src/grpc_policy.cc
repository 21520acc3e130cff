// GrpcClient's calls for policies that are tried and activated.
#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {

absl::StatusOr<PolicyActivated> GrpcClient::ActivatePolicy(const PolicyActivation& order, const CallOptions& options) {
  v1::ActivatePolicyRequest request;
  request.set_policy_json(order.policy_json);
  for (const std::string& words : order.loosens) request.add_loosens(words);
  v1::ActivatePolicyResponse response;
  const absl::Status status =
      Call(options, false, *policy_, &v1::PolicyService::Stub::ActivatePolicy, request, &response);
  if (!status.ok()) return status;
  PolicyActivated activated{response.version(), response.hash(), std::nullopt, response.changed(), std::nullopt};
  if (response.has_activated_at()) activated.activated_at = FromProto(response.activated_at());
  if (response.has_proposal()) activated.proposal = FromProto(response.proposal());
  return activated;
}

absl::StatusOr<PolicyDiff> GrpcClient::DiffPolicy(const std::string& policy_json, int count_seconds,
                                                  const CallOptions& options) {
  v1::DiffPolicyRequest request;
  request.set_policy_json(policy_json);
  request.set_count_seconds(count_seconds);
  v1::DiffPolicyResponse response;
  const absl::Status status = Call(options, true, *policy_, &v1::PolicyService::Stub::DiffPolicy, request, &response);
  if (!status.ok()) return status;
  PolicyDiff diff;
  for (const v1::PolicyDifference& difference : response.differences()) {
    diff.differences.push_back({difference.words(), FromNumber<PolicyEffect>(difference.effect())});
  }
  diff.more_differences = response.more_differences();
  diff.refused = response.refused();
  for (const v1::TurnedAnswers& turned : response.turned()) {
    diff.turned.push_back({FromNumber<Purpose>(turned.purpose()), turned.to_eligible(), turned.to_not_eligible()});
  }
  diff.examined_subjects = response.examined_subjects();
  diff.subjects = response.subjects();
  return diff;
}

absl::StatusOr<PolicyVersionPage> GrpcClient::ListPolicies(int page_size, const std::string& page_token,
                                                           const CallOptions& options) {
  v1::ListPoliciesRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  v1::ListPoliciesResponse response;
  const absl::Status status = Call(options, true, *policy_, &v1::PolicyService::Stub::ListPolicies, request, &response);
  if (!status.ok()) return status;
  PolicyVersionPage page;
  for (const v1::PolicyVersion& version : response.policies()) {
    PolicyVersion& read = page.policies.emplace_back();
    read.version = version.version();
    read.hash = version.hash();
    if (version.has_activated_at()) read.activated_at = FromProto(version.activated_at());
    read.activated_by = version.activated_by();
    read.proposed_by = version.proposed_by();
    read.current = version.current();
  }
  page.next_page_token = response.next_page_token();
  return page;
}

}  // namespace consent
