#include <sodium.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "client/cli/command_line.h"
#include "client/cli/exit_codes.h"

int main(int argc, char** argv) {
  // A reader that goes away is an error of writing, not a sudden end.
  std::signal(SIGPIPE, SIG_IGN);
  // gRPC writes lines of its own about handshakes that fail; the error says it once.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  if (sodium_init() < 0) {
    std::fprintf(stderr, "consentctl: the cryptographic library cannot be started\n");
    return consent::cli::kInternal;
  }
  try {
    return consent::cli::Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "consentctl: %s\n", error.what());
    return consent::cli::kInternal;
  }
}
