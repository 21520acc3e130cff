#include "daemon/journal/ids.h"

#include <algorithm>

#include "daemon/service/rows/hold_rows.h"

namespace consent::journal {
namespace {

using store::Table;

bool Puts(const std::vector<store::Write>& writes, const std::string& share_key) {
  return std::any_of(writes.begin(), writes.end(), [&](const store::Write& write) {
    return write.table == Table::kKeyShare && write.value.has_value() && write.key == share_key;
  });
}

}  // namespace

void Ids::Seal(PayloadOf of, uint64_t number, const absl::StatusOr<service::DeletionPayload>& opened,
               Entry* entry) const {
  if (absl::IsNotFound(opened.status())) return;  // it has ended meanwhile: nobody needs them any more
  if (!opened.ok()) {
    failures_.fetch_add(1);
    return;
  }
  std::string sealed = key_->Seal({opened->account_id, opened->selector}, core_.random);
  if (sealed.empty() || sealed.size() > kMaxSealedBytes) {
    failures_.fetch_add(1);
    return;
  }
  entry->payloads.push_back({of, number, std::move(sealed)});
}

void Ids::AddOf(const store::Committed& committed, Entry* entry) const {
  if (!key_.has_value()) return;
  const std::vector<store::Write>& writes = committed.writes;
  for (const store::Write& write : writes) {
    if (!write.value.has_value()) continue;
    std::string share;
    if (write.table == Table::kDeletion) {
      share = service::DeletionShareKey(core_, {committed.partition, service::NumberOfKey(write.key)});
    } else if (write.table == Table::kHold && service::IsHoldKey(write.key)) {
      share = service::HoldShareKey(core_, {committed.partition, service::SequenceOfHoldKey(write.key)});
    } else {
      continue;
    }
    if (Puts(writes, share)) AddOf(committed.partition, write.table, write.key, *write.value, entry);
  }
}

void Ids::AddOf(store::Partition partition, Table table, const std::string& key, const std::string& value,
                Entry* entry) const {
  if (!key_.has_value()) return;
  if (table == Table::kDeletion) {
    service::DeletionRow row;
    const service::DeletionNumber number = service::NumberOfKey(key);
    if (!service::DecodeDeletionRow(value, &row) || row.sealed.empty()) return;
    Seal(PayloadOf::kDeletion, number, service::OpenDeletion(core_, {partition, number}, row), entry);
  } else if (table == Table::kHold && service::IsHoldKey(key)) {
    service::HoldRow row;
    const store::Sequence sequence = service::SequenceOfHoldKey(key);
    if (!service::DecodeHoldRow(value, &row) || row.sealed.empty()) return;
    const std::string share = service::HoldShareKey(core_, {partition, sequence});
    Seal(PayloadOf::kHold, sequence, service::OpenSealed(core_, partition, share, row.subject, row.sealed), entry);
  }
}

}  // namespace consent::journal
