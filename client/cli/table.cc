#include "client/cli/table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <string_view>
#include <utility>

#include "client/cli/printable.h"
#include "client/cli/terminal.h"

namespace consent::cli {
namespace {

constexpr size_t kGap = 2;
// A column of words is not made narrower, and a longer word is broken rather than have its column wider.
constexpr size_t kNarrowest = 12;
constexpr size_t kLongestWord = 24;

// Columns of names that people copy or compare: they are not broken while the table is one, and times in them are
// names.
constexpr std::array<std::string_view, 25> kIdentities = {
    "ACCOUNT",  "RECORDING", "PROFILE", "DEVICE",           "GUARDIAN", "DELETION", "HOLD",
    "PROPOSAL", "ETAG",      "TASK",    "SYSTEM",           "REVISION", "HASH",     "SHA-256",
    "STORE",    "FILE",      "CALL",    "VERSION",          "CONTROL",  "PURPOSE",  "NOTICE",
    "EVIDENCE", "REFERENCE", "CALLER",  "NEXT PAGE: --page"};

bool IsIdentity(std::string_view header) {
  return std::find(kIdentities.begin(), kIdentities.end(), header) != kIdentities.end();
}

// Whether `text` from `begin` on looks like `form`, in which 0 stands for any digit.
bool LooksLike(std::string_view text, size_t begin, std::string_view form) {
  if (text.size() - begin < form.size()) return false;
  for (size_t i = 0; i < form.size(); ++i) {
    const char c = text[begin + i];
    const bool is_digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (form[i] == '0' ? !is_digit : c != form[i]) return false;
  }
  return true;
}

// Times without fractions of a second.
std::string ToSeconds(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.0";
  constexpr size_t kWhole = kForm.size() - 2;
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    if (!LooksLike(text, at, kForm)) {
      shown += text[at++];
      continue;
    }
    shown += text.substr(at, kWhole);
    at += kWhole + 1;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
  }
  return shown;
}

std::string Coloured(const std::string& text, const char* colour, bool may) {
  return may && !text.empty() ? colour + text + "\033[0m" : text;
}

constexpr char kBold[] = "\033[1m";
constexpr char kRed[] = "\033[1;31m";

std::string WithoutBlanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

// One row, each cell wrapped in its column.
std::string RowText(const std::vector<std::string>& cells, const std::vector<size_t>& widths, const char* colour,
                    bool may) {
  std::vector<std::vector<std::string>> wrapped;
  size_t height = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    wrapped.push_back(WrapText(cells[i], widths[i]));
    height = std::max(height, wrapped.back().size());
  }
  std::string text;
  for (size_t line = 0; line < height; ++line) {
    std::string all;
    for (size_t i = 0; i < wrapped.size(); ++i) {
      const std::string part = line < wrapped[i].size() ? wrapped[i][line] : "";
      all += part + std::string(widths[i] - std::min(widths[i], DisplayWidth(part)) + kGap, ' ');
    }
    text += Coloured(WithoutBlanks(all), colour, may) + "\n";
  }
  return text;
}

}  // namespace

Table::Rows Table::ShownRows() const {
  Rows rows;
  for (const std::vector<std::string>& row : rows_) {
    std::vector<std::string>& shown = rows.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      shown.push_back(Printable(IsIdentity(headers_[i]) ? row[i] : ToSeconds(row[i])));
    }
  }
  return rows;
}

Table Table::WithoutEmptyColumns() const {
  std::vector<std::string> headers;
  Rows kept(rows_.size());
  for (size_t i = 0; i < headers_.size(); ++i) {
    if (std::all_of(rows_.begin(), rows_.end(), [i](const auto& row) { return row[i].empty(); })) continue;
    headers.push_back(headers_[i]);
    for (size_t row = 0; row < rows_.size(); ++row) kept[row].push_back(rows_[row][i]);
  }
  Table table(name_, std::move(headers));
  table.rows_ = std::move(kept);
  return table;
}

std::vector<size_t> Table::Fit(const Rows& rows, size_t columns) const {
  std::vector<size_t> widest;
  std::vector<size_t> widths;
  for (size_t i = 0; i < headers_.size(); ++i) {
    size_t most = DisplayWidth(headers_[i]);
    size_t least = LongestPiece(headers_[i]);
    for (const std::vector<std::string>& row : rows) {
      const size_t width = DisplayWidth(row[i]);
      most = std::max(most, width);
      const size_t needed = std::max(std::min(width, kNarrowest), std::min(LongestPiece(row[i]), kLongestWord));
      least = std::max(least, IsIdentity(headers_[i]) ? width : needed);
    }
    widest.push_back(most);
    widths.push_back(least);
  }
  const size_t gaps = kGap * (headers_.size() - 1);
  const size_t wanted = std::accumulate(widest.begin(), widest.end(), gaps);
  if (wanted <= columns) return widest;
  size_t used = std::accumulate(widths.begin(), widths.end(), gaps);
  if (used > columns) return {};
  // What is left goes to the narrowest column that wants more, so long as one does.
  for (; used < columns; ++used) {
    size_t narrowest = widths.size();
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] < widest[i] && (narrowest == widths.size() || widths[i] < widths[narrowest])) narrowest = i;
    }
    if (narrowest == widths.size()) break;
    ++widths[narrowest];
  }
  return widths;
}

std::string Table::Columns(const Rows& rows, const std::vector<size_t>& widths, const TerminalForm& form) const {
  std::string text;
  if (form.header) text += RowText(headers_, widths, kBold, form.colour);
  for (const std::vector<std::string>& row : rows) text += RowText(row, widths, kRed, form.colour && row[0] == "!");
  return text + "\n";
}

std::string Table::Records(const Rows& rows, const TerminalForm& form) const {
  constexpr size_t kDeeper = 2;
  size_t label = 0;
  for (const std::string& header : headers_) label = std::max(label, DisplayWidth(header));
  const size_t columns = std::max(form.columns, kDeeper + 1);
  label = std::min(label, columns / 2);
  const size_t beside = columns - std::min(columns, label + kGap);
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i].empty()) continue;
      const std::string& header = headers_[i];
      const size_t width = DisplayWidth(header);
      const bool fits = width <= label && std::min(LongestPiece(row[i]), kLongestWord) <= beside &&
                        (!IsIdentity(header) || DisplayWidth(row[i]) <= beside);
      const std::vector<std::string> lines = WrapText(row[i], fits ? beside : columns - kDeeper);
      if (!fits) {
        for (const std::string& part : WrapText(header, columns)) text += Coloured(part, kBold, form.colour) + "\n";
      }
      for (size_t line = 0; line < lines.size(); ++line) {
        const bool named = fits && line == 0;
        if (named) text += Coloured(header, kBold, form.colour);
        text += std::string(fits ? label + kGap - (named ? width : 0) : kDeeper, ' ') + lines[line] + "\n";
      }
    }
    text += "\n";
  }
  return text;
}

std::string Table::ForTerminal(const TerminalForm& form) const {
  if (rows_.empty()) return "";
  const Rows rows = ShownRows();
  const std::vector<size_t> widths = Fit(rows, form.columns);
  if (!widths.empty()) return Columns(rows, widths, form);
  const Table fuller = WithoutEmptyColumns();
  return fuller.headers_.size() < headers_.size() ? fuller.ForTerminal(form) : Records(rows, form);
}

std::string Table::Plain(bool header) const {
  if (rows_.empty()) return "";
  std::string text;
  if (header) {
    text += "#" + name_;
    for (const std::string& one : headers_) text += "\t" + one;
    text += '\n';
  }
  for (const auto& row : rows_) {
    text += name_;
    for (const std::string& cell : row) text += "\t" + Printable(cell);
    text += '\n';
  }
  return text;
}

}  // namespace consent::cli
