#include "client/cli/render/render.h"

#include <algorithm>

#include "client/cli/render/render_texts.h"
#include "client/cli/render/render_unreached.h"
#include "daemon/base/hash.h"
#include "daemon/base/time.h"

namespace consent::cli {
namespace {

// Empty where it was not said.
std::string AnswerOrNone(EffectiveAnswer answer) {
  return answer == EffectiveAnswer::kUnset ? "" : std::string(Name(answer));
}

}  // namespace

std::string TimeText(const std::optional<Time>& time) {
  return time.has_value() ? base::FormatRfc3339(base::Instant{time->time_since_epoch().count()}) : "";
}

std::string ScopeText(const Scope& scope) {
  if (!scope.profile.empty()) return "profile:" + scope.profile.value();
  if (!scope.device.empty()) return "device:" + scope.device.value();
  return "account";
}

std::string RetentionText(const Retention& retention) {
  switch (retention.kind) {
    case Retention::Kind::kUntilDeleted:
      return "until-deleted";
    case Retention::Kind::kMonths:
      return std::to_string(retention.months) + "m";
    case Retention::Kind::kDoNotSave:
      return "do-not-save";
    case Retention::Kind::kUnset:
      break;
  }
  return "unknown";
}

std::string AgeText(const Age& age) {
  switch (age.kind) {
    case Age::Kind::kAdult:
      return "adult";
    case Age::Kind::kChild:
      return "child";
    case Age::Kind::kBorn:
      return "born=" + age.born;
    case Age::Kind::kUnset:
      break;
  }
  return "unknown";
}

std::string HexText(const std::string& bytes) { return base::Hex(bytes); }

std::string ListText(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}

Json ScopeJson(const Scope& scope) {
  Json json = Json::object();
  if (!scope.profile.empty()) json["profile_id"] = scope.profile.value();
  if (!scope.device.empty()) json["device_id"] = scope.device.value();
  return json;
}

Json SettingsJson(const Settings& settings) {
  Json json = {{"controls", Json::array()},  {"purposes", Json::array()},    {"details", Json::array()},
               {"retention", Json::array()}, {"refused_all", Json::array()}, {"notices", Json::array()}};
  for (const ControlSetting& control : settings.controls) {
    json["controls"].push_back({{"control", control.control},
                                {"effective", Name(control.effective)},
                                {"reason", Name(control.reason)},
                                {"people_listen", control.people_listen},
                                {"purposes", NamesJson(control.purposes)},
                                {"text", ShownTextJson(control.text)},
                                {"notice_versions", control.notice_versions},
                                {"may_ask_again_at", TimeText(control.may_ask_again_at)},
                                {"unreached", UnreachedJson(control.unreached)},
                                {"once_registered", AnswerOrNone(control.once_registered)}});
  }
  for (const PurposeSummary& purpose : settings.purposes) {
    json["purposes"].push_back({{"purpose", Name(purpose.purpose)},
                                {"effective", Name(purpose.effective)},
                                {"reason", Name(purpose.reason)},
                                {"people_listen", purpose.people_listen},
                                {"may_ask_again_at", TimeText(purpose.may_ask_again_at)},
                                {"unreached", UnreachedJson(purpose.unreached)},
                                {"once_registered", AnswerOrNone(purpose.once_registered)}});
  }
  for (const PurposeSetting& detail : settings.details) {
    json["details"].push_back({{"scope", ScopeJson(detail.scope)},
                               {"purpose", Name(detail.purpose)},
                               {"choice", Name(detail.choice)},
                               {"effective", Name(detail.effective)},
                               {"reason", Name(detail.reason)},
                               {"since", TimeText(detail.since)},
                               {"notice_version", detail.notice_version},
                               {"imported", detail.imported},
                               {"renewed", TimeText(detail.renewed)},
                               {"holds_until", TimeText(detail.holds_until)},
                               {"may_ask_again_at", TimeText(detail.may_ask_again_at)},
                               {"shown_sha256", HashesJson(detail.shown_sha256)}});
  }
  for (const RetentionChange& retention : settings.retention) {
    json["retention"].push_back({{"scope", ScopeJson(retention.scope)}, {"keep", RetentionText(retention.retention)}});
  }
  for (const Scope& scope : settings.refused_all) json["refused_all"].push_back(ScopeJson(scope));
  for (const NoticeSetting& notice : settings.notices) {
    json["notices"].push_back({{"text", ShownTextJson(notice.text)},
                               {"purposes", NamesJson(notice.purposes)},
                               {"says_people_listen", notice.says_people_listen},
                               {"covers_past", notice.covers_past},
                               {"offered", notice.offered}});
  }
  json["adult_profiles"] = Json::array();
  for (const ProfileId& profile : settings.adult_profiles) json["adult_profiles"].push_back(profile.value());
  return json;
}

Json CurrentSettingsJson(const CurrentSettings& current) {
  return {{"registered", current.registered},
          {"etag", current.etag.value()},
          {"policy_version", current.policy_version},
          {"policy_hash", HexText(current.policy_hash)},
          {"settings", SettingsJson(current.settings)}};
}

std::vector<Table> SettingsTables(const Settings& settings) {
  Table controls("control", {"CONTROL", "ANSWER", "WHY", "PEOPLE LISTEN", "PURPOSES", "MAY ASK AGAIN"});
  for (const ControlSetting& control : settings.controls) {
    controls.Add({control.control, std::string(Name(control.effective)), std::string(Name(control.reason)),
                  YesNo(control.people_listen), NamesText(control.purposes), TimeText(control.may_ask_again_at)});
  }
  Table purposes("purpose", {"PURPOSE", "ANSWER", "WHY", "PEOPLE LISTEN"});
  for (const PurposeSummary& purpose : settings.purposes) {
    purposes.Add({std::string(Name(purpose.purpose)), std::string(Name(purpose.effective)),
                  std::string(Name(purpose.reason)), YesNo(purpose.people_listen)});
  }
  Table details("choice",
                {"SCOPE", "PURPOSE", "CHOICE", "ANSWER", "WHY", "SINCE", "HOLDS UNTIL", "NOTICE", "IMPORTED"});
  for (const PurposeSetting& detail : settings.details) {
    details.Add({ScopeText(detail.scope), std::string(Name(detail.purpose)), std::string(Name(detail.choice)),
                 std::string(Name(detail.effective)), std::string(Name(detail.reason)), TimeText(detail.since),
                 TimeText(detail.holds_until), detail.notice_version, YesNo(detail.imported)});
  }
  Table retention("retention", {"SCOPE", "KEEP"});
  for (const RetentionChange& change : settings.retention) {
    retention.Add({ScopeText(change.scope), RetentionText(change.retention)});
  }
  Table refused("refused_all", {"REFUSED EVERYTHING, LATER PURPOSES INCLUDED"});
  for (const Scope& scope : settings.refused_all) refused.Add({ScopeText(scope)});
  std::vector<ShownText> texts;
  for (const ControlSetting& control : settings.controls) texts.push_back(control.text);
  for (const NoticeSetting& notice : settings.notices) texts.push_back(notice.text);
  return {
      controls, UnreachedTable(UnreachedOf(settings)), purposes, details, retention, refused, ShownTextsTable(texts)};
}

std::vector<Table> CurrentSettingsTables(const CurrentSettings& current) {
  Table head("settings", {"ETAG", "POLICY", "REGISTERED"});
  head.Add({current.etag.value(), current.policy_version,
            current.registered ? "yes" : "no: nothing of it may be used; look at the account if that surprises"});
  Table later("once_registered", {"CONTROL", "ONCE REGISTERED"});
  for (const ControlSetting& control : current.settings.controls) {
    if (control.once_registered == EffectiveAnswer::kUnset) continue;
    later.Add({control.control, std::string(Name(control.once_registered))});
  }
  std::vector<Table> tables = SettingsTables(current.settings);
  tables.insert(tables.begin(), {head, later});
  return tables;
}

Json SuspensionJson(const Suspension& suspension) {
  return {{"purpose", Name(suspension.purpose)},
          {"region", suspension.region},
          {"active", suspension.active},
          {"suspended_at", TimeText(suspension.suspended_at)},
          {"resumed_at", TimeText(suspension.resumed_at)},
          {"reason", suspension.reason},
          {"etag", suspension.etag.value()},
          {"changed_by", suspension.changed_by},
          {"proposed_by", suspension.proposed_by}};
}

Json EvidenceJson(const Evidence& evidence) {
  Json json = Json::object();
  const auto add = [&json](const char* key, const std::string& text) {
    if (!text.empty()) json[key] = text;
  };
  add("notice_version", evidence.notice_version);
  add("notice_language", evidence.notice_language);
  if (evidence.channel != Channel::kUnset) json["channel"] = Name(evidence.channel);
  if (evidence.actor != Actor::kUnset) json["actor"] = Name(evidence.actor);
  add("guardian_id", evidence.guardian.value());
  add("given_at", TimeText(evidence.given_at));
  add("reference", evidence.reference);
  return json;
}

Json ReviewCapsJson(const ReviewCaps& caps) {
  Json json = {{"purpose", Name(caps.purpose)}, {"rates", Json::array()}, {"selections", Json::array()}};
  for (const ReviewRate& rate : caps.rates) {
    json["rates"].push_back({{"countries", rate.countries}, {"parts_per_million", rate.parts_per_million}});
  }
  json["per_day"] = caps.per_day;
  for (const auto& [selection, per_day] : caps.selections) {
    json["selections"].push_back({{"selection", Name(selection)}, {"per_day", per_day}});
  }
  json["per_site_day"] = caps.per_site_day;
  json["per_reviewer_shift"] = caps.per_reviewer_shift;
  json["per_account"] = caps.per_account;
  return json;
}

Json PolicyJson(const Policy& policy) {
  Json json = {{"version", policy.version}, {"regimes", Json::array()}};
  for (const Regime& regime : policy.regimes) {
    json["regimes"].push_back({{"name", regime.name},
                               {"regions", regime.regions},
                               {"default_rule", Name(regime.default_rule)},
                               {"false_wake_ttl_seconds", regime.false_wake_ttl_seconds},
                               {"allowed_countries", regime.allowed_countries},
                               {"allowed_sites", regime.allowed_sites},
                               {"allowed_reviewer_classes", NamesJson(regime.allowed_reviewers)},
                               {"allow_several_speakers", regime.allow_several_speakers},
                               {"allow_unmatched_speakers", regime.allow_unmatched_speakers},
                               {"allow_unidentified_single_adult", regime.allow_unidentified_single_adult},
                               {"child_inactive_months", regime.child_inactive_months},
                               {"child_notice_days", regime.child_notice_days}});
  }
  json["unknown_region_regime"] = policy.unknown_region_regime;
  json["purposes"] = NamesJson(policy.purposes);
  json["controls"] = Json::array();
  for (const Control& control : policy.controls) {
    json["controls"].push_back({{"name", control.name}, {"purposes", NamesJson(control.purposes)}});
  }
  json["notices"] = Json::array();
  for (const Notice& notice : policy.notices) {
    json["notices"].push_back({{"version", notice.version},
                               {"languages", notice.languages},
                               {"purposes", NamesJson(notice.purposes)},
                               {"says_people_listen", notice.says_people_listen},
                               {"covers_past", notice.covers_past},
                               {"valid_from", TimeText(notice.valid_from)},
                               {"supersedes", notice.supersedes},
                               {"consent_lifetime_months", notice.consent_lifetime_months}});
  }
  json["ages_of_consent"] = policy.ages_of_consent;
  json["default_age_of_consent"] = policy.default_age_of_consent;
  json["retention_choices"] = {{"until_deleted", policy.retention_choices.until_deleted},
                               {"months", policy.retention_choices.months},
                               {"do_not_save", policy.retention_choices.do_not_save}};
  json["longest_answer_age_seconds"] = policy.longest_answer_age_seconds;
  json["default_capture_uncertainty_ms"] = policy.default_capture_uncertainty_ms;
  json["recorded_purposes"] = NamesJson(policy.recorded_purposes);
  json["backup_keep_days"] = policy.backup_keep_days;
  json["decision_log_keep_months"] = policy.decision_log_keep_months;
  json["safety_hold_hours"] = policy.safety_hold_hours;
  json["safety_acknowledge_hours"] = policy.safety_acknowledge_hours;
  json["safety_handle_hours"] = policy.safety_handle_hours;
  json["review_caps"] = Json::array();
  for (const ReviewCaps& caps : policy.review_caps) json["review_caps"].push_back(ReviewCapsJson(caps));
  return json;
}

Json PartsJson(const std::vector<PartResult>& parts) {
  Json list = Json::array();
  for (const PartResult& part : parts) {
    list.push_back({{"part", part.part},
                    {"applied", part.applied},
                    {"changed", part.changed},
                    {"refused_reason", part.refused_reason},
                    {"refused_message", part.refused_message}});
  }
  return list;
}

Table PartsTable(const std::vector<PartResult>& parts) {
  Table table("part", {"PART", "RESULT", "WHY", "WHAT TO DO"});
  for (const PartResult& part : parts) {
    table.Add({part.part,
               !part.applied  ? "refused"
               : part.changed ? "changed"
                              : "already so",
               part.refused_reason, part.refused_message});
  }
  return table;
}

bool AnyRefused(const std::vector<PartResult>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](const PartResult& part) { return !part.applied; });
}

}  // namespace consent::cli
