// One record of the decision log: what one call was answered yes to, or whom a person read about. Its text is written
// down in FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/inlined_vector.h"
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

// The text of one record. It gets its number and the hash before when it is written, in room that it has in front.
class Record {
 public:
  // Room in front of the body for the longest head.
  static constexpr size_t kHeadRoom = 112;

  // `body`: the line without its head and its end.
  explicit Record(std::string_view body);
  // `text` has kHeadRoom bytes of any kind in front of the body.
  static Record WithRoom(std::string text);

  // Makes it the record behind `previous`, and says where the chain is then. May be done again.
  Position PutBehind(const Position& previous);
  // The line and its end, once it was put behind another one; valid as long as the record is.
  std::string_view line() const { return std::string_view(text_).substr(begin_); }
  // Bytes of memory that it takes.
  size_t memory_bytes() const { return text_.capacity(); }
  // Its memory, of which nothing may be expected but that it is there.
  std::string TakeMemory() && { return std::move(text_); }

 private:
  Record() = default;
  std::string text_;
  size_t begin_ = kHeadRoom;
};

// An id of the daemon's making, "PROCESS-NUMBER" in a record.
struct CallId {
  std::string_view process;  // at most kMaxProcess bytes, of letters and digits
  uint64_t number = 0;
  static constexpr size_t kMaxProcess = 24;
};

// What every record says.
struct Asker {
  std::string_view caller;
  CallId call;
  base::Bytes16 store_id{};
  base::Now now;
};

// What all yeses of one call share.
struct Asked {
  Asker asker;
  domain::Purpose purpose = domain::Purpose::kNone;
  const domain::Place& place;
  domain::Selection selection = domain::Selection::kOther;
  const domain::Rules& rules;
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

// Writes records of calls that were answered yes, one after the other: whoever asks asks much the same again, so what
// the record before said in the same words is kept, and the memory, too. Not thread-safe; `keys` outlives it.
class RecordWriter {
 public:
  explicit RecordWriter(HandleKeys& keys) : keys_(keys) {}
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Begins a record, of at most `most` yeses as far as is expected: room is made for them. False: the month has no key,
  // so there is no record, and nothing comes of Add and Take.
  bool Begin(const Asked& asked, size_t most = 1);
  bool has_key() const { return cipher_ != nullptr; }
  // After a Begin.
  void Add(const Yes& yes);
  // Once for a Begin, after at least one Add.
  Record Take();
  // Makes use of the memory of a record that is done with.
  void Reuse(Record record);

 private:
  // What recordings of one call often have in common.
  struct Common {
    bool has_uncertainty = false;
    bool has_region = false;
    base::Span uncertainty;
    domain::Region region;
    domain::Wake wake = {};
    domain::Kind kind = {};
    domain::Speakers speakers = {};
    domain::Identity identity = {};
    domain::SpeakerAge age = {};
    domain::Artefact artefact = {};
    domain::Purpose made_for = {};
    uint8_t flags = 0;
    explicit Common(const domain::RecordingFacts& facts);
    bool operator==(const Common&) const = default;
  };
  // What the calls of one caller often have in common.
  struct Context {
    base::Bytes16 store_id{};
    std::string caller;
    base::MonthKeyName key;
    domain::Purpose purpose = domain::Purpose::kNone;
    domain::Selection selection = domain::Selection::kOther;
    domain::Region country;
    domain::ReviewerClass reviewer_class = domain::ReviewerClass::kMissing;
    std::string site;
    std::string policy;
    base::Digest policy_hash{};
    bool Is(const Asked& asked, const base::MonthKeyName& asked_key) const;
  };
  // More are not looked through: what comes again later is written again.
  static constexpr size_t kMostKnown = 8;
  // Memory of a longer record is given back.
  static constexpr size_t kMostKept = size_t{256} << 10;

  // Makes `context_text_` that of `asked`.
  void WriteContext(const Asked& asked, const base::MonthKeyName& key);
  // The place of the recording's element in `facts`, which gets it where it is not there yet.
  size_t PlaceOf(const domain::RecordingFacts& facts);

  HandleKeys& keys_;
  std::unique_ptr<HandleCipher> cipher_;  // of the last record's month; nullptr: it had no key
  std::string text_;
  std::string facts_;
  absl::InlinedVector<Common, 1> known_;  // the first of `facts`
  size_t facts_count_ = 0;
  bool is_empty_ = true;
  // Of the record before: its context, and the first of its `facts`.
  std::optional<Context> context_;
  std::string context_text_;
  std::optional<Common> first_facts_;
  std::string first_facts_text_;
};

// The record of a read: `method` as "SettingsService/GetSettings"; without a subject one of all accounts. Nothing: the
// month has no key.
std::optional<Record> ReadRecord(HandleKeys& keys, const Asker& asker, std::string_view method,
                                 const std::optional<base::SubjectHandle>& subject);

// What stands in front of the body of record `number`, behind a record whose line has the hash `previous`.
std::string RecordHead(uint64_t number, const base::Digest& previous);
// Of the line, which begins with RecordHead; without its end.
base::Digest RecordHash(std::string_view line);
// The number of a record. False unless the line begins as RecordHead writes it.
bool ReadRecordNumber(std::string_view line, uint64_t* number);

}  // namespace consent::decisions
