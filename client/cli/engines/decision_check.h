// The work of `consentctl decisions verify`, without its command line: files of the decision log in, what is wrong with
// them and who could use what out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/decision_files.h"
#include "client/cli/engines/played_list.h"
#include "client/cli/lines/decision_lines.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

// One thing that is wrong. Names no person.
struct DecisionProblem {
  // GAP, CHANGED, UNREADABLE, OTHER_LOG, of single yeses NOT_GIVEN, LATE, POLICY_NOT_IN_FORCE, UNKNOWN, UNSPECIFIED,
  // and of what was played HEARD_WITHOUT_YES and HEARD_UNREADABLE.
  std::string kind;
  std::string file = {};
  // Id of the store whose log it is, in hexadecimal; empty where nobody knows.
  std::string store = {};
  // Number of the record, of a GAP the first that is missing; of what was played, of its line.
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
  // Those that were decided in the time that was asked for, and what was found of them.
  uint64_t yeses = 0;
  // Records of what people read; of them the chain alone is checked.
  uint64_t reads = 0;
  uint64_t confirmed = 0;
  // Of people whose history was erased, and keys_gone.
  uint64_t not_checkable = 0;
  // Of months whose key was destroyed or lost: nobody can tell any more whom they are about.
  uint64_t keys_gone = 0;
  // Lines of what was played that no yes allows as far as can be told, because a key of their month is gone.
  uint64_t heard_not_checkable = 0;
  uint64_t problems = 0;
};

// Who could use what: what the yeses of a row have in common.
struct DecisionUse {
  std::string caller;
  Purpose purpose = Purpose::kUnset;
  Selection selection = Selection::kUnset;
  Place place;
  auto Key() const { return std::tie(caller, purpose, selection, place.reviewer, place.country, place.site); }
  bool operator<(const DecisionUse& other) const { return Key() < other.Key(); }
};
struct DecisionUses {
  uint64_t yeses = 0;
  // The rule does not give these, or they came after a no that the daemon knew.
  uint64_t wrong = 0;
  uint64_t not_checkable = 0;
  // No daemon was asked.
  uint64_t not_checked = 0;
};

struct DecisionCheckOptions {
  // The daemons that have the stores of the files. None: the chains alone are checked.
  std::vector<Client*> clients = {};
  // What lies before the first and behind the last record is not missed.
  bool is_part = false;
  // Yeses decided then are checked and counted; the chains are checked in any case.
  Period decided = {};
};

// One run over the files of one or several daemons. Each store has a chain of its own. Memory is bounded by one record,
// 64 chains and 10,000 rows of uses. Not thread-safe.
class DecisionCheck final : public DecisionLineSink {
 public:
  using Sink = std::function<void(const DecisionProblem&)>;
  // The clients outlive the run.
  DecisionCheck(DecisionCheckOptions options, Sink sink) : options_(std::move(options)), sink_(std::move(sink)) {}

  // What the stores count, asked before the first file is read. InvalidArgument: two daemons have one store.
  absl::Status Begin();
  // Reads what a tool says that it played. After Begin and before the first file, once. Errors as PlayedList::Read.
  absl::Status ReadHeard(const HeardOptions& options, const std::string& name, LineReader& reader);
  // Lines of a file, in the order of the records of its store. An error: a daemon does not answer, or there are more
  // than 64 stores.
  void BeginFile(const std::string& name) override;
  absl::Status TakeLine(const std::string& text) override;
  void PassOver(const std::string& why) override { Unreadable(why); }
  void EndTorn() override;
  // What the ends of the files say.
  void Finish();

  const DecisionCounts& counts() const { return counts_; }
  // What was found of the log of each daemon that was asked, after Finish.
  std::vector<std::pair<Client*, VerificationReport>> Reports() const;
  const std::map<DecisionUse, DecisionUses>& uses() const { return uses_; }

 private:
  // The log of one store, as far as it was read.
  struct Chain {
    std::string store_id;
    Client* client = nullptr;  // nullptr: nobody who was asked has this store
    std::optional<DecisionLogState> state = {};
    // Of the record before. The hash is empty where it cannot be known.
    uint64_t last = 0;
    std::string last_hash = std::string(64, '0');
    // The file before, where it ends in the middle of a record. A killed process leaves that, and so does a cut: what
    // is missing tells which.
    std::string torn = {};
    VerificationReport found = {};
    // Records that no daemon was asked about, and the first of them.
    uint64_t unasked = 0;
    uint64_t first_unasked = 0;
  };

  // The chain that the line goes on, else that of its store; nullptr: one too many.
  Chain* ChainOf(const DecisionLine& line);
  void Unreadable(const std::string& why);
  // Tells of lines that take the place of records in the chain; nullptr: nobody knows in whose.
  void TellUnreadable(Chain* chain, uint64_t lines, const std::string& why);
  void TellHeard(uint64_t line, HeardProblem problem, const std::string& why);
  void FinishChain(Chain& chain);
  void CheckLink(const DecisionLine& line, Chain& chain);
  absl::Status CheckYeses(const DecisionLine& line, Chain& chain);
  void TellVerdict(const DecisionLine& line, const Chain& chain, size_t entry, DecisionVerdict verdict);
  DecisionUses& UseOf(const DecisionLine& line);
  void Tell(const Chain* chain, DecisionProblem problem);
  // One of a yes of that verdict.
  static void Count(DecisionVerdict verdict, Chain* chain);

  const DecisionCheckOptions options_;
  const Sink sink_;
  std::vector<Chain> chains_;
  DecisionCounts counts_;
  std::map<DecisionUse, DecisionUses> uses_;
  std::map<std::string, uint64_t> log_problems_;  // by store
  std::string file_;
  std::optional<PlayedList> heard_;
  // Of the file that is read: its chain, an index of chains_, once a record has told; how many lines before that record
  // are none, and why the first is not.
  std::optional<size_t> chain_;
  uint64_t unreadable_ = 0;
  std::string why_unreadable_;
};

}  // namespace consent::cli
