// The only place where an Answer other than a plain no is made.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "consent/answer.h"

namespace consent {

// A decision as it came over the wire, with what the caller knows about the call.
struct ReceivedDecision {
  Purpose asked = Purpose::kUnset;
  // kUnset for a number that this library does not know.
  Eligibility eligibility = Eligibility::kUnset;
  Disposition disposition = Disposition::kUnset;
  // kUnset entries for numbers that this library does not know.
  std::vector<Reason> reasons;
  std::vector<MissingFact> missing_facts;
  std::string revision;
  std::string policy_version;
  std::string policy_hash;
  // By the daemon's clock.
  Time checked_at{};
  Time good_until{};
  // By `clock`, noted before the request left.
  std::chrono::nanoseconds sent{0};
};

class AnswerMaker {
 public:
  // Turns a decision that contradicts itself into no answer. One whose times give it no life is an answer that is never
  // fresh. `clock` must not be null.
  static Answer Received(ReceivedDecision decision, std::shared_ptr<const Clock> clock);
  // A no. `why` must not be OK; if it is, an Internal error takes its place.
  static Answer Failed(absl::Status why);
};

}  // namespace consent
