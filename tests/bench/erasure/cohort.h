// Accounts that leave something behind: what they ask for before their bytes are noted, and what ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/bench/erasure/api.h"

namespace consent::bench {

enum class Asks : uint8_t {
  kRecordings = 0,
  kTimeRange = 1,
  kProfile = 2,
  kEverything = 3,
  kHeld = 4,       // everything, while the account is on hold
  kCancelled = 5,  // everything, and then not
  kClosure = 6,    // of an account with a recording that was reported, and of which a profile is on hold
};

struct Leaver {
  uint64_t subject = 0;
  Asks asks = Asks::kRecordings;
  std::string profile, device, asked, reported;  // raw ids of its own, the last two of recordings
  std::string authority;                         // of its hold
  std::string deletion_id, etag;
  std::string hold_id, hold_etag;
};

inline constexpr const char* kSystems[] = {"audio", "transcripts"};
void RegisterSystems(const Api& api);

// One group of accounts. Not thread-safe.
class Cohort {
 public:
  // Draws subjects below `subjects` that are not in `used`, and adds them to it. `accounts` ask for deletions of all
  // kinds in turn.
  Cohort(std::mt19937_64& random, uint64_t subjects, size_t accounts, size_t closures,
         std::unordered_set<uint64_t>* used);

  const std::vector<Leaver>& leavers() const { return leavers_; }
  // What workers said of tasks that they gave back: it lies in the tasks' rows.
  const std::vector<std::string>& errors() const { return errors_; }

  // Registers people, makes choices, places holds, asks.
  void Prepare(const Api& api);
  // Gives `count` tasks back once, with an error's text. They are due again after half a minute to a minute.
  void FailSome(const Api& api, int count);
  // Releases holds and cancels, then leases and reports tasks until all requests but the cancelled are COMPLETED.
  // Seconds from the last report to that.
  double Finish(const Api& api);

 private:
  std::string NewText(const char* what);
  void Prepare(const Api& api, Leaver& leaver);
  void Hold(const Api& api, Leaver& leaver);
  // How many were reported.
  size_t WorkOnce(const Api& api, const char* system);

  std::mt19937_64& random_;
  std::vector<Leaver> leavers_;
  std::vector<std::string> errors_;
};

}  // namespace consent::bench
