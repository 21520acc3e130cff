// Whether a message has fields that this library does not know. Asked of the bytes, by tables of what it knows, because
// the messages of the shared library have no reflection and do not show their unknown fields; a test holds the tables
// against the descriptors.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "client/src/convert.h"

namespace consent {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// A field as it is written. Protobuf keeps one of another wire type as unknown.
struct Field {
  constexpr Field(int the_number, WireFormatLite::WireType wire_type) : number(the_number), type(wire_type) {}
  template <size_t kSize>
  constexpr Field(int the_number, const Field (&message)[kSize])
      : number(the_number), type(WireFormatLite::WIRETYPE_LENGTH_DELIMITED), inner(message), inner_size(kSize) {}

  int number;
  WireFormatLite::WireType type;
  // Of a message: its fields.
  const Field* inner = nullptr;
  size_t inner_size = 0;
};

constexpr auto kNumber = WireFormatLite::WIRETYPE_VARINT;
// Numbers of an enum stand in one piece, too.
constexpr auto kText = WireFormatLite::WIRETYPE_LENGTH_DELIMITED;

constexpr Field kTime[] = {{Timestamp::kSecondsFieldNumber, kNumber}, {Timestamp::kNanosFieldNumber, kNumber}};
constexpr Field kRange[] = {{v1::TimeRange::kFromFieldNumber, kTime}, {v1::TimeRange::kToFieldNumber, kTime}};
constexpr Field kDay[] = {{v1::SpokenDay::kSpokenAtFieldNumber, kTime}, {v1::SpokenDay::kTimeZoneFieldNumber, kText}};
constexpr Field kIds[] = {{v1::RecordingIds::kRecordingIdsFieldNumber, kText}};
constexpr Field kScope[] = {{v1::Scope::kProfileIdFieldNumber, kText}, {v1::Scope::kDeviceIdFieldNumber, kText}};
constexpr Field kCopies[] = {{v1::PurposeCopies::kPurposesFieldNumber, kText},
                             {v1::PurposeCopies::kScopeFieldNumber, kScope}};
constexpr Field kDraft[] = {{v1::Draft::kRecordingIdFieldNumber, kText}, {v1::Draft::kDigestFieldNumber, kText}};
constexpr Field kDeletion[] = {{v1::DeletionSelector::kEverythingFieldNumber, kNumber},
                               {v1::DeletionSelector::kTimeRangeFieldNumber, kRange},
                               {v1::DeletionSelector::kSpokenDayFieldNumber, kDay},
                               {v1::DeletionSelector::kRecordingsFieldNumber, kIds},
                               {v1::DeletionSelector::kProfileIdFieldNumber, kText},
                               {v1::DeletionSelector::kDeviceIdFieldNumber, kText},
                               {v1::DeletionSelector::kPurposeCopiesFieldNumber, kCopies},
                               {v1::DeletionSelector::kVoiceIdOfProfileIdFieldNumber, kText},
                               {v1::DeletionSelector::kAccountClosureFieldNumber, kNumber},
                               {v1::DeletionSelector::kDraftFieldNumber, kDraft}};
constexpr Field kHold[] = {{v1::HoldSelector::kAccountFieldNumber, kNumber},
                           {v1::HoldSelector::kProfileIdFieldNumber, kText},
                           {v1::HoldSelector::kDeviceIdFieldNumber, kText},
                           {v1::HoldSelector::kRecordingsFieldNumber, kIds},
                           {v1::HoldSelector::kCapturedFieldNumber, kRange}};

// True if what is left of `bytes` has no fields but these.
bool HasOnly(CodedInputStream* bytes, const Field* fields, size_t size) {
  for (uint32_t tag = bytes->ReadTag(); tag != 0; tag = bytes->ReadTag()) {
    const Field* const field = std::find_if(fields, fields + size, [tag](const Field& one) {
      return WireFormatLite::MakeTag(one.number, one.type) == tag;
    });
    if (field == fields + size) return false;
    if (field->inner == nullptr) {
      if (!WireFormatLite::SkipField(bytes, tag)) return false;
      continue;
    }
    int length = 0;
    if (!bytes->ReadVarintSizeAsInt(&length)) return false;
    const CodedInputStream::Limit limit = bytes->PushLimit(length);
    if (!HasOnly(bytes, field->inner, field->inner_size)) return false;
    bytes->PopLimit(limit);
  }
  return bytes->ConsumedEntireMessage();
}

template <typename Message, size_t kSize>
bool HasOnly(const Message& message, const Field (&fields)[kSize]) {
  const std::string text = message.SerializeAsString();
  CodedInputStream bytes(reinterpret_cast<const uint8_t*>(text.data()), static_cast<int>(text.size()));
  return HasOnly(&bytes, fields, kSize);
}

}  // namespace

bool IsKnown(const v1::TimeRange& range) { return HasOnly(range, kRange); }
bool IsKnown(const v1::DeletionSelector& selector) { return HasOnly(selector, kDeletion); }
bool IsKnown(const v1::HoldSelector& selector) { return HasOnly(selector, kHold); }

}  // namespace consent
