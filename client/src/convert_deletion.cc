// Conversions of deletion requests, data systems and tasks.
#include <algorithm>

#include "client/src/convert.h"
#include "consent/names.h"

namespace consent {
namespace {

template <typename Proto, typename Enum>
Proto ProtoNumber(Enum value) {
  return static_cast<Proto>(static_cast<int>(value));
}

DeletionProgress ProgressOf(const v1::DeletionProgress& progress) {
  DeletionProgress value;
  value.system = progress.system();
  value.outcome = FromNumber<PurgeOutcome>(progress.outcome());
  if (progress.has_ended_at()) value.ended_at = FromProto(progress.ended_at());
  value.erased_count = progress.erased_count();
  value.evidence_hash = progress.evidence_hash();
  value.earlier_evidence_hash = progress.earlier_evidence_hash();
  value.reason = progress.reason();
  value.exempt_reason = FromNumber<ExemptReason>(progress.exempt_reason());
  value.leased_before = progress.leased_before();
  return value;
}

SystemRetention RetentionOf(const v1::SystemRetention& retention) {
  SystemRetention value;
  value.attested_by = retention.attested().by();
  if (retention.attested().has_until()) value.attested_until = FromProto(retention.attested().until());
  value.sweep_days = retention.sweep_days();
  return value;
}

Sweep SweepOf(const v1::Sweep& sweep) {
  Sweep value;
  if (sweep.has_started_at()) value.started_at = FromProto(sweep.started_at());
  if (sweep.has_ended_at()) value.ended_at = FromProto(sweep.ended_at());
  const v1::SweepCounts& counts = sweep.counts();
  value.counts = {counts.kept(),      counts.held(),   counts.purged(),
                  counts.not_found(), counts.failed(), counts.unanswered()};
  if (sweep.has_reported_at()) value.reported_at = FromProto(sweep.reported_at());
  value.whole = sweep.whole();
  return value;
}

// Writes the one member of the selector that `kind` is.
struct SelectorWriter {
  v1::DeletionSelector* out;

  void operator()(std::monostate /*none*/) const {}
  void operator()(Everything /*all*/) const { out->set_everything(true); }
  void operator()(const TimeRange& range) const { ToProto(range, out->mutable_time_range()); }
  void operator()(const SpokenDay& day) const {
    v1::SpokenDay* spoken_day = out->mutable_spoken_day();
    if (day.spoken_at.has_value()) ToProto(*day.spoken_at, spoken_day->mutable_spoken_at());
    spoken_day->set_time_zone(day.time_zone);
  }
  void operator()(const std::vector<RecordingId>& recordings) const {
    v1::RecordingIds* list = out->mutable_recordings();
    for (const RecordingId& recording : recordings) list->add_recording_ids(recording.value());
  }
  void operator()(const ProfileId& profile) const { out->set_profile_id(profile.value()); }
  void operator()(const DeviceId& device) const { out->set_device_id(device.value()); }
  void operator()(const PurposeCopies& copies) const {
    v1::PurposeCopies* purpose_copies = out->mutable_purpose_copies();
    for (const Purpose purpose : copies.purposes) purpose_copies->add_purposes(ProtoNumber<v1::Purpose>(purpose));
    if (copies.scope != Scope{}) ToProto(copies.scope, purpose_copies->mutable_scope());
  }
  void operator()(const VoiceIdOf& voice) const { out->set_voice_id_of_profile_id(voice.profile.value()); }
  void operator()(AccountClosure /*closure*/) const { out->set_account_closure(true); }
  void operator()(const Draft& draft) const {
    out->mutable_draft()->set_recording_id(draft.recording.value());
    out->mutable_draft()->set_digest(draft.digest);
  }
};

// None where a purpose or the scope is not known: what is left of them would select something else.
DeletionSelector CopiesOf(const v1::PurposeCopies& copies) {
  PurposeCopies value;
  for (const int purpose : copies.purposes()) {
    value.purposes.push_back(FromNumber<Purpose>(purpose));
    if (value.purposes.back() == Purpose::kUnset) return {};
  }
  value.scope = FromProto(copies.scope());
  const bool scope_lost = copies.scope().kind_case() != v1::Scope::KIND_NOT_SET && value.scope == Scope{};
  if (value.purposes.empty() || scope_lost) return {};
  return value;
}

// A task of which only a part is known is none to delete by.
bool IsUsable(const v1::PurgeTask& task, const PurgeTask& read) {
  const bool covers_lost = task.has_covers() && (!read.covers.has_value() || !IsKnown(task.covers()));
  const bool cause_lost = task.cause() != v1::DELETION_CAUSE_UNSPECIFIED && read.cause == DeletionCause::kUnset;
  return !covers_lost && !cause_lost &&
         std::none_of(read.exceptions.begin(), read.exceptions.end(), [](const HoldSelector& exception) {
           return std::holds_alternative<std::monostate>(exception.scope);
         });
}

// None where what tells it from others is lost.
DeletionSelector DraftOf(const v1::Draft& draft) {
  constexpr size_t kDigestBytes = 32;
  if (draft.recording_id().empty() || draft.digest().size() != kDigestBytes) return {};
  return Draft{RecordingId(draft.recording_id()), draft.digest()};
}

// What a step of a request has beside what all have.
void WriteOwn(const VerifyOrder& order, v1::VerifyDeletionRequestRequest* out) {
  out->set_only_begun(order.only_begun);
}
void WriteOwn(const DenyOrder& order, v1::DenyDeletionRequestRequest* out) { out->set_reason(order.reason); }
void WriteOwn(const ExtendOrder& /*order*/, v1::ExtendDeletionRequestRequest* /*out*/) {}
void WriteOwn(const ConfirmReceiptOrder& order, v1::ConfirmReceiptRequest* out) {
  out->set_channel(ProtoNumber<v1::ReceiptChannel>(order.channel));
  if (order.confirmed_at.has_value()) ToProto(*order.confirmed_at, out->mutable_confirmed_at());
}
void WriteOwn(const ReceiveAppealOrder& order, v1::ReceiveAppealRequest* out) {
  out->set_kind(ProtoNumber<v1::AppealKind>(order.kind));
  if (order.at.has_value()) ToProto(*order.at, out->mutable_at());
}
void WriteOwn(const AcknowledgeAppealOrder& order, v1::AcknowledgeAppealRequest* out) {
  if (order.at.has_value()) ToProto(*order.at, out->mutable_at());
}
void WriteOwn(const AnswerAppealOrder& order, v1::AnswerAppealRequest* out) {
  out->set_outcome(ProtoNumber<v1::AppealOutcome>(order.outcome));
  out->set_answer(order.answer);
  if (order.at.has_value()) ToProto(*order.at, out->mutable_at());
}
void WriteOwn(const CancelOrder& order, v1::CancelDeletionRequestRequest* out) { out->set_etag(order.etag.value()); }

Appeal AppealOf(const v1::Appeal& appeal) {
  Appeal value;
  value.kind = FromNumber<AppealKind>(appeal.kind());
  value.state = FromNumber<AppealState>(appeal.state());
  if (appeal.has_received_at()) value.received_at = FromProto(appeal.received_at());
  if (appeal.has_acknowledge_by()) value.acknowledge_by = FromProto(appeal.acknowledge_by());
  if (appeal.has_acknowledged_at()) value.acknowledged_at = FromProto(appeal.acknowledged_at());
  if (appeal.has_answer_by()) value.answer_by = FromProto(appeal.answer_by());
  if (appeal.has_answered_at()) value.answered_at = FromProto(appeal.answered_at());
  value.outcome = FromNumber<AppealOutcome>(appeal.outcome());
  value.answer = appeal.answer();
  value.acknowledgement_overdue = appeal.acknowledgement_overdue();
  value.answer_overdue = appeal.answer_overdue();
  return value;
}

}  // namespace

void ToProto(const TimeRange& range, v1::TimeRange* out) {
  if (range.from.has_value()) ToProto(*range.from, out->mutable_from());
  if (range.to.has_value()) ToProto(*range.to, out->mutable_to());
}

void ToProto(const DeletionSelector& selector, v1::DeletionSelector* out) { std::visit(SelectorWriter{out}, selector); }

void ToProto(const NewDeletionRequest& order, v1::CreateDeletionRequestRequest* out) {
  out->set_account_id(order.account_id.value());
  ToProto(order.selector, out->mutable_selector());
  out->set_requester(ProtoNumber<v1::Actor>(order.requester));
  out->set_verification(ProtoNumber<v1::Verification>(order.verification));
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

template <typename Order, typename Request>
void StepToProto(const Order& order, Request* out) {
  out->set_deletion_id(order.deletion_id.value());
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
  WriteOwn(order, out);
}
template void StepToProto(const VerifyOrder&, v1::VerifyDeletionRequestRequest*);
template void StepToProto(const DenyOrder&, v1::DenyDeletionRequestRequest*);
template void StepToProto(const ExtendOrder&, v1::ExtendDeletionRequestRequest*);
template void StepToProto(const ConfirmReceiptOrder&, v1::ConfirmReceiptRequest*);
template void StepToProto(const ReceiveAppealOrder&, v1::ReceiveAppealRequest*);
template void StepToProto(const AcknowledgeAppealOrder&, v1::AcknowledgeAppealRequest*);
template void StepToProto(const AnswerAppealOrder&, v1::AnswerAppealRequest*);
template void StepToProto(const CancelOrder&, v1::CancelDeletionRequestRequest*);

void ToProto(const DeletionQuery& query, v1::ListDeletionRequestsRequest* out) {
  out->set_account_id(query.account_id.value());
  for (const DeletionState state : query.states) out->add_states(ProtoNumber<v1::DeletionState>(state));
  if (query.due_before.has_value()) ToProto(*query.due_before, out->mutable_due_before());
  if (query.received_from.has_value()) ToProto(*query.received_from, out->mutable_received_from());
  if (query.received_before.has_value()) ToProto(*query.received_before, out->mutable_received_before());
  for (const DeletionCause cause : query.causes) out->add_causes(ProtoNumber<v1::DeletionCause>(cause));
  out->set_has_open_appeal(query.has_open_appeal);
  out->set_page_size(query.page_size);
  out->set_page_token(query.page_token);
}

void ToProto(const DataSystem& system, v1::DataSystem* out) {
  out->set_name(system.name);
  out->set_kind(ProtoNumber<v1::DataSystemKind>(system.kind));
  for (const MatchKey key : system.matches_by) out->add_matches_by(ProtoNumber<v1::MatchKey>(key));
  out->set_latest_arrival_seconds(system.latest_arrival.count());
  out->set_checks_on_ingest(system.checks_on_ingest);
  if (!system.retention.empty()) ToProto(system.retention, out->mutable_retention());
  if (system.offline_key.has_value()) out->set_offline_key(system.offline_key->data(), system.offline_key->size());
}

void ToProto(const SystemRetention& retention, v1::SystemRetention* out) {
  if (retention.sweep_days != 0) return out->set_sweep_days(retention.sweep_days);
  if (retention.empty()) return;
  out->mutable_attested()->set_by(retention.attested_by);
  if (retention.attested_until.has_value())
    ToProto(*retention.attested_until, out->mutable_attested()->mutable_until());
}

void ToProto(const Sweep& sweep, v1::Sweep* out) {
  if (sweep.started_at.has_value()) ToProto(*sweep.started_at, out->mutable_started_at());
  if (sweep.ended_at.has_value()) ToProto(*sweep.ended_at, out->mutable_ended_at());
  v1::SweepCounts& counts = *out->mutable_counts();
  counts.set_kept(sweep.counts.kept);
  counts.set_held(sweep.counts.held);
  counts.set_purged(sweep.counts.purged);
  counts.set_not_found(sweep.counts.not_found);
  counts.set_failed(sweep.counts.failed);
  counts.set_unanswered(sweep.counts.unanswered);
}

void ToProto(const LeaseOrder& order, v1::LeaseTasksRequest* out) {
  out->set_system(order.system);
  out->set_max_tasks(order.max_tasks);
  out->set_visibility_seconds(static_cast<int32_t>(order.visibility.count()));
  out->set_wait_seconds(static_cast<int32_t>(order.wait.count()));
  for (const DeletionSelectorKind kind : order.accepts) {
    out->add_accepts(ProtoNumber<v1::DeletionSelectorKind>(kind));
  }
  out->set_look_only(order.look_only);
}

void ToProto(const TaskResult& result, v1::TaskResult* out) {
  out->set_task_id(result.task_id.value());
  out->set_epoch(result.epoch);
  out->set_outcome(ProtoNumber<v1::PurgeOutcome>(result.outcome));
  out->set_erased_count(result.erased_count);
  out->set_evidence_hash(result.evidence_hash);
  out->set_reason(result.reason);
  out->set_exempt_reason(ProtoNumber<v1::ExemptReason>(result.exempt_reason));
}

void ToProto(const TaskFailure& failure, v1::TaskFailure* out) {
  out->set_task_id(failure.task_id.value());
  out->set_epoch(failure.epoch);
  out->set_error(failure.error);
  out->set_not_begun(failure.not_begun);
  out->set_erased_count(failure.erased_count);
  out->set_evidence_hash(failure.evidence_hash);
}

void ToProto(const TaskQuery& query, v1::ListTasksRequest* out) {
  out->set_system(query.system);
  out->set_min_failures(query.min_failures);
  out->set_page_size(query.page_size);
  out->set_page_token(query.page_token);
}

void ToProto(const RetryOrder& order, v1::RetryTasksRequest* out) {
  out->set_system(order.system);
  for (const TaskId& task : order.tasks) out->add_task_ids(task.value());
  out->set_min_failures(order.min_failures);
  out->set_page_token(order.page_token);
}

std::optional<TimeRange> FromProto(const v1::TimeRange& range) {
  TimeRange value;
  if (range.has_from()) value.from = FromProto(range.from());
  if (range.has_to()) value.to = FromProto(range.to());
  if (range.has_from() != value.from.has_value() || range.has_to() != value.to.has_value()) return {};
  return value;
}

DeletionSelector FromProto(const v1::DeletionSelector& selector) {
  if (!IsKnown(selector)) return {};
  switch (selector.kind_case()) {
    case v1::DeletionSelector::kEverything:
      // A false here would be nonsense, and nonsense deletes nothing.
      return selector.everything() ? DeletionSelector(Everything{}) : DeletionSelector();
    case v1::DeletionSelector::kTimeRange: {
      const std::optional<TimeRange> range = FromProto(selector.time_range());
      return range.has_value() ? DeletionSelector(*range) : DeletionSelector();
    }
    case v1::DeletionSelector::kSpokenDay: {
      SpokenDay day;
      if (selector.spoken_day().has_spoken_at()) day.spoken_at = FromProto(selector.spoken_day().spoken_at());
      day.time_zone = selector.spoken_day().time_zone();
      return day;
    }
    case v1::DeletionSelector::kRecordings: {
      std::vector<RecordingId> recordings;
      for (const std::string& id : selector.recordings().recording_ids()) recordings.emplace_back(id);
      return recordings;
    }
    case v1::DeletionSelector::kProfileId:
      return ProfileId(selector.profile_id());
    case v1::DeletionSelector::kDeviceId:
      return DeviceId(selector.device_id());
    case v1::DeletionSelector::kPurposeCopies:
      return CopiesOf(selector.purpose_copies());
    case v1::DeletionSelector::kVoiceIdOfProfileId:
      return VoiceIdOf{ProfileId(selector.voice_id_of_profile_id())};
    case v1::DeletionSelector::kAccountClosure:
      return selector.account_closure() ? DeletionSelector(AccountClosure{}) : DeletionSelector();
    case v1::DeletionSelector::kDraft:
      return DraftOf(selector.draft());
    case v1::DeletionSelector::KIND_NOT_SET:
      break;
  }
  return {};
}

DeletionRequest FromProto(const v1::DeletionRequest& request) {
  DeletionRequest value;
  value.deletion_id = DeletionId(request.deletion_id());
  value.state = FromNumber<DeletionState>(request.state());
  value.extended = request.extended();
  value.overdue = request.overdue();
  value.on_hold = request.on_hold();
  value.needs_ids = request.needs_ids();
  value.cause = FromNumber<DeletionCause>(request.cause());
  value.requester = FromNumber<Actor>(request.requester());
  value.regime = request.regime();
  if (request.has_received_at()) value.received_at = FromProto(request.received_at());
  if (request.has_confirm_by()) value.confirm_by = FromProto(request.confirm_by());
  if (request.has_due_at()) value.due_at = FromProto(request.due_at());
  if (request.has_verified_at()) value.verified_at = FromProto(request.verified_at());
  if (request.has_ended_at()) value.ended_at = FromProto(request.ended_at());
  if (request.has_receipt_confirmed_at()) value.receipt_confirmed_at = FromProto(request.receipt_confirmed_at());
  value.receipt_channel = FromNumber<ReceiptChannel>(request.receipt_channel());
  value.confirmation_overdue = request.confirmation_overdue();
  value.denied_reason = request.denied_reason();
  if (request.has_how_to_appeal()) {
    const v1::HowToAppeal& how = request.how_to_appeal();
    value.how_to_appeal = HowToAppeal{how.language(), how.sentence(), how.url()};
  }
  for (const v1::Appeal& appeal : request.appeals()) value.appeals.push_back(AppealOf(appeal));
  if (request.has_covers()) value.covers = FromProto(request.covers());
  value.account_id = AccountId(request.account_id());
  value.selector = FromProto(request.selector());
  for (const v1::DeletionProgress& progress : request.progress()) value.progress.push_back(ProgressOf(progress));
  value.etag = Etag(request.etag());
  value.summary = request.summary();
  return value;
}

DataSystem FromProto(const v1::DataSystem& system) {
  DataSystem value;
  value.name = system.name();
  value.kind = FromNumber<DataSystemKind>(system.kind());
  for (const int key : system.matches_by()) value.matches_by.push_back(FromNumber<MatchKey>(key));
  value.latest_arrival = std::chrono::seconds(system.latest_arrival_seconds());
  value.checks_on_ingest = system.checks_on_ingest();
  value.state = FromNumber<DataSystemState>(system.state());
  if (system.has_registered_at()) value.registered_at = FromProto(system.registered_at());
  if (system.has_retired_at()) value.retired_at = FromProto(system.retired_at());
  value.open_tasks = system.open_tasks();
  value.retention = RetentionOf(system.retention());
  if (system.offline_key().size() == sizeof(*value.offline_key)) {
    value.offline_key.emplace();
    std::copy(system.offline_key().begin(), system.offline_key().end(), value.offline_key->begin());
  }
  value.retention_state = FromNumber<RetentionState>(system.retention_state());
  if (system.has_retention_due_at()) value.retention_due_at = FromProto(system.retention_due_at());
  if (system.has_last_sweep()) value.last_sweep = SweepOf(system.last_sweep());
  if (system.has_last_whole_sweep_at()) value.last_whole_sweep_at = FromProto(system.last_whole_sweep_at());
  return value;
}

PurgeTask FromProto(const v1::PurgeTask& task) {
  PurgeTask value;
  value.task_id = TaskId(task.task_id());
  value.epoch = task.epoch();
  value.attempt = task.attempt();
  if (task.has_lease_expires_at()) value.lease_expires_at = FromProto(task.lease_expires_at());
  value.account_id = AccountId(task.account_id());
  value.selector = FromProto(task.selector());
  if (task.has_covers()) value.covers = FromProto(task.covers());
  if (task.has_due_at()) value.due_at = FromProto(task.due_at());
  value.again = FromNumber<TaskAgain>(task.again());
  if (task.has_looked_at()) value.looked_at = FromProto(task.looked_at());
  for (const v1::HoldSelector& exception : task.exceptions()) value.exceptions.push_back(FromProto(exception));
  value.cause = FromNumber<DeletionCause>(task.cause());
  if (!IsUsable(task, value)) value.selector = {};
  return value;
}

TaskAnswer FromProto(const v1::TaskAnswer& answer) {
  return {answer.accepted(), answer.refused_reason(), answer.refused_message()};
}

TaskStatus FromProto(const v1::TaskStatus& task) {
  TaskStatus value;
  value.task_id = TaskId(task.task_id());
  value.deletion_id = DeletionId(task.deletion_id());
  if (task.has_due_at()) value.due_at = FromProto(task.due_at());
  if (task.has_leased_until()) value.leased_until = FromProto(task.leased_until());
  if (task.has_not_before()) value.not_before = FromProto(task.not_before());
  value.attempts = task.attempts();
  value.failures = task.failures();
  value.last_error = task.last_error();
  value.waits_for_release = task.waits_for_release();
  value.erased_count = task.erased_count();
  value.again = FromNumber<TaskAgain>(task.again());
  value.selector = FromNumber<DeletionSelectorKind>(task.selector());
  return value;
}

}  // namespace consent
