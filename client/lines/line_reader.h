// Lines from a file descriptor, in bounded memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "consent/stop_sign.h"

namespace consent {

// Ends of lines are LF or CRLF; the last line may lack one. Not thread-safe. Does not own the descriptor.
class LineReader {
 public:
  enum class Result {
    kLine,
    // The line is longer than the bound; its bytes were passed over.
    kTooLong,
    // Nothing came for the time that the caller allows; nothing is lost.
    kIdle,
    kEnd,
    // The sign is up; no line is lost by it.
    kStopped,
    // errno says why.
    kError,
    // The copy could not be written; errno says why.
    kCopyFailed,
  };
  // Writes bytes somewhere; false where that failed.
  using Copy = std::function<bool(std::string_view bytes)>;

  // `copy`, where there is one, gets every byte of the input as it is, before any of it is given as a line.
  LineReader(int descriptor, size_t most_bytes, StopSign stop = {}, Copy copy = {});
  // Blocks until there is a line, the input ends, the sign is up or, with an idle time of zero or more, that time
  // passed without input.
  Result Next(std::string* line, std::chrono::milliseconds idle = std::chrono::milliseconds(-1));
  // Of the line that Next gave last; the first is 1.
  uint64_t number() const { return number_; }
  // Read so far.
  uint64_t bytes() const { return bytes_; }

 private:
  // False at the end, on an error, where the copy failed and when idle; *why says which.
  bool Fill(std::chrono::milliseconds idle, Result* why);
  // Waits for input; false where the time passed or the sign is up, and *why says which.
  bool Wait(std::chrono::milliseconds idle, Result* why) const;
  bool TakeLine(std::string* line, Result* result);

  const int descriptor_;
  const size_t most_bytes_;
  const StopSign stop_;
  const Copy copy_;
  std::string buffer_;
  size_t begin_ = 0;
  // Up to here the buffer holds no end of line.
  size_t searched_ = 0;
  bool skipping_ = false;
  bool ended_ = false;
  uint64_t number_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace consent
