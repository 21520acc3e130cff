#include "daemon/service/rows/system_rows.h"

#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kSystemFormat = 1;
constexpr uint8_t kIngestBit = 1;
constexpr uint8_t kOfflineBit = 2;
constexpr size_t kSystemKeyBytes = 2;

}  // namespace

std::string EncodeSystemRow(const SystemRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kSystemFormat);
  out.BigEndian(row.number, 2);
  out.String(row.name);
  out.Byte(row.kind);
  out.Byte(row.matches_by);
  out.Byte(
      static_cast<uint8_t>((row.checks_on_ingest ? kIngestBit : 0) | (row.offline_key.has_value() ? kOfflineBit : 0)));
  out.Varint(static_cast<uint64_t>(row.latest_arrival.micros));
  PutTime(out, row.registered_at);
  PutTime(out, row.retired_at);
  out.String(row.retired_reason);
  if (row.offline_key.has_value()) out.Raw(base::View(row.offline_key->bytes()));
  return bytes;
}

bool DecodeSystemRow(std::string_view bytes, SystemRow* row) {
  *row = SystemRow{};
  Decoder in(bytes);
  if (in.Byte() != kSystemFormat) return false;
  row->number = static_cast<domain::SystemNumber>(in.BigEndian(2));
  row->name = in.String(kMaxLabelBytes);
  row->kind = in.Byte();
  row->matches_by = in.Byte();
  const uint8_t bits = in.Byte();
  row->checks_on_ingest = (bits & kIngestBit) != 0;
  row->latest_arrival = base::Span{GetTime(in).micros};
  row->registered_at = GetTime(in);
  row->retired_at = GetTime(in);
  row->retired_reason = in.String(kMaxTextBytes);
  if ((bits & kOfflineBit) != 0) row->offline_key.emplace(in.Array<sizeof(base::Digest)>());
  return in.Done() && bits <= (kIngestBit | kOfflineBit) && row->number != 0 && !row->name.empty();
}

std::string SystemKey(domain::SystemNumber system) {
  std::string key;
  Encoder(&key).BigEndian(system, 2);
  return key;
}

absl::Status ScanSystems(const Core& core, store::Partition partition, std::vector<SystemRow>* systems,
                         std::optional<std::string>* version) {
  // The version first: what is written after it is seen by who has it for a precondition.
  absl::StatusOr<std::string> found = core.store.Get(partition, store::Table::kSystem, kSystemsVersionKey);
  if (!found.ok() && !absl::IsNotFound(found.status())) return StoreUnreadable();
  version->reset();
  // Each system is written together with the version: where there is none, there is none, and nothing to look for. A
  // change of choices that ends a use comes by here.
  if (!found.ok()) return absl::OkStatus();
  *version = *std::move(found);
  bool damaged = false;
  constexpr size_t kMaxRows = kMaxSystems + 1;  // a short scan: what it reads stays in the cache
  const absl::Status scanned = core.store.Scan(
      partition, store::Table::kSystem, "", "", kMaxRows, [&](std::string_view key, std::string_view value) {
        if (key == kSystemsVersionKey) return true;
        SystemRow row;
        damaged = key.size() != kSystemKeyBytes || !DecodeSystemRow(value, &row);
        if (!damaged) systems->push_back(std::move(row));
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedRow("a data system's row") : absl::OkStatus();
}

store::Precondition SystemsSeen::AsPrecondition() const {
  return {store::Table::kSystem, std::string(kSystemsVersionKey), version, seen};
}

absl::StatusOr<SystemsSeen> LoadSystems(const Core& core, store::Partition partition) {
  SystemsSeen seen;
  seen.seen = core.store.GetReadVersion(partition);
  std::vector<SystemRow> systems;
  if (absl::Status s = ScanSystems(core, partition, &systems, &seen.version); !s.ok()) return s;
  for (const SystemRow& system : systems) {
    if (!system.IsActive()) continue;
    seen.active.push_back(system.number);
    if (system.HoldsDrafts()) seen.drafts.push_back(system.number);
  }
  return seen;
}

}  // namespace consent::service
