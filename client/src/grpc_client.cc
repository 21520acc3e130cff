#include "client/src/grpc_client.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/src/convert.h"
#include "client/src/error_details.h"
#include "client/src/grpc_reviews.h"
#include "client/src/wall_clock.h"
#include "consent/names.h"
#include "daemon/base/trace_id.h"
#include "daemon/base/utf8.h"

namespace consent {
namespace {

// Protobuf would send such bytes, and the daemon refuse the whole message that holds them.
absl::Status CheckText(const Recording& recording) {
  const auto bad = [](const char* field) { return absl::InvalidArgumentError(std::string(field) + " is not UTF-8"); };
  if (!base::IsUtf8(recording.recording_id.value())) return bad("recording_id");
  if (!base::IsUtf8(recording.account_id.value())) return bad("account_id");
  if (!base::IsUtf8(recording.device_id.value())) return bad("device_id");
  if (!base::IsUtf8(recording.region)) return bad("region");
  for (const ProfileId& profile : recording.profile_ids) {
    if (!base::IsUtf8(profile.value())) return bad("profile_ids");
  }
  return absl::OkStatus();
}

absl::Status CheckText(const Place& place) {
  return base::IsUtf8(place.country) && base::IsUtf8(place.site)
             ? absl::OkStatus()
             : absl::InvalidArgumentError("the place of use is not UTF-8");
}

template <typename Request>
void FillQuestion(const Question& question, Request* request) {
  request->set_purpose(NumberOf<v1::Purpose>(question.purpose));
  ToProto(question.place, request->mutable_place());
  request->set_view(question.full ? v1::DECISION_VIEW_FULL : v1::DECISION_VIEW_BASIC);
  request->set_at_least_revision(question.at_least_revision.value());
  request->set_selection(NumberOf<v1::Selection>(question.selection));
}

template <typename Response>
Answer ToAnswer(const v1::Decision& decision, const Response& response, Purpose asked, std::chrono::nanoseconds sent,
                const std::shared_ptr<Clock>& clock) {
  ReceivedDecision received = FromProto(decision);
  received.asked = asked;
  received.policy_version = response.policy_version();
  received.policy_hash = response.policy_hash();
  received.checked_at = response.has_checked_at() ? FromProto(response.checked_at()).value_or(Time{}) : Time{};
  received.sent = sent;
  return AnswerMaker::Received(std::move(received), clock);
}

Answer ToAnswer(const v1::BatchCheckResult& result, const v1::BatchCheckResponse& response, Purpose asked,
                std::chrono::nanoseconds sent, const std::shared_ptr<Clock>& clock) {
  if (result.has_decision()) return ToAnswer(result.decision(), response, asked, sent, clock);
  if (result.has_error()) return AnswerMaker::Failed(ItemStatus(result.error().reason(), result.error().message()));
  return AnswerMaker::Failed(absl::InternalError("the daemon left this recording without a decision"));
}

template <typename Results>
std::vector<PartResult> Parts(const Results& results) {
  std::vector<PartResult> parts;
  for (const v1::PartResult& result : results) parts.push_back(FromProto(result));
  return parts;
}

}  // namespace

GrpcClient::GrpcClient(ClientOptions options, CredentialFiles files, std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)),
      files_(std::move(files)),
      approval_(v1::ApprovalService::NewStub(channel)),
      backup_(v1::BackupService::NewStub(channel)),
      decision_(v1::DecisionService::NewStub(channel)),
      deletion_(v1::DeletionService::NewStub(channel)),
      eligibility_(v1::EligibilityService::NewStub(channel)),
      hold_(v1::HoldService::NewStub(channel)),
      keys_(v1::KeyService::NewStub(channel)),
      policy_(v1::PolicyService::NewStub(channel)),
      purge_(v1::PurgeService::NewStub(channel)),
      recording_(v1::RecordingService::NewStub(channel)),
      settings_(v1::SettingsService::NewStub(channel)),
      status_(v1::StatusService::NewStub(channel)),
      subject_(v1::SubjectService::NewStub(channel)),
      systems_(v1::DataSystemService::NewStub(channel)),
      reviews_(std::make_unique<GrpcReviews>(*this, channel)) {}

void GrpcClient::AddTrace(const CallOptions& options, grpc::ClientContext* context) const {
  const std::string& traceparent = options.traceparent.empty() ? options_.traceparent : options.traceparent;
  // gRPC ends the process at a header that HTTP/2 does not allow.
  if (!base::TraceId::FromTraceparent(traceparent).has_value()) return;
  context->AddMetadata("traceparent", traceparent);
}

absl::Status GrpcClient::Explain(absl::Status status) const {
  if (!absl::IsUnavailable(status) || !files_.given() || !ErrorOf(status).reason.empty()) return status;
  const absl::Status own = CheckCredentials(files_, SystemTime());
  const std::string why =
      own.ok() ? WhyNoConnection(std::string(status.message()), files_) : std::string(own.message());
  if (why.empty()) return status;
  return absl::UnavailableError(
      absl::StrCat("the daemon cannot be reached: ", why, " (the connection said: ", status.message(), ")"));
}

// A random UUID (RFC 4122, version 4).
RequestId GrpcClient::NewRequestId() {
  std::array<uint8_t, 16> bytes{};
  options_.random->Fill(bytes.data(), bytes.size());
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", bytes[i]);
    text += hex.data();
  }
  return RequestId(text);
}

Answer GrpcClient::Check(const Recording& recording, const Question& question, const CallOptions& options) {
  for (const absl::Status& text : {CheckText(recording), CheckText(question.place)}) {
    if (!text.ok()) return AnswerMaker::Failed(text);
  }
  v1::CheckRequest request;
  ToProto(recording, request.mutable_recording());
  FillQuestion(question, &request);
  v1::CheckResponse response;
  std::chrono::nanoseconds sent{0};
  absl::Status status =
      Call(options, true, *eligibility_, &v1::EligibilityService::Stub::Check, request, &response, &sent);
  if (!status.ok()) return AnswerMaker::Failed(std::move(status));
  if (!response.has_decision()) return AnswerMaker::Failed(absl::InternalError("the daemon's reply has no decision"));
  return ToAnswer(response.decision(), response, question.purpose, sent, options_.clock);
}

absl::StatusOr<BatchAnswers> GrpcClient::BatchCheck(const std::vector<Recording>& recordings, const Question& question,
                                                    const CallOptions& options) {
  if (recordings.empty() || recordings.size() > kMaxBatch) {
    return absl::InvalidArgumentError("a batch must have 1 to 1,000 recordings, this one has " +
                                      std::to_string(recordings.size()));
  }
  if (absl::Status text = CheckText(question.place); !text.ok()) return text;
  v1::BatchCheckRequest request;
  BatchAnswers batch;
  batch.answers.resize(recordings.size());
  std::vector<size_t> asked;
  for (size_t i = 0; i < recordings.size(); ++i) {
    if (absl::Status text = CheckText(recordings[i]); !text.ok()) {
      batch.answers[i] = AnswerMaker::Failed(std::move(text));
      continue;
    }
    ToProto(recordings[i], request.add_recordings());
    asked.push_back(i);
  }
  if (asked.empty()) return batch;
  FillQuestion(question, &request);
  v1::BatchCheckResponse response;
  std::chrono::nanoseconds sent{0};
  absl::Status status =
      Call(options, true, *eligibility_, &v1::EligibilityService::Stub::BatchCheck, request, &response, &sent);
  if (!status.ok()) return status;
  if (static_cast<size_t>(response.results_size()) != asked.size()) {
    // Which result belongs to which recording is then unknown: none may count.
    return absl::InternalError("the daemon answered " + std::to_string(response.results_size()) + " of " +
                               std::to_string(asked.size()) + " recordings");
  }
  for (size_t n = 0; n < asked.size(); ++n) {
    batch.answers[asked[n]] =
        ToAnswer(response.results(static_cast<int>(n)), response, question.purpose, sent, options_.clock);
  }
  return batch;
}

absl::StatusOr<SubjectUpdated> GrpcClient::UpsertSubject(const SubjectUpdate& update, const CallOptions& options) {
  v1::UpsertSubjectRequest request;
  ToProto(WithRequestId(update), &request);
  v1::UpsertSubjectResponse response;
  const absl::Status status =
      Call(options, true, *subject_, &v1::SubjectService::Stub::UpsertSubject, request, &response);
  if (!status.ok()) return status;
  return SubjectUpdated{Etag(response.revision()),      response.registered(), Parts(response.results()),
                        response.account_closed(),      response.unusable(),   response.subject_is_new(),
                        FromProto(response.unreached())};
}

absl::StatusOr<ChildNoticeRecorded> GrpcClient::RecordChildNotice(const ChildNotice& notice,
                                                                  const CallOptions& options) {
  v1::RecordChildNoticeRequest request;
  ToProto(WithRequestId(notice), &request);
  v1::RecordChildNoticeResponse response;
  const absl::Status status =
      Call(options, true, *subject_, &v1::SubjectService::Stub::RecordChildNotice, request, &response);
  if (!status.ok()) return status;
  return ChildNoticeRecorded{Etag(response.revision()), response.already()};
}

absl::StatusOr<SubjectsJoined> GrpcClient::JoinSubjects(const JoinOrder& order, const CallOptions& options) {
  v1::JoinSubjectsRequest request;
  ToProto(WithRequestId(order), &request);
  v1::JoinSubjectsResponse response;
  const absl::Status status =
      Call(options, true, *subject_, &v1::SubjectService::Stub::JoinSubjects, request, &response);
  if (!status.ok()) return status;
  return SubjectsJoined{Etag(response.revision()), response.already()};
}

absl::StatusOr<ChildrenPage> GrpcClient::ListChildrenDue(const ChildrenQuery& query, const CallOptions& options) {
  v1::ListChildrenDueRequest request;
  ToProto(query, &request);
  v1::ListChildrenDueResponse response;
  const absl::Status status =
      Call(options, true, *subject_, &v1::SubjectService::Stub::ListChildrenDue, request, &response);
  if (!status.ok()) return status;
  ChildrenPage page;
  for (const v1::InactiveChild& child : response.children()) page.children.push_back(FromProto(child));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<Subject> GrpcClient::GetSubject(const AccountId& account, const CallOptions& options) {
  v1::GetSubjectRequest request;
  request.set_account_id(account.value());
  v1::GetSubjectResponse response;
  const absl::Status status = Call(options, true, *subject_, &v1::SubjectService::Stub::GetSubject, request, &response);
  if (!status.ok()) return status;
  return FromProto(response);
}

absl::StatusOr<CurrentSettings> GrpcClient::GetSettings(const AccountId& account, const CallOptions& options) {
  v1::GetSettingsRequest request;
  request.set_account_id(account.value());
  request.set_language(options.language);
  request.set_region(options.region);
  v1::GetSettingsResponse response;
  const absl::Status status =
      Call(options, true, *settings_, &v1::SettingsService::Stub::GetSettings, request, &response);
  if (!status.ok()) return status;
  return CurrentSettings{FromProto(response.settings()), Etag(response.etag()), response.policy_version(),
                         response.policy_hash(), response.registered()};
}

absl::StatusOr<SettingsUpdated> GrpcClient::UpdateSettings(const SettingsUpdate& update, const CallOptions& options) {
  v1::UpdateSettingsRequest request;
  ToProto(WithRequestId(update), &request);
  v1::UpdateSettingsResponse response;
  const absl::Status status =
      Call(options, true, *settings_, &v1::SettingsService::Stub::UpdateSettings, request, &response);
  if (!status.ok()) return status;
  SettingsUpdated done;
  done.revision = Etag(response.revision());
  done.results = Parts(response.results());
  done.account_closed = response.account_closed();
  if (response.has_consent_holds_until()) done.consent_holds_until = FromProto(response.consent_holds_until());
  done.unusable = response.unusable();
  done.subject_is_new = response.subject_is_new();
  done.unreached = FromProto(response.unreached());
  return done;
}

absl::StatusOr<OptedOut> GrpcClient::OptOut(const OptOutOrder& order, const CallOptions& options) {
  v1::OptOutRequest request;
  ToProto(WithRequestId(order), &request);
  v1::OptOutResponse response;
  const absl::Status status = Call(options, true, *settings_, &v1::SettingsService::Stub::OptOut, request, &response);
  if (!status.ok()) return status;
  OptedOut done;
  done.revision = Etag(response.revision());
  for (const int purpose : response.changed_purposes()) done.changed_purposes.push_back(FromNumber<Purpose>(purpose));
  done.refuses_future_purposes = response.refuses_future_purposes();
  done.results = Parts(response.results());
  done.account_closed = response.account_closed();
  done.unusable = response.unusable();
  done.subject_is_new = response.subject_is_new();
  return done;
}

absl::StatusOr<HistoryPage> GrpcClient::ListSettingsHistory(const AccountId& account, int page_size,
                                                            const std::string& page_token, const CallOptions& options) {
  v1::ListSettingsHistoryRequest request;
  request.set_account_id(account.value());
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  v1::ListSettingsHistoryResponse response;
  const absl::Status status =
      Call(options, true, *settings_, &v1::SettingsService::Stub::ListSettingsHistory, request, &response);
  if (!status.ok()) return status;
  HistoryPage page;
  for (const v1::HistoryEntry& entry : response.entries()) page.entries.push_back(FromProto(entry));
  page.next_page_token = response.next_page_token();
  page.texts = FromProto(response.texts());
  return page;
}

absl::StatusOr<ChoicesPage> GrpcClient::ListChoices(const ChoicesQuery& query, const CallOptions& options) {
  v1::ListChoicesRequest request;
  request.set_account_id(query.account_id.value());
  ToProto(query.from, request.mutable_from());
  ToProto(query.before, request.mutable_before());
  for (const Choice choice : query.to) request.add_to(NumberOf<v1::Choice>(choice));
  request.set_page_size(query.page_size);
  request.set_page_token(query.page_token);
  v1::ListChoicesResponse response;
  const absl::Status status =
      Call(options, true, *settings_, &v1::SettingsService::Stub::ListChoices, request, &response);
  if (!status.ok()) return status;
  ChoicesPage page;
  for (const v1::ChoiceEntry& choice : response.choices()) {
    page.choices.push_back({AccountId(choice.account_id()), FromProto(choice.entry())});
  }
  page.next_page_token = response.next_page_token();
  page.erased = response.erased();
  page.truncated = response.truncated();
  return page;
}

absl::StatusOr<PastSettings> GrpcClient::GetSettingsAt(const AccountId& account, Time at, const CallOptions& options) {
  v1::GetSettingsAtRequest request;
  request.set_account_id(account.value());
  ToProto(at, request.mutable_at());
  request.set_language(options.language);
  v1::GetSettingsAtResponse response;
  const absl::Status status =
      Call(options, true, *settings_, &v1::SettingsService::Stub::GetSettingsAt, request, &response);
  if (!status.ok()) return status;
  return PastSettings{FromProto(response.settings()), Etag(response.revision()), FromProto(response.policy()),
                      response.policy_hash(), FromProto(response.shown_texts())};
}

absl::StatusOr<RecordingReported> GrpcClient::ReportRecording(const RecordingReport& report,
                                                              const CallOptions& options) {
  v1::ReportRecordingRequest request;
  ToProto(WithRequestId(report), &request);
  v1::ReportRecordingResponse response;
  const absl::Status status =
      Call(options, true, *recording_, &v1::RecordingService::Stub::ReportRecording, request, &response);
  if (!status.ok()) return status;
  RecordingReported reported;
  for (const int flag : response.flags()) reported.flags.push_back(FromNumber<Flag>(flag));
  reported.revision = Etag(response.revision());
  reported.account_closed = response.account_closed();
  reported.unusable = response.unusable();
  reported.subject_is_new = response.subject_is_new();
  return reported;
}

absl::StatusOr<StoredPolicy> GrpcClient::GetPolicy(const std::string& version, const CallOptions& options) {
  v1::GetPolicyRequest request;
  request.set_version(version);
  v1::GetPolicyResponse response;
  const absl::Status status = Call(options, true, *policy_, &v1::PolicyService::Stub::GetPolicy, request, &response);
  if (!status.ok()) return status;
  StoredPolicy stored;
  stored.policy = FromProto(response.policy());
  stored.hash = response.hash();
  if (response.has_activated_at()) stored.activated_at = FromProto(response.activated_at());
  for (const v1::Suspension& suspension : response.suspensions()) stored.suspensions.push_back(FromProto(suspension));
  stored.current = response.current();
  stored.store_id = response.store_id();
  stored.activated_by = response.activated_by();
  stored.proposed_by = response.proposed_by();
  if (response.has_waiting()) {
    stored.waiting = WaitingPolicy{response.waiting().version(), response.waiting().hash(), response.waiting().why()};
  }
  return stored;
}

absl::StatusOr<Suspension> GrpcClient::Suspend(const SuspendOrder& order, const CallOptions& options) {
  v1::SuspendRequest request;
  request.set_purpose(NumberOf<v1::Purpose>(order.purpose));
  request.set_region(order.region);
  request.set_reason(order.reason);
  v1::SuspendResponse response;
  const absl::Status status = Call(options, false, *policy_, &v1::PolicyService::Stub::Suspend, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.suspension());
}

absl::StatusOr<Resumed> GrpcClient::Resume(const ResumeOrder& order, const CallOptions& options) {
  v1::ResumeRequest request;
  request.set_purpose(NumberOf<v1::Purpose>(order.purpose));
  request.set_region(order.region);
  request.set_reason(order.reason);
  request.set_etag(order.etag.value());
  request.set_restored(order.restored);
  v1::ResumeResponse response;
  const absl::Status status = Call(options, false, *policy_, &v1::PolicyService::Stub::Resume, request, &response);
  if (!status.ok()) return status;
  Resumed resumed{FromProto(response.suspension()), std::nullopt};
  if (response.has_proposal()) resumed.proposal = FromProto(response.proposal());
  return resumed;
}

absl::StatusOr<ClockState> GrpcClient::GetClock(const CallOptions& options) {
  v1::GetClockResponse response;
  const absl::Status status =
      Call(options, true, *policy_, &v1::PolicyService::Stub::GetClock, v1::GetClockRequest(), &response);
  if (!status.ok()) return status;
  return FromProto(response.clock());
}

absl::StatusOr<ClockState> GrpcClient::ConfirmClock(Time time, const CallOptions& options) {
  v1::ConfirmClockRequest request;
  ToProto(time, request.mutable_time());
  v1::ConfirmClockResponse response;
  const absl::Status status = Call(options, true, *policy_, &v1::PolicyService::Stub::ConfirmClock, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.clock());
}

}  // namespace consent
