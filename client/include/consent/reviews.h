// Review grants: nobody listens to a recording without a fresh yes. A grant ties one act of listening to one decision;
// it is short, and void the moment that anything restricts its recording, its purpose or its reviewer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/client.h"
#include "consent/clock.h"
#include "consent/export.h"
#include "consent/recording.h"
#include "consent/types.h"

namespace consent {

// The most recordings in one Lease.
inline constexpr size_t kMaxLeases = 10;
// The most ids in one GrantQuery.
inline constexpr size_t kMaxNamedGrants = 100;
// How long a media token lives at most.
inline constexpr std::chrono::seconds kMediaTokenLife{120};
// How long one for a data system that cannot call lives.
inline constexpr std::chrono::seconds kOfflineTokenLife{10};
// The longest media token in bytes of its text.
inline constexpr size_t kMaxMediaTokenBytes = 768;
// The most utterances of a country and hour.
inline constexpr int64_t kMaxUtterances = 1'000'000'000'000;
// An Ed25519 public key.
using MediaKey = std::array<uint8_t, 32>;

// What each further call names a grant by: never the one without the other.
struct GrantName {
  std::string grant_id;
  uint64_t fence = 0;
  bool operator==(const GrantName&) const = default;
};

// What a review tool is given about one recording. Names no account and no recording.
struct ReviewGrant {
  GrantName name;
  // By which the tool may call the recording; no other grant has it.
  std::string pseudonym;
  // What media tokens of this grant open; 32 digits in hexadecimal.
  std::string media_handle;
  // By the daemon's clock, for showing: the daemon alone knows whether the grant stands.
  std::optional<Time> expires_at;
};

struct ReviewOrder {
  Purpose purpose = Purpose::kUnset;
  Place place;
  // Who will listen, by a name that the tool gives; 1 to 64 bytes.
  std::string reviewer;
  Selection selection = Selection::kUnset;
  // 1 to kMaxLeases.
  std::vector<Recording> recordings;
};

// What one recording is answered. A default-constructed one has no grant.
struct LeaseResult {
  std::optional<ReviewGrant> grant;
  // Where there is none: kUnset beside an OK `error` is a refusal that this library does not know.
  GrantRefusal refusal = GrantRefusal::kUnset;
  // Of kNotEligible, most important first.
  std::vector<Reason> reasons;
  // Not OK: the recording could not be asked about.
  absl::Status error;
};

// Whether a recording may be played, in a form that cannot be read as a yes unless it was one. An immutable value;
// thread-safe. A default-constructed one is a no, and so is one for which anything went wrong.
class CONSENT_EXPORT MediaPass {
 public:
  MediaPass() = default;

  // There is no "truth" of a pass: ask MayPlay.
  explicit operator bool() const = delete;
  bool operator!() const = delete;

  // True only if the daemon opened the grant, and for the token's life from the moment of sending at the longest,
  // measured by this machine's CLOCK_BOOTTIME: kMediaTokenLife, or kOfflineTokenLife where the data system cannot call.
  // It is for one play that begins now: open again before the next.
  bool MayPlay() const;
  // What the data system is shown; empty unless MayPlay.
  std::string token() const;
  // Why nothing may be played; OK where the daemon opened the grant, however long ago. GRANT_ENDED says its `cause`.
  const absl::Status& error() const { return error_; }

 private:
  friend class GrpcReviews;

  std::string token_;
  std::shared_ptr<const Clock> clock_;
  std::chrono::nanoseconds fresh_until_{0};
  absl::Status error_ = absl::UnknownError("nothing was opened");
};

// What a listener is done with.
struct Submission {
  // SHA-256 of the grant's id and what was submitted, so that no other result of the recording has it.
  std::array<uint8_t, 32> digest{};
  // What was found, at most 4, none kUnset; each is stored as by ReportRecording, also where the grant is over.
  std::vector<Flag> flags = {};
};

// What a data system gives out for a token that it redeemed, this once.
struct RedeemedMedia {
  AccountId account_id;
  RecordingId recording_id;
  // Never kUnset.
  Artefact artefact = Artefact::kUnset;
  std::string site;
};

// Exactly one is set: `reviewer`, `site` (1 to 64 bytes each), `purpose`, or `all`.
struct RevokeOrder {
  std::string reviewer;
  std::string site;
  Purpose purpose = Purpose::kUnset;
  bool all = false;
  // Why; 1 to 256 bytes, without ids of people.
  std::string reason;
};

struct GrantQuery {
  // kUnset: all.
  GrantState state = GrantState::kUnset;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
  // At most kMaxNamedGrants. Not empty: these alone, former ones that were opened among them, and nothing else is said;
  // those that are nobody's are left out.
  std::vector<std::string> grant_ids;
};

// One grant as an officer is shown it.
struct GrantShown {
  std::string grant_id;
  std::string pseudonym;
  GrantState state = GrantState::kUnset;
  Purpose purpose = Purpose::kUnset;
  Place place;
  std::string reviewer;
  Selection selection = Selection::kUnset;
  std::optional<Time> given_at;
  std::optional<Time> expires_at;
  uint32_t opens = 0;
  uint32_t redeems = 0;
  // Of `opens` those for data systems that cannot call, which redeem nothing.
  uint32_t offline_opens = 0;
  ReviewOutcome outcome = ReviewOutcome::kUnset;
};

struct GrantPage {
  std::vector<GrantShown> grants;
  // Empty: that was all.
  std::string next_page_token;
};

// What of an account somebody was given to hear.
struct Heard {
  std::optional<Time> heard_at;
  Purpose purpose = Purpose::kUnset;
  std::string country;
  ReviewerClass reviewer = ReviewerClass::kUnset;
  ReviewOutcome outcome = ReviewOutcome::kUnset;
};

struct HeardList {
  // At most 1,000, those first heard last, first.
  std::vector<Heard> heard;
  // There were more.
  bool is_cut = false;
};

// How many utterances were recorded in one country.
struct PopulationCount {
  // ISO 3166-1 alpha-2, without subdivision; each once in a report.
  std::string country;
  // 0 to kMaxUtterances.
  int64_t utterances = 0;
};

// What a month's listening came to of what was recorded. A default-constructed one allows nothing.
struct HeardRate {
  struct Measured {
    // Of a million utterances.
    double parts_per_million = 0;
    // The interval that holds the true rate in 95 of 100 such months.
    double low = 0;
    double high = 0;
  };

  Purpose purpose = Purpose::kUnset;
  // Empty: not known.
  std::string country;
  // Grants that were opened.
  int64_t heard = 0;
  // As callers reported so far; 0: nobody did.
  int64_t utterances = 0;
  // By the policy in force; 1,000,000: any number.
  int32_t allowed_parts_per_million = 0;
  // Absent where nobody reported.
  std::optional<Measured> measured;
};

// The calls about reviews, of a client (Client::reviews). Thread-safe. Failures, deadlines and CallOptions are those of
// Client. Submit, End, Revoke, ReportPopulation and the reads are repeated; Lease, Open, Redeem and Renew are not,
// because what the first one did may have been done: after an error take it for not given, not opened, and burned.
class CONSENT_EXPORT Reviews {
 public:
  virtual ~Reviews() = default;

  // NOLINTBEGIN(google-default-arguments): only this interface gives defaults.
  // For a review tool (REVIEW_TOOL). As many results as recordings, in their order. InvalidArgument outside of 1 to
  // kMaxLeases recordings; Internal where the daemon answered more or fewer.
  virtual absl::StatusOr<std::vector<LeaseResult>> Lease(const ReviewOrder& order, const CallOptions& options = {}) = 0;
  // Before each play. `audience`: the data system that is to give the bytes out; 1 to 64 bytes. Never fails: anything
  // that goes wrong is a pass by which nothing may be played.
  virtual MediaPass Open(const GrantName& grant, const std::string& audience, const CallOptions& options = {}) = 0;
  // FailedPrecondition (GRANT_ENDED), Aborted (GRANT_LOST), NotFound (GRANT_NOT_FOUND): what was made of the recording
  // must go, and by the digest the annotation systems find what came too late; the flags are stored all the same. After
  // any other error they may not be: repeat it.
  virtual absl::Status Submit(const GrantName& grant, const Submission& submission,
                              const CallOptions& options = {}) = 0;
  // The first outcome stays; a flag is stored also where the grant is over. Not kUnset or kSubmitted.
  virtual absl::Status End(const GrantName& grant, ReviewOutcome outcome, const CallOptions& options = {}) = 0;
  // Once for each grant. Until when it lives then, by the daemon's clock; absent where that is no time.
  virtual absl::StatusOr<std::optional<Time>> Renew(const GrantName& grant, const CallOptions& options = {}) = 0;

  // For a data system (STORE), before it gives any byte out. Whatever fails: give nothing out.
  virtual absl::StatusOr<RedeemedMedia> Redeem(const std::string& system, const std::string& token,
                                               const CallOptions& options = {}) = 0;

  // For an OFFICER: ends what it names everywhere, since the time that it answers.
  virtual absl::StatusOr<std::optional<Time>> Revoke(const RevokeOrder& order, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<GrantPage> ListGrants(const GrantQuery& query, const CallOptions& options = {}) = 0;
  // For the person (BACKEND), and who answers for her.
  virtual absl::StatusOr<HeardList> ListHeard(const AccountId& account, const CallOptions& options = {}) = 0;

  // For whoever samples, or serves what is recorded (SAMPLER, BACKEND): the rates of the policy's caps are parts of it.
  // `hour`: as in 2026-11-30T07, of UTC, begun within the last 35 days. What is said again of an hour and country takes
  // the place of what this caller said. 1 to 300 `counts`. After an error some may have been taken: repeat it.
  virtual absl::Status ReportPopulation(const std::string& hour, const std::vector<PopulationCount>& counts,
                                        const CallOptions& options = {}) = 0;
  // For an AUDITOR, OFFICER or OPERATOR; by purpose and country. `month`: as in 2026-11, of UTC; empty: the present
  // one.
  virtual absl::StatusOr<std::vector<HeardRate>> ListRates(const std::string& month,
                                                           const CallOptions& options = {}) = 0;

  // For MediaTokenVerifier. Internal where it is no key.
  virtual absl::StatusOr<MediaKey> GetMediaKey(const CallOptions& options = {}) = 0;
  // NOLINTEND(google-default-arguments)
};

}  // namespace consent
