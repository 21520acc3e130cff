// The rows of review grants. Layouts: store/FORMAT.md. Pure, but for what says that it reads; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/signature.h"
#include "daemon/domain/review.h"
#include "daemon/domain/types.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// The latest grant of a recording and artefact, with all that a use needs to decide again.
struct GrantRow {
  base::SubjectHandle subject;  // in whose partition it lies
  base::RecordingHandle recording;
  domain::RecordingFacts facts;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  domain::Selection selection = domain::Selection::kOther;
  std::string reviewer;  // 1..64 bytes
  domain::ReviewGrant grant;
  std::string
      sealed;  // SealPayload of account_id and recording_id; empty: a copy under new keys, where no grant is live
};
std::string EncodeGrantRow(const GrantRow& row);
// False on anything that EncodeGrantRow does not write. Total, as all decoders here.
bool DecodeGrantRow(std::string_view bytes, GrantRow* row);

// What somebody was given to hear, of a grant that made way for a later one.
struct HeardRow {
  base::GrantId id;
  base::Instant given_at;
  base::Instant expires_at;
  base::Instant heard_at;
  uint32_t opens = 0;
  uint32_t redeems = 0;
  uint32_t offline_opens = 0;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Region country;
  domain::ReviewerClass reviewer_class = domain::ReviewerClass::kMissing;
  domain::ReviewOutcome outcome = domain::ReviewOutcome::kNone;
};
HeardRow HeardOf(const GrantRow& row);
std::string EncodeHeardRow(const HeardRow& row);
bool DecodeHeardRow(std::string_view bytes, HeardRow* row);

std::string EncodeHearings(const std::vector<domain::Hearing>& hearings);
bool DecodeHearings(std::string_view bytes, std::vector<domain::Hearing>* hearings);

// That reviews were revoked; a grant remembers the number.
struct RevocationRow {
  store::Sequence number = 0;  // of the partition's commit
  base::Instant time;          // of all partitions
  std::string by;              // the caller's name, at most 64 bytes
  std::string reason;          // at most 256 bytes
};
std::string EncodeRevocationRow(const RevocationRow& row);
bool DecodeRevocationRow(std::string_view bytes, RevocationRow* row);

// That media tokens have a key, whose share lies under kMediaKeyShareKey.
struct MediaKeyRow {
  base::PublicKey public_key{};
  base::Instant made_at;
};
std::string EncodeMediaKeyRow(const MediaKeyRow& row);
bool DecodeMediaKeyRow(std::string_view bytes, MediaKeyRow* row);

// Of kReview, by the first byte of their keys.
inline constexpr char kGrants = 'g';       // ‖ DiskKey (16) ‖ DiskHash of the recording (16) ‖ artefact (1)
inline constexpr char kHeard = 'h';        // ‖ DiskKey (16) ‖ number of the commit that made it (8)
inline constexpr char kHearings = 'a';     // ‖ DiskKey (16)
inline constexpr char kGrantsById = 'i';   // ‖ id (16); the key of the grant's row
inline constexpr char kRevocations = 'r';  // ‖ kind (1) ‖ hash of the name (16)
inline constexpr char kMediaKey = 'k';     // in the first partition

// `subject_key` and `recording_key` as of Core.
std::string GrantKey(std::string_view recording_key, domain::Artefact artefact);
// Begin the rows of a subject of one kind.
std::string ReviewRowsOf(char kind, std::string_view subject_key);
std::string HeardKey(std::string_view subject_key, store::Sequence sequence);
std::string HearingsKey(std::string_view subject_key);
std::string GrantIdKey(const base::GrantId& id);
// `name`: empty of kAll, the purpose's number (1) of kPurpose, else the text. Not keyed, as is no tag of a reviewer: a
// copy under new keys has both, and the grants beside them name their reviewers.
std::string RevocationKey(domain::RevocationKind kind, std::string_view name);
base::Bytes16 ReviewerTag(std::string_view reviewer);
inline constexpr std::string_view kMediaKeyKey = "k";
inline constexpr store::Partition kMediaKeyPartition{0};
inline constexpr std::string_view kMediaKeyShareKey = "review-media-key";
// In whose place the name stands where the key is wrapped, as a subject's handle does.
base::SubjectHandle MediaKeyWrapHandle();

// What a stored row was, for preconditions: `bytes` absent: there is none.
template <typename RowT>
struct StoredRow {
  std::optional<std::string> bytes;
  RowT row{};
};
// These read, and may block. STORE_UNREADABLE; INTERNAL: damaged.
absl::StatusOr<StoredRow<GrantRow>> LoadGrant(const Core& core, store::Partition partition, const std::string& key);
absl::StatusOr<StoredRow<std::vector<domain::Hearing>>> LoadHearings(const Core& core, base::SubjectHandle subject);
// The key of the row that the id leads to. GRANT_NOT_FOUND.
absl::StatusOr<std::string> FindGrant(const Core& core, const base::GrantId& id);
absl::Status NoSuchGrant();

}  // namespace consent::service
