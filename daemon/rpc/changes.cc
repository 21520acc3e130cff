#include "daemon/rpc/changes.h"

#include <utility>

#include "daemon/service/commit/refusals.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {

service::ChangeRequest ToChangeRequest(const service::Core& core, const service::Caller& caller,
                                       service::ChangeKind kind, wire::ChangeInput input) {
  service::ChangeRequest request;
  request.caller = caller;
  request.request_id = std::move(input.request_id);
  request.body_hash = input.digest;
  request.subject = input.subject;
  request.account_id = std::move(input.account_id);
  request.kind = kind;
  request.command = std::move(input.command);
  if (!input.etag.empty()) {
    const auto revision = core.tokens.DecodeRevision(input.etag);
    const bool ours = revision.has_value() && revision->partition == core.PartitionOf(input.subject);
    request.command.expected_revision = ours ? revision->sequence : service::kStaleEtag;
    request.etag = revision;
  }
  request.payload.evidence = std::move(input.evidence);
  request.payload.caller = request.caller.identity;
  request.payload.account_id = request.account_id;
  request.payload.recording_id = std::move(input.recording_id);
  request.payload.note = std::move(input.note);
  request.payload.names = std::move(input.names.scopes);
  request.payload.guardians = std::move(input.names.guardians);
  request.recording = input.recording;
  request.flags = input.flags;
  request.create_new = input.create_new;
  request.validate_only = input.validate_only;
  return request;
}

service::PartPath PartNames::Of(size_t part) const {
  const std::string at = name(part);
  return {at, *target == '\0' ? at : at + '.' + target};
}

void WriteParts(const std::vector<domain::PartOutcome>& parts, const PartNames& names,
                google::protobuf::RepeatedPtrField<v1::PartResult>* out) {
  for (size_t i = 0; i < parts.size(); ++i) {
    v1::PartResult& result = *out->Add();
    result.set_part(names.name(i));
    result.set_applied(parts[i].refusal == domain::Refusal::kNone);
    result.set_changed(parts[i].changed);
    if (result.applied()) continue;
    const absl::Status refusal = service::RefusalStatus(parts[i], {"", names.target});
    result.set_refused_reason(wire::ReasonName(wire::DetailOf(refusal).reason));
    result.set_refused_message(std::string(refusal.message()));
  }
}

void ReportChange(service::ChangeKind kind, domain::Channel channel, RpcObserver& observer) {
  ChangeSeen seen;
  seen.kind = kind;
  seen.channel = channel;
  observer.OnChange(seen);
}

ChangeNote::ChangeNote(const service::ChangeRequest& request)
    : kind_(request.kind),
      channel_(request.command.proof.channel),
      flags_(request.flags),
      parts_after_choices_(request.command.retention.size()),
      choices_(request.command.choices) {}

void ChangeNote::Report(const service::ChangeReply& reply, RpcObserver& observer) const {
  ChangeSeen seen;
  seen.kind = kind_;
  seen.channel = channel_;
  seen.registered_now = reply.registered_now;
  seen.flags = flags_;
  for (const domain::PartOutcome& part : reply.parts) {
    const bool applied = part.refusal == domain::Refusal::kNone;
    ++(applied ? part.changed ? seen.parts_changed : seen.parts_unchanged : seen.parts_refused);
  }
  // Choices stand before the retention parts, which are last.
  const size_t behind = choices_.size() + parts_after_choices_;
  const bool has_choices = reply.parts.size() >= behind;
  const size_t first = has_choices ? reply.parts.size() - behind : 0;
  for (size_t i = 0; has_choices && i < choices_.size(); ++i) {
    const domain::PartOutcome& part = reply.parts[first + i];
    if (!choices_[i].on && part.refusal == domain::Refusal::kNone && part.changed) seen.opted_out = true;
  }
  observer.OnChange(seen);
  if (!has_choices) return;
  for (size_t i = 0; i < choices_.size(); ++i) {
    const domain::ChoiceCommand& choice = choices_[i];
    const domain::PartOutcome& part = reply.parts[first + i];
    ChoiceSeen told;
    told.kind = kind_;
    told.channel = channel_;
    told.scope = choice.scope.kind;
    told.target = choice.target.kind;
    if (part.refusal == domain::Refusal::kNone) told.control = choice.target.control;
    told.purpose = choice.target.purpose;
    told.on = choice.on;
    told.refusal = part.refusal;
    told.changed = part.changed;
    observer.OnChoice(told);
  }
}

}  // namespace consent::rpc
