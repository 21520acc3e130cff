#include "client/cli/render/render_explanation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/cli/render/explanation_orders.h"
#include "client/cli/render/explanation_phrases.h"
#include "client/cli/render/explanation_words.h"
#include "client/cli/render/missing_facts.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

constexpr size_t kColumns = 100;

// Adds `words` behind `first`, and further lines behind as many blanks.
void AddLines(const std::string& first, const std::string& words, std::string* text) {
  std::string line = first;
  bool is_empty = true;
  size_t at = 0;
  while (at < words.size()) {
    const size_t end = std::min(words.find(' ', at), words.size());
    if (!is_empty && line.size() + 1 + (end - at) > kColumns) {
      *text += line + "\n";
      line = std::string(first.size(), ' ');
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + words.substr(at, end - at);
    is_empty = false;
    at = end + 1;
  }
  *text += line + "\n";
}

void AddSection(const std::string& title, const std::vector<std::string>& items, std::string* text) {
  if (items.empty()) return;
  *text += "\n" + title + "\n";
  for (const std::string& item : items) AddLines("- ", item, text);
}

// What one sentence says of some scopes.
struct Item {
  ExplainedScope scope;
  std::string who;    // all of them
  std::string words;  // of the first
};

bool SaysTheSame(const Item& item, const ExplainedScope& scope, const std::string& words) {
  const std::string first = WhoOf(item.scope);
  const std::string other = WhoOf(scope);
  return item.words.starts_with(first) && words.starts_with(other) &&
         item.words.substr(first.size()) == words.substr(other.size());
}

// A sentence for each row; of rows that say the same of several scopes one for all of them.
std::vector<std::string> RowItems(const Explanation& explanation, bool matched) {
  std::vector<Item> items;
  for (const ExplainedRow& row : explanation.rows) {
    if (row.matched != matched) continue;
    const std::string words =
        (row.note == RowNote::kCause ? "Why messages are not: " : "") + RowWords(row, explanation);
    const bool is_said = std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.words == words; });
    if (is_said) continue;
    const auto same =
        std::find_if(items.begin(), items.end(), [&](const Item& item) { return SaysTheSame(item, row.scope, words); });
    if (same == items.end()) {
      items.push_back({row.scope, WhoOf(row.scope), words});
    } else {
      same->who += " and " + LowerWhoOf(row.scope);
    }
  }
  std::vector<std::string> sentences;
  for (const Item& item : items) {
    const std::string first = WhoOf(item.scope);
    sentences.push_back(item.words.starts_with(first) ? item.who + item.words.substr(first.size()) : item.words);
  }
  return sentences;
}

std::string HeadOf(const Explanation& explanation) {
  switch (explanation.basis) {
    case ExplanationBasis::kPast:
    case ExplanationBasis::kRecorded:
      return "As of " + DayText(explanation.at) + ". ";
    case ExplanationBasis::kFuture:
      return "On " + DayText(explanation.at) + ": ";
    default:
      return "";
  }
}

void SetTime(const char* name, const std::optional<Time>& time, Json* json) {
  if (time.has_value()) (*json)[name] = TimeText(time);
}

Json ScopeOf(const ExplainedScope& scope) {
  Json json = {{"kind", Name(scope.kind)}};
  if (scope.kind == ScopeKind::kAccount) return json;
  json["named"] = scope.is_named;
  if (!scope.id.empty()) json["id"] = scope.id;
  return json;
}

Json RowJson(const ExplainedRow& row, const Explanation& explanation) {
  Json json = {{"row", Name(row.row)}, {"reason", Name(row.reason)}, {"matched", row.matched}};
  if (row.note != RowNote::kUnset) json["note"] = Name(row.note);
  if (row.purpose != Purpose::kUnset) json["purpose"] = Name(row.purpose);
  if (row.scope.kind != ScopeKind::kUnset) json["scope"] = ScopeOf(row.scope);
  if (row.choice != Choice::kUnset) json["choice"] = Name(row.choice);
  if (row.by_guardian) json["by_guardian"] = true;
  if (row.imported) json["imported"] = true;
  if (!row.notice.version.empty()) {
    json["notice"] = {{"version", row.notice.version},
                      {"title", row.notice.title},
                      {"covers_past", row.notice.covers_past},
                      {"says_people_listen", row.notice.says_people_listen}};
  }
  SetTime("since", row.since, &json);
  SetTime("renewed_at", row.renewed_at, &json);
  SetTime("from", row.from, &json);
  SetTime("to", row.to, &json);
  SetTime("at", row.at, &json);
  if (row.retention.has_value()) json["retention"] = RetentionText(*row.retention);
  if (!row.region.empty()) json["region"] = row.region;
  if (!row.regime.empty()) json["regime"] = row.regime;
  json["words"] = RowWords(row, explanation);
  return json;
}

Json RegimeJson(const ExplainedRegime& regime) {
  return {{"name", regime.name},           {"regions", regime.regions},
          {"opt_in", regime.opt_in},       {"false_wake_ttl_seconds", regime.false_wake_ttl.count()},
          {"countries", regime.countries}, {"any_country", regime.any_country},
          {"employees", regime.employees}, {"contractors", regime.contractors}};
}

Json TaskJson(const ExplainedTask& task) {
  Json json = {{"system", task.system}, {"kind", Name(task.kind)}, {"outcome", Name(task.outcome)}};
  SetTime("ended_at", task.ended_at, &json);
  if (!task.reason.empty()) json["reason"] = task.reason;
  if (task.failures > 0) json["failures"] = task.failures;
  SetTime("leased_until", task.leased_until, &json);
  SetTime("not_before", task.not_before, &json);
  if (task.waits_for_release) json["waits_for_release"] = true;
  return json;
}

// What a change of settings deleted elsewhere nobody asked for, and it would only lead astray.
bool ConcernsReader(const ExplainedRequest& request) {
  const bool reaches = request.match == OrderMatch::kYes || request.match == OrderMatch::kPerhaps;
  return reaches || request.cause == DeletionCause::kRequested;
}

Json RequestJson(const ExplainedRequest& request) {
  Json json = {{"deletion_id", request.deletion_id.value()},
               {"match", Name(request.match)},
               {"state", Name(request.state)},
               {"cause", Name(request.cause)},
               {"selection", Name(request.selection)},
               {"scope", ScopeOf(request.scope)}};
  if (request.covers.has_value()) {
    json["covers"] = Json::object();
    SetTime("from", request.covers->from, &json["covers"]);
    SetTime("to", request.covers->to, &json["covers"]);
  }
  if (!request.purposes.empty()) json["purposes"] = NamesJson(request.purposes);
  SetTime("received_at", request.received_at, &json);
  SetTime("verified_at", request.verified_at, &json);
  SetTime("ended_at", request.ended_at, &json);
  SetTime("due_at", request.due_at, &json);
  json["overdue"] = request.overdue;
  if (!request.denied_reason.empty()) json["denied_reason"] = request.denied_reason;
  json["tasks"] = Json::array();
  for (const ExplainedTask& task : request.tasks) json["tasks"].push_back(TaskJson(task));
  return json;
}

Json HoldJson(const ExplainedHold& hold) {
  Json json = {{"hold_id", hold.hold_id.value()},
               {"match", Name(hold.match)},
               {"scope", ScopeOf(hold.scope)},
               {"names_recording", hold.names_recording}};
  SetTime("from", hold.from, &json);
  SetTime("to", hold.to, &json);
  SetTime("placed_at", hold.placed_at, &json);
  SetTime("released_at", hold.released_at, &json);
  return json;
}

}  // namespace

Json ExplanationJson(const Explanation& explanation) {
  Json json = {{"basis", Name(explanation.basis)},
               {"at", TimeText(explanation.at)},
               {"untold", NamesJson(explanation.untold)},
               {"eligibility", Name(explanation.eligibility)},
               {"disposition", Name(explanation.disposition)},
               {"reasons", NamesJson(explanation.reasons)},
               {"rows", Json::array()},
               {"rows_cut", explanation.rows_cut},
               {"missing_facts", FactKeysJson(explanation.missing_facts)},
               {"requests", Json::array()},
               {"holds", Json::array()},
               {"orders_cut", explanation.orders_cut},
               {"regimes", Json::array()},
               {"policy_version", explanation.policy_version},
               {"policy_hash", HexText(explanation.policy_hash)},
               {"revision", explanation.revision.value()}};
  SetTime("policy_since", explanation.policy_since, &json);
  SetTime("changed_at", explanation.changed_at, &json);
  for (const ExplainedRow& row : explanation.rows) json["rows"].push_back(RowJson(row, explanation));
  for (const ExplainedRequest& request : explanation.requests) json["requests"].push_back(RequestJson(request));
  for (const ExplainedHold& hold : explanation.holds) json["holds"].push_back(HoldJson(hold));
  for (const ExplainedRegime& regime : explanation.regimes) json["regimes"].push_back(RegimeJson(regime));
  return json;
}

std::string ExplanationText(const Explanation& explanation, Purpose purpose) {
  std::string text;
  AddLines("", HeadOf(explanation) + AnswerWords(explanation, purpose), &text);
  std::vector<std::string> untold;
  for (const Untold why : explanation.untold) untold.push_back(UntoldWords(why));
  AddSection("What cannot be told any more:", untold, &text);
  AddSection("Why:", RowItems(explanation, true), &text);
  AddSection("What else is known about it:", RowItems(explanation, false), &text);
  std::vector<std::string> holds;
  for (const ExplainedHold& hold : explanation.holds) holds.push_back(HoldWords(hold));
  AddSection("Legal holds:", holds, &text);
  bool has_title = false;
  for (const ExplainedRequest& request : explanation.requests) {
    if (!ConcernsReader(request)) continue;
    if (!has_title) text += "\nDeletions:\n";
    has_title = true;
    const std::vector<std::string> words = RequestWords(request);
    AddLines("- ", words.front(), &text);
    for (size_t i = 1; i < words.size(); ++i) AddLines("  - ", words[i], &text);
  }
  AddSection("The rules:", RuleWords(explanation), &text);
  if (explanation.rows_cut || explanation.orders_cut) {
    AddLines("\n", "There is more than is shown here: more rows, deletions or holds of the account.", &text);
  }
  return text;
}

}  // namespace consent::cli
