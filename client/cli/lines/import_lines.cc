#include "client/cli/lines/import_lines.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "client/lines/json_fields.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/time.h"

namespace consent {
namespace {

using nlohmann::json;

std::string At(const char* list, size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

void ReadScope(const json& object, const std::string& where, Fields* outer, Scope* scope) {
  const auto found = object.find("scope");
  if (found == object.end() || found->is_null()) return;
  if (const std::string why = WhyUnreadable(*found); !why.empty()) return outer->Fail("scope", why);
  if (!found->is_object()) return outer->Fail("scope", "must be an object with profile_id or device_id");
  Fields fields(*found, where + "scope.");
  fields.AllowOnly({"profile_id", "device_id"});
  fields.ReadId("profile_id", &scope->profile);
  fields.ReadId("device_id", &scope->device);
  if (!scope->profile.empty() && !scope->device.empty()) {
    fields.Fail("profile_id", "cannot be given beside device_id");
  }
  outer->Take(fields.status());
}

absl::Status ReadProfile(const json& object, const std::string& where, Profile* profile) {
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
    if (profile->age.kind != Age::Kind::kUnset) fields.Fail("born", "cannot be given beside age");
    if (!base::ParseDate(born, &date)) fields.Fail("born", "must be a date: YYYY-MM-DD, YYYY-MM or YYYY");
    profile->age = Age{Age::Kind::kBorn, born};
  }
  if (fields.Has("guardian_id")) fields.ReadId("guardian_id", &profile->guardian.emplace());
  fields.ReadTime("last_active_at", &profile->last_active_at);
  return fields.status();
}

void ReadTarget(Fields* fields, SettingTarget* target) {
  const bool has_control = fields->ReadText("control", base::kMaxNameBytes, &target->control);
  fields->ReadName("purpose", &target->purpose);
  fields->ReadBool("all", &target->all);
  const int given = (has_control ? 1 : 0) + (target->purpose != Purpose::kUnset ? 1 : 0) + (target->all ? 1 : 0);
  if (given != 1) fields->Fail("control", "exactly one of control, purpose and all must be there");
}

// What a line may hold.
enum class Keys {
  kImport,
  kChanges,
};

Evidence OfTheImport() {
  Evidence evidence;
  evidence.channel = Channel::kImport;
  evidence.actor = Actor::kSystem;
  return evidence;
}

// The objects that it may be where some of `keys` stand in it more than once: one for each choice among their values.
// More than kMostReadings: nothing, and the object itself where none stands twice.
constexpr size_t kMostReadings = 8;
std::vector<json> Readings(const json& object, std::initializer_list<const char*> keys) {
  std::vector<json> readings = {object};
  for (const char* key : keys) {
    const auto found = object.find(key);
    if (found == object.end()) continue;
    const std::vector<json> values = RepeatedValues(*found);
    if (values.empty()) continue;
    std::vector<json> more;
    for (const json& reading : readings) {
      for (const json& value : values) {
        more.push_back(reading);
        more.back()[key] = value;
      }
    }
    readings = std::move(more);
    if (readings.size() > kMostReadings) return {};
  }
  return readings;
}

// Calls read(reading, name) for each that the object may be. Where it may be more than one, that is a fault, and only
// the noes of all are left.
template <typename Read>
void ReadReadings(const json& object, std::initializer_list<const char*> keys, const std::string& part,
                  ImportLine* line, Read&& read) {
  const std::vector<json> readings = Readings(object, keys);
  if (readings.size() == 1) return read(object, part);
  if (readings.empty()) {
    return line->faults.push_back(
        {part, "holds keys that appear twice in too many ways; keep those that are meant", true});
  }
  line->faults.push_back({part, "holds a key that appears twice; keep the one that is meant", false});
  for (size_t i = 0; i < readings.size(); ++i) read(readings[i], part + "." + std::to_string(i));
}

// What it is about and which way it turns is read apart from its evidence: a no counts whatever is wrong with the rest.
void ReadChoice(const json& object, const std::string& part, Keys keys, ImportLine* line) {
  ImportChoice choice;
  const std::string where = part + ".";
  Fields what(object, where);
  what.Require({"turn"});
  what.ReadName("turn", &choice.change.turn);
  ReadScope(object, where, &what, &choice.change.scope);
  ReadTarget(&what, &choice.change.target);
  const bool on = choice.change.turn == Switch::kOn;
  if (!what.status().ok()) return line->faults.push_back({part, std::string(what.status().message()), !on});
  Evidence& evidence = choice.evidence;
  Fields rest(object, where);
  if (keys == Keys::kImport) {
    evidence.channel = Channel::kImport;
    evidence.actor = Actor::kSelf;
    rest.AllowOnly({"scope", "control", "purpose", "all", "turn", "given_at", "notice_version", "notice_language",
                    "actor", "guardian_id", "reference"});
    rest.ReadTime("given_at", &evidence.given_at);
  } else {
    rest.AllowOnly({"scope", "control", "purpose", "all", "turn", "answers", "notice_version", "notice_language",
                    "channel", "actor", "guardian_id", "reference"});
    rest.ReadName("channel", &evidence.channel);
    if (on) rest.ReadTime("answers", &choice.change.answers);
  }
  rest.ReadName("actor", &evidence.actor);
  rest.ReadId("guardian_id", &evidence.guardian);
  rest.ReadText("notice_version", base::kMaxNameBytes, &evidence.notice_version);
  rest.ReadText("notice_language", base::kMinLanguageBytes, base::kMaxLanguageBytes, &evidence.notice_language);
  rest.ReadText("reference", base::kMaxReferenceBytes, &evidence.reference);
  if (on) {
    // Of changes the command line may say the notice for all lines.
    if (keys == Keys::kImport) rest.Require({"notice_version", "notice_language"});
    if (keys == Keys::kChanges) rest.Require({"answers"});
    if (choice.change.target.all) rest.Fail("all", "can only be turned off");
  }
  if (!rest.status().ok()) line->faults.push_back({part, std::string(rest.status().message()), false});
  if (on && !rest.status().ok()) return;
  if (!on) {
    // A refusal counts from now, whenever it was made: it denies the past with or without its time.
    evidence.given_at.reset();
    evidence.notice_version.clear();
    evidence.notice_language.clear();
    // What of its evidence cannot be read goes unsaid.
    if (!rest.status().ok()) evidence = keys == Keys::kImport ? OfTheImport() : Evidence{};
  }
  line->choices.push_back({part, std::move(choice.change), std::move(choice.evidence)});
}

// The value under `key`, or all where the line has it more than once, which is a fault: each may be a no.
std::vector<json> ValuesOf(const json& object, const char* key, ImportLine* line) {
  std::vector<json> values;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return values;
  std::vector<json> repeated = RepeatedValues(*found);
  if (repeated.empty()) return {*found};
  line->faults.push_back({key, WhyUnreadable(*found), false});
  for (json& value : repeated) {
    if (!value.is_null()) values.push_back(std::move(value));
  }
  return values;
}

// Calls read(item, part) for each object of the list. What is no list of at most `most` objects is a fault; beyond
// `most` the items are read all the same. `first`: the number of the list's first item in its part's name.
template <typename Read>
void ReadItems(const json& list, const char* key, size_t first, size_t most, bool may_hide_no, ImportLine* line,
               Read&& read) {
  if (const std::string why = WhyUnreadable(list); !why.empty()) return line->faults.push_back({key, why, may_hide_no});
  if (!list.is_array()) return line->faults.push_back({key, "must be a list", may_hide_no});
  if (list.size() > most) {
    line->faults.push_back({key, "must have at most " + std::to_string(most) + " entries", false});
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object()) {
      read(list[i], At(key, first + i));
    } else {
      line->faults.push_back({At(key, first + i), "must be an object", may_hide_no});
    }
  }
}

template <typename Read>
void ReadList(const json& object, const char* key, size_t most, bool may_hide_no, ImportLine* line, Read&& read) {
  size_t first = 0;
  for (const json& list : ValuesOf(object, key, line)) {
    ReadItems(list, key, first, most, may_hide_no, line, read);
    first += list.is_array() ? list.size() : 0;
  }
}

void AddRetention(const std::string& text, const Scope& scope, const std::string& part, ImportLine* line) {
  const absl::StatusOr<Retention> retention = ParseRetention(text);
  if (!retention.ok()) return line->faults.push_back({part, std::string(retention.status().message()), true});
  line->retention.push_back({part, {scope, *retention}});
}

// As of a choice: whose retention it is and how long it lasts count whatever else stands beside them.
void ReadRetentionEntry(const json& object, const std::string& part, ImportLine* line) {
  const std::string where = part + ".";
  Fields what(object, where);
  what.Require({"keep"});
  Scope scope;
  ReadScope(object, where, &what, &scope);
  std::string text;
  what.ReadText("keep", base::kMaxNameBytes, &text);
  if (!what.status().ok()) return line->faults.push_back({part, std::string(what.status().message()), true});
  AddRetention(text, scope, part, line);
  Fields rest(object, where);
  rest.AllowOnly({"scope", "keep"});
  if (!rest.status().ok()) line->faults.push_back({part, std::string(rest.status().message()), false});
}

void ReadRetention(const json& object, ImportLine* line) {
  size_t first = 0;
  for (const json& value : ValuesOf(object, "retention", line)) {
    if (value.is_string()) {
      AddRetention(value.get<std::string>(), {}, first == 0 ? "retention" : At("retention", first), line);
      first += 1;
      continue;
    }
    ReadItems(value, "retention", first, base::kMaxParts, true, line, [line](const json& item, const std::string& of) {
      ReadReadings(item, {"keep", "scope"}, of, line,
                   [line](const json& reading, const std::string& part) { ReadRetentionEntry(reading, part, line); });
    });
    first += value.is_array() ? value.size() : 0;
  }
}

// Of a yes and a no to the same the no counts, whatever their order; of two yeses to the same the first.
void OverruleYeses(ImportLine* line) {
  const std::vector<ImportChoice> all = line->choices;
  line->choices.clear();
  for (size_t i = 0; i < all.size(); ++i) {
    const SettingChange& change = all[i].change;
    const auto overrules = [&](size_t other) {
      const SettingChange& by = all[other].change;
      if (by.scope != change.scope) return false;
      if (by.turn == Switch::kOff) return by.target.all || by.target == change.target;
      return other < i && by.target == change.target;
    };
    size_t by = 0;
    while (by < all.size() && !(change.turn == Switch::kOn && by != i && overrules(by))) ++by;
    if (by == all.size()) {
      line->choices.push_back(all[i]);
    } else {
      line->overruled.push_back({all[i].part,
                                 all[by].change.turn == Switch::kOff
                                     ? all[by].part + " refuses it: the no counts"
                                     : all[by].part + " says the same; only one can count",
                                 false});
    }
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

bool EndsByItself(const ImportRetention& entry) {
  return entry.change.retention.kind != Retention::Kind::kUntilDeleted;
}

bool OnlyRestricts(const ImportLine& line) {
  return !line.region.has_value() && line.profiles.empty() && line.devices.empty() &&
         std::all_of(line.retention.begin(), line.retention.end(), EndsByItself) &&
         std::none_of(line.choices.begin(), line.choices.end(),
                      [](const ImportChoice& choice) { return choice.change.turn == Switch::kOn; });
}

}  // namespace

absl::StatusOr<Retention> ParseRetention(const std::string& text) {
  if (text == "until-deleted") return Retention{Retention::Kind::kUntilDeleted, 0};
  if (text == "do-not-save") return Retention{Retention::Kind::kDoNotSave, 0};
  int months = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, months);
  if (error == std::errc() && at + 1 == end && *at == 'm' && months >= 1 && months <= base::kMaxRetentionMonths) {
    return Retention{Retention::Kind::kMonths, months};
  }
  return absl::InvalidArgumentError("must be until-deleted, do-not-save or 1m to 120m");
}

namespace {

// Region, profiles, devices.
void ReadPeople(const json& object, ImportLine* line) {
  const auto note = [line](const std::string& part, const absl::Status& status) {
    if (!status.ok()) line->faults.push_back({part, std::string(status.message()), false});
  };
  Fields region(object);
  std::string code;
  region.ReadRegion("region", &code);
  if (!code.empty()) line->region = code;
  note("region", region.status());
  Fields devices(object);
  devices.ReadIds("devices", base::kMaxProfiles, &line->devices);
  note("devices", devices.status());
  ReadList(object, "profiles", base::kMaxProfiles, false, line, [&](const json& item, const std::string& part) {
    note(part, ReadProfile(item, part + ".", &line->profiles.emplace_back()));
  });
}

absl::StatusOr<ImportLine> Parse(std::string_view bytes, Keys allowed) {
  const absl::StatusOr<DamagedObject> read = ParseDamagedObject(bytes);
  if (!read.ok()) return read.status();
  const json& object = read->object;
  ImportLine line;
  Fields whose(object);
  whose.Require({"account_id"});
  whose.ReadId("account_id", &line.account_id);
  if (!whose.status().ok()) return whose.status();
  const auto note = [&line](const char* part, const absl::Status& status, bool may_hide_no) {
    if (!status.ok()) line.faults.push_back({part, std::string(status.message()), may_hide_no});
  };
  Fields keys(object);
  if (allowed == Keys::kImport) {
    keys.AllowOnly({"account_id", "region", "profiles", "devices", "choices", "retention"});
  } else {
    keys.AllowOnly({"account_id", "choices", "retention"});
  }
  note("line", keys.status(), true);
  if (allowed == Keys::kImport) ReadPeople(object, &line);
  ReadList(object, "choices", base::kMaxParts, true, &line, [&](const json& item, const std::string& of) {
    ReadReadings(item, {"turn", "scope", "control", "purpose", "all"}, of, &line,
                 [&](const json& reading, const std::string& part) { ReadChoice(reading, part, allowed, &line); });
  });
  ReadRetention(object, &line);
  // What the parts do not tell themselves, such as a blank behind the line: it hides nothing, and the line allows
  // nothing.
  if (line.faults.empty()) note("line", read->fault, false);
  OverruleYeses(&line);
  return line;
}

}  // namespace

absl::StatusOr<ImportLine> ParseImportLine(std::string_view bytes) { return Parse(bytes, Keys::kImport); }

absl::StatusOr<ImportLine> ParseChangeLine(std::string_view bytes) { return Parse(bytes, Keys::kChanges); }

std::vector<ImportCall> RestrictionsOf(const ImportLine& line, std::string_view bytes) {
  std::vector<ImportCall> calls;
  for (const ImportChoice& choice : line.choices) {
    if (choice.change.turn != Switch::kOff) continue;
    OptOutOrder order;
    order.account_id = line.account_id;
    order.scope = choice.change.scope;
    order.targets = {choice.change.target};
    order.evidence = choice.evidence;
    order.request_id = RequestIdFor(bytes, "off " + choice.part);
    calls.push_back({choice.part, std::move(order)});
  }
  // Each in a call of its own, so that one that is refused takes no other with it.
  for (const ImportRetention& entry : line.retention) {
    if (!EndsByItself(entry)) continue;
    SettingsUpdate shorter;
    shorter.account_id = line.account_id;
    shorter.retention = {entry.change};
    shorter.evidence = OfTheImport();
    shorter.request_id = RequestIdFor(bytes, entry.part);
    calls.push_back({entry.part, std::move(shorter)});
  }
  return calls;
}

std::vector<ImportCall> LooseningsOf(const ImportLine& line, std::string_view bytes) {
  std::vector<ImportCall> calls;
  if (OnlyRestricts(line) || !line.faults.empty()) return calls;
  SubjectUpdate subject;
  subject.account_id = line.account_id;
  subject.region = line.region;
  subject.profiles = line.profiles;
  subject.devices = line.devices;
  for (const ImportRetention& entry : line.retention) {
    if (!EndsByItself(entry)) subject.retention.push_back(entry.change);
  }
  subject.evidence = OfTheImport();
  subject.request_id = RequestIdFor(bytes, "subject");
  calls.push_back({"subject", std::move(subject)});
  // Consents under one evidence go together, in the order of the line.
  std::vector<std::pair<Evidence, size_t>> seen;
  for (const ImportChoice& choice : line.choices) {
    if (choice.change.turn != Switch::kOn) continue;
    size_t call = 0;
    for (const auto& [evidence, index] : seen) {
      if (evidence == choice.evidence) call = index;
    }
    if (call == 0) {
      SettingsUpdate update;
      update.account_id = line.account_id;
      update.evidence = choice.evidence;
      update.request_id = RequestIdFor(bytes, "on " + choice.part);
      call = calls.size();
      calls.push_back({choice.part, std::move(update)});
      seen.emplace_back(choice.evidence, call);
    } else {
      calls[call].part += "," + choice.part;
    }
    std::get<SettingsUpdate>(calls[call].order).changes.push_back(choice.change);
  }
  return calls;
}

}  // namespace consent
