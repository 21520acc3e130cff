#include "daemon/wire/explanation.h"

#include <algorithm>

#include "daemon/wire/change_input.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

void WriteTime(base::Instant time, google::protobuf::Timestamp* (v1::ExplainedRow::*field)(), v1::ExplainedRow* out) {
  if (IsTime(time)) WriteTimestamp(time, (out->*field)());
}

void WriteNotice(domain::NoticeNumber number, const domain::Rules& rules, std::string_view language,
                 v1::ExplainedNotice* out) {
  const domain::Notice* notice = rules.FindNotice(number);
  if (notice == nullptr) return;
  out->set_version(notice->version);
  out->set_covers_past(notice->covers_past);
  out->set_says_people_listen(notice->says_people_listen);
  if (const domain::Text* text = domain::ChooseText(notice->texts, language); text != nullptr) {
    out->set_title(text->title);
  }
}

void WriteRow(const domain::RowFact& fact, const domain::Rules& rules, const NamedScopes& scopes,
              std::string_view language, v1::ExplainedRow* out) {
  out->set_row(static_cast<v1::DecisionRow>(fact.row));
  out->set_reason(static_cast<v1::Reason>(fact.reason));
  out->set_matched(fact.matched);
  out->set_note(static_cast<v1::RowNote>(fact.note));
  out->set_purpose(static_cast<v1::Purpose>(fact.purpose));
  if (fact.scope.has_value()) WriteExplainedScope(*fact.scope, scopes, out->mutable_scope());
  const bool is_of_choice = fact.scope.has_value() && fact.purpose != domain::Purpose::kNone;
  if (is_of_choice) out->set_choice(static_cast<v1::Choice>(static_cast<int>(fact.choice) + v1::CHOICE_UNSET));
  out->set_by_guardian(fact.by_guardian);
  out->set_imported(fact.imported);
  if (fact.notice != 0) WriteNotice(fact.notice, rules, language, out->mutable_notice());
  WriteTime(fact.since, &v1::ExplainedRow::mutable_since, out);
  WriteTime(fact.renewed, &v1::ExplainedRow::mutable_renewed_at, out);
  WriteTime(fact.from, &v1::ExplainedRow::mutable_from, out);
  WriteTime(fact.to, &v1::ExplainedRow::mutable_to, out);
  WriteTime(fact.at, &v1::ExplainedRow::mutable_at, out);
  const bool is_of_retention =
      fact.reason == domain::Reason::kRetentionExpired || fact.reason == domain::Reason::kDoNotSave;
  if (is_of_retention && fact.scope.has_value()) WriteRetention(fact.retention, out->mutable_retention());
  if (fact.region.IsSet()) out->set_region(fact.region.ToString());
  if (fact.regime >= 0) out->set_regime(rules.regimes[static_cast<size_t>(fact.regime)].name);
}

void WriteRegimes(const domain::Explanation& explanation, domain::Purpose purpose, const domain::Rules& rules,
                  v1::Explanation* out) {
  std::vector<size_t> seen;
  for (const domain::ExplainedRegion& one : explanation.regions) {
    const auto known = std::find(seen.begin(), seen.end(), one.regime);
    if (known != seen.end()) {
      out->mutable_regimes(static_cast<int>(known - seen.begin()))->add_regions(one.region.ToString());
      continue;
    }
    seen.push_back(one.regime);
    const domain::Regime& regime = rules.regimes[one.regime];
    v1::ExplainedRegime& written = *out->add_regimes();
    written.set_name(regime.name);
    written.add_regions(one.region.ToString());
    written.set_opt_in(regime.default_rule == domain::DefaultRule::kOptIn);
    written.set_false_wake_ttl_seconds(written.opt_in() ? 0 : regime.false_wake_ttl.micros / 1'000'000);
    written.set_employees(regime.employees);
    written.set_contractors(regime.contractors);
    const domain::Countries& countries = regime.CountriesFor(purpose);
    written.set_any_country(countries.any);
    for (const domain::Region country : countries.named) written.add_countries(country.ToString());
  }
}

}  // namespace

absl::StatusOr<ExplainInput> ReadExplainCheck(const v1::ExplainCheckRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ExplainInput input;
  RefuseMistypedHere(request, root, &violations);
  if (!request.has_recording()) violations.Add(Path(root, "recording"), "must be set");
  CheckEnum(request.purpose(), v1::Purpose_IsValid, Path(root, "purpose"), &violations);
  input.purpose = static_cast<domain::Purpose>(request.purpose());
  if (request.has_place()) ReadPlace(request.place(), Path(root, "place"), &violations, &input.place);
  if (request.has_at()) {
    const Path at(root, "at");
    RefuseMistypedHere(request.at(), at, &violations);
    input.at = ReadTimestamp(request.at(), at, &violations);
  }
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  input.language = request.language();
  if (!violations.empty()) return violations.ToStatus();
  const v1::Recording& recording = request.recording();
  if (!ReadRecording(recording, hasher, Path(root, "recording"), &violations, &input.subject, &input.recording_id,
                     &input.facts)) {
    return violations.ToStatus();
  }
  for (int i = 0; i < recording.profile_ids_size(); ++i) {
    const base::ProfileHandle& profile = input.facts.profiles[static_cast<size_t>(i)];
    input.scopes.emplace_back(domain::ScopeRef{domain::ScopeKind::kProfile, profile.bytes}, recording.profile_ids(i));
  }
  if (input.facts.device.IsSet()) {
    input.scopes.emplace_back(domain::ScopeRef{domain::ScopeKind::kDevice, input.facts.device.bytes},
                              recording.device_id());
  }
  return input;
}

void WriteExplainedScope(const domain::ScopeRef& scope, const NamedScopes& scopes, v1::ExplainedScope* out) {
  out->set_kind(static_cast<v1::ScopeKind>(static_cast<int>(scope.kind) + v1::SCOPE_KIND_ACCOUNT));
  if (scope.kind == domain::ScopeKind::kAccount) return;
  const auto named =
      std::find_if(scopes.begin(), scopes.end(), [&scope](const auto& one) { return one.first == scope; });
  if (named == scopes.end()) return;
  out->set_is_named(true);
  out->set_id(named->second);
}

void WriteExplanation(const domain::Explanation& explanation, domain::Purpose purpose, const domain::Rules& rules,
                      const NamedScopes& scopes, std::string_view language, v1::Explanation* out) {
  const domain::Decision& decision = explanation.decision;
  out->set_eligibility(static_cast<v1::Eligibility>(decision.eligibility));
  out->set_disposition(static_cast<v1::Disposition>(decision.disposition));
  decision.ForEachReason([&](domain::Reason reason) { out->add_reasons(static_cast<v1::Reason>(reason)); });
  for (const domain::RowFact& fact : explanation.rows) WriteRow(fact, rules, scopes, language, out->add_rows());
  out->set_rows_cut(explanation.cut);
  decision.missing.ForEach(
      [&](domain::MissingFact fact) { out->add_missing_facts(static_cast<v1::MissingFact>(fact)); });
  WriteRegimes(explanation, purpose, rules, out);
}

}  // namespace consent::wire
