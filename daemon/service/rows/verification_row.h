// What the last verification of the decision log found, for metrics. Layout: store/FORMAT.md. Pure, but for what says
// that it reads; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/time.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/store/store.h"

namespace consent::service {

// Counts are at most kMaxVerified each.
inline constexpr uint64_t kMaxVerified = 1'000'000'000'000'000;
struct VerificationRow {
  base::Instant reported_at;  // unset: nobody has verified yet
  uint64_t records = 0;
  uint64_t confirmed = 0;
  uint64_t late = 0;  // given after a change that stood before them
  uint64_t not_checkable = 0;
  uint64_t not_given = 0;     // that the rule does not give, or of which nobody knows
  uint64_t log_problems = 0;  // gaps, changed and unreadable records
  base::Instant wrong_at;     // of the last report, this one or an earlier, that was wrong; unset:
                              // none was

  uint64_t yeses() const { return confirmed + late + not_checkable + not_given; }
  bool IsWrong() const { return late != 0 || not_given != 0 || log_problems != 0; }
  bool operator==(const VerificationRow&) const = default;
};

// In kDecisionLogPartition, table kDecisionLog.
inline constexpr std::string_view kVerificationKey = "verification";

std::string EncodeVerificationRow(const VerificationRow& row);
// False on anything that EncodeVerificationRow does not write. Total.
bool DecodeVerificationRow(std::string_view bytes, VerificationRow* row);

// What the store knows; a default-constructed row where it has none. Puts the row's bytes into `*bytes`, which are
// nothing where it has none. STORE_UNREADABLE; INTERNAL: damaged. May block.
absl::StatusOr<VerificationRow> ReadVerificationRow(const store::Store& store,
                                                    std::optional<std::string>* bytes = nullptr);

}  // namespace consent::service
