// Man pages of a program, made of its commands; in the macros of man(7), ASCII.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/cli/manual/command_tree.h"

namespace consent::cli {

// What a tree of commands does not tell.
struct ManualFacts {
  std::string section = "1";
  std::string version;                                           // "0.2.0"
  std::vector<std::pair<std::string, std::string>> exit_codes;   // number and meaning, ascending
  std::vector<std::pair<std::string, std::string>> environment;  // variables that no option names
  std::vector<std::pair<std::string, std::string>> files;        // path and what it is
  std::vector<std::string> see_also;                             // "consentd(8)"
};

struct ManualPage {
  std::string file;  // "consentctl-filter.1"
  std::string text;
};

// The program's own page, with its options, and where `page_each` one for each of its commands ("consentctl-policy.1"
// has `policy` with all below it); else the commands stand on the program's page.
std::vector<ManualPage> MakeManualPages(const ManualCommand& program, const ManualFacts& facts, bool page_each);

}  // namespace consent::cli
