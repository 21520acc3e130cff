// The pages of `--help`: fitted to the terminal, with examples.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace consent::cli {

// Lays out pages in `width` columns, as CLI11 does but with lines that are wrapped.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(size_t width);
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* command) const override;

 private:
  // A name in the left column, and what it is beside it or below.
  std::string Row(const std::string& name, const std::string& what) const;

  const size_t width_;
};

// Columns of a page on standard output: the terminal's, at most 120 and at least 40; 80 where there is none.
size_t HelpColumns();

// "settings set" of the command below the program; empty for the program.
std::string CommandPath(const CLI::App* command);

// Gives each page its foot: two examples (client/cli/examples.h), and where to read on.
void AddFooters(CLI::App* program);

}  // namespace consent::cli
