// Recordings as JSON lines: what `consentctl filter` reads and writes. No connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/export.h"
#include "consent/recording.h"
#include "consent/stop_sign.h"

namespace consent {

// The longest line in bytes, its end not counted.
inline constexpr size_t kMaxLineBytes = 64 * 1024;

// Values for keys that lines lack. Immutable; thread-safe.
class CONSENT_EXPORT LineDefaults {
 public:
  // None.
  LineDefaults();
  // From key and value as typed on a command line; lists are separated by commas. InvalidArgument: a key that no line
  // has, one that says whose recording it is (that must come from the line itself), one that is given twice, or a bad
  // value.
  static absl::StatusOr<LineDefaults> Create(const std::vector<std::pair<std::string, std::string>>& settings);

 private:
  friend class LineDefaultsAccess;
  struct Values;

  // Never null.
  std::shared_ptr<const Values> values_;
};

struct RecordingLine {
  Recording recording;
  Place place;
};

// Reads one line (without its end). Keys are those of consent.v1.Recording, and `country`, `site`, `reviewer`; enums by
// short or full name; other keys are ignored unless they read like a known one. InvalidArgument: whatever is wrong,
// without ids.
CONSENT_EXPORT absl::StatusOr<RecordingLine> ParseRecordingLine(std::string_view line,
                                                                const LineDefaults& defaults = {});

// What may be handed on about an eligible recording: its id, the pseudonym and what it is; neither account, profiles
// and device nor times, region below the country, and nothing that this library does not know. One line without its
// end.
CONSENT_EXPORT std::string AnonymousLine(const Recording& recording, std::string_view pseudonym);

// Reads recordings from a file descriptor, in bounded memory. Not thread-safe. Does not own the descriptor.
class CONSENT_EXPORT RecordingLineReader {
 public:
  enum class Result {
    kRecording,
    // The line cannot be read, as problem() says; nothing of it may be used. The next line can be asked for.
    kProblem,
    // Nothing came for the time that the caller allows; nothing is lost.
    kIdle,
    kEnd,
    // The input cannot be read: errno says why.
    kError,
    // The sign is up; no line is lost by it.
    kStopped,
    // The copy could not be written: errno says why.
    kCopyFailed,
  };
  // Writes bytes somewhere; false where that failed.
  using Copy = std::function<bool(std::string_view bytes)>;

  // `stop` ends the reading. `copy`, where there is one, gets every byte of the input as it is, before any of it is
  // given as a line.
  explicit RecordingLineReader(int descriptor, LineDefaults defaults = {}, StopSign stop = {}, Copy copy = {});
  ~RecordingLineReader();
  RecordingLineReader(const RecordingLineReader&) = delete;
  RecordingLineReader& operator=(const RecordingLineReader&) = delete;

  // The next line that is not blank. Blocks until there is one, the input ends, the sign is up or, with an idle time of
  // zero or more, that time passed without input. Lines end with LF or CRLF; the last one may lack its end.
  Result Next(std::chrono::milliseconds idle = std::chrono::milliseconds(-1));

  // Of the line that Next gave last: its number, from 1, blank lines counted; its bytes as they came, without the end
  // and empty where there are more than kMaxLineBytes; what it says; and what is wrong with it, without ids.
  uint64_t number() const;
  const std::string& text() const;
  const RecordingLine& line() const;
  const absl::Status& problem() const;

  // Bytes read so far.
  uint64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace consent
