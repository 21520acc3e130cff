// The rows of legal holds. Layouts: store/FORMAT.md. Pure, but for what says that it reads; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"

namespace consent::service {

// Where a hold lies: its partition and the sequence of the commit that placed it.
struct HoldPlace {
  store::Partition partition;
  store::Sequence sequence = 0;
  bool operator==(const HoldPlace&) const = default;
};

// Who ordered it, and why: without ids.
struct LegalBasis {
  std::string authority;
  std::string reason;
};

struct HoldRow {
  base::HoldId id;
  base::SubjectHandle subject;
  domain::HeldPart held;
  LegalBasis placed;
  base::Instant placed_at;
  base::Instant review_at;    // by when it has to be looked at again
  base::Instant reviewed_at;  // when somebody last did; unset: nobody
  std::string review_reason;  // why it goes on, said then
  base::Instant released_at;  // unset: in force
  LegalBasis released;
  base::ProposalId release_proposal;  // whose approval released it; unset: one person did it alone
  store::Sequence changed = 0;        // of its placing, last review or release
  std::string sealed;  // account and selector as they were given, like a deletion's; empty once it is released
  bool InForce() const { return !released_at.IsSet(); }
  // Ends are exclusive: at that very instant it is over.
  bool IsPastReview(base::Instant now) const { return InForce() && review_at <= now; }
};

std::string EncodeHoldRow(const HoldRow& row);
bool DecodeHoldRow(std::string_view bytes, HoldRow* row);

// Row keys: of the hold, and of its line in the subject's list. Both are in kHold.
std::string HoldKey(store::Sequence sequence);
std::string HoldOfKey(const Core& core, base::SubjectHandle subject, store::Sequence sequence);
// How the keys of all lines begin of the subject whose key (Core::SubjectKey) it is.
std::string HoldLinesOf(std::string_view subject_key);
std::string HoldShareKey(const base::Keys& keys, HoldPlace place);
inline std::string HoldShareKey(const Core& core, HoldPlace place) { return HoldShareKey(core.keys, place); }
// A hold's own, not a line of a list.
bool IsHoldKey(std::string_view key);
// The sequence at the end of either; 0 where it is none.
store::Sequence SequenceOfHoldKey(std::string_view key);

absl::Status NoSuchHold();
// HOLD_NOT_FOUND, STORE_UNREADABLE, INTERNAL. These read, and may block.
absl::StatusOr<HoldRow> LoadHold(const Core& core, HoldPlace place, std::string* bytes);

struct HoldInForce {
  HoldPlace place;
  // When it came, by the partition of the subject that was asked about. Of an account that is joined with it, that is
  // when the subject's record was last told of a hold (SubjectFacts::holds_changed): not before it came.
  store::Sequence came = 0;
  HoldRow row;
};

// What an account's reports of SAFETY hold by now (domain::SafetyPeriods): each recording until its own end, which
// comes by time alone.
struct SafetyHold {
  base::SubjectHandle subject;
  store::Sequence came = 0;                       // as of HoldInForce; of the last report
  std::vector<base::RecordingHandle> recordings;  // sorted
  std::vector<base::Instant> until;               // of each of them
  std::vector<SafetyFlagRow> rows;                // of each of them
};

// All that holds back what a request selects.
struct HoldsOfGroup {
  std::vector<HoldInForce> holds;
  std::vector<SafetyHold> safety;  // of accounts that have one
  bool empty() const { return holds.empty() && safety.empty(); }
};
// The subject's own holds that are in force; asks the store only where its record says that there ever was one.
absl::StatusOr<std::vector<HoldInForce>> LoadHoldsInForce(const Core& core, base::SubjectHandle subject,
                                                          const domain::SubjectFacts& facts);
// The same, and those of all accounts that are joined with it: each holds what all of them have. With what reports of
// SAFETY hold.
absl::StatusOr<HoldsOfGroup> LoadHoldsOfGroup(const Core& core, base::SubjectHandle subject,
                                              const domain::SubjectFacts& facts);

// What holds mean for a selection.
struct Overlap {
  bool any = false;
  bool all = false;            // nothing of the selection is left to be purged
  store::Sequence latest = 0;  // placed last
  bool by_law = false;         // a legal hold is among them
  uint32_t safety = 0;         // recordings that reports of SAFETY hold; fewer by time alone
  base::Instant safety_until;  // when the first of these ends; unset: there is none
};
Overlap OverlapOf(const HoldsOfGroup& group, const domain::Selector& selector);
// Between two looks at what only time ends: a policy that is activated meanwhile may end it earlier.
inline constexpr base::Span kSafetyPause = base::Seconds(600);
// How long to wait before looking again at what is held until then.
base::Span SafetyPause(const Core& core, base::Instant until);

}  // namespace consent::service
