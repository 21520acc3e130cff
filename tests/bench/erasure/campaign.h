// Deletions and closures in a large store, and a search through all of its files for what they leave behind. See
// README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/bench/erasure/cohort.h"
#include "tests/bench/erasure/load.h"
#include "tests/bench/erasure/notes.h"
#include "tests/bench/servers.h"

namespace consent::bench {

struct CampaignOptions {
  std::string folder;    // exists; store, sockets and logs lie in it
  std::string daemon;    // program
  std::string programs;  // folder of bench_load
  uint64_t subjects = 5'000'000;
  uint64_t seed = 1;
};

// Prints one line for each measurement. What does not hold is printed, too, and the rest goes on. Not thread-safe.
class ErasureCampaign {
 public:
  explicit ErasureCampaign(CampaignOptions options);

  // Fills the store and runs all passes. Whether everything held.
  bool Run();

 private:
  // Nothing but the erasure happens.
  void Idle();
  // Under load; once.
  void Busy(int round);
  // The daemon rests after a long step; a request must not wait for too long meanwhile.
  void RightAfterBytes();
  // The rows are deleted by plain writes: the search must find all of it. Then they are erased.
  void WithoutErasure();

  void Start();
  void Stop();
  // What the cohort left, while no daemon runs; all of it must be found.
  Notes NoteAndFind(const Cohort& cohort);
  // Lets time pass and reads the daemon's metrics meanwhile, as AwaitBytes does.
  void WatchFor(std::chrono::seconds length) const;
  // Seconds until the daemon says that no bytes wait.
  double AwaitBytes();
  double Waiting(const char* step) const;
  // Those of `names` must be found (all), or nothing of what was noted (empty).
  void Scan(const test::Traces& traces, const std::set<std::string>& names, const std::string& when);
  void Expect(bool holds, const std::string& what);

  const CampaignOptions options_;
  Servers servers_;
  std::mt19937_64 random_;
  std::unordered_set<uint64_t> used_;
  int64_t captured_at_seconds_ = 0;
  std::optional<Server> daemon_;
  std::optional<Api> api_;
  std::vector<double> while_keys_, while_bytes_;  // p99 of checks, by that of before
  bool held_ = true;
};

}  // namespace consent::bench
