#include "client/cli/confirm.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "client/cli/printable.h"

namespace consent::cli {

void AddYes(CLI::App* app, bool* yes) {
  app->add_flag("--yes", *yes, "Do not ask. Only on a terminal is asked at all");
}

bool IsConfirmed(const std::string& what, bool yes) {
  if (yes || ::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return true;
  std::fprintf(stderr, "%s Go on? [y/N] ", Printable(what).c_str());
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  std::fprintf(stderr, "consentctl: nothing was done\n");
  return false;
}

}  // namespace consent::cli
