// What each field of the requests takes, as the protos say it. Written from their comments, not from the code.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/time.h"

namespace consent::testing {

// What a text field takes: its length, or, where it has a form, what is and what is not of that form.
struct TextRule {
  size_t min = 0;
  size_t max = 0;
  std::vector<std::string> good = {};
  std::vector<std::string> bad = {};
};
inline const TextRule kId{1, 128};
inline const TextRule kOptionalId{0, 128};
inline const TextRule kToken{0, 128};
inline const TextRule kRequestId{1, 64};
inline const TextRule kRegion{
    0, 6, {"DE", "US-CA", "GB-ENG", "AT-9"}, {"D", "de", "DEU", "US-", "US-CALI", "U1", "US_CA", "us-CA", "D\xc3\x89"}};

inline const TextRule kSystem{1, 64, {"audio", "a-b_9"}, {"Audio", "a b", "a/b", "\xc3\xa4"}};
inline const TextRule kFreeRequestId{0, 64};

inline const std::map<std::string, TextRule>& TextRules() {
  static const std::map<std::string, TextRule> rules = {
      {"consent.v1.Recording.recording_id", kId},
      {"consent.v1.Recording.account_id", kId},
      {"consent.v1.Recording.profile_ids", kId},
      {"consent.v1.Recording.device_id", kOptionalId},
      {"consent.v1.Recording.region", kRegion},
      {"consent.v1.Place.country", {0, 2, {"DE", "US"}, {"D", "de", "DEU", "US-CA", "1A"}}},
      {"consent.v1.Place.site", {0, 64}},
      {"consent.v1.CheckRequest.at_least_revision", kToken},
      {"consent.v1.BatchCheckRequest.at_least_revision", kToken},
      {"consent.v1.Scope.profile_id", kId},
      {"consent.v1.Scope.device_id", kId},
      {"consent.v1.SettingTarget.control", {1, 64}},
      {"consent.v1.Evidence.notice_version", {0, 64}},
      {"consent.v1.Evidence.notice_language", {0, 35, {"de", "zh-Hant-TW", "en_US"}, {"d"}}},
      {"consent.v1.Evidence.guardian_id", kOptionalId},
      {"consent.v1.Evidence.reference", {0, 256}},
      {"consent.v1.Age.born",
       {10,
        10,
        {"1900-01-01", "2026-11-21", "2026-11", "2026", "2024-02-29", "1900"},
        {"1899-12-31", "1899", "2026-11-23", "2026-12", "2027", "2023-02-29", "15.02.2010", "2010-2-15", "",
         "2010-02-15T00:00:00Z"}}},
      {"consent.v1.Profile.profile_id", kId},
      {"consent.v1.UpdateSettingsRequest.self_profile_id", {0, 128}},
      {"consent.v1.Profile.guardian_id", kOptionalId},
      {"consent.v1.UpsertSubjectRequest.account_id", kId},
      {"consent.v1.UpsertSubjectRequest.region", {2, 6, kRegion.good, kRegion.bad}},
      {"consent.v1.UpsertSubjectRequest.device_ids", kId},
      {"consent.v1.UpsertSubjectRequest.remove_profile_ids", kId},
      {"consent.v1.UpsertSubjectRequest.remove_device_ids", kId},
      {"consent.v1.UpsertSubjectRequest.etag", kToken},
      {"consent.v1.UpsertSubjectRequest.request_id", kRequestId},
      {"consent.v1.GetSubjectRequest.account_id", kId},
      {"consent.v1.GetSettingsRequest.account_id", kId},
      {"consent.v1.UpdateSettingsRequest.account_id", kId},
      {"consent.v1.UpdateSettingsRequest.etag", kToken},
      {"consent.v1.UpdateSettingsRequest.request_id", kRequestId},
      {"consent.v1.OptOutRequest.account_id", kId},
      {"consent.v1.OptOutRequest.request_id", kRequestId},
      {"consent.v1.ListSettingsHistoryRequest.account_id", kId},
      {"consent.v1.ListSettingsHistoryRequest.page_token", kToken},
      {"consent.v1.ListChoicesRequest.account_id", kOptionalId},
      {"consent.v1.ListChoicesRequest.page_token", kToken},
      {"consent.v1.GetSettingsAtRequest.account_id", kId},
      {"consent.v1.GetSettingsRequest.language", {0, 35}},
      {"consent.v1.GetSettingsAtRequest.language", {0, 35}},
      {"consent.v1.ReportRecordingRequest.account_id", kId},
      {"consent.v1.ReportRecordingRequest.recording_id", kId},
      {"consent.v1.ReportRecordingRequest.request_id", {0, 64}},
  };
  return rules;
}

// Of policies, deletions, holds, tasks, data systems and decisions.
inline const std::map<std::string, TextRule>& MoreTextRules() {
  static const std::map<std::string, TextRule> rules = {
      {"consent.v1.GetPolicyRequest.version", {0, 64, {"2026-01", "a_B.9"}, {"a b", "/", "\xc3\xa4"}}},
      {"consent.v1.ActivatePolicyRequest.policy_json", {1, 524'288}},
      {"consent.v1.ActivatePolicyRequest.loosens", {1, 2'048}},
      {"consent.v1.DiffPolicyRequest.policy_json", {1, 524'288}},
      {"consent.v1.ListPoliciesRequest.page_token", kToken},
      {"consent.v1.ListProposalsRequest.page_token", kToken},
      {"consent.v1.GetProposalRequest.proposal_id", kId},
      {"consent.v1.ApproveProposalRequest.proposal_id", kId},
      {"consent.v1.WithdrawProposalRequest.proposal_id", kId},
      {"consent.v1.SuspendRequest.region", kRegion},
      {"consent.v1.SuspendRequest.reason", {1, 256}},
      {"consent.v1.ResumeRequest.region", kRegion},
      {"consent.v1.ResumeRequest.reason", {1, 256}},
      {"consent.v1.ResumeRequest.etag", kToken},
      {"consent.v1.CreateDeletionRequestRequest.account_id", kId},
      {"consent.v1.CreateDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.SpokenDay.time_zone",
       {1,
        64,
        {"Europe/Bucharest", "UTC", "America/New_York"},
        {"Nowhere/Else", "/etc/passwd", "../UTC", "Europe/../UTC", "file:UTC"}}},
      {"consent.v1.RecordingIds.recording_ids", kId},
      {"consent.v1.DeletionSelector.profile_id", kId},
      {"consent.v1.DeletionSelector.device_id", kId},
      {"consent.v1.DeletionSelector.voice_id_of_profile_id", kId},
      {"consent.v1.PlaceHoldRequest.account_id", kId},
      {"consent.v1.PlaceHoldRequest.authority", {1, 128}},
      {"consent.v1.PlaceHoldRequest.reason", {1, 256}},
      {"consent.v1.PlaceHoldRequest.request_id", kFreeRequestId},
      {"consent.v1.HoldSelector.profile_id", kId},
      {"consent.v1.HoldSelector.device_id", kId},
      {"consent.v1.ReleaseHoldRequest.hold_id", kId},
      {"consent.v1.ReleaseHoldRequest.etag", kToken},
      {"consent.v1.ReleaseHoldRequest.authority", {1, 128}},
      {"consent.v1.ReleaseHoldRequest.reason", {1, 256}},
      {"consent.v1.ReleaseHoldRequest.request_id", kFreeRequestId},
      {"consent.v1.ListHoldsRequest.account_id", kOptionalId},
      {"consent.v1.ListHoldsRequest.page_token", kToken},
      {"consent.v1.VerifyDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.VerifyDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.DenyDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.DenyDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.DenyDeletionRequestRequest.reason", {1, 256}},
      {"consent.v1.DenyDeletionRequestRequest.language", {0, 35}},
      {"consent.v1.GetDeletionRequestRequest.language", {0, 35}},
      {"consent.v1.ListDeletionRequestsRequest.language", {0, 35}},
      {"consent.v1.ReceiveAppealRequest.deletion_id", kId},
      {"consent.v1.ReceiveAppealRequest.request_id", kFreeRequestId},
      {"consent.v1.AcknowledgeAppealRequest.deletion_id", kId},
      {"consent.v1.AcknowledgeAppealRequest.request_id", kFreeRequestId},
      {"consent.v1.AnswerAppealRequest.deletion_id", kId},
      {"consent.v1.AnswerAppealRequest.request_id", kFreeRequestId},
      {"consent.v1.AnswerAppealRequest.answer", {1, 256}},
      {"consent.v1.ExtendDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.ExtendDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.ConfirmReceiptRequest.deletion_id", kId},
      {"consent.v1.ConfirmReceiptRequest.request_id", kFreeRequestId},
      {"consent.v1.CancelDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.CancelDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.CancelDeletionRequestRequest.etag", kToken},
      {"consent.v1.GetDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.ListDeletionRequestsRequest.account_id", kOptionalId},
      {"consent.v1.ListDeletionRequestsRequest.page_token", kToken},
      {"consent.v1.LeaseTasksRequest.system", kSystem},
      {"consent.v1.CompleteTasksRequest.system", kSystem},
      {"consent.v1.FailTasksRequest.system", kSystem},
      {"consent.v1.RenewTasksRequest.system", kSystem},
      {"consent.v1.TaskLease.task_id", kId},
      {"consent.v1.ListTasksRequest.system", kSystem},
      {"consent.v1.ListTasksRequest.page_token", kToken},
      {"consent.v1.TaskResult.task_id", kId},
      {"consent.v1.TaskResult.evidence_hash", {0, 32, {std::string(32, 'x')}, {"x", std::string(31, 'x')}}},
      {"consent.v1.TaskFailure.evidence_hash", {0, 32, {std::string(32, 'x')}, {"x", std::string(31, 'x')}}},
      {"consent.v1.TaskResult.reason", {1, 256}},
      {"consent.v1.TaskFailure.task_id", kId},
      {"consent.v1.TaskFailure.error", {0, 256}},
      {"consent.v1.DataSystem.name", kSystem},
      {"consent.v1.RetireDataSystemRequest.system", kSystem},
      {"consent.v1.RetireDataSystemRequest.reason", {0, 256}},
      {"consent.v1.VerifyDecisionsRequest.store_id", {16, 16}},
      {"consent.v1.VerifyDecisionsRequest.month", {7, 7, {"2026-11"}, {"2026/11", "2026-1", "202611 ", "2026-1a"}}},
      {"consent.v1.VerifyDecisionsRequest.policy_version", {1, 64, {"2026-01", "a_B.9"}, {"a b", "/", "\xc3\xa4"}}},
      {"consent.v1.VerifyDecisionsRequest.policy_hash", {32, 32}},
      {"consent.v1.ReportVerificationRequest.store_id", {16, 16}},
      {"consent.v1.GetDecisionHandlesRequest.account_id", kOptionalId},
      {"consent.v1.GetDecisionHandlesRequest.recording_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.profile_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.device_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.months", {7, 7, {"2026-11"}, {"2026/11", "2026-1", "202611 ", "2026-1a"}}},
      {"consent.v1.RecordedYes.subject", {16, 16}},
      {"consent.v1.RecordedYes.recording", {16, 16}},
      {"consent.v1.RecordedYes.profiles", {16, 16}},
      {"consent.v1.RecordedYes.device", {0, 16, {std::string(16, 'x')}, {"x", std::string(15, 'x')}}},
      {"consent.v1.RecordedYes.region", kRegion},
      {"consent.v1.SetSystemRetentionRequest.system", kSystem},
      {"consent.v1.ReportSweepRequest.system", kSystem},
      {"consent.v1.RetentionAttestation.by", {1, 128}},
      {"consent.v1.RecordChildNoticeRequest.account_id", kId},
      {"consent.v1.RecordChildNoticeRequest.profile_id", kId},
      {"consent.v1.RecordChildNoticeRequest.request_id", kRequestId},
      {"consent.v1.ListChildrenDueRequest.account_id", kOptionalId},
      {"consent.v1.ListChildrenDueRequest.page_token", kToken},
  };
  return rules;
}

// Numbers from..to are taken, from - 1 and to + 1 are not.
inline const std::map<std::string, std::pair<int64_t, int64_t>>& NumberRules() {
  static const std::map<std::string, std::pair<int64_t, int64_t>> rules = {
      {"consent.v1.Recording.captured_uncertainty_ms", {0, 86'400'000}},
      {"consent.v1.Retention.months", {1, 120}},
      {"consent.v1.ListSettingsHistoryRequest.page_size", {0, 1'000}},
      {"consent.v1.ListChoicesRequest.page_size", {0, 1'000}},
      {"consent.v1.ListDeletionRequestsRequest.page_size", {0, 1'000}},
      {"consent.v1.ListHoldsRequest.page_size", {0, 1'000}},
      {"consent.v1.LeaseTasksRequest.max_tasks", {0, 100}},
      {"consent.v1.LeaseTasksRequest.visibility_seconds", {0, 43'200}},
      {"consent.v1.LeaseTasksRequest.wait_seconds", {0, 60}},
      {"consent.v1.ListTasksRequest.min_failures", {0, 1'000'000}},
      {"consent.v1.ListTasksRequest.page_size", {0, 1'000}},
      {"consent.v1.TaskResult.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.TaskResult.erased_count", {0, 1'000'000'000'000}},
      {"consent.v1.TaskFailure.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.TaskFailure.erased_count", {0, 1'000'000'000'000}},
      {"consent.v1.RenewTasksRequest.visibility_seconds", {0, 43'200}},
      {"consent.v1.TaskLease.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.DataSystem.latest_arrival_seconds", {0, 90 * 86'400}},
      {"consent.v1.SystemRetention.sweep_days", {1, 90}},
      {"consent.v1.SweepCounts.kept", {0, 1'000'000'000'000}},
      {"consent.v1.SweepCounts.held", {0, 1'000'000'000'000}},
      {"consent.v1.SweepCounts.purged", {0, 1'000'000'000'000}},
      {"consent.v1.SweepCounts.not_found", {0, 1'000'000'000'000}},
      {"consent.v1.SweepCounts.failed", {0, 1'000'000'000'000}},
      {"consent.v1.SweepCounts.unanswered", {0, 1'000'000'000'000}},
      {"consent.v1.ListChildrenDueRequest.page_size", {0, 1'000}},
      {"consent.v1.DiffPolicyRequest.count_seconds", {0, 300}},
      {"consent.v1.ListPoliciesRequest.page_size", {0, 1'000}},
      {"consent.v1.ListProposalsRequest.page_size", {0, 1'000}},
      {"google.protobuf.Timestamp.nanos", {0, 999'999'999}},
      {"consent.v1.VerifyDecisionsRequest.wall_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.earliest_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.latest_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.not_before_us", {0, base::kLastInstant.micros}},
      {"consent.v1.ReportVerificationRequest.records", {0, 1'000'000'000'000'000}},
      {"consent.v1.ReportVerificationRequest.confirmed", {0, 1'000'000'000'000'000}},
      {"consent.v1.ReportVerificationRequest.late", {0, 1'000'000'000'000'000}},
      {"consent.v1.ReportVerificationRequest.not_checkable", {0, 1'000'000'000'000'000}},
      {"consent.v1.ReportVerificationRequest.not_given", {0, 1'000'000'000'000'000}},
      {"consent.v1.ReportVerificationRequest.log_problems", {0, 1'000'000'000'000'000}},
      {"consent.v1.RecordedYes.captured_at_us", {0, base::kLastInstant.micros}},
      {"consent.v1.RecordedYes.ingested_at_us", {0, base::kLastInstant.micros}},
      {"consent.v1.RecordedYes.uncertainty_us", {0, int64_t{86'400'000'000}}},
      {"consent.v1.RecordedYes.flags", {0, 15}},
      {"consent.v1.RecordedYes.head", {0, int64_t{1'000'000'000'000'000}}},
      {"consent.v1.RecordedYes.revision", {1, int64_t{1'000'000'000'000'000}}},
  };
  return rules;
}

}  // namespace consent::testing
