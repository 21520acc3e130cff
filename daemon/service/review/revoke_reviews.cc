#include "daemon/service/review/revoke_reviews.h"

#include <utility>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/registry/every_partition.h"
#include "daemon/service/rows/review_rows.h"

namespace consent::service {
namespace {

std::string RevokedName(const Revocation& revocation) {
  if (revocation.kind == domain::RevocationKind::kPurpose) return {static_cast<char>(revocation.purpose)};
  return revocation.kind == domain::RevocationKind::kAll ? std::string() : revocation.name;
}

}  // namespace

absl::StatusOr<base::Instant> RevokeReviews(Core& core, const Revocation& revocation, const Caller& caller) {
  const std::string key = RevocationKey(revocation.kind, RevokedName(revocation));
  EveryPartition write;
  write.patiently = true;
  write.make = [&](store::Partition, const store::Stamp& stamp, base::Instant time) {
    const RevocationRow row{stamp.sequence, time, caller.identity, revocation.reason};
    return store::Change{{{store::Table::kReview, key, EncodeRevocationRow(row)}},
                         PlainEvent(ChangeKind::kReviewChanged, "", {}, caller.identity)};
  };
  const WrittenEverywhere written = WriteEverywhere(core, write);
  if (!written.status.ok()) return written.status;
  core.NoteStamp(written.time);
  return written.time;
}

}  // namespace consent::service
