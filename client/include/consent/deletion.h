// Requests to delete recordings, from receipt until every data system has said how it ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consent/appeal.h"
#include "consent/types.h"

namespace consent {

// Only moves forward.
enum class DeletionState : uint8_t {
  kUnset = 0,
  kReceived = 1,
  kVerifying = 2,
  kAccepted = 3,
  kInProgress = 4,
  kCompleted = 5,
  kDenied = 6,
  kCancelled = 7,
};
// How a data system's part ended; kUnset: it has not.
enum class PurgeOutcome : uint8_t {
  kUnset = 0,
  kAcknowledged = 1,
  kNotFound = 2,
  kExempt = 3,
  kExcludedFromNextBuild = 4,
  kErasedBeforeHold = 5,
};
// On which ground a data system keeps something: GDPR, Article 17(3); CCPA, 1798.105(d). kUnset: not said, or not known
// here.
enum class ExemptReason : uint8_t {
  kUnset = 0,
  kExpression = 1,
  kLegalObligation = 2,
  kPublicHealth = 3,
  kArchivingResearch = 4,
  kLegalClaims = 5,
  kTransaction = 6,
  kSecurity = 7,
  kDebugging = 8,
  kInternalUses = 9,
  // The daemon's own; no report may say them.
  kSystemRetired = 10,
  kAllowedAgain = 11,
};
// Why there is a request.
enum class DeletionCause : uint8_t {
  kUnset = 0,
  // Somebody asked.
  kRequested = 1,
  // A purpose that was allowed is not any more: its copies must go.
  kWithdrawal = 2,
  // DO_NOT_SAVE or a shorter retention was chosen: what is older must go.
  kRetention = 3,
  // A review was submitted under a grant that did not stand any more: that draft must go.
  kLateDraft = 4,
};
// How the user was told that a request was received.
enum class ReceiptChannel : uint8_t { kUnset = 0, kEmail = 1, kLetter = 2, kInApp = 3, kPhone = 4, kOther = 5 };
// How far it is known that who asks may ask. kUnset counts as kPending.
enum class Verification : uint8_t { kUnset = 0, kPending = 1, kUnderWay = 2, kVerified = 3 };

// Times of capture; both ends belong to it. `from` absent: from the beginning.
struct TimeRange {
  std::optional<Time> from;
  std::optional<Time> to;
  auto operator<=>(const TimeRange&) const = default;
};

// All that was captured until receipt.
struct Everything {
  auto operator<=>(const Everything&) const = default;
};

// From the first instant of the day on which it was said until receipt.
struct SpokenDay {
  std::optional<Time> spoken_at;
  // IANA name such as "Europe/Bucharest".
  std::string time_zone;
  auto operator<=>(const SpokenDay&) const = default;
};

// What was made of recordings for some purposes: transcripts, review copies, annotations, features, items of data sets.
// Not the audio itself.
struct PurposeCopies {
  // 1 to 7, no duplicates.
  std::vector<Purpose> purposes;
  // Empty: of the whole account.
  Scope scope;
  auto operator<=>(const PurposeCopies&) const = default;
};

// What was learnt to know a speaker's voice by.
struct VoiceIdOf {
  ProfileId profile;
  auto operator<=>(const VoiceIdOf&) const = default;
};

// The account is closed once the request is verified: everything goes, whenever it was captured.
struct AccountClosure {
  auto operator<=>(const AccountClosure&) const = default;
};

// One result of a review that was submitted too late; nothing else of the recording. The daemon's own: no request may
// name it.
struct Draft {
  RecordingId recording;
  // SHA-256 as it was submitted; 32 bytes.
  std::string digest;
  auto operator<=>(const Draft&) const = default;
};

// The most recordings in one selector.
inline constexpr size_t kMaxDeletedRecordings = 1000;

// What is to be deleted. Recordings: 1 to 1,000, no duplicates. A profile or device: all of it that was captured until
// receipt. monostate: not said, or said in a way that this library does not know in full; the daemon refuses it, and
// nobody may delete by it.
using DeletionSelector = std::variant<std::monostate, Everything, TimeRange, SpokenDay, std::vector<RecordingId>,
                                      ProfileId, DeviceId, PurposeCopies, VoiceIdOf, AccountClosure, Draft>;

// The kind of a DeletionSelector. kUnset: this library does not know it.
enum class DeletionSelectorKind : uint8_t {
  kUnset = 0,
  kEverything = 1,
  kTimeRange = 2,
  kSpokenDay = 3,
  kRecordings = 4,
  kProfile = 5,
  kDevice = 6,
  kPurposeCopies = 7,
  kVoiceId = 8,
  kAccountClosure = 9,
  kDraft = 10,
};

// One data system's part of a request.
struct DeletionProgress {
  std::string system;
  PurgeOutcome outcome = PurgeOutcome::kUnset;
  std::optional<Time> ended_at;
  // Recordings or copies, as the system counted.
  int64_t erased_count = 0;
  // SHA-256 of the evidence that the system keeps; 32 bytes or empty.
  std::string evidence_hash;
  // Of a round or an unfinished run before, where it differs; 32 bytes or empty.
  std::string earlier_evidence_hash;
  // Of kExempt, in words.
  std::string reason;
  // Of kExempt: the ground.
  ExemptReason exempt_reason = ExemptReason::kUnset;
  // An earlier worker took the task and did not report: what kNotFound did not find may have been erased then.
  bool leased_before = false;
};

struct DeletionRequest {
  DeletionId deletion_id;
  DeletionState state = DeletionState::kUnset;
  // The due time was moved once.
  bool extended = false;
  // It is open and due_at has passed.
  bool overdue = false;
  // Some of what it selects is on hold: that waits, and is not overdue.
  bool on_hold = false;
  // A restore could not open its ids, so no data system can be told what to erase until the same is asked again.
  bool needs_ids = false;
  DeletionCause cause = DeletionCause::kUnset;
  Actor requester = Actor::kUnset;
  // Whose deadlines count.
  std::string regime;
  std::optional<Time> received_at;
  // Until when the receipt must be confirmed to the user.
  std::optional<Time> confirm_by;
  std::optional<Time> due_at;
  std::optional<Time> verified_at;
  // When it was completed, denied or cancelled.
  std::optional<Time> ended_at;
  // When and how the user was told of the receipt; absent and kUnset: nobody has said so.
  std::optional<Time> receipt_confirmed_at;
  ReceiptChannel receipt_channel = ReceiptChannel::kUnset;
  // It is open, somebody asked for it, confirm_by has passed, and nobody has said that the user was told.
  bool confirmation_overdue = false;
  std::string denied_reason;
  // Of a denied request.
  std::optional<HowToAppeal> how_to_appeal;
  // In the order of their receipt; at most the last is open.
  std::vector<Appeal> appeals;
  // Absent where it names single recordings.
  std::optional<TimeRange> covers;
  // As it was asked; empty once the request has ended, when its key is destroyed.
  AccountId account_id;
  DeletionSelector selector;
  std::vector<DeletionProgress> progress;
  // For CancelDeletionRequest.
  Etag etag;
  // What may be told to the user, in plain English.
  std::string summary;
};

struct NewDeletionRequest {
  AccountId account_id;
  DeletionSelector selector;
  // Who asks.
  Actor requester = Actor::kUnset;
  Verification verification = Verification::kUnset;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct DeletionCreated {
  DeletionRequest request;
  // False: a request for the same was there, open or a finished closure, and is returned.
  bool created = false;
  Etag revision;
  // The data systems are asked once more; a recording that is named stays deleted in an account that is started anew
  // under this id.
  bool account_closed = false;
  // What of the order was left out because it cannot be used. Empty: nothing.
  std::string unusable;
  // Nothing was known of the account before this call: a mistyped id reads so.
  bool subject_is_new = false;
};

struct VerifyOrder {
  DeletionId deletion_id;
  // Verification has begun and is not over.
  bool only_begun = false;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct DenyOrder {
  DeletionId deletion_id;
  // 1 to 256 bytes; kept, and shown to auditors. No ids.
  std::string reason;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct ExtendOrder {
  DeletionId deletion_id;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct ConfirmReceiptOrder {
  DeletionId deletion_id;
  // Must be set.
  ReceiptChannel channel = ReceiptChannel::kUnset;
  // No earlier than the request's receipt and no later than now by the daemon's clock; absent: now.
  std::optional<Time> confirmed_at;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct ReceiptConfirmed {
  DeletionRequest request;
  // It had been confirmed before: that stays, and nothing was written.
  bool already = false;
};

// Of each step of an appeal.
struct AppealTaken {
  DeletionRequest request;
  // It was so before, and nothing was written.
  bool already = false;
};

struct CancelOrder {
  DeletionId deletion_id;
  // That of the request. The library never fetches one.
  Etag etag;
  // Channel and actor are needed.
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct DeletionQuery {
  // Empty: of all subjects.
  AccountId account_id;
  // Only these; empty: all.
  std::vector<DeletionState> states;
  // Only those that are due before it and open.
  std::optional<Time> due_before;
  // Only those received from it on.
  std::optional<Time> received_from;
  // Only those received before it.
  std::optional<Time> received_before;
  // Only these; empty: all.
  std::vector<DeletionCause> causes;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
  // Only those with an appeal or complaint that is not answered.
  bool has_open_appeal = false;
};

// Of one account in the order of receipt.
struct DeletionPage {
  std::vector<DeletionRequest> requests;
  // Empty: the last page. A page may be empty and not the last.
  std::string next_page_token;
};

}  // namespace consent
