#include "daemon/service/rows/safety_flag_rows.h"

#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"

namespace consent::service {
namespace {

constexpr uint8_t kSafetyFlagFormat = 1;

}  // namespace

std::string EncodeSafetyFlagRow(const SafetyFlagRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kSafetyFlagFormat);
  out.Raw(base::View(row.subject.bytes));
  out.Raw(base::View(row.recording.bytes));
  PutTime(out, row.reported_at);
  out.Varint(row.reported);
  return bytes;
}

bool DecodeSafetyFlagRow(std::string_view bytes, SafetyFlagRow* row) {
  base::Decoder in(bytes);
  if (in.Byte() != kSafetyFlagFormat) return false;
  row->subject.bytes = in.Array<16>();
  row->recording.bytes = in.Array<16>();
  row->reported_at = GetTime(in);
  row->reported = in.Varint();
  return in.Done() && row->reported_at.IsSet() && row->reported != 0;
}

absl::StatusOr<SafetyFlagRow> LoadSafetyFlag(const Core& core, store::Partition partition, std::string_view key,
                                             std::string* bytes) {
  absl::StatusOr<std::string> stored = core.store.Get(partition, store::Table::kSafetyFlag, key);
  if (absl::IsNotFound(stored.status())) return absl::NotFoundError("no open flag");
  if (!stored.ok()) return StoreUnreadable();
  SafetyFlagRow row;
  if (!DecodeSafetyFlagRow(*stored, &row)) return DamagedRow("the row of a SAFETY flag");
  *bytes = *std::move(stored);
  return row;
}

}  // namespace consent::service
