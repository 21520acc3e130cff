// Recordings read where their bytes lie, in one pass from bytes to facts. protobuf's parser copies each id into a
// string of its own, which costs more than deciding on the recording.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/base/ids.h"
#include "daemon/domain/types.h"

namespace consent::wire {

// The ids that a recording names, in the bytes that it was read from.
struct RecordingIds {
  std::string_view recording, account;
  std::string_view device;  // empty: none named
  std::array<std::string_view, base::kMaxNamedProfiles> profiles;
  size_t profile_count = 0;
};

// Reads what is plain: valid as a whole, and written as serialisers write it. All kinds of facts may be in it.
// Reusable; not thread-safe.
class PlainRecordingReader {
 public:
  // True: protobuf parses the bytes too, ReadRecording (eligibility.h) finds no fault in what it parsed, and its facts
  // are `*facts` once HashIds has added the handles. False: anything is unusual, wrong or out of bounds; the bytes are
  // protobuf's to parse and ReadRecording's to judge, and `*ids` and `*facts` are meaningless. Unusual are: text that
  // is not ASCII, an id of 128 bytes, a field that is unknown, mistyped or (but for profile_ids) given twice, flags
  // that are not packed, a number longer than it need be, a time whose fields are out of order.
  // Total on any bytes; reuses the memory of `*facts`.
  bool Read(std::string_view bytes, RecordingIds* ids, domain::RecordingFacts* facts);

 private:
  bool ReadRegion(std::string_view text, domain::Region* out);

  // Most recordings of a batch come from where the one before came from.
  uint64_t last_text_ = 0;
  domain::Region last_region_;
};

// Puts the handles of the named profiles and device in their places; the rest of `*facts` stays.
void HashIds(const RecordingIds& ids, const base::IdHasher& hasher, base::SubjectHandle* subject,
             domain::RecordingFacts* facts);

}  // namespace consent::wire
