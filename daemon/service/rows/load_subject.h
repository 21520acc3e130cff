// Reads what is stored of one subject: its facts and marks from the index or the store, its payload key. Thread-safe;
// all may block.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/domain/types.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// The stored facts of a subject from the index or the store: found says which of "there" and "unknown" it is.
struct StoredFacts {
  bool found = false;
  std::string bytes;  // EncodeFacts
  domain::SubjectFacts facts;
};
// STORE_UNREADABLE, or INTERNAL for a row that cannot be decoded.
absl::StatusOr<StoredFacts> LoadFacts(const Core& core, base::SubjectHandle subject);
absl::StatusOr<domain::RecordingState> LoadMarks(const Core& core, base::SubjectHandle subject,
                                                 base::RecordingHandle recording);

// What a subject's payload is sealed with: the share from its row. DataLoss where a subject has a record and no share.
absl::StatusOr<base::Digest> PayloadKeyOf(const Core& core, base::SubjectHandle subject);

}  // namespace consent::service
