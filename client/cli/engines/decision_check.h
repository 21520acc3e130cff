// The work of `consentctl decisions verify`, without its command line: files of the decision log in, what is wrong with
// them out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/cli/lines/decision_lines.h"
#include "client/cli/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

// One thing that is wrong. Names no person.
struct DecisionProblem {
  // GAP, CHANGED, UNREADABLE, OTHER_LOG, and of single yeses NOT_GIVEN, LATE, POLICY_NOT_IN_FORCE, UNKNOWN,
  // UNSPECIFIED.
  std::string kind;
  std::string file = {};
  // Number of the record; of a GAP the first that is missing.
  uint64_t record = 0;
  // Of a GAP how many are missing, else 0.
  uint64_t missing = 0;
  // Which yes of the record; -1: the record as a whole.
  int entry = -1;
  std::string call = {};
  std::string why = {};
};

struct DecisionCounts {
  uint64_t files = 0;
  uint64_t records = 0;
  uint64_t yeses = 0;
  // Records of what people read; of them the chain alone is checked.
  uint64_t reads = 0;
  uint64_t confirmed = 0;
  // Of people whose history was erased.
  uint64_t not_checkable = 0;
  uint64_t problems = 0;
};

// One run over files in the order of their records. Memory is bounded by one record. Not thread-safe.
class DecisionCheck {
 public:
  using Sink = std::function<void(const DecisionProblem&)>;
  // `client` nullptr: the chain alone is checked. `is_part`: what lies before the first and behind the last record is
  // not missed. All of them outlive the run.
  DecisionCheck(Client* client, bool is_part, Sink sink) : client_(client), is_part_(is_part), sink_(std::move(sink)) {}

  // What the store counts, asked before the first file is read.
  absl::Status Begin();
  // `whole`: the file's last line has its end. An error: the file cannot be read, or the daemon does not answer.
  absl::Status Add(const std::string& name, LineReader& reader, bool whole);
  // What the last file says of the end.
  void Finish();

  const DecisionCounts& counts() const { return counts_; }

 private:
  absl::Status Take(const std::string& text);
  void Unreadable(const std::string& why);
  void CheckChain(const DecisionLine& line);
  absl::Status CheckYeses(const DecisionLine& line);
  void Tell(DecisionProblem problem);

  Client* const client_;
  const bool is_part_;
  const Sink sink_;
  std::optional<DecisionLogState> state_;
  DecisionCounts counts_;
  std::string file_;
  // Of the record before. The hash is empty where it cannot be known.
  uint64_t last_ = 0;
  std::string last_hash_ = std::string(64, '0');
  // The file before, where it ends in the middle of a record. A killed process leaves that, and so does a cut: what is
  // missing tells which.
  std::string torn_;
};

}  // namespace consent::cli
