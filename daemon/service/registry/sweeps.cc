#include "daemon/service/registry/sweeps.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// What deadlines run from: the earlier of stamp and wall, never before the last stamp that was trusted. A clock that
// runs ahead for one report would else put off what is due.
base::Instant Received(const store::Stamp& stamp, const base::Now& now) {
  return std::max(std::min(stamp.time, now.wall), now.not_before);
}

// While no time purges, a sweep finds nothing that has expired, and a promise would be dated by a wrong clock.
absl::Status TimeToPromise(const base::Now& now) {
  if (now.doubtful) {
    return wire::MakeError(
        v1::ERROR_REASON_CLOCK_DOUBTFUL,
        "the server's time is doubtful, so that nothing is PURGE by its time: a sweep of now does not "
        "count. Sweep, or promise, again once the time is right or confirmed");
  }
  if (now.behind) {
    return wire::MakeError(
        v1::ERROR_REASON_CLOCK_BEHIND,
        "the server's clock is over a minute behind its last change, so that nothing is PURGE by its "
        "time: a sweep of now does not count. Sweep, or promise, again once the clock is right");
  }
  return absl::OkStatus();
}

}  // namespace

template <typename ChangeRowT>
absl::StatusOr<SystemRow> Sweeps::Change(const std::string& system, const Caller& caller, ChangeRowT change) {
  if (absl::Status time = TimeToPromise(core_.Present()); !time.ok()) return time;
  absl::StatusOr<SystemRow> found = systems_.Find(system);
  if (!found.ok()) return found.status();
  if (!found->IsActive()) {
    return wire::MakeError(v1::ERROR_REASON_SYSTEM_NOT_FOUND, "the data system is retired: nothing is asked of it");
  }
  const std::string key = SystemKey(found->number);
  const absl::Status written = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::optional<std::string> bytes;
    const absl::StatusOr<SweepRow> row = LoadSweepRow(core_, found->number, &bytes);
    if (!row.ok()) return row.status();
    const auto build = [&](const store::Stamp& stamp) {
      const SweepRow changed = change(*row, Received(stamp, core_.Present()));
      return store::Change{{{store::Table::kSweep, key, EncodeSweepRow(changed)}},
                           PlainEvent(ChangeKind::kSystemRetention, "", found->name, caller.identity)};
    };
    return CommitNow(core_, kSweepPartition, {{store::Table::kSweep, key, bytes}}, build).outcome;
  });
  if (!written.ok()) return written;
  return found;
}

absl::StatusOr<SystemRow> Sweeps::SetRetention(const std::string& system, const SystemRetention& retention,
                                               const Caller& caller) {
  return Change(system, caller,
                [&retention](const SweepRow& row, base::Instant now) { return WithRetention(row, retention, now); });
}

absl::StatusOr<SystemRow> Sweeps::Report(const std::string& system, const Sweep& sweep, const Caller& caller) {
  return Change(system, caller,
                [&sweep](const SweepRow& row, base::Instant now) { return WithSweep(row, sweep, now); });
}

RetentionView Sweeps::Of(const SystemRow& system) const {
  RetentionView view;
  view.row = known_.Of(system.number);
  view.state = RetentionStateOf(system, view.row, core_.Now());
  view.due = RetentionDue(system, view.row);
  return view;
}

}  // namespace consent::service
