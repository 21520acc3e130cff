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
  // The last line, the end of which may be missing, is a whole number from 0 to 10^12, as much as a report may say,
  // with nothing but blanks around it.
  std::optional<int64_t> LastNumber() const;
  // It is another whole number, below zero or larger, which no report may carry.
  bool IsNoCount() const;
  // It begins as a number does and is none, such as +5, 1e3 or "5 files": nothing is counted by it.
  bool IsAlmostNumber() const;
  // The last line without its end and outer blanks, as far as its first kMaxLineBytes go.
  std::string LastLine() const;
  static constexpr size_t kMaxLineBytes = 512;
  // SHA-256, 32 bytes; empty where nothing was added. Ends the use of this object.
  std::string Hash();

 private:
  // What is known of a line, however long it is.
  struct Line {
    enum class Part : uint8_t { kBefore, kMinus, kDigits, kAfter, kNone };  // kNone: it is no number
    void Add(char c);
    bool empty = true;
    Part part = Part::kBefore;
    bool below_zero = false;
    bool begins_as_number = false;
    int64_t number = 0;  // cut to just above what a report may say
    std::string text;    // its first kMaxLineBytes
  };
  // The line at the end counts where it is not empty, else the one before.
  const Line& Last() const { return line_.empty ? before_ : line_; }
  bool IsNumber() const;

  crypto_hash_sha256_state hash_{};
  bool empty_ = true;
  Line line_;
  Line before_;
};

}  // namespace consent::cli
