// GrpcClient's calls about the decision log, and their conversions.
#include <algorithm>

#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {
namespace {

constexpr size_t kHandleBytes = 16;

bool IsHandle(const std::string& bytes) { return bytes.size() == kHandleBytes; }

int64_t Micros(const std::optional<Time>& time) { return time.has_value() ? time->time_since_epoch().count() : 0; }

void ToProto(const RecordedYes& yes, v1::RecordedYes* out) {
  out->set_subject(yes.subject);
  out->set_recording(yes.recording);
  for (const std::string& profile : yes.profiles) out->add_profiles(profile);
  out->set_device(yes.device);
  out->set_captured_at_us(Micros(yes.captured_at));
  if (yes.uncertainty.has_value()) out->set_uncertainty_us(yes.uncertainty->count());
  out->set_ingested_at_us(Micros(yes.ingested_at));
  out->set_region(yes.region);
  out->set_wake(NumberOf<v1::Wake>(yes.wake));
  out->set_kind(NumberOf<v1::Kind>(yes.kind));
  out->set_speakers(NumberOf<v1::Speakers>(yes.speakers));
  out->set_identity(NumberOf<v1::Identity>(yes.identity));
  out->set_age(NumberOf<v1::SpeakerAge>(yes.age));
  out->set_artefact(NumberOf<v1::Artefact>(yes.artefact));
  out->set_made_for(NumberOf<v1::Purpose>(yes.made_for));
  out->set_flags(yes.flags);
  out->set_head(yes.head);
  out->set_revision(yes.revision);
  out->set_reason(NumberOf<v1::Reason>(yes.reason));
}

// All but the yeses.
template <typename Request>
void RecordToProto(const DecisionRecord& record, Request* out) {
  out->set_store_id(record.store_id);
  out->set_month(record.month);
  out->set_purpose(NumberOf<v1::Purpose>(record.purpose));
  ToProto(record.place, out->mutable_place());
  out->set_policy_version(record.policy_version);
  out->set_policy_hash(record.policy_hash);
  out->set_wall_us(Micros(record.wall));
  out->set_earliest_us(Micros(record.earliest));
  out->set_latest_us(Micros(record.latest));
  out->set_not_before_us(Micros(record.not_before));
}

MonthHandles HandlesOf(const v1::DecisionHandles& month) {
  const auto all = [](const auto& handles) { return std::vector<std::string>(handles.begin(), handles.end()); };
  return {month.month(),         month.subject(),      all(month.recordings()),
          all(month.profiles()), all(month.devices()), month.gone()};
}

// Whether each handle that was asked for is there under each key, and each is one: a missing one would find nothing
// without a word. Keys are those of the months asked for, in their order.
bool HasAll(const DecisionHandles& handles, const HandleQuery& query) {
  const auto are = [](const std::vector<std::string>& some, size_t count) {
    return some.size() == count && std::all_of(some.begin(), some.end(), IsHandle);
  };
  if (!IsHandle(handles.store_id)) return false;
  auto asked = query.months.begin();
  for (const MonthHandles& month : handles.months) {
    asked = std::find_if(asked, query.months.end(), [&month](const std::string& one) {
      return month.month.size() > one.size() && month.month.starts_with(one);
    });
    if (asked == query.months.end()) return false;
    if (month.gone) continue;
    if ((query.account_id.empty() ? !month.subject.empty() : !IsHandle(month.subject)) ||
        !are(month.recordings, query.recording_ids.size()) || !are(month.profiles, query.profile_ids.size()) ||
        !are(month.devices, query.device_ids.size())) {
      return false;
    }
  }
  return true;
}

}  // namespace

void ToProto(const DecisionRecord& record, v1::VerifyDecisionsRequest* out) {
  RecordToProto(record, out);
  for (const RecordedYes& yes : record.yeses) ToProto(yes, out->add_yeses());
}

void ToProto(const DecisionRecord& record, v1::ExplainDecisionRequest* out) {
  RecordToProto(record, out);
  if (!record.yeses.empty()) ToProto(record.yeses.front(), out->mutable_yes());
}

void ToProto(const HandleQuery& query, v1::GetDecisionHandlesRequest* out) {
  out->set_account_id(query.account_id.value());
  for (const RecordingId& recording : query.recording_ids) out->add_recording_ids(recording.value());
  for (const ProfileId& profile : query.profile_ids) out->add_profile_ids(profile.value());
  for (const DeviceId& device : query.device_ids) out->add_device_ids(device.value());
  for (const std::string& month : query.months) out->add_months(month);
}

void ToProto(const VerificationReport& report, v1::ReportVerificationRequest* out) {
  out->set_store_id(report.store_id);
  out->set_records(static_cast<int64_t>(report.records));
  out->set_confirmed(static_cast<int64_t>(report.confirmed));
  out->set_late(static_cast<int64_t>(report.late));
  out->set_not_checkable(static_cast<int64_t>(report.not_checkable));
  out->set_not_given(static_cast<int64_t>(report.not_given));
  out->set_log_problems(static_cast<int64_t>(report.log_problems));
}

absl::StatusOr<DecisionLogState> GrpcClient::GetDecisionLog(const CallOptions& options) {
  v1::GetDecisionLogResponse response;
  const absl::Status status = Call(options, true, *decision_, &v1::DecisionService::Stub::GetDecisionLog,
                                   v1::GetDecisionLogRequest(), &response);
  if (!status.ok()) return status;
  return DecisionLogState{response.on(), response.store_id(), static_cast<uint64_t>(response.counted_records()),
                          response.counted_hash()};
}

absl::StatusOr<std::vector<DecisionVerdict>> GrpcClient::VerifyDecisions(const DecisionRecord& record,
                                                                         const CallOptions& options) {
  v1::VerifyDecisionsRequest request;
  ToProto(record, &request);
  v1::VerifyDecisionsResponse response;
  const absl::Status status =
      Call(options, true, *decision_, &v1::DecisionService::Stub::VerifyDecisions, request, &response);
  if (!status.ok()) return status;
  if (static_cast<size_t>(response.verdicts_size()) != record.yeses.size()) {
    return absl::InternalError("the number of verdicts is not that of the yeses");
  }
  std::vector<DecisionVerdict> verdicts;
  for (const int number : response.verdicts()) verdicts.push_back(FromNumber<DecisionVerdict>(number));
  return verdicts;
}

absl::Status GrpcClient::ReportVerification(const VerificationReport& report, const CallOptions& options) {
  v1::ReportVerificationRequest request;
  ToProto(report, &request);
  v1::ReportVerificationResponse response;
  return Call(options, true, *decision_, &v1::DecisionService::Stub::ReportVerification, request, &response);
}

absl::StatusOr<DecisionHandles> GrpcClient::GetDecisionHandles(const HandleQuery& query, const CallOptions& options) {
  v1::GetDecisionHandlesRequest request;
  ToProto(query, &request);
  v1::GetDecisionHandlesResponse response;
  const absl::Status status =
      Call(options, true, *decision_, &v1::DecisionService::Stub::GetDecisionHandles, request, &response);
  if (!status.ok()) return status;
  DecisionHandles handles{response.store_id(), {}};
  for (const v1::DecisionHandles& month : response.months()) handles.months.push_back(HandlesOf(month));
  if (!HasAll(handles, query)) return absl::InternalError("the handles are not those that were asked for");
  return handles;
}

}  // namespace consent
