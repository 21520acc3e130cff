#include "daemon/service/rows/policy_rows.h"

#include "daemon/base/bytes.h"

namespace consent::service {

std::string PolicyTimeKey(char kind, base::Instant time) {
  std::string key(1, kind);
  base::Encoder(&key).BigEndian(static_cast<uint64_t>(time.micros), 8);
  return key;
}

std::string PolicyDocumentKey(const base::Digest& hash) { return kDocuments + std::string(base::View(hash)); }

std::string EncodeCurrentPolicy(const CurrentPolicy& current) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.BigEndian(static_cast<uint64_t>(current.activated_at.micros), 8);
  out.Byte(current.is_closed ? 1 : 0);
  return bytes;
}

bool DecodeCurrentPolicy(std::string_view bytes, CurrentPolicy* current) {
  base::Decoder in(bytes);
  current->activated_at = base::Instant{static_cast<int64_t>(in.BigEndian(8))};
  const uint8_t is_closed = in.Byte();
  current->is_closed = is_closed == 1;
  return in.Done() && is_closed <= 1 && current->activated_at >= base::Instant{};
}

store::Write PutMark(UsageMark mark) {
  std::string key(1, mark.of_control ? kUsedControls : kUsedNotices);
  base::Encoder(&key).BigEndian(mark.number, 2);
  return {store::Table::kPolicy, std::move(key), std::string()};
}

bool DecodeMarkKey(std::string_view key, UsageMark* mark) {
  base::Decoder in(key);
  const uint8_t kind = in.Byte();
  mark->of_control = kind == static_cast<uint8_t>(kUsedControls);
  mark->number = static_cast<uint16_t>(in.BigEndian(2));
  return in.Done() && (mark->of_control || kind == static_cast<uint8_t>(kUsedNotices));
}

}  // namespace consent::service
