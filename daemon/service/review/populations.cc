#include "daemon/service/review/populations.h"

#include <optional>
#include <string>

#include "daemon/base/month.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using store::Table;

absl::Status ReportCountry(Core& core, uint32_t hour, domain::Region country, uint64_t utterances,
                           const Caller& caller) {
  const PopulationOf of{country, base::Month::Of(base::Instant{base::Hours(hour).micros})};
  const store::Partition partition = PopulationPartition(country, core.store.partition_count());
  const std::string key = PopulationKey(of, caller.identity);
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    absl::StatusOr<std::string> bytes = core.store.Get(partition, Table::kReview, key);
    if (!bytes.ok() && !absl::IsNotFound(bytes.status())) return StoreUnreadable();
    HourCounts hours;
    if (bytes.ok() && !DecodePopulation(*bytes, &hours)) return DamagedRow("a report of a population");
    std::optional<std::string> expected;
    if (bytes.ok()) expected = *std::move(bytes);
    const auto [at, is_new] = hours.emplace(hour, utterances);
    if (!is_new && at->second == utterances) return store::Outcome::kCommitted;
    at->second = utterances;
    absl::StatusOr<std::vector<store::Write>> writes = std::vector<store::Write>();
    if (!expected.has_value()) writes = DropOldCounts(core, partition, kPopulations, of.month);
    if (!writes.ok()) return writes.status();
    writes->push_back({Table::kReview, key, EncodePopulation(hours)});
    return CommitNow(core, partition, {{Table::kReview, key, std::move(expected)}},
                     [&](const store::Stamp&) {
                       return store::Change{
                           *writes, PlainEvent(ChangeKind::kReviewChanged, core.policies.in_force().rules->version, {},
                                               caller.identity)};
                     })
        .outcome;
  });
}

}  // namespace

absl::Status ReportPopulation(Core& core, const PopulationReport& report, const Caller& caller) {
  if (!core.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  for (const auto& [country, utterances] : report.counts) {
    absl::Status reported = ReportCountry(core, report.hour, country, utterances, caller);
    if (!reported.ok()) return reported;
  }
  return absl::OkStatus();
}

}  // namespace consent::service
