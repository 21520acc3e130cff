#include "daemon/service/registry/report_verification.h"

#include <optional>
#include <string>
#include <utility>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"

namespace consent::service {

absl::Status ReportVerification(Core& core, const VerificationRow& found, const Caller& caller) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::optional<std::string> bytes;
    const absl::StatusOr<VerificationRow> before = ReadVerificationRow(core.store, &bytes);
    if (!before.ok()) return before.status();
    const store::Precondition unchanged{store::Table::kDecisionLog, std::string(kVerificationKey), std::move(bytes)};
    const store::CommitResult result =
        CommitNow(core, kDecisionLogPartition, {unchanged}, [&](const store::Stamp& stamp) {
          VerificationRow row = found;
          row.reported_at = stamp.time;
          row.wrong_at = row.IsWrong() ? stamp.time : before->wrong_at;
          return store::Change{
              {{store::Table::kDecisionLog, std::string(kVerificationKey), EncodeVerificationRow(row)}},
              PlainEvent(ChangeKind::kVerificationReported, "", {}, caller.identity)};
        });
    return result.outcome;
  });
}

}  // namespace consent::service
