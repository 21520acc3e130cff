#include "daemon/store/rocksdb/head_record.h"

#include <algorithm>

#include "daemon/base/hash.h"
#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/rows.h"

namespace consent::store {
namespace {

constexpr std::string_view kFamilyOfMagics = "CONSHD";
constexpr std::string_view kMagic = "CONSHD03";
constexpr std::string_view kMovesMagic = "MOVE";
constexpr size_t kHeadBytes = 8 + 8 + 32;
constexpr size_t kChecksumBytes = 32;
constexpr size_t kClockBytes = 16 + 5 * 8 + 1;
constexpr size_t kSectorBytes = 512;  // what a disk writes as a whole

void PutClock(base::Encoder& encoder, const base::ClockRecord& clock) {
  encoder.Raw(base::View(clock.boot_id));
  for (const int64_t micros : {clock.read.boot.micros, clock.read.wall.micros, clock.offset.micros,
                               clock.last_trusted.micros, clock.doubtful_since.micros}) {
    encoder.BigEndian(static_cast<uint64_t>(micros), 8);
  }
  encoder.Byte(clock.settled ? 1 : 0);
}

base::ClockRecord GetClock(base::Decoder& decoder) {
  base::ClockRecord clock;
  clock.boot_id = decoder.Array<16>();
  for (int64_t* micros : {&clock.read.boot.micros, &clock.read.wall.micros, &clock.offset.micros,
                          &clock.last_trusted.micros, &clock.doubtful_since.micros}) {
    *micros = static_cast<int64_t>(decoder.BigEndian(8));
  }
  clock.settled = decoder.Byte() == 1;
  return clock;
}

void PutHead(base::Encoder& encoder, const Head& head) {
  encoder.BigEndian(head.stamp.sequence, 8);
  encoder.BigEndian(static_cast<uint64_t>(head.stamp.time.micros), 8);
  encoder.Raw(base::View(head.chain));
}

Head GetHead(base::Decoder& decoder) {
  Head head;
  head.stamp.sequence = decoder.BigEndian(8);
  head.stamp.time.micros = static_cast<int64_t>(decoder.BigEndian(8));
  head.chain = decoder.Array<32>();
  return head;
}

// Collects the moves of one slot that are later than the newest whole record. False: one is damaged for certain.
// Records follow each other without gaps, with growing generations, and are written over from the beginning. A broken
// place before a later record may mean that the power failed when some sectors had been written. But a sector is
// written as a whole: where the records on both sides of the broken place lie in its sector, what was between them had
// been complete.
bool CollectMoves(const HeadRecord& newest, std::string_view area, std::vector<HeadMoves>* later) {
  uint64_t before = 0;  // generation of the last whole record; 0: none
  bool is_broken = false;
  size_t broken = 0;
  for (size_t at = 0; at < area.size();) {
    std::optional<HeadMoves> moves = DecodeHeadMoves(newest.store_id, area.substr(at));
    if (!moves) {
      if (!is_broken) broken = at;
      is_broken = true;
      at = area.find(kMovesMagic, at + 1);
      continue;
    }
    const bool is_later = moves->generation > newest.generation;
    const bool in_one_sector = broken % kSectorBytes != 0 && broken / kSectorBytes == at / kSectorBytes;
    if (is_broken && before != 0 && in_one_sector && is_later && moves->generation > before) return false;
    before = moves->generation;
    is_broken = false;
    at += HeadMovesBytes(moves->heads.size());
    if (is_later) later->push_back(*std::move(moves));
  }
  return true;
}

}  // namespace

static_assert(kMagic.size() + 16 + 8 + 8 + kClockBytes + 2 + kMaxPartitions * kHeadBytes + kChecksumBytes <=
              kHeadWholeBytes);

size_t HeadRecordBytes(size_t partitions) {
  return kMagic.size() + 16 + 8 + 8 + kClockBytes + 2 + partitions * kHeadBytes + kChecksumBytes;
}

size_t HeadMovesBytes(size_t moved) {
  return kMovesMagic.size() + 8 + 8 + 2 + moved * (2 + kHeadBytes) + kChecksumBytes;
}

std::string EncodeHeadRecord(const HeadRecord& record) {
  std::string bytes;
  bytes.reserve(HeadRecordBytes(record.heads.size()));
  base::Encoder encoder(&bytes);
  encoder.Raw(kMagic);
  encoder.Raw(base::View(record.store_id));
  encoder.BigEndian(record.generation, 8);
  encoder.BigEndian(record.position, 8);
  PutClock(encoder, record.clock);
  encoder.BigEndian(record.heads.size(), 2);
  for (const Head& head : record.heads) PutHead(encoder, head);
  const base::Digest checksum = base::Blake2b(bytes);
  encoder.Raw(base::View(checksum));
  return bytes;
}

std::optional<HeadRecord> DecodeHeadRecord(std::string_view bytes) {
  base::Decoder decoder(bytes);
  HeadRecord record;
  const std::string_view magic = decoder.Raw(kMagic.size());
  record.store_id = decoder.Array<16>();
  record.generation = decoder.BigEndian(8);
  record.position = decoder.BigEndian(8);
  record.clock = GetClock(decoder);
  const uint64_t partitions = decoder.BigEndian(2);
  if (!decoder.ok() || magic != kMagic || partitions == 0 || partitions > kMaxPartitions) return std::nullopt;
  for (uint64_t i = 0; i < partitions; ++i) record.heads.push_back(GetHead(decoder));
  const std::string_view checked = bytes.substr(0, bytes.size() - decoder.remaining());
  const base::Digest checksum = decoder.Array<32>();
  if (!decoder.ok() || checksum != base::Blake2b(checked)) return std::nullopt;
  return record;
}

std::string EncodeHeadMoves(const base::Bytes16& store_id, const HeadMoves& moves) {
  std::string bytes;
  bytes.reserve(HeadMovesBytes(moves.heads.size()));
  base::Encoder encoder(&bytes);
  encoder.Raw(kMovesMagic);
  encoder.BigEndian(moves.generation, 8);
  encoder.BigEndian(moves.position, 8);
  encoder.BigEndian(moves.heads.size(), 2);
  for (const auto& [partition, head] : moves.heads) {
    encoder.BigEndian(partition.number, 2);
    PutHead(encoder, head);
  }
  const base::Digest checksum = base::Blake2b(base::View(store_id), bytes);
  encoder.Raw(base::View(checksum));
  return bytes;
}

std::optional<HeadMoves> DecodeHeadMoves(const base::Bytes16& store_id, std::string_view bytes) {
  base::Decoder decoder(bytes);
  HeadMoves moves;
  const std::string_view magic = decoder.Raw(kMovesMagic.size());
  moves.generation = decoder.BigEndian(8);
  moves.position = decoder.BigEndian(8);
  const uint64_t moved = decoder.BigEndian(2);
  if (!decoder.ok() || magic != kMovesMagic || moved > kMaxPartitions) return std::nullopt;
  for (uint64_t i = 0; i < moved; ++i) {
    const Partition partition{static_cast<uint16_t>(decoder.BigEndian(2))};
    moves.heads.emplace_back(partition, GetHead(decoder));
  }
  const std::string_view checked = bytes.substr(0, bytes.size() - decoder.remaining());
  const base::Digest checksum = decoder.Array<32>();
  if (!decoder.ok() || checksum != base::Blake2b(base::View(store_id), checked)) return std::nullopt;
  return moves;
}

absl::StatusOr<HeadRecord> FindNewestHeads(std::string_view file) {
  std::optional<HeadRecord> newest;
  for (const size_t slot : {size_t{0}, kHeadSlotBytes}) {
    if (file.size() <= slot) continue;
    std::optional<HeadRecord> record = DecodeHeadRecord(file.substr(slot, kHeadWholeBytes));
    if (record && (!newest || record->generation > newest->generation)) newest = std::move(record);
  }
  if (!newest) {
    const bool is_of_another = file.starts_with(kFamilyOfMagics) && !file.starts_with(kMagic);
    return is_of_another ? AnotherFormat("the head file") : absl::DataLossError("it holds no whole record");
  }
  std::vector<HeadMoves> later;
  for (const size_t slot : {size_t{0}, kHeadSlotBytes}) {
    if (file.size() <= slot + kHeadWholeBytes) continue;
    if (CollectMoves(*newest, file.substr(slot + kHeadWholeBytes, kHeadMovesBytes), &later)) continue;
    return absl::DataLossError("a damaged record stands before a later one");
  }
  std::sort(later.begin(), later.end(),
            [](const HeadMoves& a, const HeadMoves& b) { return a.generation < b.generation; });
  for (const HeadMoves& moves : later) {
    newest->generation = moves.generation;
    newest->position = moves.position;
    for (const auto& [partition, head] : moves.heads) {
      if (partition.number < newest->heads.size()) newest->heads[partition.number] = head;
    }
  }
  return *std::move(newest);
}

}  // namespace consent::store
