#include "tests/unit/wire/requests.h"

#include <cstdlib>

#include <google/protobuf/text_format.h>

#include "daemon/wire/eligibility.h"
#include "daemon/wire/policy.h"
#include "daemon/wire/recording.h"
#include "daemon/wire/settings.h"
#include "daemon/wire/subject.h"

namespace consent::testing {
namespace {

const base::IdHasher& Hasher() {
  static const base::IdHasher hasher(base::Bytes16{1, 2, 3});
  return hasher;
}

absl::Status ReadItem(const v1::Recording& recording, const wire::Path& at) {
  wire::Violations faults;
  base::SubjectHandle subject;
  base::RecordingHandle id;
  domain::RecordingFacts facts;
  if (wire::ReadRecording(recording, Hasher(), at, &faults, &subject, &id, &facts)) return absl::OkStatus();
  return faults.ToStatus();
}

absl::Status ReadRequest(const v1::CheckRequest& request) {
  wire::CheckQuery query;
  if (absl::Status status = wire::ReadCheck(request, &query); !status.ok()) return status;
  return ReadItem(request.recording(), wire::Path(wire::Path(), "recording"));
}

absl::Status ReadRequest(const v1::BatchCheckRequest& request) {
  wire::CheckQuery query;
  if (absl::Status status = wire::ReadBatchCheck(request, &query); !status.ok()) return status;
  for (int i = 0; i < request.recordings_size(); ++i) {
    absl::Status status = ReadItem(request.recordings(i), wire::Path(wire::Path(), "recordings", i));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadRequest(const v1::UpsertSubjectRequest& r) { return wire::ReadUpsertSubject(r, Hasher(), kNow).status(); }
absl::Status ReadRequest(const v1::GetSubjectRequest& r) { return wire::ReadGetSubject(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::GetSettingsRequest& r) { return wire::ReadGetSettings(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::UpdateSettingsRequest& r) { return wire::ReadUpdateSettings(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::OptOutRequest& r) { return wire::ReadOptOut(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::ListSettingsHistoryRequest& r) { return wire::ReadListHistory(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::GetSettingsAtRequest& r) { return wire::ReadSettingsAt(r, Hasher(), kNow).status(); }
absl::Status ReadRequest(const v1::ReportRecordingRequest& r) { return wire::ReadReportRecording(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::GetPolicyRequest& r) { return wire::ReadGetPolicy(r).status(); }
absl::Status ReadRequest(const v1::SuspendRequest& r) { return wire::ReadSuspend(r).status(); }
absl::Status ReadRequest(const v1::ResumeRequest& r) { return wire::ReadResume(r).status(); }

template <typename Request>
RequestKind Kind(std::vector<std::string> samples) {
  return {&Request::default_instance(),
          [](const google::protobuf::Message& message) { return ReadRequest(static_cast<const Request&>(message)); },
          std::move(samples)};
}

constexpr char kRecording[] = R"(
    recording_id: "r1" account_id: "a1" captured_at { seconds: 1790000000 nanos: 5000 } captured_uncertainty_ms: 500
    ingested_at { seconds: 1790000001 } profile_ids: "p1" profile_ids: "p2" device_id: "d1" region: "US-CA" wake: WAKE_INTENDED
    kind: KIND_COMMAND speakers: SPEAKERS_ONE identity: IDENTITY_MATCHED age: SPEAKER_AGE_ADULT artefact: ARTEFACT_TRANSCRIPT
    made_for: PURPOSE_HUMAN_REVIEW flags: FLAG_SAFETY flags: FLAG_ACCIDENTAL)";
constexpr char kQuery[] = R"(
    purpose: PURPOSE_HUMAN_REVIEW place { country: "DE" site: "berlin" reviewer_class: REVIEWER_CLASS_EMPLOYEE }
    view: DECISION_VIEW_FULL at_least_revision: "token")";
constexpr char kEvidence[] = R"(
    evidence { notice_version: "v1.2" notice_language: "de-DE" channel: CHANNEL_IMPORT actor: ACTOR_GUARDIAN guardian_id: "g1"
               given_at { seconds: 1780000000 } reference: "ticket 7" })";
constexpr char kRetention[] = R"(
    retention { retention { until_deleted: true } }
    retention { scope { profile_id: "p1" } retention { months: 18 } }
    retention { scope { device_id: "d1" } retention { do_not_save: true } })";

std::string Changes(const std::string& field) {
  return field + R"( { target { control: "help_improve" } turn: SWITCH_ON } )" + field +
         R"( { scope { profile_id: "p1" } target { purpose: PURPOSE_HUMAN_REVIEW } turn: SWITCH_OFF } )" + field +
         R"( { scope { device_id: "d1" } target { all: true } turn: SWITCH_OFF } )";
}

std::vector<RequestKind> Make() {
  const std::string recording = kRecording;
  const std::string query = kQuery;
  const std::string evidence = kEvidence;
  return {
      Kind<v1::CheckRequest>({"recording {" + recording + "}" + query, R"(recording { recording_id: "r" account_id: "a" })"}),
      Kind<v1::BatchCheckRequest>({"recordings {" + recording + "} recordings {" + recording + "}" + query}),
      Kind<v1::UpsertSubjectRequest>(
          {R"(account_id: "a1" region: "DE" profiles { profile_id: "p1" age { adult: true } }
              profiles { profile_id: "p2" age { child: true } guardian_id: "g1" last_active_at { seconds: 1790000000 } }
              profiles { profile_id: "p3" age { born: "2015-02-28" } guardian_id: "" }
              device_ids: "d1" device_ids: "d2" remove_profile_ids: "p4" remove_profile_ids: "p5" remove_device_ids: "d4"
              remove_device_ids: "d5" etag: "token" request_id: "q1" )" +
               Changes("initial_choices") + kRetention + evidence,
           R"(account_id: "a1" request_id: "q1")"}),
      Kind<v1::GetSubjectRequest>({R"(account_id: "a1")"}),
      Kind<v1::GetSettingsRequest>({R"(account_id: "a1")"}),
      Kind<v1::UpdateSettingsRequest>(
          {R"(account_id: "a1" etag: "token" request_id: "q1" )" + Changes("changes") + kRetention + evidence}),
      Kind<v1::OptOutRequest>(
          {R"(account_id: "a1" scope { profile_id: "p1" } targets { control: "help_improve" } targets { all: true }
              targets { purpose: PURPOSE_ADVERTISING } request_id: "q1" )" +
               evidence,
           R"(account_id: "a1" scope { device_id: "d1" } targets { all: true } request_id: "q1")"}),
      Kind<v1::ListSettingsHistoryRequest>({R"(account_id: "a1" page_size: 50 page_token: "token")"}),
      Kind<v1::GetSettingsAtRequest>({R"(account_id: "a1" at { seconds: 1790000000 nanos: 1 })"}),
      Kind<v1::ReportRecordingRequest>(
          {R"(account_id: "a1" recording_id: "r1" flags: FLAG_SAFETY flags: FLAG_CRITICAL_DATA request_id: "q1" )" + evidence}),
      Kind<v1::GetPolicyRequest>({R"(version: "2026-01")", ""}),
      Kind<v1::SuspendRequest>({R"(purpose: PURPOSE_HUMAN_REVIEW region: "US" reason: "drill")"}),
      Kind<v1::ResumeRequest>({R"(purpose: PURPOSE_HUMAN_REVIEW region: "US-CA" reason: "drill over" etag: "token")"}),
  };
}

}  // namespace

const std::vector<RequestKind>& AllRequests() {
  static const std::vector<RequestKind> all = Make();
  return all;
}

std::unique_ptr<google::protobuf::Message> Parse(const RequestKind& kind, const std::string& sample) {
  std::unique_ptr<google::protobuf::Message> message(kind.prototype->New());
  if (!google::protobuf::TextFormat::ParseFromString(sample, message.get())) std::abort();
  return message;
}

}  // namespace consent::testing
