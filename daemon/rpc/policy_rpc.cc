#include "daemon/rpc/policy_rpc.h"

#include <chrono>
#include <string>
#include <utility>

#include "daemon/policy/compare.h"
#include "daemon/policy/document.h"
#include "daemon/rpc/listing.h"
#include "daemon/service/registry/confirm_clock.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/policy.h"

namespace consent::rpc {
namespace {

constexpr size_t kMaxText = 2'048;  // of a field that says why
constexpr int kMaxDifferences = 4'096;

std::string Cut(std::string text, size_t most) {
  if (text.size() > most) text.replace(most - 4, std::string::npos, " ...");
  return text;
}

v1::PolicyEffect EffectOf(const policy::Difference& difference) {
  switch (difference.kind) {
    case policy::DifferenceKind::kLoosening:
      return v1::POLICY_EFFECT_LOOSENS;
    case policy::DifferenceKind::kRestriction:
      return v1::POLICY_EFFECT_RESTRICTS;
    case policy::DifferenceKind::kNeutral:
      return v1::POLICY_EFFECT_NEUTRAL;
    case policy::DifferenceKind::kBreaksStored:
      break;
  }
  return policy::Loosens(difference) ? v1::POLICY_EFFECT_BREAKS_STORED : v1::POLICY_EFFECT_RESTRICTS;
}

void WriteDiff(const service::PolicyDiff& diff, v1::DiffPolicyResponse* out) {
  for (const policy::Difference& difference : diff.differences) {
    if (out->differences_size() == kMaxDifferences) {
      out->set_more_differences(out->more_differences() + 1);
      continue;
    }
    v1::PolicyDifference& written = *out->add_differences();
    written.set_words(policy::Words(difference));
    written.set_effect(EffectOf(difference));
  }
  out->set_refused(Cut(diff.refused, kMaxText));
}

void WriteTurned(const service::TurnedCounts& counts, v1::DiffPolicyResponse* out) {
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    const service::Turned& turned = counts.by_purpose[static_cast<size_t>(purpose) - 1];
    if (turned == service::Turned{}) continue;
    v1::TurnedAnswers& written = *out->add_turned();
    written.set_purpose(static_cast<v1::Purpose>(purpose));
    written.set_to_eligible(turned.to_eligible);
    written.set_to_not_eligible(turned.to_not_eligible);
  }
  out->set_examined_subjects(counts.examined);
}

void Write(const service::SuspensionView& view, v1::Suspension* out) {
  wire::WriteSuspension(view.suspension, view.reason, view.etag, out);
  out->set_changed_by(view.by);
  out->set_proposed_by(view.approval.proposed_by);
}

absl::Status WriteView(const absl::StatusOr<service::SuspensionView>& view, v1::Suspension* out) {
  if (view.ok()) Write(*view, out);
  return view.status();
}

}  // namespace

void WriteWaiting(const service::WaitingPolicy& waiting, v1::WaitingPolicy* out) {
  out->set_version(waiting.version);
  if (!waiting.version.empty()) out->set_hash(waiting.hash.data(), waiting.hash.size());
  out->set_why(Cut(waiting.why, kMaxText));
}

PolicyRpc::PolicyRpc(service::Core& core, service::PolicyAdmin& admin, service::Proposals& proposals,
                     service::TurnedAnswers& turned, const RpcDependencies& dependencies)
    : core_(core),
      admin_(admin),
      proposals_(proposals),
      turned_(turned),
      dependencies_(dependencies),
      get_(Method::Named("consent.v1.PolicyService.GetPolicy")),
      suspend_(Method::Named("consent.v1.PolicyService.Suspend")),
      resume_(Method::Named("consent.v1.PolicyService.Resume")),
      get_clock_(Method::Named("consent.v1.PolicyService.GetClock")),
      confirm_clock_(Method::Named("consent.v1.PolicyService.ConfirmClock")),
      activate_(Method::Named("consent.v1.PolicyService.ActivatePolicy")),
      diff_(Method::Named("consent.v1.PolicyService.DiffPolicy")),
      list_(Method::Named("consent.v1.PolicyService.ListPolicies")) {}

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
      for (const auto& one : view->suspensions) Write(one, response->add_suspensions());
      response->set_current(view->current);
      response->set_activated_by(view->activated_by);
      response->set_proposed_by(view->proposed_by);
      if (const auto waiting = admin_.waiting(); view->current && waiting.has_value()) {
        WriteWaiting(*waiting, response->mutable_waiting());
      }
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
      call->Finish(WriteView(admin_.Suspend(input.purpose, input.region, input.reason, AwaitedBy(call), call->caller()),
                             call->response()->mutable_suspension()));
    });
  });
}

absl::Status PolicyRpc::ProposeResume(const Proposer& proposer, const v1::ResumeRequest& request,
                                      v1::ResumeResponse* out) {
  v1::Proposal summary;
  summary.set_purpose(request.purpose());
  summary.set_region(request.region());
  summary.set_reason(request.reason());
  absl::Status proposed =
      Propose(proposals_, proposer, service::ProposedAct::kResume, request, summary, "", out->mutable_proposal());
  if (!proposed.ok()) return proposed;
  const auto view = admin_.Get("");
  if (!view.ok()) return view.status();
  for (const auto& one : view->suspensions) {
    v1::Suspension written;
    Write(one, &written);
    if (written.purpose() == request.purpose() && written.region() == request.region()) {
      *out->mutable_suspension() = std::move(written);
    }
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* PolicyRpc::Resume(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ResumeRequest, v1::ResumeResponse>(dependencies_, resume_, context, in, out, [this](auto call) {
    auto input = wire::ReadResume(call->request());
    if (!input.ok()) return call->Finish(input.status());
    FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)] {
      const auto view = admin_.Resume({input.purpose, input.region, input.reason, input.etag}, call->caller());
      if (!WantsApproval(view.status())) return WriteView(view, call->response()->mutable_suspension());
      return ProposeResume({call->person(), call->caller()}, call->request(), call->response());
    });
  });
}

absl::Status PolicyRpc::ProposeActivation(const Proposer& proposer, const v1::ActivatePolicyRequest& request,
                                          const policy::Document& document, const service::PolicyView& before,
                                          v1::ActivatePolicyResponse* out) {
  v1::Proposal summary;
  summary.set_policy_version(document.version());
  summary.set_policy_hash(document.hash().data(), document.hash().size());
  summary.set_follows(before.document->version());
  summary.set_loosens(request.loosens_size());
  return Propose(proposals_, proposer, service::ProposedAct::kActivatePolicy, request, summary,
                 EncodeBasis(before.activated_at), out->mutable_proposal());
}

grpc::ServerUnaryReactor* PolicyRpc::ActivatePolicy(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ActivatePolicyRequest, v1::ActivatePolicyResponse>(
      dependencies_, activate_, context, in, out, [this](auto call) {
        auto input = wire::ReadActivatePolicy(call->request());
        if (!input.ok()) return call->Finish(input.status());
        FinishOnPool(dependencies_, call, [this, call, input = *std::move(input)]() -> absl::Status {
          const absl::StatusOr<policy::Document> document = ReadPolicyDocument(input.policy_json);
          if (!document.ok()) return document.status();
          const auto before = admin_.Get("");
          if (!before.ok()) return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
          v1::ActivatePolicyResponse* response = call->response();
          response->set_version(document->version());
          response->set_hash(document->hash().data(), document->hash().size());
          absl::Status status = admin_.Activate(*document, {call->caller().identity, input.loosens});
          if (WantsApproval(status)) {
            return ProposeActivation({call->person(), call->caller()}, call->request(), *document, *before, response);
          }
          if (!status.ok()) return status;
          const auto after = admin_.Get(document->version());
          if (!after.ok()) return after.status();
          wire::WriteTimestamp(after->activated_at, response->mutable_activated_at());
          response->set_changed(before->activated_at != after->activated_at);
          return absl::OkStatus();
        });
      });
}

grpc::ServerUnaryReactor* PolicyRpc::DiffPolicy(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::DiffPolicyRequest, v1::DiffPolicyResponse>(
      dependencies_, diff_, context, in, out, [this](auto call) {
        auto input = wire::ReadDiffPolicy(call->request());
        if (!input.ok()) return call->Finish(input.status());
        RunOnPoolIfAwaited(dependencies_, call, [this, call, input = *std::move(input)] {
          const absl::StatusOr<policy::Document> document = ReadPolicyDocument(input.policy_json);
          if (!document.ok()) return call->Finish(document.status());
          const absl::StatusOr<service::PolicyDiff> diff = admin_.Diff(*document);
          if (!diff.ok()) return call->Finish(diff.status());
          WriteDiff(*diff, call->response());
          call->response()->set_subjects(core_.gauges.subjects());
          if (input.count_seconds == 0 || diff->differences.empty()) return call->Finish(absl::OkStatus());
          const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(input.count_seconds);
          turned_.Count(
              *document, [call, until] { return !call->IsCancelled() && std::chrono::steady_clock::now() < until; },
              [call](const absl::StatusOr<service::TurnedCounts>& counts) {
                if (counts.ok()) WriteTurned(*counts, call->response());
                // What differs is told whether or not the policy may follow.
                const bool refused =
                    wire::DetailOf(counts.status()).reason == v1::ERROR_REASON_POLICY_REFUSED && !counts.ok();
                call->Finish(refused ? absl::OkStatus() : counts.status());
              });
        });
      });
}

grpc::ServerUnaryReactor* PolicyRpc::ListPolicies(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListPoliciesRequest, v1::ListPoliciesResponse>(
      dependencies_, list_, context, in, out, [this](auto call) {
        const auto query = wire::ReadListPolicies(call->request());
        if (!query.ok()) return call->Finish(query.status());
        const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
        if (!from.ok()) return call->Finish(from.status());
        const base::Instant until =
            query->page_token.empty() ? base::kEndOfTime : base::Instant{static_cast<int64_t>(from->position)};
        const auto page_size = static_cast<size_t>(query->page_size);
        const auto found = core_.policies.Activations(until, page_size + 1);
        const auto current = core_.policies.current();
        v1::ListPoliciesResponse* response = call->response();
        for (const auto& row : found) {
          if (static_cast<size_t>(response->policies_size()) == page_size) {
            const service::PageToken next{{}, static_cast<uint64_t>(row->state.activated_at.micros)};
            response->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
            break;
          }
          v1::PolicyVersion& written = *response->add_policies();
          written.set_version(row->document.version());
          written.set_hash(row->document.hash().data(), row->document.hash().size());
          wire::WriteTimestamp(row->state.activated_at, written.mutable_activated_at());
          written.set_activated_by(row->activated_by);
          written.set_proposed_by(row->proposed_by);
          written.set_current(row == current);
        }
        call->Finish(absl::OkStatus());
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
