#include "daemon/rpc/hold_rpc.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/rpc/hold_release.h"
#include "daemon/rpc/listing.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/hold.h"

namespace consent::rpc {

HoldRpc::HoldRpc(service::Core& core, service::Holds& holds, service::Proposals& proposals,
                 service::DataSystems& systems, const RpcDependencies& dependencies)
    : core_(core),
      holds_(holds),
      proposals_(proposals),
      systems_(systems),
      dependencies_(dependencies),
      place_(Method::Named("consent.v1.HoldService.PlaceHold")),
      release_(Method::Named("consent.v1.HoldService.ReleaseHold")),
      review_(Method::Named("consent.v1.HoldService.ReviewHold")),
      list_(Method::Named("consent.v1.HoldService.ListHolds")) {}

void HoldRpc::Write(const service::HoldView& view, v1::Hold* out) const {
  const service::HoldRow& row = view.row;
  out->set_hold_id(base::IdText(row.id));
  out->set_authority(row.placed.authority);
  out->set_reason(row.placed.reason);
  wire::WriteTimestamp(row.placed_at, out->mutable_placed_at());
  wire::WriteTimestamp(row.review_at, out->mutable_review_at());
  if (row.reviewed_at.IsSet()) wire::WriteTimestamp(row.reviewed_at, out->mutable_reviewed_at());
  out->set_review_reason(row.review_reason);
  out->set_past_review(row.IsPastReview(core_.Now()));
  if (!row.InForce()) {
    wire::WriteTimestamp(row.released_at, out->mutable_released_at());
    out->set_release_authority(row.released.authority);
    out->set_release_reason(row.released.reason);
  }
  out->set_etag(core_.tokens.Encode(service::HoldEtag{row.id, row.changed}));
  if (!view.leases_out.empty()) {
    const std::vector<service::SystemRow> systems = systems_.List();
    for (const service::LeaseOut& lease : view.leases_out) {
      v1::LeaseOut& told = *out->add_leases_out();
      const auto named = std::find_if(systems.begin(), systems.end(),
                                      [&](const service::SystemRow& system) { return system.number == lease.system; });
      if (named != systems.end()) told.set_system(named->name);
      wire::WriteTimestamp(lease.until, told.mutable_until());
    }
  }
  if (!view.payload.has_value()) return;
  out->set_account_id(view.payload->account_id);
  out->mutable_selector()->ParseFromString(view.payload->selector);
}

absl::Status HoldRpc::Read(service::HoldPlace place, v1::Hold* out) const {
  const absl::StatusOr<service::HoldView> view = holds_.Get(place);
  if (view.ok()) Write(*view, out);
  return view.status();
}

grpc::ServerUnaryReactor* HoldRpc::PlaceHold(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::PlaceHoldRequest, v1::PlaceHoldResponse>(
      dependencies_, place_, context, in, out, [this](auto call) {
        auto input = wire::ReadPlaceHold(call->request(), core_.hasher, core_.Now());
        if (!input.ok()) return call->Finish(input.status());
        service::NewHold hold{std::move(input->held),
                              {std::move(input->authority), std::move(input->reason)},
                              {input->change.account_id, std::move(input->selector_bytes)},
                              input->review_at};
        auto request = ToChangeRequest(core_, call, service::ChangeKind::kHoldPlaced, std::move(input->change));
        const domain::Channel channel = request.command.proof.channel;
        holds_.Place(std::move(request), std::move(hold),
                     [this, call, channel](absl::StatusOr<service::Holds::Placed> placed) {
                       if (!placed.ok()) return call->Finish(placed.status());
                       ReportChange(service::ChangeKind::kHoldPlaced, channel, dependencies_.observer);
                       call->response()->set_revision(core_.tokens.Encode(placed->revision));
                       call->response()->set_subject_is_new(placed->subject_is_new);
                       call->Finish(Read(placed->place, call->response()->mutable_hold()));
                     });
      });
}

absl::Status HoldRpc::ProposeRelease(const Proposer& proposer, v1::ReleaseHoldRequest request, service::HoldPlace place,
                                     v1::ReleaseHoldResponse* out) const {
  request.clear_request_id();  // so that the same proposed again is the same proposal
  v1::Proposal summary;
  summary.set_hold_id(request.hold_id());
  summary.set_authority(request.authority());
  summary.set_reason(request.reason());
  absl::Status status =
      Propose(proposals_, proposer, service::ProposedAct::kReleaseHold, request, summary, "", out->mutable_proposal());
  if (status.ok()) status = Read(place, out->mutable_hold());
  // Whom it is about is told to who lists holds, which goes on record.
  out->mutable_hold()->clear_account_id();
  out->mutable_hold()->clear_selector();
  return status;
}

grpc::ServerUnaryReactor* HoldRpc::ReleaseHold(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ReleaseHoldRequest, v1::ReleaseHoldResponse>(
      dependencies_, release_, context, in, out, [this](auto call) {
        auto read = ReadHoldRelease(core_, call->caller(), call->request());
        if (!read.ok()) return call->Finish(read.status());
        RunOnPool(dependencies_, call, [this, call, read = *std::move(read)]() mutable {
          const absl::StatusOr<service::HoldPlace> place = holds_.Find(read.hold_id);
          if (!place.ok()) return call->Finish(place.status());
          const domain::Channel channel = read.change.command.proof.channel;
          const auto answer = [this, call, place = *place, channel](const absl::Status& done) {
            if (done.ok()) ReportChange(service::ChangeKind::kHoldReleased, channel, dependencies_.observer);
            if (!WantsApproval(done)) {
              return call->Finish(done.ok() ? Read(place, call->response()->mutable_hold()) : done);
            }
            RunOnPool(dependencies_, call, [this, call, place] {
              call->Finish(ProposeRelease({call->person(), call->caller()}, call->request(), place, call->response()));
            });
          };
          holds_.Release(std::move(read.change), *place, std::move(read.release), answer);
        });
      });
}

grpc::ServerUnaryReactor* HoldRpc::ReviewHold(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ReviewHoldRequest, v1::ReviewHoldResponse>(
      dependencies_, review_, context, in, out, [this](auto call) {
        auto input = wire::ReadReviewHold(call->request(), core_.hasher, core_.Now());
        if (!input.ok()) return call->Finish(input.status());
        service::HoldReview review{input->review_at, std::move(input->reason)};
        auto request = ToChangeRequest(core_, call, service::ChangeKind::kHoldReviewed, std::move(input->change));
        RunOnPool(
            dependencies_, call,
            [this, call, id = input->hold_id, review = std::move(review), request = std::move(request)]() mutable {
              const absl::StatusOr<service::HoldPlace> place = holds_.Find(id);
              if (!place.ok()) return call->Finish(place.status());
              const domain::Channel channel = request.command.proof.channel;
              holds_.Review(std::move(request), *place, std::move(review),
                            [this, call, place = *place, channel](const absl::Status& done) {
                              if (done.ok()) {
                                ReportChange(service::ChangeKind::kHoldReviewed, channel, dependencies_.observer);
                              }
                              call->Finish(done.ok() ? Read(place, call->response()->mutable_hold()) : done);
                            });
            });
      });
}

grpc::ServerUnaryReactor* HoldRpc::ListHolds(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListHoldsRequest, v1::ListHoldsResponse>(dependencies_, list_, context, in, out, [this](auto call) {
    auto query = wire::ReadListHolds(call->request(), core_.hasher);
    if (!query.ok()) return call->Finish(query.status());
    const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
    if (!from.ok()) return call->Finish(from.status());
    FinishOnPool(dependencies_, call, [this, call, query = *std::move(query), from = *from]() -> absl::Status {
      service::HoldsFilter filter{{}, query.include_released, query.past_review};
      if (query.has_subject) filter.subject = query.subject;
      const auto page = holds_.List(filter, static_cast<size_t>(query.page_size), {from.partition, from.position});
      if (!page.ok()) return page.status();
      for (const service::HoldView& view : page->holds) Write(view, call->response()->add_holds());
      if (page->next.has_value()) {
        const service::PageToken next{page->next->partition, page->next->sequence};
        call->response()->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
      }
      return absl::OkStatus();
    });
  });
}

}  // namespace consent::rpc
