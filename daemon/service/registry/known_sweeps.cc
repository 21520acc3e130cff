#include "daemon/service/registry/known_sweeps.h"

#include <cstdint>
#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

constexpr size_t kKeyBytes = 2;

}  // namespace

bool KnownSweeps::Take(std::string_view key, std::string_view value) {
  SweepRow row;
  if (key.size() != kKeyBytes || !DecodeSweepRow(value, &row)) return false;
  base::Decoder in(key);
  const auto system = static_cast<domain::SystemNumber>(in.BigEndian(kKeyBytes));
  base::MutexLock lock(mutex_);
  rows_.insert_or_assign(system, std::move(row));
  return true;
}

bool KnownSweeps::Follow(const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kSweep) continue;
    if (!write.value.has_value() || !Take(write.key, *write.value)) return false;
  }
  return true;
}

absl::Status KnownSweeps::Fill(const Core& core) {
  bool whole = true;
  const absl::Status scanned = core.store.Scan(kSweepPartition, store::Table::kSweep, "", "", SIZE_MAX,
                                               [&](std::string_view key, std::string_view value) {
                                                 whole = Take(key, value);
                                                 return whole;
                                               });
  if (!scanned.ok()) return StoreUnreadable();
  return whole ? absl::OkStatus() : DamagedRow("the row of a data system's retention");
}

SweepRow KnownSweeps::Of(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  const auto at = rows_.find(system);
  return at == rows_.end() ? SweepRow{} : at->second;
}

}  // namespace consent::service
