// What becomes of one subject's record. Pure.
#pragma once

#include <optional>

#include "daemon/domain/types.h"

namespace consent::restore {

// What the backup and the journal have of a subject.
struct Known {
  std::optional<domain::SubjectFacts> saved;      // the backup's record
  std::optional<domain::SubjectFacts> journaled;  // the last one that the journal has
  bool loosened = false;      // something that allowed more happened since the backup, and nobody knows what
  base::Instant reopened_at;  // the last time since that it was registered; unset: it was not
  // The last verified closure was cancelled since: what the record had said before it.
  bool closure_cancelled = false;
  base::Instant closed_before;
  base::Instant reopened_before;
};

// The record, or nothing where nothing is known of it but that it was allowed something. It never says yes where the
// journal's or the backup's said no, and is marked (`restored_at` = `at`) where something that allowed more is lost,
// unless it is closed: of a closed account nothing is ever allowed again. Of one that was erased since it is the
// journal's, which has nothing more to tell. Tombstones and holds are the caller's to set: their own rows say them.
std::optional<domain::SubjectFacts> MergeRecord(const Known& known, base::Instant at);

}  // namespace consent::restore
