// The work of `consentctl import`, without its command line.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/import_state.h"
#include "client/cli/engines/unreached_scopes.h"
#include "client/cli/lines/import_lines.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

// A part of a line that is not in force.
struct RefusedPart {
  uint64_t number = 0;
  // For example "choices[1]"; never an id.
  std::string part;
  std::string reason;
  std::string message;
};

// Called from one thread; a failure ends the run.
class ImportSink {
 public:
  virtual ~ImportSink() = default;
  virtual absl::Status Refused(const RefusedPart& part) = 0;
  // Something of the line is used as it is and looks mistaken, or its account is closed.
  virtual void Odd(uint64_t number, const std::string& what) = 0;
  virtual absl::Status Unreadable(uint64_t number, const std::string& why) = 0;
  virtual void Progress(int pass, uint64_t line, uint64_t bytes) = 0;
};

struct ImportEnd {
  enum class How { kComplete, kInputFailed, kOutputFailed, kDaemonFailed, kStopped };
  How how = How::kComplete;
  absl::Status status;
  // With kDaemonFailed and kStopped: the first line that is not done, and in which pass.
  uint64_t line = 0;
  int pass = 0;
};

// Reads a file twice. Pass 1 sends every restriction of every line, whatever else is wrong with the line; only when all
// of them are in force pass 2 registers subjects and sends consents: none of an account whose restrictions were refused
// or cannot be read, none of a line with faults, and none at all where a line cannot be read so far that it could be
// anybody's. Repeating a run is harmless: the same line makes the same request_ids, which the daemon remembers for 72
// hours. Memory is bounded but for 8 bytes for each line that is refused. Not thread-safe.
class Import {
 public:
  // Lines that are sent one after the other, beside `parallel` other such blocks.
  static constexpr size_t kBlock = 32;

  // All of them must outlive the run.
  Import(Client& client, ImportState& state, ImportSink& sink, size_t parallel, StopSign stop = {})
      : client_(client), state_(state), sink_(sink), parallel_(parallel), stop_(stop), counts_(state.counts()) {}

  // `input` can be read from its beginning again.
  ImportEnd Run(int input);
  const ImportCounts& counts() const { return counts_; }

 private:
  struct Line {
    uint64_t number = 0;
    std::string bytes;
    ImportLine parsed;
    std::vector<RefusedPart> refused;
    // The daemon said so of its account.
    bool account_closed = false;
    UnreachedScopes unreached = {};
  };
  struct Block {
    // The last line that the block stands for, the unreadable ones included.
    uint64_t last = 0;
    std::vector<Line> lines;
    // What reading these lines already adds to the counts.
    ImportCounts read;
    // Why the daemon did not get to line `failed_at`; later lines were not sent.
    absl::Status error;
    uint64_t failed_at = 0;
  };

  ImportEnd Pass(int pass, int input);
  // Parses and counts. Returns a failure of the sink.
  absl::Status Take(int pass, uint64_t number, std::string bytes);
  absl::Status Unreadable(int pass, uint64_t number, const std::string& why);
  // Why nothing of the line that allows more may be sent; empty: it may.
  std::string WhyHeldBack(const Line& line) const;
  // Notes that the line's consents are held back.
  absl::Status HeldBack(const Line& line, const std::string& why);
  void Launch(int pass);
  Block Send(int pass, Block block) const;
  absl::Status SendLine(int pass, Line* line) const;
  // Sends one call and notes what of it was refused. *etag is what the call shows and becomes what it returned. Fails
  // only where the daemon did not get to an answer.
  absl::Status SendCall(ImportCall call, Etag* etag, Line* line) const;
  ImportEnd FinishOldest(int pass);
  // What was sent is waited for and counted.
  ImportEnd FinishSent(int pass);
  absl::Status Count(int pass, const Block& block);
  absl::Status CountRestrictions(const Line& line);

  Client& client_;
  ImportState& state_;
  ImportSink& sink_;
  const size_t parallel_;
  const StopSign stop_;
  ImportCounts counts_;
  Block next_;
  std::deque<std::future<Block>> sent_;
};

}  // namespace consent::cli
