#include "daemon/rpc/recording_rpc.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/rpc/listing.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/recording.h"

namespace consent::rpc {
namespace {

void WriteFlag(const service::SafetyFlagView& flag, base::Instant now, v1::SafetyFlag* out) {
  out->set_account_id(flag.account_id);
  out->set_recording_id(flag.recording_id);
  wire::WriteTimestamp(flag.reported_at, out->mutable_reported_at());
  out->set_reported_by(flag.reported_by);
  wire::WriteTimestamp(flag.acknowledge_by, out->mutable_acknowledge_by());
  wire::WriteTimestamp(flag.handle_by, out->mutable_handle_by());
  if (flag.acknowledged_at.IsSet()) wire::WriteTimestamp(flag.acknowledged_at, out->mutable_acknowledged_at());
  out->set_acknowledged_by(flag.acknowledged_by);
  out->set_overdue(flag.IsOverdue(now));
  if (flag.held_until.IsSet()) wire::WriteTimestamp(flag.held_until, out->mutable_held_until());
}

}  // namespace

RecordingRpc::RecordingRpc(service::Core& core, service::SubjectChanges& changes, service::SafetyFlags& safety_flags,
                           const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), changes_(changes), safety_flags_(safety_flags) {
  Serve<v1::ReportRecordingRequest, v1::ReportRecordingResponse>("ReportRecording",
                                                                 [this](const auto& call) { Report(call); });
  Serve<v1::ListSafetyFlagsRequest, v1::ListSafetyFlagsResponse>("ListSafetyFlags",
                                                                 [this](const auto& call) { List(call); });
  Serve<v1::AcknowledgeSafetyFlagRequest, v1::AcknowledgeSafetyFlagResponse>(
      "AcknowledgeSafetyFlag", [this](const auto& call) { AcknowledgeFlag(call); });
  Serve<v1::HandleSafetyFlagRequest, v1::HandleSafetyFlagResponse>("HandleSafetyFlag",
                                                                   [this](const auto& call) { HandleFlag(call); });
}

void RecordingRpc::Report(const CallPtr<v1::ReportRecordingRequest, v1::ReportRecordingResponse>& call) {
  auto input = wire::ReadReportRecording(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  call->response()->set_unusable(input->unusable);
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kReportRecording, *std::move(input));
  ChangeNote note(request);
  changes_.Submit(std::move(request), [this, call, note = std::move(note)](absl::StatusOr<service::ChangeReply> reply) {
    if (!reply.ok()) return call->Finish(reply.status());
    note.Report(*reply, dependencies_.observer);
    wire::WriteFlags(reply->flags, call->response()->mutable_flags());
    call->response()->set_revision(core_.tokens.Encode(reply->revision));
    call->response()->set_account_closed(reply->account_closed);
    call->response()->set_subject_is_new(reply->subject_is_new);
    if (!reply->unusable.empty()) call->response()->set_unusable(reply->unusable);
    call->Finish(absl::OkStatus());
  });
}

void RecordingRpc::List(const CallPtr<v1::ListSafetyFlagsRequest, v1::ListSafetyFlagsResponse>& call) {
  const auto query = wire::ReadListSafetyFlags(call->request(), core_.hasher);
  if (!query.ok()) return call->Finish(query.status());
  const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
  if (!from.ok()) return call->Finish(from.status());
  const auto limit = static_cast<size_t>(query->page_size);
  FinishOnPool(dependencies_, call, [this, call, query = *query, limit, from = *from]() -> absl::Status {
    const auto page = safety_flags_.List(query.subject, query.overdue, limit, from);
    if (!page.ok()) return page.status();
    const base::Instant now = core_.Now();
    for (const service::SafetyFlagView& flag : page->flags) WriteFlag(flag, now, call->response()->add_flags());
    if (page->next.has_value()) {
      call->response()->set_next_page_token(core_.tokens.Encode(*page->next, ListingOf(call->request())));
    }
    return absl::OkStatus();
  });
}

void RecordingRpc::AcknowledgeFlag(
    const CallPtr<v1::AcknowledgeSafetyFlagRequest, v1::AcknowledgeSafetyFlagResponse>& call) {
  auto input = wire::ReadAcknowledgeSafetyFlag(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kSafetyFlagAcknowledged, *std::move(input));
  const domain::Channel channel = request.command.proof.channel;
  safety_flags_.Acknowledge(
      std::move(request), [this, call, channel](const absl::StatusOr<service::ChangeReply>& reply) {
        if (!reply.ok()) return call->Finish(reply.status());
        ReportChange(service::ChangeKind::kSafetyFlagAcknowledged, channel, dependencies_.observer);
        call->response()->set_revision(core_.tokens.Encode(reply->revision));
        call->Finish(absl::OkStatus());
      });
}

void RecordingRpc::HandleFlag(const CallPtr<v1::HandleSafetyFlagRequest, v1::HandleSafetyFlagResponse>& call) {
  auto input = wire::ReadHandleSafetyFlag(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kSafetyFlagHandled, *std::move(input));
  const domain::Channel channel = request.command.proof.channel;
  safety_flags_.Handle(std::move(request), [this, call, channel](const absl::StatusOr<service::ChangeReply>& reply) {
    if (!reply.ok()) return call->Finish(reply.status());
    ReportChange(service::ChangeKind::kSafetyFlagHandled, channel, dependencies_.observer);
    call->response()->set_revision(core_.tokens.Encode(reply->revision));
    call->Finish(absl::OkStatus());
  });
}

}  // namespace consent::rpc
