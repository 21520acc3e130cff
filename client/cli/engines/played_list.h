// What a tool says that it played, held against the yeses and the review grants on record.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/heard_grants.h"
#include "client/cli/lines/decision_lines.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

struct HeardOptions {
  Purpose purpose = Purpose::kHumanReview;
  // How long before it was played a yes counts; at most 90 days.
  std::chrono::seconds within = std::chrono::hours(24);
  // How far the tool's clock may be behind the daemon's: a yes that much later still counts.
  std::chrono::seconds skew = std::chrono::seconds(0);
};

// At most 500,000 lines a run, about 150 bytes each a month and daemon; no recording's id is kept. Not thread-safe.
class PlayedList {
 public:
  explicit PlayedList(HeardOptions options) : options_(options), grants_(options.skew) {}

  // Reads the list, asks each of the daemons for the handles of its recordings and for its grants, and tells the lines
  // that cannot be read, and those whose grant does not allow them. NotFound: it cannot be read.
  // ResourceExhausted: it is too long. Else a daemon's error.
  absl::Status Read(const std::string& name, LineReader& reader, const std::vector<Client*>& clients,
                    const HeardSink& sink);
  // Marks what the record's yeses allow.
  void See(const DecisionLine& line);
  // Tells each line that no yes allows, in their order, but for those of whose months a key is gone. How many these
  // are: a yes may be on record of which nobody can tell any more whose it is.
  uint64_t Finish(const HeardSink& sink) const;

  const std::string& name() const { return name_; }

 private:
  struct Heard {
    uint64_t line = 0;
    Time at;
    bool is_allowed = false;
    bool may_lack_key = false;
  };
  // Recordings of one month whose handles are still to be asked for.
  struct Waiting {
    std::vector<RecordingId> ids;
    std::vector<size_t> heard;
  };
  // Asks for the handles of those that wait.
  absl::Status Ask(const std::string& month, Waiting* waiting, const std::vector<Client*>& clients);
  absl::Status Add(const RecordingId& recording, uint64_t line, Time at, std::map<std::string, Waiting>* waiting,
                   const std::vector<Client*>& clients);

  const HeardOptions options_;
  std::string name_;
  std::vector<Heard> heard_;
  // By the key's name and the handle, one behind the other.
  std::unordered_multimap<std::string, size_t> by_handle_;
  HeardGrants grants_;
  uint64_t of_grants_ = 0;
};

}  // namespace consent::cli
