// What is read at each scrape, as opposed to counted as it happens: the state of the store, the index, the policy and
// the process.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/time.h"
#include "daemon/domain/types.h"
#include "daemon/ops/health.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

// Subjects of one regime whose account chose `choice` for `purpose`.
struct SubjectCount {
  std::string regime;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Choice choice = domain::Choice::kUnset;
  uint64_t subjects = 0;
};

struct IndexReading {
  uint64_t subjects = 0;
  uint64_t bytes = 0;
  bool complete = false;
};

struct PoolReading {
  std::string name;
  uint64_t queued = 0;
};

struct PolicyReading {
  std::string version;
  std::string hash;  // hexadecimal
};

struct ActiveSuspension {
  domain::Purpose purpose = domain::Purpose::kNone;
  std::string region;  // empty: everywhere
};

// A data system that is registered.
struct SystemReading {
  std::string name;  // an operator's
  int64_t open_tasks = 0;
  int64_t stuck_tasks = 0;
  uint64_t retries = 0;
  std::map<std::string, uint64_t> refused;  // reports, by reason
  double oldest_seconds = 0;                // since its oldest open task was made; 0: none is open
};

// Deletion requests of one regime in one state, and why they were made.
struct RequestCount {
  std::string cause;
  std::string regime;
  std::string state;
  uint64_t requests = 0;
};

struct DeletionReading {
  std::vector<RequestCount> requests;
  uint64_t due_within_week = 0;  // open, and not overdue
  uint64_t overdue = 0;          // those on hold are not
  double oldest_open_seconds = 0;
  std::vector<double> completion_bounds;  // of the buckets, seconds
  std::vector<uint64_t> completions;      // each bucket its own; one more than bounds
  double completion_seconds_sum = 0;
  uint64_t erasures_waiting[2] = {0, 0};  // keys, bytes
  double oldest_erasure_seconds[2] = {0, 0};
};

// Connections to the API.
struct ConnectionReading {
  uint64_t open = 0;
  uint64_t most = 0;
  std::vector<std::pair<std::string, uint64_t>> closed;  // by reason, since the process began
};

// What is not known yet while the daemon starts is left out.
struct Gauges {
  HealthState health = HealthState::kStarting;
  std::vector<SubjectCount> subjects;
  std::optional<IndexReading> index;
  uint64_t commits = 0;  // the sequence numbers of all partitions' last commits together
  std::vector<PoolReading> pools;
  uint64_t changes_in_flight = 0;
  double clock_offset_seconds = 0;  // wall clock less trusted time
  bool clock_trusted = false;
  uint64_t clock_doubts = 0;  // looks at the clock that did not believe it
  std::optional<store::EngineHealth> engine;
  std::optional<uint64_t> data_free_bytes;  // of the data folder's file system; unset where it reports none
  std::optional<uint64_t> data_free_inodes;
  std::optional<PolicyReading> policy;
  std::vector<ActiveSuspension> suspensions;
  std::vector<SystemReading> systems;
  std::optional<DeletionReading> deletions;
  std::optional<ConnectionReading> connections;
};

// Families in a fixed order; one without metrics is left out.
std::vector<prometheus::MetricFamily> GaugeFamilies(const Gauges& gauges);

// consentd_build_info, and process_* as other exporters name them: CPU seconds, resident bytes, open files, start time.
// Linux; what /proc does not tell is left out.
std::vector<prometheus::MetricFamily> ProcessFamilies();

}  // namespace consent::ops
