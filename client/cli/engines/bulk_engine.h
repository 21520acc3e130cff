// The work of `delete --file`, `settings opt-out --file` and `settings set --file`, without their command lines.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/engines/bulk_progress.h"
#include "client/cli/engines/call_gate.h"
#include "client/cli/engines/unreached_scopes.h"
#include "client/cli/lines/bulk_lines.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

// A part of a line that is not in force, or not in full.
struct BulkPart {
  // For example "choices[1]"; never an id.
  std::string part;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
  std::string reason;
  std::string message;
};

// What became of one line. No ids: the line's number leads to its own.
struct BulkResult {
  uint64_t line = 0;
  // Nothing of it could be read.
  bool unreadable = false;
  // A request for the same was there, and is what the line gets.
  bool already = false;
  // Its account is closed; what it refuses binds an account that is started anew under its id.
  bool account_closed = false;
  // A yes of it is in force and does not reach all that it asks for.
  bool unreached = false;
  // Parts that are in force.
  uint64_t applied = 0;
  std::vector<BulkPart> problems;
};

// Called from one thread; a failure ends the run.
class BulkSink {
 public:
  virtual ~BulkSink() = default;
  // Once for each line but blank ones; in the order of the lines but for those with a yes, which come after all others.
  virtual absl::Status Line(const BulkResult& result) = 0;
  // How much it has written.
  virtual uint64_t report_bytes() const = 0;
  virtual void Progress(int pass, uint64_t line, uint64_t bytes) = 0;
};

struct BulkEnd {
  enum class How { kComplete, kInputFailed, kOutputFailed, kDaemonFailed, kStopped };
  How how = How::kComplete;
  absl::Status status;
  // With kDaemonFailed and kStopped: the first line that is not done.
  uint64_t line = 0;
};

struct BulkJob {
  std::function<absl::StatusOr<BulkLine>(std::string_view)> read;
  // Lines may hold yeses: then noes go first, all of them, and an account that one line refuses for gets no yes from
  // another.
  bool has_yeses = false;
  // Part of every request_id.
  std::string input_hash;
  // Blocks of lines that are sent at the same time, 1 to 256.
  size_t parallel = 32;
  StopSign stop;
};

// Reads the input once, with yeses three times, and sends each line's calls. Each request_id is made of the progress
// file's run, the input and the line, so what was sent before an interruption is answered as before, within 72 hours.
// Memory is bounded: blocks of lines under way, and 16 bytes for each line that refuses in an input with yeses, of
// which there are at most kMostNoes. Not thread-safe.
class Bulk {
 public:
  static constexpr size_t kBlock = 16;
  static constexpr size_t kBlockBytes = 256 * 1024;
  static constexpr size_t kMostNoes = 2'000'000;

  // All of them must outlive the run.
  Bulk(Client& client, CallGate& gate, BulkProgress& progress, BulkSink& sink, BulkJob job)
      : client_(client), gate_(gate), progress_(progress), sink_(sink), job_(std::move(job)) {}

  // `input` can be read from its beginning again.
  BulkEnd Run(int input);
  const BulkCounts& counts() const { return counts_; }

 private:
  struct Line {
    uint64_t number = 0;
    BulkLine parsed;
    UnreachedScopes unreached;
    BulkResult result;
  };
  struct Block {
    // The last line that the block stands for.
    uint64_t last = 0;
    size_t bytes = 0;
    std::vector<Line> lines;
    // Why the daemon did not get to line `failed_at`; later lines were not sent.
    absl::Status error;
    uint64_t failed_at = 0;
  };
  // `line`: an error for one that is too long. At the end of the input once more, with number 0.
  using Visit = std::function<BulkEnd(uint64_t number, const absl::StatusOr<std::string>& line, uint64_t bytes)>;

  // Reads from the beginning; ends where `visit` does not return kComplete.
  BulkEnd Read(int input, const Visit& visit) const;
  // Which accounts are refused where.
  BulkEnd FindNoes(int input);
  absl::Status NoteNo(uint64_t number, const absl::StatusOr<std::string>& bytes);
  uint64_t KeyOf(const AccountId& account) const;
  BulkEnd Pass(int pass, int input);
  void Take(int pass, uint64_t number, const absl::StatusOr<std::string>& bytes);
  // Why no yes of the line may be sent: reason and message; empty: it may.
  std::pair<std::string, std::string> WhyHeldBack(const Line& line) const;
  void Launch(int pass);
  Block Send(int pass, Block block) const;
  absl::Status SendLine(int pass, Line* line) const;
  absl::Status SendNoes(Line* line) const;
  // Sends one call and notes what became of it; results before `first` were told by another call. Fails only where the
  // daemon did not get to an answer, or would refuse every other line alike.
  absl::Status SendCall(BulkCall call, const char* kind, size_t first, Line* line) const;
  BulkEnd FinishOldest(int pass);
  // What was sent is waited for and counted.
  BulkEnd FinishSent(int pass);
  absl::Status Report(const BulkResult& result);

  Client& client_;
  CallGate& gate_;
  BulkProgress& progress_;
  BulkSink& sink_;
  const BulkJob job_;
  BulkCounts counts_;
  // Sorted once it is complete: the account's key, and the line.
  std::vector<std::pair<uint64_t, uint64_t>> noes_;
  // The first line that may refuse for anybody; 0: none.
  uint64_t blocks_all_ = 0;
  Block next_;
  std::deque<std::future<Block>> sent_;
};

// "DONE", "PARTLY", "REFUSED" or "UNREADABLE".
const char* OutcomeName(const BulkResult& result);

}  // namespace consent::cli
