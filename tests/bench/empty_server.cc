// bench_empty_server --listen ADDRESS: the ceiling.
#include <CLI/CLI.hpp>
#include <string>

#include "tests/bench/empty_services.h"

int main(int argc, char** argv) {
  std::string listen;
  CLI::App app("Answers constant replies");
  app.add_option("--listen", listen, "As consentd's")->required();
  CLI11_PARSE(app, argc, argv);
  consent::bench::EmptyEligibility eligibility;
  consent::bench::EmptySettings settings;
  return consent::bench::ServeForever(listen, {&eligibility, &settings});
}
