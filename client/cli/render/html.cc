#include "client/cli/render/html.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "daemon/base/utf8.h"

namespace consent::cli {
namespace {

// In the order of series, after Okabe and Ito: told apart by those who see no red or no green. The dashes tell them
// apart without colour.
constexpr std::array<const char*, 6> kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"};
constexpr std::array<const char*, 6> kDashes = {"none", "6 2", "2 2", "8 3 2 3", "1 3", "10 2"};

constexpr int kLabelWidth = 190;
constexpr int kPlotWidth = 420;
constexpr int kBarHeight = 14;
constexpr int kRowGap = 8;

constexpr char kStyle[] =
    "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:bold}"
    "th,td{border:1px solid #767676;padding:.2rem .6rem}td{text-align:right;font-variant-numeric:tabular-nums}"
    "tbody th{text-align:left;font-weight:normal;overflow-wrap:anywhere;max-width:24rem}"
    "svg{max-width:100%;height:auto}.key{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.5rem}.key "
    "span{display:inline-block;width:1em;height:1em;"
    "vertical-align:-.1em;border:1px solid #1a1a1a}";

std::string Decimal(double value, int decimals) {
  if (value < 0) return "none";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string Shortened(const std::string& label) {
  constexpr size_t kMost = 26;
  if (label.size() <= kMost) return label;
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0) == 0x80) --end;
  return label.substr(0, end) + "…";
}

// The newest rows that have a figure above zero, at most kMostRows, in their order: nobody sees a bar of no length.
std::vector<size_t> PlottedRows(const Chart& chart) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < chart.rows.size(); ++row) {
    const bool shows = std::any_of(chart.series.begin(), chart.series.end(),
                                   [row](const Chart::Series& series) { return series.values[row] > 0; });
    if (shows) rows.push_back(row);
  }
  if (rows.size() > kMostRows) rows.erase(rows.begin(), rows.end() - kMostRows);
  return rows;
}

double Most(const Chart& chart, const std::vector<size_t>& rows) {
  double most = 0;
  for (const Chart::Series& series : chart.series) {
    for (const size_t row : rows) most = std::max(most, series.values[row]);
  }
  return most;
}

std::string Bar(const Chart& chart, size_t row, size_t at, int y, double most) {
  const double value = chart.series[at].values[row];
  const double width = most > 0 && value > 0 ? value / most * kPlotWidth : 0;
  const std::string text = Decimal(value, chart.decimals);
  std::string svg = "<rect x=\"" + std::to_string(kLabelWidth) + "\" y=\"" + std::to_string(y) + "\" width=\"" +
                    Decimal(width, 1) + "\" height=\"" + std::to_string(kBarHeight - 3) + "\" fill=\"" +
                    kColours[at % kColours.size()] + "\" stroke=\"#1a1a1a\" stroke-dasharray=\"" +
                    kDashes[at % kDashes.size()] + "\"/>";
  svg += "<text x=\"" + Decimal(kLabelWidth + width + 5, 1) + "\" y=\"" + std::to_string(y + kBarHeight - 4) +
         "\" font-size=\"11\">" + text + "</text>";
  return svg;
}

std::string Plot(const Chart& chart, const std::vector<size_t>& rows) {
  const double most = Most(chart, rows);
  const int row_height = kBarHeight * static_cast<int>(chart.series.size()) + kRowGap;
  const int height = row_height * static_cast<int>(rows.size()) + kRowGap;
  const int width = kLabelWidth + kPlotWidth + 80;
  const std::string id = chart.id;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"" + id + "-t " + id +
                    "-d\" width=\"" + std::to_string(width) + "\" height=\"" + std::to_string(height) +
                    "\" viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) + "\">\n<title id=\"" +
                    id + "-t\">" + HtmlText(chart.title) + "</title>\n<desc id=\"" + id + "-d\">" +
                    HtmlText(chart.description) + "</desc>\n";
  int y = kRowGap;
  for (const size_t row : rows) {
    svg += "<text x=\"" + std::to_string(kLabelWidth - 8) + "\" y=\"" + std::to_string(y + kBarHeight - 4) +
           "\" font-size=\"12\" text-anchor=\"end\">" + HtmlText(Shortened(chart.rows[row])) + "</text>";
    for (size_t at = 0; at < chart.series.size(); ++at) {
      svg += Bar(chart, row, at, y + kBarHeight * static_cast<int>(at), most);
    }
    svg += "\n";
    y += row_height;
  }
  return svg + "</svg>\n";
}

std::string Key(const Chart& chart) {
  std::string html = "<ul class=\"key\">";
  for (size_t at = 0; at < chart.series.size(); ++at) {
    html += std::string("<li><span style=\"background:") + kColours[at % kColours.size()] + "\"></span> " +
            HtmlText(chart.series[at].name) + "</li>";
  }
  return html + "</ul>\n";
}

std::string TableOf(const Chart& chart) {
  std::string html = "<table>\n<caption>" + HtmlText(chart.title) + "</caption>\n<thead><tr><th scope=\"col\">" +
                     HtmlText(chart.row_name) + "</th>";
  for (const Chart::Series& series : chart.series) {
    html += "<th scope=\"col\">" + HtmlText(series.name) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (size_t row = 0; row < chart.rows.size(); ++row) {
    html += "<tr><th scope=\"row\">" + HtmlText(chart.rows[row]) + "</th>";
    for (const Chart::Series& series : chart.series) {
      html += "<td>" + Decimal(series.values[row], chart.decimals) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

}  // namespace

std::string HtmlText(std::string_view text) {
  constexpr char kReplacement[] = "\xef\xbf\xbd";
  std::string html;
  const bool utf8 = base::IsUtf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (c == '\'') {
      html += "&#39;";
    } else if (byte < 0x20 || byte == 0x7f || (!utf8 && byte >= 0x80)) {
      html += kReplacement;
    } else {
      html += c;
    }
  }
  return html;
}

std::string ChartHtml(const Chart& chart) {
  std::string html = "<section aria-labelledby=\"" + chart.id + "-h\">\n<h2 id=\"" + chart.id + "-h\">" +
                     HtmlText(chart.title) + "</h2>\n<p>" + HtmlText(chart.description) + "</p>\n";
  if (chart.rows.empty()) return html + "<p>There is nothing to show.</p>\n</section>\n";
  const std::vector<size_t> rows = PlottedRows(chart);
  if (rows.empty()) return html + TableOf(chart) + "</section>\n";
  if (rows.size() < chart.rows.size()) {
    html += "<p>The plot leaves out rows without a figure above zero" +
            (rows.size() == kMostRows ? ", and all before the last " + std::to_string(kMostRows) : std::string()) +
            "; the table has all.</p>\n";
  }
  return html + Key(chart) + Plot(chart, rows) + TableOf(chart) + "</section>\n";
}

std::string PageHtml(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
         "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta "
         "name=\"viewport\" content=\"width=device-width\">\n<title>" +
         HtmlText(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n<h1>" + HtmlText(title) +
         "</h1>\n" + body + "</main>\n</body>\n</html>\n";
}

}  // namespace consent::cli
