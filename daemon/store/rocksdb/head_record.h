// Bytes of the head file. Frozen: see ../FORMAT.md, whose examples a test compares with these functions. Pure;
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/trusted_time.h"
#include "daemon/store/store.h"

namespace consent::store {

// How far a store had come.
struct HeadRecord {
  base::Bytes16 store_id{};
  uint64_t generation = 0;  // grows by one with each record, of either kind
  uint64_t position = 0;    // the engine's own count of writes, those outside the order of commits included
  base::ClockRecord clock;  // all zero: of a store that was opened without a trusted clock
  std::vector<Head> heads;  // one per partition
};

// What changed of it with one group of commits.
struct HeadMoves {
  uint64_t generation = 0;
  uint64_t position = 0;
  std::vector<std::pair<Partition, Head>> heads;  // of partitions that moved, each once; none: only the position did
};

// A file is two slots, each with room for a whole record and, at a fixed place behind it, for records of moves.
inline constexpr size_t kHeadWholeBytes = 64 << 10;
inline constexpr size_t kHeadMovesBytes = 64 << 10;
inline constexpr size_t kHeadSlotBytes = kHeadWholeBytes + kHeadMovesBytes;

// Checksum included.
std::string EncodeHeadRecord(const HeadRecord& record);
// Nothing unless the bytes begin with a whole, undamaged record.
std::optional<HeadRecord> DecodeHeadRecord(std::string_view bytes);
// How many bytes they have.
size_t HeadRecordBytes(size_t partitions);
size_t HeadMovesBytes(size_t moved);
// Of the store with this id; its checksum holds for no other.
std::string EncodeHeadMoves(const base::Bytes16& store_id, const HeadMoves& moves);
// Nothing unless the bytes begin with a whole, undamaged record of moves of this store.
std::optional<HeadMoves> DecodeHeadMoves(const base::Bytes16& store_id, std::string_view bytes);

// What the file says: the newest whole record, with all later moves that are whole. DataLoss: no whole record; or a
// damaged record of moves, of which it is certain that no torn write explains it. FailedPrecondition: of another
// build.
absl::StatusOr<HeadRecord> FindNewestHeads(std::string_view file);

}  // namespace consent::store
