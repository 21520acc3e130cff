#include "daemon/service/rows/id_rows.h"

#include <string>

#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

constexpr int kNumberBytes = 8;

store::Write PutNumber(store::RowKey row, uint64_t number) {
  std::string value;
  base::Encoder(&value).BigEndian(number, kNumberBytes);
  return {row.table, std::move(row.key), std::move(value)};
}

// NotFound: nothing has the id.
absl::StatusOr<uint64_t> GetNumber(const Core& core, store::Partition partition, const store::RowKey& row) {
  if (partition.number >= core.store.partition_count()) return absl::NotFoundError("no such partition");
  const absl::StatusOr<std::string> stored = core.store.Get(partition, row.table, row.key);
  if (absl::IsNotFound(stored.status())) return stored.status();
  if (!stored.ok()) return StoreUnreadable();
  base::Decoder in(*stored);
  const uint64_t number = in.BigEndian(kNumberBytes);
  if (in.Done()) return number;
  return DamagedRow("the row of an id");
}

}  // namespace

store::RowKey IdRow(const base::DeletionId& id) {
  return {store::Table::kDeletionById, std::string(base::View(id.bytes))};
}

store::RowKey IdRow(const base::HoldId& id) { return {store::Table::kHoldById, std::string(base::View(id.bytes))}; }

store::Write PutId(const base::DeletionId& id, DeletionNumber number) { return PutNumber(IdRow(id), number); }

store::Write PutId(const base::HoldId& id, store::Sequence sequence) { return PutNumber(IdRow(id), sequence); }

absl::StatusOr<DeletionPlace> FindDeletion(const Core& core, const base::DeletionId& id) {
  const store::Partition partition{id.partition()};
  const absl::StatusOr<uint64_t> number = GetNumber(core, partition, IdRow(id));
  if (absl::IsNotFound(number.status())) return NoSuchDeletion();
  if (!number.ok()) return number.status();
  return DeletionPlace{partition, *number};
}

absl::StatusOr<HoldPlace> FindHold(const Core& core, const base::HoldId& id) {
  const store::Partition partition{id.partition()};
  const absl::StatusOr<uint64_t> sequence = GetNumber(core, partition, IdRow(id));
  if (absl::IsNotFound(sequence.status())) return NoSuchHold();
  if (!sequence.ok()) return sequence.status();
  return HoldPlace{partition, *sequence};
}

}  // namespace consent::service
