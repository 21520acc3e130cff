#include "daemon/store/rocksdb/rows.h"

namespace consent::store {
namespace {

constexpr uint8_t kEvent = 1;
constexpr uint8_t kErased = 2;
// Of all rows together, those of the layers above included: raised with every change of any, until the first release.
constexpr uint8_t kDataFormat = 10;

}  // namespace

Family FamilyOf(Table table) {
  switch (table) {
    case Table::kSubject:
      return Family::kSubject;
    case Table::kNames:
      return Family::kNames;
    case Table::kKeyShare:
      return Family::kKeyShare;
    case Table::kRequest:
      return Family::kRequest;
    case Table::kRecording:
      return Family::kRecording;
    case Table::kDeletion:
      return Family::kDeletion;
    case Table::kTask:
      return Family::kTask;
    default:
      return Family::kSmall;
  }
}

std::optional<Partition> TakePartition(std::string_view* disk_key) {
  base::Decoder decoder(*disk_key);
  uint16_t number = decoder.Byte();
  if (number >= 0x80) number = static_cast<uint16_t>((number & 0x7f) << 8 | decoder.Byte());
  if (!decoder.ok() || (number < 0x80) != ((*disk_key)[0] >= 0)) return std::nullopt;
  disk_key->remove_prefix(disk_key->size() - decoder.remaining());
  return Partition{number};
}

std::optional<RowPlace> SplitDiskRowKey(Family family, std::string_view disk_key) {
  RowPlace place;
  const std::optional<Partition> partition = TakePartition(&disk_key);
  if (!partition) return std::nullopt;
  place.partition = *partition;
  if (family == Family::kSmall) {
    if (disk_key.empty() || disk_key[0] <= 0) return std::nullopt;  // 1 to kMaxTable
    place.table = static_cast<Table>(disk_key[0]);
    disk_key.remove_prefix(1);
  } else {
    // Tables with a family each have the lowest numbers.
    for (uint8_t number = 1; number <= static_cast<uint8_t>(Table::kTask); ++number) {
      if (FamilyOf(static_cast<Table>(number)) == family) place.table = static_cast<Table>(number);
    }
  }
  if (FamilyOf(place.table) != family) return std::nullopt;
  place.key = disk_key;
  return place;
}

void AppendPartition(Partition partition, std::string* out) {
  if (partition.number >= 0x80) out->push_back(static_cast<char>(0x80 | partition.number >> 8));
  out->push_back(static_cast<char>(partition.number & 0xff));
}

void AppendDiskRowKey(Partition partition, Table table, std::string_view key, std::string* out) {
  AppendPartition(partition, out);
  if (FamilyOf(table) == Family::kSmall) out->push_back(static_cast<char>(table));
  out->append(key);
}

std::string DiskRowKey(Partition partition, Table table, std::string_view key) {
  std::string row;
  row.reserve(3 + key.size());
  AppendDiskRowKey(partition, table, key, &row);
  return row;
}

std::string TableEnd(Partition partition, Table table) {
  if (FamilyOf(table) != Family::kSmall) return PartitionEnd(partition);
  std::string end = DiskRowKey(partition, table, {});
  ++end.back();  // tables end at kMaxTable, so this is no carry
  return end;
}

std::string PartitionBegin(Partition partition) {
  std::string begin;
  AppendPartition(partition, &begin);
  return begin;
}

std::string PartitionEnd(Partition partition) {
  return PartitionBegin(Partition{static_cast<uint16_t>(partition.number + 1)});
}

std::string FeedKey(Partition partition, Sequence sequence) {
  std::string key = PartitionBegin(partition);
  base::Encoder(&key).BigEndian(sequence, 8);
  return key;
}

std::optional<Sequence> FeedKeySequence(Partition partition, std::string_view key) {
  const std::string prefix = PartitionBegin(partition);
  if (key.size() != prefix.size() + 8 || key.substr(0, prefix.size()) != prefix) return std::nullopt;
  return base::Decoder(key.substr(prefix.size())).BigEndian(8);
}

std::string EncodeFeedRow(const Stamp& stamp, const Event& event, const base::Digest& chain) {
  std::string value;
  value.reserve(1 + 10 + 32 + 1 + event.subject.size() + 32 + event.body.size());
  base::Encoder encoder(&value);
  encoder.Byte(kEvent);
  encoder.Varint(static_cast<uint64_t>(stamp.time.micros));
  encoder.Raw(base::View(chain));
  encoder.String(event.subject);
  encoder.Raw(base::View(event.commitment));
  encoder.Raw(event.body);
  return value;
}

std::string EncodeErasedFeedRow(const FeedRow& row) {
  std::string value;
  base::Encoder encoder(&value);
  encoder.Byte(kErased);
  encoder.Varint(static_cast<uint64_t>(row.stamp.time.micros));
  encoder.Raw(base::View(row.chain));
  return value;
}

std::optional<FeedRow> DecodeFeedRow(Sequence sequence, std::string_view value) {
  base::Decoder decoder(value);
  FeedRow row;
  row.stamp.sequence = sequence;
  const uint8_t kind = decoder.Byte();
  row.stamp.time.micros = static_cast<int64_t>(decoder.Varint());
  row.chain = decoder.Array<32>();
  if (kind == kErased) {
    row.erased = true;
  } else {
    row.event.subject = decoder.String(255);
    row.event.commitment = decoder.Array<32>();
    row.event.body = decoder.Raw(decoder.remaining());
  }
  if (!decoder.Done() || (kind != kEvent && kind != kErased)) return std::nullopt;
  return row;
}

std::string EncodeStoreRow(const StoreIdentity& row) {
  std::string value;
  base::Encoder encoder(&value);
  encoder.Byte(kDataFormat);
  encoder.Raw(base::View(row.store_id));
  encoder.BigEndian(row.partitions, 2);
  encoder.Raw(base::View(row.key_fingerprint));
  encoder.Varint(static_cast<uint64_t>(row.created.micros));
  return value;
}

std::optional<StoreIdentity> DecodeStoreRow(std::string_view value) {
  base::Decoder decoder(value);
  StoreIdentity row;
  const uint8_t format = decoder.Byte();
  row.store_id = decoder.Array<16>();
  row.partitions = static_cast<uint16_t>(decoder.BigEndian(2));
  row.key_fingerprint = decoder.Array<16>();
  row.created.micros = static_cast<int64_t>(decoder.Varint());
  if (!decoder.Done() || format != kDataFormat) return std::nullopt;
  return row;
}

uint8_t DataFormat() { return kDataFormat; }

bool IsOfAnotherFormat(std::string_view store_row) {
  return !store_row.empty() && static_cast<uint8_t>(store_row[0]) != kDataFormat;
}

absl::Status AnotherFormat(const std::string& what) {
  return absl::FailedPreconditionError(
      what +
      " was made by another build before the first release, which laid out its rows otherwise: nothing is wrong "
      "with it; open it with that build, or name a new data folder and head file and import the subjects again");
}

absl::Status RefuseFormat(std::string_view store_row) {
  const uint8_t format = store_row.empty() ? 0 : static_cast<uint8_t>(store_row[0]);
  const std::string numbers =
      " (its rows have format " + std::to_string(format) + ", this build's " + std::to_string(kDataFormat) + ")";
  if (format < kDataFormat) return AnotherFormat("the store" + numbers);
  return absl::FailedPreconditionError(
      "the store was written by another, later build" + numbers +
      ": nothing is wrong with it; run that build again. To stay with this one, restore "
      "the backup that was taken before the upgrade");
}

std::string FirstRowKey(Partition partition) {
  std::string key = "first:";
  AppendPartition(partition, &key);
  return key;
}

std::string EncodeFirstRow(Sequence first) {
  std::string value;
  base::Encoder(&value).Varint(first);
  return value;
}

std::optional<Sequence> DecodeFirstRow(std::string_view value) {
  base::Decoder decoder(value);
  const Sequence first = decoder.Varint();
  if (!decoder.Done() || first == 0) return std::nullopt;
  return first;
}

}  // namespace consent::store
