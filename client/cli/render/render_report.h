// `requests report --by`: the same figures as JSON, as CSV and as a page.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/output.h"

namespace consent::cli {

// One figure. All three forms are made of these, so they cannot differ.
struct Figure {
  // "requests", "exempt", "holds", "opt_outs", "opt_outs_by_purpose", "opt_outs_by_channel", "consents_by_notice",
  // "now", "review_rates", "standing".
  std::string section;
  // A period's name; of "review_rates" the month's.
  std::string period;
  // A regime or "(all)", a system and a reason, a purpose, a channel, a notice, of what it stands; empty: there is one
  // group.
  std::string group;
  // For example "received".
  std::string name;
  // Absent: there is none, such as a mean of nothing.
  std::optional<double> value;
};

struct ReportHead {
  std::string from;
  std::string to;
  // "month", ..., or "whole".
  std::string by;
  // Of which only a part belongs to what is reported about.
  std::vector<std::string> partial_periods;
  // What the figures of choices lack; empty: nothing.
  std::string caveat;
};

// As the tables and the CSV show it: whole numbers as such, others with two digits; empty where there is none.
std::string ValueText(const std::optional<double>& value);
Json ReportJson(const ReportHead& head, const std::vector<Figure>& figures);
// RFC 4180 with a header, lines end with LF. A cell that a spreadsheet would take for a formula has ' before it.
std::string ReportCsv(const std::vector<Figure>& figures);
// Self-contained: no script, and nothing is loaded.
std::string ReportHtml(const ReportHead& head, const std::vector<Figure>& figures);

// As RFC 4180 quotes it, and no formula: beginning with =, +, -, @, a tab or a CR it has ' before it.
std::string CsvCell(const std::string& cell);

}  // namespace consent::cli
