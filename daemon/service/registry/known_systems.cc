#include "daemon/service/registry/known_systems.h"

namespace consent::service {
namespace {

std::string CoverageKey(const SystemRow& row) { return SystemKey(row.number) + (row.IsActive() ? 'a' : 'r'); }

SystemRow AsRegistered(SystemRow row) {
  row.retired_at = base::Instant{};
  row.retired_reason.clear();
  return row;
}

}  // namespace

KnownSystems::KnownSystems(Core& core) : core_(core), coverage_(core.store.partition_count()) {}

bool KnownSystems::Follow(const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kSystem || write.key == kSystemsVersionKey) continue;
    SystemRow row;
    if (!write.value.has_value() || !DecodeSystemRow(*write.value, &row)) return false;
    FollowSystem(committed.partition, row);
  }
  return true;
}

absl::Status KnownSystems::Fill() {
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    std::vector<SystemRow> systems;
    std::optional<std::string> unused;
    if (absl::Status s = ScanSystems(core_, store::Partition{number}, &systems, &unused); !s.ok()) return s;
    for (const SystemRow& row : systems) FollowSystem(store::Partition{number}, row);
  }
  return absl::OkStatus();
}

void KnownSystems::FollowSystem(store::Partition partition, const SystemRow& row) {
  base::MutexLock lock(mutex_);
  const auto [newest, is_new] = newest_.try_emplace(row.number, row);
  if (!is_new && !row.IsActive()) newest->second = row;
  // A partition that has the retirement has had the registration.
  if (coverage_.Add(CoverageKey(AsRegistered(row)), partition)) Remember(AsRegistered(row));
  if (!row.IsActive() && coverage_.Add(CoverageKey(row), partition)) Remember(row);
}

void KnownSystems::Remember(const SystemRow& row) {
  core_.NoteStamp(row.IsActive() ? row.registered_at : row.retired_at);
  systems_.insert_or_assign(row.number, row);
}

std::vector<std::pair<SystemRow, std::vector<store::Partition>>> KnownSystems::Unfinished() const {
  base::MutexLock lock(mutex_);
  std::vector<std::pair<SystemRow, std::vector<store::Partition>>> unfinished;
  for (const auto& [number, row] : newest_) {
    if (!coverage_.IsComplete(CoverageKey(row))) {
      unfinished.emplace_back(row, coverage_.Lacking(CoverageKey(row)));
    }
  }
  return unfinished;
}

std::optional<SystemRow> KnownSystems::Find(std::string_view name) const {
  base::MutexLock lock(mutex_);
  for (const auto& [number, row] : systems_) {
    if (row.name == name) return row;
  }
  return std::nullopt;
}

std::vector<SystemRow> KnownSystems::List() const {
  base::MutexLock lock(mutex_);
  std::vector<SystemRow> systems;
  systems.reserve(systems_.size());
  for (const auto& [number, row] : systems_) systems.push_back(row);
  return systems;
}

}  // namespace consent::service
