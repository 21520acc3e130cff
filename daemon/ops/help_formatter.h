// The page of `consentd serve --help`, wrapped.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace consent::ops {

// Where nobody says how wide a page is.
inline constexpr size_t kPageColumns = 80;

// Columns of the terminal that standard output is, within 60 and 120; kPageColumns where it is none.
size_t HelpColumns();

// Lays out pages in `columns` as CLI11 does, with lines that are wrapped at blanks.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(size_t columns) : columns_(columns) {}
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_description(const CLI::App* app) const override;

 private:
  const size_t columns_;
};

}  // namespace consent::ops
