#include "daemon/service/rows/decision_log_row.h"

#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

std::string EncodeDecisionLogRow(const DecisionLogRow& row) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kVersion);
  encoder.Varint(row.count);
  encoder.Raw(base::View(row.hash));
  return bytes;
}

bool DecodeDecisionLogRow(std::string_view bytes, DecisionLogRow* row) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  row->count = decoder.Varint();
  row->hash = decoder.Array<sizeof(base::Digest)>();
  return decoder.Done() && version == kVersion && row->count != 0;
}

absl::StatusOr<DecisionLogRow> ReadDecisionLogRow(const store::Store& store) {
  const auto bytes = store.Get(kDecisionLogPartition, store::Table::kDecisionLog, kDecisionLogKey);
  DecisionLogRow row;
  if (absl::IsNotFound(bytes.status())) return row;
  if (!bytes.ok()) return StoreUnreadable();
  if (!DecodeDecisionLogRow(*bytes, &row)) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "the row of the decision log is damaged");
  }
  return row;
}

}  // namespace consent::service
