// The rows that say how data systems see to it that what has expired goes: one for each, in partition 0 alone, since
// nothing in any partition is decided by them. Layout: store/FORMAT.md. Pure but for reading; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

inline constexpr store::Partition kSweepPartition{0};

// What is promised. Numbers are on disk.
enum class SystemRetentionKind : uint8_t { kNone = 0, kAttested = 1, kSwept = 2 };
struct SystemRetention {
  SystemRetentionKind kind = SystemRetentionKind::kNone;
  std::string attested_by;  // of kAttested: 1 to kMaxAttestedByBytes
  base::Instant attested_until;
  int sweep_days = 0;  // of kSwept: 1 to kMaxSweepDays
  bool operator==(const SystemRetention&) const = default;
};

struct SweepCounts {
  uint64_t asked = 0;  // the five that follow
  uint64_t kept = 0;
  uint64_t held = 0;
  uint64_t purged = 0;
  uint64_t not_found = 0;
  uint64_t failed = 0;
  uint64_t unanswered = 0;
  bool operator==(const SweepCounts&) const = default;
};

// One pass over all that a data system has.
struct Sweep {
  base::Instant started_at;  // unset: there was none
  base::Instant ended_at;
  base::Instant reported_at;
  SweepCounts counts;
  // All of it was answered, and nothing that must go is left.
  bool IsWhole() const { return counts.failed == 0 && counts.unanswered == 0; }
  bool operator==(const Sweep&) const = default;
};

struct SweepRow {
  SystemRetention retention;
  base::Instant retention_set_at;  // unset where nothing is promised
  base::Instant swept_since;       // from when the days of sweeps count where none was whole since
  Sweep last;                      // the one that began last
  base::Instant last_whole_at;     // when the last whole one began
};
std::string EncodeSweepRow(const SweepRow& row);
// False on anything that EncodeSweepRow does not write. Total.
bool DecodeSweepRow(std::string_view bytes, SweepRow* row);
// A system without a row has a default one. May block. STORE_UNREADABLE, INTERNAL. `bytes`: as it is stored; nothing
// where it is not.
absl::StatusOr<SweepRow> LoadSweepRow(const Core& core, domain::SystemNumber system, std::optional<std::string>* bytes);

// Numbers equal those of consent.v1.
enum class RetentionState : uint8_t {
  kUnknown = 0,  // never
  kMissing = 1,
  kKept = 2,
  kAttestationExpired = 3,
  kSweepOverdue = 4,
  kRetired = 5,
};
inline constexpr RetentionState kLastRetentionState = RetentionState::kRetired;

// When what is promised is over: an attestation's end; the days after the last whole sweep began. Unset: nothing is
// promised, or the system is retired.
base::Instant RetentionDue(const SystemRow& system, const SweepRow& row);
// At that moment; a promise is over at its very end. No job has to run for it.
RetentionState RetentionStateOf(const SystemRow& system, const SweepRow& row, base::Instant now);

// The row with another promise, made at `now`. Sweeps go on counting from where they did where sweeps were promised
// before, so that saying it anew puts nothing off.
SweepRow WithRetention(SweepRow row, SystemRetention retention, base::Instant now);
// The row with a report that was taken at `now`. A sweep that ended ahead of it is taken to be as much earlier. An
// older one than the last changes nothing but, where it is whole, since when all is swept.
SweepRow WithSweep(SweepRow row, Sweep sweep, base::Instant now);

}  // namespace consent::service
