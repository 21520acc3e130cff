// What is kept of a command's standard output: its hash and the number in its last line.
#pragma once

#include <sodium.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace consent::cli {

// Takes any amount in a few bytes. Not thread-safe.
class TaskOutput {
 public:
  TaskOutput();
  void Add(std::string_view bytes);
  // The last line, the end of which may be missing, is a whole number from 0 to 10^12, as much as a report may say, with nothing but blanks around it.
  std::optional<int64_t> LastNumber() const;
  // It is a larger whole number, which no report may carry.
  bool IsTooLarge() const;
  // SHA-256, 32 bytes; empty where nothing was added. Ends the use of this object.
  std::string Hash();

 private:
  // The number of the last line, cut to just above what a report may say; nothing: it is none.
  std::optional<int64_t> Number() const;

  crypto_hash_sha256_state hash_{};
  bool empty_ = true;
  // The line at the end, cut to a length that no number has; it counts where it is not empty, else the one before.
  std::string line_;
  std::string before_;
};

}  // namespace consent::cli
