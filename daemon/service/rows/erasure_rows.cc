#include "daemon/service/rows/erasure_rows.h"

#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr uint8_t kErasureFormat = 1;

}  // namespace

std::string WaitingKey(char step, DeletionNumber number, uint64_t chunk) {
  std::string key(1, step);
  base::Encoder out(&key);
  out.BigEndian(number, 8);
  out.BigEndian(chunk, 4);
  return key;
}

DeletionNumber NumberOfWaiting(std::string_view key) {
  if (key.size() != 13) return 0;
  base::Decoder in(key.substr(1, 8));
  return in.BigEndian(8);
}

std::string EncodeWaiting(base::Instant since, const store::EraseTargets& targets) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kErasureFormat);
  out.Varint(static_cast<uint64_t>(since.micros));
  out.Varint(targets.rows.size());
  for (const store::RowKey& row : targets.rows) {
    out.Byte(static_cast<uint8_t>(row.table));
    out.String(row.key);
  }
  out.Varint(targets.feed.size());
  for (const store::Sequence sequence : targets.feed) out.Varint(sequence);
  return bytes;
}

bool DecodeWaiting(std::string_view bytes, base::Instant* since, store::EraseTargets* targets) {
  base::Decoder in(bytes);
  if (in.Byte() != kErasureFormat) return false;
  since->micros = static_cast<int64_t>(in.Varint());
  const uint64_t rows = in.Varint();
  for (uint64_t i = 0; in.ok() && i < rows; ++i) {
    const auto table = static_cast<store::Table>(in.Byte());
    targets->rows.push_back({table, std::string(in.String(store::kMaxKeyBytes))});
  }
  const uint64_t feed = in.Varint();
  for (uint64_t i = 0; in.ok() && i < feed; ++i) targets->feed.push_back(in.Varint());
  return in.Done();
}

base::Instant SinceOf(std::string_view bytes) {
  base::Decoder in(bytes);
  (void)in.Byte();
  return base::Instant{static_cast<int64_t>(in.Varint())};
}

absl::Status DamagedWaiting() {
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a row of what is to be erased is damaged");
}

store::EraseTargets RowsOf(const Core& core, DeletionPlace place, const domain::DeletionRequest& request) {
  store::EraseTargets targets;
  targets.rows.push_back(
      {store::Table::kOpenDeletionBySelector, OpenDeletionKey(core, request.subject, request.selector)});
  targets.rows.push_back({store::Table::kDeletion, DeletionKey(place.number)});
  for (const domain::SystemProgress& part : request.parts) {
    targets.rows.push_back({store::Table::kTask, TaskKey(part.system, place.number)});
  }
  return targets;
}

void BeginErasure(const Core& core, DeletionPlace place, const store::Stamp& stamp, std::vector<store::Write>& writes) {
  writes.push_back({store::Table::kKeyShare, DeletionShareKey(core, place), std::nullopt});
  writes.push_back({store::Table::kErasure, WaitingKey(kKeysStep, place.number), EncodeWaiting(stamp.time, {})});
}

void BeginErasure(DeletionNumber number, const store::EraseTargets& targets, const store::Stamp& stamp,
                  std::vector<store::Write>& writes) {
  writes.push_back({store::Table::kErasure, WaitingKey(kBytesStep, number), EncodeWaiting(stamp.time, targets)});
}

}  // namespace consent::service
