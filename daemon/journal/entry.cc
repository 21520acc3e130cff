#include "daemon/journal/entry.h"

#include "daemon/store/limits.h"

namespace consent::journal {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kEntryFormat = 1;
constexpr uint8_t kFileFormat = 1;
constexpr std::string_view kFileMagic = "CONSJRNL";
constexpr uint8_t kErasedChange = 0;  // in the place of a change's kind
constexpr uint8_t kFirstPart = 1;
constexpr uint8_t kLastPart = 2;
constexpr size_t kSubjectBytes = 16;

void PutLoosened(Encoder& out, const Loosened& loosened) {
  out.Byte(static_cast<uint8_t>(loosened.what));
  if (loosened.what != LoosenedWhat::kFact) return;
  out.Byte(static_cast<uint8_t>(loosened.change));
  out.Byte(static_cast<uint8_t>(loosened.scope.kind));
  if (loosened.scope.kind != domain::ScopeKind::kAccount) out.Raw(base::View(loosened.scope.handle));
  out.Byte(static_cast<uint8_t>(loosened.purpose));
}

Loosened GetLoosened(Decoder& in) {
  Loosened loosened;
  const uint8_t what = in.Byte();
  if (what < 1 || what > static_cast<uint8_t>(LoosenedWhat::kHoldReleased)) in.Fail();
  loosened.what = static_cast<LoosenedWhat>(what);
  if (!in.ok() || loosened.what != LoosenedWhat::kFact) return loosened;
  const uint8_t change = in.Byte();
  const uint8_t scope = in.Byte();
  if (change < 1 || change > static_cast<uint8_t>(domain::ChangedWhat::kLast)) in.Fail();
  if (scope > static_cast<uint8_t>(domain::ScopeKind::kDevice)) in.Fail();
  loosened.change = static_cast<domain::ChangedWhat>(change);
  loosened.scope.kind = static_cast<domain::ScopeKind>(scope);
  if (loosened.scope.kind != domain::ScopeKind::kAccount) loosened.scope.handle = in.Array<16>();
  const uint8_t purpose = in.Byte();
  if (purpose > domain::kPurposes) in.Fail();
  loosened.purpose = static_cast<domain::Purpose>(purpose);
  return loosened;
}

void PutRow(Encoder& out, const Row& row) {
  out.Byte(static_cast<uint8_t>(row.table));
  out.String(row.key);
  out.Byte(static_cast<uint8_t>(row.content));
  if (row.content == Content::kValue) out.String(row.value);
}

Row GetRow(Decoder& in) {
  Row row;
  const uint8_t table = in.Byte();
  if (table < 1 || table > store::kMaxTable) in.Fail();
  row.table = static_cast<store::Table>(table);
  row.key = in.String(store::kMaxKeyBytes);
  const uint8_t content = in.Byte();
  if (content > static_cast<uint8_t>(Content::kThere)) in.Fail();
  row.content = static_cast<Content>(content);
  if (in.ok() && row.content == Content::kValue) row.value = in.String(store::kMaxCommitBytes);
  return row;
}

void PutRowsAndPayloads(Encoder& out, const Entry& entry) {
  out.Varint(entry.rows.size());
  for (const Row& row : entry.rows) PutRow(out, row);
  out.Varint(entry.payloads.size());
  for (const SealedPayload& payload : entry.payloads) {
    out.Byte(static_cast<uint8_t>(payload.of));
    out.Varint(payload.number);
    out.String(payload.sealed);
  }
}

// Counts are not trusted: what is read ends with the bytes.
void GetRowsAndPayloads(Decoder& in, Entry* entry) {
  const uint64_t rows = in.Varint();
  for (uint64_t i = 0; in.ok() && i < rows; ++i) entry->rows.push_back(GetRow(in));
  const uint64_t payloads = in.Varint();
  for (uint64_t i = 0; in.ok() && i < payloads; ++i) {
    SealedPayload payload;
    const uint8_t of = in.Byte();
    if (of < 1 || of > static_cast<uint8_t>(PayloadOf::kHold)) in.Fail();
    payload.of = static_cast<PayloadOf>(of);
    payload.number = in.Varint();
    payload.sealed = in.String(kMaxSealedBytes);
    entry->payloads.push_back(std::move(payload));
  }
}

void PutCommit(Encoder& out, const Entry& entry) {
  out.Raw(base::View(entry.chain));
  out.Byte(entry.subject.empty() ? 0 : 1);
  out.Raw(entry.subject);
  out.Byte(entry.change.has_value() ? static_cast<uint8_t>(*entry.change) : kErasedChange);
  out.Varint(entry.loosened.size());
  for (const Loosened& loosened : entry.loosened) PutLoosened(out, loosened);
}

void GetCommit(Decoder& in, Entry* entry) {
  entry->chain = in.Array<32>();
  const uint8_t has_subject = in.Byte();
  if (has_subject > 1) in.Fail();
  if (has_subject == 1) entry->subject = in.Raw(kSubjectBytes);
  const uint8_t change = in.Byte();
  if (change != kErasedChange) entry->change = static_cast<service::ChangeKind>(change);
  if (change != kErasedChange && !service::IsKnown(*entry->change)) in.Fail();
  const uint64_t loosened = in.Varint();
  if (loosened > kMaxLoosened) in.Fail();
  for (uint64_t i = 0; in.ok() && i < loosened; ++i) entry->loosened.push_back(GetLoosened(in));
}

store::Stamp GetStamp(Decoder& in) {
  store::Stamp stamp;
  stamp.sequence = in.Varint();
  const uint64_t micros = in.Varint();
  if (micros > static_cast<uint64_t>(INT64_MAX)) in.Fail();
  stamp.time.micros = static_cast<int64_t>(micros);
  return stamp;
}

void PutStamp(Encoder& out, const store::Stamp& stamp) {
  out.Varint(stamp.sequence);
  out.Varint(static_cast<uint64_t>(stamp.time.micros));
}

}  // namespace

bool Entry::operator==(const Entry& other) const {
  return kind == other.kind && partition == other.partition && stamp.sequence == other.stamp.sequence &&
         stamp.time == other.stamp.time && chain == other.chain && subject == other.subject && change == other.change &&
         loosened == other.loosened && is_first == other.is_first && is_last == other.is_last && rows == other.rows &&
         payloads == other.payloads;
}

void EncodeEntry(const Entry& entry, std::string* bytes) {
  Encoder out(bytes);
  out.Byte(kEntryFormat);
  out.Byte(static_cast<uint8_t>(entry.kind));
  out.BigEndian(entry.partition.number, 2);
  PutStamp(out, entry.stamp);
  if (entry.kind == EntryKind::kCommit) {
    PutCommit(out, entry);
  } else {
    out.Byte(static_cast<uint8_t>((entry.is_first ? kFirstPart : 0) | (entry.is_last ? kLastPart : 0)));
  }
  PutRowsAndPayloads(out, entry);
}

bool DecodeEntry(std::string_view bytes, Entry* entry) {
  *entry = Entry{};
  Decoder in(bytes);
  if (in.Byte() != kEntryFormat) return false;
  const uint8_t kind = in.Byte();
  if (kind < 1 || kind > static_cast<uint8_t>(EntryKind::kSnapshot)) return false;
  entry->kind = static_cast<EntryKind>(kind);
  entry->partition.number = static_cast<uint16_t>(in.BigEndian(2));
  if (entry->partition.number >= store::kMaxPartitions) return false;
  entry->stamp = GetStamp(in);
  if (entry->kind == EntryKind::kCommit) {
    GetCommit(in, entry);
  } else {
    const uint8_t part = in.Byte();
    if (part > (kFirstPart | kLastPart)) return false;
    entry->is_first = (part & kFirstPart) != 0;
    entry->is_last = (part & kLastPart) != 0;
  }
  GetRowsAndPayloads(in, entry);
  return in.Done();
}

void EncodeFileHeader(const FileHeader& header, std::string* bytes) {
  Encoder out(bytes);
  out.Raw(kFileMagic);
  out.Byte(kFileFormat);
  out.Raw(base::View(header.store_id));
  out.BigEndian(header.number, 8);
  out.Raw(base::View(header.public_key));
  out.BigEndian(header.heads.size(), 2);
  for (const store::Head& head : header.heads) {
    PutStamp(out, head.stamp);
    if (head.stamp.sequence != 0) out.Raw(base::View(head.chain));
  }
}

bool DecodeFileHeader(std::string_view bytes, FileHeader* header) {
  *header = FileHeader{};
  Decoder in(bytes);
  if (in.Raw(kFileMagic.size()) != kFileMagic || in.Byte() != kFileFormat) return false;
  header->store_id = in.Array<16>();
  header->number = in.BigEndian(8);
  header->public_key = in.Array<16>();
  const uint64_t partitions = in.BigEndian(2);
  if (partitions < 1 || partitions > store::kMaxPartitions) return false;
  for (uint64_t i = 0; in.ok() && i < partitions; ++i) {
    store::Head head;
    head.stamp = GetStamp(in);
    if (head.stamp.sequence != 0) head.chain = in.Array<32>();
    header->heads.push_back(head);
  }
  return in.Done();
}

}  // namespace consent::journal
