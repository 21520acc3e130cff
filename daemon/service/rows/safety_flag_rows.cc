#include "daemon/service/rows/safety_flag_rows.h"

#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {
namespace {

constexpr size_t kSubjectKeyRest = 17;  // more than what follows the subject in a key

// The second one where somebody has done something about it.
constexpr uint8_t kReportedFormat = 1, kTakenUpFormat = 2;

}  // namespace

std::string EncodeSafetyFlagRow(const SafetyFlagRow& row) {
  const bool is_taken_up = row.acknowledged_at.IsSet() || row.handled_at.IsSet();
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(is_taken_up ? kTakenUpFormat : kReportedFormat);
  out.Raw(base::View(row.subject.bytes));
  out.Raw(base::View(row.recording.bytes));
  PutTime(out, row.reported_at);
  out.Varint(row.reported);
  if (!is_taken_up) return bytes;
  PutTime(out, row.acknowledged_at);
  out.Varint(row.acknowledged);
  PutTime(out, row.handled_at);
  out.Varint(row.handled);
  return bytes;
}

bool DecodeSafetyFlagRow(std::string_view bytes, SafetyFlagRow* row) {
  *row = SafetyFlagRow{};
  base::Decoder in(bytes);
  const uint8_t format = in.Byte();
  if (format != kReportedFormat && format != kTakenUpFormat) return false;
  row->subject.bytes = in.Array<16>();
  row->recording.bytes = in.Array<16>();
  row->reported_at = GetTime(in);
  row->reported = in.Varint();
  if (format == kTakenUpFormat) {
    row->acknowledged_at = GetTime(in);
    row->acknowledged = in.Varint();
    row->handled_at = GetTime(in);
    row->handled = in.Varint();
    const bool is_taken_up = row->acknowledged_at.IsSet() || row->handled_at.IsSet();
    if (!is_taken_up || row->acknowledged_at.IsSet() != (row->acknowledged != 0)) return false;
    if (row->handled_at.IsSet() != (row->handled != 0)) return false;
  }
  return in.Done() && row->reported_at.IsSet() && row->reported != 0;
}

absl::StatusOr<SafetyFlagRow> LoadSafetyFlag(const Core& core, store::Partition partition, std::string_view key,
                                             std::string* bytes) {
  absl::StatusOr<std::string> stored = core.store.Get(partition, store::Table::kSafetyFlag, key);
  if (absl::IsNotFound(stored.status())) return absl::NotFoundError("no such flag");
  if (!stored.ok()) return StoreUnreadable();
  SafetyFlagRow row;
  if (!DecodeSafetyFlagRow(*stored, &row)) return DamagedRow("the row of a SAFETY flag");
  *bytes = *std::move(stored);
  return row;
}

absl::StatusOr<std::vector<SafetyFlagRow>> LoadSafetyFlagsOf(const Core& core, base::SubjectHandle subject) {
  const std::string begin = core.SubjectKey(subject);
  // Behind every key that goes on from it.
  const std::string end = begin + std::string(kSubjectKeyRest, static_cast<char>(UINT8_MAX));
  std::vector<SafetyFlagRow> rows;
  bool damaged = false;
  const absl::Status scanned = core.store.Scan(core.PartitionOf(subject), store::Table::kSafetyFlag, begin, end,
                                               SIZE_MAX, [&](std::string_view, std::string_view value) {
                                                 SafetyFlagRow row;
                                                 damaged = !DecodeSafetyFlagRow(value, &row);
                                                 if (!damaged) rows.push_back(row);
                                                 return !damaged;
                                               });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("the row of a SAFETY flag");
  return rows;
}

absl::StatusOr<std::string> RecordingIdOf(const Core& core, const SafetyFlagRow& row) {
  const auto feed = core.store.FeedAt(core.PartitionOf(row.subject), row.reported);
  if (absl::IsOutOfRange(feed.status()) || absl::IsNotFound(feed.status()))
    return std::string();  // truncated away, or before a restore
  if (!feed.ok()) return StoreUnreadable();
  ChangeRow change;
  if (feed->erased || !DecodeChangeRow(feed->event.body, &change)) return std::string();
  const auto key = PayloadKeyOf(core, row.subject);
  if (!key.ok()) return key.status();
  absl::StatusOr<Payload> payload = OpenPayload(*key, change.sealed, row.subject);
  return payload.ok() ? std::move(payload->recording_id) : std::string();
}

}  // namespace consent::service
