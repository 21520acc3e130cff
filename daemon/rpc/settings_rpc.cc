#include "daemon/rpc/settings_rpc.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/standards.h"
#include "daemon/rpc/changes.h"
#include "daemon/rpc/listing.h"
#include "daemon/rpc/unreached.h"
#include "daemon/service/subject/shown_texts.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/settings.h"

namespace consent::rpc {
namespace {

using ShownTextList = google::protobuf::RepeatedPtrField<v1::ShownText>;

void WriteTexts(const service::ShownTexts& texts, ShownTextList* out) {
  for (const auto& [shown, text] : texts.texts()) wire::WriteShownText(shown, text, out->Add());
}

// `texts` gets what was shown; null: its hashes alone are written.
void WriteEntry(const service::Tokens& tokens, const service::HistoryItem& item, const Peer& reader,
                service::ShownTexts* texts, v1::HistoryEntry* out) {
  out->set_revision(tokens.Encode(item.revision));
  wire::WriteTimestamp(item.time, out->mutable_time());
  out->set_kind(static_cast<v1::ChangeKind>(item.row.kind));
  for (const domain::FactChange& change : item.row.changes) {
    wire::WriteHistoryChange(change, item.payload.names, out->add_changes());
  }
  if (!item.payload.evidence.empty()) {
    if (reader.SeesEvidenceOf(item.payload.caller)) {
      wire::WriteEvidence(item.payload.evidence, out->mutable_evidence());
      for (const domain::ShownText& shown : item.payload.shown) {
        if (texts != nullptr) texts->Add(shown, item.row.policy_version);
        out->add_shown_sha256(shown.sha256.data(), shown.sha256.size());
      }
    } else {
      out->set_evidence_withheld(true);
    }
  }
  if (reader.SeesEvidenceOf(item.payload.caller)) {
    out->set_recording_id(item.payload.recording_id);
    out->set_note(item.payload.note);
  }
  out->set_imported(item.row.channel == domain::Channel::kImport);
  out->set_policy_version(item.row.policy_version);
  const bool sees = reader.roles.Has(v1::ROLE_AUDITOR) || reader.roles.Has(v1::ROLE_OFFICER);
  if (item.payload.proposed_by.empty() || !sees) return;
  out->set_approved_by(item.payload.approved_by);
  out->set_proposed_by(item.payload.proposed_by);
}

}  // namespace

// What was shown to whoever gave the consents of `then`, as far as `reader` may see it.
void SettingsRpc::WriteShown(const service::SettingsAt& then, const Peer& reader,
                             v1::GetSettingsAtResponse* out) const {
  service::ShownTexts texts(core_.policies);
  std::vector<wire::ConsentShown> consents;
  for (const service::ShownConsent& consent : then.shown) {
    if (!reader.SeesEvidenceOf(consent.caller)) continue;
    for (const domain::ShownText& shown : consent.texts) texts.Add(shown, consent.policy_version);
    consents.push_back({consent.scope, consent.purpose, consent.texts});
  }
  wire::WriteConsentsShown(consents, then.view.names, out->mutable_settings());
  WriteTexts(texts, out->mutable_shown_texts());
}

SettingsRpc::SettingsRpc(service::Core& core, service::SubjectChanges& changes, const service::ReadSubject& reads,
                         const RpcDependencies& dependencies)
    : core_(core),
      changes_(changes),
      reads_(reads),
      dependencies_(dependencies),
      get_(Method::Named("consent.v1.SettingsService.GetSettings")),
      update_(Method::Named("consent.v1.SettingsService.UpdateSettings")),
      opt_out_(Method::Named("consent.v1.SettingsService.OptOut")),
      history_(Method::Named("consent.v1.SettingsService.ListSettingsHistory")),
      choices_(Method::Named("consent.v1.SettingsService.ListChoices")),
      at_(Method::Named("consent.v1.SettingsService.GetSettingsAt")) {}

grpc::ServerUnaryReactor* SettingsRpc::GetSettings(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::GetSettingsRequest, v1::GetSettingsResponse>(
      dependencies_, get_, context, in, out, [this](auto call) {
        const auto query = wire::ReadGetSettings(call->request(), core_.hasher);
        if (!query.ok()) return call->Finish(query.status());
        FinishOnPool(dependencies_, call, [this, call, query = *query]() -> absl::Status {
          const auto rules = core_.policies.rules();
          if (query.region.IsSet() && !rules->MayLiveIn(query.region)) {
            return wire::FieldError("region", domain::WhyNotAssigned(query.region));
          }
          auto view = reads_.GetOrNobody(query.subject);
          if (!view.ok()) return view.status();
          if (!view->facts.registered) view->facts.region = query.region;
          v1::GetSettingsResponse* response = call->response();
          response->set_registered(view->facts.registered);
          wire::WriteSettings(view->facts, view->names, *rules, core_.Present(), query.language,
                              response->mutable_settings());
          response->set_etag(core_.tokens.Encode(view->revision));
          response->set_policy_version(rules->version);
          response->set_policy_hash(rules->hash.data(), rules->hash.size());
          return absl::OkStatus();
        });
      });
}

grpc::ServerUnaryReactor* SettingsRpc::UpdateSettings(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::UpdateSettingsRequest, v1::UpdateSettingsResponse>(
      dependencies_, update_, context, in, out, [this](auto call) {
        auto input = wire::ReadUpdateSettings(call->request(), core_.hasher);
        if (!input.ok()) return call->Finish(input.status());
        auto request = ToChangeRequest(core_, call, service::ChangeKind::kUpdateSettings, *std::move(input));
        const PartNames names{[call](size_t i) { return wire::UpdatePartName(call->request(), i); }};
        request.path_of = [names](size_t i) { return names.Of(i); };
        ChangeNote note(request);
        const auto command = ConsentsOf(request.command);
        changes_.Submit(std::move(request), [this, call, names, note = std::move(note),
                                             command](const absl::StatusOr<service::ChangeReply>& reply) {
          if (!reply.ok()) return call->Finish(reply.status());
          if (!call->request().validate_only()) note.Report(*reply, dependencies_.observer);
          call->response()->set_revision(core_.tokens.Encode(reply->revision));
          call->response()->set_account_closed(reply->account_closed);
          call->response()->set_unusable(reply->unusable);
          wire::WriteConsentEnd(reply->changes, call->response());
          call->response()->set_subject_is_new(reply->subject_is_new);
          WriteParts(reply->parts, names, call->response()->mutable_results());
          WriteUnreached(core_, reads_, call->request().account_id(), command.get(), *reply,
                         call->response()->mutable_unreached());
          call->Finish(absl::OkStatus());
        });
      });
}

grpc::ServerUnaryReactor* SettingsRpc::OptOut(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::OptOutRequest, v1::OptOutResponse>(dependencies_, opt_out_, context, in, out, [this](auto call) {
    auto input = wire::ReadOptOut(call->request(), core_.hasher);
    if (!input.ok()) return call->Finish(input.status());
    auto request = ToChangeRequest(core_, call, service::ChangeKind::kOptOut, *std::move(input));
    const PartNames names{wire::OptOutPartName, ""};
    request.path_of = [names](size_t i) { return names.Of(i); };
    ChangeNote note(request);
    changes_.Submit(std::move(request),
                    [this, call, names, note = std::move(note)](const absl::StatusOr<service::ChangeReply>& reply) {
                      if (!reply.ok()) return call->Finish(reply.status());
                      note.Report(*reply, dependencies_.observer);
                      v1::OptOutResponse* response = call->response();
                      response->set_revision(core_.tokens.Encode(reply->revision));
                      response->set_account_closed(reply->account_closed);
                      response->set_subject_is_new(reply->subject_is_new);
                      response->set_unusable(reply->unusable);
                      wire::WriteChangedPurposes(reply->changes, response);
                      WriteParts(reply->parts, names, response->mutable_results());
                      response->set_refuses_future_purposes(reply->refuses_future);
                      call->Finish(absl::OkStatus());
                    });
  });
}

grpc::ServerUnaryReactor* SettingsRpc::ListSettingsHistory(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListSettingsHistoryRequest, v1::ListSettingsHistoryResponse>(
      dependencies_, history_, context, in, out, [this](auto call) {
        auto query = wire::ReadListHistory(call->request(), core_.hasher);
        if (!query.ok()) return call->Finish(query.status());
        const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
        if (!from.ok()) return call->Finish(from.status());
        FinishOnPool(dependencies_, call, [this, call, query = *std::move(query), from = *from]() -> absl::Status {
          auto page = reads_.History(query.subject, query.page_size, from.position);
          if (!page.ok()) return page.status();
          service::ShownTexts texts(core_.policies);
          for (const service::HistoryItem& item : page->items) {
            WriteEntry(core_.tokens, item, call->peer(), &texts, call->response()->add_entries());
          }
          WriteTexts(texts, call->response()->mutable_texts());
          if (page->next != 0) {
            const service::PageToken next{core_.PartitionOf(query.subject), page->next};
            call->response()->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
          }
          return absl::OkStatus();
        });
      });
}

grpc::ServerUnaryReactor* SettingsRpc::ListChoices(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::ListChoicesRequest, v1::ListChoicesResponse>(
      dependencies_, choices_, context, in, out, [this](auto call) {
        auto query = wire::ReadListChoices(call->request(), core_.hasher);
        if (!query.ok()) return call->Finish(query.status());
        const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
        if (!from.ok()) return call->Finish(from.status());
        service::ChoiceFilter filter;
        if (query->has_subject) filter.subject = query->subject;
        filter.from = query->from;
        filter.before = query->before;
        filter.to = query->to;
        const auto limit = static_cast<size_t>(query->page_size);
        FinishOnPool(dependencies_, call, [this, call, filter, limit, from = *from]() -> absl::Status {
          const auto page = reads_.Choices(filter, limit, service::ChoicePlace{from.partition, from.position});
          if (!page.ok()) return page.status();
          v1::ListChoicesResponse* response = call->response();
          for (const service::ChoiceItem& item : page->items) {
            v1::ChoiceEntry& choice = *response->add_choices();
            choice.set_account_id(item.account_id);
            WriteEntry(core_.tokens, item.entry, call->peer(), nullptr, choice.mutable_entry());
          }
          response->set_erased(static_cast<int64_t>(page->erased));
          response->set_truncated(page->truncated);
          if (page->next.has_value()) {
            const service::PageToken next{page->next->partition, page->next->sequence};
            response->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
          }
          return absl::OkStatus();
        });
      });
}

grpc::ServerUnaryReactor* SettingsRpc::GetSettingsAt(grpc::CallbackServerContext* context, In in, Out out) {
  return Handle<v1::GetSettingsAtRequest, v1::GetSettingsAtResponse>(
      dependencies_, at_, context, in, out, [this](auto call) {
        const auto query = wire::ReadSettingsAt(call->request(), core_.hasher, core_.Now());
        if (!query.ok()) return call->Finish(query.status());
        FinishOnPool(dependencies_, call, [this, call, query = *query]() -> absl::Status {
          const auto then = reads_.At(query.subject, query.at);
          if (!then.ok()) return then.status();
          v1::GetSettingsAtResponse* response = call->response();
          wire::WriteSettings(then->view.facts, then->view.names, *then->rules, base::Now::Sure(query.at),
                              query.language, response->mutable_settings());
          WriteShown(*then, call->peer(), response);
          response->set_revision(core_.tokens.Encode(then->view.revision));
          *response->mutable_policy() = then->policy->policy();
          response->set_policy_hash(then->policy->hash().data(), then->policy->hash().size());
          return absl::OkStatus();
        });
      });
}

}  // namespace consent::rpc
