// One record of the decision log: what one call was answered yes to. Its text is written down in FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/decisions/handle_keys.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::decisions {

// A line without its end is at most so long: the longest head, and the longest entry for each of a thousand recordings.
inline constexpr size_t kMaxRecordBytes = size_t{1} << 20;

// How far the log has come: the number of its records, and the hash of the last one's line. The chain begins with
// zeros.
struct Position {
  uint64_t count = 0;
  base::Digest hash{};
  bool operator==(const Position&) const = default;
};

// What all yeses of one call share.
struct Asked {
  std::string_view caller;
  std::string_view call;  // an id of the daemon's making
  base::Bytes16 store_id{};
  domain::Purpose purpose = domain::Purpose::kNone;
  const domain::Place& place;
  domain::Selection selection = domain::Selection::kOther;
  const domain::Rules& rules;
  base::Now now;
};

// One yes, and exactly what Decide saw of it.
struct Yes {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  const domain::RecordingFacts& facts;
  uint64_t head = 0;  // of the subject's partition, published before the subject was looked up
  uint64_t revision = 0;
  domain::Reason reason = domain::Reason::kNone;
};

// Writes the record of one call. Not thread-safe; `keys` outlives it.
class RecordWriter {
 public:
  RecordWriter(HandleKeys& keys, const Asked& asked);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  void Add(const Yes& yes);
  // The record without its number and the hash before, which the log puts in front. Once, after at least one Add.
  std::string Take();

 private:
  void AddHandle(const base::Bytes16& handle);
  void AddNumber(int64_t number);
  void AddTime(base::Instant time);

  HandleKeys& keys_;
  std::unique_ptr<HandleCipher> cipher_;
  std::string body_;
};

// What stands in front of the body of record `number`, behind a record whose line has the hash `previous`.
std::string RecordHead(uint64_t number, const base::Digest& previous);
// Of the line, which begins with RecordHead; without its end.
base::Digest RecordHash(std::string_view head, std::string_view body = {});
// The number of a record. False unless the line begins as RecordHead writes it.
bool ReadRecordNumber(std::string_view line, uint64_t* number);

}  // namespace consent::decisions
