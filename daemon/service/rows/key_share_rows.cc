#include "daemon/service/rows/key_share_rows.h"

#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kMasterKeyRowVersion = 1;

}  // namespace

store::Write PutShare(const Core& core, base::SubjectHandle subject, std::string key, const std::string& share) {
  return {store::Table::kKeyShare, std::move(key), core.shares.UnderNewest(subject, share)};
}

std::string EncodeMasterKeyRow(const MasterKeyRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kMasterKeyRowVersion);
  out.BigEndian(row.newest, 2);
  out.Raw(base::View(row.check));
  out.BigEndian(row.wanted, 2);
  out.BigEndian(row.reached, 2);
  out.Raw(base::View(row.reached_check));
  return bytes;
}

bool DecodeMasterKeyRow(std::string_view bytes, MasterKeyRow* row) {
  *row = MasterKeyRow{};
  base::Decoder in(bytes);
  if (in.Byte() != kMasterKeyRowVersion) return false;
  row->newest = static_cast<uint16_t>(in.BigEndian(2));
  row->check = in.Array<sizeof(base::MasterCheck)>();
  row->wanted = static_cast<uint16_t>(in.BigEndian(2));
  row->reached = static_cast<uint16_t>(in.BigEndian(2));
  row->reached_check = in.Array<sizeof(base::MasterCheck)>();
  return in.Done() && row->reached != 0 && row->reached <= row->newest && row->wanted <= row->newest;
}

absl::StatusOr<MasterKeyRow> ReadMasterKeyRow(const store::Store& store) {
  const auto bytes = store.Get(kMasterKeyPartition, store::Table::kMasterKey, kMasterKeyKey);
  MasterKeyRow row;
  if (absl::IsNotFound(bytes.status())) return row;
  if (!bytes.ok()) return StoreUnreadable();
  if (!DecodeMasterKeyRow(*bytes, &row)) return DamagedRow("the row of the master keys");
  return row;
}

absl::StatusOr<uint64_t> CountSharesBelow(const store::Store& store, uint16_t number) {
  uint64_t count = 0;
  for (uint16_t partition = 0; partition < store.partition_count(); ++partition) {
    const absl::Status scanned = store.Scan({partition}, store::Table::kKeyShare, "", "", SIZE_MAX,
                                            [&](std::string_view, std::string_view share) {
                                              count += base::MasterNumberOf(share) < number ? 1 : 0;
                                              return true;
                                            });
    if (!scanned.ok()) return StoreUnreadable();
  }
  return count;
}

}  // namespace consent::service
