#include "daemon/service/commit/follow_reviews.h"

#include <string>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/review_rows.h"

namespace consent::service {
namespace {

// Sequences grow, and the sum over joined accounts is never less than the account's own.
bool WasRestricted(const Core& core, store::Partition partition, const GrantRow& row) {
  if (core.partition_policies.Current(partition) != CurrentPolicy{row.grant.numbers.policy, false}) return true;
  std::string bytes;
  domain::SubjectFacts facts;
  const bool is_known = core.index.FindBytes(row.subject, &bytes) == Found::kFound;
  return is_known && domain::DecodeFacts(bytes, &facts) && facts.restricted > row.grant.numbers.subject;
}

}  // namespace

bool FollowReviews(Core& core, const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kReview || !write.key.starts_with(kGrants)) continue;
    const std::string key(write.key);
    if (!write.value.has_value()) {
      core.reviews.Remove(key);
      continue;
    }
    GrantRow row;
    if (!DecodeGrantRow(*write.value, &row)) return false;
    const ReviewCounts::Use use = core.reviews.Follow(key, row.grant, core.time);
    if (use != ReviewCounts::Use::kNone && WasRestricted(core, committed.partition, row)) {
      core.reviews.NoteUseAfterRestriction(use);
    }
  }
  return true;
}

}  // namespace consent::service
