// What data systems promise about what has expired, and the sweeps that they report. A promise and a report turn no
// answer: they say whether somebody sees to it that PURGE is done where nobody asked for a deletion.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/registry/known_sweeps.h"
#include "daemon/service/rows/sweep_rows.h"

namespace consent::service {

// A data system and how its retention is kept.
struct RetentionView {
  SweepRow row;
  RetentionState state = RetentionState::kUnknown;
  base::Instant due;  // see RetentionDue
};

// Thread-safe. Each row has itself for a precondition, so that of two services that write it at once neither loses what
// the other said.
class Sweeps {
 public:
  Sweeps(Core& core, const DataSystems& systems, KnownSweeps& known) : core_(core), systems_(systems), known_(known) {}
  // Once, before anything is served. May block. STORE_UNREADABLE, INTERNAL.
  absl::Status Load() { return known_.Fill(core_); }

  // These block. SYSTEM_NOT_FOUND also where it is retired; CLOCK_DOUBTFUL, CLOCK_BEHIND: nothing was written.
  absl::StatusOr<SystemRow> SetRetention(const std::string& system, const SystemRetention& retention,
                                         const Caller& caller);
  absl::StatusOr<SystemRow> Report(const std::string& system, const Sweep& sweep, const Caller& caller);

  // At the daemon's time of now. Takes a short lock.
  RetentionView Of(const SystemRow& system) const;

 private:
  // Commits what `change(row, now)` makes of the system's row, again where somebody else wrote it first.
  template <typename ChangeRowT>
  absl::StatusOr<SystemRow> Change(const std::string& system, const Caller& caller, ChangeRowT change);

  Core& core_;
  const DataSystems& systems_;
  KnownSweeps& known_;
};

}  // namespace consent::service
