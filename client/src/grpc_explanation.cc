// GrpcClient's calls that explain, and their conversions.
#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {
namespace {

template <typename MessageT>
std::optional<Time> TimeOf(const MessageT& message, bool (MessageT::*has)() const,
                           const google::protobuf::Timestamp& (MessageT::*get)() const) {
  return (message.*has)() ? FromProto((message.*get)()) : std::nullopt;
}

ExplainedScope ScopeOf(const v1::ExplainedScope& scope) {
  return {FromNumber<ScopeKind>(scope.kind()), scope.id(), scope.is_named()};
}

ExplainedRow RowOf(const v1::ExplainedRow& in) {
  using In = v1::ExplainedRow;
  ExplainedRow row;
  row.row = FromNumber<DecisionRow>(in.row());
  row.reason = FromNumber<Reason>(in.reason());
  row.matched = in.matched();
  row.note = FromNumber<RowNote>(in.note());
  row.purpose = FromNumber<Purpose>(in.purpose());
  row.scope = ScopeOf(in.scope());
  row.choice = FromNumber<Choice>(in.choice());
  row.by_guardian = in.by_guardian();
  row.imported = in.imported();
  row.notice = {in.notice().version(), in.notice().title(), in.notice().covers_past(),
                in.notice().says_people_listen()};
  row.since = TimeOf(in, &In::has_since, &In::since);
  row.renewed_at = TimeOf(in, &In::has_renewed_at, &In::renewed_at);
  row.from = TimeOf(in, &In::has_from, &In::from);
  row.to = TimeOf(in, &In::has_to, &In::to);
  row.at = TimeOf(in, &In::has_at, &In::at);
  if (in.has_retention()) row.retention = FromProto(in.retention());
  row.region = in.region();
  row.regime = in.regime();
  return row;
}

ExplainedRegime RegimeOf(const v1::ExplainedRegime& in) {
  ExplainedRegime regime;
  regime.name = in.name();
  regime.regions = {in.regions().begin(), in.regions().end()};
  regime.opt_in = in.opt_in();
  regime.false_wake_ttl = std::chrono::seconds(in.false_wake_ttl_seconds());
  regime.countries = {in.countries().begin(), in.countries().end()};
  regime.any_country = in.any_country();
  regime.employees = in.employees();
  regime.contractors = in.contractors();
  return regime;
}

ExplainedTask TaskOf(const v1::ExplainedTask& in) {
  using In = v1::ExplainedTask;
  ExplainedTask task;
  task.system = in.system();
  task.kind = FromNumber<DataSystemKind>(in.kind());
  task.outcome = FromNumber<PurgeOutcome>(in.outcome());
  task.ended_at = TimeOf(in, &In::has_ended_at, &In::ended_at);
  task.reason = in.reason();
  task.failures = in.failures();
  task.leased_until = TimeOf(in, &In::has_leased_until, &In::leased_until);
  task.not_before = TimeOf(in, &In::has_not_before, &In::not_before);
  task.waits_for_release = in.waits_for_release();
  return task;
}

ExplainedRequest RequestOf(const v1::ExplainedRequest& in) {
  using In = v1::ExplainedRequest;
  ExplainedRequest request;
  request.deletion_id = DeletionId(in.deletion_id());
  request.match = FromNumber<OrderMatch>(in.match());
  request.state = FromNumber<DeletionState>(in.state());
  request.cause = FromNumber<DeletionCause>(in.cause());
  request.selection = FromNumber<DeletionSelectorKind>(in.selection());
  request.scope = ScopeOf(in.scope());
  if (in.has_covers()) request.covers = FromProto(in.covers());
  for (const int purpose : in.purposes()) request.purposes.push_back(FromNumber<Purpose>(purpose));
  request.received_at = TimeOf(in, &In::has_received_at, &In::received_at);
  request.verified_at = TimeOf(in, &In::has_verified_at, &In::verified_at);
  request.ended_at = TimeOf(in, &In::has_ended_at, &In::ended_at);
  request.due_at = TimeOf(in, &In::has_due_at, &In::due_at);
  request.overdue = in.overdue();
  request.denied_reason = in.denied_reason();
  for (const v1::ExplainedTask& task : in.tasks()) request.tasks.push_back(TaskOf(task));
  return request;
}

ExplainedHold HoldOf(const v1::ExplainedHold& in) {
  using In = v1::ExplainedHold;
  ExplainedHold hold;
  hold.hold_id = HoldId(in.hold_id());
  hold.match = FromNumber<OrderMatch>(in.match());
  hold.scope = ScopeOf(in.scope());
  hold.names_recording = in.names_recording();
  hold.from = TimeOf(in, &In::has_from, &In::from);
  hold.to = TimeOf(in, &In::has_to, &In::to);
  hold.placed_at = TimeOf(in, &In::has_placed_at, &In::placed_at);
  hold.released_at = TimeOf(in, &In::has_released_at, &In::released_at);
  return hold;
}

}  // namespace

Explanation FromProto(const v1::Explanation& in) {
  using In = v1::Explanation;
  Explanation explanation;
  explanation.basis = FromNumber<ExplanationBasis>(in.basis());
  for (const int why : in.untold()) explanation.untold.push_back(FromNumber<Untold>(why));
  explanation.eligibility = FromNumber<Eligibility>(in.eligibility());
  explanation.disposition = FromNumber<Disposition>(in.disposition());
  for (const int reason : in.reasons()) explanation.reasons.push_back(FromNumber<Reason>(reason));
  for (const v1::ExplainedRow& row : in.rows()) explanation.rows.push_back(RowOf(row));
  explanation.rows_cut = in.rows_cut();
  for (const int fact : in.missing_facts()) explanation.missing_facts.push_back(FromNumber<MissingFact>(fact));
  for (const v1::ExplainedRegime& regime : in.regimes()) explanation.regimes.push_back(RegimeOf(regime));
  for (const v1::ExplainedRequest& request : in.requests()) explanation.requests.push_back(RequestOf(request));
  for (const v1::ExplainedHold& hold : in.holds()) explanation.holds.push_back(HoldOf(hold));
  explanation.orders_cut = in.orders_cut();
  explanation.at = TimeOf(in, &In::has_at, &In::at);
  explanation.policy_version = in.policy_version();
  explanation.policy_hash = in.policy_hash();
  explanation.policy_since = TimeOf(in, &In::has_policy_since, &In::policy_since);
  explanation.revision = Etag(in.revision());
  explanation.changed_at = TimeOf(in, &In::has_changed_at, &In::changed_at);
  return explanation;
}

absl::StatusOr<Explanation> GrpcClient::ExplainCheck(const Recording& recording, const ExplainQuestion& question,
                                                     const CallOptions& options) {
  v1::ExplainCheckRequest request;
  ToProto(recording, request.mutable_recording());
  request.set_purpose(NumberOf<v1::Purpose>(question.purpose));
  ToProto(question.place, request.mutable_place());
  if (question.at.has_value()) ToProto(*question.at, request.mutable_at());
  request.set_language(options.language);
  v1::ExplainCheckResponse response;
  const absl::Status status =
      Call(options, true, *decision_, &v1::DecisionService::Stub::ExplainCheck, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.explanation());
}

absl::StatusOr<ExplainedDecision> GrpcClient::ExplainDecision(const AccountId& account, const DecisionRecord& record,
                                                              const CallOptions& options) {
  v1::ExplainDecisionRequest request;
  ToProto(record, &request);
  request.set_account_id(account.value());
  request.set_language(options.language);
  v1::ExplainDecisionResponse response;
  const absl::Status status =
      Call(options, true, *decision_, &v1::DecisionService::Stub::ExplainDecision, request, &response);
  if (!status.ok()) return status;
  return ExplainedDecision{FromProto(response.explanation()), FromNumber<DecisionVerdict>(response.verdict())};
}

}  // namespace consent
