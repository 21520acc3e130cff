// The answers of SettingsService.
#include <algorithm>
#include <array>
#include <map>

#include "daemon/domain/effective.h"
#include "daemon/domain/settings.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/settings.h"

namespace consent::wire {
namespace {

using domain::ScopeFacts;

v1::EffectiveAnswer AnswerOf(domain::Answer answer) {
  switch (answer) {
    case domain::Answer::kOn:
      return v1::EFFECTIVE_ANSWER_ON;
    case domain::Answer::kPartial:
      return v1::EFFECTIVE_ANSWER_PARTIAL;
    case domain::Answer::kOff:
      break;
  }
  return v1::EFFECTIVE_ANSWER_OFF;
}

v1::Choice ChoiceOf(domain::Choice choice) {
  switch (choice) {
    case domain::Choice::kUnset:
      return v1::CHOICE_UNSET;
    case domain::Choice::kGiven:
      return v1::CHOICE_GIVEN;
    case domain::Choice::kRefused:
      return v1::CHOICE_REFUSED;
    case domain::Choice::kWithdrawn:
      return v1::CHOICE_WITHDRAWN;
  }
  return v1::CHOICE_UNSPECIFIED;
}

domain::ScopeRef RefOf(const ScopeFacts& scope) { return {scope.kind, scope.handle}; }

// People listen for this purpose alone; the others are done by machines (types.proto).
bool PeopleListen(domain::PurposeSet purposes) { return purposes.Has(domain::Purpose::kHumanReview); }

void WritePurposeSetting(const domain::PurposeState& state, const domain::SubjectFacts& facts,
                         const std::vector<ScopeName>& names, const domain::Rules& rules, v1::PurposeSetting* out) {
  WriteScope(RefOf(facts.scopes[state.scope]), names, out->mutable_scope());
  out->set_purpose(static_cast<v1::Purpose>(state.purpose));
  out->set_choice(ChoiceOf(state.choice.choice));
  out->set_effective(state.on ? v1::EFFECTIVE_ANSWER_ON : v1::EFFECTIVE_ANSWER_OFF);
  out->set_reason(static_cast<v1::Reason>(state.reason));
  if (state.may_ask_again_at.IsSet()) WriteTimestamp(state.may_ask_again_at, out->mutable_may_ask_again_at());
  if (state.choice.choice == domain::Choice::kUnset) return;
  if (state.choice.since.IsSet()) WriteTimestamp(state.choice.since, out->mutable_since());
  if (state.choice.choice != domain::Choice::kGiven) return;
  if (const domain::Notice* notice = rules.FindNotice(state.choice.notice)) out->set_notice_version(notice->version);
  out->set_imported(state.choice.imported);
  if (const base::Instant renewed = state.choice.RenewedAt(); renewed.IsSet()) {
    WriteTimestamp(renewed, out->mutable_renewed());
  }
  const base::Instant end = domain::ConsentEnd(state.choice, rules);
  if (end != base::kEndOfTime) WriteTimestamp(end, out->mutable_holds_until());
}

const char* Words(domain::ChangedWhat what) {
  switch (what) {
    case domain::ChangedWhat::kRegistered:
      return "registered";
    case domain::ChangedWhat::kRegion:
      return "region";
    case domain::ChangedWhat::kAge:
      return "age";
    case domain::ChangedWhat::kGuardian:
      return "guardian";
    case domain::ChangedWhat::kActivity:
      return "activity";
    case domain::ChangedWhat::kScopeAdded:
      return "added";
    case domain::ChangedWhat::kScopeRemoved:
      return "removed with its choices";
    case domain::ChangedWhat::kRefusesFuture:
      return "purposes added later are refused too";
    case domain::ChangedWhat::kFlags:
      return "flags of a recording";
    case domain::ChangedWhat::kChildNotice:
      return "the notice about a child's inactivity went out";
    case domain::ChangedWhat::kRefusedAgain:
      return "refused again";
    case domain::ChangedWhat::kRestoreConfirmed:
      return "what was restored from a backup was confirmed";
    case domain::ChangedWhat::kJoined:
      return "joined with another account";
    case domain::ChangedWhat::kPurpose:
    case domain::ChangedWhat::kRetention:
      break;
  }
  return "other";
}

bool IsOffered(const domain::Notice& notice, const base::Now& now) {
  return notice.valid_from <= now.latest && now.latest < notice.superseded_from;
}

// Whoever agrees to the purpose under it has.
bool Covers(const domain::Notice& notice, domain::Purpose purpose) {
  return notice.purposes.Has(purpose) && (notice.says_people_listen || purpose != domain::Purpose::kHumanReview);
}

// Whoever agrees to the control under it has agreed to all that the control asks for.
bool CoversControl(const domain::Notice& notice, const domain::Control& control) {
  const bool lists_all = (control.purposes.bits & ~notice.purposes.bits) == 0;
  return lists_all && (notice.says_people_listen || !PeopleListen(control.purposes));
}

// The states of a subject and, where it is not registered, of what it will be; and all that it takes to write them.
struct Shown {
  const domain::SubjectFacts& facts;
  const std::vector<ScopeName>& names;
  const domain::Rules& rules;
  const base::Now& now;
  std::string_view language;
  std::vector<domain::PurposeState> states;
  std::vector<domain::PurposeState> once_registered;  // empty: it is registered, or its account is closed
};

// What ControlSetting and PurposeSummary have in common.
template <typename Setting>
void WriteSummary(const Shown& shown, domain::PurposeSet purposes, Setting* out) {
  const domain::Summary summary = domain::Summarise(shown.states, shown.facts, purposes);
  out->set_effective(AnswerOf(summary.answer));
  out->set_reason(static_cast<v1::Reason>(summary.reason));
  out->set_people_listen(PeopleListen(purposes));
  if (summary.may_ask_again_at.IsSet()) WriteTimestamp(summary.may_ask_again_at, out->mutable_may_ask_again_at());
  if (summary.answer == domain::Answer::kPartial) {
    WriteUnreached(domain::UnreachedIn(shown.states, shown.facts, purposes, shown.rules), shown.names, shown.rules,
                   shown.now, out->mutable_unreached());
  }
  if (shown.once_registered.empty()) return;
  out->set_once_registered(AnswerOf(domain::Summarise(shown.once_registered, shown.facts, purposes).answer));
}

void WriteControl(const domain::Control& control, const Shown& shown, v1::ControlSetting* out) {
  out->set_control(control.name);
  WriteSummary(shown, control.purposes, out);
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (control.purposes.Has(purpose)) out->add_purposes(static_cast<v1::Purpose>(purpose));
  }
  if (const domain::Text* text = domain::ChooseText(control.texts, shown.language)) {
    WriteShownText({domain::ShownKind::kControl, control.name, text->language, text->sha256}, *text,
                   out->mutable_text());
  }
  for (const domain::Notice& notice : shown.rules.notices) {
    if (IsOffered(notice, shown.now) && CoversControl(notice, control)) out->add_notice_versions(notice.version);
  }
}

void WriteNotices(const std::vector<domain::PurposeState>& states, const domain::Rules& rules, const base::Now& now,
                  std::string_view language, v1::Settings* out) {
  for (const domain::Notice& notice : rules.notices) {
    const bool is_named = std::any_of(states.begin(), states.end(), [&](const domain::PurposeState& state) {
      return state.choice.choice == domain::Choice::kGiven && state.choice.notice == notice.number;
    });
    const bool is_offered = IsOffered(notice, now);
    if (!is_offered && !is_named) continue;
    v1::NoticeSetting& setting = *out->add_notices();
    const domain::Text* const text = domain::ChooseText(notice.texts, language);
    domain::ShownText shown{domain::ShownKind::kNotice, notice.version, "", {}};
    if (text != nullptr) shown = {domain::ShownKind::kNotice, notice.version, text->language, text->sha256};
    WriteShownText(shown, text != nullptr ? *text : domain::Text{}, setting.mutable_text());
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      if (notice.purposes.Has(purpose)) setting.add_purposes(static_cast<v1::Purpose>(purpose));
    }
    setting.set_says_people_listen(notice.says_people_listen);
    setting.set_covers_past(notice.covers_past);
    setting.set_offered(is_offered);
  }
}

// Of one scope and purpose, as the proto names the scope.
std::string DetailKey(const v1::Scope& scope, int purpose) {
  return std::to_string(purpose) + (scope.device_id().empty() ? "p" : "d") + scope.profile_id() + scope.device_id();
}

}  // namespace

void WriteShownText(const domain::ShownText& shown, const domain::Text& text, v1::ShownText* out) {
  if (shown.kind == domain::ShownKind::kNotice) {
    out->set_notice_version(shown.name);
  } else {
    out->set_control(shown.name);
  }
  out->set_language(shown.language);
  out->set_title(text.title);
  out->set_sentence(text.sentence);
  out->set_sha256(shown.sha256.data(), shown.sha256.size());
}

void WriteUnreached(const std::vector<domain::Unreached>& unreached, const std::vector<ScopeName>& names,
                    const domain::Rules& rules, const base::Now& now,
                    google::protobuf::RepeatedPtrField<v1::Unreached>* out) {
  for (const domain::Unreached& one : unreached) {
    v1::Unreached& written = *out->Add();
    if (one.scope.kind != domain::ScopeKind::kAccount) WriteScope(one.scope, names, written.mutable_scope());
    written.set_purpose(static_cast<v1::Purpose>(one.purpose));
    written.set_reason(static_cast<v1::Reason>(one.reason));
    const domain::Notice* const uncovering = rules.FindNotice(one.uncovering_notice);
    if (uncovering == nullptr) continue;
    written.set_uncovering_notice(uncovering->version);
    for (const domain::Notice& notice : rules.notices) {
      if (IsOffered(notice, now) && Covers(notice, one.purpose)) written.add_notice_versions(notice.version);
    }
  }
}

void WriteConsentsShown(const std::vector<ConsentShown>& consents, const std::vector<ScopeName>& names,
                        v1::Settings* out) {
  std::map<std::string, const ConsentShown*> shown;
  for (const ConsentShown& consent : consents) {
    v1::Scope scope;
    WriteScope(consent.scope, names, &scope);
    shown.emplace(DetailKey(scope, static_cast<int>(consent.purpose)), &consent);
  }
  for (v1::PurposeSetting& detail : *out->mutable_details()) {
    const auto consent = shown.find(DetailKey(detail.scope(), detail.purpose()));
    if (consent == shown.end()) continue;
    for (const domain::ShownText& text : consent->second->texts) {
      detail.add_shown_sha256(text.sha256.data(), text.sha256.size());
    }
  }
}

void WriteSettings(const domain::SubjectFacts& facts, const std::vector<ScopeName>& names, const domain::Rules& rules,
                   const base::Now& now, std::string_view language, v1::Settings* out) {
  Shown shown{facts, names, rules, now, language, domain::States(facts, now, rules), {}};
  if (!facts.registered && !facts.closed_at.IsSet()) {
    shown.once_registered = domain::States(domain::OnceRegistered(facts, now.latest), now, rules);
  }
  for (const domain::Control& control : rules.controls) WriteControl(control, shown, out->add_controls());
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (!rules.purposes.Has(purpose)) continue;
    domain::PurposeSet one;
    one.Add(purpose);
    v1::PurposeSummary& setting = *out->add_purposes();
    setting.set_purpose(static_cast<v1::Purpose>(purpose));
    WriteSummary(shown, one, &setting);
  }
  for (const domain::PurposeState& state : shown.states) {
    WritePurposeSetting(state, facts, names, rules, out->add_details());
  }
  for (const ScopeFacts& scope : facts.scopes) {
    if (scope.IsFold()) continue;
    const bool account = scope.kind == domain::ScopeKind::kAccount;
    if (account || scope.retention != domain::Retention{}) {
      v1::RetentionSetting& setting = *out->add_retention();
      WriteScope(RefOf(scope), names, setting.mutable_scope());
      WriteRetention(scope.retention, setting.mutable_retention());
    }
    if (scope.refused_all_since.IsSet()) WriteScope(RefOf(scope), names, out->add_refused_all());
  }
  for (const size_t adult : domain::AdultProfiles(facts, now, rules)) {
    v1::Scope scope;
    WriteScope(RefOf(facts.scopes[adult]), names, &scope);
    out->add_adult_profile_ids(scope.profile_id());
  }
  WriteNotices(shown.states, rules, now, language, out);
}

void WriteHistoryChange(const domain::FactChange& change, const std::vector<ScopeName>& names, v1::HistoryChange* out) {
  WriteScope(change.scope, names, out->mutable_scope());
  if (change.what == domain::ChangedWhat::kPurpose) {
    v1::PurposeChange& purpose = *out->mutable_purpose();
    purpose.set_purpose(static_cast<v1::Purpose>(change.purpose));
    purpose.set_from(ChoiceOf(change.from));
    purpose.set_to(ChoiceOf(change.to));
    if (change.holds_until.IsSet()) WriteTimestamp(change.holds_until, purpose.mutable_holds_until());
  } else if (change.what == domain::ChangedWhat::kRetention) {
    WriteRetention(change.retention, out->mutable_retention());
  } else {
    out->set_other(Words(change.what));
  }
}

void WriteEvidence(std::string_view evidence, v1::Evidence* out) {
  if (!out->ParseFromArray(evidence.data(), static_cast<int>(evidence.size()))) out->Clear();
}

void WriteConsentEnd(const std::vector<domain::FactChange>& changes, v1::UpdateSettingsResponse* out) {
  base::Instant first;
  for (const domain::FactChange& change : changes) {
    if (change.holds_until.IsSet() && (!first.IsSet() || change.holds_until < first)) first = change.holds_until;
  }
  if (first.IsSet()) WriteTimestamp(first, out->mutable_consent_holds_until());
}

void WriteChangedPurposes(const std::vector<domain::FactChange>& changes, v1::OptOutResponse* out) {
  domain::PurposeSet off;
  for (const domain::FactChange& change : changes) {
    if (change.what == domain::ChangedWhat::kPurpose && domain::SaysNo(change.to)) off.Add(change.purpose);
  }
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (off.Has(purpose)) out->add_changed_purposes(static_cast<v1::Purpose>(purpose));
  }
}

}  // namespace consent::wire
