#include "tests/fault/kill/operations.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>

namespace consent::test {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr int kPage = 1000;

class Context : public grpc::ClientContext {
 public:
  Context() { set_deadline(std::chrono::system_clock::now() + kDeadline); }
};

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

Ending EndingOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return Ending::kAcknowledged;
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Ending::kRefused;
    default:
      return Ending::kUnknown;
  }
}

void FillEvidence(const Operation& operation, v1::Evidence* evidence) {
  evidence->set_notice_version("2026-01");
  evidence->set_notice_language("en");
  evidence->set_channel(v1::CHANNEL_APP);
  evidence->set_actor(v1::ACTOR_SELF);
  evidence->set_reference(operation.request_id);
}

}  // namespace

Api::Api(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  subjects_ = v1::SubjectService::NewStub(channel);
  settings_ = v1::SettingsService::NewStub(channel);
  recordings_ = v1::RecordingService::NewStub(channel);
  eligibility_ = v1::EligibilityService::NewStub(channel);
}

Ending Api::Send(const Operation& operation, std::string* revision) const {
  Context context;
  grpc::Status status;
  const auto run = [&](auto& request, auto& response, const auto& call) {
    request.set_account_id(operation.account);
    request.set_request_id(operation.request_id);
    FillEvidence(operation, request.mutable_evidence());
    status = call(request, &response);
    if (status.ok()) *revision = response.revision();
  };
  switch (operation.kind) {
    case Kind::kRegister:
    case Kind::kAddDevice: {
      v1::UpsertSubjectRequest request;
      v1::UpsertSubjectResponse response;
      if (operation.kind == Kind::kRegister) request.set_region("DE");
      if (operation.kind == Kind::kAddDevice) request.add_device_ids(operation.device);
      request.set_etag(operation.etag);
      run(request, response, [&](const auto& in, auto* out) { return subjects_->UpsertSubject(&context, in, out); });
      break;
    }
    case Kind::kOptOut: {
      v1::OptOutRequest request;
      v1::OptOutResponse response;
      request.add_targets()->set_purpose(operation.purpose);
      run(request, response, [&](const auto& in, auto* out) { return settings_->OptOut(&context, in, out); });
      break;
    }
    case Kind::kOptIn: {
      v1::UpdateSettingsRequest request;
      v1::UpdateSettingsResponse response;
      v1::SettingChange* change = request.add_changes();
      change->mutable_target()->set_purpose(operation.purpose);
      change->set_turn(v1::SWITCH_ON);
      request.set_etag(operation.etag);
      run(request, response, [&](const auto& in, auto* out) { return settings_->UpdateSettings(&context, in, out); });
      break;
    }
    case Kind::kReport: {
      v1::ReportRecordingRequest request;
      v1::ReportRecordingResponse response;
      request.set_recording_id(operation.recording);
      request.add_flags(v1::FLAG_CRITICAL_DATA);
      run(request, response,
          [&](const auto& in, auto* out) { return recordings_->ReportRecording(&context, in, out); });
      break;
    }
  }
  return EndingOf(status);
}

absl::StatusOr<std::vector<v1::HistoryEntry>> Api::History(const std::string& account) const {
  std::vector<v1::HistoryEntry> entries;
  v1::ListSettingsHistoryRequest request;
  request.set_account_id(account);
  request.set_page_size(kPage);
  for (;;) {
    Context context;
    v1::ListSettingsHistoryResponse response;
    const grpc::Status status = settings_->ListSettingsHistory(&context, request, &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND && entries.empty()) return entries;
    if (!status.ok()) return ToStatus(status);
    std::move(response.mutable_entries()->begin(), response.mutable_entries()->end(), std::back_inserter(entries));
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
  }
  std::reverse(entries.begin(), entries.end());
  return entries;
}

absl::StatusOr<v1::GetSettingsResponse> Api::Settings(const std::string& account) const {
  Context context;
  v1::GetSettingsRequest request;
  v1::GetSettingsResponse response;
  request.set_account_id(account);
  const grpc::Status status = settings_->GetSettings(&context, request, &response);
  if (!status.ok()) return ToStatus(status);
  return response;
}

absl::StatusOr<v1::GetSubjectResponse> Api::Subject(const std::string& account) const {
  Context context;
  v1::GetSubjectRequest request;
  v1::GetSubjectResponse response;
  request.set_account_id(account);
  const grpc::Status status = subjects_->GetSubject(&context, request, &response);
  if (!status.ok()) return ToStatus(status);
  return response;
}

absl::StatusOr<std::vector<bool>> Api::AreFlagged(const std::string& account,
                                                  const std::vector<std::string>& recordings) const {
  if (recordings.empty()) return std::vector<bool>();
  Context context;
  v1::BatchCheckRequest request;
  v1::BatchCheckResponse response;
  request.set_purpose(v1::PURPOSE_MODEL_TRAINING);
  request.set_view(v1::DECISION_VIEW_FULL);
  for (const std::string& recording : recordings) {
    v1::Recording* asked = request.add_recordings();
    asked->set_account_id(account);
    asked->set_recording_id(recording);
  }
  const grpc::Status status = eligibility_->BatchCheck(&context, request, &response);
  if (!status.ok()) return ToStatus(status);
  std::vector<bool> flagged;
  for (const v1::BatchCheckResult& result : response.results()) {
    const auto& reasons = result.decision().reasons();
    flagged.push_back(std::find(reasons.begin(), reasons.end(), v1::REASON_CRITICAL_DATA) != reasons.end());
  }
  if (flagged.size() != recordings.size()) return absl::InternalError("a batch was answered in part");
  return flagged;
}

}  // namespace consent::test
