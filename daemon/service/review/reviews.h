// Review grants: given, opened, redeemed, submitted, renewed. Every use decides again, and what it decided by is a
// precondition of its commit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/media_token.h"
#include "daemon/domain/review.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/registry/known_systems.h"
#include "daemon/service/review/cap_counters.h"
#include "daemon/service/review/grounds.h"
#include "daemon/service/review/media_key.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// One recording that is asked for.
struct LeaseItem {
  base::SubjectHandle subject;
  std::string account_id;  // whose handle it is
  std::string recording_id;
  domain::RecordingFacts facts;
};
struct LeaseOrder {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  std::string reviewer;  // 1..64 bytes
  domain::Selection selection = domain::Selection::kOther;
};

using domain::LeaseRefusal;

// What one recording is answered.
struct LeaseAnswer {
  absl::Status error;  // not OK: it has neither
  LeaseRefusal refusal = LeaseRefusal::kNone;
  domain::ReviewGrant grant;  // where it is not refused
  // What it was decided by.
  std::shared_ptr<const domain::Rules> rules;
  base::Now now;
  store::Sequence head = 0;
  domain::Decision decision;
};

struct OpenedMedia {
  std::string token;
  base::Instant not_after;  // by the wall, for who has no boot clock of ours
  base::Span life;
};
struct RedeemedMedia {
  domain::MediaIds ids;
  std::string site;
};

// By which a tool may call a recording; 32 digits in hexadecimal. A keyed hash of the grant's random id, under a key of
// the month in which it was given.
std::string PseudonymOf(const Core& core, const domain::ReviewGrant& grant);

// Thread-safe. All block: call them on a pool thread. Errors of each beside those named: NOT_SERVING, CONTENTION,
// OVERLOADED, OUTCOME_UNKNOWN, STORE_UNREADABLE, INTERNAL.
class Reviews {
 public:
  Reviews(Core& core, const KnownSystems& systems) : core_(core), systems_(systems), key_(core), caps_(core) {}

  // A grant or a refusal; durable when it is answered. ACCOUNT_JOINED: the account is another one's alias.
  LeaseAnswer Lease(const LeaseOrder& order, const LeaseItem& item, const Caller& caller);
  // Ends a grant whose yes could not be put on record; nobody has heard of it.
  absl::Status TakeBack(const domain::GrantName& name);

  // `audience`: the data system that is to give the bytes out; 1..64 bytes. Of one that cannot call the token is an
  // offline one. GRANT_NOT_FOUND, GRANT_LOST, GRANT_ENDED; SYSTEM_NOT_FOUND: it cannot call and is retired.
  absl::StatusOr<OpenedMedia> Open(const domain::GrantName& name, const std::string& audience, const Caller& caller);
  // `system` redeems; the caller works for it. MEDIA_TOKEN_REFUSED, also of a system that cannot call; GRANT_NOT_FOUND,
  // GRANT_LOST, GRANT_ENDED.
  absl::StatusOr<RedeemedMedia> Redeem(std::string_view token, std::string_view system, const Caller& caller);
  // GRANT_NOT_FOUND, GRANT_LOST, GRANT_ENDED. Where it is refused because the grant does not stand any more, the purge
  // of the draft is durable before (late_draft.h).
  absl::Status Submit(const domain::GrantName& name, const base::Digest& digest, const Caller& caller);
  // Until when it lives, by the wall. GRANT_NOT_FOUND, GRANT_LOST, GRANT_ENDED.
  absl::StatusOr<base::Instant> Renew(const domain::GrantName& name, const Caller& caller);

  absl::StatusOr<base::PublicKey> ReadPublicKey();

 private:
  absl::StatusOr<store::Outcome> TryToLease(const LeaseOrder& order, const LeaseItem& item, const Caller& caller,
                                            GrantPermits& permits, LeaseAnswer* answer);
  // What the rule says once one of each cap is taken, for what is eligible but for its caps.
  absl::StatusOr<domain::Decision> AskCaps(const Grounds& grounds, const GrantRow& row,
                                           const std::vector<domain::Hearing>& hearings, GrantPermits& permits);
  // Reads, decides, lets `step` change a grant that may be used, and commits. `step` answers an error, or false where
  // nothing is to be written; it may be called again.
  // As `step` may answer: the use is refused for good, and is counted.
  absl::Status Refuse(ReviewCounts::Use use, domain::GrantEnd end, const domain::Decision& decision);
  absl::Status RefuseToken(domain::TokenEnd end, const char* why);
  template <typename Step>
  absl::Status Use(const domain::GrantName& name, const Caller& caller, Step step);

  Core& core_;
  const KnownSystems& systems_;
  MediaKey key_;
  CapCounters caps_;
};

}  // namespace consent::service
