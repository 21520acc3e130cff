// bench_backup: what a backup and a restore cost. Fills a store, asks a daemon at a steady pace how long a check takes
// before a backup and while one is taken, then loses the store, restores it and waits for the first answer.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/latency.h"
#include "tests/bench/offline.h"
#include "tests/bench/pace.h"
#include "tests/bench/servers.h"
#include "tests/bench/workloads.h"

namespace consent::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{7'200'000};

struct Arguments {
  Places places;
  std::string consentctl;
  uint64_t subjects = 1'000'000;
  int64_t quiet_seconds = 20;
  uint64_t checks_per_second = 2'000;
};

double Since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// Accounts without a profile are never eligible: what is measured is the asking.
struct Asking : CheckWorkload {
  using CheckWorkload::CheckWorkload;
  static bool Accept(size_t, const Response&) { return true; }
};

template <typename Over>
Latencies AskChecks(const Server& daemon, const Arguments& arguments, const Over& is_over) {
  Asking checks({arguments.subjects, 1'700'000'000}, 50'000);
  return AskAtAPace(daemon, checks, arguments.checks_per_second, is_over);
}

test::ChildProcess Run(const std::string& program, std::vector<std::string> words, const std::string& log) {
  test::ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(words);
  spec.output_file = log;
  return Need(test::ChildProcess::Start(spec));
}

uint64_t BytesBelow(const fs::path& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

void Measure(const Arguments& arguments) {
  Servers servers(arguments.places);
  std::printf("%s\n", Need(servers.Load("store", arguments.subjects, Population::kOneChoice)).c_str());
  StartOptions with_journal;
  with_journal.journals = true;
  Server daemon = Need(servers.StartDaemon("store", with_journal));
  const std::string backups = servers.Folder("backups");
  fs::create_directory(backups);

  const auto quiet_until = Clock::now() + std::chrono::seconds(arguments.quiet_seconds);
  const Latencies quiet = AskChecks(daemon, arguments, [&] { return Clock::now() > quiet_until; });
  PrintChecks("before the backup", quiet);
  auto began = Clock::now();
  auto taking = Run(arguments.consentctl, {"--endpoint", daemon.address, "backup", "create", backups},
                    servers.Folder("backup.log"));
  std::optional<test::ExitStatus> taken;
  const Latencies meanwhile = AskChecks(daemon, arguments, [&] {
    taken = taken ? taken : taking.Wait(std::chrono::milliseconds(0));
    return taken.has_value();
  });
  const double backup_seconds = Since(began);
  if (*taken != 0) Give(absl::InternalError("no backup; see " + servers.Folder("backup.log")));
  const fs::path backup = fs::directory_iterator(backups)->path();
  PrintChecks("while it was taken", meanwhile);
  std::printf("backup: %.1f s, %.3f GB, p99 of checks %.2f times\n", backup_seconds,
              static_cast<double>(BytesBelow(backup)) / 1e9, meanwhile.Quantile(0.99) / quiet.Quantile(0.99));

  if (absl::Status status = Servers::Stop(std::move(daemon)); !status.ok()) Give(status);
  servers.Remove("store");
  fs::remove(servers.Folder("store") + ".head");
  began = Clock::now();
  auto restoring = Run(arguments.places.daemon,
                       {"restore", backup.string(), "--journal", servers.Folder("store") + ".journal", "--data-dir",
                        servers.Folder("store")},
                       servers.Folder("restore.log"));
  if (restoring.Wait(kPatience) != 0) Give(absl::InternalError("no restore; see " + servers.Folder("restore.log")));
  const double restored = Since(began);
  const Server again = Need(servers.StartDaemon("store"));
  bool is_first = true;
  AskChecks(again, arguments, [&] { return !std::exchange(is_first, false); });
  std::printf("restore: %.1f s, first answer after %.1f s\n", restored, Since(began));
}

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  consent::bench::Arguments arguments;
  CLI::App app("Measures what a backup costs checks, and how long backup and restore take");
  app.add_option("--daemon", arguments.places.daemon, "The consentd program")->required()->check(CLI::ExistingFile);
  app.add_option("--consentctl", arguments.consentctl, "The consentctl program")->required()->check(CLI::ExistingFile);
  app.add_option("--subjects", arguments.subjects)->capture_default_str();
  app.add_option("--quiet-seconds", arguments.quiet_seconds, "Measured before the backup")->capture_default_str();
  app.add_option("--checks-per-second", arguments.checks_per_second)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (absl::Status placed = consent::bench::FillPlaces(&arguments.places); !placed.ok()) consent::bench::Give(placed);
  consent::bench::Measure(arguments);
  std::error_code error;
  std::filesystem::remove_all(arguments.places.folder, error);
}
