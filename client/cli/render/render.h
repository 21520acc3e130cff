// The library's values as JSON objects and as cells of tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/client.h"
#include "consent/names.h"

namespace consent::cli {

// RFC 3339 in UTC; empty where there is none.
std::string TimeText(const std::optional<Time>& time);
inline const char* YesNo(bool value) { return value ? "yes" : "no"; }
// "account", "profile:ID" or "device:ID".
std::string ScopeText(const Scope& scope);
// "until-deleted", "do-not-save", "3m", or "unknown".
std::string RetentionText(const Retention& retention);
std::string AgeText(const Age& age);
std::string HexText(const std::string& bytes);

// Names, as a JSON list and in one cell.
template <typename Enum>
Json NamesJson(const std::vector<Enum>& values) {
  Json list = Json::array();
  for (const Enum value : values) list.push_back(Name(value));
  return list;
}
template <typename Enum>
std::string NamesText(const std::vector<Enum>& values) {
  std::string text;
  for (const Enum value : values) text += (text.empty() ? "" : ",") + std::string(Name(value));
  return text;
}
std::string ListText(const std::vector<std::string>& values);

Json ScopeJson(const Scope& scope);
Json SettingsJson(const Settings& settings);
// {"etag", "policy_version", "policy_hash", "settings"}.
Json CurrentSettingsJson(const CurrentSettings& current);
std::vector<Table> CurrentSettingsTables(const CurrentSettings& current);
std::vector<Table> SettingsTables(const Settings& settings);
Json PolicyJson(const Policy& policy);
Json SuspensionJson(const Suspension& suspension);
Json EvidenceJson(const Evidence& evidence);
// The parts of a write, and whether one of them was refused.
Json PartsJson(const std::vector<PartResult>& parts);
Table PartsTable(const std::vector<PartResult>& parts);
bool AnyRefused(const std::vector<PartResult>& parts);

}  // namespace consent::cli
