// Deletion requests, data systems and tasks between the library's values and the protos: nothing is lost, and nothing
// that this library does not know becomes something that may be deleted.
#include <gtest/gtest.h>

#include "client/src/convert.h"

namespace consent {
namespace {

Time At(int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

// Field 100, of which this library knows nothing.
const std::string kLaterField("\xa2\x06\x01x", 4);

std::vector<DeletionSelector> EverySelector() {
  return {Everything{},
          TimeRange{At(10), At(20)},
          TimeRange{{}, At(20)},
          SpokenDay{At(30), "Europe/Bucharest"},
          std::vector<RecordingId>{RecordingId("r1"), RecordingId("r\n2")},
          ProfileId("p"),
          DeviceId("d"),
          PurposeCopies{{Purpose::kHumanReview, Purpose::kModelTraining}, {}},
          PurposeCopies{{Purpose::kAdvertising}, {ProfileId("p"), DeviceId()}},
          PurposeCopies{{Purpose::kAdvertising}, {ProfileId(), DeviceId("d")}},
          VoiceIdOf{ProfileId("p")},
          AccountClosure{},
          Draft{RecordingId("r1"), std::string(32, '\xfe')}};
}

TEST(DeletionSelectorTest, ComesBackAsItWent) {
  for (const DeletionSelector& selector : EverySelector()) {
    v1::DeletionSelector proto;
    ToProto(selector, &proto);
    EXPECT_EQ(FromProto(proto), selector) << proto.DebugString();
  }
}

TEST(DeletionSelectorTest, WhatIsNotSaidOrNotKnownSelectsNothing) {
  v1::DeletionSelector proto;
  ToProto(DeletionSelector(), &proto);
  EXPECT_EQ(proto.kind_case(), v1::DeletionSelector::KIND_NOT_SET);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  proto.set_everything(false);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  // A kind of selector that a later daemon may have.
  ASSERT_TRUE(proto.ParseFromString(kLaterField));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  proto.set_account_closure(false);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  // A draft without all that tells it from others.
  proto.mutable_draft()->set_recording_id("r1");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  proto.mutable_draft()->set_digest(std::string(31, 'd'));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
  proto.mutable_draft()->set_digest(std::string(32, 'd'));
  proto.mutable_draft()->clear_recording_id();
  EXPECT_TRUE(std::holds_alternative<std::monostate>(FromProto(proto)));
}

TEST(DeletionSelectorTest, WhatIsKnownInPartSelectsNothing) {
  const auto selects_nothing = [](const v1::DeletionSelector& proto) {
    return std::holds_alternative<std::monostate>(FromProto(proto));
  };
  // A later daemon may narrow any selector down.
  for (const DeletionSelector& selector : EverySelector()) {
    v1::DeletionSelector proto;
    ToProto(selector, &proto);
    ASSERT_TRUE(proto.MergeFromString(kLaterField));
    EXPECT_TRUE(selects_nothing(proto)) << proto.DebugString();
  }
  v1::DeletionSelector scope;
  ASSERT_TRUE(scope.mutable_purpose_copies()->mutable_scope()->ParseFromString(kLaterField));
  scope.mutable_purpose_copies()->add_purposes(v1::PURPOSE_ADVERTISING);
  EXPECT_TRUE(selects_nothing(scope)) << "not the whole account";
  scope.mutable_purpose_copies()->mutable_scope()->Clear();
  EXPECT_FALSE(selects_nothing(scope));
  scope.mutable_purpose_copies()->mutable_scope()->set_profile_id("");
  EXPECT_TRUE(selects_nothing(scope));
  scope.mutable_purpose_copies()->clear_scope();
  scope.mutable_purpose_copies()->add_purposes(static_cast<v1::Purpose>(99));
  EXPECT_TRUE(selects_nothing(scope));
  scope.mutable_purpose_copies()->clear_purposes();
  EXPECT_TRUE(selects_nothing(scope));
  // An end that is no time is not an open end.
  v1::DeletionSelector range;
  range.mutable_time_range()->mutable_from()->set_nanos(-1);
  range.mutable_time_range()->mutable_to()->set_seconds(5);
  EXPECT_TRUE(selects_nothing(range));
}

TEST(DeletionOrderTest, SaysWhoAsksAndHowFarThatIsKnown) {
  NewDeletionRequest order;
  order.account_id = AccountId("a");
  order.selector = Everything{};
  order.requester = Actor::kGuardian;
  order.verification = Verification::kUnderWay;
  order.evidence.channel = Channel::kSupport;
  order.request_id = RequestId("id");
  v1::CreateDeletionRequestRequest proto;
  ToProto(order, &proto);
  EXPECT_EQ(proto.account_id(), "a");
  EXPECT_TRUE(proto.selector().everything());
  EXPECT_EQ(proto.requester(), v1::ACTOR_GUARDIAN);
  EXPECT_EQ(proto.verification(), v1::VERIFICATION_UNDER_WAY);
  EXPECT_EQ(proto.evidence().channel(), v1::CHANNEL_SUPPORT);
  EXPECT_EQ(proto.request_id(), "id");
  ToProto(NewDeletionRequest(), &(proto = {}));
  EXPECT_FALSE(proto.has_evidence()) << "none was given";
}

TEST(DeletionOrderTest, StepsCarryTheirParts) {
  v1::VerifyDeletionRequestRequest verify;
  StepToProto(VerifyOrder{DeletionId("d"), true, {}, RequestId("v")}, &verify);
  EXPECT_EQ(verify.deletion_id(), "d");
  EXPECT_TRUE(verify.only_begun());
  EXPECT_EQ(verify.request_id(), "v");
  v1::DenyDeletionRequestRequest deny;
  StepToProto(DenyOrder{DeletionId("d"), "not the owner", {}, RequestId("n")}, &deny);
  EXPECT_EQ(deny.reason(), "not the owner");
  v1::ConfirmReceiptRequest confirm;
  StepToProto(ConfirmReceiptOrder{DeletionId("d"), ReceiptChannel::kLetter, At(4), {}, RequestId("r")}, &confirm);
  EXPECT_EQ(confirm.deletion_id(), "d");
  EXPECT_EQ(confirm.channel(), v1::RECEIPT_CHANNEL_LETTER);
  EXPECT_EQ(confirm.confirmed_at().seconds(), 4);
  EXPECT_EQ(confirm.request_id(), "r");
  StepToProto(ConfirmReceiptOrder(), &(confirm = {}));
  EXPECT_FALSE(confirm.has_confirmed_at()) << "now, by the daemon's clock";
  v1::CancelDeletionRequestRequest cancel;
  CancelOrder order{DeletionId("d"), Etag("e"), {}, RequestId("c")};
  order.evidence.actor = Actor::kSelf;
  StepToProto(order, &cancel);
  EXPECT_EQ(cancel.etag(), "e");
  EXPECT_EQ(cancel.evidence().actor(), v1::ACTOR_SELF);
  v1::ListDeletionRequestsRequest list;
  const std::vector<DeletionCause> causes = {DeletionCause::kRequested, DeletionCause::kRetention};
  ToProto(
      DeletionQuery{
          AccountId("a"), {DeletionState::kAccepted, DeletionState::kInProgress}, At(5), At(6), At(7), causes, 7, "t"},
      &list);
  EXPECT_EQ(list.received_from().seconds(), 6);
  EXPECT_EQ(list.received_before().seconds(), 7);
  EXPECT_EQ(list.causes_size(), 2);
  EXPECT_EQ(list.causes(1), v1::DELETION_CAUSE_RETENTION);
  EXPECT_EQ(list.account_id(), "a");
  EXPECT_EQ(list.states_size(), 2);
  EXPECT_EQ(list.states(1), v1::DELETION_STATE_IN_PROGRESS);
  EXPECT_EQ(list.due_before().seconds(), 5);
  EXPECT_EQ(list.page_size(), 7);
  EXPECT_EQ(list.page_token(), "t");
}

TEST(DeletionRequestTest, IsReadInFull) {
  v1::DeletionRequest proto;
  proto.set_deletion_id("d");
  proto.set_state(v1::DELETION_STATE_IN_PROGRESS);
  proto.set_extended(true);
  proto.set_overdue(true);
  proto.set_on_hold(true);
  proto.set_needs_ids(true);
  proto.set_cause(v1::DELETION_CAUSE_WITHDRAWAL);
  proto.set_requester(v1::ACTOR_AGENT);
  proto.set_regime("eu");
  for (auto* time :
       {proto.mutable_received_at(), proto.mutable_confirm_by(), proto.mutable_due_at(), proto.mutable_verified_at(),
        proto.mutable_ended_at(), proto.mutable_covers()->mutable_to(), proto.mutable_receipt_confirmed_at()}) {
    time->set_seconds(9);
  }
  proto.set_receipt_channel(v1::RECEIPT_CHANNEL_PHONE);
  proto.set_confirmation_overdue(true);
  proto.set_denied_reason("why");
  proto.set_account_id("a");
  proto.mutable_selector()->set_profile_id("p");
  v1::DeletionProgress* part = proto.add_progress();
  part->set_system("audio");
  part->set_outcome(v1::PURGE_OUTCOME_EXEMPT);
  part->set_exempt_reason(v1::EXEMPT_REASON_PUBLIC_HEALTH);
  part->mutable_ended_at()->set_seconds(9);
  part->set_erased_count(3);
  part->set_evidence_hash("hash");
  part->set_reason("kept");
  part->set_leased_before(true);
  proto.set_etag("e");
  proto.set_summary("words");
  const DeletionRequest value = FromProto(proto);
  EXPECT_EQ(value.deletion_id, DeletionId("d"));
  EXPECT_EQ(value.state, DeletionState::kInProgress);
  EXPECT_TRUE(value.extended && value.overdue && value.on_hold && value.needs_ids);
  EXPECT_EQ(value.cause, DeletionCause::kWithdrawal);
  EXPECT_EQ(value.requester, Actor::kAgent);
  EXPECT_EQ(value.regime, "eu");
  for (const auto& time : {value.received_at, value.confirm_by, value.due_at, value.verified_at, value.ended_at,
                           value.covers->to, value.receipt_confirmed_at}) {
    EXPECT_EQ(time, At(9));
  }
  EXPECT_EQ(value.covers->from, std::nullopt);
  EXPECT_EQ(value.receipt_channel, ReceiptChannel::kPhone);
  EXPECT_TRUE(value.confirmation_overdue);
  EXPECT_EQ(value.denied_reason, "why");
  EXPECT_EQ(value.account_id, AccountId("a"));
  EXPECT_EQ(value.selector, DeletionSelector(ProfileId("p")));
  ASSERT_EQ(value.progress.size(), 1u);
  EXPECT_EQ(value.progress[0].outcome, PurgeOutcome::kExempt);
  EXPECT_EQ(value.progress[0].exempt_reason, ExemptReason::kPublicHealth);
  EXPECT_EQ(value.progress[0].erased_count, 3);
  EXPECT_TRUE(value.progress[0].leased_before);
  EXPECT_EQ(value.etag, Etag("e"));
  EXPECT_EQ(value.summary, "words");
}

TEST(DeletionRequestTest, AnUnknownStateIsNoStateAndMissingTimesAreAbsent) {
  v1::DeletionRequest proto;
  proto.set_state(static_cast<v1::DeletionState>(99));
  proto.set_cause(static_cast<v1::DeletionCause>(99));
  proto.add_progress()->set_outcome(static_cast<v1::PurgeOutcome>(99));
  const DeletionRequest value = FromProto(proto);
  EXPECT_EQ(value.state, DeletionState::kUnset);
  EXPECT_EQ(value.cause, DeletionCause::kUnset);
  EXPECT_EQ(value.progress[0].outcome, PurgeOutcome::kUnset) << "not ended";
  EXPECT_EQ(value.receipt_channel, ReceiptChannel::kUnset);
  EXPECT_FALSE(value.receipt_confirmed_at.has_value());
  EXPECT_FALSE(value.received_at.has_value() || value.due_at.has_value() || value.covers.has_value());
}

TEST(DataSystemTest, ARegistrationSaysWhatItIsAndNotWhatBecameOfIt) {
  DataSystem system;
  system.name = "audio";
  system.kind = DataSystemKind::kAudio;
  system.matches_by = {MatchKey::kAccount, MatchKey::kRecordingId};
  system.latest_arrival = std::chrono::hours(24);
  system.checks_on_ingest = true;
  system.state = DataSystemState::kRetired;
  system.registered_at = At(1);
  system.open_tasks = 5;
  v1::DataSystem proto;
  ToProto(system, &proto);
  EXPECT_TRUE(proto.offline_key().empty());
  EXPECT_FALSE(FromProto(proto).offline_key.has_value());
  system.offline_key.emplace().fill(0xcc);
  proto.Clear();
  ToProto(system, &proto);
  EXPECT_EQ(proto.offline_key(), std::string(32, '\xcc'));
  EXPECT_EQ(proto.state(), v1::DATA_SYSTEM_STATE_UNSPECIFIED);
  EXPECT_FALSE(proto.has_registered_at());
  EXPECT_EQ(proto.open_tasks(), 0);
  proto.set_state(v1::DATA_SYSTEM_STATE_ACTIVE);
  proto.mutable_registered_at()->set_seconds(1);
  proto.set_open_tasks(2);
  const DataSystem back = FromProto(proto);
  EXPECT_EQ(back.name, "audio");
  EXPECT_EQ(back.kind, DataSystemKind::kAudio);
  EXPECT_EQ(back.matches_by, system.matches_by);
  EXPECT_EQ(back.latest_arrival, std::chrono::hours(24));
  EXPECT_TRUE(back.checks_on_ingest);
  EXPECT_EQ(back.state, DataSystemState::kActive);
  EXPECT_EQ(back.registered_at, At(1));
  EXPECT_EQ(back.open_tasks, 2);
  EXPECT_EQ(back.offline_key, system.offline_key);
}

TEST(DataSystemTest, ItsRetentionIsSaidAndRead) {
  DataSystem system;
  v1::DataSystem proto;
  ToProto(system, &proto);
  EXPECT_FALSE(proto.has_retention()) << "nothing is promised";
  system.retention.sweep_days = 7;
  ToProto(system, &proto);
  EXPECT_EQ(proto.retention().sweep_days(), 7);
  EXPECT_EQ(FromProto(proto).retention.sweep_days, 7);
  v1::SystemRetention attested;
  ToProto(SystemRetention{"dpo", At(5), 0}, &attested);
  EXPECT_EQ(attested.attested().by(), "dpo");
  EXPECT_EQ(attested.attested().until().seconds(), 5);
  *proto.mutable_retention() = attested;
  proto.set_retention_state(v1::RETENTION_STATE_SWEEP_OVERDUE);
  proto.mutable_retention_due_at()->set_seconds(6);
  proto.mutable_last_whole_sweep_at()->set_seconds(7);
  const DataSystem back = FromProto(proto);
  EXPECT_EQ(back.retention.attested_by, "dpo");
  EXPECT_EQ(back.retention.attested_until, At(5));
  EXPECT_EQ(back.retention_state, RetentionState::kSweepOverdue);
  EXPECT_EQ(back.retention_due_at, At(6));
  EXPECT_EQ(back.last_whole_sweep_at, At(7));
  EXPECT_FALSE(back.last_sweep.has_value());
  proto.set_retention_state(static_cast<v1::RetentionState>(99));
  EXPECT_EQ(FromProto(proto).retention_state, RetentionState::kUnset);
}

TEST(SweepValuesTest, AReportSaysWhatWasFoundAndNotWhatBecomesOfIt) {
  Sweep sweep;
  sweep.started_at = At(1);
  sweep.ended_at = At(2);
  sweep.counts = {3, 4, 5, 6, 7, 8};
  sweep.whole = true;
  sweep.reported_at = At(9);
  EXPECT_EQ(sweep.counts.asked(), 25);
  v1::Sweep proto;
  ToProto(sweep, &proto);
  EXPECT_FALSE(proto.whole() || proto.has_reported_at() || proto.counts().asked() != 0);
  proto.set_whole(true);
  proto.mutable_reported_at()->set_seconds(9);
  v1::DataSystem system;
  *system.mutable_last_sweep() = proto;
  const Sweep back = *FromProto(system).last_sweep;
  EXPECT_EQ(back.started_at, At(1));
  EXPECT_EQ(back.ended_at, At(2));
  EXPECT_EQ(back.reported_at, At(9));
  EXPECT_TRUE(back.whole);
  EXPECT_EQ(back.counts.kept, 3);
  EXPECT_EQ(back.counts.held, 4);
  EXPECT_EQ(back.counts.purged, 5);
  EXPECT_EQ(back.counts.not_found, 6);
  EXPECT_EQ(back.counts.failed, 7);
  EXPECT_EQ(back.counts.unanswered, 8);
}

TEST(ChildrenTest, AreAskedForAndRead) {
  v1::ListChildrenDueRequest request;
  ToProto(ChildrenQuery{AccountId("a"), {ChildDue::kNotice, ChildDue::kPurge}, 5, "t"}, &request);
  EXPECT_EQ(request.account_id(), "a");
  EXPECT_EQ(std::vector<int>(request.due().begin(), request.due().end()),
            (std::vector<int>{v1::CHILD_DUE_NOTICE, v1::CHILD_DUE_PURGE}));
  EXPECT_EQ(request.page_size(), 5);
  EXPECT_EQ(request.page_token(), "t");
  v1::RecordChildNoticeRequest notice;
  ToProto(ChildNotice{AccountId("a"), ProfileId("p"), {}, RequestId("q")}, &notice);
  EXPECT_EQ(notice.account_id() + notice.profile_id() + notice.request_id(), "apq");
  EXPECT_FALSE(notice.has_evidence());
  v1::InactiveChild child;
  child.set_account_id("a");
  child.set_profile_id("p");
  child.set_guardian_id("g");
  child.set_due(v1::CHILD_DUE_ANSWER);
  child.mutable_last_active_at()->set_seconds(1);
  child.mutable_inactive_at()->set_seconds(2);
  child.mutable_notice_at()->set_seconds(3);
  child.mutable_purge_at()->set_seconds(4);
  const InactiveChild back = FromProto(child);
  EXPECT_EQ(back.account_id.value() + back.profile_id.value() + back.guardian.value(), "apg");
  EXPECT_EQ(back.due, ChildDue::kAnswer);
  EXPECT_EQ(back.last_active_at, At(1));
  EXPECT_EQ(back.inactive_at, At(2));
  EXPECT_EQ(back.notice_at, At(3));
  EXPECT_EQ(back.purge_at, At(4));
}

TEST(TaskTest, IsReadInFull) {
  v1::PurgeTask proto;
  proto.set_task_id("d/audio");
  proto.set_epoch(4);
  proto.set_attempt(2);
  proto.set_account_id("a");
  proto.mutable_selector()->mutable_recordings()->add_recording_ids("r");
  proto.mutable_lease_expires_at()->set_seconds(8);
  proto.mutable_due_at()->set_seconds(9);
  proto.set_again(v1::TASK_AGAIN_LATE_DATA);
  const PurgeTask task = FromProto(proto);
  EXPECT_EQ(task.task_id, TaskId("d/audio"));
  EXPECT_EQ(task.epoch, 4);
  EXPECT_EQ(task.attempt, 2);
  EXPECT_EQ(task.account_id, AccountId("a"));
  EXPECT_EQ(task.selector, DeletionSelector(std::vector<RecordingId>{RecordingId("r")}));
  EXPECT_FALSE(task.covers.has_value());
  EXPECT_EQ(task.lease_expires_at, At(8));
  EXPECT_EQ(task.due_at, At(9));
  EXPECT_EQ(task.again, TaskAgain::kLateData);
}

TEST(TaskTest, ReportsCarryWhatTheySay) {
  v1::TaskResult result;
  ToProto(TaskResult{TaskId("t"), 3, PurgeOutcome::kAcknowledged, 12, std::string(32, 'h'), ""}, &result);
  EXPECT_EQ(result.task_id(), "t");
  EXPECT_EQ(result.epoch(), 3);
  EXPECT_EQ(result.outcome(), v1::PURGE_OUTCOME_ACKNOWLEDGED);
  EXPECT_EQ(result.erased_count(), 12);
  EXPECT_EQ(result.evidence_hash().size(), 32u);
  v1::TaskFailure failure;
  ToProto(TaskFailure{TaskId("t"), 3, "exit 1", false, 0, ""}, &failure);
  EXPECT_EQ(failure.error(), "exit 1");
  EXPECT_FALSE(failure.not_begun());
  ToProto(TaskFailure{TaskId("t"), 3, "stopped", true, 0, ""}, &failure);
  EXPECT_TRUE(failure.not_begun());
  v1::TaskStatus status;
  status.set_task_id("t");
  status.set_deletion_id("d");
  status.mutable_leased_until()->set_seconds(1);
  status.set_attempts(2);
  status.set_failures(1);
  status.set_last_error("signal 9");
  status.set_waits_for_release(true);
  const TaskStatus read = FromProto(status);
  EXPECT_EQ(read.deletion_id, DeletionId("d"));
  EXPECT_EQ(read.leased_until, At(1));
  EXPECT_FALSE(read.not_before.has_value());
  EXPECT_EQ(read.failures, 1);
  EXPECT_EQ(read.last_error, "signal 9");
  EXPECT_TRUE(read.waits_for_release);
}

}  // namespace
}  // namespace consent
