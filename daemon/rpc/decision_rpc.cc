#include "daemon/rpc/decision_rpc.h"

#include <optional>
#include <utility>
#include <vector>

#include "daemon/decisions/handle_keys.h"
#include "daemon/rpc/write_explanation.h"
#include "daemon/service/registry/report_verification.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/wire/decision.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/explanation.h"

namespace consent::rpc {
namespace {

// As the index has them.
service::RecordedYes Opened(wire::RecordedYes yes, decisions::HandleCipher& cipher) {
  service::RecordedYes opened;
  opened.subject.bytes = cipher.Decrypt(yes.subject);
  opened.recording.bytes = cipher.Decrypt(yes.recording);
  opened.facts = std::move(yes.facts);
  for (base::ProfileHandle& profile : opened.facts.profiles) profile.bytes = cipher.Decrypt(profile.bytes);
  if (opened.facts.device.IsSet()) opened.facts.device.bytes = cipher.Decrypt(opened.facts.device.bytes);
  opened.head = yes.head;
  opened.revision = yes.revision;
  opened.reason = yes.reason;
  return opened;
}

// As the log has it.
template <typename Handle>
void Encrypt(decisions::HandleCipher& cipher, const Handle& handle, std::string* out) {
  const base::Bytes16 encrypted = cipher.Encrypt(handle.bytes);
  out->assign(encrypted.begin(), encrypted.end());
}

void WriteHandles(const wire::HandlesInput& asked, const service::MonthKey& key, v1::DecisionHandles* out) {
  out->set_month(key.name.ToText());
  out->set_gone(!key.key.has_value());
  if (out->gone()) return;
  decisions::HandleCipher cipher(*key.key, key.name);
  if (asked.subject.IsSet()) Encrypt(cipher, asked.subject, out->mutable_subject());
  for (const base::RecordingHandle& one : asked.recordings) Encrypt(cipher, one, out->add_recordings());
  for (const base::ProfileHandle& one : asked.profiles) Encrypt(cipher, one, out->add_profiles());
  for (const base::DeviceHandle& one : asked.devices) Encrypt(cipher, one, out->add_devices());
}

}  // namespace

DecisionRpc::DecisionRpc(service::Core& core, const service::VerifyDecisions& verify,
                         const service::ExplainCheck& explain, const service::MonthKeys& keys,
                         const decisions::Recorder& recorder, const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), verify_(verify), explain_(explain), keys_(keys), recorder_(recorder) {
  Serve<v1::GetDecisionLogRequest, v1::GetDecisionLogResponse>("GetDecisionLog", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Get(call->response()); });
  });
  Serve<v1::VerifyDecisionsRequest, v1::VerifyDecisionsResponse>("VerifyDecisions", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Verify(call->request(), call->response()); });
  });
  Serve<v1::GetDecisionHandlesRequest, v1::GetDecisionHandlesResponse>("GetDecisionHandles", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Handles(call->request(), call->response()); });
  });
  Serve<v1::ExplainCheckRequest, v1::ExplainCheckResponse>("ExplainCheck", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Explain(call->request(), call->response()); });
  });
  Serve<v1::ExplainDecisionRequest, v1::ExplainDecisionResponse>("ExplainDecision", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Explain(call->request(), call->response()); });
  });
  Serve<v1::ReportVerificationRequest, v1::ReportVerificationResponse>("ReportVerification", [this](auto call) {
    FinishOnPool(dependencies_, call, [this, call] { return Report(call->request(), call->caller()); });
  });
}

absl::Status DecisionRpc::Get(v1::GetDecisionLogResponse* out) const {
  const absl::StatusOr<service::DecisionLogRow> row = service::ReadDecisionLogRow(core_.store);
  if (!row.ok()) return row.status();
  const base::Bytes16 store_id = core_.store.store_id();
  out->set_on(recorder_.on());
  out->set_store_id(store_id.data(), store_id.size());
  out->set_counted_records(static_cast<int64_t>(row->count));
  out->set_counted_hash(row->hash.data(), row->hash.size());
  return absl::OkStatus();
}

absl::Status DecisionRpc::Verify(const v1::VerifyDecisionsRequest& request, v1::VerifyDecisionsResponse* out) const {
  absl::StatusOr<wire::RecordInput> record = wire::ReadVerifyDecisions(request);
  if (!record.ok()) return record.status();
  const auto all_are = [&](v1::DecisionVerdict verdict) {
    for (size_t i = 0; i < record->yeses.size(); ++i) out->add_verdicts(verdict);
    return absl::OkStatus();
  };
  if (record->store_id != core_.store.store_id()) return all_are(v1::DECISION_VERDICT_UNKNOWN);
  const absl::StatusOr<std::optional<service::MonthKey>> key = keys_.Find(record->month);
  if (!key.ok()) return key.status();
  if (!key->has_value()) return all_are(v1::DECISION_VERDICT_UNKNOWN);
  if (!(*key)->key.has_value()) return all_are(v1::DECISION_VERDICT_KEY_GONE);
  decisions::HandleCipher cipher(*(*key)->key, record->month);
  std::vector<service::RecordedYes> yeses;
  yeses.reserve(record->yeses.size());
  for (wire::RecordedYes& yes : record->yeses) yeses.push_back(Opened(std::move(yes), cipher));
  const auto verdicts =
      verify_.Run({record->purpose, record->place, record->policy_version, record->policy_hash, record->now}, yeses);
  if (!verdicts.ok()) return verdicts.status();
  for (const service::Verdict verdict : *verdicts) {
    out->add_verdicts(static_cast<v1::DecisionVerdict>(static_cast<int>(verdict)));
  }
  return absl::OkStatus();
}

absl::Status DecisionRpc::Explain(const v1::ExplainCheckRequest& request, v1::ExplainCheckResponse* out) const {
  absl::StatusOr<wire::ExplainInput> input = wire::ReadExplainCheck(request, core_.hasher);
  if (!input.ok()) return input.status();
  const auto explained = explain_.Run({{input->subject, {}, std::move(input->recording_id), std::move(input->facts)},
                                       input->purpose,
                                       std::move(input->place),
                                       input->at});
  if (!explained.ok()) return explained.status();
  WriteExplained(core_, *explained, input->purpose, input->scopes, input->language, out->mutable_explanation());
  return absl::OkStatus();
}

absl::Status DecisionRpc::Explain(const v1::ExplainDecisionRequest& request, v1::ExplainDecisionResponse* out) const {
  absl::StatusOr<wire::ExplainDecisionInput> input = wire::ReadExplainDecision(request, core_.hasher);
  if (!input.ok()) return input.status();
  wire::RecordInput& record = input->record;
  if (record.store_id != core_.store.store_id()) {
    return wire::FieldError("store_id", "must be the store of this daemon: ask the one whose log it is");
  }
  const absl::StatusOr<std::optional<service::MonthKey>> key = keys_.Find(record.month);
  if (!key.ok()) return key.status();
  if (!key->has_value())
    return wire::FieldError("month", "names a key that this store never had: the record is not of it");
  if (!(*key)->key.has_value()) {
    return wire::FieldError("month",
                            "names a key that was destroyed once the policy's months were over, or that was lost with "
                            "a store that was restored: nobody can tell any more whom the record is about");
  }
  decisions::HandleCipher cipher(*(*key)->key, record.month);
  const service::RecordedYes yes = Opened(std::move(record.yeses.front()), cipher);
  if (yes.subject != input->subject) {
    return wire::FieldError("account_id", "is not the account that the record is about");
  }
  const auto explained =
      explain_.RunRecorded({record.purpose, record.place, record.policy_version, record.policy_hash, record.now}, yes);
  if (!explained.ok()) return explained.status();
  out->set_verdict(static_cast<v1::DecisionVerdict>(static_cast<int>(explained->verdict)));
  wire::NamedScopes scopes;
  for (const base::ProfileHandle& profile : yes.facts.profiles) {
    scopes.emplace_back(domain::ScopeRef{domain::ScopeKind::kProfile, profile.bytes}, "");
  }
  if (yes.facts.device.IsSet()) {
    scopes.emplace_back(domain::ScopeRef{domain::ScopeKind::kDevice, yes.facts.device.bytes}, "");
  }
  WriteExplained(core_, *explained, record.purpose, scopes, input->language, out->mutable_explanation());
  return absl::OkStatus();
}

absl::Status DecisionRpc::Report(const v1::ReportVerificationRequest& request, const service::Caller& caller) const {
  const absl::StatusOr<wire::VerificationInput> input = wire::ReadReportVerification(request);
  if (!input.ok()) return input.status();
  if (input->store_id != core_.store.store_id()) {
    return wire::FieldError("store_id", "must be the store of this daemon: report to the one whose log it is");
  }
  service::VerificationRow found;
  found.records = input->records;
  found.confirmed = input->confirmed;
  found.late = input->late;
  found.not_checkable = input->not_checkable;
  found.not_given = input->not_given;
  found.log_problems = input->log_problems;
  return service::ReportVerification(core_, found, caller);
}

absl::Status DecisionRpc::Handles(const v1::GetDecisionHandlesRequest& request,
                                  v1::GetDecisionHandlesResponse* out) const {
  const absl::StatusOr<wire::HandlesInput> input = wire::ReadGetDecisionHandles(request, core_.hasher);
  if (!input.ok()) return input.status();
  const base::Bytes16 store_id = core_.store.store_id();
  out->set_store_id(store_id.data(), store_id.size());
  for (const base::Month month : input->months) {
    const absl::StatusOr<std::vector<service::MonthKey>> keys = keys_.Of(month);
    if (!keys.ok()) return keys.status();
    for (const service::MonthKey& key : *keys) WriteHandles(*input, key, out->add_months());
  }
  return absl::OkStatus();
}

}  // namespace consent::rpc
