#include <cstdint>

#include "client/src/convert.h"

namespace consent {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

template <typename Proto, typename Enum>
Proto Number(Enum value) {
  return static_cast<Proto>(static_cast<int>(value));
}

void ToProto(const Profile& profile, v1::Profile* out) {
  out->set_profile_id(profile.profile_id.value());
  switch (profile.age.kind) {
    case Age::Kind::kAdult:
      out->mutable_age()->set_adult(true);
      break;
    case Age::Kind::kChild:
      out->mutable_age()->set_child(true);
      break;
    case Age::Kind::kBorn:
      out->mutable_age()->set_born(profile.age.born);
      break;
    case Age::Kind::kUnset:
      break;
  }
  if (profile.guardian.has_value()) out->set_guardian_id(profile.guardian->value());
  if (profile.last_active_at.has_value()) consent::ToProto(*profile.last_active_at, out->mutable_last_active_at());
}

}  // namespace

void ToProto(Time time, google::protobuf::Timestamp* out) {
  const int64_t micros = time.time_since_epoch().count();
  int64_t seconds = micros / kMicrosPerSecond;
  if (micros % kMicrosPerSecond < 0) --seconds;
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>((micros - seconds * kMicrosPerSecond) * 1000));
}

void ToProto(const Scope& scope, v1::Scope* out) {
  if (!scope.profile.empty()) {
    out->set_profile_id(scope.profile.value());
  } else if (!scope.device.empty()) {
    out->set_device_id(scope.device.value());
  }
}

void ToProto(const Evidence& evidence, v1::Evidence* out) {
  out->set_notice_version(evidence.notice_version);
  out->set_notice_language(evidence.notice_language);
  out->set_channel(Number<v1::Channel>(evidence.channel));
  out->set_actor(Number<v1::Actor>(evidence.actor));
  out->set_guardian_id(evidence.guardian.value());
  if (evidence.given_at.has_value()) ToProto(*evidence.given_at, out->mutable_given_at());
  out->set_reference(evidence.reference);
}

void ToProto(const Retention& retention, v1::Retention* out) {
  switch (retention.kind) {
    case Retention::Kind::kUntilDeleted:
      out->set_until_deleted(true);
      break;
    case Retention::Kind::kMonths:
      out->set_months(retention.months);
      break;
    case Retention::Kind::kDoNotSave:
      out->set_do_not_save(true);
      break;
    case Retention::Kind::kUnset:
      break;
  }
}

void ToProto(const SettingTarget& target, v1::SettingTarget* out) {
  if (target.all) {
    out->set_all(true);
  } else if (target.purpose != Purpose::kUnset) {
    out->set_purpose(Number<v1::Purpose>(target.purpose));
  } else if (!target.control.empty()) {
    out->set_control(target.control);
  }
}

void ToProto(const SettingChange& change, v1::SettingChange* out) {
  if (change.scope != Scope{}) ToProto(change.scope, out->mutable_scope());
  ToProto(change.target, out->mutable_target());
  out->set_turn(Number<v1::Switch>(change.turn));
  if (change.answers.has_value()) ToProto(*change.answers, out->mutable_answers());
}

void ToProto(const RetentionChange& change, v1::RetentionChange* out) {
  if (change.scope != Scope{}) ToProto(change.scope, out->mutable_scope());
  ToProto(change.retention, out->mutable_retention());
}

void ToProto(const Recording& recording, v1::Recording* out) {
  out->set_recording_id(recording.recording_id.value());
  out->set_account_id(recording.account_id.value());
  if (recording.captured_at.has_value()) ToProto(*recording.captured_at, out->mutable_captured_at());
  if (recording.captured_uncertainty.has_value()) {
    out->set_captured_uncertainty_ms(recording.captured_uncertainty->count());
  }
  if (recording.ingested_at.has_value()) ToProto(*recording.ingested_at, out->mutable_ingested_at());
  for (const ProfileId& profile : recording.profile_ids) out->add_profile_ids(profile.value());
  out->set_device_id(recording.device_id.value());
  out->set_region(recording.region);
  out->set_wake(Number<v1::Wake>(recording.wake));
  out->set_kind(Number<v1::Kind>(recording.kind));
  out->set_speakers(Number<v1::Speakers>(recording.speakers));
  out->set_identity(Number<v1::Identity>(recording.identity));
  out->set_age(Number<v1::SpeakerAge>(recording.age));
  out->set_artefact(Number<v1::Artefact>(recording.artefact));
  out->set_made_for(Number<v1::Purpose>(recording.made_for));
  for (const Flag flag : recording.flags) out->add_flags(Number<v1::Flag>(flag));
}

void ToProto(const Place& place, v1::Place* out) {
  out->set_country(place.country);
  out->set_site(place.site);
  out->set_reviewer_class(Number<v1::ReviewerClass>(place.reviewer));
}

void ToProto(const SubjectUpdate& update, v1::UpsertSubjectRequest* out) {
  out->set_account_id(update.account_id.value());
  if (update.region.has_value()) out->set_region(*update.region);
  for (const Profile& profile : update.profiles) ToProto(profile, out->add_profiles());
  for (const DeviceId& device : update.devices) out->add_device_ids(device.value());
  for (const ProfileId& profile : update.remove_profiles) out->add_remove_profile_ids(profile.value());
  for (const DeviceId& device : update.remove_devices) out->add_remove_device_ids(device.value());
  for (const SettingChange& change : update.initial_choices) ToProto(change, out->add_initial_choices());
  for (const RetentionChange& change : update.retention) ToProto(change, out->add_retention());
  out->set_etag(update.etag.value());
  if (update.evidence != Evidence{}) ToProto(update.evidence, out->mutable_evidence());
  out->set_request_id(update.request_id.value());
  out->set_create_new(update.create_new);
  out->set_validate_only(update.validate_only);
}

void ToProto(const ChildNotice& notice, v1::RecordChildNoticeRequest* out) {
  out->set_account_id(notice.account_id.value());
  out->set_profile_id(notice.profile_id.value());
  if (notice.evidence != Evidence{}) ToProto(notice.evidence, out->mutable_evidence());
  out->set_request_id(notice.request_id.value());
}

void ToProto(const JoinOrder& order, v1::JoinSubjectsRequest* out) {
  out->set_from_account_id(order.from.value());
  out->set_into_account_id(order.into.value());
  out->set_from_etag(order.from_etag.value());
  out->set_into_etag(order.into_etag.value());
  out->set_into_is_new(order.into_is_new);
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

void ToProto(const ChildrenQuery& query, v1::ListChildrenDueRequest* out) {
  out->set_account_id(query.account_id.value());
  for (const ChildDue due : query.due) out->add_due(Number<v1::ChildDue>(due));
  out->set_page_size(query.page_size);
  out->set_page_token(query.page_token);
}

void ToProto(const SettingsUpdate& update, v1::UpdateSettingsRequest* out) {
  out->set_account_id(update.account_id.value());
  for (const SettingChange& change : update.changes) ToProto(change, out->add_changes());
  for (const RetentionChange& change : update.retention) ToProto(change, out->add_retention());
  out->set_etag(update.etag.value());
  if (update.evidence != Evidence{}) ToProto(update.evidence, out->mutable_evidence());
  out->set_request_id(update.request_id.value());
  out->set_self_profile_id(update.self_profile.value());
  out->set_validate_only(update.validate_only);
  out->set_confirm_restored(update.confirm_restored);
}

void ToProto(const OptOutOrder& order, v1::OptOutRequest* out) {
  out->set_account_id(order.account_id.value());
  if (order.scope != Scope{}) ToProto(order.scope, out->mutable_scope());
  for (const SettingTarget& target : order.targets) ToProto(target, out->add_targets());
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

void ToProto(const RecordingReport& report, v1::ReportRecordingRequest* out) {
  out->set_account_id(report.account_id.value());
  out->set_recording_id(report.recording_id.value());
  for (const Flag flag : report.flags) out->add_flags(Number<v1::Flag>(flag));
  if (report.evidence != Evidence{}) ToProto(report.evidence, out->mutable_evidence());
  out->set_request_id(report.request_id.value());
}

}  // namespace consent
