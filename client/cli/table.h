// Rows of text under one name: fitted to a terminal, or as lines for programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace consent::cli {

// How tables stand on a terminal.
struct TerminalForm {
  // No line is wider. The default is wider than any.
  size_t columns = SIZE_MAX;
  bool colour = false;
  // False: no line of headers.
  bool header = true;
};

class Table {
 public:
  Table(std::string name, std::vector<std::string> headers) : name_(std::move(name)), headers_(std::move(headers)) {}
  // As many cells as there are headers.
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // Columns in line, under headers; times to the second. Nothing is cut. What is too wide is wrapped within its column,
  // names that people copy (ids, etags, hashes: see table.cc) last; where that does not suffice either, columns
  // that are empty in every row are left out, and then each row becomes lines of header and cell. Empty where there are
  // no rows.
  std::string ForTerminal(const TerminalForm& form = {}) const;
  // Each row on a line: the table's name, then the cells, separated by tabs. With `header` one line more before them,
  // whose first cell is the name with # before it. Empty where there are no rows.
  std::string Plain(bool header) const;

 private:
  using Rows = std::vector<std::vector<std::string>>;

  // As they are shown on a terminal.
  Rows ShownRows() const;
  // Without the columns that are empty in every row.
  Table WithoutEmptyColumns() const;
  // Width of each column; empty where they do not fit.
  std::vector<size_t> Fit(const Rows& rows, size_t columns) const;
  std::string Columns(const Rows& rows, const std::vector<size_t>& widths, const TerminalForm& form) const;
  std::string Records(const Rows& rows, const TerminalForm& form) const;

  std::string name_;
  std::vector<std::string> headers_;
  Rows rows_;
};

}  // namespace consent::cli
