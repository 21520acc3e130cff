// One recording read both ways: in one pass from its bytes, and through protobuf. Also for the fuzzer.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "daemon/wire/eligibility.h"
#include "daemon/wire/plain_recording.h"

namespace consent::testing {

// Keeps its memory from one recording to the next, as the daemon does: so what shows through is found.
class BothReaders {
 public:
  // What the fast pass does otherwise than it promises; empty: nothing. `bytes` may be any.
  std::string Difference(std::string_view bytes) {
    v1::Recording message;
    const bool parsed = message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    std::string difference = Compare(bytes, parsed ? &message : nullptr);
    if (!difference.empty() || !parsed) return difference;
    const bool was_taken = taken_, was_valid = valid_;
    message.DiscardUnknownFields();
    difference = Compare(message.SerializeAsString(), &message);
    if (difference.empty() && valid_ && !taken_ && IsPlain(message)) difference = "plain, and not taken";
    taken_ = was_taken;
    valid_ = was_valid;
    return difference;
  }
  // Of the last one: the fast pass read it; protobuf parsed it and no fault was found.
  bool taken() const { return taken_; }
  bool valid() const { return valid_; }

 private:
  struct Read {
    base::SubjectHandle subject;
    std::string id;
    domain::RecordingFacts facts;
  };

  static bool IsPlainText(const std::string& text) {
    return text.size() < base::kMaxIdBytes &&
           std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  }
  static bool IsPlain(const v1::Recording& recording) {
    return IsPlainText(recording.recording_id()) && IsPlainText(recording.account_id()) &&
           IsPlainText(recording.device_id()) &&
           std::all_of(recording.profile_ids().begin(), recording.profile_ids().end(), IsPlainText);
  }

  // `message` nullptr: protobuf refuses the bytes.
  std::string Compare(std::string_view bytes, const v1::Recording* message) {
    wire::RecordingIds ids;
    taken_ = reader_.Read(bytes, &ids, &fast_.facts);
    wire::Violations faults;
    valid_ = message != nullptr &&
             wire::ReadRecording(*message, hasher_, wire::Path(), &faults, &slow_.subject, &slow_.id, &slow_.facts);
    if (!taken_) return {};
    if (message == nullptr) return "protobuf refuses it";
    if (!valid_) return "faults: " + faults.Why();
    wire::HashIds(ids, hasher_, &fast_.subject, &fast_.facts);
    if (ids.recording != slow_.id) return "another recording";
    if (fast_.subject != slow_.subject) return "another subject";
    if (fast_.facts != slow_.facts) return "other facts";
    return {};
  }

  const base::IdHasher hasher_{base::Bytes16{1, 2, 3}};
  wire::PlainRecordingReader reader_;
  Read fast_, slow_;
  bool taken_ = false, valid_ = false;
};

}  // namespace consent::testing
