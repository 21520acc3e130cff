// What a tool says that it played under review grants, held against the grants on record.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "consent/client.h"
#include "consent/reviews.h"

namespace consent::cli {

// What is wrong with a line. The second is of one that names a recording, the last three are of one that names a grant.
enum class HeardProblem : uint8_t { kUnreadable, kWithoutYes, kWithoutGrant, kOutOfTime, kTooOften };
// Takes a line that is wrong, by its number, and why.
using HeardSink = std::function<void(uint64_t line, HeardProblem problem, const std::string& why)>;

// Not thread-safe. About 150 bytes a line.
class HeardGrants {
 public:
  // `skew`: how far the tool's clock may be off.
  explicit HeardGrants(std::chrono::seconds skew) : skew_(skew) {}

  // In the order of the lines.
  void Add(const std::string& grant_id, uint64_t line, Time at);
  // Asks the daemons for the grants, and tells each line that none allows, in the order of the lines. A daemon's error.
  absl::Status Check(const std::vector<Client*>& clients, const HeardSink& sink);

 private:
  struct Played {
    uint64_t line = 0;
    Time at;
  };
  struct OfGrant {
    std::vector<Played> played;
    bool is_known = false;
    GrantShown grant;
  };
  absl::Status Ask(Client& client);
  void Judge(const OfGrant& of, std::map<uint64_t, std::pair<HeardProblem, std::string>>* wrong) const;

  const std::chrono::seconds skew_;
  std::map<std::string, OfGrant> by_id_;
};

}  // namespace consent::cli
