#include "tests/unit/wire/requests.h"

#include <cstdlib>

#include <google/protobuf/text_format.h>

#include "consent/v1/key_service.pb.h"
#include "consent/v1/status_service.pb.h"
#include "daemon/wire/approval.h"
#include "daemon/wire/backup.h"
#include "daemon/wire/decision.h"
#include "daemon/wire/deletion.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/explanation.h"
#include "daemon/wire/hold.h"
#include "daemon/wire/policy.h"
#include "daemon/wire/purge.h"
#include "daemon/wire/recording.h"
#include "daemon/wire/review.h"
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
  std::string id;
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

// What is wrong with a change, also where its restrictions count all the same.
absl::Status FaultOf(const wire::ChangeInput& read) {
  const std::string why = read.command.unusable + read.unusable;
  const size_t colon = why.find(": ");
  return why.empty() ? absl::OkStatus() : wire::FieldError(why.substr(0, colon), why.substr(colon + 2));
}
absl::Status FaultOf(const absl::StatusOr<wire::ChangeInput>& read) {
  return read.ok() ? FaultOf(*read) : read.status();
}
absl::Status FaultOf(const absl::StatusOr<wire::DeletionInput>& read) {
  return read.ok() ? FaultOf(read->change) : read.status();
}

absl::Status ReadRequest(const v1::UpsertSubjectRequest& r) {
  return FaultOf(wire::ReadUpsertSubject(r, Hasher(), kNow));
}
absl::Status ReadRequest(const v1::GetSubjectRequest& r) { return wire::ReadGetSubject(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::GetSettingsRequest& r) { return wire::ReadGetSettings(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::UpdateSettingsRequest& r) { return FaultOf(wire::ReadUpdateSettings(r, Hasher())); }
absl::Status ReadRequest(const v1::OptOutRequest& r) { return FaultOf(wire::ReadOptOut(r, Hasher())); }
absl::Status ReadRequest(const v1::ListSettingsHistoryRequest& r) {
  return wire::ReadListHistory(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ListChoicesRequest& r) { return wire::ReadListChoices(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::GetSettingsAtRequest& r) { return wire::ReadSettingsAt(r, Hasher(), kNow).status(); }
absl::Status ReadRequest(const v1::ReportRecordingRequest& r) {
  return FaultOf(wire::ReadReportRecording(r, Hasher()));
}
absl::Status ReadRequest(const v1::GetPolicyRequest& r) { return wire::ReadGetPolicy(r).status(); }
absl::Status ReadRequest(const v1::SuspendRequest& r) { return wire::ReadSuspend(r).status(); }
absl::Status ReadRequest(const v1::ResumeRequest& r) { return wire::ReadResume(r).status(); }
absl::Status ReadRequest(const v1::ActivatePolicyRequest& r) { return wire::ReadActivatePolicy(r).status(); }
absl::Status ReadRequest(const v1::DiffPolicyRequest& r) { return wire::ReadDiffPolicy(r).status(); }
absl::Status ReadRequest(const v1::ListPoliciesRequest& r) { return wire::ReadListPolicies(r).status(); }
absl::Status ReadRequest(const v1::ListProposalsRequest& r) { return wire::ReadListProposals(r).status(); }
absl::Status ReadRequest(const v1::GetProposalRequest& r) { return wire::ReadProposalId(r).status(); }
absl::Status ReadRequest(const v1::ApproveProposalRequest& r) { return wire::ReadProposalId(r).status(); }
absl::Status ReadRequest(const v1::WithdrawProposalRequest& r) { return wire::ReadProposalId(r).status(); }
absl::Status ReadRequest(const v1::BeginBackupRequest& r) { return wire::ReadBeginBackup(r); }
absl::Status ReadRequest(const v1::ReadBackupRequest& r) { return wire::ReadReadBackup(r).status(); }
absl::Status ReadRequest(const v1::EndBackupRequest& r) { return wire::ReadEndBackup(r).status(); }
absl::Status ReadRequest(const v1::GetClockRequest& r) { return wire::ReadGetClock(r); }
absl::Status ReadRequest(const v1::ConfirmClockRequest& r) { return wire::ReadConfirmClock(r).status(); }
absl::Status ReadRequest(const v1::CreateDeletionRequestRequest& r) {
  return FaultOf(wire::ReadCreateDeletion(r, Hasher(), kNow));
}
absl::Status ReadRequest(const v1::VerifyDeletionRequestRequest& r) {
  return wire::ReadDeletionStep(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::DenyDeletionRequestRequest& r) {
  return wire::ReadDeletionStep(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ExtendDeletionRequestRequest& r) {
  return wire::ReadDeletionStep(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ConfirmReceiptRequest& r) { return wire::ReadDeletionStep(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::ReceiveAppealRequest& r) { return wire::ReadDeletionStep(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::AcknowledgeAppealRequest& r) { return wire::ReadDeletionStep(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::AnswerAppealRequest& r) { return wire::ReadDeletionStep(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::CancelDeletionRequestRequest& r) {
  return wire::ReadDeletionStep(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::GetDeletionRequestRequest& r) { return wire::ReadGetDeletion(r).status(); }
absl::Status ReadRequest(const v1::ListDeletionRequestsRequest& r) {
  return wire::ReadListDeletions(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::PlaceHoldRequest& r) { return wire::ReadPlaceHold(r, Hasher(), kNow).status(); }
absl::Status ReadRequest(const v1::ReviewHoldRequest& r) { return wire::ReadReviewHold(r, Hasher(), kNow).status(); }
absl::Status ReadRequest(const v1::ListSafetyFlagsRequest& r) {
  return wire::ReadListSafetyFlags(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::AcknowledgeSafetyFlagRequest& r) {
  return wire::ReadAcknowledgeSafetyFlag(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::LeaseReviewsRequest& request) {
  const auto input = wire::ReadLeaseReviews(request, Hasher());
  if (!input.ok()) return input.status();
  for (const wire::LeaseItemInput& item : input->items) {
    if (!item.error.ok()) return item.error;
  }
  return absl::OkStatus();
}
absl::Status ReadRequest(const v1::OpenMediaRequest& r) { return wire::ReadOpenMedia(r).status(); }
absl::Status ReadRequest(const v1::RedeemMediaRequest& r) { return wire::CheckRedeemMedia(r); }
absl::Status ReadRequest(const v1::SubmitReviewRequest& r) { return wire::ReadSubmitReview(r).status(); }
absl::Status ReadRequest(const v1::EndReviewRequest& r) { return wire::ReadEndReview(r).status(); }
absl::Status ReadRequest(const v1::RenewReviewRequest& r) { return wire::ReadRenewReview(r).status(); }
absl::Status ReadRequest(const v1::RevokeReviewsRequest& r) { return wire::ReadRevokeReviews(r).status(); }
absl::Status ReadRequest(const v1::ListGrantsRequest& r) { return wire::ReadListGrants(r).status(); }
absl::Status ReadRequest(const v1::ListHeardRequest& r) { return wire::ReadListHeard(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::ReportPopulationRequest& r) { return wire::ReadReportPopulation(r, kNow).status(); }
absl::Status ReadRequest(const v1::ListReviewRatesRequest& r) { return wire::ReadListReviewRates(r, kNow).status(); }
absl::Status ReadRequest(const v1::GetMediaKeyRequest& r) { return wire::CheckGetMediaKey(r); }

absl::Status ReadRequest(const v1::HandleSafetyFlagRequest& r) {
  return wire::ReadHandleSafetyFlag(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ReleaseHoldRequest& r) { return wire::ReadReleaseHold(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::ListHoldsRequest& r) { return wire::ReadListHolds(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::LeaseTasksRequest& r) { return wire::ReadLeaseTasks(r).status(); }
absl::Status ReadRequest(const v1::CompleteTasksRequest& r) {
  const auto read = wire::ReadCompleteTasks(r);
  if (!read.ok()) return read.status();
  // A result that cannot be taken is refused by itself.
  for (const wire::ReportInput& report : read->reports) {
    if (!report.refused.ok()) return report.refused;
  }
  return absl::OkStatus();
}
absl::Status ReadRequest(const v1::RenewTasksRequest& r) { return wire::ReadRenewTasks(r).status(); }
absl::Status ReadRequest(const v1::FailTasksRequest& r) { return wire::ReadFailTasks(r).status(); }
absl::Status ReadRequest(const v1::RetryTasksRequest& r) { return wire::ReadRetryTasks(r).status(); }
absl::Status ReadRequest(const v1::ListTasksRequest& r) { return wire::ReadListTasks(r).status(); }
absl::Status ReadRequest(const v1::RegisterDataSystemRequest& r) { return wire::ReadRegisterSystem(r, kNow).status(); }
absl::Status ReadRequest(const v1::SetSystemRetentionRequest& r) { return wire::ReadSetRetention(r, kNow).status(); }
absl::Status ReadRequest(const v1::ReportSweepRequest& r) { return wire::ReadReportSweep(r).status(); }
absl::Status ReadRequest(const v1::JoinSubjectsRequest& r) { return wire::ReadJoinSubjects(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::RecordChildNoticeRequest& r) {
  return wire::ReadRecordChildNotice(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ListChildrenDueRequest& r) {
  return wire::ReadListChildrenDue(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::RetireDataSystemRequest& r) { return wire::ReadRetireSystem(r).status(); }
absl::Status ReadRequest(const v1::GetDecisionLogRequest&) { return absl::OkStatus(); }
absl::Status ReadRequest(const v1::GetStatusRequest&) { return absl::OkStatus(); }
absl::Status ReadRequest(const v1::GetKeysRequest&) { return absl::OkStatus(); }
absl::Status ReadRequest(const v1::RewrapSharesRequest&) { return absl::OkStatus(); }
absl::Status ReadRequest(const v1::VerifyDecisionsRequest& r) { return wire::ReadVerifyDecisions(r).status(); }
absl::Status ReadRequest(const v1::ExplainCheckRequest& r) { return wire::ReadExplainCheck(r, Hasher()).status(); }
absl::Status ReadRequest(const v1::ExplainDecisionRequest& r) {
  return wire::ReadExplainDecision(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ReportVerificationRequest& r) { return wire::ReadReportVerification(r).status(); }
absl::Status ReadRequest(const v1::GetDecisionHandlesRequest& r) {
  return wire::ReadGetDecisionHandles(r, Hasher()).status();
}
absl::Status ReadRequest(const v1::ListDataSystemsRequest&) { return absl::OkStatus(); }

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
    view: DECISION_VIEW_FULL at_least_revision: "token" selection: SELECTION_RANDOM)";
constexpr char kRecord[] = R"(
    store_id: "0123456789abcdef" month: "2026-11.5e0c91d2" purpose: PURPOSE_HUMAN_REVIEW
    place { country: "DE" site: "berlin" reviewer_class: REVIEWER_CLASS_EMPLOYEE } policy_version: "2026-12"
    policy_hash: "0123456789abcdef0123456789abcdef" wall_us: 4 earliest_us: 3 latest_us: 5 not_before_us: 2
    yeses { subject: "0123456789abcdef" recording: "0123456789abcdef" profiles: "0123456789abcdef" device: "0123456789abcdef"
            captured_at_us: 7 uncertainty_us: 8 ingested_at_us: 9 region: "US-CA" wake: WAKE_INTENDED kind: KIND_COMMAND
            speakers: SPEAKERS_ONE identity: IDENTITY_MATCHED age: SPEAKER_AGE_ADULT artefact: ARTEFACT_TRANSCRIPT
            made_for: PURPOSE_HUMAN_REVIEW flags: 8 head: 11 revision: 10 reason: REASON_CONSENT })";
constexpr char kExplained[] = R"(
    store_id: "0123456789abcdef" month: "2026-11.5e0c91d2" purpose: PURPOSE_HUMAN_REVIEW
    place { country: "DE" site: "berlin" reviewer_class: REVIEWER_CLASS_EMPLOYEE } policy_version: "2026-12"
    policy_hash: "0123456789abcdef0123456789abcdef" wall_us: 4 earliest_us: 3 latest_us: 5 not_before_us: 2
    yes { subject: "0123456789abcdef" recording: "0123456789abcdef" profiles: "0123456789abcdef" device: "0123456789abcdef"
          captured_at_us: 7 uncertainty_us: 8 ingested_at_us: 9 region: "US-CA" wake: WAKE_INTENDED kind: KIND_COMMAND
          speakers: SPEAKERS_ONE identity: IDENTITY_MATCHED age: SPEAKER_AGE_ADULT artefact: ARTEFACT_TRANSCRIPT
          made_for: PURPOSE_HUMAN_REVIEW flags: 8 head: 11 revision: 10 reason: REASON_CONSENT }
    account_id: "a1" language: "de")";
constexpr char kEvidence[] = R"(
    evidence { notice_version: "v1.2" notice_language: "de-DE" channel: CHANNEL_IMPORT actor: ACTOR_GUARDIAN guardian_id: "g1"
               given_at { seconds: 1780000000 } reference: "ticket 7" })";
constexpr char kRetention[] = R"(
    retention { retention { until_deleted: true } }
    retention { scope { profile_id: "p1" } retention { months: 18 } }
    retention { scope { device_id: "d1" } retention { do_not_save: true } })";

std::string Changes(const std::string& field) {
  return field +
         R"( { target { control: "help_improve" } turn: SWITCH_ON answers { seconds: 1780000000 nanos: 5000 } } )" +
         field + R"( { scope { profile_id: "p1" } target { purpose: PURPOSE_HUMAN_REVIEW } turn: SWITCH_OFF } )" +
         field + R"( { scope { device_id: "d1" } target { all: true } turn: SWITCH_OFF } )";
}

// Of the requests about deletion.
std::vector<RequestKind> MakeDeletions() {
  const std::string evidence = kEvidence;
  const auto create = [&](const std::string& selector) {
    return R"(account_id: "a1" requester: ACTOR_SELF verification: VERIFICATION_VERIFIED request_id: "q1" selector { )" +
           selector + " }" + evidence;
  };
  const auto hold = [&](const std::string& selector) {
    return R"(account_id: "a1" authority: "a court" reason: "a case" request_id: "q1"
           review_at { seconds: 1800000000 } selector { )" +
           selector + " }" + evidence;
  };
  const std::string step = R"(deletion_id: "token" request_id: "q1" )" + evidence;
  return {
      Kind<v1::CreateDeletionRequestRequest>(
          {create("everything: true"),
           create("time_range { from { seconds: 1780000000 } to { seconds: 1790000000 nanos: 7 } }"),
           create(R"(spoken_day { spoken_at { seconds: 1790000000 } time_zone: "Europe/Bucharest" })"),
           create(R"(recordings { recording_ids: "r1" recording_ids: "r2" })"), create(R"(profile_id: "p1")"),
           create(R"(device_id: "d1")"),
           create(
               R"(purpose_copies { purposes: PURPOSE_HUMAN_REVIEW purposes: PURPOSE_ADVERTISING scope { profile_id: "p1" } })"),
           create(R"(voice_id_of_profile_id: "p1")"), create("account_closure: true")}),
      Kind<v1::PlaceHoldRequest>(
          {hold(R"(account: true captured { from { seconds: 1780000000 } to { seconds: 1790000000 } })"),
           hold(R"(profile_id: "p1")"), hold(R"(device_id: "d1")"),
           hold(R"(recordings { recording_ids: "r1" recording_ids: "r2" })")}),
      Kind<v1::ReleaseHoldRequest>(
          {R"(hold_id: "token" etag: "token" authority: "a court" reason: "over" request_id: "q1" )" + evidence}),
      Kind<v1::ReviewHoldRequest>(
          {R"(hold_id: "token" review_at { seconds: 1800000000 } reason: "goes on" request_id: "q1" )" + evidence}),
      Kind<v1::ListHoldsRequest>(
          {R"(account_id: "a1" include_released: true page_size: 50 page_token: "token" past_review: true)", ""}),
      Kind<v1::ListSafetyFlagsRequest>({R"(account_id: "a1" page_size: 50 page_token: "token" overdue: true)", ""}),
      Kind<v1::AcknowledgeSafetyFlagRequest>(
          {R"(account_id: "a1" recording_id: "r1" note: "mine" request_id: "q1" )" + evidence}),
      Kind<v1::HandleSafetyFlagRequest>(
          {R"(account_id: "a1" recording_id: "r1" note: "called" request_id: "q1" )" + evidence}),
      Kind<v1::VerifyDeletionRequestRequest>({step + " only_begun: true"}),
      Kind<v1::DenyDeletionRequestRequest>({step + R"( reason: "not the owner" language: "de")"}),
      Kind<v1::ExtendDeletionRequestRequest>({step}),
      Kind<v1::ConfirmReceiptRequest>({step + " channel: RECEIPT_CHANNEL_EMAIL",
                                       step + " channel: RECEIPT_CHANNEL_OTHER confirmed_at { seconds: 1780000000 }"}),
      Kind<v1::ReceiveAppealRequest>(
          {step + " kind: APPEAL_KIND_APPEAL", step + " kind: APPEAL_KIND_COMPLAINT at { seconds: 1780000000 }"}),
      Kind<v1::AcknowledgeAppealRequest>({step, step + " at { seconds: 1780000000 }"}),
      Kind<v1::AnswerAppealRequest>(
          {step + R"( outcome: APPEAL_OUTCOME_REJECTED answer: "as before" at { seconds: 1780000000 })"}),
      Kind<v1::CancelDeletionRequestRequest>({step + R"( etag: "token")"}),
      Kind<v1::GetDeletionRequestRequest>({R"(deletion_id: "token" language: "de")"}),
      Kind<v1::ListDeletionRequestsRequest>(
          {R"(account_id: "a1" states: DELETION_STATE_RECEIVED states: DELETION_STATE_DENIED
          due_before { seconds: 1790000000 } received_from { seconds: 1780000000 } received_before { seconds: 1790000000 }
          causes: DELETION_CAUSE_REQUESTED causes: DELETION_CAUSE_RETENTION page_size: 50 page_token: "token"
          language: "de" has_open_appeal: true)",
           ""}),
      Kind<v1::LeaseTasksRequest>({R"(system: "audio" max_tasks: 5 visibility_seconds: 60 wait_seconds: 10
          accepts: DELETION_SELECTOR_KIND_EVERYTHING accepts: DELETION_SELECTOR_KIND_DRAFT)",
                                   R"(system: "audio" look_only: true)"}),
      Kind<v1::CompleteTasksRequest>(
          {R"(system: "audio" results { task_id: "t1" epoch: 1 outcome: PURGE_OUTCOME_EXEMPT erased_count: 3
          evidence_hash: "0123456789abcdef0123456789abcdef" reason: "law" exempt_reason: EXEMPT_REASON_EXPRESSION }
          results { task_id: "t2" epoch: 2 outcome: PURGE_OUTCOME_EXEMPT reason: "law"
          exempt_reason: EXEMPT_REASON_INTERNAL_USES })"}),
      Kind<v1::FailTasksRequest>(
          {R"(system: "audio" failures { task_id: "t1" epoch: 1 error: "disk" not_begun: true erased_count: 2
          evidence_hash: "0123456789abcdef0123456789abcdef" } failures { task_id: "t2" epoch: 7 })"}),
      Kind<v1::RenewTasksRequest>(
          {R"(system: "audio" leases { task_id: "t1" epoch: 1 } leases { task_id: "t2" epoch: 7 } visibility_seconds: 60)"}),
      Kind<v1::RetryTasksRequest>({R"(system: "audio" task_ids: "t1" task_ids: "t2")",
                                   R"(system: "audio" min_failures: 3 page_token: "token")"}),
      Kind<v1::ListTasksRequest>({R"(system: "audio" min_failures: 3 page_size: 50 page_token: "token")"}),
      Kind<v1::RegisterDataSystemRequest>(
          {R"(system { name: "audio" kind: DATA_SYSTEM_KIND_AUDIO matches_by: MATCH_KEY_ACCOUNT
          matches_by: MATCH_KEY_RECORDING_ID latest_arrival_seconds: 3600 checks_on_ingest: true retention { sweep_days: 7 }
          offline_key: "0123456789abcdef0123456789abcdef" })"}),
      Kind<v1::SetSystemRetentionRequest>(
          {R"(system: "audio" retention { attested { by: "dpo" until { seconds: 1800000000 } } })",
           R"(system: "audio" retention { sweep_days: 30 })"}),
      Kind<v1::ReportSweepRequest>(
          {R"(system: "audio" sweep { started_at { seconds: 1780000000 } ended_at { seconds: 1780000060 nanos: 5 }
          counts { kept: 5 held: 1 purged: 2 not_found: 3 failed: 4 unanswered: 6 } })"}),
      Kind<v1::RetireDataSystemRequest>({R"(system: "audio" reason: "shredded")"}),
      Kind<v1::ListDataSystemsRequest>({""}),
  };
}

std::vector<RequestKind> Make() {
  const std::string recording = kRecording;
  const std::string query = kQuery;
  const std::string evidence = kEvidence;
  std::vector<RequestKind> kinds = {
      Kind<v1::CheckRequest>(
          {"recording {" + recording + "}" + query, R"(recording { recording_id: "r" account_id: "a" })"}),
      Kind<v1::BatchCheckRequest>({"recordings {" + recording + "} recordings {" + recording + "}" + query}),
      Kind<v1::UpsertSubjectRequest>({R"(account_id: "a1" region: "DE" profiles { profile_id: "p1" age { adult: true } }
              profiles { profile_id: "p2" age { child: true } guardian_id: "g1" last_active_at { seconds: 1790000000 } }
              profiles { profile_id: "p3" age { born: "2015-02-28" } guardian_id: "" }
              device_ids: "d1" device_ids: "d2" remove_profile_ids: "p4" remove_profile_ids: "p5" remove_device_ids: "d4"
              remove_device_ids: "d5" etag: "token" request_id: "q1" create_new: true validate_only: true )" +
                                          Changes("initial_choices") + kRetention + evidence,
                                      R"(account_id: "a1" request_id: "q1")"}),
      Kind<v1::GetSubjectRequest>({R"(account_id: "a1")"}),
      Kind<v1::JoinSubjectsRequest>(
          {R"(from_account_id: "a1" into_account_id: "a2" from_etag: "t" into_etag: "t" request_id: "q1" )" + evidence,
           R"(from_account_id: "a1" into_account_id: "a2" from_etag: "t" into_is_new: true request_id: "q1" )" +
               evidence}),
      Kind<v1::RecordChildNoticeRequest>({R"(account_id: "a1" profile_id: "p1" request_id: "q1" )" + evidence}),
      Kind<v1::ListChildrenDueRequest>(
          {R"(account_id: "a1" due: CHILD_DUE_NOTICE due: CHILD_DUE_PURGE page_size: 50 page_token: "token")", ""}),
      Kind<v1::GetSettingsRequest>({R"(account_id: "a1" language: "de" region: "US-CA")"}),
      Kind<v1::UpdateSettingsRequest>(
          {R"(account_id: "a1" etag: "token" request_id: "q1" self_profile_id: "p9" validate_only: true confirm_restored: true )" +
           Changes("changes") + kRetention + evidence}),
      Kind<v1::OptOutRequest>(
          {R"(account_id: "a1" scope { profile_id: "p1" } targets { control: "help_improve" } targets { all: true }
              targets { purpose: PURPOSE_ADVERTISING } request_id: "q1" )" +
               evidence,
           R"(account_id: "a1" scope { device_id: "d1" } targets { all: true } request_id: "q1")"}),
      Kind<v1::ListSettingsHistoryRequest>({R"(account_id: "a1" page_size: 50 page_token: "token")"}),
      Kind<v1::ListChoicesRequest>(
          {R"(account_id: "a1" from { seconds: 1780000000 } before { seconds: 1790000000 nanos: 1 }
              to: CHOICE_REFUSED to: CHOICE_WITHDRAWN page_size: 50 page_token: "token")"}),
      Kind<v1::GetSettingsAtRequest>({R"(account_id: "a1" at { seconds: 1790000000 nanos: 1 } language: "de")"}),
      Kind<v1::ReportRecordingRequest>(
          {R"(account_id: "a1" recording_id: "r1" flags: FLAG_SAFETY flags: FLAG_CRITICAL_DATA request_id: "q1" )" +
           evidence}),
      Kind<v1::LeaseReviewsRequest>(
          {"recordings {" + recording + "} recordings {" + recording +
           R"(} purpose: PURPOSE_HUMAN_REVIEW place { country: "DE" site: "berlin" reviewer_class: REVIEWER_CLASS_EMPLOYEE }
              reviewer: "r1" selection: SELECTION_RANDOM)"}),
      Kind<v1::OpenMediaRequest>({R"(grant_id: "token" fence: 7 audience: "audio")"}),
      Kind<v1::RedeemMediaRequest>({R"(system: "audio" media_token: "token")"}),
      Kind<v1::SubmitReviewRequest>(
          {R"(grant_id: "token" fence: 7 digest: "0123456789abcdef0123456789abcdef" flags: FLAG_SAFETY)"}),
      Kind<v1::EndReviewRequest>({R"(grant_id: "token" fence: 7 outcome: REVIEW_OUTCOME_SAFETY)"}),
      Kind<v1::RenewReviewRequest>({R"(grant_id: "token" fence: 7)"}),
      Kind<v1::RevokeReviewsRequest>({R"(reviewer: "r1" reason: "left")", R"(site: "berlin" reason: "closed")",
                                      R"(purpose: PURPOSE_HUMAN_REVIEW reason: "drill")",
                                      R"(all: true reason: "drill")"}),
      Kind<v1::ListGrantsRequest>(
          {R"(state: GRANT_STATE_LIVE page_size: 50 page_token: "token")", R"(grant_ids: "token")", ""}),
      Kind<v1::ListHeardRequest>({R"(account_id: "a1")"}),
      Kind<v1::ReportPopulationRequest>({R"(hour: "2026-11-21T11" counts { country: "DE" utterances: 1000 })"}),
      Kind<v1::ListReviewRatesRequest>({R"(month: "2026-11")", ""}),
      Kind<v1::GetMediaKeyRequest>({""}),
      Kind<v1::GetPolicyRequest>({R"(version: "2026-01")", ""}),
      Kind<v1::SuspendRequest>({R"(purpose: PURPOSE_HUMAN_REVIEW region: "US" reason: "drill")"}),
      Kind<v1::ResumeRequest>({R"(purpose: PURPOSE_HUMAN_REVIEW region: "US-CA" reason: "drill over" etag: "token")",
                               R"(restored: true reason: "looked at" etag: "token")"}),
      Kind<v1::ActivatePolicyRequest>({R"(policy_json: "{}" loosens: "purposes: gains x" loosens: "y: z")"}),
      Kind<v1::DiffPolicyRequest>({R"(policy_json: "{}" count_seconds: 8)"}),
      Kind<v1::ListPoliciesRequest>({R"(page_size: 50 page_token: "token")", ""}),
      Kind<v1::ListProposalsRequest>({R"(include_ended: true page_size: 50 page_token: "token")", ""}),
      Kind<v1::GetProposalRequest>({R"(proposal_id: "p1")"}),
      Kind<v1::ApproveProposalRequest>({R"(proposal_id: "p1")"}),
      Kind<v1::WithdrawProposalRequest>({R"(proposal_id: "p1")"}),
      Kind<v1::GetClockRequest>({""}),
      Kind<v1::GetDecisionLogRequest>({""}),
      Kind<v1::GetStatusRequest>({""}),
      Kind<v1::GetKeysRequest>({""}),
      Kind<v1::RewrapSharesRequest>({""}),
      Kind<v1::BeginBackupRequest>({""}),
      Kind<v1::ReadBackupRequest>(
          {R"(backup_id: "20261129T183000Z-3f2a9c1d" file: "store/000012.sst" offset: 1048576)"}),
      Kind<v1::EndBackupRequest>({R"(backup_id: "20261129T183000Z-3f2a9c1d" taken: true)"}),
      Kind<v1::VerifyDecisionsRequest>({kRecord}),
      Kind<v1::ExplainCheckRequest>(
          {"recording {" + recording + "}" +
               R"(purpose: PURPOSE_HUMAN_REVIEW place { country: "DE" site: "berlin" reviewer_class: REVIEWER_CLASS_EMPLOYEE }
              at { seconds: 1790000000 nanos: 1 } language: "de")",
           R"(recording { recording_id: "r" account_id: "a" })"}),
      Kind<v1::ExplainDecisionRequest>({kExplained}),
      Kind<v1::ReportVerificationRequest>(
          {R"(store_id: "0123456789abcdef" records: 7 confirmed: 1 late: 2 not_checkable: 3 not_given: 4 log_problems: 5)"}),
      Kind<v1::GetDecisionHandlesRequest>(
          {R"(account_id: "a1" recording_ids: "r1" recording_ids: "r2" profile_ids: "p1" device_ids: "d1" months: "2026-11"
              months: "2026-12")"}),
      Kind<v1::ConfirmClockRequest>({"time { seconds: 1764000000 nanos: 5000 }"}),
  };
  for (RequestKind& kind : MakeDeletions()) kinds.push_back(std::move(kind));
  return kinds;
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
