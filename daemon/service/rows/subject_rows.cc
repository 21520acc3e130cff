#include "daemon/service/rows/subject_rows.h"

#include "daemon/base/hash.h"
#include "daemon/base/seal.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kHandleBytes = 16;
constexpr int kPositionBytes = 8;
constexpr uint8_t kTombstoneBit = 1, kHoldBit = 2, kStateBits = 12, kSafetyTimeBit = 16;
constexpr int kStateShift = 2;

template <typename H>
H HandleFrom(std::string_view bytes) {
  H handle;
  std::memcpy(handle.bytes.data(), bytes.data(), kHandleBytes);
  return handle;
}

}  // namespace

std::string EncodeSubjectRow(base::SubjectHandle subject, std::string_view facts) {
  std::string row(base::View(subject.bytes));
  row.append(facts);
  return row;
}

bool SplitSubjectRow(std::string_view row, base::SubjectHandle* subject, std::string_view* facts) {
  if (row.size() <= kHandleBytes) return false;
  *subject = HandleFrom<base::SubjectHandle>(row);
  *facts = row.substr(kHandleBytes);
  return true;
}

uint64_t SubjectPosition(std::string_view key) {
  base::Decoder in(key);
  return in.BigEndian(kPositionBytes);
}

std::string SubjectKeyFrom(uint64_t position) {
  std::string key;
  if (position != 0) base::Encoder(&key).BigEndian(position, kPositionBytes);
  return key;
}

std::string EncodeMarksRow(base::SubjectHandle subject, base::RecordingHandle recording,
                           const domain::RecordingState& marks) {
  std::string row(base::View(subject.bytes));
  row.append(base::View(recording.bytes));
  base::Encoder out(&row);
  out.Byte(marks.flags);
  out.Byte(static_cast<uint8_t>((marks.has_tombstone ? kTombstoneBit : 0) | (marks.on_hold ? kHoldBit : 0) |
                                static_cast<uint8_t>(marks.tombstone) << kStateShift |
                                (marks.safety_since.IsSet() ? kSafetyTimeBit : 0)));
  if (marks.safety_since.IsSet()) PutTime(out, marks.safety_since);
  return row;
}

bool DecodeMarksRow(std::string_view row, base::SubjectHandle* subject, base::RecordingHandle* recording,
                    domain::RecordingState* marks) {
  if (row.size() < 2 * kHandleBytes + 2) return false;
  *subject = HandleFrom<base::SubjectHandle>(row);
  *recording = HandleFrom<base::RecordingHandle>(row.substr(kHandleBytes));
  base::Decoder in(row.substr(2 * kHandleBytes));
  marks->flags = in.Byte();
  const uint8_t bits = in.Byte();
  const int state = (bits & kStateBits) >> kStateShift;
  const bool has_time = (bits & kSafetyTimeBit) != 0;
  if (bits >= 2 * kSafetyTimeBit || state > static_cast<int>(domain::TombstoneState::kVerified)) return false;
  marks->has_tombstone = (bits & kTombstoneBit) != 0;
  marks->on_hold = (bits & kHoldBit) != 0;
  marks->tombstone = static_cast<domain::TombstoneState>(state);
  marks->safety_since = has_time ? GetTime(in) : base::Instant{};
  return in.Done() && marks->safety_since.IsSet() == has_time;
}

std::string EncodeRequestRow(const RequestRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.BigEndian(static_cast<uint64_t>(row.time.micros), 8);
  out.BigEndian(row.sequence, 8);
  out.Raw(base::View(row.body));
  return bytes;
}

bool DecodeRequestRow(std::string_view bytes, RequestRow* row) {
  base::Decoder in(bytes);
  row->time = base::Instant{static_cast<int64_t>(in.BigEndian(8))};
  row->sequence = in.BigEndian(8);
  row->body = in.Array<16>();
  return in.Done();
}

std::string SealPayload(const base::Digest& key, const Payload& payload, base::SubjectHandle subject,
                        base::Random& random, base::Digest* commitment) {
  std::string plain(kPayloadNonceBytes, '\0');
  random.Fill(plain.data(), plain.size());
  plain.append(EncodePayload(payload));
  *commitment = base::Sha256(plain);
  return base::Seal(key, plain, base::View(subject.bytes), random);
}

absl::StatusOr<Payload> OpenPayload(const base::Digest& key, std::string_view sealed, base::SubjectHandle subject) {
  const auto plain = base::Open(key, sealed, base::View(subject.bytes));
  Payload payload;
  if (!plain.ok() || plain->size() < kPayloadNonceBytes ||
      !DecodePayload(std::string_view(*plain).substr(kPayloadNonceBytes), &payload)) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL,
                           "a sealed payload cannot be opened: the store or the key file is damaged");
  }
  return payload;
}

}  // namespace consent::service
