// bench: measures consentd against an empty server and against raw RocksDB. See README.md.
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/suite.h"

namespace {

using consent::bench::Places;
using consent::bench::SuiteOptions;

struct Arguments {
  SuiteOptions suite;
  Places places;
  std::string json;
  std::vector<std::string> only;
  int64_t round_ms = 0;
  int rounds = 0;
  bool quick = false, smoke = false, keep = false;
};

void Define(CLI::App* app, Arguments* arguments) {
  SuiteOptions& suite = arguments->suite;
  app->add_option("--subjects", suite.subjects)->capture_default_str();
  app->add_option("--json", arguments->json, "File to write all figures to");
  app->add_option("--only", arguments->only,
                  "footprint, check, batch, tls, log, mix, update, slow-update; all where not given")
      ->delimiter(',')
      ->check(CLI::IsMember({"footprint", "check", "batch", "tls", "log", "mix", "update", "slow-update"}));
  app->add_option("--rounds", arguments->rounds, "Of each comparison (7)");
  app->add_option("--round-ms", arguments->round_ms, "Length of a round of one side (3000)");
  app->add_flag("--quick", arguments->quick, "Three rounds of a second");
  app->add_flag("--smoke", arguments->smoke, "One round of 100 ms, 1,000 subjects: only whether it works");
  app->add_option("--threads", suite.threads, "Of the client, each with a connection")->capture_default_str();
  app->add_option("--check-outstanding", suite.check_outstanding)->capture_default_str();
  app->add_option("--batch-outstanding", suite.batch_outstanding)->capture_default_str();
  app->add_option("--update-clients", suite.update_clients)->capture_default_str();
  app->add_option("--daemon", arguments->places.daemon, "The consentd program")->required()->check(CLI::ExistingFile);
  app->add_flag("--keep", arguments->keep, "Keep the folder with stores and logs");
}

void Resolve(Arguments* arguments) {
  SuiteOptions& suite = arguments->suite;
  if (arguments->quick) {
    suite.rounds = 3;
    suite.round = std::chrono::milliseconds(1000);
  }
  if (arguments->smoke) {
    suite.subjects = 1000;
    suite.rounds = 1;
    suite.round = std::chrono::milliseconds(100);
    suite.check_requests = 2000;
    suite.batch_requests = 8;
  }
  if (arguments->rounds > 0) suite.rounds = arguments->rounds;
  if (arguments->round_ms > 0) suite.round = std::chrono::milliseconds(arguments->round_ms);
  if (arguments->only.empty()) return;
  const auto wanted = [&](const char* name) {
    return std::find(arguments->only.begin(), arguments->only.end(), name) != arguments->only.end();
  };
  suite.footprint = wanted("footprint");
  suite.check = wanted("check");
  suite.batch = wanted("batch");
  suite.tls = wanted("tls");
  suite.log = wanted("log");
  suite.mix = wanted("mix");
  suite.update = wanted("update");
  suite.slow_update = wanted("slow-update");
}

// Client and servers share two processors, whatever the machine has; children inherit it.
void StayOnTwoProcessors() {
  cpu_set_t all, two;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  CPU_ZERO(&two);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&two) < 2; ++cpu) {
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &two);
  }
  sched_setaffinity(0, sizeof two, &two);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures consentd against an empty server and against raw RocksDB");
  Define(&app, &arguments);
  CLI11_PARSE(app, argc, argv);
  Resolve(&arguments);
  StayOnTwoProcessors();
  if (const absl::Status placed = consent::bench::FillPlaces(&arguments.places); !placed.ok()) {
    std::fprintf(stderr, "%s\n", placed.ToString().c_str());
    return 2;
  }
  consent::bench::Servers servers(arguments.places);
  consent::bench::Suite suite(arguments.suite, servers);
  const absl::Status status = suite.Run();
  suite.report().Print();
  if (!arguments.json.empty() && !suite.report().WriteJson(arguments.json)) {
    std::fprintf(stderr, "%s cannot be written\n", arguments.json.c_str());
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s\nStores and logs are left in %s\n", std::string(status.message()).c_str(),
                 arguments.places.folder.c_str());
    return 1;
  }
  std::error_code error;
  if (!arguments.keep) std::filesystem::remove_all(arguments.places.folder, error);
  return 0;
}
