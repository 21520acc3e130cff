// How long EraseFromFiles takes on a large store, what it writes, and what reads and commits feel of it. See
// ../../README.md, "Long campaigns". Prints one line per measurement; exits with 1 if anything fails.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <semaphore>
#include <thread>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/bench/latency.h"

namespace {

namespace base = consent::base;
namespace store = consent::store;
using consent::bench::Latencies;
using store::Partition;
using store::Table;
using Steady = std::chrono::steady_clock;

constexpr size_t kInFlight = 2000;
constexpr int kWriters = 8;
constexpr std::chrono::microseconds kWriterPause(8'000);  // together 1,000 commits a second
constexpr std::chrono::microseconds kReaderPause(500);    // 2,000 reads a second
constexpr std::chrono::seconds kBefore(5);

void Need(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "scrub_campaign: %s\n", status.ToString().c_str());
  std::exit(1);
}

uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::string Noise(uint64_t seed, size_t size) {
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size; at += 8) {
    const uint64_t word = Mix(seed + 0x9e3779b97f4a7c15 * (at + 1));
    bytes.replace(at, std::min<size_t>(8, size - at), reinterpret_cast<const char*>(&word),
                  std::min<size_t>(8, size - at));
  }
  return bytes;
}

std::string Key(uint64_t subject) { return Noise(Mix(subject + 1), 16); }

// A subject's record, and a feed row of 120 bytes.
store::Change Record(uint64_t subject, uint64_t version) {
  store::Change change;
  change.writes.push_back({Table::kSubject, Key(subject), Noise(subject * 31 + version, 60)});
  change.event = {Key(subject), Noise(subject * 37 + version, 30), {}};
  return change;
}

uint64_t WrittenBytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

class Campaign {
 public:
  Campaign(const std::string& folder, uint64_t subjects, uint64_t seed) : subjects_(subjects), random_(seed) {
    store::RocksStore::Options options;
    options.db_path = folder + "/db";
    options.head_path = folder + "/head";
    options.clock = &clock_;
    options.random = &system_random_;
    auto opened = store::RocksStore::Open(options);
    Need(opened.status());
    store_ = *std::move(opened);
  }

  void Fill() {
    const auto began = Steady::now();
    std::counting_semaphore<kInFlight> room(kInFlight);
    for (uint64_t i = 0; i < subjects_; ++i) {
      room.acquire();
      store_->Commit(
          Partition{}, {},
          [i](const store::Stamp&) {
            store::Change change = Record(i, 0);
            change.writes.push_back({Table::kKeyShare, Key(i), Noise(i * 41, 32)});
            return change;
          },
          [&room](const store::CommitResult& result) {
            if (result.outcome != store::Outcome::kCommitted) std::exit(1);
            room.release();
          });
    }
    for (size_t i = 0; i < kInFlight; ++i) room.acquire();
    std::printf("%llu subjects in %.0f s\n", static_cast<unsigned long long>(subjects_), Since(began));
  }

  void Measure(const char* what, bool shares_only, size_t count, bool in_use) {
    const store::EraseTargets targets = Hurt(count, shares_only);
    Users users(*this, in_use);
    const uint64_t written = WrittenBytes();
    const auto began = Steady::now();
    users.phase = 1;
    Need(store_->EraseFromFiles({{Partition{}, targets}}));
    const double took = Since(began);
    const uint64_t wrote = WrittenBytes() - written;
    users.End();
    std::printf("%-10s %6zu rows %-6s %7.2f s %7.0f MB written", what, targets.rows.size() + targets.feed.size(),
                in_use ? "in use" : "idle", took, static_cast<double>(wrote) / 1e6);
    if (in_use) {
      users.Print("read", users.reads);
      users.Print("commit", users.commits);
    }
    std::printf("\n");
    std::fflush(stdout);
  }

 private:
  // Reads and commits at a steady pace, before and during a EraseFromFiles.
  struct Users {
    Users(Campaign& campaign, bool any) {
      if (!any) return;
      threads.emplace_back([this, &campaign] { Read(campaign); });
      for (int i = 0; i < kWriters; ++i) threads.emplace_back([this, &campaign, i] { Write(campaign, i); });
      std::this_thread::sleep_for(kBefore);
    }
    void End() {
      stop = true;
      for (std::thread& thread : threads) thread.join();
      for (int p = 0; p < 2; ++p) {
        for (int i = 0; i < kWriters; ++i) commits[p].Merge(of_writers[i][p]);
      }
    }
    void Read(Campaign& campaign) {
      std::mt19937_64 random(1);
      for (auto due = Steady::now(); !stop; std::this_thread::sleep_until(due += kReaderPause)) {
        const int now = phase;
        const auto began = Steady::now();
        const auto value = campaign.store_->Get(Partition{}, Table::kSubject, Key(random() % campaign.subjects_));
        if (!absl::IsNotFound(value.status())) Need(value.status());
        reads[now].Add(static_cast<uint64_t>((Steady::now() - began).count()));
      }
    }
    void Write(Campaign& campaign, int writer) {
      std::mt19937_64 random(static_cast<uint64_t>(writer) + 2);
      for (auto due = Steady::now(); !stop; std::this_thread::sleep_until(due += kWriterPause)) {
        const int now = phase;
        const auto began = Steady::now();
        std::promise<void> done;
        const uint64_t subject = random() % campaign.subjects_;
        const uint64_t version = random();
        campaign.store_->Commit(
            Partition{}, {}, [subject, version](const store::Stamp&) { return Record(subject, version); },
            [&done](const store::CommitResult& result) {
              if (result.outcome != store::Outcome::kCommitted) std::exit(1);
              done.set_value();
            });
        done.get_future().get();
        of_writers[writer][now].Add(static_cast<uint64_t>((Steady::now() - began).count()));
      }
    }
    static void Print(const char* what, const Latencies (&phases)[2]) {
      const double before = phases[0].Quantile(0.99);
      const double during = phases[1].Quantile(0.99);
      std::printf("; %s p99 %.0f us, during %.0f us (x %.1f, longest %.0f us, of %llu)", what, before, during,
                  during / before, phases[1].Quantile(1 - 1e-9), static_cast<unsigned long long>(phases[1].total()));
    }

    std::atomic<int> phase = 0;
    std::atomic<bool> stop = false;
    Latencies reads[2];
    Latencies commits[2];
    Latencies of_writers[kWriters][2];
    std::vector<std::thread> threads;
  };

  static double Since(Steady::time_point began) { return std::chrono::duration<double>(Steady::now() - began).count(); }

  // The key shares of `count` subjects are erased; of as many others the record, too, and a feed row.
  store::EraseTargets Hurt(size_t count, bool shares_only) {
    store::EraseTargets targets;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t subject = random_() % subjects_;
      targets.rows.push_back({Table::kKeyShare, Key(subject)});
      if (shares_only) continue;
      targets.rows.push_back({Table::kSubject, Key(subject)});
      targets.feed.push_back(1 + random_() % subjects_);
    }
    Need(store_->Erase(Partition{}, targets.rows));
    Need(store_->EraseFeed(Partition{}, targets.feed));
    return targets;
  }

  const uint64_t subjects_;
  std::mt19937_64 random_;
  const base::SystemClock clock_;
  base::SystemRandom system_random_;
  std::unique_ptr<store::RocksStore> store_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  uint64_t subjects = 5'000'000;
  uint64_t seed = 1;
  CLI::App app("Measures EraseFromFiles on a large store");
  app.add_option("--folder", folder, "Where the store is made; must not exist; removed at the end")->required();
  app.add_option("--subjects", subjects)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (!std::filesystem::create_directory(folder)) Need(absl::AlreadyExistsError(folder + " exists"));
  {
    Campaign campaign(folder, subjects, seed);
    campaign.Fill();
    for (const bool in_use : {false, true}) {
      for (const bool shares_only : {true, false}) {
        for (const size_t count : {1, 100, 1'000, 10'000}) {
          campaign.Measure(shares_only ? "key shares" : "all", shares_only, count, in_use);
        }
      }
    }
  }
  std::filesystem::remove_all(folder);
  return 0;
}
