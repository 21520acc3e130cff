#include "daemon/service/registry/data_systems.h"

#include <algorithm>
#include <map>

#include "daemon/service/commit/retry.h"
#include "daemon/service/purge/end_tasks.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kTaskKeyBytes = 10;

// MatchKey of consent.v1, as bits.
constexpr uint8_t kByRecording = 1 << 0;
constexpr uint8_t kByAccount = 1 << 1;

absl::Status NoSuchSystem() {
  return wire::MakeError(v1::ERROR_REASON_SYSTEM_NOT_FOUND,
                         "no data system of that name is registered; ListDataSystems says which are");
}

// The row, and another version of the registry.
store::Change ChangeOf(const SystemRow& row, const store::Stamp& stamp) {
  store::Change change;
  change.writes.push_back({store::Table::kSystem, SystemKey(row.number), EncodeSystemRow(row)});
  change.writes.push_back({store::Table::kSystem, std::string(kSystemsVersionKey), DeletionKey(stamp.sequence)});
  change.event = PlainEvent(ChangeKind::kSystemChanged, "", row.name);
  return change;
}

bool SameContent(const SystemRow& a, const SystemRow& b) {
  return a.kind == b.kind && a.matches_by == b.matches_by && a.latest_arrival == b.latest_arrival &&
         a.checks_on_ingest == b.checks_on_ingest;
}

}  // namespace

DataSystems::DataSystems(Core& core, TaskQueue& queue) : core_(core), queue_(queue) {}

void DataSystems::Remember(const SystemRow& row) {
  base::MutexLock lock(mutex_);
  const auto at = std::find_if(systems_.begin(), systems_.end(),
                               [&](const SystemRow& known) { return known.number >= row.number; });
  if (at != systems_.end() && at->number == row.number) {
    *at = row;
  } else {
    systems_.insert(at, row);
  }
}

std::vector<SystemRow> DataSystems::List() const {
  base::MutexLock lock(mutex_);
  return systems_;
}

absl::StatusOr<SystemRow> DataSystems::Find(std::string_view name) const {
  base::MutexLock lock(mutex_);
  for (const SystemRow& system : systems_) {
    if (system.name == name) return system;
  }
  return NoSuchSystem();
}

absl::StatusOr<SystemRow> DataSystems::Find(domain::SystemNumber number) const {
  base::MutexLock lock(mutex_);
  for (const SystemRow& system : systems_) {
    if (system.number == number) return system;
  }
  return NoSuchSystem();
}

// `stamped` is set to the time that all partitions give it.
absl::Status DataSystems::WriteEverywhere(SystemRow& row, base::Instant SystemRow::*stamped) {
  EveryPartition write;
  write.make = [&](store::Partition, const store::Stamp& stamp, base::Instant time) {
    SystemRow stamped_row = row;
    if (!(row.*stamped).IsSet()) stamped_row.*stamped = time;
    return ChangeOf(stamped_row, stamp);
  };
  const WrittenEverywhere written = service::WriteEverywhere(core_, write);
  if (written.time.IsSet() && !(row.*stamped).IsSet()) row.*stamped = written.time;
  if (!written.status.ok() && written.time.IsSet()) unfinished_ = row;
  if (written.status.ok()) unfinished_.reset();
  return written.status;
}

absl::Status DataSystems::FinishUnfinished() {
  if (!unfinished_.has_value()) return absl::OkStatus();
  SystemRow row = *unfinished_;
  if (absl::Status s = WriteEverywhere(row, row.IsActive() ? &SystemRow::registered_at : &SystemRow::retired_at);
      !s.ok()) {
    return s;
  }
  Remember(row);
  return absl::OkStatus();
}

absl::StatusOr<SystemRow> DataSystems::Register(SystemRow row) {
  constexpr uint8_t kNeeded = kByRecording | kByAccount;
  if ((row.matches_by & kNeeded) != kNeeded) {
    return wire::MakeError(
        v1::ERROR_REASON_SYSTEM_CANNOT_MATCH,
        "a data system must find its data by account and by recording id: without them nothing could be asked of it");
  }
  base::MutexLock lock(writing_);
  if (absl::Status s = FinishUnfinished(); !s.ok()) return s;
  const std::vector<SystemRow> known = List();
  const auto same =
      std::find_if(known.begin(), known.end(), [&](const SystemRow& other) { return other.name == row.name; });
  if (same != known.end()) {
    if (same->IsActive() && SameContent(*same, row)) return MakeMissingTasks(*same);
    return wire::MakeError(
        v1::ERROR_REASON_SYSTEM_EXISTS,
        same->IsActive()
            ? "a data system of that name is registered with another content: take another name and retire this one"
            : "a data system of that name was retired: names are not used again");
  }
  if (known.size() >= kMaxSystems) {
    return wire::MakeError(v1::ERROR_REASON_SYSTEMS_FULL, "as many data systems are registered as there may be",
                           {{"limit", std::to_string(kMaxSystems)}});
  }
  row.number = static_cast<domain::SystemNumber>(known.empty() ? 1 : known.back().number + 1);
  row.registered_at = base::Instant{};
  row.retired_at = base::Instant{};
  if (absl::Status s = WriteEverywhere(row, &SystemRow::registered_at); !s.ok()) return s;
  Remember(row);
  return MakeMissingTasks(row);
}

absl::StatusOr<SystemRow> DataSystems::MakeMissingTasks(const SystemRow& row) {
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    if (absl::Status s = MakeMissingTasks(store::Partition{number}); !s.ok()) return s;
  }
  return row;
}

absl::StatusOr<SystemRow> DataSystems::Retire(const std::string& name, const std::string& reason) {
  base::MutexLock lock(writing_);
  if (absl::Status s = FinishUnfinished(); !s.ok()) return s;
  absl::StatusOr<SystemRow> found = Find(name);
  if (!found.ok()) return found;
  SystemRow row = *std::move(found);
  if (row.IsActive()) {
    const int64_t open = queue_.counts(row.number).open;
    if (open > 0 && reason.empty()) {
      return wire::MakeError(v1::ERROR_REASON_SYSTEM_HAS_TASKS,
                             "the data system has open tasks: let them end, or give a reason for leaving them",
                             {{"open", std::to_string(open)}});
    }
    row.retired_reason = reason;
    if (absl::Status s = WriteEverywhere(row, &SystemRow::retired_at); !s.ok()) return s;
    Remember(row);
  }
  if (absl::Status s = EndTasks(row); !s.ok()) return s;
  return row;
}

absl::Status DataSystems::Load() {
  base::MutexLock lock(writing_);
  std::map<domain::SystemNumber, SystemRow> all;
  const uint16_t partitions = core_.store.partition_count();
  std::vector<std::map<domain::SystemNumber, bool>> current(partitions);
  for (uint16_t number = 0; number < partitions; ++number) {
    std::vector<SystemRow> systems;
    std::optional<std::string> unused;
    if (absl::Status s = ScanSystems(core_, store::Partition{number}, &systems, &unused); !s.ok()) return s;
    for (const SystemRow& row : systems) {
      const auto [at, added] = all.try_emplace(row.number, row);
      if (!added && !row.IsActive()) at->second = row;
      current[number][row.number] = row.IsActive();
    }
  }
  for (const auto& [system, row] : all) {
    std::vector<store::Partition> lacking;
    for (uint16_t number = 0; number < partitions; ++number) {
      const auto at = current[number].find(system);
      if (at == current[number].end() || at->second != row.IsActive()) lacking.push_back({number});
    }
    const auto make = [&row = row](store::Partition, const store::Stamp& stamp, base::Instant) {
      return ChangeOf(row, stamp);
    };
    if (absl::Status s = WriteMissing(core_, lacking, {}, {make}); !s.ok()) return s;
    Remember(row);
  }
  for (uint16_t number = 0; number < partitions; ++number) {
    if (absl::Status s = FillQueue(store::Partition{number}); !s.ok()) return s;
    if (absl::Status s = FillGauges(store::Partition{number}); !s.ok()) return s;
    if (absl::Status s = MakeMissingTasks(store::Partition{number}); !s.ok()) return s;
  }
  // A crash may have come between a retirement and the end of its tasks.
  for (const auto& [system, row] : all) {
    if (row.IsActive()) continue;
    if (absl::Status s = EndTasks(row); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status DataSystems::FillQueue(store::Partition partition) {
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kTask, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        TaskRow row;
        damaged = key.size() != kTaskKeyBytes || !DecodeTaskRow(value, &row);
        if (damaged) return false;
        base::Decoder in(key);
        const auto system = static_cast<domain::SystemNumber>(in.BigEndian(2));
        queue_.Add(system, DeletionPlace{partition, NumberOfKey(key)}, HandOutFrom(core_, row));
        queue_.Count(system, 1);
        if (row.failures >= kStuckAfter) queue_.CountStuck(system, 1);
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedRow("a purge task's row") : absl::OkStatus();
}

absl::Status DataSystems::FillGauges(store::Partition partition) {
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kDeletion, "", "", SIZE_MAX, [&](std::string_view key, std::string_view value) {
        DeletionRow row;
        damaged = !DecodeDeletionRow(value, &row);
        if (!damaged) core_.deletions.Replace(DeletionPlace{partition, NumberOfKey(key)}, nullptr, row.request);
        if (!damaged && row.request.IsUnsettled()) core_.perhaps_unsettled.store(true);
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedRow("a deletion request's row") : absl::OkStatus();
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
        const bool lacks = std::any_of(seen->active.begin(), seen->active.end(),
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
    std::vector<domain::SystemNumber> added;
    for (const domain::SystemNumber system : systems->active) {
      const size_t before = row->request.parts.size();
      domain::AddPart(row->request, system);
      if (row->request.parts.size() == before) continue;
      writes.push_back({store::Table::kTask, TaskKey(system, place.number), EncodeTaskRow(TaskRow{})});
      added.push_back(system);
    }
    if (added.empty()) return store::Outcome::kCommitted;
    writes.push_back({store::Table::kDeletion, DeletionKey(place.number), EncodeDeletionRow(*row)});
    const store::CommitResult result = CommitPatiently(
        core_, place.partition,
        {{store::Table::kDeletion, DeletionKey(place.number), bytes}, systems->AsPrecondition()},
        [&](const store::Stamp&) {
          return store::Change{writes, PlainEvent(ChangeKind::kSystemChanged, "")};
        },
        [&](const store::Stamp&) {
          for (const domain::SystemNumber system : added) {
            queue_.Count(system, 1);
            queue_.Add(system, place, base::Span{});
          }
        });
    return result.outcome;
  });
}

absl::Status DataSystems::EndTasks(const SystemRow& system) {
  TaskReport report;
  report.outcome = domain::PurgeOutcome::kExempt;
  report.reason = system.retired_reason;
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
      if (absl::Status s = EndTask(core_, queue_, system, report); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace consent::service
