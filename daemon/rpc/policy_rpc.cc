#include "daemon/rpc/policy_rpc.h"

#include <utility>

#include "daemon/service/registry/confirm_clock.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/policy.h"

namespace consent::rpc {
namespace {

absl::Status WriteView(const absl::StatusOr<service::SuspensionView>& view, v1::Suspension* out) {
  if (view.ok()) wire::WriteSuspension(view->suspension, view->reason, view->etag, out);
  return view.status();
}

}  // namespace

PolicyRpc::PolicyRpc(service::Core& core, service::PolicyAdmin& admin, const RpcDependencies& dependencies)
    : core_(core),
      admin_(admin),
      dependencies_(dependencies),
      get_(Method::Named("consent.v1.PolicyService.GetPolicy")),
      suspend_(Method::Named("consent.v1.PolicyService.Suspend")),
      resume_(Method::Named("consent.v1.PolicyService.Resume")),
      get_clock_(Method::Named("consent.v1.PolicyService.GetClock")),
      confirm_clock_(Method::Named("consent.v1.PolicyService.ConfirmClock")) {}

grpc::ServerUnaryReactor* PolicyRpc::GetPolicy(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::GetPolicyRequest, v1::GetPolicyResponse>(dependencies_, get_, context, in, out, [this](auto call) {
    auto version = wire::ReadGetPolicy(call->request());
    if (!version.ok()) return call->Finish(version.status());
    FinishOnPool(dependencies_, call, [this, call, version = *std::move(version)]() -> absl::Status {
      const auto view = admin_.Get(version);
      if (!view.ok()) return view.status();
      v1::GetPolicyResponse* response = call->response();
      *response->mutable_policy() = view->document->policy();
      response->set_hash(view->document->hash().data(), view->document->hash().size());
      wire::WriteTimestamp(view->activated_at, response->mutable_activated_at());
      for (const auto& one : view->suspensions) {
        wire::WriteSuspension(one.suspension, one.reason, one.etag, response->add_suspensions());
      }
      response->set_current(view->current);
      response->set_store_id(std::string(base::View(core_.store.store_id())));
      return absl::OkStatus();
    });
  });
}

grpc::ServerUnaryReactor* PolicyRpc::Suspend(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::SuspendRequest, v1::SuspendResponse>(dependencies_, suspend_, context, in, out, [this](auto call) {
    auto input = wire::ReadSuspend(call->request());
    if (!input.ok()) return call->Finish(input.status());
    RunOnPool(dependencies_, call, [this, call, input = *std::move(input)] {
      call->Finish(WriteView(admin_.Suspend(input.purpose, input.region, input.reason, AwaitedBy(call)),
                             call->response()->mutable_suspension()));
    });
  });
}

grpc::ServerUnaryReactor* PolicyRpc::Resume(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ResumeRequest, v1::ResumeResponse>(dependencies_, resume_, context, in, out, [this](auto call) {
    auto input = wire::ReadResume(call->request());
    if (!input.ok()) return call->Finish(input.status());
    FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)] {
      return WriteView(admin_.Resume(input.purpose, input.region, input.reason, input.etag),
                       call->response()->mutable_suspension());
    });
  });
}

grpc::ServerUnaryReactor* PolicyRpc::GetClock(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::GetClockRequest, v1::GetClockResponse>(
      dependencies_, get_clock_, context, in, out, [this](auto call) {
        const absl::Status read = wire::ReadGetClock(call->request());
        if (read.ok()) wire::WriteClock(core_.time.Look(), call->response()->mutable_clock());
        call->Finish(read);
      });
}

grpc::ServerUnaryReactor* PolicyRpc::ConfirmClock(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ConfirmClockRequest, v1::ConfirmClockResponse>(
      dependencies_, confirm_clock_, context, in, out, [this](auto call) {
        const auto stated = wire::ReadConfirmClock(call->request());
        if (!stated.ok()) return call->Finish(stated.status());
        FinishOnPool(dependencies_, call, [this, call, stated = *stated]() -> absl::Status {
          const auto clock = service::ConfirmClock(core_, stated);
          if (clock.ok()) wire::WriteClock(*clock, call->response()->mutable_clock());
          return clock.status();
        });
      });
}

}  // namespace consent::rpc
