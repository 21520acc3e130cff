// bench_backup: what a backup and a restore cost. Fills a store, asks a daemon at a steady pace how long a check takes
// before a backup and while one is taken, then loses the store, restores it and waits for the first answer.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/closed_loop.h"
#include "tests/bench/latency.h"
#include "tests/bench/offline.h"
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

// Asks one check after the other at its time, whatever came of those before: so a pause of the server is felt by each
// that falls into it, as it would be by as many askers. Until `is_over` says so. Accounts without a profile are never
// eligible: what is measured is the asking.
template <typename Over>
Latencies AskAtAPace(const Server& daemon, const Arguments& arguments, const Over& is_over) {
  struct Call {
    Clock::time_point due;
    grpc::ClientContext context;
    v1::CheckResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::CheckResponse>> reader;
  };
  const auto stub = v1::EligibilityService::NewStub(Connect(daemon.address, daemon.credentials));
  CheckWorkload workload({arguments.subjects, 1'700'000'000}, 50'000);
  grpc::CompletionQueue queue;
  Latencies latencies;
  std::thread answered([&] {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      if (!call->status.ok()) Give(absl::InternalError("a check failed: " + call->status.error_message()));
      latencies.Add(static_cast<uint64_t>(std::chrono::nanoseconds(Clock::now() - call->due).count()));
    }
  });
  const auto between = std::chrono::nanoseconds(1'000'000'000 / arguments.checks_per_second);
  for (Clock::time_point due = Clock::now(); !is_over(); due += between) {
    std::this_thread::sleep_until(due);
    auto call = std::make_unique<Call>();
    call->due = due;
    call->reader = stub->AsyncCheck(&call->context, workload.Next(0), &queue);
    Call* const given = call.release();  // the queue's until it comes back
    given->reader->Finish(&given->response, &given->status, given);
  }
  queue.Shutdown();  // ends once all have come back
  answered.join();
  return latencies;
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

void Print(const char* when, const Latencies& latencies) {
  std::printf("%s: %llu checks, p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", when,
              static_cast<unsigned long long>(latencies.total()), latencies.Quantile(0.5), latencies.Quantile(0.99),
              latencies.Quantile(0.999));
  std::fflush(stdout);
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
  const Latencies quiet = AskAtAPace(daemon, arguments, [&] { return Clock::now() > quiet_until; });
  Print("before the backup", quiet);
  auto began = Clock::now();
  auto taking = Run(arguments.consentctl, {"--endpoint", daemon.address, "backup", "create", backups},
                    servers.Folder("backup.log"));
  std::optional<test::ExitStatus> taken;
  const Latencies meanwhile = AskAtAPace(daemon, arguments, [&] {
    taken = taken ? taken : taking.Wait(std::chrono::milliseconds(0));
    return taken.has_value();
  });
  const double backup_seconds = Since(began);
  if (*taken != 0) Give(absl::InternalError("no backup; see " + servers.Folder("backup.log")));
  const fs::path backup = fs::directory_iterator(backups)->path();
  Print("while it was taken", meanwhile);
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
  AskAtAPace(again, arguments, [&] { return !std::exchange(is_first, false); });
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
  std::error_code error;
  arguments.places.programs = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  arguments.places.folder = consent::bench::Need(consent::test::MakeTempFolder("consent-bench"));
  consent::bench::Measure(arguments);
  std::filesystem::remove_all(arguments.places.folder, error);
}
