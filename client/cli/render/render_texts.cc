#include "client/cli/render/render_texts.h"

#include <string>

#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

std::string OutcomeText(const Appeal& appeal) {
  return appeal.outcome == AppealOutcome::kUnset ? "" : std::string(Name(appeal.outcome));
}

std::string MarksText(const Appeal& appeal) {
  std::vector<std::string> marks;
  if (appeal.acknowledgement_overdue) marks.emplace_back("ACKNOWLEDGEMENT_OVERDUE");
  if (appeal.answer_overdue) marks.emplace_back("ANSWER_OVERDUE");
  return ListText(marks);
}

}  // namespace

Json ShownTextJson(const ShownText& text) {
  Json json = Json::object();
  if (!text.notice_version.empty()) json["notice_version"] = text.notice_version;
  if (!text.control.empty()) json["control"] = text.control;
  json["language"] = text.language;
  json["title"] = text.title;
  json["sentence"] = text.sentence;
  json["sha256"] = HexText(text.sha256);
  return json;
}

Json ShownTextsJson(const std::vector<ShownText>& texts) {
  Json json = Json::array();
  for (const ShownText& text : texts) json.push_back(ShownTextJson(text));
  return json;
}

Table ShownTextsTable(const std::vector<ShownText>& texts) {
  Table table("text", {"NOTICE", "CONTROL", "LANGUAGE", "TITLE", "SENTENCE", "SHA-256"});
  for (const ShownText& text : texts) {
    table.Add({text.notice_version, text.control, text.language, text.title, text.sentence, HexText(text.sha256)});
  }
  return table;
}

Json HashesJson(const std::vector<std::string>& hashes) {
  Json json = Json::array();
  for (const std::string& hash : hashes) json.push_back(HexText(hash));
  return json;
}

std::string HashesText(const std::vector<std::string>& hashes) {
  std::vector<std::string> texts;
  texts.reserve(hashes.size());
  for (const std::string& hash : hashes) texts.push_back(HexText(hash));
  return ListText(texts);
}

Json AppealsJson(const std::vector<Appeal>& appeals) {
  Json json = Json::array();
  for (const Appeal& appeal : appeals) {
    json.push_back({{"kind", Name(appeal.kind)},
                    {"state", Name(appeal.state)},
                    {"received_at", TimeText(appeal.received_at)},
                    {"acknowledge_by", TimeText(appeal.acknowledge_by)},
                    {"acknowledged_at", TimeText(appeal.acknowledged_at)},
                    {"acknowledgement_overdue", appeal.acknowledgement_overdue},
                    {"answer_by", TimeText(appeal.answer_by)},
                    {"answered_at", TimeText(appeal.answered_at)},
                    {"answer_overdue", appeal.answer_overdue},
                    {"outcome", OutcomeText(appeal)},
                    {"answer", appeal.answer}});
  }
  return json;
}

Table AppealsTable(const std::vector<Appeal>& appeals) {
  Table table("appeal", {"KIND", "STATE", "MARKS", "RECEIVED", "ACKNOWLEDGE BY", "ACKNOWLEDGED", "ANSWER BY",
                         "ANSWERED", "OUTCOME", "ANSWER"});
  for (const Appeal& appeal : appeals) {
    table.Add({std::string(Name(appeal.kind)), std::string(Name(appeal.state)), MarksText(appeal),
               TimeText(appeal.received_at), TimeText(appeal.acknowledge_by), TimeText(appeal.acknowledged_at),
               TimeText(appeal.answer_by), TimeText(appeal.answered_at), OutcomeText(appeal), appeal.answer});
  }
  return table;
}

Json HowToAppealJson(const std::optional<HowToAppeal>& how) {
  if (!how.has_value()) return nullptr;
  return {{"language", how->language}, {"sentence", how->sentence}, {"url", how->url}};
}

Table HowToAppealTable(const std::optional<HowToAppeal>& how) {
  Table table("how_to_appeal", {"LANGUAGE", "HOW TO APPEAL", "WHERE"});
  if (how.has_value()) table.Add({how->language, how->sentence, how->url});
  return table;
}

}  // namespace consent::cli
