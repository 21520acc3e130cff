// How many subjects' answers a policy would turn, before it is in force.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"
#include "daemon/policy/document.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/pool.h"

namespace consent::service {

// Subjects whose answer turns for one purpose, in each direction.
struct Turned {
  uint64_t to_eligible = 0;
  uint64_t to_not_eligible = 0;
  bool operator==(const Turned&) const = default;
};

struct TurnedCounts {
  std::array<Turned, domain::kPurposes> by_purpose{};  // by purpose number - 1
  uint64_t examined = 0;                               // subjects
};

// Counts subjects one after another. What is asked of each is one recording without anything that speaks against it,
// made an hour after `activated_at`: an adult's command by the button, one voice, of no device and for each registered
// profile once (of none where there is none), asked about a minute later for where the subject lives, at a site and by
// a class that one of the two rules allows there, an employee before a contractor. A subject turns if one of its
// recordings does. Pure; not thread-safe; the rules outlive it.
class TurnCounter {
 public:
  TurnCounter(const domain::Rules& before, const domain::Rules& after, base::Instant activated_at);
  void Count(const domain::SubjectFacts& facts);
  const TurnedCounts& counts() const { return counts_; }

 private:
  domain::Place PlaceOf(domain::Region region) const;

  const domain::Rules& before_;
  const domain::Rules& after_;
  const base::Instant captured_at_;
  const base::Now now_;
  TurnedCounts counts_;
};

// Thread-safe. Works on a thread of its own that yields to all others, so that it takes no check's place, and copies a
// few hundred subjects' facts at a time: its memory does not grow with their number.
class TurnedAnswers {
 public:
  using Done = std::function<void(const absl::StatusOr<TurnedCounts>&)>;
  explicit TurnedAnswers(const Core& core) : core_(core) {}

  // Counts over the facts index as if `next` were activated now, as long as `goes_on` says so, which is asked every few
  // hundred subjects; `done` is told what was counted until then. Subjects that the bounded index does not hold are not
  // examined. OVERLOADED: two others are being counted or wait. POLICY_REFUSED: it cannot follow the policy in force.
  void Count(const policy::Document& next, std::function<bool()> goes_on, Done done);

 private:
  absl::StatusOr<TurnedCounts> CountAll(const policy::Document& next, const std::function<bool()>& goes_on) const;

  const Core& core_;
  Pool pool_{1, 1};
};

}  // namespace consent::service
