#include "client/cli/render/render_subject.h"

#include <string>

#include "client/cli/render/render.h"
#include "client/cli/render/render_texts.h"

namespace consent::cli {
namespace {

std::string ChangeText(const HistoryChange& change) {
  std::string text = ScopeText(change.scope) + " ";
  if (const auto* purpose = std::get_if<PurposeChange>(&change.what)) {
    return text + std::string(Name(purpose->purpose)) + " " + std::string(Name(purpose->from)) + " -> " +
           std::string(Name(purpose->to));
  }
  if (const auto* retention = std::get_if<Retention>(&change.what)) {
    return text + "retention " + RetentionText(*retention);
  }
  if (const auto* other = std::get_if<std::string>(&change.what)) return text + *other;
  return text + "a kind of change that this program does not know";
}

Json ChangeJson(const HistoryChange& change) {
  Json json = {{"scope", ScopeJson(change.scope)}};
  if (const auto* purpose = std::get_if<PurposeChange>(&change.what)) {
    json["purpose"] = Name(purpose->purpose);
    json["from"] = Name(purpose->from);
    json["to"] = Name(purpose->to);
    if (purpose->holds_until.has_value()) json["holds_until"] = TimeText(purpose->holds_until);
  } else if (const auto* retention = std::get_if<Retention>(&change.what)) {
    json["retention"] = RetentionText(*retention);
  } else if (const auto* other = std::get_if<std::string>(&change.what)) {
    json["other"] = *other;
  }
  return json;
}

// Empty where it was not said.
template <typename Enum>
std::string NameOrNone(Enum value) {
  return value == Enum::kUnset ? "" : std::string(Name(value));
}

}  // namespace

Json SubjectJson(const Subject& subject) {
  Json json = {{"region", subject.region},
               {"registered", subject.registered},
               {"closed_at", TimeText(subject.closed_at)},
               {"reopened_at", TimeText(subject.reopened_at)},
               {"etag", subject.etag.value()},
               {"profiles", Json::array()},
               {"devices", Json::array()}};
  for (const Profile& profile : subject.profiles) {
    json["profiles"].push_back({{"profile_id", profile.profile_id.value()},
                                {"age", AgeText(profile.age)},
                                {"guardian_id", profile.guardian.has_value() ? profile.guardian->value() : ""},
                                {"last_active_at", TimeText(profile.last_active_at)}});
  }
  for (const DeviceId& device : subject.devices) json["devices"].push_back(device.value());
  return json;
}

std::vector<Table> SubjectTables(const Subject& subject) {
  Table head("subject", {"REGION", "REGISTERED", "ETAG", "CLOSED", "STARTED ANEW"});
  head.Add({subject.region.empty() ? "unknown" : subject.region, YesNo(subject.registered), subject.etag.value(),
            TimeText(subject.closed_at), TimeText(subject.reopened_at)});
  Table profiles("profile", {"PROFILE", "AGE", "GUARDIAN", "LAST ACTIVE"});
  for (const Profile& profile : subject.profiles) {
    profiles.Add({profile.profile_id.value(), AgeText(profile.age),
                  profile.guardian.has_value() ? profile.guardian->value() : "", TimeText(profile.last_active_at)});
  }
  Table devices("device", {"DEVICE"});
  for (const DeviceId& device : subject.devices) devices.Add({device.value()});
  return {head, profiles, devices};
}

Json HistoryEntryJson(const HistoryEntry& entry) {
  Json changes = Json::array();
  for (const HistoryChange& change : entry.changes) changes.push_back(ChangeJson(change));
  return {{"revision", entry.revision.value()},
          {"time", TimeText(entry.time)},
          {"kind", Name(entry.kind)},
          {"changes", changes},
          {"evidence", EvidenceJson(entry.evidence)},
          {"evidence_withheld", entry.evidence_withheld},
          {"approved_by", entry.approved_by},
          {"proposed_by", entry.proposed_by},
          {"imported", entry.imported},
          {"policy_version", entry.policy_version},
          {"shown_sha256", HashesJson(entry.shown_sha256)},
          {"recording_id", entry.recording_id.value()},
          {"note", entry.note}};
}

Table HistoryTable(const std::vector<HistoryEntry>& entries) {
  Table table("entry", {"TIME", "KIND", "CHANGE", "CHANNEL", "ACTOR", "NOTICE", "IMPORTED", "POLICY", "REVISION"});
  for (const HistoryEntry& entry : entries) {
    std::string text;
    for (const HistoryChange& change : entry.changes) text += (text.empty() ? "" : "; ") + ChangeText(change);
    if (!entry.note.empty()) text += (text.empty() ? "" : "; ") + entry.note;
    const Evidence& evidence = entry.evidence;
    table.Add({TimeText(entry.time), std::string(Name(entry.kind)), text,
               entry.evidence_withheld ? "withheld" : NameOrNone(evidence.channel),
               entry.evidence_withheld ? "withheld" : NameOrNone(evidence.actor), evidence.notice_version,
               YesNo(entry.imported), entry.policy_version, entry.revision.value()});
  }
  return table;
}

Table EvidenceTable(const std::vector<HistoryEntry>& entries) {
  Table table("evidence",
              {"REVISION", "CHANNEL", "ACTOR", "GUARDIAN", "NOTICE", "LANGUAGE", "GIVEN AT", "REFERENCE", "SHOWN"});
  for (const HistoryEntry& entry : entries) {
    const Evidence& evidence = entry.evidence;
    if (evidence == Evidence{}) continue;
    table.Add({entry.revision.value(), NameOrNone(evidence.channel), NameOrNone(evidence.actor),
               evidence.guardian.value(), evidence.notice_version, evidence.notice_language,
               TimeText(evidence.given_at), evidence.reference, HashesText(entry.shown_sha256)});
  }
  return table;
}

}  // namespace consent::cli
