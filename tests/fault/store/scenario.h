// A store with a history, copied at an instant as a killed process would leave it, and a judge of what a damaged copy
// tells.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/support/store/clock.h"
#include "tests/support/temp_folder.h"

namespace consent::test {

// Everything that was acknowledged.
struct Acknowledged {
  std::map<std::pair<store::Table, std::string>, std::string> rows;
  std::vector<std::pair<store::Table, std::string>> erased;  // rows that must not come back
  std::vector<store::FeedRow> feed;                          // from feed_first on
  store::Sequence feed_first = 1;
  store::Head head;
};

// kStopped: an assertion of the engine's ended the process.
enum class Verdict { kComplete, kRefused, kReadError, kStopped, kLost };

struct Judgement {
  Verdict verdict = Verdict::kLost;
  std::string text;  // of the refusal or read error, or what was lost
};

// A database folder "db" and a head file "head" in one folder.
class Scenario {
 public:
  // Builds the store in a folder of its own and leaves it open. `seed` decides keys, values and deletions.
  explicit Scenario(uint64_t seed);

  // Commits more; `count` changes of a few rows each.
  void Commit(int count);
  // Copies database and head file as they lie there now, the store being open.
  void CopyTo(const std::filesystem::path& folder) const;
  const Acknowledged& acknowledged() const { return acknowledged_; }
  static absl::StatusOr<std::unique_ptr<store::RocksStore>> Open(const std::filesystem::path& folder,
                                                                 ManualClock& clock, bool accept_loss = false);

 private:
  void Record();

  TempFolder folder_;
  ManualClock clock_;
  uint64_t state_;
  std::unique_ptr<store::RocksStore> store_;
  Acknowledged acknowledged_;
};

// Opens the copy and compares all of it.
Judgement Judge(const std::filesystem::path& folder, const Acknowledged& acknowledged);

// Copies a folder's content into `to`, replacing what is there.
void CopyFolder(const std::filesystem::path& from, const std::filesystem::path& to);
// True if the long campaign is asked for (CONSENT_TEST_FULL=1).
bool FullCampaign();

}  // namespace consent::test
