// Between the library's values and the protos. Total: an unknown enum number becomes kUnset, an impossible time is
// absent. What says how far a deletion or a hold reaches is stricter: where any of it is unknown or impossible there is
// no selector at all.
#pragma once

#include <optional>
#include <vector>

#include "client/src/answer_maker.h"
#include "consent/client.h"
#include "consent/v1/approval_service.pb.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"

namespace consent {

// Of the value's enum the proto's number, which is the same.
template <typename Proto, typename Enum>
Proto NumberOf(Enum value) {
  return static_cast<Proto>(static_cast<int>(value));
}

void ToProto(Time time, google::protobuf::Timestamp* out);
void ToProto(const Scope& scope, v1::Scope* out);
void ToProto(const Evidence& evidence, v1::Evidence* out);
void ToProto(const Retention& retention, v1::Retention* out);
void ToProto(const SettingTarget& target, v1::SettingTarget* out);
void ToProto(const SettingChange& change, v1::SettingChange* out);
void ToProto(const RetentionChange& change, v1::RetentionChange* out);
void ToProto(const Recording& recording, v1::Recording* out);
void ToProto(const Place& place, v1::Place* out);
void ToProto(const SubjectUpdate& update, v1::UpsertSubjectRequest* out);
void ToProto(const ChildNotice& notice, v1::RecordChildNoticeRequest* out);
void ToProto(const JoinOrder& order, v1::JoinSubjectsRequest* out);
void ToProto(const ChildrenQuery& query, v1::ListChildrenDueRequest* out);
void ToProto(const SettingsUpdate& update, v1::UpdateSettingsRequest* out);
void ToProto(const OptOutOrder& order, v1::OptOutRequest* out);
void ToProto(const RecordingReport& report, v1::ReportRecordingRequest* out);
void ToProto(const SafetyFlagQuery& query, v1::ListSafetyFlagsRequest* out);
void ToProto(const AcknowledgeFlagOrder& order, v1::AcknowledgeSafetyFlagRequest* out);
void ToProto(const HandleFlagOrder& order, v1::HandleSafetyFlagRequest* out);
void ToProto(const TimeRange& range, v1::TimeRange* out);
void ToProto(const DeletionSelector& selector, v1::DeletionSelector* out);
void ToProto(const NewDeletionRequest& order, v1::CreateDeletionRequestRequest* out);
// Each step of a deletion request: VerifyOrder to VerifyDeletionRequestRequest, and so on.
template <typename Order, typename Request>
void StepToProto(const Order& order, Request* out);
void ToProto(const DeletionQuery& query, v1::ListDeletionRequestsRequest* out);
// What a registration says; not what its answer says.
void ToProto(const DataSystem& system, v1::DataSystem* out);
void ToProto(const SystemRetention& retention, v1::SystemRetention* out);
// What a report says; not what its answer says.
void ToProto(const Sweep& sweep, v1::Sweep* out);
void ToProto(const LeaseOrder& order, v1::LeaseTasksRequest* out);
void ToProto(const TaskResult& result, v1::TaskResult* out);
void ToProto(const TaskFailure& failure, v1::TaskFailure* out);
void ToProto(const TaskQuery& query, v1::ListTasksRequest* out);
void ToProto(const RetryOrder& order, v1::RetryTasksRequest* out);
void ToProto(const HoldSelector& selector, v1::HoldSelector* out);
void ToProto(const PlaceHoldOrder& order, v1::PlaceHoldRequest* out);
void ToProto(const ReleaseHoldOrder& order, v1::ReleaseHoldRequest* out);
void ToProto(const ReviewHoldOrder& order, v1::ReviewHoldRequest* out);
void ToProto(const HoldQuery& query, v1::ListHoldsRequest* out);
void ToProto(const DecisionRecord& record, v1::VerifyDecisionsRequest* out);
// With its first yes.
void ToProto(const DecisionRecord& record, v1::ExplainDecisionRequest* out);
void ToProto(const HandleQuery& query, v1::GetDecisionHandlesRequest* out);

// Neither it nor what it holds has a field that this library does not know.
bool IsKnown(const v1::TimeRange& range);
bool IsKnown(const v1::DeletionSelector& selector);
bool IsKnown(const v1::HoldSelector& selector);

std::optional<Time> FromProto(const google::protobuf::Timestamp& time);
Scope FromProto(const v1::Scope& scope);
Evidence FromProto(const v1::Evidence& evidence);
Retention FromProto(const v1::Retention& retention);
PartResult FromProto(const v1::PartResult& result);
Settings FromProto(const v1::Settings& settings);
std::vector<Unreached> FromProto(const google::protobuf::RepeatedPtrField<v1::Unreached>& unreached);
std::vector<ShownText> FromProto(const google::protobuf::RepeatedPtrField<v1::ShownText>& texts);
HistoryEntry FromProto(const v1::HistoryEntry& entry);
SafetyFlag FromProto(const v1::SafetyFlag& flag);
Subject FromProto(const v1::GetSubjectResponse& response);
InactiveChild FromProto(const v1::InactiveChild& child);
Policy FromProto(const v1::Policy& policy);
Suspension FromProto(const v1::Suspension& suspension);
ClockState FromProto(const v1::ClockState& clock);
// Nothing where an end is no time: taken for an open end it would reach further than was meant.
std::optional<TimeRange> FromProto(const v1::TimeRange& range);
DeletionSelector FromProto(const v1::DeletionSelector& selector);
DeletionRequest FromProto(const v1::DeletionRequest& request);
DataSystem FromProto(const v1::DataSystem& system);
PurgeTask FromProto(const v1::PurgeTask& task);
TaskAnswer FromProto(const v1::TaskAnswer& answer);
TaskStatus FromProto(const v1::TaskStatus& task);
HoldSelector FromProto(const v1::HoldSelector& selector);
Hold FromProto(const v1::Hold& hold);
Explanation FromProto(const v1::Explanation& explanation);
Proposal FromProto(const v1::Proposal& proposal);
// Fills what the decision itself says.
ReceivedDecision FromProto(const v1::Decision& decision);

}  // namespace consent
