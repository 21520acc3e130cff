#include "client/cli/render/explanation_phrases.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>

#include "client/cli/printable.h"

namespace consent::cli {
namespace {

constexpr size_t kShort = 8;

}  // namespace

std::string DayText(const std::optional<Time>& time) {
  constexpr std::array kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                  "July",    "August",   "September", "October", "November", "December"};
  if (!time.has_value()) return "an unknown time";
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::minutes>(*time - day));
  std::array<char, 64> text{};
  const auto number = [](auto count) { return static_cast<int>(count); };
  std::snprintf(text.data(), text.size(), "%u %s %d, %02d:%02d", static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                number(clock.hours().count()), number(clock.minutes().count()));
  return std::string(text.data()) + " UTC";
}

std::string PurposeWords(Purpose purpose) {
  switch (purpose) {
    case Purpose::kHumanReview:
      return "people listening";
    case Purpose::kModelTraining:
      return "training of models";
    case Purpose::kFeatureDevelopment:
      return "development of features";
    case Purpose::kMessageTranscription:
      return "transcription of messages";
    case Purpose::kVoiceIdentification:
      return "recognition of voices";
    case Purpose::kPersonalisation:
      return "personalisation";
    case Purpose::kAdvertising:
      return "advertising";
    case Purpose::kUnset:
      break;
  }
  return "an unknown use";
}

std::string LowerWhoOf(const ExplainedScope& scope) {
  if (scope.kind == ScopeKind::kAccount) return "the account";
  if (scope.kind == ScopeKind::kUnset) return "somebody";
  const std::string kind = scope.kind == ScopeKind::kProfile ? "profile" : "device";
  if (!scope.is_named) return "another " + kind + " of the account";
  return scope.id.empty() ? "the " + kind + " of the recording" : "the " + kind + " \"" + Printable(scope.id) + "\"";
}

std::string WhoOf(const ExplainedScope& scope) {
  std::string words = LowerWhoOf(scope);
  words.front() = static_cast<char>(words.front() - 'a' + 'A');
  return words;
}

std::string CapturesOf(const ExplainedScope& scope, const std::optional<Time>& from, const std::optional<Time>& to) {
  std::string words = from.has_value() || to.has_value() ? "what was recorded" : "all recordings";
  if (scope.kind == ScopeKind::kProfile) words += " of " + LowerWhoOf(scope);
  if (scope.kind == ScopeKind::kDevice) words += " by " + LowerWhoOf(scope);
  if (from.has_value()) words += " from " + DayText(from);
  if (to.has_value()) words += (from.has_value() ? " to " : " until ") + DayText(to);
  return words;
}

std::string CapturesOf(const ExplainedRow& row) { return CapturesOf(row.scope, row.from, row.to); }

std::string ReachOf(RowNote note) {
  switch (note) {
    case RowNote::kOtherScope:
      return ". This recording is not of that.";
    case RowNote::kOutsideTimes:
      return ". This was not recorded in that time.";
    case RowNote::kOnlyCopies:
      return ", but only copies that were made for certain uses. This is none of them.";
    case RowNote::kPerhaps:
      return ". This recording is so close to the end of that time that it may belong to it: it may not be used, and "
             "is not "
             "deleted for it.";
    default:
      return "";
  }
}

std::string MonthsOf(const Retention& retention) {
  return std::to_string(retention.months) + (retention.months == 1 ? " month" : " months");
}

std::string AgreedOf(const ExplainedRow& row) {
  std::string words =
      row.by_guardian ? "The guardian agreed for " + LowerWhoOf(row.scope) + " to " : WhoOf(row.scope) + " agreed to ";
  words += PurposeWords(row.purpose) + " on " + DayText(row.since);
  if (row.imported) words += ", elsewhere, which was entered here later";
  if (row.renewed_at.has_value()) words += ", and again on " + DayText(row.renewed_at);
  if (row.notice.version.empty()) return words + ".";
  words += ", under the notice " + Printable(row.notice.version);
  if (!row.notice.title.empty()) words += " (\"" + Printable(row.notice.title) + "\")";
  return words + ".";
}

std::string JoinedWords(const std::vector<std::string>& words) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? " and " : ", ";
    joined += Printable(words[i]);
  }
  return joined;
}

std::string ShortList(const std::vector<std::string>& words) {
  if (words.size() <= kShort) return JoinedWords(words);
  std::vector<std::string> first(words.begin(), words.begin() + kShort);
  first.push_back(std::to_string(words.size() - kShort) + " more");
  return JoinedWords(first);
}

}  // namespace consent::cli
