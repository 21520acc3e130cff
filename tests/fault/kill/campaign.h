// Crashes of a real daemon under load, each followed by a look at everything that clients were told before it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/fault/kill/account_check.h"
#include "tests/fault/kill/child_process.h"
#include "tests/fault/kill/operations.h"

namespace consent::test {

enum class Crash : uint8_t {
  kKill = 0,      // SIGKILL at a random moment
  kFailSync = 1,  // from a random moment on every sync fails and what was not synced is cut off
};

struct CampaignOptions {
  std::string daemon;  // program
  std::string shim;    // of kFailSync: the library to preload
  std::string folder;  // for the store, the socket and the log; exists
  uint64_t seed = 1;
  int threads = 24;
  int accounts = 32;  // new ones in each cycle
};

// Counts over all cycles.
struct Tally {
  uint64_t acknowledged = 0;
  uint64_t refused = 0;
  uint64_t unknown = 0;
  uint64_t unknown_done = 0;  // found in history after the restart
  uint64_t repeated = 0;      // acknowledged requests that were sent again
  uint64_t killed_starting = 0;
  uint64_t accounts_checked = 0;
};

// One store through many crashes. Not thread-safe.
class Campaign {
 public:
  explicit Campaign(CampaignOptions options);

  // Load, crash, restart, check. The error says what is wrong.
  absl::Status Run(Crash crash, int cycle);
  // Looks at every account of all cycles once more.
  absl::Status CheckAll();
  const Tally& tally() const { return tally_; }

 private:
  absl::StatusOr<ChildProcess> Start(const std::vector<std::pair<std::string, std::string>>& environment);
  absl::Status EnsureServing();
  absl::Status CrashUnderLoad(Crash crash, int cycle, std::vector<Attempt>* attempts);
  absl::Status AwaitFailure();
  absl::Status KillWhileStarting();
  absl::Status Check(std::vector<Attempt>* attempts);
  // Sends every unanswered request again, and some that were acknowledged; `accounts`: whose.
  absl::Status Repeat(const Api& api, std::vector<Attempt>* attempts, std::set<std::string>* accounts);
  absl::Status CheckOlder(const Api& api);

  const CampaignOptions options_;
  const std::string address_;
  const std::string trigger_;  // file; the shim fails syncs while it is there
  std::mt19937_64 random_;
  std::optional<ChildProcess> daemon_;
  std::map<std::string, AccountModel> known_;  // accounts of earlier cycles as they were left
  std::vector<std::string> names_;             // of known_
  Tally tally_;
};

}  // namespace consent::test
