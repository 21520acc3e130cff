#include "tests/bench/erasure/campaign.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "tests/bench/erasure/metric.h"

namespace consent::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAccounts = 200;
constexpr size_t kClosures = 20;
constexpr int kFailed = 4;
constexpr int kRounds = 5;
constexpr size_t kAccountsPerRound = 24;
constexpr size_t kClosuresPerRound = 2;
constexpr double kKeysBound = 600;      // seconds
constexpr double kBytesBound = 86'400;  // seconds
constexpr double kLatencyBound = 2;     // times that of before
// Longer than the daemon waits before it first looks for leftovers; its threads and caches are warm by then.
constexpr std::chrono::milliseconds kWarmUp(1'500);
constexpr std::chrono::seconds kBefore(15);
// At most as often as a metrics server would: each reading costs the daemon some milliseconds.
constexpr std::chrono::seconds kBetweenReadings(1);

double Since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

void Print(const char* what, const Load::Answered& answered) {
  std::printf("  %-22s checks p50 %.0f us, p99 %.0f us of %llu; updates p99 %.0f us of %llu\n", what,
              answered.checks.Quantile(0.5), answered.checks.Quantile(0.99),
              static_cast<unsigned long long>(answered.checks.total()), answered.updates.Quantile(0.99),
              static_cast<unsigned long long>(answered.updates.total()));
  std::fflush(stdout);
}

}  // namespace

ErasureCampaign::ErasureCampaign(CampaignOptions options)
    : options_(std::move(options)),
      servers_(Places{options_.programs, options_.daemon, "", options_.folder}),
      random_(options_.seed) {}

bool ErasureCampaign::Run() {
  std::printf("%s\n", Need(servers_.Load("store", options_.subjects, Population::kHousehold)).c_str());
  std::fflush(stdout);
  captured_at_seconds_ = std::time(nullptr) + 2;
  Idle();
  for (int round = 1; round <= kRounds; ++round) Busy(round);
  const double keys = Median(while_keys_);
  const double bytes = Median(while_bytes_);
  std::printf("busy, median of %d rounds: p99 of checks x %.2f while keys leave, x %.2f while bytes do (bound: %.0f)\n",
              kRounds, keys, bytes, kLatencyBound);
  Expect(keys <= kLatencyBound && bytes <= kLatencyBound, "checks keep their p99");
  WithoutErasure();
  return held_;
}

void ErasureCampaign::Idle() {
  Cohort cohort(random_, options_.subjects, kAccounts, kClosures, &used_);
  Start();
  RegisterSystems(*api_);
  cohort.Prepare(*api_);
  cohort.FailSome(*api_, kFailed);
  Stop();
  const Notes notes = NoteAndFind(cohort);
  Start();
  std::this_thread::sleep_for(kBefore);  // the bytes' step of this start has nothing to do then
  const double keys = cohort.Finish(*api_);
  std::printf("idle: %zu accounts, %zu of them closed: COMPLETED %.1f s after the last report (bound: %.0f)\n",
              kAccounts + kClosures, kClosures, keys, kKeysBound);
  Expect(keys < kKeysBound, "keys are unreadable in time");
  Scan(notes.keys, {}, "idle, COMPLETED");
  Stop();
  Start();
  const double bytes = AwaitBytes();
  std::printf("idle: no bytes wait %.1f s after the step was due (bound: %.0f)\n", bytes, kBytesBound);
  Expect(bytes < kBytesBound, "bytes are gone in time");
  Scan(notes.all, {}, "idle, all erased");
  Scan(notes.clear, {}, "idle, raw ids");
  Stop();
}

void ErasureCampaign::Busy(int round) {
  const std::string name = "round " + std::to_string(round);
  Cohort cohort(random_, options_.subjects, kAccountsPerRound, kClosuresPerRound, &used_);
  Start();
  cohort.Prepare(*api_);
  Stop();
  const Notes notes = NoteAndFind(cohort);
  std::printf("%s, busy: %d checks and %d updates a second\n", name.c_str(), Load::kChecksPerSecond,
              Load::kUpdatesPerSecond);
  Start();
  Load::Answered before;
  {
    Load load({daemon_->address, options_.subjects, random_(), captured_at_seconds_}, used_);
    std::this_thread::sleep_for(kWarmUp);
    load.Take();
    WatchFor(kBefore);
    before = load.Take();
    const double keys = cohort.Finish(*api_);
    const Load::Answered during = load.Take();
    std::printf("  COMPLETED %.1f s after the last report (bound: %.0f)\n", keys, kKeysBound);
    Print("before", before);
    Print("while keys leave", during);
    Expect(keys < kKeysBound, name + ": keys are unreadable in time");
    while_keys_.push_back(during.checks.Quantile(0.99) / before.checks.Quantile(0.99));
  }
  Scan(notes.keys, {}, name + ", COMPLETED");
  Stop();
  Start();
  {
    Load load({daemon_->address, options_.subjects, random_(), captured_at_seconds_}, used_);
    std::this_thread::sleep_for(kWarmUp);
    load.Take();
    const double bytes = AwaitBytes();
    const Load::Answered during = load.Take();
    std::printf("  no bytes wait after %.1f s (bound: %.0f)\n", bytes, kBytesBound);
    Print("while bytes leave", during);
    Expect(bytes < kBytesBound, name + ": bytes are gone in time");
    while_bytes_.push_back(during.checks.Quantile(0.99) / before.checks.Quantile(0.99));
  }
  if (round == 1) RightAfterBytes();
  Scan(notes.all, {}, name + ", all erased");
  Stop();
}

void ErasureCampaign::RightAfterBytes() {
  Cohort late(random_, options_.subjects, 1, 0, &used_);
  late.Prepare(*api_);
  const double keys = late.Finish(*api_);
  std::printf(
      "  of a request that ends right after the bytes' step: COMPLETED %.1f s after the last report (bound: %.0f)\n",
      keys, kKeysBound);
  Expect(keys < kKeysBound, "keys are unreadable in time, also while the daemon rests");
}

void ErasureCampaign::WithoutErasure() {
  Cohort cohort(random_, options_.subjects, kAccountsPerRound, kClosuresPerRound, &used_);
  Start();
  cohort.Prepare(*api_);
  Stop();
  const Notes notes = NoteAndFind(cohort);
  {
    Offline offline(servers_.Folder("store"));
    for (const auto& [partition, of] : notes.rows) {
      if (absl::Status s = offline.store().Erase(partition, of.rows); !s.ok()) Give(s);
      if (absl::Status s = offline.store().EraseFeed(partition, of.feed); !s.ok()) Give(s);
    }
    offline.store().Close();
  }
  Scan(notes.all, notes.names, "deleted, not erased");
  Offline offline(servers_.Folder("store"));
  if (absl::Status s = offline.store().EraseFromFiles(notes.rows); !s.ok()) Give(s);
  Scan(notes.all, {}, "the same, then erased");
  offline.store().Close();
}

void ErasureCampaign::Start() {
  daemon_.emplace(Need(servers_.StartDaemon("store")));
  api_.emplace(daemon_->address);
}

void ErasureCampaign::Stop() {
  api_.reset();
  Server stopped = *std::move(daemon_);
  daemon_.reset();
  if (absl::Status s = Servers::Stop(std::move(stopped)); !s.ok()) Give(s);
}

Notes ErasureCampaign::NoteAndFind(const Cohort& cohort) {
  Offline offline(servers_.Folder("store"));
  Notes notes = NoteStored(offline, cohort);
  offline.store().Close();
  Scan(notes.all, notes.names, "before");
  return notes;
}

void ErasureCampaign::WatchFor(std::chrono::seconds length) const {
  for (const Clock::time_point end = Clock::now() + length; Clock::now() < end;
       std::this_thread::sleep_for(kBetweenReadings)) {
    (void)Waiting("bytes");
  }
}

double ErasureCampaign::AwaitBytes() {
  const Clock::time_point began = Clock::now();
  while (Waiting("bytes") > 0 && Since(began) < kBytesBound) std::this_thread::sleep_for(kBetweenReadings);
  return Since(began);
}

double ErasureCampaign::Waiting(const char* step) const {
  return Need(ReadMetric(daemon_->log, "consentd_erasures_waiting{step=\"" + std::string(step) + "\"}"));
}

void ErasureCampaign::Scan(const test::Traces& traces, const std::set<std::string>& names, const std::string& when) {
  const Clock::time_point began = Clock::now();
  uint64_t searched = 0;
  const auto found = traces.FindIn(options_.folder, &searched);
  std::set<std::string> all;
  for (const auto& [file, whats] : found) all.insert(whats.begin(), whats.end());
  std::printf("  scan (%s): %zu found, in %zu files; %.0f MB in %.1f s\n", when.c_str(), all.size(), found.size(),
              static_cast<double>(searched) / 1e6, Since(began));
  std::fflush(stdout);
  Expect(all == names, when + (names.empty() ? ": nothing of it is in the files:\n" + test::Describe(found)
                                             : ": all of it is found"));
}

void ErasureCampaign::Expect(bool holds, const std::string& what) {
  if (holds) return;
  held_ = false;
  std::printf("FAILED (seed %llu): %s\n", static_cast<unsigned long long>(options_.seed), what.c_str());
  std::fflush(stdout);
}

}  // namespace consent::bench
