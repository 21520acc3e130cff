// A program's commands as plain values, read from the CLI11 tree that it parses with: what man pages and completions
// are made of.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace consent::cli {

// What a shell can offer for a value.
enum class ValueKind { kNone = 0, kText, kChoice, kFile, kFolder, kCommand };

// An option, or an operand (a positional argument).
struct ManualOption {
  std::vector<std::string> names;  // "--json"; of an operand its one name
  std::string value;               // "FILE"; empty of a flag
  ValueKind kind = ValueKind::kNone;
  std::vector<std::string> choices;  // of kChoice, as they are documented: "human-review", "month"
  std::string about;
  std::string group;        // "TLS"; "Options" where there is none
  std::string environment;  // the variable that stands for it; empty: none
  bool is_required = false;
  bool may_repeat = false;
};

struct ManualExample {
  std::string what;
  std::string line;
};

struct ManualCommand {
  std::string name;  // "show"
  std::string path;  // "policy show"; empty of the program itself
  std::string about;
  std::vector<ManualOption> options;
  std::vector<ManualOption> operands;
  std::vector<ManualCommand> commands;
  std::vector<ManualExample> examples;  // of the foot of its help
};

// `program` and all below it. Hidden options and commands (CLI11's empty group) are left out, and --help stands in the
// program alone.
ManualCommand ReadCommandTree(const CLI::App& program);

}  // namespace consent::cli
