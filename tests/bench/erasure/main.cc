// erasure_campaign --daemon PROGRAM --data-dir FOLDER [--subjects N] [--seed N]: ends with 0 where everything held.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "tests/bench/erasure/campaign.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  consent::bench::CampaignOptions options;
  bool keep = false;
  CLI::App app(
      "Erases deletions and closed accounts from a large store, and looks for their bytes in all of its files");
  app.add_option("--daemon", options.daemon, "The consentd program")->required()->check(CLI::ExistingFile);
  app.add_option("--data-dir", options.folder, "Where store and logs are made; must not exist; removed at the end")
      ->required();
  app.add_option("--subjects", options.subjects)->capture_default_str()->check(CLI::Range(10'000, 100'000'000));
  app.add_option("--seed", options.seed, "Of everything that is random")->capture_default_str();
  app.add_flag("--keep", keep, "Keep the folder also where all went well");
  CLI11_PARSE(app, argc, argv);
  options.folder = fs::absolute(options.folder).string();
  options.programs = (fs::read_symlink("/proc/self/exe").parent_path().parent_path()).string();
  std::error_code error;
  if (!fs::create_directory(options.folder, error)) {
    std::fprintf(stderr, "%s cannot be made, or is there\n", options.folder.c_str());
    return 2;
  }
  std::printf("seed %llu, %llu subjects\n", static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(options.subjects));
  std::fflush(stdout);
  const bool held = consent::bench::ErasureCampaign(options).Run();
  // What a file's own form is expected to be is said by the search itself.
  if (!held || testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed()) {
    std::printf("FAILED; the store and the logs are left in %s\n", options.folder.c_str());
    return 1;
  }
  if (!keep) fs::remove_all(options.folder, error);
  return 0;
}
