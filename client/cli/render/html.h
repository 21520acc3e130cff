// Pieces of an HTML page that stands for itself: no script, no style or picture from elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace consent::cli {

// For text and for attributes in double quotes. Bytes that are no UTF-8, and control characters, become U+FFFD.
std::string HtmlText(std::string_view text);

// Figures that are shown as a plot and, beside it, as a table.
struct Chart {
  // Unique on the page; letters, digits and hyphens.
  std::string id;
  std::string title;
  // What one looks at, in a sentence.
  std::string description;
  // What the rows are, for example "Period".
  std::string row_name;
  std::vector<std::string> rows;
  struct Series {
    std::string name;
    // One for each row; below zero: there is none.
    std::vector<double> values;
  };
  std::vector<Series> series;
  // Digits behind the point.
  int decimals = 0;
};

// A <section> with heading, <svg> and <table>. A bar says its value in words, too, and series differ by more than
// colour. The plot shows at most kMostRows rows, the newest; the table all.
inline constexpr size_t kMostRows = 24;
std::string ChartHtml(const Chart& chart);

// A whole page; `body` is HTML.
std::string PageHtml(const std::string& title, const std::string& body);

}  // namespace consent::cli
