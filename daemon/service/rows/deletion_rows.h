// The rows of deletion requests. Layouts: store/FORMAT.md. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/random.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/store/store.h"

namespace consent::service {

// What was asked, with its ids; sealed under a key of the request's own. `selector` is a serialised
// consent.v1.DeletionSelector.
inline constexpr size_t kMaxDeletionPayloadBytes = 256 << 10;  // a thousand ids of 128 bytes, and what surrounds them
struct DeletionPayload {
  std::string account_id;
  std::string selector;
};

// A request and, while it is open, what was asked (sealed).
struct DeletionRow {
  domain::DeletionRequest request;
  std::string sealed;  // empty once the request has ended, and of an open one that needs its ids
};

// Row keys.
std::string DeletionKey(DeletionNumber number);
// Where the request that is open for that selection is found.
std::string OpenDeletionKey(const Core& core, base::SubjectHandle subject, const domain::Selector& selector);
std::string DeletionBySubjectKey(const Core& core, base::SubjectHandle subject, DeletionNumber number);
std::string DeletionShareKey(const base::Keys& keys, DeletionPlace place);
inline std::string DeletionShareKey(const Core& core, DeletionPlace place) {
  return DeletionShareKey(core.keys, place);
}
// The number at the end of a key of kDeletion, kDeletionBySubject or kTask; 0 where it is none.
DeletionNumber NumberOfKey(std::string_view key);

std::string EncodeDeletionRow(const DeletionRow& row);
bool DecodeDeletionRow(std::string_view bytes, DeletionRow* row);

// A subject's list of requests: enough to know what all of them cover without reading each.
struct DeletionBySubjectRow {
  domain::DeletionState state = domain::DeletionState::kReceived;
  std::optional<domain::Tombstone> tombstone;  // what it adds to the record; its state is that of the request
};
// What all requests of the subject but the one numbered `except` (0: none) cover. STORE_UNREADABLE, SUBJECT_FULL,
// INTERNAL for a row that is damaged. Calls named(number) for those that may name single recordings.
absl::StatusOr<domain::TombstoneIntervals> LoadTombstoneIntervals(const Core& core, base::SubjectHandle subject,
                                                                  DeletionNumber except,
                                                                  const std::function<void(DeletionNumber)>& named);
absl::Status TooManyTombstones();
// Lists the request as it is now; as the open one for its selection, where an equal one could be asked for, until it
// has ended.
void ListDeletion(const Core& core, DeletionNumber number, const domain::DeletionRequest& request,
                  std::vector<store::Write>& writes);
// 0: there is none.
absl::StatusOr<DeletionNumber> FindOpenFor(const Core& core, base::SubjectHandle subject,
                                           const domain::Selector& selector);
// The newest closure that is COMPLETED. 0: there is none.
absl::StatusOr<DeletionNumber> FindFinishedClosure(const Core& core, base::SubjectHandle subject);
std::string EncodeDeletionBySubjectRow(const DeletionBySubjectRow& row);
bool DecodeDeletionBySubjectRow(std::string_view bytes, DeletionBySubjectRow* row);
// The same for the same selection of one subject.
base::Bytes16 SelectorDigest(const domain::Selector& selector);

std::string SealDeletion(const base::Digest& key, const DeletionPayload& payload, base::SubjectHandle subject,
                         base::Random& random, base::Digest* commitment);
// STORE_UNREADABLE, INTERNAL. Nothing (NotFound) where the key, whose share lies at `share_key`, is destroyed.
absl::StatusOr<DeletionPayload> OpenSealed(const Core& core, store::Partition partition, const std::string& share_key,
                                           base::SubjectHandle subject, const std::string& sealed);
absl::StatusOr<DeletionPayload> OpenDeletion(const Core& core, DeletionPlace place, const DeletionRow& row);

absl::Status NoSuchDeletion();
// DELETION_NOT_FOUND, STORE_UNREADABLE, INTERNAL.
absl::StatusOr<DeletionRow> LoadDeletion(const Core& core, DeletionPlace place);
// The same with the bytes as they lie there.
absl::StatusOr<DeletionRow> LoadDeletion(const Core& core, DeletionPlace place, std::string* bytes);
// Where the subject's requests lie whose state is wanted, in the order of receipt, and those whose line is damaged:
// only their row can say.
absl::StatusOr<std::vector<DeletionPlace>> ListDeletionsOf(const Core& core, base::SubjectHandle subject,
                                                           const std::function<bool(domain::DeletionState)>& is_wanted);
// The subject's requests that have not ended, in the order of receipt.
absl::StatusOr<std::vector<std::pair<DeletionPlace, domain::DeletionRequest>>> LoadOpenDeletions(
    const Core& core, base::SubjectHandle subject);

}  // namespace consent::service
