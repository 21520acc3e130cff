// The rows of proposals: loosenings that one person proposed, and that another one may approve. Layouts:
// store/FORMAT.md. Pure, but for what says that it reads; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/random_id.h"
#include "daemon/base/time.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/person.h"
#include "daemon/store/store.h"

namespace consent::service {

// Numbers equal those of consent.v1.ProposedAct and are on disk.
enum class ProposedAct : uint8_t { kNone = 0, kResume = 1, kReleaseHold = 2, kActivatePolicy = 3 };
// Numbers equal those of consent.v1.ProposalState and are on disk; kExpired is computed, and stored
// only where somebody came too late.
enum class ProposalState : uint8_t {
  kNone = 0,
  kOpen = 1,
  kApproved = 2,  // and not known to be carried out: whoever approved it does so again
  kDone = 3,
  kFailed = 4,  // approved, and could not be carried out: what it rested on had changed
  kWithdrawn = 5,
  kExpired = 6,
};
inline bool HasEnded(ProposalState state) { return state > ProposalState::kApproved; }

inline constexpr store::Partition kProposalPartition{0};
inline constexpr size_t kMaxOpenProposals = 64;
// Those that have ended included; the one that ended first makes way.
inline constexpr size_t kMaxProposals = 1'024;
// Of a request that is proposed: what a commit has room for beside the rest.
inline constexpr size_t kMaxProposedBytes = 960 << 10;
inline constexpr size_t kMaxSummaryBytes = 16 << 10;
inline constexpr size_t kMaxBasisBytes = 64;
inline constexpr size_t kMaxOutcomeBytes = 64;

// Who, and what it is about. Sealed under the proposal's own key.
struct ProposalNames {
  Person proposer;
  Person decider;       // who approved or withdrew it; kUnknown: nobody yet
  std::string summary;  // serialised consent.v1.Proposal with what lists show of the request
  std::string outcome;  // of kFailed: the reason of the error, as the contract names it
  bool operator==(const ProposalNames&) const = default;
};

struct ProposalRow {
  base::ProposalId id;
  ProposedAct act = ProposedAct::kNone;
  ProposalState state = ProposalState::kNone;  // as stored; see StateAt
  base::Instant proposed_at;
  base::Instant expires_at;
  base::Instant decided_at;  // approved or withdrawn; unset: not yet
  base::Digest request{};    // SHA-256 of the act and the request's bytes: the same one proposed again is this one
  // What it rests on beside what the request says; of kActivatePolicy the policy that it would follow.
  std::string basis;
  std::string sealed;  // of ProposalNames

  // An open one has ended at its very end. One that was approved before does not.
  ProposalState StateAt(base::Instant now) const {
    return state == ProposalState::kOpen && expires_at <= now ? ProposalState::kExpired : state;
  }
};

std::string EncodeProposal(const ProposalRow& row);
// False on anything that EncodeProposal does not write. Total.
bool DecodeProposal(std::string_view bytes, ProposalRow* row);
std::string EncodeProposalNames(const ProposalNames& names);
bool DecodeProposalNames(std::string_view bytes, ProposalNames* names);

// Keys within kProposal: of the row, and of the request's sealed bytes, which go when the proposal ends.
std::string ProposalKey(const base::ProposalId& id);
std::string ProposedRequestKey(const base::ProposalId& id);
bool IsProposalKey(std::string_view key);
// The row that every new proposal changes: it bounds how many there are. Sequence (8) of the latest.
inline constexpr std::string_view kProposalsVersionKey = "version";
std::string ProposalShareKey(const base::Keys& keys, const base::ProposalId& id);
// In whose place the proposal stands where its key is wrapped, as a subject's is.
base::SubjectHandle WrapHandleOf(const base::ProposalId& id);

// Under the key of a new proposal, or of `id`'s. INTERNAL, STORE_UNREADABLE; the latter reads, and may block.
std::string SealProposalNames(const base::Digest& key, const ProposalNames& names, const base::ProposalId& id,
                              base::Random& random);
absl::StatusOr<base::Digest> ProposalKeyOf(const Core& core, const base::ProposalId& id);
base::PayloadKey NewProposalKey(const Core& core, const base::ProposalId& id);
absl::StatusOr<ProposalNames> OpenProposalNames(const base::Digest& key, const ProposalRow& row);

absl::Status NoSuchProposal();
// The row and its bytes. PROPOSAL_NOT_FOUND, STORE_UNREADABLE, INTERNAL. May block.
absl::StatusOr<ProposalRow> LoadProposal(const Core& core, const base::ProposalId& id, std::string* bytes);
// All, the newest first. May block. STORE_UNREADABLE, INTERNAL.
absl::StatusOr<std::vector<ProposalRow>> LoadProposals(const Core& core);
// The request as it was proposed. May block. STORE_UNREADABLE, INTERNAL.
absl::StatusOr<std::string> LoadProposedRequest(const Core& core, const base::Digest& key, const base::ProposalId& id);

}  // namespace consent::service
