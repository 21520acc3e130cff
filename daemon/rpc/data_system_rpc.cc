#include "daemon/rpc/data_system_rpc.h"

#include <utility>

#include "daemon/wire/deletion.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/purge.h"

namespace consent::rpc {

DataSystemRpc::DataSystemRpc(service::DataSystems& systems, service::TaskQueue& queue,
                             const RpcDependencies& dependencies)
    : systems_(systems),
      queue_(queue),
      dependencies_(dependencies),
      register_(Method::Named("consent.v1.DataSystemService.RegisterDataSystem")),
      retire_(Method::Named("consent.v1.DataSystemService.RetireDataSystem")),
      list_(Method::Named("consent.v1.DataSystemService.ListDataSystems")) {}

void DataSystemRpc::Write(const service::SystemRow& row, v1::DataSystem* out) const {
  out->set_name(row.name);
  out->set_kind(static_cast<v1::DataSystemKind>(row.kind));
  for (int key = v1::MatchKey_MIN + 1; key <= v1::MatchKey_MAX; ++key) {
    if ((row.matches_by >> (key - 1) & 1) != 0) out->add_matches_by(static_cast<v1::MatchKey>(key));
  }
  out->set_latest_arrival_seconds(row.latest_arrival.micros / base::Seconds(1).micros);
  out->set_checks_on_ingest(row.checks_on_ingest);
  out->set_state(row.IsActive() ? v1::DATA_SYSTEM_STATE_ACTIVE : v1::DATA_SYSTEM_STATE_RETIRED);
  wire::WriteTimestamp(row.registered_at, out->mutable_registered_at());
  if (row.retired_at.IsSet()) wire::WriteTimestamp(row.retired_at, out->mutable_retired_at());
  out->set_open_tasks(queue_.counts(row.number).open);
}

grpc::ServerUnaryReactor* DataSystemRpc::RegisterDataSystem(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse>(
      dependencies_, register_, context, in, out, [this](auto call) {
        auto input = wire::ReadRegisterSystem(call->request());
        if (!input.ok()) return call->Finish(input.status());
        service::SystemRow row;
        row.name = std::move(input->name);
        row.kind = input->kind;
        row.matches_by = input->matches_by;
        row.latest_arrival = input->latest_arrival;
        row.checks_on_ingest = input->checks_on_ingest;
        FinishOnPool(dependencies_, call, [this, call, row = std::move(row)]() -> absl::Status {
          const auto registered = systems_.Register(row);
          if (registered.ok()) Write(*registered, call->response()->mutable_system());
          return registered.status();
        });
      });
}

grpc::ServerUnaryReactor* DataSystemRpc::RetireDataSystem(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse>(
      dependencies_, retire_, context, in, out, [this](auto call) {
        auto input = wire::ReadRetireSystem(call->request());
        if (!input.ok()) return call->Finish(input.status());
        FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)]() -> absl::Status {
          const auto retired = systems_.Retire(input.name, input.reason);
          if (retired.ok()) Write(*retired, call->response()->mutable_system());
          return retired.status();
        });
      });
}

grpc::ServerUnaryReactor* DataSystemRpc::ListDataSystems(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListDataSystemsRequest, v1::ListDataSystemsResponse>(
      dependencies_, list_, context, in, out, [this](auto call) {
        for (const service::SystemRow& row : systems_.List()) {
          if (call->peer().WorksFor(row.name)) Write(row, call->response()->add_systems());
        }
        call->Finish(absl::OkStatus());
      });
}

}  // namespace consent::rpc
