// A store with a history, some of which is to leave its files, and what its files must and must not hold afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/fault/store/raw_files.h"
#include "tests/support/store/clock.h"
#include "tests/support/temp_folder.h"

namespace consent::test {

std::string RandomBytes(std::mt19937_64& random, size_t n);
// Fails the test unless it is committed.
store::Sequence CommitOrFail(store::Store& store, store::Change change, store::Partition partition = {});
// Fails the test where one is found.
void ExpectNoTraces(const Traces& traces, const std::filesystem::path& folder, const std::string& when);

// Rows of random bytes under random keys in some tables and the feed. Not thread-safe, though the store is used by
// others meanwhile.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) { Reopen(); }

  store::RocksStore& store() { return *store_; }
  ManualClock& clock() { return clock_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  const Traces& former() const { return former_; }

  void Close() { store_.reset(); }
  void Reopen();
  // Adds a row to each table and one to the feed, `count` times.
  void Fill(int count);
  // Takes `count` rows of each table and of the feed at random, overwrites, deletes or erases them, and notes what they
  // were.
  void Hurt(int count);
  // Scrubs what was hurt since the last time.
  absl::Status EraseFromFiles();
  const store::EraseTargets& targets() const { return remains_; }
  // The files hold nothing of what was scrubbed and, so that the search is known to find something, all that is there.
  void ExpectScrubbed(const std::string& when);
  // The rows that are there can be read, and no others.
  void ExpectRows();

 private:
  using Place = std::pair<store::Table, std::string>;
  void HurtRow(const Place& place);

  TempFolder folder_;
  ManualClock clock_;
  std::mt19937_64 random_;
  std::unique_ptr<store::RocksStore> store_;
  std::map<Place, std::string> rows_;
  std::map<store::Sequence, store::Event> feed_;
  store::EraseTargets remains_;
  Traces former_;
};

}  // namespace consent::test
