#include <algorithm>
#include <cstdint>

#include "client/src/convert.h"
#include "consent/names.h"

namespace consent {
namespace {

template <typename Enum, typename Repeated>
std::vector<Enum> EnumList(const Repeated& numbers) {
  std::vector<Enum> values;
  values.reserve(static_cast<size_t>(numbers.size()));
  for (const int number : numbers) values.push_back(FromNumber<Enum>(number));
  return values;
}

ShownText TextOf(const v1::ShownText& text) {
  return {text.notice_version(), text.control(), text.language(), text.title(), text.sentence(), text.sha256()};
}

PurposeSetting FromProto(const v1::PurposeSetting& setting) {
  PurposeSetting value;
  value.scope = consent::FromProto(setting.scope());
  value.purpose = FromNumber<Purpose>(setting.purpose());
  value.choice = FromNumber<Choice>(setting.choice());
  value.effective = FromNumber<EffectiveAnswer>(setting.effective());
  value.reason = FromNumber<Reason>(setting.reason());
  if (setting.has_since()) value.since = consent::FromProto(setting.since());
  value.notice_version = setting.notice_version();
  value.imported = setting.imported();
  if (setting.has_renewed()) value.renewed = consent::FromProto(setting.renewed());
  if (setting.has_holds_until()) value.holds_until = consent::FromProto(setting.holds_until());
  if (setting.has_may_ask_again_at()) value.may_ask_again_at = consent::FromProto(setting.may_ask_again_at());
  value.shown_sha256.assign(setting.shown_sha256().begin(), setting.shown_sha256().end());
  return value;
}

HistoryChange FromProto(const v1::HistoryChange& change) {
  HistoryChange value;
  value.scope = consent::FromProto(change.scope());
  switch (change.what_case()) {
    case v1::HistoryChange::kPurpose:
      value.what = PurposeChange{FromNumber<Purpose>(change.purpose().purpose()),
                                 FromNumber<Choice>(change.purpose().from()), FromNumber<Choice>(change.purpose().to()),
                                 change.purpose().has_holds_until()
                                     ? std::optional<Time>(consent::FromProto(change.purpose().holds_until()))
                                     : std::nullopt};
      break;
    case v1::HistoryChange::kRetention:
      value.what = consent::FromProto(change.retention());
      break;
    case v1::HistoryChange::kOther:
      value.what = change.other();
      break;
    case v1::HistoryChange::WHAT_NOT_SET:
      break;
  }
  return value;
}

Profile FromProto(const v1::Profile& profile) {
  Profile value;
  value.profile_id = ProfileId(profile.profile_id());
  switch (profile.age().kind_case()) {
    case v1::Age::kAdult:
      value.age.kind = profile.age().adult() ? Age::Kind::kAdult : Age::Kind::kUnset;
      break;
    case v1::Age::kChild:
      value.age.kind = Age::Kind::kChild;
      break;
    case v1::Age::kBorn:
      value.age = Age{Age::Kind::kBorn, profile.age().born()};
      break;
    case v1::Age::KIND_NOT_SET:
      break;
  }
  if (profile.has_guardian_id()) value.guardian = GuardianId(profile.guardian_id());
  if (profile.has_last_active_at()) value.last_active_at = consent::FromProto(profile.last_active_at());
  return value;
}

Regime FromProto(const v1::Regime& regime) {
  Regime value;
  value.name = regime.name();
  value.regions.assign(regime.regions().begin(), regime.regions().end());
  value.default_rule = FromNumber<DefaultRule>(regime.default_rule());
  value.false_wake_ttl_seconds = regime.false_wake_ttl_seconds();
  value.allowed_countries.assign(regime.allowed_countries().begin(), regime.allowed_countries().end());
  value.allowed_sites.assign(regime.allowed_sites().begin(), regime.allowed_sites().end());
  value.allowed_reviewers = EnumList<ReviewerClass>(regime.allowed_reviewer_classes());
  value.allow_several_speakers = regime.allow_several_speakers();
  value.allow_unmatched_speakers = regime.allow_unmatched_speakers();
  value.allow_unidentified_single_adult = regime.allow_unidentified_single_adult();
  value.child_inactive_months = regime.child_inactive_months();
  value.child_notice_days = regime.child_notice_days();
  return value;
}

Notice FromProto(const v1::Notice& notice) {
  Notice value;
  value.version = notice.version();
  value.languages.assign(notice.languages().begin(), notice.languages().end());
  value.purposes = EnumList<Purpose>(notice.purposes());
  value.says_people_listen = notice.says_people_listen();
  value.covers_past = notice.covers_past();
  if (notice.has_valid_from()) value.valid_from = consent::FromProto(notice.valid_from());
  value.supersedes.assign(notice.supersedes().begin(), notice.supersedes().end());
  value.consent_lifetime_months = notice.consent_lifetime_months();
  return value;
}

}  // namespace

std::optional<Time> FromProto(const google::protobuf::Timestamp& time) {
  // Years 1 to 9999, the range of a Timestamp.
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  if (time.seconds() < kFirst || time.seconds() > kLast || time.nanos() < 0 || time.nanos() > 999'999'999) return {};
  return Time(std::chrono::microseconds(time.seconds() * 1'000'000 + time.nanos() / 1000));
}

Scope FromProto(const v1::Scope& scope) { return {ProfileId(scope.profile_id()), DeviceId(scope.device_id())}; }

Evidence FromProto(const v1::Evidence& evidence) {
  Evidence value;
  value.notice_version = evidence.notice_version();
  value.notice_language = evidence.notice_language();
  value.channel = FromNumber<Channel>(evidence.channel());
  value.actor = FromNumber<Actor>(evidence.actor());
  value.guardian = GuardianId(evidence.guardian_id());
  if (evidence.has_given_at()) value.given_at = FromProto(evidence.given_at());
  value.reference = evidence.reference();
  return value;
}

Retention FromProto(const v1::Retention& retention) {
  switch (retention.kind_case()) {
    case v1::Retention::kUntilDeleted:
      return {Retention::Kind::kUntilDeleted, 0};
    case v1::Retention::kMonths:
      return {Retention::Kind::kMonths, retention.months()};
    case v1::Retention::kDoNotSave:
      return {Retention::Kind::kDoNotSave, 0};
    case v1::Retention::KIND_NOT_SET:
      break;
  }
  return {};
}

PartResult FromProto(const v1::PartResult& result) {
  return {result.part(), result.applied(), result.changed(), result.refused_reason(), result.refused_message()};
}

std::vector<Unreached> FromProto(const google::protobuf::RepeatedPtrField<v1::Unreached>& unreached) {
  std::vector<Unreached> values;
  for (const v1::Unreached& one : unreached) {
    values.push_back({FromProto(one.scope()),
                      FromNumber<Purpose>(one.purpose()),
                      FromNumber<Reason>(one.reason()),
                      one.uncovering_notice(),
                      {one.notice_versions().begin(), one.notice_versions().end()}});
  }
  return values;
}

Settings FromProto(const v1::Settings& settings) {
  Settings value;
  for (const auto& control : settings.controls()) {
    ControlSetting& one = value.controls.emplace_back();
    one.control = control.control();
    one.effective = FromNumber<EffectiveAnswer>(control.effective());
    one.reason = FromNumber<Reason>(control.reason());
    one.people_listen = control.people_listen();
    one.purposes = EnumList<Purpose>(control.purposes());
    one.text = TextOf(control.text());
    one.notice_versions.assign(control.notice_versions().begin(), control.notice_versions().end());
    if (control.has_may_ask_again_at()) one.may_ask_again_at = FromProto(control.may_ask_again_at());
    one.unreached = FromProto(control.unreached());
    one.once_registered = FromNumber<EffectiveAnswer>(control.once_registered());
  }
  for (const auto& purpose : settings.purposes()) {
    value.purposes.push_back({FromNumber<Purpose>(purpose.purpose()), FromNumber<EffectiveAnswer>(purpose.effective()),
                              FromNumber<Reason>(purpose.reason()), purpose.people_listen(),
                              purpose.has_may_ask_again_at() ? FromProto(purpose.may_ask_again_at()) : std::nullopt,
                              FromProto(purpose.unreached()), FromNumber<EffectiveAnswer>(purpose.once_registered())});
  }
  for (const auto& detail : settings.details()) value.details.push_back(FromProto(detail));
  for (const auto& retention : settings.retention()) {
    value.retention.push_back({FromProto(retention.scope()), FromProto(retention.retention())});
  }
  for (const auto& scope : settings.refused_all()) value.refused_all.push_back(FromProto(scope));
  for (const auto& notice : settings.notices()) {
    value.notices.push_back({TextOf(notice.text()), EnumList<Purpose>(notice.purposes()), notice.says_people_listen(),
                             notice.covers_past(), notice.offered()});
  }
  for (const std::string& profile : settings.adult_profile_ids()) value.adult_profiles.emplace_back(profile);
  return value;
}

std::vector<ShownText> FromProto(const google::protobuf::RepeatedPtrField<v1::ShownText>& texts) {
  std::vector<ShownText> values;
  for (const v1::ShownText& text : texts) values.push_back(TextOf(text));
  return values;
}

HistoryEntry FromProto(const v1::HistoryEntry& entry) {
  HistoryEntry value;
  value.revision = Etag(entry.revision());
  if (entry.has_time()) value.time = FromProto(entry.time());
  value.kind = FromNumber<ChangeKind>(entry.kind());
  for (const auto& change : entry.changes()) value.changes.push_back(FromProto(change));
  value.evidence = FromProto(entry.evidence());
  value.evidence_withheld = entry.evidence_withheld();
  value.approved_by = entry.approved_by();
  value.proposed_by = entry.proposed_by();
  value.imported = entry.imported();
  value.policy_version = entry.policy_version();
  value.shown_sha256.assign(entry.shown_sha256().begin(), entry.shown_sha256().end());
  value.recording_id = RecordingId(entry.recording_id());
  value.note = entry.note();
  return value;
}

Subject FromProto(const v1::GetSubjectResponse& response) {
  Subject subject;
  subject.region = response.region();
  for (const auto& profile : response.profiles()) subject.profiles.push_back(FromProto(profile));
  for (const auto& device : response.device_ids()) subject.devices.emplace_back(device);
  subject.registered = response.registered();
  if (response.has_closed_at()) subject.closed_at = FromProto(response.closed_at());
  if (response.has_reopened_at()) subject.reopened_at = FromProto(response.reopened_at());
  subject.etag = Etag(response.etag());
  return subject;
}

InactiveChild FromProto(const v1::InactiveChild& child) {
  InactiveChild value;
  value.account_id = AccountId(child.account_id());
  value.profile_id = ProfileId(child.profile_id());
  value.guardian = GuardianId(child.guardian_id());
  value.due = FromNumber<ChildDue>(child.due());
  if (child.has_last_active_at()) value.last_active_at = FromProto(child.last_active_at());
  if (child.has_inactive_at()) value.inactive_at = FromProto(child.inactive_at());
  if (child.has_notice_at()) value.notice_at = FromProto(child.notice_at());
  if (child.has_purge_at()) value.purge_at = FromProto(child.purge_at());
  return value;
}

ReviewCaps FromProto(const v1::ReviewCaps& caps) {
  ReviewCaps value;
  value.purpose = FromNumber<Purpose>(caps.purpose());
  for (const auto& rate : caps.rates()) {
    value.rates.push_back({{rate.countries().begin(), rate.countries().end()}, rate.parts_per_million()});
  }
  value.per_day = caps.per_day();
  for (const auto& of : caps.selections())
    value.selections.emplace_back(FromNumber<Selection>(of.selection()), of.per_day());
  value.per_site_day = caps.per_site_day();
  value.per_reviewer_shift = caps.per_reviewer_shift();
  value.per_account = caps.per_account();
  return value;
}

Policy FromProto(const v1::Policy& policy) {
  Policy value;
  value.version = policy.version();
  for (const auto& regime : policy.regimes()) value.regimes.push_back(FromProto(regime));
  value.unknown_region_regime = policy.unknown_region_regime();
  value.purposes = EnumList<Purpose>(policy.purposes());
  for (const auto& control : policy.controls()) {
    value.controls.push_back({control.name(), EnumList<Purpose>(control.purposes())});
  }
  for (const auto& notice : policy.notices()) value.notices.push_back(FromProto(notice));
  value.ages_of_consent.insert(policy.ages_of_consent().begin(), policy.ages_of_consent().end());
  value.default_age_of_consent = policy.default_age_of_consent();
  value.retention_choices.until_deleted = policy.retention_choices().until_deleted();
  value.retention_choices.months.assign(policy.retention_choices().months().begin(),
                                        policy.retention_choices().months().end());
  value.retention_choices.do_not_save = policy.retention_choices().do_not_save();
  value.longest_answer_age_seconds = policy.longest_answer_age_seconds();
  value.default_capture_uncertainty_ms = policy.default_capture_uncertainty_ms();
  value.recorded_purposes = EnumList<Purpose>(policy.recorded_purposes());
  value.backup_keep_days = policy.backup_keep_days();
  value.decision_log_keep_months = policy.decision_log_keep_months();
  value.safety_hold_hours = policy.safety_hold_hours();
  value.safety_acknowledge_hours = policy.safety_acknowledge_hours();
  value.safety_handle_hours = policy.safety_handle_hours();
  for (const auto& caps : policy.review_caps()) value.review_caps.push_back(FromProto(caps));
  return value;
}

ClockState FromProto(const v1::ClockState& clock) {
  ClockState out;
  if (clock.has_wall()) out.wall = FromProto(clock.wall());
  if (clock.has_trusted()) out.trusted = FromProto(clock.trusted());
  // What is not a time cannot be trusted.
  out.doubtful = clock.doubtful() || !out.wall || !out.trusted;
  return out;
}

Suspension FromProto(const v1::Suspension& suspension) {
  Suspension value;
  value.purpose = FromNumber<Purpose>(suspension.purpose());
  value.region = suspension.region();
  value.active = suspension.active();
  if (suspension.has_suspended_at()) value.suspended_at = FromProto(suspension.suspended_at());
  if (suspension.has_resumed_at()) value.resumed_at = FromProto(suspension.resumed_at());
  value.reason = suspension.reason();
  value.etag = Etag(suspension.etag());
  value.changed_by = suspension.changed_by();
  value.proposed_by = suspension.proposed_by();
  return value;
}

ReceivedDecision FromProto(const v1::Decision& decision) {
  ReceivedDecision value;
  value.eligibility = FromNumber<Eligibility>(decision.eligibility());
  value.disposition = FromNumber<Disposition>(decision.disposition());
  value.reasons = EnumList<Reason>(decision.reasons());
  value.missing_facts = EnumList<MissingFact>(decision.missing_facts());
  value.revision = decision.revision();
  // Later than any Timestamp is nonsense and would overflow sums; it is cut to nothing.
  constexpr int64_t kLastMicros = 253'402'300'799'999'999;
  const int64_t good_until = decision.good_until_us();
  value.good_until = Time(std::chrono::microseconds(good_until > 0 && good_until <= kLastMicros ? good_until : 0));
  return value;
}

}  // namespace consent
