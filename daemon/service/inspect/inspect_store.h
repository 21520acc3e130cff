// Reads every row of a store that nobody writes to, and says what is in it and what is wrong with it. Needs no keys;
// names tables and counts, never an id. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/time.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/store.h"

namespace consent::service {

// The feed's rows are counted under these beside the tables' names.
inline constexpr std::string_view kFeedName = "feed";
inline constexpr std::string_view kErasedFeedName = "feed-erased";

struct TableSize {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of keys and values, as they were put
  bool operator==(const TableSize&) const = default;
};

struct InspectReport {
  std::map<std::string, TableSize> tables;  // by TableName; those without rows are not there
  std::vector<store::Head> heads;           // of each partition
  std::vector<uint64_t> subjects;           // of each partition
  base::Instant oldest_erasure;             // since when something waits to be erased; unset: nothing does
  // What is wrong: a table's name and what of it, with how many rows. Empty: nothing.
  std::map<std::pair<std::string, std::string>, uint64_t> problems;

  bool IsSound() const { return problems.empty(); }
};

struct InspectOptions {
  // Also whether what names another row finds it. Takes 48 bytes of memory for each subject, and a look-up for each row
  // of a request, a hold or a task.
  bool links = false;
  // Told how many rows were read, as it goes on. May be nullptr.
  std::atomic<uint64_t>* seen = nullptr;
  // Asked about each ten thousand rows; true: leave off with Cancelled. May be empty.
  std::function<bool()> stop;
};

// DataLoss: something cannot be read at all, with what; Unavailable: the file system's errors; Cancelled.
absl::StatusOr<InspectReport> InspectStore(const store::FrozenStore& store, const InspectOptions& options);

}  // namespace consent::service
