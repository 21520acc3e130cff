#include "client/src/import_lines.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "client/src/json_fields.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/time.h"

namespace consent {
namespace {

using nlohmann::json;

constexpr size_t kMaxProfiles = 64;
constexpr size_t kMaxDevices = 64;
constexpr size_t kMaxChoices = 64;

std::string At(const char* list, size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

// The object under `index`, or a failure in `fields`.
const json* ObjectAt(const json& list, size_t index, const char* name, Fields* fields) {
  const json& item = list[index];
  if (item.is_object()) return &item;
  fields->Fail(At(name, index).c_str(), "must be an object");
  return nullptr;
}

void ReadScope(const json& object, const std::string& where, Fields* outer, Scope* scope) {
  const auto found = object.find("scope");
  if (found == object.end() || found->is_null()) return;
  if (!found->is_object()) return outer->Fail("scope", "must be an object with profile_id or device_id");
  Fields fields(*found, where + "scope.");
  fields.AllowOnly({"profile_id", "device_id"});
  fields.ReadId("profile_id", &scope->profile);
  fields.ReadId("device_id", &scope->device);
  if (!scope->profile.empty() && !scope->device.empty()) {
    fields.Fail("profile_id", "and device_id exclude each other");
  }
  outer->Take(fields.status());
}

void ReadProfile(const json& object, const std::string& where, Fields* outer, Profile* profile) {
  Fields fields(object, where);
  fields.AllowOnly({"profile_id", "age", "born", "guardian_id", "last_active_at"});
  fields.Require({"profile_id"});
  fields.ReadId("profile_id", &profile->profile_id);
  std::string age;
  if (fields.ReadText("age", 16, &age)) {
    if (age == "ADULT") {
      profile->age.kind = Age::Kind::kAdult;
    } else if (age == "CHILD") {
      profile->age.kind = Age::Kind::kChild;
    } else {
      fields.Fail("age", "must be ADULT or CHILD; give a date of birth as `born`");
    }
  }
  std::string born;
  if (fields.ReadText("born", 10, &born)) {
    base::Date date;
    if (profile->age.kind != Age::Kind::kUnset) fields.Fail("born", "and age exclude each other");
    if (!base::ParseDate(born, &date)) fields.Fail("born", "must be a date: YYYY-MM-DD, YYYY-MM or YYYY");
    profile->age = Age{Age::Kind::kBorn, born};
  }
  if (fields.Has("guardian_id")) fields.ReadId("guardian_id", &profile->guardian.emplace());
  fields.ReadTime("last_active_at", &profile->last_active_at);
  outer->Take(fields.status());
}

void ReadTarget(Fields* fields, SettingTarget* target) {
  const bool has_control = fields->ReadText("control", 64, &target->control);
  fields->ReadName("purpose", &target->purpose);
  if (fields->Has("all")) {
    fields->ReadBool("all", &target->all);
    if (!target->all) fields->Fail("all", "must be true; leave the key out otherwise");
  }
  const int given = (has_control ? 1 : 0) + (target->purpose != Purpose::kUnset ? 1 : 0) + (target->all ? 1 : 0);
  if (given != 1) fields->Fail("control", "exactly one of control, purpose and all must be there");
}

void ReadChoice(const json& object, const std::string& where, Fields* outer, ImportChoice* choice) {
  Fields fields(object, where);
  fields.AllowOnly({"scope", "control", "purpose", "all", "turn", "given_at", "notice_version", "notice_language", "actor",
                    "guardian_id", "reference"});
  fields.Require({"turn"});
  fields.ReadName("turn", &choice->change.turn);
  ReadScope(object, where, &fields, &choice->change.scope);
  ReadTarget(&fields, &choice->change.target);
  Evidence& evidence = choice->evidence;
  evidence.channel = Channel::kImport;
  evidence.actor = Actor::kSelf;
  fields.ReadName("actor", &evidence.actor);
  fields.ReadId("guardian_id", &evidence.guardian);
  fields.ReadText("notice_version", 64, &evidence.notice_version);
  fields.ReadText("notice_language", 35, &evidence.notice_language);
  fields.ReadTime("given_at", &evidence.given_at);
  fields.ReadText("reference", 256, &evidence.reference);
  if (choice->change.turn == Switch::kOn) {
    fields.Require({"notice_version", "notice_language"});
    if (choice->change.target.all) fields.Fail("all", "can only be turned off");
  }
  // A refusal counts from now, whenever it was made: it denies the past with or without its time.
  if (choice->change.turn == Switch::kOff) {
    evidence.given_at.reset();
    evidence.notice_version.clear();
    evidence.notice_language.clear();
  }
  outer->Take(fields.status());
}

void ReadRetention(const json& object, Fields* fields, std::vector<RetentionChange>* out) {
  const auto found = object.find("retention");
  if (found == object.end() || found->is_null()) return;
  const auto add = [&](const std::string& text, const Scope& scope, const std::string& part) {
    const absl::StatusOr<Retention> retention = ParseRetention(text);
    if (!retention.ok()) return fields->Fail(part.c_str(), std::string(retention.status().message()));
    out->push_back({scope, *retention});
  };
  if (found->is_string()) return add(found->get<std::string>(), {}, "retention");
  const json& list = fields->ReadArray("retention", kMaxProfiles + kMaxDevices + 1);
  for (size_t i = 0; i < list.size(); ++i) {
    const json* item = ObjectAt(list, i, "retention", fields);
    if (item == nullptr) return;
    const std::string where = At("retention", i) + ".";
    Fields own(*item, where);
    own.AllowOnly({"scope", "keep"});
    own.Require({"keep"});
    Scope scope;
    ReadScope(*item, where, &own, &scope);
    std::string text;
    own.ReadText("keep", 32, &text);
    fields->Take(own.status());
    if (own.status().ok()) add(text, scope, where + "keep");
  }
}

// Text in the shape of a UUID, from the line and what is done with it.
RequestId RequestIdFor(std::string_view bytes, const std::string& part) {
  std::string input;
  base::Encoder encoder(&input);
  encoder.String("consentctl import 1");
  encoder.String(part);
  const base::Digest digest = base::Blake2b(input, bytes);
  const std::string hex = base::Hex(base::View(digest).substr(0, 16));
  return RequestId(hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
                   hex.substr(20));
}

bool EndsByItself(const RetentionChange& change) { return change.retention.kind != Retention::Kind::kUntilDeleted; }

bool OnlyRestricts(const ImportLine& line) {
  return !line.region.has_value() && line.profiles.empty() && line.devices.empty() &&
         std::all_of(line.retention.begin(), line.retention.end(), EndsByItself) &&
         std::none_of(line.choices.begin(), line.choices.end(),
                      [](const ImportChoice& choice) { return choice.change.turn == Switch::kOn; });
}

Evidence OfTheImport() {
  Evidence evidence;
  evidence.channel = Channel::kImport;
  evidence.actor = Actor::kSystem;
  return evidence;
}

}  // namespace

absl::StatusOr<Retention> ParseRetention(const std::string& text) {
  if (text == "until-deleted") return Retention{Retention::Kind::kUntilDeleted, 0};
  if (text == "do-not-save") return Retention{Retention::Kind::kDoNotSave, 0};
  int months = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, months);
  if (error == std::errc() && at + 1 == end && *at == 'm' && months >= 1 && months <= 120) {
    return Retention{Retention::Kind::kMonths, months};
  }
  return absl::InvalidArgumentError("must be until-deleted, do-not-save or 1m to 120m");
}

absl::StatusOr<ImportLine> ParseImportLine(std::string_view bytes) {
  absl::StatusOr<json> object = ParseObject(bytes);
  if (!object.ok()) return object.status();
  ImportLine line;
  Fields fields(*object);
  fields.AllowOnly({"account_id", "region", "profiles", "devices", "choices", "retention"});
  fields.Require({"account_id"});
  fields.ReadId("account_id", &line.account_id);
  std::string region;
  if (fields.ReadText("region", kMaxRegionBytes, &region)) line.region = region;
  const json& profiles = fields.ReadArray("profiles", kMaxProfiles);
  for (size_t i = 0; i < profiles.size(); ++i) {
    const json* item = ObjectAt(profiles, i, "profiles", &fields);
    if (item != nullptr) ReadProfile(*item, At("profiles", i) + ".", &fields, &line.profiles.emplace_back());
  }
  fields.ReadIds("devices", kMaxDevices, &line.devices);
  const json& choices = fields.ReadArray("choices", kMaxChoices);
  for (size_t i = 0; i < choices.size(); ++i) {
    const json* item = ObjectAt(choices, i, "choices", &fields);
    if (item != nullptr) ReadChoice(*item, At("choices", i) + ".", &fields, &line.choices.emplace_back());
  }
  ReadRetention(*object, &fields, &line.retention);
  if (!fields.status().ok()) return fields.status();
  return line;
}

std::vector<ImportCall> RestrictionsOf(const ImportLine& line, std::string_view bytes) {
  std::vector<ImportCall> calls;
  for (size_t i = 0; i < line.choices.size(); ++i) {
    const ImportChoice& choice = line.choices[i];
    if (choice.change.turn != Switch::kOff) continue;
    OptOutOrder order;
    order.account_id = line.account_id;
    order.scope = choice.change.scope;
    order.targets = {choice.change.target};
    order.evidence = choice.evidence;
    order.request_id = RequestIdFor(bytes, "off " + At("choices", i));
    calls.push_back({At("choices", i), std::move(order)});
  }
  SettingsUpdate shorter;
  for (const RetentionChange& change : line.retention) {
    if (EndsByItself(change)) shorter.retention.push_back(change);
  }
  if (!shorter.retention.empty()) {
    shorter.account_id = line.account_id;
    shorter.evidence = OfTheImport();
    shorter.request_id = RequestIdFor(bytes, "retention");
    calls.push_back({"retention", std::move(shorter)});
  }
  return calls;
}

std::vector<ImportCall> LooseningsOf(const ImportLine& line, std::string_view bytes) {
  std::vector<ImportCall> calls;
  if (OnlyRestricts(line)) return calls;
  SubjectUpdate subject;
  subject.account_id = line.account_id;
  subject.region = line.region;
  subject.profiles = line.profiles;
  subject.devices = line.devices;
  for (const RetentionChange& change : line.retention) {
    if (!EndsByItself(change)) subject.retention.push_back(change);
  }
  subject.evidence = OfTheImport();
  subject.request_id = RequestIdFor(bytes, "subject");
  calls.push_back({"subject", std::move(subject)});
  // Consents under one evidence go together, in the order of the line.
  std::vector<std::pair<Evidence, size_t>> seen;
  for (size_t i = 0; i < line.choices.size(); ++i) {
    const ImportChoice& choice = line.choices[i];
    if (choice.change.turn != Switch::kOn) continue;
    size_t call = 0;
    for (const auto& [evidence, index] : seen) {
      if (evidence == choice.evidence) call = index;
    }
    if (call == 0) {
      SettingsUpdate update;
      update.account_id = line.account_id;
      update.evidence = choice.evidence;
      update.request_id = RequestIdFor(bytes, "on " + At("choices", i));
      call = calls.size();
      calls.push_back({At("choices", i), std::move(update)});
      seen.emplace_back(choice.evidence, call);
    } else {
      calls[call].part += "," + At("choices", i);
    }
    std::get<SettingsUpdate>(calls[call].order).changes.push_back(choice.change);
  }
  return calls;
}

}  // namespace consent
