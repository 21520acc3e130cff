// The rows of deletion requests, of the tasks that they make, and of data systems. Layouts: README.md. Pure; thread-safe.
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
#include "daemon/service/state/context.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/store/store.h"

namespace consent::service {

// What was asked, with its ids; sealed under a key of the request's own. `selector` is a serialised consent.v1.DeletionSelector.
inline constexpr size_t kMaxDeletionPayloadBytes = 256 << 10;  // a thousand ids of 128 bytes, and what surrounds them
struct DeletionPayload {
  std::string account_id;
  std::string selector;
};

// A request and, while it is open, what was asked (sealed).
struct DeletionRow {
  domain::DeletionRequest request;
  std::string sealed;  // empty once the request has ended
};

// Row keys.
std::string DeletionKey(DeletionNumber number);
// Where the request that is open for that selection is found.
std::string DeletionSameKey(const Context& context, base::SubjectHandle subject, const domain::Selector& selector);
std::string DeletionOfKey(const Context& context, base::SubjectHandle subject, DeletionNumber number);
std::string DeletionShareKey(const Context& context, DeletionPlace place);
std::string TaskKey(domain::SystemNumber system, DeletionNumber number);
std::string SystemKey(domain::SystemNumber system);
// The registry's version of a partition: every commit that makes tasks has it for a precondition.
inline constexpr std::string_view kSystemsVersionKey = "version";
// The number at the end of a key of kDeletion, kDeletionOf or kTask; 0 where it is none.
DeletionNumber NumberOfKey(std::string_view key);

std::string EncodeDeletionRow(const DeletionRow& row);
bool DecodeDeletionRow(std::string_view bytes, DeletionRow* row);

// A subject's list of requests: enough to know what all of them cover without reading each.
struct DeletionOfRow {
  domain::RequestState state = domain::RequestState::kReceived;
  std::optional<domain::Tombstone> tombstone;  // what it adds to the record; its state is that of the request
};
// What all requests of the subject but the one numbered `except` (0: none) cover. STORE_UNREADABLE, SUBJECT_FULL, INTERNAL for a row that is
// damaged. Calls named(number) for those that may name single recordings.
absl::StatusOr<domain::Cover> LoadCover(const Context& context, base::SubjectHandle subject, DeletionNumber except,
                                        const std::function<void(DeletionNumber)>& named);
absl::Status TooManyTombstones();
// Lists the request as it is now; as the open one for its selection, where an equal one could be asked for, until it has ended.
void ListDeletion(const Context& context, DeletionNumber number, const domain::DeletionRequest& request, std::vector<store::Write>& writes);
// 0: there is none.
absl::StatusOr<DeletionNumber> FindOpenFor(const Context& context, base::SubjectHandle subject, const domain::Selector& selector);
// The newest closure that is COMPLETED. 0: there is none.
absl::StatusOr<DeletionNumber> FindFinishedClosure(const Context& context, base::SubjectHandle subject);
std::string EncodeDeletionOfRow(const DeletionOfRow& row);
bool DecodeDeletionOfRow(std::string_view bytes, DeletionOfRow* row);
// The same for the same selection of one subject.
base::Bytes16 SelectorDigest(const domain::Selector& selector);

// Why a task that was reported, or begun, is to be done again. Numbers equal those of consent.v1.TaskAgain and are on disk.
enum class Again : uint8_t {
  kNo = 0,
  kLateData = 1,      // for what arrived since the report before
  kHoldReleased = 2,  // for all that is selected: some of it was on hold
  kTakenBack = 3,     // for all that is selected: a hold took back the lease under which it was being done
};

// A task that has not ended.
struct TaskRow {
  uint64_t epoch = 0;          // of the latest lease; 0: never leased
  uint32_t failures = 0;
  uint64_t failed_epoch = 0;   // of the lease that was given back last
  bool leased_before = false;  // a lease ended without a report of its end, so it may have erased
  // The lease or the pause after a failure that it waits for, by the boot clock: as long as it was meant, whatever the wall does. Of no
  // boot: it waits for nothing but not_before.
  base::BootTime waits_until;
  base::Instant not_before;    // when it may be handed out, as far as the wall tells; unset: at once
  base::Instant leased_until;  // for showing; unset: not leased
  uint64_t holds_seen = 0;     // SubjectFacts::holds_changed at the latest lease
  bool has_exceptions = false;     // the latest lease left something on hold alone
  bool waits_for_release = false;  // what is left of it is on hold, as far as `holds_seen` tells
  std::string last_error;
  // What was reported before, where the task is to be done again: for late data, or for what was on hold.
  domain::PurgeOutcome first_outcome = domain::PurgeOutcome::kOpen;  // kOpen: nothing yet
  uint64_t first_epoch = 0;
  Again again = Again::kNo;
  base::Instant looked_at;  // of the report before
  // Of all reports of what was erased, those of runs that were not finished included; the evidence is the latest.
  uint64_t erased_count = 0;
  base::Digest evidence{};
  uint64_t partial_epoch = 0;  // of the latest lease of which a run that was not finished is counted in `erased_count`
  // The lease that a hold took back, while its worker may not know it yet.
  uint64_t out_epoch = 0;
  base::Instant out_until;  // unset: there is none, or its worker has reported
  uint64_t out_holds_seen = 0;
  bool IsAgain() const { return first_outcome != domain::PurgeOutcome::kOpen; }
};
std::string EncodeTaskRow(const TaskRow& row);
bool DecodeTaskRow(std::string_view bytes, TaskRow* row);

// Numbers equal those of consent.v1 and are on disk.
struct SystemRow {
  domain::SystemNumber number = 0;
  std::string name;
  uint8_t kind = 0;
  uint8_t matches_by = 0;  // bit (number - 1)
  base::Span latest_arrival;
  bool checks_on_ingest = false;
  base::Instant registered_at;
  base::Instant retired_at;  // unset: active
  std::string retired_reason;
  bool IsActive() const { return !retired_at.IsSet(); }
};
std::string EncodeSystemRow(const SystemRow& row);
bool DecodeSystemRow(std::string_view bytes, SystemRow* row);

std::string SealDeletion(const base::Digest& key, const DeletionPayload& payload, base::SubjectHandle subject, base::Random& random,
                         base::Digest* commitment);
// STORE_UNREADABLE, INTERNAL. Nothing (NotFound) where the key, whose share lies at `share_key`, is destroyed.
absl::StatusOr<DeletionPayload> OpenSealed(const Context& context, store::Partition partition, const std::string& share_key,
                                           base::SubjectHandle subject, const std::string& sealed);
absl::StatusOr<DeletionPayload> OpenDeletion(const Context& context, DeletionPlace place, const DeletionRow& row);

// DELETION_NOT_FOUND, STORE_UNREADABLE, INTERNAL.
absl::StatusOr<DeletionRow> LoadDeletion(const Context& context, DeletionPlace place);
// The same with the bytes as they lie there.
absl::StatusOr<DeletionRow> LoadDeletion(const Context& context, DeletionPlace place, std::string* bytes);
// Where the subject's requests lie whose state is wanted, in the order of receipt, and those whose line is damaged: only their row can say.
absl::StatusOr<std::vector<DeletionPlace>> ListDeletionsOf(const Context& context, base::SubjectHandle subject,
                                                           const std::function<bool(domain::RequestState)>& is_wanted);
// The subject's requests that have not ended, in the order of receipt.
absl::StatusOr<std::vector<std::pair<DeletionPlace, domain::DeletionRequest>>> LoadOpenDeletions(const Context& context,
                                                                                                base::SubjectHandle subject);

}  // namespace consent::service
