#include "daemon/rpc/review_rpc.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "daemon/base/hash.h"
#include "daemon/domain/review_rate.h"
#include "daemon/rpc/listing.h"
#include "daemon/service/review/populations.h"
#include "daemon/service/review/revoke_reviews.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/review.h"

namespace consent::rpc {
namespace {

absl::StatusOr<domain::GrantName> NameOf(const service::Core& core, const wire::GrantInput& input) {
  if (!input.id.has_value()) return service::NoSuchGrant();
  return domain::GrantName{core.tokens.Cover(*input.id), input.fence};
}

void WriteRefusal(const service::LeaseAnswer& answer, v1::ReviewRefusal* out) {
  out->set_refusal(static_cast<v1::GrantRefusal>(answer.refusal));
  if (answer.refusal != service::LeaseRefusal::kNotEligible) return;
  answer.decision.ForEachReason([&](domain::Reason reason) { out->add_reasons(static_cast<v1::Reason>(reason)); });
}

v1::ReviewOutcome OutcomeOf(domain::ReviewOutcome outcome) {
  return outcome == domain::ReviewOutcome::kNotRecorded ? v1::REVIEW_OUTCOME_UNSPECIFIED
                                                        : static_cast<v1::ReviewOutcome>(outcome);
}

bool IsGiven(const service::LeaseAnswer& answer) {
  return answer.error.ok() && answer.refusal == service::LeaseRefusal::kNone;
}

}  // namespace

// One LeaseReviews on its way.
struct ReviewRpc::Leasing {
  LeaseCall call;
  wire::LeaseReviewsInput input;
  std::vector<service::LeaseAnswer> answers;
  std::vector<uint8_t> on_record;  // of each answer; 0: its yes could not be put on record. Each is written once.
  std::atomic<size_t> waiting{0};
};

ReviewRpc::ReviewRpc(service::Core& core, service::Reviews& reviews, service::EndReview& end_review,
                     const service::ListReviews& lists, const service::KnownReviewRates& counts,
                     decisions::Recorder& recorder, const RpcDependencies& dependencies)
    : RawService(dependencies),
      core_(core),
      reviews_(reviews),
      end_review_(end_review),
      lists_(lists),
      counts_(counts),
      recorder_(recorder) {
  Serve<v1::LeaseReviewsRequest, v1::LeaseReviewsResponse>("LeaseReviews", [this](const auto& call) { Lease(call); });
  Serve<v1::OpenMediaRequest, v1::OpenMediaResponse>("OpenMedia", [this](const auto& call) { Open(call); });
  Serve<v1::RedeemMediaRequest, v1::RedeemMediaResponse>("RedeemMedia", [this](const auto& call) { Redeem(call); });
  Serve<v1::SubmitReviewRequest, v1::SubmitReviewResponse>("SubmitReview", [this](const auto& call) { Submit(call); });
  Serve<v1::EndReviewRequest, v1::EndReviewResponse>("EndReview", [this](const auto& call) { End(call); });
  Serve<v1::RenewReviewRequest, v1::RenewReviewResponse>("RenewReview", [this](const auto& call) { Renew(call); });
  Serve<v1::RevokeReviewsRequest, v1::RevokeReviewsResponse>("RevokeReviews",
                                                             [this](const auto& call) { Revoke(call); });
  Serve<v1::ListGrantsRequest, v1::ListGrantsResponse>("ListGrants", [this](const auto& call) { Grants(call); });
  Serve<v1::ListHeardRequest, v1::ListHeardResponse>("ListHeard", [this](const auto& call) { Heard(call); });
  Serve<v1::ReportPopulationRequest, v1::ReportPopulationResponse>("ReportPopulation",
                                                                   [this](const auto& call) { Report(call); });
  Serve<v1::ListReviewRatesRequest, v1::ListReviewRatesResponse>("ListReviewRates",
                                                                 [this](const auto& call) { ListRates(call); });
  Serve<v1::GetMediaKeyRequest, v1::GetMediaKeyResponse>("GetMediaKey", [this](const auto& call) { GetKey(call); });
}

void ReviewRpc::Lease(const LeaseCall& call) {
  absl::StatusOr<wire::LeaseReviewsInput> input = wire::ReadLeaseReviews(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  if (absl::Status charged = call->Charge(input->items.size()); !charged.ok()) return call->Finish(charged);
  auto leasing = std::make_shared<Leasing>();
  leasing->call = call;
  leasing->input = *std::move(input);
  RunOnIfAwaited(dependencies_.grants, call, [this, leasing] { LeaseAll(leasing); });
}

void ReviewRpc::LeaseAll(const std::shared_ptr<Leasing>& leasing) {
  wire::LeaseReviewsInput& input = leasing->input;
  const service::LeaseOrder order{input.purpose, input.place, input.reviewer, input.selection};
  const service::Caller& caller = leasing->call->caller();
  for (const wire::LeaseItemInput& item : input.items) {
    service::LeaseAnswer answer;
    answer.error = item.error;
    if (item.error.ok()) {
      answer = reviews_.Lease(order, {item.subject, item.account_id, item.recording_id, item.facts}, caller);
    }
    leasing->answers.push_back(std::move(answer));
  }
  leasing->on_record.resize(leasing->answers.size(), true);
  // One more than there are, so that the last one comes after all were begun.
  leasing->waiting = 1;
  for (size_t i = 0; i < leasing->answers.size(); ++i) {
    const service::LeaseAnswer& answer = leasing->answers[i];
    if (!IsGiven(answer) || !recorder_.Records(input.purpose, *answer.rules)) continue;
    leasing->waiting.fetch_add(1);
    // Each by itself: what is recorded together shares policy and time, and each was decided by its own.
    std::unique_ptr<decisions::RecordWriter> record =
        recorder_.Begin({caller.identity, input.purpose, input.place, input.selection, *answer.rules, answer.now}, 1);
    const wire::LeaseItemInput& item = input.items[i];
    record->Add({item.subject, core_.hasher.Recording(item.recording_id), item.facts, answer.head,
                 answer.decision.revision, answer.decision.FirstReason()});
    recorder_.Put(std::move(record), [this, leasing, i](bool on_record) {
      leasing->on_record[i] = on_record;
      Conclude(leasing);
    });
  }
  Conclude(leasing);
}

void ReviewRpc::Conclude(const std::shared_ptr<Leasing>& leasing) {
  if (leasing->waiting.fetch_sub(1) != 1) return;
  const auto& on_record = leasing->on_record;
  const bool all = std::find(on_record.begin(), on_record.end(), uint8_t{0}) == on_record.end();
  // Taking back commits, which is nothing for the log's thread. A grant that nobody takes back is over by itself, and
  // nobody has heard of it.
  if (all || !dependencies_.grants.Post([this, leasing] {
        TakeBack(*leasing);
        Answer(*leasing);
      })) {
    Answer(*leasing);
  }
}

void ReviewRpc::TakeBack(const Leasing& leasing) const {
  for (size_t i = 0; i < leasing.answers.size(); ++i) {
    const domain::ReviewGrant& grant = leasing.answers[i].grant;
    if (leasing.on_record[i] == 0) reviews_.TakeBack({grant.id, grant.fence}).IgnoreError();
  }
}

void ReviewRpc::Answer(const Leasing& leasing) const {
  for (size_t i = 0; i < leasing.answers.size(); ++i) {
    const service::LeaseAnswer& answer = leasing.answers[i];
    v1::LeaseReviewsResult& result = *leasing.call->response()->add_results();
    if (!answer.error.ok()) {
      wire::WriteItemError(answer.error, result.mutable_error());
    } else if (answer.refusal != service::LeaseRefusal::kNone) {
      WriteRefusal(answer, result.mutable_refusal());
    } else if (leasing.on_record[i] == 0) {
      result.mutable_refusal()->set_refusal(v1::GRANT_REFUSAL_NOT_ELIGIBLE);
      result.mutable_refusal()->add_reasons(v1::REASON_NOT_RECORDED);
    } else {
      v1::ReviewGrant& grant = *result.mutable_grant();
      grant.set_grant_id(base::IdText(core_.tokens.Cover(answer.grant.id)));
      grant.set_fence(answer.grant.fence);
      grant.set_pseudonym(service::PseudonymOf(core_, answer.grant));
      wire::WriteTimestamp(answer.grant.expires_at, grant.mutable_expires_at());
      grant.set_media_handle(base::Hex(base::View(answer.grant.media)));
    }
  }
  leasing.call->Finish(absl::OkStatus());
}

void ReviewRpc::Open(const CallPtr<v1::OpenMediaRequest, v1::OpenMediaResponse>& call) {
  const auto input = wire::ReadOpenMedia(call->request());
  if (!input.ok()) return call->Finish(input.status());
  FinishOn(dependencies_.grants, call, [this, call, input = *input]() -> absl::Status {
    const auto name = NameOf(core_, input.grant);
    if (!name.ok()) return name.status();
    const auto opened = reviews_.Open(*name, input.audience, call->caller());
    if (!opened.ok()) return opened.status();
    call->response()->set_media_token(opened->token);
    wire::WriteTimestamp(opened->not_after, call->response()->mutable_not_after());
    call->response()->set_life_seconds(static_cast<int32_t>(opened->life.micros / base::Seconds(1).micros));
    return absl::OkStatus();
  });
}

void ReviewRpc::Redeem(const CallPtr<v1::RedeemMediaRequest, v1::RedeemMediaResponse>& call) {
  if (absl::Status s = wire::CheckRedeemMedia(call->request()); !s.ok()) return call->Finish(s);
  FinishOn(dependencies_.grants, call, [this, call]() -> absl::Status {
    const auto redeemed = reviews_.Redeem(call->request().media_token(), call->request().system(), call->caller());
    if (!redeemed.ok()) return redeemed.status();
    v1::RedeemMediaResponse& response = *call->response();
    const domain::MediaIds& ids = redeemed->ids;
    response.set_account_id(ids.account_id);
    response.set_recording_id(ids.recording_id);
    const bool is_source = ids.artefact == domain::Artefact::kSource;
    response.set_artefact(is_source ? v1::ARTEFACT_SOURCE : static_cast<v1::Artefact>(ids.artefact));
    response.set_site(redeemed->site);
    return absl::OkStatus();
  });
}

void ReviewRpc::Submit(const CallPtr<v1::SubmitReviewRequest, v1::SubmitReviewResponse>& call) {
  const auto input = wire::ReadSubmitReview(call->request());
  if (!input.ok()) return call->Finish(input.status());
  const auto name = NameOf(core_, input->grant);
  if (!name.ok()) return call->Finish(name.status());
  service::Pool& pool = input->flags != 0 ? dependencies_.restrictions : dependencies_.grants;
  RunOn(pool, call, [this, call, name = *name, input = *input] {
    const absl::Status submitted = reviews_.Submit(name, input.digest, call->caller());
    if (input.flags == 0) return call->Finish(submitted);
    // A flag ends every grant of its subject, so it comes second; whatever became of the submission, it counts.
    end_review_.NoteFlags(
        name, input.flags, call->caller(), AwaitedBy(call),
        [call, submitted](const absl::Status& reported) { call->Finish(reported.ok() ? submitted : reported); });
  });
}

void ReviewRpc::End(const CallPtr<v1::EndReviewRequest, v1::EndReviewResponse>& call) {
  const auto input = wire::ReadEndReview(call->request());
  if (!input.ok()) return call->Finish(input.status());
  const auto name = NameOf(core_, input->grant);
  if (!name.ok()) return call->Finish(name.status());
  service::Pool& pool = domain::FlagsOf(input->outcome) != 0 ? dependencies_.restrictions : dependencies_.grants;
  RunOn(pool, call, [this, call, name = *name, outcome = input->outcome] {
    end_review_.Run(name, outcome, call->caller(), AwaitedBy(call),
                    [call](const absl::Status& status) { call->Finish(status); });
  });
}

void ReviewRpc::Renew(const CallPtr<v1::RenewReviewRequest, v1::RenewReviewResponse>& call) {
  const auto input = wire::ReadRenewReview(call->request());
  if (!input.ok()) return call->Finish(input.status());
  FinishOn(dependencies_.grants, call, [this, call, input = *input]() -> absl::Status {
    const auto name = NameOf(core_, input);
    if (!name.ok()) return name.status();
    const auto until = reviews_.Renew(*name, call->caller());
    if (!until.ok()) return until.status();
    wire::WriteTimestamp(*until, call->response()->mutable_expires_at());
    return absl::OkStatus();
  });
}

void ReviewRpc::Revoke(const CallPtr<v1::RevokeReviewsRequest, v1::RevokeReviewsResponse>& call) {
  const auto input = wire::ReadRevokeReviews(call->request());
  if (!input.ok()) return call->Finish(input.status());
  RunOnPool(dependencies_, call, [this, call, input = *input] {
    const auto revoked = service::RevokeReviews(
        core_, service::Revocation{input.kind, input.purpose, input.name, input.reason}, call->caller());
    if (revoked.ok()) wire::WriteTimestamp(*revoked, call->response()->mutable_revoked_at());
    call->Finish(revoked.status());
  });
}

void ReviewRpc::Grants(const GrantsCall& call) {
  const auto query = wire::ReadListGrants(call->request());
  if (!query.ok()) return call->Finish(query.status());
  if (query->names_grants) {
    return FinishOnPool(dependencies_, call, [this, call, ids = query->ids]() { return ListNamed(call, ids); });
  }
  const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
  if (!from.ok()) return call->Finish(from.status());
  FinishOnPool(dependencies_, call, [this, call, query = *query, from = *from]() -> absl::Status {
    const auto page = lists_.Grants(query.state, static_cast<size_t>(query.page_size), from);
    if (!page.ok()) return page.status();
    for (const service::GrantShown& shown : page->grants) Write(shown, call->response()->add_grants());
    if (page->next.has_value()) {
      call->response()->set_next_page_token(core_.tokens.Encode(*page->next, ListingOf(call->request())));
    }
    return absl::OkStatus();
  });
}

absl::Status ReviewRpc::ListNamed(const GrantsCall& call, const std::vector<base::GrantId>& covered) {
  std::vector<base::GrantId> ids;
  ids.reserve(covered.size());
  for (const base::GrantId& id : covered) ids.push_back(core_.tokens.Cover(id));
  const auto shown = lists_.Named(ids);
  if (!shown.ok()) return shown.status();
  for (const service::GrantShown& grant : *shown) Write(grant, call->response()->add_grants());
  return absl::OkStatus();
}

void ReviewRpc::Write(const service::GrantShown& shown, v1::GrantView* out) const {
  const service::GrantRow& row = shown.row;
  const domain::ReviewGrant& grant = row.grant;
  out->set_grant_id(base::IdText(core_.tokens.Cover(grant.id)));
  out->set_pseudonym(service::PseudonymOf(core_, grant));
  out->set_state(static_cast<v1::GrantState>(shown.state));
  out->set_purpose(static_cast<v1::Purpose>(row.purpose));
  out->mutable_place()->set_country(row.place.country.ToString());
  out->mutable_place()->set_site(row.place.site);
  out->mutable_place()->set_reviewer_class(static_cast<v1::ReviewerClass>(row.place.reviewer_class));
  out->set_reviewer(row.reviewer);
  out->set_selection(static_cast<v1::Selection>(row.selection));
  wire::WriteTimestamp(grant.given_at, out->mutable_given_at());
  wire::WriteTimestamp(grant.expires_at, out->mutable_expires_at());
  out->set_opens(grant.opens);
  out->set_redeems(grant.redeems);
  out->set_offline_opens(grant.offline_opens);
  out->set_outcome(OutcomeOf(grant.outcome));
}

void ReviewRpc::Heard(const CallPtr<v1::ListHeardRequest, v1::ListHeardResponse>& call) {
  const auto subject = wire::ReadListHeard(call->request(), core_.hasher);
  if (!subject.ok()) return call->Finish(subject.status());
  FinishOnPool(dependencies_, call, [this, call, subject = *subject]() -> absl::Status {
    const auto list = lists_.Heard(subject);
    if (!list.ok()) return list.status();
    for (const service::HeardRow& row : list->heard) {
      v1::HeardView& heard = *call->response()->add_heard();
      wire::WriteTimestamp(row.heard_at, heard.mutable_heard_at());
      heard.set_purpose(static_cast<v1::Purpose>(row.purpose));
      heard.set_country(row.country.ToString());
      heard.set_reviewer_class(static_cast<v1::ReviewerClass>(row.reviewer_class));
      heard.set_outcome(OutcomeOf(row.outcome));
    }
    call->response()->set_is_cut(list->is_cut);
    return absl::OkStatus();
  });
}

void ReviewRpc::Report(const CallPtr<v1::ReportPopulationRequest, v1::ReportPopulationResponse>& call) {
  auto input = wire::ReadReportPopulation(call->request(), core_.Present().wall);
  if (!input.ok()) return call->Finish(input.status());
  if (absl::Status charged = call->Charge(input->counts.size()); !charged.ok()) return call->Finish(charged);
  FinishOnPool(dependencies_, call,
               [this, call, report = service::PopulationReport{input->hour, std::move(input->counts)}] {
                 return service::ReportPopulation(core_, report, call->caller());
               });
}

void ReviewRpc::ListRates(const CallPtr<v1::ListReviewRatesRequest, v1::ListReviewRatesResponse>& call) {
  const auto month = wire::ReadListReviewRates(call->request(), core_.Now());
  if (!month.ok()) return call->Finish(month.status());
  const std::shared_ptr<const domain::Rules> rules = core_.policies.rules();
  if (rules == nullptr) {
    return call->Finish(wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping"));
  }
  for (const service::HeardShare& counts : counts_.Of(*month, *rules)) {
    v1::ReviewRateView& view = *call->response()->add_rates();
    view.set_purpose(static_cast<v1::Purpose>(counts.purpose));
    view.set_country(counts.country.ToString());
    view.set_heard(static_cast<int64_t>(counts.heard));
    view.set_utterances(static_cast<int64_t>(counts.utterances));
    view.set_allowed_parts_per_million(static_cast<int32_t>(counts.parts_per_million));
    if (counts.utterances == 0) continue;
    const domain::MeasuredRate rate = domain::MeasureRate(counts.heard, counts.utterances);
    view.mutable_measured()->set_parts_per_million(rate.rate);
    view.mutable_measured()->set_low(rate.low);
    view.mutable_measured()->set_high(rate.high);
  }
  call->Finish(absl::OkStatus());
}

void ReviewRpc::GetKey(const CallPtr<v1::GetMediaKeyRequest, v1::GetMediaKeyResponse>& call) {
  if (absl::Status s = wire::CheckGetMediaKey(call->request()); !s.ok()) return call->Finish(s);
  FinishOnPool(dependencies_, call, [this, call]() -> absl::Status {
    const auto key = reviews_.ReadPublicKey();
    if (!key.ok()) return key.status();
    call->response()->set_public_key(key->data(), key->size());
    return absl::OkStatus();
  });
}

}  // namespace consent::rpc
