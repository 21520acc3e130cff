// How far a command over a file has come, kept in a file beside it so that it can go on after an interruption.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "consent/clock.h"

namespace consent::cli {

// The whole file's, over all runs that a progress file joins. Once it is complete, lines is the sum of the others.
struct BulkCounts {
  uint64_t lines = 0;
  // All of the line is in force.
  uint64_t done = 0;
  // A part of it is not.
  uint64_t partly = 0;
  // Nothing of it is.
  uint64_t refused = 0;
  uint64_t unreadable = 0;
};

// JSON lines: a head with what is done, the hash of the input, the store and the run; then what was reached, the last
// line counting. A torn last line is ignored. It holds no ids. Not thread-safe.
class BulkProgress {
 public:
  // What a progress file is of. `order`: the command and everything of its command line that the calls depend on.
  struct Of {
    std::string order;
    std::string input_hash;
    // The daemon's store, in hex.
    std::string store;
  };

  // Reads `path`, or begins it with a run that is drawn. FailedPrecondition: it cannot be read or written, is none, or
  // is that of another command, input or store, and is left as it is.
  static absl::StatusOr<BulkProgress> Open(const std::string& path, const Of& of, Random& random);

  // Drawn once per file: request ids are made of it, so that a run that goes on sends the same ones, and another run
  // over the same input is new.
  const std::string& run() const { return run_; }
  // The last line that is done in this pass (1 or 2); 0: none.
  uint64_t Reached(int pass) const { return reached_[pass == 1 ? 0 : 1]; }
  // How long the report was then.
  uint64_t report_bytes() const { return report_bytes_; }
  bool complete() const { return complete_; }
  const BulkCounts& counts() const { return counts_; }
  absl::Status Save(int pass, uint64_t line, const BulkCounts& counts, uint64_t report_bytes);
  absl::Status Complete();
  int descriptor() const { return file_.descriptor(); }

 private:
  absl::Status Load(std::string_view text, const Of& of);
  absl::Status LoadReached(const nlohmann::json& line);

  LineFile file_;
  std::string run_;
  std::array<uint64_t, 2> reached_{};
  uint64_t report_bytes_ = 0;
  bool complete_ = false;
  BulkCounts counts_;
};

}  // namespace consent::cli
