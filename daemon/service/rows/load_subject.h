// Reads what is stored of one subject: its facts and marks from the index or the store, its payload key. Thread-safe;
// all may block.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/domain/types.h"
#include "daemon/service/rows/change_row.h"
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

// The record by which a recording of `subject` is decided: that of the account that it was joined into, if it was, else
// its own; with the orders of all accounts that were joined into it (`beside`), and the marks of the recording in all
// of them. `bytes` of all of them together say whether one has changed since.
struct GroupFacts {
  base::SubjectHandle decided_by;
  std::vector<base::SubjectHandle> accounts;  // whose orders count: the one that it is decided by, then those `beside`
  bool found = false;
  std::string bytes;
  domain::SubjectFacts facts;
  domain::RecordingState marks;
};
absl::StatusOr<GroupFacts> LoadGroup(const Core& core, base::SubjectHandle subject, base::RecordingHandle recording);
// The account that `subject` was joined into, and that one perhaps into another; else itself.
absl::StatusOr<base::SubjectHandle> ResolveAlias(const Core& core, base::SubjectHandle subject);

// Whether the account is joined with others, as far as its own record says.
bool IsJoined(const domain::SubjectFacts& facts);
// The other accounts that are one with `subject`: what it was joined into, and what was joined into that. Empty where
// it is joined with none.
absl::StatusOr<std::vector<base::SubjectHandle>> GroupOf(const Core& core, base::SubjectHandle subject);
// The same with their raw ids. An id is empty where nobody knows it: after a restore, until it is joined once more.
absl::StatusOr<std::vector<std::pair<base::SubjectHandle, std::string>>> JoinedWith(const Core& core,
                                                                                    base::SubjectHandle subject);

// The raw ids of a subject's profiles, devices, guardians and joined accounts; empty where there is no row.
absl::StatusOr<Payload> LoadNames(const Core& core, base::SubjectHandle subject);

// What a subject's payload is sealed with: the share from its row. DataLoss where a subject has a record and no share.
absl::StatusOr<base::Digest> PayloadKeyOf(const Core& core, base::SubjectHandle subject);

}  // namespace consent::service
