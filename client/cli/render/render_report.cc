#include "client/cli/render/render_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "client/cli/render/html.h"

namespace consent::cli {
namespace {

constexpr char kAllGroups[] = "(all)";

Json ValueJson(const std::optional<double>& value) {
  if (!value.has_value()) return nullptr;
  if (*value == std::floor(*value)) return static_cast<int64_t>(*value);
  return std::round(*value * 100) / 100;
}

void AddOnce(const std::string& name, std::vector<std::string>* names) {
  if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
}

// What one chart takes of the figures.
struct ChartOf {
  const char* id;
  const char* title;
  const char* description;
  const char* section;
  // Empty: all groups.
  const char* group;
  const char* row_name;
  // The row of a figure.
  enum class Row { kPeriod, kGroup, kPeriodAndGroup } row;
  // Name of the figure, and what the column is called.
  std::vector<std::pair<const char*, const char*>> columns;
  int decimals = 0;
};

std::string RowOf(const ChartOf& of, const Figure& figure) {
  switch (of.row) {
    case ChartOf::Row::kPeriod:
      return figure.period;
    case ChartOf::Row::kGroup:
      return figure.group;
    case ChartOf::Row::kPeriodAndGroup:
      break;
  }
  return figure.period + ", " + figure.group;
}

// Figures of one row add up: those of a group over all periods.
std::string ChartOfFigures(const ChartOf& of, const std::vector<Figure>& figures) {
  Chart chart{of.id, of.title, of.description, of.row_name, {}, {}, of.decimals};
  const auto belongs = [&of](const Figure& figure) {
    const std::string group = of.group;
    return figure.section == of.section && (group.empty() || figure.group == group);
  };
  for (const Figure& figure : figures) {
    if (belongs(figure)) AddOnce(RowOf(of, figure), &chart.rows);
  }
  for (const auto& [name, title] : of.columns) {
    Chart::Series& series = chart.series.emplace_back();
    series.name = title;
    series.values.assign(chart.rows.size(), -1);
    for (const Figure& figure : figures) {
      if (!belongs(figure) || figure.name != name || !figure.value.has_value()) continue;
      const auto row = std::find(chart.rows.begin(), chart.rows.end(), RowOf(of, figure));
      double& value = series.values[static_cast<size_t>(row - chart.rows.begin())];
      value = std::max(value, 0.0) + *figure.value;
    }
  }
  return ChartHtml(chart);
}

std::vector<ChartOf> OpenCharts() {
  using Row = ChartOf::Row;
  return {
      {"now",
       "Open now",
       "Requests that were open when this was made, whenever they were received.",
       "now",
       "",
       "Regime",
       Row::kGroup,
       {{"due", "Due"},
        {"overdue", "Overdue"},
        {"on_hold", "On hold"},
        {"confirmation_overdue", "Receipt not confirmed in time"}}},
  };
}

std::vector<ChartOf> RequestCharts() {
  using Row = ChartOf::Row;
  return {
      {"requests",
       "Requests to delete",
       "Requests that somebody made: received in each period, and ended in it.",
       "requests",
       kAllGroups,
       "Period",
       Row::kPeriod,
       {{"received", "Received"},
        {"complied_whole", "Complied with in whole"},
        {"complied_part", "Complied with in part"},
        {"denied", "Denied"},
        {"cancelled", "Cancelled"}}},
      {"days",
       "Days to respond",
       "From receipt to the answer, complied with or denied, in days of 24 hours, of requests answered in each period.",
       "requests",
       kAllGroups,
       "Period",
       Row::kPeriod,
       {{"median_days", "Median"}, {"mean_days", "Mean"}},
       2},
      {"regimes",
       "Requests by regime",
       "The same by the regime whose deadlines count.",
       "requests",
       "",
       "Period and regime",
       Row::kPeriodAndGroup,
       {{"received", "Received"},
        {"extended", "Of these extended"},
        {"complied_whole", "Complied with in whole"},
        {"complied_part", "Complied with in part"},
        {"denied", "Denied"}}},
      {"california",
       "Yearly figures for California, 11 CCR 7102(a)",
       "Requests to delete: received, complied with in whole or in part, denied, and median and mean days to the "
       "answer. The regulation asks for calendar years: report by year, and take the rows of the regime for "
       "California. "
       "Opting out is not answered by a request here: it is in force when it is acknowledged. Requests to know and to "
       "correct are not kept by consentd.",
       "california",
       "",
       "Period and regime",
       Row::kPeriodAndGroup,
       {{"received", "Received"},
        {"complied", "Complied with in whole or in part"},
        {"denied", "Denied"},
        {"median_days", "Median days"},
        {"mean_days", "Mean days"}},
       2},
  };
}

std::vector<ChartOf> OtherCharts() {
  using Row = ChartOf::Row;
  return {
      {"exempt",
       "What data systems kept",
       "Parts of requests that ended as EXEMPT, by data system and ground.",
       "exempt",
       "",
       "System and reason",
       Row::kGroup,
       {{"parts", "Parts"}}},
      {"holds",
       "Legal holds",
       "Placed and released in each period, and in force when it ended.",
       "holds",
       "",
       "Period",
       Row::kPeriod,
       {{"placed", "Placed"}, {"released", "Released"}, {"in_force_at_end", "In force at its end"}}},
  };
}

std::vector<ChartOf> ChoiceCharts() {
  using Row = ChartOf::Row;
  return {
      {"opt-outs",
       "Opt-outs",
       "Entries that said a no, new or again.",
       "opt_outs",
       "",
       "Period",
       Row::kPeriod,
       {{"entries", "Entries"}}},
      {"opt-outs-by-purpose",
       "Opt-outs by purpose",
       "Entries that turned a purpose off, over all periods; one may turn off several.",
       "opt_outs_by_purpose",
       "",
       "Purpose",
       Row::kGroup,
       {{"entries", "Entries"}}},
      {"opt-outs-by-channel",
       "Opt-outs by channel",
       "Over all periods.",
       "opt_outs_by_channel",
       "",
       "Channel",
       Row::kGroup,
       {{"entries", "Entries"}}},
      {"consents",
       "Consents by notice",
       "Entries that gave or renewed a consent, over all periods, by the notice shown.",
       "consents_by_notice",
       "",
       "Notice",
       Row::kGroup,
       {{"entries", "Entries"}}},
  };
}

std::vector<ChartOf> RateCharts() {
  using Row = ChartOf::Row;
  return {
      {"review-rates",
       "How much people listened to",
       "Recordings that were opened for a review, of a million utterances that were reported, with the bounds of the "
       "95 % interval and what the policy allows now (1,000,000: any number). Each month that the time touches counts "
       "as a whole.",
       "review_rates",
       "",
       "Month, purpose and country",
       Row::kPeriodAndGroup,
       {{"measured_parts_per_million", "Measured"},
        {"low_parts_per_million", "At least"},
        {"high_parts_per_million", "At most"},
        {"allowed_parts_per_million", "Allowed"}},
       2},
      {"review-counts",
       "What the rates are made of",
       "Recordings that were opened for a review, and utterances that callers reported.",
       "review_rates",
       "",
       "Month, purpose and country",
       Row::kPeriodAndGroup,
       {{"heard", "Heard"}, {"utterances", "Utterances"}}},
  };
}

// The California section is the requests' with whole and part as one.
std::vector<Figure> WithCalifornia(const std::vector<Figure>& figures) {
  std::vector<Figure> all = figures;
  for (const Figure& figure : figures) {
    if (figure.section != "requests") continue;
    Figure asked = figure;
    asked.section = "california";
    if (figure.name == "complied_whole" || figure.name == "complied_part") asked.name = "complied";
    all.push_back(std::move(asked));
  }
  return all;
}

// A table without a plot: counts and days have no common axis.
std::string StandingHtml(const std::vector<Figure>& figures) {
  std::string rows;
  for (const Figure& figure : figures) {
    if (figure.section != "standing") continue;
    rows += "<tr><th scope=\"row\">" + HtmlText(figure.group) + "</th><th scope=\"row\">" + HtmlText(figure.name) +
            "</th><td>" + (figure.value.has_value() ? ValueText(figure.value) : "none") + "</td></tr>\n";
  }
  return "<section aria-labelledby=\"standing-h\">\n<h2 id=\"standing-h\">How it stands</h2>\n<p>When this was made. "
         "Names that end in _days are days of 24 hours since then or until then; below zero: past.</p>\n"
         "<table>\n<caption>How it stands</caption>\n<thead><tr><th scope=\"col\">Of</th><th scope=\"col\">Figure</th>"
         "<th scope=\"col\">Now</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</section>\n";
}

}  // namespace

// Whole numbers as such; hundredths of a day are as fine as anybody reads.
std::string ValueText(const std::optional<double>& value) {
  if (!value.has_value()) return "";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), *value == std::floor(*value) ? "%.0f" : "%.2f", *value);
  return text.data();
}

std::string CsvCell(const std::string& cell) {
  std::string safe = cell;
  if (!safe.empty() && std::string_view("=+-@\t\r").find(safe.front()) != std::string_view::npos)
    safe.insert(0, 1, '\'');
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

Json ReportJson(const ReportHead& head, const std::vector<Figure>& figures) {
  Json json = {{"from", head.from},     {"to", head.to},
               {"by", head.by},         {"partial_periods", head.partial_periods},
               {"caveat", head.caveat}, {"figures", Json::array()}};
  for (const Figure& figure : figures) {
    json["figures"].push_back({{"section", figure.section},
                               {"period", figure.period},
                               {"group", figure.group},
                               {"name", figure.name},
                               {"value", ValueJson(figure.value)}});
  }
  return json;
}

std::string ReportCsv(const std::vector<Figure>& figures) {
  std::string text = "section,period,group,name,value\n";
  for (const Figure& figure : figures) {
    text += CsvCell(figure.section) + "," + CsvCell(figure.period) + "," + CsvCell(figure.group) + "," +
            CsvCell(figure.name) + "," + ValueText(figure.value) + "\n";
  }
  return text;
}

std::string ReportHtml(const ReportHead& head, const std::vector<Figure>& figures) {
  std::string body = "<p>From " + HtmlText(head.from) + " until before " + HtmlText(head.to) + ", UTC, by " +
                     HtmlText(head.by) + ". Made by consentctl of what the daemon holds.</p>\n";
  if (!head.partial_periods.empty()) {
    body += "<p>Only a part belongs to what is reported about of:";
    for (const std::string& period : head.partial_periods) body += " " + HtmlText(period);
    body += ".</p>\n";
  }
  if (!head.caveat.empty()) body += "<p><strong>" + HtmlText(head.caveat) + "</strong></p>\n";
  const std::vector<Figure> all = WithCalifornia(figures);
  for (const ChartOf& chart : OpenCharts()) body += ChartOfFigures(chart, all);
  for (const ChartOf& chart : RequestCharts()) body += ChartOfFigures(chart, all);
  for (const ChartOf& chart : OtherCharts()) body += ChartOfFigures(chart, all);
  for (const ChartOf& chart : ChoiceCharts()) body += ChartOfFigures(chart, all);
  for (const ChartOf& chart : RateCharts()) body += ChartOfFigures(chart, all);
  body += StandingHtml(figures);
  return PageHtml("Consent and deletion report", body);
}

}  // namespace consent::cli
