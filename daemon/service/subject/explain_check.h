// Why a check is answered as it is, now or at another time; and why a recorded yes was given. Changes nothing, lets
// nobody use anything and is on nobody's hot path.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/explain.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/decide_from_index.h"
#include "daemon/service/subject/explained_orders.h"
#include "daemon/service/subject/past_facts.h"
#include "daemon/service/subject/verify_decisions.h"

namespace consent::service {

// Of which time an explanation is. Numbers equal those of consent.v1.ExplanationBasis.
enum class Basis : uint8_t {
  kNone = 0,
  kNow = 1,
  kPast = 2,      // by what was stored and in force then, as far as it can still be told
  kFuture = 3,    // by what is stored and in force now, if nothing changes
  kRecorded = 4,  // of a yes in the decision log: by its revision, policy and time
};

struct ExplainQuery {
  CheckItem item;
  domain::Purpose purpose = domain::Purpose::kNone;  // kNone: the disposition only
  domain::Place place;
  base::Instant at;  // unset: now
};

struct Explained {
  Basis basis = Basis::kNone;
  // Why the answer, or a part of it, cannot be told: what is not answered then is kNotAnswered, never a guess.
  std::vector<Untold> untold;
  bool has_answer = false;  // false: nothing of it can be told, and what follows but `now` is unset
  domain::Explanation explanation;
  ExplainedOrders orders;
  std::shared_ptr<const domain::Rules> rules;
  base::Now now;  // the time that the rule was asked at
  Revision revision;
  base::Instant changed_at;          // of a past time: when that revision was written
  Verdict verdict = Verdict::kNone;  // of kRecorded
};

// Thread-safe; may block.
class ExplainCheck {
 public:
  explicit ExplainCheck(Core& core) : core_(core), verify_(core) {}

  // STORE_UNREADABLE, INTERNAL, NOT_SERVING, CONTENTION.
  absl::StatusOr<Explained> Run(const ExplainQuery& query) const;
  // The same for a recorded yes. CONTENTION never.
  absl::StatusOr<Explained> RunRecorded(const RecordedCall& call, const RecordedYes& yes) const;

 private:
  absl::StatusOr<Explained> AsOfRecord(const ExplainQuery& query, Basis basis, const base::Now& now) const;
  absl::StatusOr<Explained> AsOfPast(const ExplainQuery& query) const;

  Core& core_;
  const VerifyDecisions verify_;
};

}  // namespace consent::service
