// How rows lie in the database. Frozen: see ../README.md, "On disk", and the golden test. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/store/store.h"

namespace consent::store {

// What a store is, written once at creation.
struct StoreRow {
  base::Bytes16 store_id{};
  uint16_t partitions = 0;
  base::Bytes16 key_fingerprint{};
  base::Instant created;
};

// Appends the partition's prefix: one byte below 128, else two; prefixes order as the numbers do.
void AppendPartition(Partition partition, std::string* out);
// prefix ‖ key.
std::string DiskRowKey(Partition partition, std::string_view key);
// The first key that is past all of the partition's.
std::string PartitionEnd(Partition partition);

// prefix ‖ sequence, 8 bytes, big-endian.
std::string FeedKey(Partition partition, Sequence sequence);
// The sequence of a key made by FeedKey, or nothing.
std::optional<Sequence> FeedKeySequence(Partition partition, std::string_view key);

// 1 ‖ time ‖ chain ‖ subject ‖ commitment ‖ body, or of an erased row 2 ‖ time ‖ chain.
std::string EncodeFeedRow(const Stamp& stamp, const Event& event, const base::Digest& chain);
std::string EncodeErasedFeedRow(const FeedRow& row);
// Nothing unless the bytes are canonical.
std::optional<FeedRow> DecodeFeedRow(Sequence sequence, std::string_view value);

std::string EncodeStoreRow(const StoreRow& row);
std::optional<StoreRow> DecodeStoreRow(std::string_view value);
// The store was written by a build that lays out its rows otherwise: none of them can be read.
bool IsOfAnotherFormat(std::string_view store_row);

// Keys of the meta column family.
inline constexpr std::string_view kStoreRowKey = "store";
std::string FirstRowKey(Partition partition);                         // value: varint, first sequence of the feed
std::string LeaseRowKey(Partition partition, std::string_view name);  // value: EncodeLease

}  // namespace consent::store
