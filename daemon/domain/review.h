// The life of a review grant: one act of listening to one recording, tied to one decision. Pure. Nothing ends a grant
// by a job or a timer: how it stands is computed at every use from the numbers under which it was given and from its
// times.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/random_id.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"

namespace consent::domain {

inline constexpr Span kGrantLife = base::Seconds(30 * 60);
inline constexpr Span kMediaTokenLife = base::Seconds(120);
// Of a data system that cannot call, which nothing takes a token back from.
inline constexpr Span kOfflineTokenLife = base::Seconds(10);
// So long nobody is given a second recording of one account.
inline constexpr int32_t kDaysBetweenHearings = 30;
// Reviewers of one account within those days; further ones wait.
inline constexpr size_t kMaxHearings = 256;

// What reviews can be revoked by. Numbers are on disk.
enum class RevocationKind : uint8_t { kAll = 0, kPurpose = 1, kSite = 2, kReviewer = 3 };
inline constexpr size_t kRevocationKinds = 4;

// What restricts a grant, counted up by everything that restricts it. A grant stands while all of them are as they were
// when it was given.
struct ReviewNumbers {
  uint64_t subject = 0;      // sums SubjectFacts::restricted of the accounts whose orders count
  uint64_t accounts = 0;     // how many these are
  Instant policy;            // when the policy in force in the grant's partition was activated
  uint64_t suspensions = 0;  // the partition's latest change of a suspension
  std::array<uint64_t, kRevocationKinds> revocations{};  // the latest of each kind that names the grant, by kind
  bool operator==(const ReviewNumbers&) const = default;
};

// What came of a review. Numbers up to kSkipped equal those of consent.v1.ReviewOutcome; all are on disk.
enum class ReviewOutcome : uint8_t {
  kNone = 0,  // it is not over by anybody's word
  kSubmitted = 1,
  kCriticalData = 2,
  kSafety = 3,
  kChild = 4,
  kAccidental = 5,
  kInaudible = 6,
  kSkipped = 7,
  kNotRecorded = 8,  // the yes could not be put on record, so nobody was told of it
};
// Bits of Flags that the outcome stores; 0: none.
uint8_t FlagsOf(ReviewOutcome outcome);

// Numbers equal those of consent.v1.GrantState.
enum class GrantState : uint8_t {
  kNone = 0,  // none was ever given
  kLive = 1,
  kSubmitted = 2,
  kEnded = 3,
  kExpired = 4,
  kRestricted = 5,
};

// Why a use is refused. Numbers from kSubmitted to kRenewedBefore equal those of consent.v1.GrantEnd.
enum class GrantEnd : uint8_t {
  kNone = 0,  // it is not refused
  kSubmitted = 1,
  kEnded = 2,
  kExpired = 3,
  kSubjectChanged = 4,
  kPolicyChanged = 5,
  kSuspensionsChanged = 6,
  kRevoked = 7,
  kNotEligible = 8,
  kRenewedBefore = 9,
  kOtherGrant = 10,  // the id or the fence is another grant's
};

// Why a recording gets no grant. Numbers equal those of consent.v1.GrantRefusal.
enum class LeaseRefusal : uint8_t {
  kNone = 0,
  kNotEligible = 1,
  kGranted = 2,
  kHeardRecently = 3,
  kHeardOften = 4,
};

// Why a token is refused that is signed and is for its redeemer.
enum class TokenEnd : uint8_t {
  kNone = 0,
  kOver = 1,
  kReplaced = 2,  // a later one was given, or none is open
  kRedeemed = 3,
};

// The latest grant of one recording and artefact, over or not: there is one of these, so there are never two live.
// A default-constructed one: none was ever given.
struct ReviewGrant {
  base::GrantId id;
  uint64_t fence = 0;  // counts up with each grant
  ReviewNumbers numbers;
  Instant given_at;      // by the wall, for showing
  Instant expires_at;    // likewise
  base::BootTime until;  // what counts
  bool renewed = false;
  Instant opened_at;  // first, by the wall; unset: never
  uint32_t opens = 0;
  uint32_t redeems = 0;
  uint32_t offline_opens = 0;  // of `opens` those for a data system that cannot call, which redeems nothing
  base::Bytes16 media{};       // by which tokens name what they open
  base::Bytes16 token{};       // of the latest token; zero: none was given
  bool token_is_burned = false;
  base::BootTime token_until;
  ReviewOutcome outcome = ReviewOutcome::kNone;
  base::Digest digest{};        // where the outcome is kSubmitted
  bool draft_was_late = false;  // what was submitted came too late and is to be purged: it is over for good
  bool operator==(const ReviewGrant&) const = default;
};

// What is known at the time of a use.
struct GrantStanding {
  ReviewNumbers numbers;
  bool is_over = true;       // ReviewGrant::until has passed
  bool is_eligible = false;  // by the rule, now
};

// Without the rule: what a listing shows.
GrantState StateOf(const ReviewGrant& grant, const ReviewNumbers& numbers, bool is_over);

// Which grant a caller means.
struct GrantName {
  base::GrantId id;
  uint64_t fence = 0;
};
// kNone or kOtherGrant.
GrantEnd Meant(const ReviewGrant& grant, const GrantName& name);
// Whether the grant may be used: that it is the one that is meant, live, and eligible. What every use asks first.
GrantEnd MayUse(const ReviewGrant& grant, const GrantName& name, const GrantStanding& standing);

// What a new grant is made of; the caller draws its random parts.
struct NewGrant {
  base::GrantId id;
  base::Bytes16 media{};
  Instant now;           // by the wall
  base::BootTime until;  // kGrantLife ahead
  ReviewNumbers numbers;
};
// Follows `before`, which must not be live.
ReviewGrant GiveGrant(const ReviewGrant& before, const NewGrant& grant);

struct NewToken {
  base::Bytes16 nonce{};  // drawn at random
  base::BootTime until;
  bool is_offline = false;
};
// Of a grant that may be used. The token replaces the one before, which only an offline one survives.
void OpenMedia(Instant now, const NewToken& token, ReviewGrant* grant);
// Of a grant that may be used: burns the token, once.
TokenEnd RedeemToken(const base::Bytes16& token, bool token_is_over, ReviewGrant* grant);
// Begins its life anew, once; else kRenewedBefore, and nothing changes.
GrantEnd RenewGrant(Instant now, const base::BootTime& until, ReviewGrant* grant);
// Whether the very submission was taken before: then it is answered as it was.
bool IsSubmitted(const ReviewGrant& grant, const GrantName& name, const base::Digest& digest);
// Whether a submission that is refused so leaves a draft which nobody may keep: the grant is the one that is meant, and
// nothing was said of it before.
bool LeavesDraft(GrantEnd end);
void SubmitGrant(const base::Digest& digest, ReviewGrant* grant);
// The first word about a grant stays; later ones change nothing.
void EndGrant(ReviewOutcome outcome, ReviewGrant* grant);

// Who was given a recording of an account, and when: by a tag of the reviewer alone.
struct Hearing {
  base::Bytes16 reviewer{};
  base::Date day;
  bool operator==(const Hearing&) const = default;
};
enum class MayHear : uint8_t { kYes = 0, kRecently = 1, kOften = 2 };
// `today` by the earlier clock. A hearing of a later day than `today` counts as one of today.
MayHear CheckHearing(const std::vector<Hearing>& hearings, const base::Bytes16& reviewer, base::Date today);
// How many of them are near enough to count.
uint64_t CountHearings(const std::vector<Hearing>& hearings, base::Date today);
// Adds one that may be, and drops those of which the days are over.
void NoteHearing(const base::Bytes16& reviewer, base::Date today, std::vector<Hearing>* hearings);

}  // namespace consent::domain
