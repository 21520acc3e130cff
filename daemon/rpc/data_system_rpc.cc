#include "daemon/rpc/data_system_rpc.h"

#include <utility>

#include "daemon/wire/fields.h"
#include "daemon/wire/purge.h"

namespace consent::rpc {
namespace {

service::SystemRetention RetentionOf(wire::RetentionInput input) {
  return {static_cast<service::SystemRetentionKind>(input.kind), std::move(input.attested_by), input.attested_until,
          input.sweep_days};
}

service::Sweep SweepOf(const wire::SweepInput& input) {
  service::Sweep sweep;
  sweep.started_at = input.started_at;
  sweep.ended_at = input.ended_at;
  sweep.counts = {0, input.kept, input.held, input.purged, input.not_found, input.failed, input.unanswered};
  sweep.counts.asked = input.kept + input.held + input.purged + input.not_found + input.failed;
  return sweep;
}

void WriteRetention(const service::SystemRetention& retention, v1::DataSystem* out) {
  switch (retention.kind) {
    case service::SystemRetentionKind::kAttested:
      out->mutable_retention()->mutable_attested()->set_by(retention.attested_by);
      wire::WriteTimestamp(retention.attested_until, out->mutable_retention()->mutable_attested()->mutable_until());
      break;
    case service::SystemRetentionKind::kSwept:
      out->mutable_retention()->set_sweep_days(retention.sweep_days);
      break;
    case service::SystemRetentionKind::kNone:
      break;
  }
}

void WriteSweep(const service::Sweep& sweep, v1::Sweep* out) {
  wire::WriteTimestamp(sweep.started_at, out->mutable_started_at());
  wire::WriteTimestamp(sweep.ended_at, out->mutable_ended_at());
  wire::WriteTimestamp(sweep.reported_at, out->mutable_reported_at());
  out->set_whole(sweep.IsWhole());
  v1::SweepCounts& counts = *out->mutable_counts();
  counts.set_asked(static_cast<int64_t>(sweep.counts.asked));
  counts.set_kept(static_cast<int64_t>(sweep.counts.kept));
  counts.set_held(static_cast<int64_t>(sweep.counts.held));
  counts.set_purged(static_cast<int64_t>(sweep.counts.purged));
  counts.set_not_found(static_cast<int64_t>(sweep.counts.not_found));
  counts.set_failed(static_cast<int64_t>(sweep.counts.failed));
  counts.set_unanswered(static_cast<int64_t>(sweep.counts.unanswered));
}

}  // namespace

DataSystemRpc::DataSystemRpc(const service::Core& core, service::DataSystems& systems, service::Sweeps& sweeps,
                             service::TaskQueue& queue, const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), systems_(systems), sweeps_(sweeps), queue_(queue) {
  Serve<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse>("RegisterDataSystem",
                                                                       [this](const auto& call) { Register(call); });
  Serve<v1::SetSystemRetentionRequest, v1::SetSystemRetentionResponse>(
      "SetSystemRetention", [this](const auto& call) { SetRetention(call); });
  Serve<v1::ReportSweepRequest, v1::ReportSweepResponse>("ReportSweep", [this](const auto& call) { Report(call); });
  Serve<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse>("RetireDataSystem",
                                                                   [this](const auto& call) { Retire(call); });
  Serve<v1::ListDataSystemsRequest, v1::ListDataSystemsResponse>("ListDataSystems",
                                                                 [this](const auto& call) { List(call); });
}

void DataSystemRpc::Write(const service::SystemRow& row, v1::DataSystem* out) const {
  out->set_name(row.name);
  out->set_kind(static_cast<v1::DataSystemKind>(row.kind));
  for (int key = v1::MatchKey_MIN + 1; key <= v1::MatchKey_MAX; ++key) {
    if ((row.matches_by >> (key - 1) & 1) != 0) out->add_matches_by(static_cast<v1::MatchKey>(key));
  }
  out->set_latest_arrival_seconds(row.latest_arrival.micros / base::Seconds(1).micros);
  out->set_checks_on_ingest(row.checks_on_ingest);
  if (row.offline_key.has_value()) out->set_offline_key(std::string(base::View(row.offline_key->bytes())));
  out->set_state(row.IsActive() ? v1::DATA_SYSTEM_STATE_ACTIVE : v1::DATA_SYSTEM_STATE_RETIRED);
  wire::WriteTimestamp(row.registered_at, out->mutable_registered_at());
  if (row.retired_at.IsSet()) wire::WriteTimestamp(row.retired_at, out->mutable_retired_at());
  out->set_open_tasks(queue_.counts(row.number).open);
  const service::RetentionView view = sweeps_.Of(row);
  WriteRetention(view.row.retention, out);
  out->set_retention_state(static_cast<v1::RetentionState>(view.state));
  if (view.due.IsSet()) wire::WriteTimestamp(view.due, out->mutable_retention_due_at());
  if (view.row.last.started_at.IsSet()) WriteSweep(view.row.last, out->mutable_last_sweep());
  if (view.row.last_whole_at.IsSet()) wire::WriteTimestamp(view.row.last_whole_at, out->mutable_last_whole_sweep_at());
}

absl::Status DataSystemRpc::Write(const absl::StatusOr<service::SystemRow>& row, v1::DataSystem* out) const {
  if (row.ok()) Write(*row, out);
  return row.status();
}

void DataSystemRpc::Register(const CallPtr<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse>& call) {
  auto input = wire::ReadRegisterSystem(call->request(), core_.Now());
  if (!input.ok()) return call->Finish(input.status());
  service::SystemRow row;
  row.name = std::move(input->name);
  row.kind = input->kind;
  row.matches_by = input->matches_by;
  row.latest_arrival = input->latest_arrival;
  row.checks_on_ingest = input->checks_on_ingest;
  row.offline_key = input->offline_key;
  FinishOnPool(dependencies_, call,
               [this, call, row = std::move(row), retention = RetentionOf(std::move(input->retention))] {
                 return Write(systems_.Register(row, retention, call->caller()), call->response()->mutable_system());
               });
}

void DataSystemRpc::SetRetention(const CallPtr<v1::SetSystemRetentionRequest, v1::SetSystemRetentionResponse>& call) {
  auto input = wire::ReadSetRetention(call->request(), core_.Now());
  if (!input.ok()) return call->Finish(input.status());
  FinishOnPool(
      dependencies_, call, [this, call, name = input->system, retention = RetentionOf(std::move(input->retention))] {
        return Write(sweeps_.SetRetention(name, retention, call->caller()), call->response()->mutable_system());
      });
}

void DataSystemRpc::Report(const CallPtr<v1::ReportSweepRequest, v1::ReportSweepResponse>& call) {
  const auto input = wire::ReadReportSweep(call->request());
  if (!input.ok()) return call->Finish(input.status());
  FinishOnPool(dependencies_, call, [this, call, name = input->system, sweep = SweepOf(*input)] {
    return Write(sweeps_.Report(name, sweep, call->caller()), call->response()->mutable_system());
  });
}

void DataSystemRpc::Retire(const CallPtr<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse>& call) {
  auto input = wire::ReadRetireSystem(call->request());
  if (!input.ok()) return call->Finish(input.status());
  FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)] {
    return Write(systems_.Retire(input.name, input.reason, call->caller()), call->response()->mutable_system());
  });
}

void DataSystemRpc::List(const CallPtr<v1::ListDataSystemsRequest, v1::ListDataSystemsResponse>& call) {
  for (const service::SystemRow& row : systems_.List()) {
    if (call->peer().WorksFor(row.name)) Write(row, call->response()->add_systems());
  }
  call->Finish(absl::OkStatus());
}

}  // namespace consent::rpc
