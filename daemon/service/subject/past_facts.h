// What was stored of a subject at a past time, out of its history: the facts of the last change before it, and the
// flags of one recording. What history does not tell any more is said, never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/types.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Why something cannot be told. Numbers equal those of consent.v1.Untold.
enum class Untold : uint8_t {
  kNone = 0,
  kHistoryErased = 1,   // the account was closed since and is forgotten, or its older history is no longer kept
  kTooManyChanges = 2,  // more than kMaxChangesBack have come since
  kManyDeletions = 3,   // there were more deletions of times than a record holds, and the subject has changed since
  kFlags = 4,           // the recording has flags that may have been reported later
  kNoPolicy = 5,        // no policy was in force
  kRequests = 6,        // more deletion requests than are looked through: what they order of a single recording
  kUnknownRecord = 7,   // no subject, revision or policy of this store is what the record names
};

// Changes that are looked through, backwards.
inline constexpr size_t kMaxChangesBack = 10'000;

struct PastFacts {
  Untold untold = Untold::kNone;  // all below is unset where it is set
  bool found = false;             // false: nothing was stored of the subject at that time
  domain::SubjectFacts facts;
  base::Instant changed_at;  // when `facts.revision` was written
  uint8_t flags_since = 0;   // flags that were reported since, of any recording of the subject
};

// As of the end of `at`. May block. STORE_UNREADABLE, INTERNAL.
absl::StatusOr<PastFacts> FactsAt(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& now,
                                  base::Instant at);
// What decided a recording of an account at a time: the record of what it had been joined into by then, else its own,
// and the orders of all that had been joined into that one.
struct PastGroup {
  std::vector<base::SubjectHandle> accounts;  // the one that decides first; not empty
  std::vector<PastFacts> past;                // of each; the first one's facts have the others' `beside`
};
// As of the end of `at`. Where what decides cannot be told, the first says why. May block. STORE_UNREADABLE, INTERNAL.
absl::StatusOr<PastGroup> GroupAt(const Core& core, base::SubjectHandle subject, base::Instant at);
// As of the change at `revision`, which must be the subject's.
absl::StatusOr<PastFacts> FactsOfRevision(const Core& core, base::SubjectHandle subject,
                                          const domain::SubjectFacts& now, uint64_t revision);

}  // namespace consent::service
