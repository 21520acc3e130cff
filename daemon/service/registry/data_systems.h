// The registry of data systems. The same rows lie in every partition, beside a version that every commit which makes
// tasks has for a precondition: so a request is accepted either before a system came to its partition (and then is
// found by the look at all open requests that follows) or with a task for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/known_systems.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/system_rows.h"

namespace consent::service {

// Thread-safe; writes one after another. They block until every partition has acknowledged: call them on a pool thread.
class DataSystems {
 public:
  DataSystems(Core& core, TaskQueue& queue, KnownSystems& known);
  // Reads the registry, finishes what a crash left in some partitions only, puts every open task on the queue and gives
  // open requests the tasks that they lack. Once, before anything is served.
  absl::Status Load() EXCLUDES(writing_);

  // Number, registered_at and retired_at of `row` are ignored. On return every partition has it and every open request
  // has a task for it. What it promises about what has expired is written with its first row; kNone: nothing, or what
  // was promised before. SYSTEM_EXISTS, also where another promise stands; SYSTEM_CANNOT_MATCH, SYSTEMS_FULL.
  absl::StatusOr<SystemRow> Register(SystemRow row, const SystemRetention& retention = {}, const Caller& caller = {})
      EXCLUDES(writing_);
  // SYSTEM_NOT_FOUND, SYSTEM_HAS_TASKS. Open tasks end as EXEMPT for `reason`.
  absl::StatusOr<SystemRow> Retire(const std::string& name, const std::string& reason, const Caller& caller = {})
      EXCLUDES(writing_);
  std::vector<SystemRow> List() const { return known_.List(); }
  // SYSTEM_NOT_FOUND; also of one that is retired.
  absl::StatusOr<SystemRow> Find(std::string_view name) const;
  absl::StatusOr<SystemRow> Find(domain::SystemNumber number) const;

 private:
  // Writes the row, stamped with one time, where the first partition's registry is still that version; kConflict: it is
  // not, and nothing was written.
  absl::StatusOr<store::Outcome> WriteEverywhere(SystemRow& row, base::Instant SystemRow::*stamped,
                                                 const SystemsSeen& registry, const Caller& caller,
                                                 const SystemRetention& retention = {});
  // A system that is registered is registered again.
  absl::StatusOr<store::Outcome> RegisterAgain(const SystemRow& known, const SystemRetention& retention,
                                               SystemRow* row) const;
  // What an error or a crash left in some partitions only, be it another service's.
  absl::Status FinishUnfinished();
  // As the first partition has them.
  absl::StatusOr<std::vector<SystemRow>> ReadRegistry(SystemsSeen* registry) const;
  // What another partition must have for the row to be written.
  absl::StatusOr<std::optional<store::Precondition>> Needs(store::Partition partition, const SystemRow& row) const;
  // For every partition; answers the row.
  absl::StatusOr<SystemRow> MakeMissingTasks(const SystemRow& row);
  // Gives the partition's open requests a task for each active system.
  absl::Status MakeMissingTasks(store::Partition partition);
  absl::Status MakeMissingTasks(DeletionPlace place);
  // Ends the system's open tasks as EXEMPT.
  absl::Status EndTasks(const SystemRow& system);

  Core& core_;
  TaskQueue& queue_;
  KnownSystems& known_;
  base::Mutex writing_;
};

}  // namespace consent::service
