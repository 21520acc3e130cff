// GrpcClient's call that asks how the daemon stands.
#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {
namespace {

using google::protobuf::Timestamp;

std::optional<Time> TimeOf(bool has, const Timestamp& time) { return has ? FromProto(time) : std::nullopt; }

DaemonStatus::InForce PartOf(const v1::PolicyStatus& policy) {
  DaemonStatus::InForce read;
  read.version = policy.version();
  read.hash = policy.hash();
  read.activated_at = TimeOf(policy.has_activated_at(), policy.activated_at());
  read.activation_takes_two = policy.activation_takes_two();
  if (policy.has_waiting()) {
    read.waiting = WaitingPolicy{policy.waiting().version(), policy.waiting().hash(), policy.waiting().why()};
  }
  for (const v1::CalendarEnd& calendar : policy.calendars()) {
    read.calendars.push_back({calendar.regime(), TimeOf(calendar.has_ends_at(), calendar.ends_at())});
  }
  return read;
}

DaemonStatus::Verification PartOf(const v1::VerificationStatus& last) {
  return {TimeOf(last.has_reported_at(), last.reported_at()),
          last.yeses(),
          last.yes_after_no(),
          last.not_given(),
          last.not_checkable(),
          last.log_problems(),
          TimeOf(last.has_last_wrong_at(), last.last_wrong_at())};
}

DaemonStatus::Certificates PartOf(const v1::CertificateStatus& tls) {
  return {TimeOf(tls.has_server_ends_at(), tls.server_ends_at()),
          TimeOf(tls.has_client_ca_ends_at(), tls.client_ca_ends_at()), TimeOf(tls.has_read_at(), tls.read_at()),
          tls.refused_reloads()};
}

DaemonStatus::Requests PartOf(const v1::RequestsStatus& requests) {
  return {requests.open(),
          TimeOf(requests.has_oldest_at(), requests.oldest_at()),
          requests.overdue(),
          requests.due_in_7_days(),
          requests.due_in_30_days(),
          requests.receipts_overdue(),
          requests.receipts_due_in_3_days()};
}

DaemonStatus::System PartOf(const v1::SystemStatus& system) {
  return {system.name(),
          system.open_tasks(),
          system.stuck_tasks(),
          TimeOf(system.has_oldest_task_at(), system.oldest_task_at()),
          TimeOf(system.has_worker_seen_at(), system.worker_seen_at()),
          FromNumber<RetentionState>(system.retention()),
          TimeOf(system.has_retention_due_at(), system.retention_due_at()),
          system.sweep_failed()};
}

DaemonStatus::Holds PartOf(const v1::HoldsStatus& holds) {
  DaemonStatus::Holds read{holds.in_force(), TimeOf(holds.has_oldest_at(), holds.oldest_at()), std::nullopt};
  if (holds.has_past_review()) read.past_review = holds.past_review();
  return read;
}

DaemonStatus::Erasure PartOf(const v1::ErasureStatus& erasure) {
  return {erasure.keys_waiting(), TimeOf(erasure.has_oldest_key_at(), erasure.oldest_key_at()), erasure.bytes_waiting(),
          TimeOf(erasure.has_oldest_bytes_at(), erasure.oldest_bytes_at())};
}

void ReadService(const v1::GetStatusResponse& response, DaemonStatus* status) {
  status->read_at = TimeOf(response.has_read_at(), response.read_at());
  status->version = response.version();
  status->started_at = TimeOf(response.has_started_at(), response.started_at());
  status->policy = PartOf(response.policy());
  for (const v1::Suspension& one : response.suspensions()) status->suspensions.push_back(FromProto(one));
  status->clock = FromProto(response.clock());
  const v1::IndexStatus& index = response.index();
  status->index = {index.subjects(), index.max_subjects(), index.complete()};
  const v1::StoreStatus& store = response.store();
  status->store = {store.commits_waiting(), store.writes_stopped(), store.background_errors(), store.table_bytes()};
  for (const v1::DiskStatus& disk : response.disks()) {
    status->disks.push_back({disk.folder(), disk.free_bytes(), disk.size_bytes(), std::nullopt});
    if (disk.has_free_inodes()) status->disks.back().free_inodes = disk.free_inodes();
  }
  const v1::DecisionLogStatus& log = response.decision_log();
  status->decision_log = {log.on(), log.writing(), log.missing_records(), log.records(), log.refused_records()};
  if (response.has_verification()) status->verification = PartOf(response.verification());
  if (response.has_certificates()) status->certificates = PartOf(response.certificates());
  if (response.has_callers()) {
    const v1::CallersStatus& callers = response.callers();
    status->callers = {TimeOf(callers.has_read_at(), callers.read_at()), callers.refused_reloads()};
  }
}

}  // namespace

absl::StatusOr<DaemonStatus> GrpcClient::GetStatus(const CallOptions& options) {
  v1::GetStatusResponse response;
  const absl::Status called =
      Call(options, true, *status_, &v1::StatusService::Stub::GetStatus, v1::GetStatusRequest(), &response);
  if (!called.ok()) return called;
  DaemonStatus status;
  ReadService(response, &status);
  status.requests = PartOf(response.requests());
  const v1::AppealsStatus& appeals = response.appeals();
  status.appeals = {appeals.open(), appeals.acknowledgements_overdue(), appeals.answers_overdue()};
  for (const v1::SystemStatus& system : response.systems()) status.systems.push_back(PartOf(system));
  status.holds = PartOf(response.holds());
  const v1::ChildrenStatus& children = response.children();
  status.children = {children.profiles(), children.unguarded(), children.notice_due(), children.purge_due()};
  status.erasure = PartOf(response.erasure());
  if (response.has_approvals_open()) status.approvals_open = response.approvals_open();
  if (response.has_safety()) {
    const v1::SafetyStatus& safety = response.safety();
    status.safety = {safety.open(), TimeOf(safety.has_oldest_at(), safety.oldest_at()), safety.unacknowledged_overdue(),
                     safety.unhandled_overdue()};
  }
  return status;
}

}  // namespace consent
