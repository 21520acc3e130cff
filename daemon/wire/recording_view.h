// A Recording read where its bytes lie. protobuf's parser copies three ids into strings of their own for each recording
// of a batch, which costs more than deciding on it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include "consent/v1/types.pb.h"

namespace consent::wire {

// Has the accessors of v1::Recording. Points into the bytes. Reusable; not thread-safe.
class RecordingView {
 public:
  // False where anything is unusual: a flag, text that is not ASCII, a field that is unknown, mistyped or a message
  // given twice, a number longer than it need be, bytes that are cut off. Then the bytes are protobuf's to parse, and
  // to refuse. True: protobuf parses them too, and to the very same fields. Total on any bytes.
  bool Parse(std::string_view bytes);

  std::string_view recording_id() const { return recording_id_; }
  std::string_view account_id() const { return account_id_; }
  std::string_view device_id() const { return device_id_; }
  std::string_view region() const { return region_; }
  int profile_ids_size() const { return profiles_; }
  std::string_view profile_ids(int i) const { return profile_ids_[static_cast<size_t>(i)]; }
  bool has_captured_at() const { return has_captured_at_; }
  const google::protobuf::Timestamp& captured_at() const { return captured_at_; }
  bool has_ingested_at() const { return has_ingested_at_; }
  const google::protobuf::Timestamp& ingested_at() const { return ingested_at_; }
  bool has_captured_uncertainty_ms() const { return has_uncertainty_; }
  int64_t captured_uncertainty_ms() const { return uncertainty_; }
  int wake() const { return Enum(v1::Recording::kWakeFieldNumber); }
  int kind() const { return Enum(v1::Recording::kKindFieldNumber); }
  int speakers() const { return Enum(v1::Recording::kSpeakersFieldNumber); }
  int identity() const { return Enum(v1::Recording::kIdentityFieldNumber); }
  int age() const { return Enum(v1::Recording::kAgeFieldNumber); }
  int artefact() const { return Enum(v1::Recording::kArtefactFieldNumber); }
  int made_for() const { return Enum(v1::Recording::kMadeForFieldNumber); }
  const google::protobuf::RepeatedField<int>& flags() const { return no_flags_; }

 private:
  static constexpr int kFirstEnum = v1::Recording::kWakeFieldNumber;
  static constexpr int kEnums = v1::Recording::kMadeForFieldNumber - kFirstEnum + 1;
  static constexpr size_t kProfiles = 8;

  int Enum(int field) const { return enums_[static_cast<size_t>(field - kFirstEnum)]; }
  void Clear();
  bool TakeBytes(int field, std::string_view bytes);
  bool TakeText(int field, std::string_view text);

  std::string_view recording_id_, account_id_, device_id_, region_;
  std::array<std::string_view, kProfiles> profile_ids_;
  int profiles_ = 0;
  google::protobuf::Timestamp captured_at_, ingested_at_;
  int64_t uncertainty_ = 0;
  bool has_captured_at_ = false, has_ingested_at_ = false, has_uncertainty_ = false;
  std::array<uint8_t, kEnums> enums_{};
  const google::protobuf::RepeatedField<int> no_flags_;
};

}  // namespace consent::wire
