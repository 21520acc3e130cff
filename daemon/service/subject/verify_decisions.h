// Whether recorded yeses were right: decides again on each, by what was in force then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/decide.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/past_facts.h"

namespace consent::service {

// Numbers equal those of consent.v1.DecisionVerdict.
enum class Verdict : uint8_t {
  kNone = 0,
  kConfirmed = 1,
  kNotGiven = 2,
  kLate = 3,
  kPolicyNotInForce = 4,
  kUnknown = 5,
  kNotCheckable = 6,
};

// One yes, as it was recorded.
struct RecordedYes {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingFacts facts;
  store::Sequence head = 0;
  store::Sequence revision = 0;
  domain::Reason reason = domain::Reason::kNone;
};

// What the yeses of one call share.
struct RecordedCall {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  std::string policy_version;
  base::Digest policy_hash{};
  base::Now now;
};

// What is found of a recorded yes, and by what it was given.
struct YesGrounds {
  Verdict verdict = Verdict::kNone;
  Untold untold = Untold::kNone;  // why it cannot be told by what; then what follows is unset
  domain::SubjectFacts facts = {};
  domain::RecordingState marks = {};
  std::shared_ptr<const domain::Rules> rules = {};  // of those that were in force the ones that give it, or the newest
};

// Thread-safe; may block.
class VerifyDecisions {
 public:
  // A policy or a suspension counts from its stamp, and checks that were under way when it was written may still go by
  // the one before: no longer than this.
  static constexpr base::Span kSlack = base::Seconds(60);

  explicit VerifyDecisions(const Core& core) : core_(core) {}

  // One verdict for each yes, in their order. STORE_UNREADABLE, INTERNAL, NOT_SERVING.
  absl::StatusOr<std::vector<Verdict>> Run(const RecordedCall& call, const std::vector<RecordedYes>& yeses) const;
  // The same of one, with its grounds. The daemon serves.
  absl::StatusOr<YesGrounds> GroundsOf(const RecordedCall& call, const RecordedYes& yes) const {
    return GroundsOf(call, RulesOf(call), yes);
  }

 private:
  using RulesList = std::vector<std::shared_ptr<const domain::Rules>>;
  // Those of the recorded policy that were in force at the time, suspensions included; none where it was not.
  RulesList RulesOf(const RecordedCall& call) const;
  absl::StatusOr<YesGrounds> GroundsOf(const RecordedCall& call, const RulesList& rules, const RecordedYes& yes) const;

  const Core& core_;
};

}  // namespace consent::service
