// What the commands share that take one line each from a file: --file, --report, --progress,
// --parallel, --force.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/engines/bulk_engine.h"
#include "client/cli/output.h"

namespace consent::cli {

struct BulkFlags {
  std::string file;
  std::string report;
  std::string progress;
  size_t parallel = 32;
  bool force = false;
};

// `each_line`: what a line of the file is, for the help.
void AddBulk(CLI::App* app, BulkFlags* flags, const std::string& each_line);
// Throws ValidationError where `account` and --file are both given, or an option that belongs to the other.
// `not_with_file`: options that a line says itself. True: --file is given.
bool TakesFile(const CLI::App* app, const BulkFlags& flags, const CLI::Option* account,
               const std::vector<std::string>& not_with_file);
// Sends the file's lines. `order`: everything of the command line that the calls depend on; a run that goes on must
// have the same. Returns the exit code.
int RunBulk(const Cli& cli, const BulkFlags& flags, BulkJob job, const Json& order);

}  // namespace consent::cli
