// How many review grants a policy allows at most (E11), and which of these caps have no room for one more. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/base/time.h"
#include "daemon/domain/types.h"

namespace consent::domain {

inline constexpr uint32_t kWholePopulation = 1'000'000;  // in parts per million

// What a cap is of. Numbers are on disk.
enum class CapKind : uint8_t {
  kRate = 0,       // purpose, region and month, in parts of the region's population of utterances
  kDay = 1,        // purpose and day
  kSelection = 2,  // purpose, selection and day
  kSite = 3,       // site and day
  kReviewer = 4,   // reviewer and shift
  kAccount = 5,    // account, within kDaysBetweenHearings days
};
inline constexpr size_t kCapKinds = 6;

// The rate of one region.
struct ReviewRate {
  Region country;                  // unset: every region that no other rate names
  uint32_t parts_per_million = 0;  // kWholePopulation: any number, whatever the population
  bool operator==(const ReviewRate&) const = default;
};

// The caps of one purpose. A default-constructed one allows nothing.
struct ReviewCaps {
  Purpose purpose = Purpose::kNone;
  std::vector<ReviewRate> rates;  // a region without a rate is granted nothing
  uint64_t per_day = 0;
  std::array<uint64_t, kSelections> per_selection_day{};  // by Selection less 1
  uint64_t per_site_day = 0;
  uint64_t per_reviewer_shift = 0;
  uint64_t per_account = 0;
  bool operator==(const ReviewCaps&) const = default;
};

// What was granted before, of each cap for which one more grant would count.
struct GrantCounts {
  Selection selection = Selection::kOther;
  uint64_t population = 0;                  // of RateRegion in the month; 0: nobody reported any
  std::array<uint64_t, kCapKinds> given{};  // by CapKind
};

// In which country's population a recording counts: where it was captured, else where the subject lives. Unset where
// neither is known. `subject` nullptr: unknown.
Region RateRegion(const SubjectFacts* subject, const RecordingFacts& recording);

// The country's own rate, else that of every other one; 0: none.
uint32_t PartsPerMillion(const ReviewCaps& caps, Region country);

// How many grants of that kind the caps allow in all. `country` and the counts' population are of kRate alone, the
// counts' selection of kSelection.
uint64_t LimitOf(const ReviewCaps& caps, CapKind kind, Region country, const GrantCounts& counts);

// Whether some cap has no room for one more grant.
bool IsCapSpent(const ReviewCaps& caps, Region country, const GrantCounts& counts);

// What one cap has counted since its window began: a month or a day of UTC, or a reviewer's shift.
struct CapCounter {
  Instant since;  // unset: nothing was counted
  uint64_t given = 0;
  bool operator==(const CapCounter&) const = default;
};
inline constexpr Span kShift = base::Hours(12);

// As it stands at `now`: what was counted in an earlier window counts no more. A clock that went back stays in the
// later window. `kind` is not kAccount.
CapCounter CounterAt(CapKind kind, const CapCounter& counter, Instant now);

// How many grants are reserved at once where there is `room` for so many more, which is not 0: few enough that a crash
// loses little, one near the cap. At most 64.
uint64_t BlockOf(uint64_t room);

}  // namespace consent::domain
