#include "daemon/wire/change_input.h"

#include <algorithm>
#include <utility>

#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

using base::kMaxRetentionMonths;

// "Must be true" fields of a oneof: the name says it, the value can only confirm it.
void CheckTrue(bool value, const Path& at, Violations* violations) {
  if (!value) violations->Add(at, "must be true");
}

}  // namespace

ChangeReader::ChangeReader(const base::IdHasher& hasher, Violations* violations, Names* names)
    : hasher_(hasher), violations_(violations), names_(names) {}

std::string ChangeReader::Apart(const std::function<void(Violations*)>& read) {
  Violations own;
  Violations* const all = std::exchange(violations_, &own);
  const size_t scopes = names_->scopes.size();
  const size_t guardians = names_->guardians.size();
  read(&own);
  violations_ = all;
  if (own.empty()) return {};
  names_->scopes.resize(scopes);
  names_->guardians.resize(guardians);
  violations_->Append(own);
  return own.Why();
}

void ChangeReader::Name(const domain::ScopeRef& scope, const std::string& id) {
  const auto same = [&](const ScopeName& known) { return known.first == scope; };
  if (std::none_of(names_->scopes.begin(), names_->scopes.end(), same)) names_->scopes.emplace_back(scope, id);
}

domain::ScopeRef ChangeReader::Profile(const std::string& profile_id, const Path& at) {
  CheckId(profile_id, at, violations_);
  const domain::ScopeRef scope{domain::ScopeKind::kProfile, hasher_.Profile(profile_id).bytes};
  Name(scope, profile_id);
  return scope;
}

domain::ScopeRef ChangeReader::Device(const std::string& device_id, const Path& at) {
  CheckId(device_id, at, violations_);
  const domain::ScopeRef scope{domain::ScopeKind::kDevice, hasher_.Device(device_id).bytes};
  Name(scope, device_id);
  return scope;
}

base::GuardianHandle ChangeReader::Guardian(const std::string& guardian_id, const Path& at) {
  CheckId(guardian_id, at, violations_);
  const base::GuardianHandle guardian = hasher_.Guardian(guardian_id);
  const auto same = [&](const GuardianName& known) { return known.first == guardian; };
  if (std::none_of(names_->guardians.begin(), names_->guardians.end(), same)) {
    names_->guardians.emplace_back(guardian, guardian_id);
  }
  return guardian;
}

domain::ScopeRef ChangeReader::Scope(const v1::Scope& scope, const Path& at) {
  switch (scope.kind_case()) {
    case v1::Scope::kProfileId:
      return Profile(scope.profile_id(), Path(at, "profile_id"));
    case v1::Scope::kDeviceId:
      return Device(scope.device_id(), Path(at, "device_id"));
    case v1::Scope::KIND_NOT_SET:
      break;
  }
  return {};
}

domain::Target ChangeReader::Target(const v1::SettingTarget& target, const Path& at) {
  domain::Target out;
  switch (target.kind_case()) {
    case v1::SettingTarget::kControl:
      CheckText(target.control(), 1, kMaxNameBytes, Path(at, "control"), violations_);
      out.kind = domain::TargetKind::kControl;
      out.control = target.control();
      break;
    case v1::SettingTarget::kPurpose:
      CheckChosen(target.purpose(), v1::Purpose_IsValid, Path(at, "purpose"), violations_);
      out.kind = domain::TargetKind::kPurpose;
      out.purpose = static_cast<domain::Purpose>(target.purpose());
      break;
    case v1::SettingTarget::kAll:
      CheckTrue(target.all(), Path(at, "all"), violations_);
      break;
    case v1::SettingTarget::KIND_NOT_SET:
      violations_->Add(at, "must name a control, a purpose or all");
      break;
  }
  return out;
}

domain::Retention ChangeReader::Retention(const v1::Retention& retention, const Path& at) {
  domain::Retention out;
  switch (retention.kind_case()) {
    case v1::Retention::kUntilDeleted:
      CheckTrue(retention.until_deleted(), Path(at, "until_deleted"), violations_);
      break;
    case v1::Retention::kMonths:
      CheckRange(retention.months(), 1, kMaxRetentionMonths, Path(at, "months"), violations_);
      out.kind = domain::RetentionKind::kMonths;
      out.months = static_cast<uint8_t>(retention.months());
      break;
    case v1::Retention::kDoNotSave:
      CheckTrue(retention.do_not_save(), Path(at, "do_not_save"), violations_);
      out.kind = domain::RetentionKind::kDoNotSave;
      break;
    case v1::Retention::KIND_NOT_SET:
      violations_->Add(at, "must say until_deleted, months or do_not_save");
      break;
  }
  return out;
}

std::vector<domain::ChoiceCommand> ChangeReader::Choices(
    const google::protobuf::RepeatedPtrField<v1::SettingChange>& changes, const Path& parent, const char* field) {
  std::vector<domain::ChoiceCommand> out;
  for (int i = 0; i < changes.size(); ++i) {
    const Path at(parent, field, i);
    domain::ChoiceCommand choice;
    choice.unreadable = Apart([&](Violations* own) {
      choice.scope = Scope(changes[i].scope(), Path(at, "scope"));
      choice.target = Target(changes[i].target(), Path(at, "target"));
      CheckChosen(changes[i].turn(), v1::Switch_IsValid, Path(at, "turn"), own);
      choice.on = changes[i].turn() == v1::SWITCH_ON;
      if (!changes[i].has_answers()) return;
      const Path answers(at, "answers");
      choice.answers = ReadTimestamp(changes[i].answers(), answers, own);
      // A no is done whatever stands beside it.
      if (!choice.on) choice.answers = base::Instant{};
    });
    // A target named twice is harmless, and where it is turned on and off the no is done.
    out.push_back(std::move(choice));
  }
  return out;
}

std::vector<domain::RetentionCommand> ChangeReader::Retentions(
    const google::protobuf::RepeatedPtrField<v1::RetentionChange>& changes, const Path& parent) {
  std::vector<domain::RetentionCommand> out;
  for (int i = 0; i < changes.size(); ++i) {
    const Path at(parent, "retention", i);
    domain::RetentionCommand change;
    change.unreadable = Apart([&](Violations*) {
      change.scope = Scope(changes[i].scope(), Path(at, "scope"));
      change.retention = Retention(changes[i].retention(), Path(at, "retention"));
    });
    out.push_back(std::move(change));
  }
  return out;
}

domain::Proof ChangeReader::Evidence(const v1::Evidence& evidence, const Path& at) {
  domain::Proof proof;
  if (!evidence.notice_version().empty()) {
    CheckText(evidence.notice_version(), 1, kMaxNameBytes, Path(at, "notice_version"), violations_);
    proof.notice_version = evidence.notice_version();
  }
  if (!evidence.notice_language().empty()) {
    CheckText(evidence.notice_language(), kMinLanguageBytes, kMaxLanguageBytes, Path(at, "notice_language"),
              violations_);
    proof.notice_language = evidence.notice_language();
  }
  CheckEnum(evidence.channel(), v1::Channel_IsValid, Path(at, "channel"), violations_);
  proof.channel = static_cast<domain::Channel>(evidence.channel());
  CheckEnum(evidence.actor(), v1::Actor_IsValid, Path(at, "actor"), violations_);
  proof.actor = static_cast<domain::Actor>(evidence.actor());
  if (!evidence.guardian_id().empty()) proof.guardian = Guardian(evidence.guardian_id(), Path(at, "guardian_id"));
  if (evidence.has_given_at()) {
    const Path given_at(at, "given_at");
    proof.given_at = ReadTimestamp(evidence.given_at(), given_at, violations_);
    // A channel that is none is told by itself.
    if (v1::Channel_IsValid(evidence.channel()) && evidence.channel() != v1::CHANNEL_IMPORT) {
      violations_->Add(given_at, "may be set with CHANNEL_IMPORT only");
    }
  }
  CheckText(evidence.reference(), 0, kMaxReferenceBytes, Path(at, "reference"), violations_);
  return proof;
}

absl::Status Settle(const Violations& fatal, const Violations& others, domain::Command* command) {
  if (fatal.empty() && others.empty()) return absl::OkStatus();
  const auto& choices = command->choices;
  const auto& retention = command->retention;
  const bool restricts = std::any_of(choices.begin(), choices.end(),
                                     [](const domain::ChoiceCommand& c) { return !c.on && c.unreadable.empty(); }) ||
                         std::any_of(retention.begin(), retention.end(),
                                     [](const domain::RetentionCommand& r) { return r.unreadable.empty(); });
  if (fatal.empty() && restricts) {
    command->unusable = others.Why();
    return absl::OkStatus();
  }
  Violations all = fatal;
  all.Append(others);
  return all.ToStatus();
}

void WriteScope(const domain::ScopeRef& scope, const std::vector<ScopeName>& names, v1::Scope* out) {
  if (scope.kind == domain::ScopeKind::kAccount) return;
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const ScopeName& name) { return name.first == scope; });
  const std::string id = found == names.end() ? std::string() : found->second;
  if (scope.kind == domain::ScopeKind::kProfile) {
    out->set_profile_id(id);
  } else {
    out->set_device_id(id);
  }
}

void WriteRetention(const domain::Retention& retention, v1::Retention* out) {
  switch (retention.kind) {
    case domain::RetentionKind::kUntilDeleted:
      return out->set_until_deleted(true);
    case domain::RetentionKind::kMonths:
      return out->set_months(retention.months);
    case domain::RetentionKind::kDoNotSave:
      return out->set_do_not_save(true);
  }
}

}  // namespace consent::wire
