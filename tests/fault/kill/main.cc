// campaign --daemon PROGRAM [--cycles N] [--seed N] [--shim LIBRARY --sync-failures N]: ends with 0 where nothing was
// lost.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/fault/kill/campaign.h"

namespace {

using consent::test::Campaign;
using consent::test::CampaignOptions;
using consent::test::Crash;

struct Arguments {
  CampaignOptions campaign;
  int cycles = 15;
  int sync_failures = 0;
  bool keep = false;
};

bool Parse(int argc, char** argv, Arguments* arguments, int* exit_code) {
  CLI::App app("Crashes consentd under load, again and again, and checks that nothing acknowledged is lost");
  app.add_option("--daemon", arguments->campaign.daemon, "The consentd program")->required()->check(CLI::ExistingFile);
  app.add_option("--shim", arguments->campaign.shim, "Library that makes syncs fail")->check(CLI::ExistingFile);
  app.add_option("--cycles", arguments->cycles, "How often it is killed")->capture_default_str();
  app.add_option("--sync-failures", arguments->sync_failures, "How often its syncs fail; needs --shim")
      ->capture_default_str();
  app.add_option("--seed", arguments->campaign.seed, "Of everything that is random")->capture_default_str();
  app.add_option("--threads", arguments->campaign.threads, "Clients")->capture_default_str();
  app.add_option("--accounts", arguments->campaign.accounts, "Accounts in each cycle")->capture_default_str();
  app.add_flag("--keep", arguments->keep, "Keep the folder also where all went well");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *exit_code = app.exit(error);
    return false;
  }
  if (arguments->sync_failures > 0 && arguments->campaign.shim.empty()) {
    std::fputs("--sync-failures needs --shim\n", stderr);
    *exit_code = 2;
    return false;
  }
  return true;
}

absl::Status RunAll(const Arguments& arguments, Campaign* campaign) {
  const int total = arguments.cycles + arguments.sync_failures;
  for (int cycle = 0; cycle < total; ++cycle) {
    const Crash crash = cycle < arguments.cycles ? Crash::kKill : Crash::kFailSync;
    if (absl::Status status = campaign->Run(crash, cycle); !status.ok()) {
      std::printf("cycle %d (%s)\n", cycle, crash == Crash::kKill ? "kill -9" : "failing sync");
      return status;
    }
    if (cycle % 50 == 49) {
      std::printf("%d of %d cycles\n", cycle + 1, total);
      std::fflush(stdout);
    }
  }
  return campaign->CheckAll();
}

void Print(const Arguments& arguments, const consent::test::Tally& tally) {
  std::printf(
      "seed %llu: %d kills and %d failing syncs (%llu more kills while starting); %llu changes acknowledged, %llu "
      "refused, %llu "
      "without an answer of which %llu had been done; %llu acknowledged ones repeated; %llu accounts checked\n",
      static_cast<unsigned long long>(arguments.campaign.seed), arguments.cycles, arguments.sync_failures,
      static_cast<unsigned long long>(tally.killed_starting), static_cast<unsigned long long>(tally.acknowledged),
      static_cast<unsigned long long>(tally.refused), static_cast<unsigned long long>(tally.unknown),
      static_cast<unsigned long long>(tally.unknown_done), static_cast<unsigned long long>(tally.repeated),
      static_cast<unsigned long long>(tally.accounts_checked));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  int exit_code = 0;
  if (!Parse(argc, argv, &arguments, &exit_code)) return exit_code;
  const auto folder = consent::test::MakeTempFolder("consent-kill");
  if (!folder.ok()) {
    std::fprintf(stderr, "%s\n", std::string(folder.status().message()).c_str());
    return 2;
  }
  arguments.campaign.folder = *folder;
  Campaign campaign(arguments.campaign);
  const absl::Status status = RunAll(arguments, &campaign);
  Print(arguments, campaign.tally());
  if (!status.ok()) {
    std::printf("FAILED: %s\nThe store and the daemon's log are left in %s\n", std::string(status.message()).c_str(),
                folder->c_str());
    return 1;
  }
  std::error_code ignored;
  if (!arguments.keep) std::filesystem::remove_all(*folder, ignored);
  return 0;
}
