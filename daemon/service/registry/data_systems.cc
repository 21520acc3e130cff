#include "daemon/service/registry/data_systems.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/nearest_name.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/purge/end_tasks.h"
#include "daemon/service/purge/follow_deletions.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// MatchKey of consent.v1, as bits.
constexpr uint8_t kByRecording = 1 << 0;
constexpr uint8_t kByAccount = 1 << 1;

absl::Status NoSuchSystem(std::string_view name, const std::vector<SystemRow>& known) {
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const SystemRow& system : known) names.push_back(system.name);
  std::string text = "no data system of that name is registered; ";
  if (const auto nearest = base::NearestName(name, names)) text.append("did you mean ").append(*nearest).append("? ");
  return wire::MakeError(v1::ERROR_REASON_SYSTEM_NOT_FOUND, text + "ListDataSystems says which are");
}

absl::Status SystemExists(bool is_active) {
  return wire::MakeError(
      v1::ERROR_REASON_SYSTEM_EXISTS,
      is_active ? "a data system of that name is registered with another content: take another name and retire this one"
                : "a data system of that name was retired: names are not used again");
}

absl::Status PromisesOtherwise() {
  return wire::MakeError(v1::ERROR_REASON_SYSTEM_EXISTS,
                         "a data system of that name is registered and its retention is kept otherwise: "
                         "SetSystemRetention changes that");
}

// The row, and another version of the registry. `by`: the caller's name; empty: the daemon, which finishes what it
// began before a crash.
store::Change ChangeOf(const SystemRow& row, const store::Stamp& stamp, const std::string& by) {
  store::Change change;
  change.writes.push_back({store::Table::kSystem, SystemKey(row.number), EncodeSystemRow(row)});
  change.writes.push_back({store::Table::kSystem, std::string(kSystemsVersionKey), DeletionKey(stamp.sequence)});
  change.event = PlainEvent(ChangeKind::kSystemChanged, "", row.name, by);
  return change;
}

bool SameContent(const SystemRow& a, const SystemRow& b) {
  return a.kind == b.kind && a.matches_by == b.matches_by && a.latest_arrival == b.latest_arrival &&
         a.checks_on_ingest == b.checks_on_ingest && a.offline_key == b.offline_key;
}

}  // namespace

DataSystems::DataSystems(Core& core, TaskQueue& queue, KnownSystems& known)
    : core_(core), queue_(queue), known_(known) {}

absl::StatusOr<SystemRow> DataSystems::Find(std::string_view name) const {
  std::optional<SystemRow> system = known_.Find(name);
  if (system.has_value()) return *std::move(system);
  return NoSuchSystem(name, known_.List());
}

absl::StatusOr<SystemRow> DataSystems::Find(domain::SystemNumber number) const {
  for (SystemRow& system : known_.List()) {
    if (system.number == number) return std::move(system);
  }
  return NoSuchSystem({}, {});
}

absl::StatusOr<std::vector<SystemRow>> DataSystems::ReadRegistry(SystemsSeen* registry) const {
  std::vector<SystemRow> systems;
  registry->seen = core_.store.GetReadVersion(kFirstPartition);
  if (absl::Status s = ScanSystems(core_, kFirstPartition, &systems, &registry->version); !s.ok()) return s;
  return systems;
}

absl::StatusOr<std::optional<store::Precondition>> DataSystems::Needs(store::Partition partition,
                                                                      const SystemRow& row) const {
  const std::string key = SystemKey(row.number);
  absl::StatusOr<std::string> bytes = core_.store.Get(partition, store::Table::kSystem, key);
  if (absl::IsNotFound(bytes.status())) return store::Precondition{store::Table::kSystem, key, std::nullopt};
  if (!bytes.ok()) return StoreUnreadable();
  SystemRow there;
  if (!DecodeSystemRow(*bytes, &there)) return DamagedRow("a data system's row");
  if (row.IsActive() || !there.IsActive()) return std::optional<store::Precondition>();
  return store::Precondition{store::Table::kSystem, key, *std::move(bytes)};
}

absl::StatusOr<store::Outcome> DataSystems::WriteEverywhere(SystemRow& row, base::Instant SystemRow::*stamped,
                                                            const SystemsSeen& registry, const Caller& caller,
                                                            const SystemRetention& retention) {
  EveryPartition write;
  row.*stamped = base::Instant{};
  write.make = [&row, stamped, &caller, &retention](store::Partition partition, const store::Stamp& stamp,
                                                    base::Instant time) {
    SystemRow stamped_row = row;
    stamped_row.*stamped = time;
    store::Change change = ChangeOf(stamped_row, stamp, caller.identity);
    if (partition == kSweepPartition && retention.kind != SystemRetentionKind::kNone) {
      const SweepRow promised = WithRetention({}, retention, time);
      change.writes.push_back({store::Table::kSweep, SystemKey(row.number), EncodeSweepRow(promised)});
    }
    return change;
  };
  write.preconditions = {registry.AsPrecondition()};
  write.needs = [&](store::Partition partition, base::Instant) {
    SystemRow written = row;
    written.*stamped = base::kEndOfTime;
    return Needs(partition, written);
  };
  const WrittenEverywhere written = service::WriteEverywhere(core_, write);
  if (written.first == store::Outcome::kConflict) return written.first;
  if (!written.status.ok()) return written.status;
  row.*stamped = written.time;
  return written.first;
}

absl::Status DataSystems::FinishUnfinished() {
  for (const auto& [row, lacking] : known_.Unfinished()) {
    EveryPartition write;
    write.make = [&row = row](store::Partition, const store::Stamp& stamp, base::Instant) {
      return ChangeOf(row, stamp, "");
    };
    write.needs = [this, &row = row](store::Partition partition, base::Instant) { return Needs(partition, row); };
    if (absl::Status s = WriteMissing(core_, lacking, {}, write); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<store::Outcome> DataSystems::RegisterAgain(const SystemRow& known, const SystemRetention& retention,
                                                          SystemRow* row) const {
  if (!known.IsActive() || !SameContent(known, *row)) return SystemExists(known.IsActive());
  std::optional<std::string> unused;
  const absl::StatusOr<SweepRow> promised = LoadSweepRow(core_, known.number, &unused);
  if (!promised.ok()) return promised.status();
  if (retention.kind != SystemRetentionKind::kNone && retention != promised->retention) return PromisesOtherwise();
  *row = known;
  return store::Outcome::kCommitted;
}

absl::StatusOr<SystemRow> DataSystems::Register(SystemRow row, const SystemRetention& retention, const Caller& caller) {
  constexpr uint8_t kNeeded = kByRecording | kByAccount;
  if ((row.matches_by & kNeeded) != kNeeded) {
    return wire::MakeError(
        v1::ERROR_REASON_SYSTEM_CANNOT_MATCH,
        "a data system must find its data by account and by recording id: without them nothing could be asked of it");
  }
  base::MutexLock lock(writing_);
  row.retired_at = base::Instant{};
  row.retired_reason.clear();
  const absl::Status registered = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    if (absl::Status s = FinishUnfinished(); !s.ok()) return s;
    SystemsSeen registry;
    const absl::StatusOr<std::vector<SystemRow>> known = ReadRegistry(&registry);
    if (!known.ok()) return known.status();
    const auto same =
        std::find_if(known->begin(), known->end(), [&](const SystemRow& other) { return other.name == row.name; });
    if (same != known->end()) return RegisterAgain(*same, retention, &row);
    if (known->size() >= kMaxSystems) {
      return wire::MakeError(v1::ERROR_REASON_SYSTEMS_FULL, "as many data systems are registered as there may be",
                             {{"limit", std::to_string(kMaxSystems)}});
    }
    row.number = static_cast<domain::SystemNumber>(known->empty() ? 1 : known->back().number + 1);
    return WriteEverywhere(row, &SystemRow::registered_at, registry, caller, retention);
  });
  if (!registered.ok()) return registered;
  return MakeMissingTasks(row);
}

absl::StatusOr<SystemRow> DataSystems::MakeMissingTasks(const SystemRow& row) {
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    if (absl::Status s = MakeMissingTasks(store::Partition{number}); !s.ok()) return s;
  }
  return row;
}

absl::StatusOr<SystemRow> DataSystems::Retire(const std::string& name, const std::string& reason,
                                              const Caller& caller) {
  base::MutexLock lock(writing_);
  SystemRow row;
  const absl::Status retired = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    if (absl::Status s = FinishUnfinished(); !s.ok()) return s;
    SystemsSeen registry;
    const absl::StatusOr<std::vector<SystemRow>> known = ReadRegistry(&registry);
    if (!known.ok()) return known.status();
    const auto found =
        std::find_if(known->begin(), known->end(), [&](const SystemRow& other) { return other.name == name; });
    if (found == known->end()) return NoSuchSystem(name, *known);
    row = *found;
    if (!row.IsActive()) return store::Outcome::kCommitted;
    const int64_t open = queue_.counts(row.number).open;
    if (open > 0 && reason.empty()) {
      return wire::MakeError(v1::ERROR_REASON_SYSTEM_HAS_TASKS,
                             "the data system has open tasks: let them end, or give a reason for leaving them",
                             {{"open", std::to_string(open)}});
    }
    row.retired_reason = reason;
    return WriteEverywhere(row, &SystemRow::retired_at, registry, caller);
  });
  if (!retired.ok()) return retired;
  if (absl::Status s = EndTasks(row); !s.ok()) return s;
  return row;
}

absl::Status DataSystems::Load() {
  base::MutexLock lock(writing_);
  if (absl::Status s = known_.Fill(); !s.ok()) return s;
  if (absl::Status s = FinishUnfinished(); !s.ok()) return s;
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    if (absl::Status s = FillDeletions(core_, queue_, store::Partition{number}); !s.ok()) return s;
    if (absl::Status s = MakeMissingTasks(store::Partition{number}); !s.ok()) return s;
  }
  // A crash may have come between a retirement and the end of its tasks.
  for (const SystemRow& row : known_.List()) {
    if (row.IsActive()) continue;
    if (absl::Status s = EndTasks(row); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status DataSystems::MakeMissingTasks(store::Partition partition) {
  const auto seen = LoadSystems(core_, partition);
  if (!seen.ok()) return seen.status();
  std::vector<DeletionPlace> lacking;
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kDeletion, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        DeletionRow row;
        damaged = !DecodeDeletionRow(value, &row);
        if (damaged) return false;
        const domain::DeletionRequest& request = row.request;
        const bool waits = domain::IsOpen(request.state) && domain::IsVerified(request.state);
        const std::vector<domain::SystemNumber>& owing = seen->For(request.cause);
        const bool lacks = std::any_of(owing.begin(), owing.end(),
                                       [&](domain::SystemNumber system) { return request.Find(system) == nullptr; });
        if (waits && lacks) lacking.push_back(DeletionPlace{partition, NumberOfKey(key)});
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a deletion request's row");
  for (const DeletionPlace& place : lacking) {
    if (absl::Status s = MakeMissingTasks(place); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status DataSystems::MakeMissingTasks(DeletionPlace place) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::string bytes;
    absl::StatusOr<DeletionRow> row = LoadDeletion(core_, place, &bytes);
    if (!row.ok()) return row.status();
    const auto systems = LoadSystems(core_, place.partition);
    if (!systems.ok()) return systems.status();
    std::vector<store::Write> writes;
    for (const domain::SystemNumber system : systems->For(row->request.cause)) {
      const size_t before = row->request.parts.size();
      domain::AddPart(row->request, system);
      if (row->request.parts.size() == before) continue;
      writes.push_back({store::Table::kTask, TaskKey(system, place.number), EncodeTaskRow(TaskRow{})});
    }
    if (writes.empty()) return store::Outcome::kCommitted;
    writes.push_back({store::Table::kDeletion, DeletionKey(place.number), EncodeDeletionRow(*row)});
    const store::CommitResult result =
        CommitPatiently(core_, place.partition,
                        {{store::Table::kDeletion, DeletionKey(place.number), bytes}, systems->AsPrecondition()},
                        [&](const store::Stamp&) {
                          return store::Change{writes, PlainEvent(ChangeKind::kSystemChanged, "")};
                        });
    return result.outcome;
  });
}

absl::Status DataSystems::EndTasks(const SystemRow& system) {
  TaskReport report;
  report.outcome = domain::PurgeOutcome::kExempt;
  report.reason = system.retired_reason;
  report.exempt = domain::ExemptReason::kSystemRetired;
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    const store::Partition partition{number};
    std::vector<DeletionPlace> open;
    const absl::Status scanned = core_.store.Scan(partition, store::Table::kTask, TaskKey(system.number, 0),
                                                  TaskKey(static_cast<domain::SystemNumber>(system.number + 1), 0),
                                                  SIZE_MAX, [&](std::string_view key, std::string_view) {
                                                    open.push_back(DeletionPlace{partition, NumberOfKey(key)});
                                                    return true;
                                                  });
    if (!scanned.ok()) return StoreUnreadable();
    for (const DeletionPlace& place : open) {
      report.place = place;
      if (absl::Status s = EndTask(core_, system, report); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace consent::service
