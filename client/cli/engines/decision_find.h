// The work of `consentctl decisions find`, without its command line: which yeses and reads on record are about one
// person.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/decision_files.h"
#include "client/cli/lines/decision_lines.h"
#include "client/cli/output.h"
#include "consent/client.h"

namespace consent::cli {

// What is looked for. Each list that is not empty narrows it down to yeses that name one of its ids, and to no reads.
struct DecisionQuery {
  AccountId account_id = {};
  std::vector<RecordingId> recording_ids = {};
  std::vector<ProfileId> profile_ids = {};
  std::vector<DeviceId> device_ids = {};
  Period decided = {};
};

// One yes about the person: who could use what, when, where, why; or one read: who looked at what is stored of them.
struct FoundDecision {
  std::string store;  // its id, in hexadecimal
  std::string file;
  uint64_t record = 0;
  int entry = 0;  // -1: the record as a whole
  std::optional<Time> decided_at;
  std::string caller;
  std::string call;
  // Of a read the method that was called, and all of what follows unset; empty: a yes.
  std::string read = {};
  Purpose purpose = Purpose::kUnset;
  Selection selection = Selection::kUnset;
  Place place = {};
  std::optional<Time> captured_at = {};
  Reason reason = Reason::kUnset;
  std::string policy_version = {};
  int64_t revision = 0;
};

struct FindCounts {
  uint64_t files = 0;
  uint64_t records = 0;
  uint64_t found = 0;
  // What nobody could look into: lines that are no record, and records under keys that no daemon that was asked has or
  // had.
  uint64_t unreadable = 0;
  uint64_t other_stores = 0;
  // Records whose key was destroyed, or lost with a store: nobody can tell any more whom they are about.
  uint64_t keys_gone = 0;
};

// One run over files. Keeps the handles of each month that occurs, and no record. Not thread-safe.
class DecisionFind final : public DecisionLineSink {
 public:
  using Sink = std::function<void(const FoundDecision&)>;
  // The daemons that have the stores of the files, at least one. All of them outlive the run.
  DecisionFind(std::vector<Client*> clients, DecisionQuery query, Sink sink)
      : clients_(std::move(clients)), query_(std::move(query)), sink_(std::move(sink)) {}

  // Asks for the handles of this month, before the first file: who may not ask is told so whatever the files hold.
  absl::Status Begin(Time now);
  void BeginFile(const std::string& name) override;
  // An error: a daemon does not answer, or the files have more than 240 months.
  absl::Status TakeLine(const std::string& text) override;
  void PassOver(const std::string&) override { ++counts_.unreadable; }
  // A record that was cut off was never said, or `decisions verify` misses it.
  void EndTorn() override {}

  const FindCounts& counts() const { return counts_; }

 private:
  // Asks all daemons for the handles of a month, once.
  absl::Status Learn(const std::string& month);
  static bool Matches(const RecordedYes& yes, const MonthHandles& sought);
  void TakeRead(const DecisionLine& line, const MonthHandles& sought);

  const std::vector<Client*> clients_;
  const DecisionQuery query_;
  const Sink sink_;
  std::string file_;
  std::set<std::string> asked_;  // months
  // By the key's name, which no two keys have, whosesoever they are: a restored store has keys of the lost one.
  std::map<std::string, MonthHandles> handles_;
  FindCounts counts_;
};

// Whether each record could be looked into that names anybody.
bool SawAll(const FindCounts& counts);

// What is listed of a run's findings; what is beyond is counted.
inline constexpr size_t kMostFound = 100'000;

// Decisions as the commands show them.
Json FoundJson(const FoundDecision& found);
Json FindCountsJson(const FindCounts& counts);
Table FindCountsTable(const FindCounts& counts);
Table FoundTable(const std::vector<FoundDecision>& found);

}  // namespace consent::cli
