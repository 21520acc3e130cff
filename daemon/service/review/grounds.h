// What one use of a review grant is decided by: the rule, asked anew, and the numbers that restrict the grant. All of
// it is a precondition of the use's commit. Private to this room.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/review.h"
#include "daemon/domain/rules.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// By what a grant can be revoked. Views: what they are of outlives it.
struct RevocableBy {
  domain::Purpose purpose = domain::Purpose::kNone;
  std::string_view site;
  std::string_view reviewer;
};
RevocableBy RevocableByOf(const GrantRow& row);

// The numbers of rows that lie in every partition: suspensions and revocations. Adds the rows to `preconditions`.
// STORE_UNREADABLE, INTERNAL.
absl::Status ReadPartitionNumbers(const Core& core, store::Partition partition, const RevocableBy& by,
                                  const std::optional<store::ReadVersion>& seen,
                                  std::vector<store::Precondition>* preconditions, domain::ReviewNumbers* numbers);
// The numbers of the accounts whose orders count for a grant of `subject`. Of one that was joined into another account
// since it was given they are none that a grant has.
void SetSubjectNumbers(base::SubjectHandle subject, const GroupFacts& group, domain::ReviewNumbers* numbers);

// All numbers as they are now, for what only looks: nothing follows of them. STORE_UNREADABLE, INTERNAL. Blocks.
absl::StatusOr<domain::ReviewNumbers> ReadNumbers(const Core& core, const GrantRow& row);

struct Grounds {
  std::shared_ptr<const domain::Rules> rules;
  base::Now now;
  store::Sequence head = 0;  // of the subject's partition, published before it was looked up
  domain::ReviewNumbers numbers;
  domain::Decision decision;
  GroupFacts group;
  bool is_joined = false;  // its record is another account's alias
  std::optional<store::ReadVersion> seen;
  std::vector<store::Precondition> preconditions;

  bool IsEligible() const { return decision.eligibility == domain::Eligibility::kEligible; }
};
// Reads and decides; `row` has all but the grant. The numbers and the record are read under one ReadVersion, before the
// policy, so that whatever was acknowledged before the call is in the decision, and whatever comes later makes the
// commit a conflict. NOT_SERVING; CONTENTION while a policy is coming into force, or where a joined account changed
// each time; STORE_UNREADABLE, INTERNAL. Blocks.
absl::StatusOr<Grounds> ReadGrounds(const Core& core, const GrantRow& row);

// The rule, asked anew with what was granted before (E11).
domain::Decision DecideGrant(const Grounds& grounds, const GrantRow& row, const domain::GrantCounts& counts);

// The use is refused: GRANT_LOST, or GRANT_ENDED with its cause and the reasons of `decision`. `end` is not kNone.
absl::Status EndStatus(domain::GrantEnd end, const domain::Decision& decision);

}  // namespace consent::service
