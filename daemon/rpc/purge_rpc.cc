#include "daemon/rpc/purge_rpc.h"

#include <algorithm>
#include <utility>

#include "daemon/rpc/listing.h"
#include "daemon/wire/deletion.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"

namespace consent::rpc {
namespace {

service::TaskReport ToReport(service::DeletionPlace place, const wire::ReportInput& input) {
  service::TaskReport report;
  report.place = place;
  report.epoch = input.epoch;
  report.outcome = input.outcome;
  report.erased_count = input.erased_count;
  report.evidence = input.evidence;
  report.reason = input.text;
  report.exempt = input.exempt;
  return report;
}

service::TaskFailure ToFailure(const wire::ReportInput& input) {
  return {input.epoch, input.text, input.not_begun, input.erased_count, input.evidence};
}

v1::LeaseState StateOf(service::Renewal::State state) {
  switch (state) {
    case service::Renewal::State::kRenewed:
      return v1::LEASE_STATE_RENEWED;
    case service::Renewal::State::kTakenBack:
      return v1::LEASE_STATE_TAKEN_BACK;
    case service::Renewal::State::kDone:
      return v1::LEASE_STATE_DONE;
    case service::Renewal::State::kLost:
      break;
  }
  return v1::LEASE_STATE_LOST;
}

// `look_only`: it was not handed out, and has the row of before.
void Write(const service::SystemRow& system, const service::LeasedTask& task, bool look_only, v1::PurgeTask* out) {
  out->set_task_id(wire::TaskIdText(task.request.id, system.name));
  out->set_attempt(static_cast<int32_t>(std::min<uint64_t>(task.row.epoch + (look_only ? 1 : 0), INT32_MAX)));
  if (!look_only) {
    out->set_epoch(static_cast<int64_t>(task.row.epoch));
    wire::WriteTimestamp(task.row.leased_until, out->mutable_lease_expires_at());
  }
  out->set_account_id(task.payload.account_id);
  out->mutable_selector()->ParseFromString(task.payload.selector);
  if (wire::HasCovers(task.request.selector)) wire::WriteCovers(task.request.selector, out->mutable_covers());
  if (wire::IsTime(task.request.due_at)) wire::WriteTimestamp(task.request.due_at, out->mutable_due_at());
  out->set_again(static_cast<v1::TaskAgain>(task.row.again));
  if (task.row.looked_at.IsSet()) wire::WriteTimestamp(task.row.looked_at, out->mutable_looked_at());
  out->set_cause(static_cast<v1::DeletionCause>(task.request.cause));
  for (const std::string& exception : task.exceptions) out->add_exceptions()->ParseFromString(exception);
}

service::Accepts AcceptsOf(const wire::LeaseInput& input) {
  service::Accepts accepts = input.accepts.empty() ? service::kAcceptsUnsaid : service::Accepts{0};
  for (const domain::SelectorKind kind : input.accepts) {
    accepts = static_cast<service::Accepts>(accepts | service::AcceptsOf(kind));
  }
  return accepts;
}

}  // namespace

PurgeRpc::PurgeRpc(service::Core& core, service::PurgeTasks& tasks, service::DataSystems& systems,
                   service::TaskQueue& queue, const RpcDependencies& dependencies)
    : core_(core),
      tasks_(tasks),
      systems_(systems),
      queue_(queue),
      dependencies_(dependencies),
      lease_(Method::Named("consent.v1.PurgeService.LeaseTasks")),
      complete_(Method::Named("consent.v1.PurgeService.CompleteTasks")),
      fail_(Method::Named("consent.v1.PurgeService.FailTasks")),
      renew_(Method::Named("consent.v1.PurgeService.RenewTasks")),
      list_(Method::Named("consent.v1.PurgeService.ListTasks")),
      retry_(Method::Named("consent.v1.PurgeService.RetryTasks")) {}

void PurgeRpc::LeaseNow(const LeaseCall& call, const std::shared_ptr<const Patience>& patience) {
  // It may have waited, and been taken out of the callers' file meanwhile.
  if (const absl::Status may = call->AuthorizeAgain(patience->system.name); !may.ok()) return call->Finish(may);
  const service::SystemRow& system = patience->system;
  const wire::LeaseInput& input = patience->input;
  const auto leased = input.look_only ? tasks_.Look(system, input.max_tasks, patience->accepts)
                                      : tasks_.Lease(system, input.max_tasks, input.visibility, patience->accepts);
  if (!leased.ok()) return call->Finish(leased.status());
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(patience->until - std::chrono::steady_clock::now());
  if (leased->empty() && left.count() > 0 && dependencies_.admission.ready() && !call->IsCancelled() &&
      queue_.Wait(
          system.number, left, [this, call, patience] { Lease(call, patience); }, patience->accepts)) {
    return;
  }
  for (const service::LeasedTask& task : *leased) {
    Write(system, task, input.look_only, call->response()->add_tasks());
  }
  call->response()->set_open_tasks(queue_.counts(system.number).open);
  call->Finish(absl::OkStatus());
}

void PurgeRpc::Lease(const LeaseCall& call, std::shared_ptr<const Patience> patience) {
  RunOnPoolIfAwaited(dependencies_, call, [this, call, patience = std::move(patience)] { LeaseNow(call, patience); });
}

grpc::ServerUnaryReactor* PurgeRpc::LeaseTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::LeaseTasksRequest, v1::LeaseTasksResponse>(
      dependencies_, lease_, context, in, out, [this](auto call) {
        auto input = wire::ReadLeaseTasks(call->request());
        if (!input.ok()) return call->Finish(input.status());
        auto system = systems_.Find(input->system);
        if (!system.ok()) return call->Finish(system.status());
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(input->wait.micros);
        if (input->wait.micros > 0) call->NoteRequestedWait();
        const service::Accepts accepts = AcceptsOf(*input);
        Lease(call, std::make_shared<const Patience>(Patience{*std::move(system), *std::move(input), until, accepts}));
      });
}

grpc::ServerUnaryReactor* PurgeRpc::CompleteTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::CompleteTasksRequest, v1::CompleteTasksResponse>(
      dependencies_, complete_, context, in, out, [this](auto call) {
        auto input = wire::ReadCompleteTasks(call->request());
        if (!input.ok()) {
          // Nothing of it names a task for sure, so none fails by it; it is counted all the same.
          if (const auto system = systems_.Find(call->request().system()); system.ok()) {
            queue_.CountRefused(system->number, wire::ReasonName(wire::DetailOf(input.status()).reason));
          }
          return call->Finish(input.status());
        }
        FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)]() -> absl::Status {
          const auto system = systems_.Find(input.system);
          if (!system.ok()) return system.status();
          std::vector<service::TaskReport> reports;
          std::vector<absl::Status> unknown;  // of those that name no task, or say what cannot be taken
          for (const wire::ReportInput& report : input.reports) {
            const auto place = tasks_.Find(report.deletion);
            unknown.push_back(!place.ok() || report.refused.ok() ? place.status() : Refuse(*system, *place, report));
            if (unknown.back().ok()) reports.push_back(ToReport(*place, report));
          }
          const std::vector<absl::Status> ended = tasks_.End(*system, reports);
          auto next = ended.begin();
          for (const absl::Status& status : unknown) {
            const absl::Status& answer = status.ok() ? *next++ : status;
            if (!answer.ok()) queue_.CountRefused(system->number, wire::ReasonName(wire::DetailOf(answer).reason));
            wire::WriteTaskAnswer(answer, call->response()->add_answers());
          }
          return absl::OkStatus();
        });
      });
}

absl::Status PurgeRpc::Refuse(const service::SystemRow& system, service::DeletionPlace place,
                              const wire::ReportInput& report) {
  service::TaskFailure failure;
  failure.epoch = report.epoch;
  failure.error = "REPORT_REFUSED: " + wire::ReasonName(wire::DetailOf(report.refused).reason);
  const absl::Status failed = tasks_.Fail(system, place, failure);
  return failed.ok() ? report.refused : failed;
}

grpc::ServerUnaryReactor* PurgeRpc::RenewTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::RenewTasksRequest, v1::RenewTasksResponse>(
      dependencies_, renew_, context, in, out, [this](auto call) {
        auto input = wire::ReadRenewTasks(call->request());
        if (!input.ok()) return call->Finish(input.status());
        FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)]() -> absl::Status {
          const auto system = systems_.Find(input.system);
          if (!system.ok()) return system.status();
          for (const wire::ReportInput& lease : input.leases) {
            const auto place = tasks_.Find(lease.deletion);
            absl::StatusOr<service::Renewal> renewal = service::Renewal{};  // of a task that there is not: it is lost
            if (place.ok()) renewal = tasks_.Renew(*system, *place, lease.epoch, input.visibility);
            if (!place.ok() && !absl::IsNotFound(place.status())) renewal = place.status();
            if (!renewal.ok()) return renewal.status();
            v1::TaskRenewal& answer = *call->response()->add_renewals();
            answer.set_state(StateOf(renewal->state));
            if (!renewal->until.IsSet()) continue;
            wire::WriteTimestamp(renewal->until, answer.mutable_lease_expires_at());
            answer.set_held_milliseconds(std::max<int64_t>((renewal->until - core_.Now()).micros / 1'000, 0));
          }
          return absl::OkStatus();
        });
      });
}

grpc::ServerUnaryReactor* PurgeRpc::FailTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::FailTasksRequest, v1::FailTasksResponse>(dependencies_, fail_, context, in, out, [this](auto call) {
    auto input = wire::ReadFailTasks(call->request());
    if (!input.ok()) return call->Finish(input.status());
    FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)]() -> absl::Status {
      const auto system = systems_.Find(input.system);
      if (!system.ok()) return system.status();
      for (const wire::ReportInput& report : input.reports) {
        const auto place = tasks_.Find(report.deletion);
        const absl::Status failed = place.ok() ? tasks_.Fail(*system, *place, ToFailure(report)) : place.status();
        wire::WriteTaskAnswer(failed, call->response()->add_answers());
      }
      return absl::OkStatus();
    });
  });
}

grpc::ServerUnaryReactor* PurgeRpc::ListTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListTasksRequest, v1::ListTasksResponse>(dependencies_, list_, context, in, out, [this](auto call) {
    auto query = wire::ReadListTasks(call->request());
    if (!query.ok()) return call->Finish(query.status());
    const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
    if (!from.ok()) return call->Finish(from.status());
    FinishOnPool(dependencies_, call, [this, call, query = *std::move(query), from = *from]() -> absl::Status {
      const auto system = systems_.Find(query.system);
      if (!system.ok()) return system.status();
      const auto page = tasks_.List(*system, query.min_failures, static_cast<size_t>(query.page_size),
                                    {from.partition, from.position});
      if (!page.ok()) return page.status();
      for (const service::OpenTask& task : page->tasks) {
        v1::TaskStatus& status = *call->response()->add_tasks();
        status.set_task_id(wire::TaskIdText(task.request.id, system->name));
        status.set_deletion_id(base::IdText(task.request.id));
        if (wire::IsTime(task.request.due_at)) wire::WriteTimestamp(task.request.due_at, status.mutable_due_at());
        if (task.waits && task.row.leased_until.IsSet()) {
          wire::WriteTimestamp(task.row.leased_until, status.mutable_leased_until());
        }
        if (task.waits && task.row.not_before.IsSet()) {
          wire::WriteTimestamp(task.row.not_before, status.mutable_not_before());
        }
        status.set_attempts(static_cast<int32_t>(std::min<uint64_t>(task.row.epoch, INT32_MAX)));
        status.set_failures(static_cast<int32_t>(std::min<uint32_t>(task.row.failures, INT32_MAX)));
        status.set_last_error(task.row.last_error);
        status.set_waits_for_release(task.row.waits_for_release);
        status.set_erased_count(static_cast<int64_t>(task.row.erased_count));
        status.set_again(static_cast<v1::TaskAgain>(task.row.again));
        status.set_selector(static_cast<v1::DeletionSelectorKind>(task.request.selector.kind));
      }
      if (page->next.has_value()) {
        const service::PageToken next{page->next->partition, page->next->number};
        call->response()->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
      }
      return absl::OkStatus();
    });
  });
}

grpc::ServerUnaryReactor* PurgeRpc::RetryTasks(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::RetryTasksRequest, v1::RetryTasksResponse>(
      dependencies_, retry_, context, in, out, [this](auto call) {
        auto input = wire::ReadRetryTasks(call->request());
        if (!input.ok()) return call->Finish(input.status());
        const auto from = ReadPageToken(core_.tokens, input->page_token, call->request());
        if (!from.ok()) return call->Finish(from.status());
        FinishOnPool(dependencies_, call, [this, call, input = *std::move(input), from = *from] {
          return Retry(input, from, call->request(), call->caller().identity, call->response());
        });
      });
}

absl::Status PurgeRpc::Retry(const wire::RetryInput& input, const service::PageToken& from,
                             const v1::RetryTasksRequest& request, const std::string& caller,
                             v1::RetryTasksResponse* out) {
  const auto system = systems_.Find(input.system);
  if (!system.ok()) return system.status();
  std::vector<service::DeletionPlace> places;
  std::vector<int> answered;  // at which place of the answer
  for (const std::string& task_id : input.task_ids) {
    v1::TaskRetry& answer = *out->add_tasks();
    answer.set_task_id(task_id);
    answer.set_state(v1::RETRY_STATE_NOT_FOUND);
    const auto place = tasks_.Find(wire::ParseTaskId(task_id, system->name));
    if (!place.ok() && !absl::IsNotFound(place.status())) return place.status();
    if (!place.ok()) continue;
    places.push_back(*place);
    answered.push_back(out->tasks_size() - 1);
  }
  if (input.task_ids.empty()) {
    const auto page = tasks_.List(*system, input.min_failures, base::kMaxTasks, {from.partition, from.position});
    if (!page.ok()) return page.status();
    for (const service::OpenTask& task : page->tasks) {
      out->add_tasks()->set_task_id(wire::TaskIdText(task.request.id, system->name));
      places.push_back(task.place);
      answered.push_back(out->tasks_size() - 1);
    }
    if (page->next.has_value()) {
      const service::PageToken next{page->next->partition, page->next->number};
      out->set_next_page_token(core_.tokens.Encode(next, ListingOf(request)));
    }
  }
  const auto retried = tasks_.Retry(*system, places, caller);
  if (!retried.ok()) return retried.status();
  for (size_t i = 0; i < retried->size(); ++i) {
    out->mutable_tasks(answered[i])->set_state(static_cast<v1::RetryState>((*retried)[i]));
  }
  return absl::OkStatus();
}

}  // namespace consent::rpc
