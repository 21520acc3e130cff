// What every partition must have: one change of each, under one time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Written first: its rows say what there is, and what follows of them has them for a precondition.
inline constexpr store::Partition kFirstPartition{0};

// What one partition writes: `stamp` is that commit's own, `time` the one of all. Pure, as store::Build is.
using MakeChange = std::function<store::Change(store::Partition, const store::Stamp& stamp, base::Instant time)>;

struct EveryPartition {
  MakeChange make;
  // Of the first partition's commit: what nobody else may have written meanwhile.
  std::vector<store::Precondition> preconditions = {};
  bool patiently = false;  // where the first partition's queue is full, it waits as it does for the others'
  // Of another partition: the row that must still be as it is. Nothing: it has what is to be written, or what followed
  // it, and is left as it is. May block. Without it every partition is written, whatever it has.
  std::function<absl::StatusOr<std::optional<store::Precondition>>(store::Partition, base::Instant time)> needs = {};
};

struct WrittenEverywhere {
  absl::Status status;
  store::Outcome first = store::Outcome::kUnknown;  // of the first partition's commit; kConflict: a precondition
  base::Instant time;  // of all of them: partition 0's stamp, but after all that any partition has stamped and after
                       // that of the one before; unset: nothing was written
};

// CONTENTION where a precondition of the first commit did not hold. Partition 0 first, whose stamp gives the time; then
// all others at once, so that they share syncs; a queue that is full is waited for then. Every partition has it when it
// returns OK. Where `time` is set and the status is no OK some have it and others not: the caller writes it again, or a
// restart does (WriteMissing). Blocks.
WrittenEverywhere WriteEverywhere(Core& core, const EveryPartition& write);

// What a crash, or an error, kept from these partitions, under the time that it had. Blocks.
absl::Status WriteMissing(Core& core, std::vector<store::Partition> partitions, base::Instant time,
                          const EveryPartition& write);

}  // namespace consent::service
