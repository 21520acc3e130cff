// How rows lie in the database. Frozen: see ../FORMAT.md, whose examples a test compares with these functions. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/base/bytes.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/store.h"

namespace consent::store {

// The column families in the order in which the engine notes their files. The feed comes last: what a cut-off MANIFEST
// loses includes the feed's files, and a missing piece of feed is noticed. A family cannot be added in front of it
// later, so four are spare.
enum class Family : uint8_t {
  kMeta,
  kSubject,
  kNames,
  kKeyShare,
  kRequest,
  kRecording,
  kDeletion,
  kTask,
  kSmall,
  kSpare1,
  kSpare2,
  kSpare3,
  kSpare4,
  kFeed,
};
inline constexpr size_t kFamilies = static_cast<size_t>(Family::kFeed) + 1;

// Where a table lies: tables with many rows, or rows that are erased in bulk, have a family each; all others, those
// included that no build has named yet, share kSmall.
Family FamilyOf(Table table);

// Where a row of a table lies, read back from its key in a family of tables.
struct RowPlace {
  Partition partition;
  Table table{};
  std::string_view key;  // as the table has it; within the bytes that were given
};
// Nothing unless DiskRowKey makes such a key for that family.
std::optional<RowPlace> SplitDiskRowKey(Family family, std::string_view disk_key);

// Appends the partition's prefix: one byte below 128, else two; prefixes order as the numbers do.
void AppendPartition(Partition partition, std::string* out);
// Appends prefix ‖ key, and in kSmall the table's number between the two, so that a table's rows in a partition lie
// side by side in both cases.
void AppendDiskRowKey(Partition partition, Table table, std::string_view key, std::string* out);
// What AppendDiskRowKey appends.
std::string DiskRowKey(Partition partition, Table table, std::string_view key);
// The first key that is past all of the table's in this partition.
std::string TableEnd(Partition partition, Table table);
// The first key of a partition, and the first one past all of it.
std::string PartitionBegin(Partition partition);
std::string PartitionEnd(Partition partition);

// prefix ‖ sequence, 8 bytes, big-endian.
std::string FeedKey(Partition partition, Sequence sequence);
// The partition that a key begins with, which is taken off; nothing unless AppendPartition wrote it.
std::optional<Partition> TakePartition(std::string_view* disk_key);
// The sequence of a key made by FeedKey, or nothing.
std::optional<Sequence> FeedKeySequence(Partition partition, std::string_view key);

// 1 ‖ time ‖ chain ‖ subject ‖ commitment ‖ body, or of an erased row 2 ‖ time ‖ chain.
std::string EncodeFeedRow(const Stamp& stamp, const Event& event, const base::Digest& chain);
std::string EncodeErasedFeedRow(const FeedRow& row);
// Nothing unless the bytes are canonical.
std::optional<FeedRow> DecodeFeedRow(Sequence sequence, std::string_view value);

std::string EncodeStoreRow(const StoreIdentity& row);
std::optional<StoreIdentity> DecodeStoreRow(std::string_view value);
// What DecodeStoreRow demands, and a backup's manifest says.
uint8_t DataFormat();
// The store was written by a build that lays out its rows otherwise: none of them can be read.
bool IsOfAnotherFormat(std::string_view store_row);

// What to say of `what` whose bytes another build laid out otherwise. FailedPrecondition.
absl::Status AnotherFormat(const std::string& what);
// The same of a store whose row says another format (IsOfAnotherFormat): whether a later or an earlier build has it.
absl::Status RefuseFormat(std::string_view store_row);

// Keys of the meta column family.
inline constexpr std::string_view kStoreRowKey = "store";
std::string FirstRowKey(Partition partition);
// Where a partition's feed begins: a varint.
std::string EncodeFirstRow(Sequence first);
// Nothing unless the bytes are canonical and not 0.
std::optional<Sequence> DecodeFirstRow(std::string_view value);

}  // namespace consent::store
