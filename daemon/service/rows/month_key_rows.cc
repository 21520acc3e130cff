#include "daemon/service/rows/month_key_rows.h"

#include <algorithm>
#include <optional>

#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kMonthKeyRowVersion = 1;
constexpr char kMonthKeyRows = 'k';

}  // namespace

std::string EncodeMonthKeyRow(const MonthKeyRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kMonthKeyRowVersion);
  out.Varint(static_cast<uint64_t>(row.made_at.micros));
  out.Varint(static_cast<uint64_t>(row.gone_at.micros));
  return bytes;
}

bool DecodeMonthKeyRow(std::string_view bytes, MonthKeyRow* row) {
  base::Decoder in(bytes);
  const uint8_t version = in.Byte();
  row->made_at.micros = static_cast<int64_t>(in.Varint());
  row->gone_at.micros = static_cast<int64_t>(in.Varint());
  return in.Done() && version == kMonthKeyRowVersion && row->made_at.micros > 0 && row->gone_at.micros >= 0;
}

std::string MonthKeyRowKey(const base::MonthKeyName& name) { return kMonthKeyRows + name.ToText(); }

bool ReadMonthKeyRowKey(std::string_view key, base::MonthKeyName* name) {
  if (key.empty() || key.front() != kMonthKeyRows) return false;
  const std::optional<base::MonthKeyName> read = base::MonthKeyName::Parse(key.substr(1));
  if (read.has_value()) *name = *read;
  return read.has_value();
}

std::string MonthKeyShareKey(const base::MonthKeyName& name) { return name.ToText(); }

base::SubjectHandle WrapHandleOf(const base::MonthKeyName& name) {
  base::SubjectHandle handle;
  static_assert(sizeof(handle.bytes) == base::MonthKeyName::kBytes);
  const std::string text = name.ToText();
  std::copy(text.begin(), text.end(), handle.bytes.begin());
  return handle;
}

absl::StatusOr<std::vector<KnownMonthKey>> LoadMonthKeys(const store::Store& store) {
  std::vector<KnownMonthKey> keys;
  bool damaged = false;
  const absl::Status scanned =
      store.Scan(kMonthKeyPartition, store::Table::kDecisionLog, std::string(1, kMonthKeyRows),
                 std::string(1, kMonthKeyRows + 1), SIZE_MAX, [&](std::string_view key, std::string_view value) {
                   KnownMonthKey one;
                   damaged = !ReadMonthKeyRowKey(key, &one.name) || !DecodeMonthKeyRow(value, &one.row);
                   if (!damaged) keys.push_back(one);
                   return !damaged;
                 });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a key of the decision log");
  return keys;
}

}  // namespace consent::service
