// Legal holds: what must be kept although it was to be purged.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consent/approval.h"
#include "consent/deletion.h"
#include "consent/types.h"

namespace consent {

// Every recording of the account.
struct WholeAccount {
  auto operator<=>(const WholeAccount&) const = default;
};

// What a hold covers, and what a task leaves alone: all recordings of the scope that were captured within `captured`.
struct HoldSelector {
  // Recordings: 1 to 1,000, no duplicates. monostate: not said, or the selector says something that this library does
  // not know; the daemon refuses it, and nobody can tell by it what to leave alone.
  std::variant<std::monostate, WholeAccount, ProfileId, DeviceId, std::vector<RecordingId>> scope;
  // Either end may be absent: open, also towards the future. Not with recordings.
  TimeRange captured;
  auto operator<=>(const HoldSelector&) const = default;
};

struct LeaseOut {
  // The data system.
  std::string system;
  std::optional<Time> until;
};

struct Hold {
  HoldId hold_id;
  // As they were given; empty once it is released, when its key is destroyed.
  AccountId account_id;
  HoldSelector selector;
  // Who ordered it, and why.
  std::string authority;
  std::string reason;
  std::optional<Time> placed_at;
  // Absent: in force.
  std::optional<Time> released_at;
  std::string release_authority;
  std::string release_reason;
  // For ReleaseHold.
  Etag etag;
  // While it is in force: leases that were out when it was placed, and whose worker has not said yet that it stopped.
  std::vector<LeaseOut> leases_out;
  // By when it has to be looked at again.
  std::optional<Time> review_at;
  // When somebody last did and said that it goes on, and why; absent and empty: nobody.
  std::optional<Time> reviewed_at;
  std::string review_reason;
  // It is in force and review_at is over, as the daemon says.
  bool past_review = false;
};

struct PlaceHoldOrder {
  AccountId account_id;
  HoldSelector selector;
  // A court, an authority, a matter's number; 1 to 128 bytes. Kept, and shown to auditors. No ids.
  std::string authority;
  // 1 to 256 bytes; no ids.
  std::string reason;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
  // By when somebody has to look whether it is still needed; ahead, by at most 366 days. Absent: 180 days from now.
  std::optional<Time> review_at = std::nullopt;
};

struct HoldPlaced {
  Hold hold;
  // Of the subject, after the change.
  Etag revision;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
};

struct ReleaseHoldOrder {
  HoldId hold_id;
  // That of the hold. The library never fetches one.
  Etag etag;
  // Who lifted it, and why; as in PlaceHoldOrder.
  std::string authority;
  std::string reason;
  // Channel and actor are needed.
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

// Somebody looked at the hold again, and it goes on.
struct ReviewHoldOrder {
  HoldId hold_id;
  // The next time; ahead, by at most 366 days.
  std::optional<Time> review_at;
  // Why it goes on; 1 to 256 bytes; no ids.
  std::string reason;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct HoldReleased {
  // As it is now.
  Hold hold;
  // Set: nothing is released yet, another person has to approve.
  std::optional<Proposal> proposal;
};

struct HoldQuery {
  // Empty: of all subjects.
  AccountId account_id;
  // Those that were released, too.
  bool include_released = false;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
  // Only those in force that are past their review.
  bool past_review = false;
};

// Of one account in the order in which they were placed.
struct HoldPage {
  std::vector<Hold> holds;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
};

}  // namespace consent
