#include "daemon/service/rows/verification_row.h"

#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kVerificationFormat = 1;

}  // namespace

std::string EncodeVerificationRow(const VerificationRow& row) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kVerificationFormat);
  encoder.Varint(static_cast<uint64_t>(row.reported_at.micros));
  for (const uint64_t count :
       {row.records, row.confirmed, row.late, row.not_checkable, row.not_given, row.log_problems}) {
    encoder.Varint(count);
  }
  encoder.Varint(static_cast<uint64_t>(row.wrong_at.micros));
  return bytes;
}

bool DecodeVerificationRow(std::string_view bytes, VerificationRow* row) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  row->reported_at.micros = static_cast<int64_t>(decoder.Varint());
  for (uint64_t* const count :
       {&row->records, &row->confirmed, &row->late, &row->not_checkable, &row->not_given, &row->log_problems}) {
    *count = decoder.Varint();
    if (*count > kMaxVerified) decoder.Fail();
  }
  row->wrong_at.micros = static_cast<int64_t>(decoder.Varint());
  return decoder.Done() && version == kVerificationFormat && row->reported_at.micros > 0 &&
         row->reported_at <= base::kLastInstant && row->wrong_at.micros >= 0 && row->wrong_at <= row->reported_at;
}

absl::StatusOr<VerificationRow> ReadVerificationRow(const store::Store& store, std::optional<std::string>* bytes) {
  absl::StatusOr<std::string> stored = store.Get(kDecisionLogPartition, store::Table::kDecisionLog, kVerificationKey);
  VerificationRow row;
  if (absl::IsNotFound(stored.status())) return row;
  if (!stored.ok()) return StoreUnreadable();
  if (!DecodeVerificationRow(*stored, &row)) return DamagedRow("the row of the last verification");
  if (bytes != nullptr) *bytes = *std::move(stored);
  return row;
}

}  // namespace consent::service
