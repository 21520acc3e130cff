#include "client/cli/engines/decision_find.h"

#include <algorithm>
#include <optional>

#include "client/cli/render/render.h"
#include "consent/names.h"
#include "daemon/base/hash.h"
#include "daemon/base/month.h"

namespace consent::cli {
namespace {

constexpr size_t kMostMonths = 240;

bool Holds(const std::vector<std::string>& handles, const std::string& handle) {
  return std::find(handles.begin(), handles.end(), handle) != handles.end();
}

}  // namespace

absl::Status DecisionFind::Begin(Time now) { return Learn(MonthOf(now)); }

void DecisionFind::BeginFile(const std::string& name) {
  file_ = name;
  ++counts_.files;
}

absl::Status DecisionFind::TakeLine(const std::string& text) {
  const absl::StatusOr<DecisionLine> line = ParseDecisionLine(text);
  const std::optional<base::MonthKeyName> key =
      line.ok() ? base::MonthKeyName::Parse(line->record.month) : std::nullopt;
  if (!key.has_value()) {
    ++counts_.unreadable;
    return absl::OkStatus();
  }
  ++counts_.records;
  const DecisionRecord& record = line->record;
  if (!query_.decided.Has(record.wall)) return absl::OkStatus();
  if (absl::Status status = Learn(key->month.ToText()); !status.ok()) return status;
  const auto sought = handles_.find(record.month);
  if (sought == handles_.end() || sought->second.gone) {
    ++(sought == handles_.end() ? counts_.other_stores : counts_.keys_gone);
    return absl::OkStatus();
  }
  if (!line->read.empty()) TakeRead(*line, sought->second);
  for (size_t i = 0; i < record.yeses.size(); ++i) {
    const RecordedYes& yes = record.yeses[i];
    if (!Matches(yes, sought->second)) continue;
    ++counts_.found;
    sink_({.store = base::Hex(record.store_id),
           .file = file_,
           .record = line->number,
           .entry = static_cast<int>(i),
           .decided_at = record.wall,
           .caller = line->caller,
           .call = line->call,
           .purpose = record.purpose,
           .selection = line->selection,
           .place = record.place,
           .captured_at = yes.captured_at,
           .reason = yes.reason,
           .policy_version = record.policy_version,
           .revision = yes.revision});
  }
  return absl::OkStatus();
}

void DecisionFind::TakeRead(const DecisionLine& line, const MonthHandles& sought) {
  const bool is_of_all = sought.recordings.empty() && sought.profiles.empty() && sought.devices.empty();
  if (!is_of_all || line.read_subject != sought.subject) return;
  ++counts_.found;
  sink_({.store = base::Hex(line.record.store_id),
         .file = file_,
         .record = line.number,
         .entry = -1,
         .decided_at = line.record.wall,
         .caller = line.caller,
         .call = line.call,
         .read = line.read});
}

absl::Status DecisionFind::Learn(const std::string& month) {
  if (!asked_.insert(month).second) return absl::OkStatus();
  if (asked_.size() > kMostMonths) {
    return absl::InvalidArgumentError("the files have records of more than " + std::to_string(kMostMonths) +
                                      " months; give some of them at a time");
  }
  const HandleQuery query{query_.account_id, query_.recording_ids, query_.profile_ids, query_.device_ids, {month}};
  for (Client* const client : clients_) {
    absl::StatusOr<DecisionHandles> handles = client->GetDecisionHandles(query);
    if (!handles.ok()) return handles.status();
    for (MonthHandles& under_key : handles->months) {
      MonthHandles& known = handles_[under_key.month];
      // What one store has lost another one may have.
      if (known.month.empty() || known.gone) known = std::move(under_key);
    }
  }
  return absl::OkStatus();
}

bool DecisionFind::Matches(const RecordedYes& yes, const MonthHandles& sought) {
  const bool is_profile = sought.profiles.empty() ||
                          std::any_of(yes.profiles.begin(), yes.profiles.end(),
                                      [&](const std::string& profile) { return Holds(sought.profiles, profile); });
  return yes.subject == sought.subject && is_profile &&
         (sought.recordings.empty() || Holds(sought.recordings, yes.recording)) &&
         (sought.devices.empty() || Holds(sought.devices, yes.device));
}

Json FoundJson(const FoundDecision& found) {
  return {{"decided_at", TimeText(found.decided_at)},
          {"caller", found.caller},
          {"read", found.read},
          {"purpose", Name(found.purpose)},
          {"selection", Name(found.selection)},
          {"country", found.place.country},
          {"reviewer", Name(found.place.reviewer)},
          {"site", found.place.site},
          {"captured_at", TimeText(found.captured_at)},
          {"reason", Name(found.reason)},
          {"policy_version", found.policy_version},
          {"revision", found.revision},
          {"call", found.call},
          {"store", found.store},
          {"record", found.record},
          {"entry", found.entry},
          {"file", found.file}};
}

Json FindCountsJson(const FindCounts& counts) {
  return {{"files", counts.files},
          {"records", counts.records},
          {"found", counts.found},
          {"unreadable", counts.unreadable},
          {"of_other_stores", counts.other_stores},
          {"keys_gone", counts.keys_gone}};
}

bool SawAll(const FindCounts& counts) { return counts.unreadable == 0 && counts.other_stores == 0; }

Table FindCountsTable(const FindCounts& counts) {
  Table table("found", {"FILES", "RECORDS", "FOUND", "UNREADABLE", "OF OTHER STORES", "KEYS GONE"});
  table.Add({std::to_string(counts.files), std::to_string(counts.records), std::to_string(counts.found),
             std::to_string(counts.unreadable), std::to_string(counts.other_stores), std::to_string(counts.keys_gone)});
  return table;
}

Table FoundTable(const std::vector<FoundDecision>& found) {
  Table table("decision", {"DECIDED AT", "CALLER", "READ", "PURPOSE", "SELECTION", "COUNTRY", "REVIEWER", "SITE",
                           "CAPTURED AT", "REASON", "CALL", "RECORD", "ENTRY", "FILE"});
  for (const FoundDecision& one : found) {
    table.Add({TimeText(one.decided_at), one.caller, one.read, std::string(Name(one.purpose)),
               std::string(Name(one.selection)), one.place.country, std::string(Name(one.place.reviewer)),
               one.place.site, TimeText(one.captured_at), std::string(Name(one.reason)), one.call,
               std::to_string(one.record), one.entry < 0 ? "" : std::to_string(one.entry), one.file});
  }
  return table;
}

}  // namespace consent::cli
