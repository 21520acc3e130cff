// bench_empty_server --listen ADDRESS: the ceiling.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tests/bench/empty_services.h"

int main(int argc, char** argv) {
  std::vector<std::string> listen;
  consent::app::TlsFiles tls;
  CLI::App app("Answers constant replies");
  app.add_option("--listen", listen, "As consentd's")->required()->allow_extra_args(false);
  app.add_option("--tls-cert", tls.certificate, "As consentd's");
  app.add_option("--tls-key", tls.key, "As consentd's");
  app.add_option("--tls-client-ca", tls.client_ca, "As consentd's");
  CLI11_PARSE(app, argc, argv);
  consent::bench::EmptyEligibility eligibility;
  consent::bench::EmptySettings settings;
  return consent::bench::ServeForever(listen, tls, {&eligibility, &settings});
}
