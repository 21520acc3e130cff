#include "daemon/wire/plain_recording.h"

#include <algorithm>
#include <cstring>

#include "consent/v1/types.pb.h"
#include "daemon/base/bounds.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"

namespace consent::wire {
namespace {

// Of protobuf's encoding; a tag is field number * 8 + wire type, one byte for the numbers 1 to 15.
constexpr int kVarintType = 0;
constexpr int kBytes = 2;
constexpr uint8_t kMore = 0x80;
constexpr uint8_t Tag(int field, int type) { return static_cast<uint8_t>(field * 8 + type); }
// The tag of `flags` has two bytes; its first one is no tag of one byte.
constexpr uint8_t kFlagsTag = Tag(v1::Recording::kFlagsFieldNumber, kBytes);
constexpr uint8_t kSecondOfFlagsTag = 1;
static_assert((kFlagsTag & kMore) != 0 && v1::Recording::kFlagsFieldNumber * 8 + kBytes < 2 * kMore);

// What is read here is not longer than an id may be.
static_assert(kMore - 1 <= base::kMaxIdBytes);

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  bool AtEnd() const { return at_ == end_; }
  // Not at the end.
  uint8_t Next() { return static_cast<uint8_t>(*at_++); }
  // Passes over `byte` if it is next.
  bool Take(uint8_t byte) {
    if (AtEnd() || static_cast<uint8_t>(*at_) != byte) return false;
    ++at_;
    return true;
  }

  // Below 128.
  bool Byte(uint8_t* out) {
    if (AtEnd()) return false;
    *out = Next();
    return *out < kMore;
  }

  // 0 to `most`, which is below 2^63, in as few bytes as it takes.
  bool Varint(int64_t most, int64_t* out) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && !AtEnd(); shift += 7) {
      const uint8_t byte = Next();
      value |= static_cast<uint64_t>(byte & (kMore - 1)) << shift;
      if (byte < kMore) {
        *out = static_cast<int64_t>(value);
        return *out <= most && (byte != 0 || shift == 0);
      }
    }
    return false;
  }

  // Up to 127 bytes behind their length.
  bool Bytes(std::string_view* out) {
    uint8_t size = 0;
    if (!Byte(&size) || end_ - at_ < size) return false;
    *out = std::string_view(at_, size);
    at_ += size;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

bool IsAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const auto word = [&text](size_t from) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + from, sizeof bytes);
    return bytes;
  };
  uint64_t all = 0;
  if (text.size() < sizeof all) {
    for (const char c : text) all |= static_cast<uint8_t>(c);
    return (all & kMore) == 0;
  }
  // The last word overlaps the one before.
  for (size_t from = 0; from + sizeof all < text.size(); from += sizeof all) all |= word(from);
  all |= word(text.size() - sizeof all);
  return (all & kHighBits) == 0;
}

bool ReadTime(std::string_view bytes, base::Instant* out) {
  using google::protobuf::Timestamp;
  Cursor in(bytes);
  int64_t seconds = 0;
  int64_t nanos = 0;
  if (in.Take(Tag(Timestamp::kSecondsFieldNumber, kVarintType)) && !in.Varint(kLastSecond, &seconds)) return false;
  if (in.Take(Tag(Timestamp::kNanosFieldNumber, kVarintType)) && !in.Varint(kLastNano, &nanos)) return false;
  *out = ToInstant(seconds, nanos);
  return in.AtEnd();
}

// One recording on its way.
class PlainFields {
 public:
  PlainFields(std::string_view bytes, RecordingIds* ids, domain::RecordingFacts* facts)
      : in_(bytes), ids_(*ids), facts_(*facts) {
    ids_.recording = ids_.account = ids_.device = {};
    ids_.profile_count = 0;
    facts_.captured_at = facts_.ingested_at = {};
    facts_.has_uncertainty = false;
    facts_.uncertainty = {};
    facts_.profiles.clear();
    facts_.device = {};
    facts_.wake = domain::Wake::kMissing;
    facts_.kind = domain::Kind::kMissing;
    facts_.speakers = domain::Speakers::kMissing;
    facts_.identity = domain::Identity::kMissing;
    facts_.age = domain::SpeakerAge::kMissing;
    facts_.artefact = domain::Artefact::kSource;
    facts_.made_for = domain::Purpose::kNone;
    facts_.flags = 0;
  }

  bool ReadAll() {
    uint32_t seen = 0;  // one bit for each field number
    while (!in_.AtEnd()) {
      const uint8_t tag = in_.Next();
      const uint32_t field = uint32_t{1} << (tag >> 3);
      if ((seen & field) != 0 && tag != kProfileTag) return false;
      seen |= field;
      if (!ReadField(tag)) return false;
    }
    const bool source = facts_.artefact == domain::Artefact::kSource;
    return !ids_.recording.empty() && !ids_.account.empty() && (!source || facts_.made_for == domain::Purpose::kNone);
  }

  std::string_view region() const { return region_; }

 private:
  using Field = v1::Recording;
  static constexpr uint8_t kProfileTag = Tag(Field::kProfileIdsFieldNumber, kBytes);

  bool ReadField(uint8_t tag) {
    switch (tag) {
      case Tag(Field::kRecordingIdFieldNumber, kBytes):
        return Text(&ids_.recording);
      case Tag(Field::kAccountIdFieldNumber, kBytes):
        return Text(&ids_.account);
      case Tag(Field::kCapturedAtFieldNumber, kBytes):
        return Time(&facts_.captured_at);
      case Tag(Field::kCapturedUncertaintyMsFieldNumber, kVarintType):
        return Uncertainty();
      case Tag(Field::kIngestedAtFieldNumber, kBytes):
        return Time(&facts_.ingested_at);
      case kProfileTag:
        return Profile();
      case Tag(Field::kDeviceIdFieldNumber, kBytes):
        return Text(&ids_.device);
      case Tag(Field::kRegionFieldNumber, kBytes):
        return Text(&region_);
      case Tag(Field::kWakeFieldNumber, kVarintType):
        return Enum(v1::Wake_MAX, &facts_.wake);
      case Tag(Field::kKindFieldNumber, kVarintType):
        return Enum(v1::Kind_MAX, &facts_.kind);
      case Tag(Field::kSpeakersFieldNumber, kVarintType):
        return Enum(v1::Speakers_MAX, &facts_.speakers);
      case Tag(Field::kIdentityFieldNumber, kVarintType):
        return Enum(v1::Identity_MAX, &facts_.identity);
      case Tag(Field::kAgeFieldNumber, kVarintType):
        return Enum(v1::SpeakerAge_MAX, &facts_.age);
      case Tag(Field::kArtefactFieldNumber, kVarintType):
        return Artefact();
      case Tag(Field::kMadeForFieldNumber, kVarintType):
        return Enum(v1::Purpose_MAX, &facts_.made_for);
      case kFlagsTag:
        return in_.Take(kSecondOfFlagsTag) && Flags();
      default:
        return false;
    }
  }

  bool Text(std::string_view* out) { return in_.Bytes(out) && IsAscii(*out); }

  bool Time(base::Instant* out) {
    std::string_view bytes;
    return in_.Bytes(&bytes) && ReadTime(bytes, out);
  }

  bool Uncertainty() {
    int64_t milliseconds = 0;
    if (!in_.Varint(base::kMaxUncertaintyMs, &milliseconds)) return false;
    facts_.has_uncertainty = true;
    facts_.uncertainty = base::Milliseconds(milliseconds);
    return true;
  }

  bool Profile() {
    std::string_view id;
    if (ids_.profile_count == ids_.profiles.size() || !Text(&id) || id.empty()) return false;
    const auto end = ids_.profiles.begin() + ids_.profile_count;
    if (std::find(ids_.profiles.begin(), end, id) != end) return false;
    ids_.profiles[ids_.profile_count++] = id;
    return true;
  }

  // The numbers from 0 to `most` are all in the enum; a test holds that.
  template <typename E>
  bool Enum(int most, E* out) {
    uint8_t number = 0;
    if (!in_.Byte(&number) || number > most) return false;
    *out = static_cast<E>(number);
    return true;
  }

  bool Artefact() {
    uint8_t number = 0;
    if (!Enum(v1::Artefact_MAX, &number)) return false;
    facts_.artefact = IsSource(number) ? domain::Artefact::kSource : static_cast<domain::Artefact>(number);
    return true;
  }

  bool Flags() {
    std::string_view flags;
    if (!in_.Bytes(&flags) || flags.size() > base::kMaxNamedFlags) return false;
    for (const char flag : flags) {
      const uint8_t bit = FlagBit(static_cast<uint8_t>(flag));
      if (bit == 0) return false;
      facts_.flags = static_cast<uint8_t>(facts_.flags | bit);
    }
    return true;
  }

  Cursor in_;
  RecordingIds& ids_;
  domain::RecordingFacts& facts_;
  std::string_view region_;
};

}  // namespace

bool PlainRecordingReader::Read(std::string_view bytes, RecordingIds* ids, domain::RecordingFacts* facts) {
  PlainFields fields(bytes, ids, facts);
  if (!fields.ReadAll()) return false;
  facts->has_region = !fields.region().empty();
  if (facts->has_region) return ReadRegion(fields.region(), &facts->region);
  facts->region = {};
  return true;
}

bool PlainRecordingReader::ReadRegion(std::string_view text, domain::Region* out) {
  uint64_t word = 0;  // `text`, and its length in the last byte
  if (text.size() >= sizeof word) return false;
  std::memcpy(&word, text.data(), text.size());
  word |= static_cast<uint64_t>(text.size()) << 56;
  if (word != last_text_) {
    domain::Region region;
    if (!domain::Region::Parse(text, &region)) return false;
    last_text_ = word;
    last_region_ = region;
  }
  *out = last_region_;
  return true;
}

void HashIds(const RecordingIds& ids, const base::IdHasher& hasher, base::SubjectHandle* subject,
             domain::RecordingFacts* facts) {
  facts->profiles.resize(ids.profile_count);
  if (ids.profile_count == 0) {
    *subject = hasher.Subject(ids.account);
  } else {
    hasher.SubjectAndProfile(ids.account, ids.profiles[0], subject, &facts->profiles[0]);
  }
  for (size_t i = 1; i < ids.profile_count; ++i) facts->profiles[i] = hasher.Profile(ids.profiles[i]);
  if (!ids.device.empty()) facts->device = hasher.Device(ids.device);
}

}  // namespace consent::wire
