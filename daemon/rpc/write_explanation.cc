#include "daemon/rpc/write_explanation.h"

#include <algorithm>

#include "daemon/base/random_id.h"
#include "daemon/wire/deletion.h"
#include "daemon/wire/fields.h"

namespace consent::rpc {
namespace {

void WriteTask(const service::ExplainedTask& task, v1::ExplainedTask* out) {
  out->set_system(task.system);
  out->set_kind(static_cast<v1::DataSystemKind>(task.kind));
  out->set_outcome(static_cast<v1::PurgeOutcome>(task.part.outcome));
  if (wire::IsTime(task.part.ended_at)) wire::WriteTimestamp(task.part.ended_at, out->mutable_ended_at());
  out->set_reason(task.part.reason);
  out->set_failures(static_cast<int32_t>(std::min<uint32_t>(task.failures, INT32_MAX)));
  if (wire::IsTime(task.leased_until)) wire::WriteTimestamp(task.leased_until, out->mutable_leased_until());
  if (wire::IsTime(task.not_before)) wire::WriteTimestamp(task.not_before, out->mutable_not_before());
  out->set_waits_for_release(task.waits_for_release);
}

void WriteRequest(const service::ExplainedRequest& one, base::Instant now, const wire::NamedScopes& scopes,
                  v1::ExplainedRequest* out) {
  const domain::DeletionRequest& request = one.request;
  out->set_deletion_id(base::IdText(request.id));
  out->set_match(static_cast<v1::OrderMatch>(one.match));
  out->set_state(static_cast<v1::DeletionState>(request.state));
  out->set_cause(static_cast<v1::DeletionCause>(request.cause));
  out->set_selection(static_cast<v1::DeletionSelectorKind>(request.selector.kind));
  wire::WriteExplainedScope(request.selector.scope, scopes, out->mutable_scope());
  if (wire::HasCovers(request.selector)) wire::WriteCovers(request.selector, out->mutable_covers());
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (request.selector.copies_of.Has(purpose)) out->add_purposes(static_cast<v1::Purpose>(purpose));
  }
  const auto write = [](base::Instant time, google::protobuf::Timestamp* to) { wire::WriteTimestamp(time, to); };
  if (wire::IsTime(request.received_at)) write(request.received_at, out->mutable_received_at());
  if (wire::IsTime(request.verified_at)) write(request.verified_at, out->mutable_verified_at());
  if (wire::IsTime(request.ended_at)) write(request.ended_at, out->mutable_ended_at());
  if (wire::IsTime(request.due_at)) write(request.due_at, out->mutable_due_at());
  out->set_overdue(request.IsOverdue(now));
  out->set_denied_reason(request.denied_reason);
  for (const service::ExplainedTask& task : one.tasks) WriteTask(task, out->add_tasks());
}

void WriteHold(const service::ExplainedHold& hold, const wire::NamedScopes& scopes, v1::ExplainedHold* out) {
  out->set_hold_id(base::IdText(hold.id));
  out->set_match(static_cast<v1::OrderMatch>(hold.match));
  wire::WriteExplainedScope(hold.held.scope, scopes, out->mutable_scope());
  out->set_names_recording(hold.names_recording);
  if (wire::IsTime(hold.held.captured.from)) wire::WriteTimestamp(hold.held.captured.from, out->mutable_from());
  if (wire::IsTime(hold.held.captured.to)) wire::WriteTimestamp(hold.held.captured.to, out->mutable_to());
  if (wire::IsTime(hold.placed_at)) wire::WriteTimestamp(hold.placed_at, out->mutable_placed_at());
  if (wire::IsTime(hold.released_at)) wire::WriteTimestamp(hold.released_at, out->mutable_released_at());
}

}  // namespace

void WriteExplained(const service::Core& core, const service::Explained& explained, domain::Purpose purpose,
                    const wire::NamedScopes& scopes, std::string_view language, v1::Explanation* out) {
  out->set_basis(static_cast<v1::ExplanationBasis>(explained.basis));
  for (const service::Untold why : explained.untold) out->add_untold(static_cast<v1::Untold>(why));
  wire::WriteTimestamp(explained.now.latest, out->mutable_at());
  if (!explained.has_answer) return;
  const domain::Rules& rules = *explained.rules;
  wire::WriteExplanation(explained.explanation, purpose, rules, scopes, language, out);
  for (const service::ExplainedRequest& request : explained.orders.requests) {
    WriteRequest(request, explained.now.latest, scopes, out->add_requests());
  }
  for (const service::ExplainedHold& hold : explained.orders.holds) WriteHold(hold, scopes, out->add_holds());
  out->set_orders_cut(explained.orders.cut);
  out->set_policy_version(rules.version);
  out->set_policy_hash(rules.hash.data(), rules.hash.size());
  const auto policy = core.policies.At(explained.now.latest);
  if (policy != nullptr && policy->document.version() == rules.version) {
    wire::WriteTimestamp(policy->state.activated_at, out->mutable_policy_since());
  }
  if (explained.revision.sequence == 0) return;
  out->set_revision(core.tokens.Encode(explained.revision));
  if (wire::IsTime(explained.changed_at)) wire::WriteTimestamp(explained.changed_at, out->mutable_changed_at());
}

}  // namespace consent::rpc
