// Deletion requests: what one selects, the states that it goes through, how its tasks end. Pure.
//
// States only move forward. A step that the state does not allow changes nothing and says so; the store's preconditions
// see to it that two steps never start from the same state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/random_id.h"
#include "daemon/domain/appeal.h"
#include "daemon/domain/deadlines.h"
#include "daemon/domain/tombstone_intervals.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"

namespace consent::domain {

// Numbers are on disk.
enum class SelectorKind : uint8_t {
  kEverything = 1,
  kTimeRange = 2,
  kSpokenDay = 3,
  kRecordings = 4,
  kProfile = 5,
  kDevice = 6,
  kPurposeCopies = 7,
  kVoiceId = 8,  // a profile's: its copies for VOICE_IDENTIFICATION
  kAccountClosure = 9,
  kDraft = 10,  // one result of a review, of the annotation systems alone
};
inline constexpr SelectorKind kLastSelectorKind = SelectorKind::kDraft;

// Why there is a request. Numbers equal those of consent.v1.DeletionCause and are on disk.
enum class DeletionCause : uint8_t {
  kRequested = 1,
  kWithdrawal = 2,  // the rule purges these two by the record itself: they add no tombstone
  kRetention = 3,
  kLateDraft = 4,  // submitted under a grant that did not stand any more; it adds no tombstone: the recording stays
};
inline constexpr DeletionCause kLastDeletionCause = DeletionCause::kLateDraft;
// Made with a change of settings, and owed as long as these say so.
constexpr bool FollowsSettings(DeletionCause cause) {
  return cause == DeletionCause::kWithdrawal || cause == DeletionCause::kRetention;
}

using base::kMaxSelectedRecordings;

// The times that a request names. `to` unset: until its receipt.
struct NamedTimes {
  Instant from;  // unset: no beginning
  Instant to;
  bool operator==(const NamedTimes&) const = default;
};
// What a request of that kind orders when it is received: never later than the receipt, whoever's clock made its ends.
// Of kRecordings and kDraft nothing by time; a closure has no times: always.
OrderedTimes TimesOf(SelectorKind kind, const NamedTimes& named, const Moment& received);

// One result of a review: what was made of the recording and has that digest (SHA-256).
struct DraftName {
  base::RecordingHandle recording;
  base::Digest digest{};
  bool operator==(const DraftName&) const = default;
};

// What a request selects, as the rule matches it.
struct Selector {
  SelectorKind kind = SelectorKind::kEverything;
  ScopeRef scope;
  OrderedTimes captured;                          // of all but kRecordings and kDraft
  std::vector<base::RecordingHandle> recordings;  // of kRecordings: sorted, no duplicates
  PurposeSet copies_of;                           // of kPurposeCopies and kVoiceId
  // Of kDraft. Not among `recordings`: what these name is marked for the rule, and a draft's recording is not.
  DraftName draft;
  bool operator==(const Selector&) const = default;
  // It reaches to its receipt, so one that is received later covers more: never the same request as an earlier one. An
  // account is closed once.
  bool IsOpenEnded() const {
    return kind != SelectorKind::kTimeRange && kind != SelectorKind::kRecordings &&
           kind != SelectorKind::kAccountClosure && kind != SelectorKind::kDraft;
  }
};

// Numbers equal those of consent.v1.TombstoneState and are on disk.
enum class DeletionState : uint8_t {
  kReceived = 1,
  kVerifying = 2,
  kAccepted = 3,
  kInProgress = 4,
  kCompleted = 5,
  kDenied = 6,
  kCancelled = 7,
};
constexpr bool IsOpen(DeletionState state) { return state < DeletionState::kCompleted; }
constexpr bool IsVerified(DeletionState state) {
  return state >= DeletionState::kAccepted && state <= DeletionState::kCompleted;
}

// How the user was told that the request was received. Numbers equal those of consent.v1.ReceiptChannel and are on
// disk.
enum class ReceiptChannel : uint8_t { kMissing = 0, kEmail = 1, kLetter = 2, kInApp = 3, kPhone = 4, kOther = 5 };

// Data systems are numbered as they are registered; 0: none.
using SystemNumber = uint16_t;

// Numbers equal those of consent.v1.PurgeOutcome and are on disk.
enum class PurgeOutcome : uint8_t {
  kOpen = 0,
  kAcknowledged = 1,
  kNotFound = 2,
  kExempt = 3,
  kExcludedFromNextBuild = 4,
  kErasedBeforeHold = 5,
};

// On which ground something is kept. Numbers equal those of consent.v1.ExemptReason and are on disk.
enum class ExemptReason : uint8_t {
  kMissing = 0,
  kExpression = 1,
  kLegalObligation = 2,
  kPublicHealth = 3,
  kArchivingResearch = 4,
  kLegalClaims = 5,
  kTransaction = 6,
  kSecurity = 7,
  kDebugging = 8,
  kInternalUses = 9,
  kSystemRetired = 10,  // from here on no data system's to say
  kAllowedAgain = 11,
};
inline constexpr size_t kExemptReasons = static_cast<size_t>(ExemptReason::kAllowedAgain) + 1;

// One data system's part of a request.
struct SystemProgress {
  SystemNumber system = 0;
  PurgeOutcome outcome = PurgeOutcome::kOpen;
  uint64_t epoch = 0;  // of the lease whose report ended it
  Instant ended_at;
  uint64_t erased_count = 0;
  base::Digest evidence{};          // all zero: none was given
  base::Digest earlier_evidence{};  // of a round or an unfinished run before, where it differs; all zero: none
  std::string reason;               // of kExempt, in words
  ExemptReason exempt = ExemptReason::kMissing;  // of kExempt alone
  bool leased_before = false;  // an earlier lease ended without a report of its end: it may have erased
  bool operator==(const SystemProgress&) const = default;
};

struct DeletionRequest {
  base::DeletionId id;
  base::SubjectHandle subject;
  DeletionCause cause = DeletionCause::kRequested;
  DeletionState state = DeletionState::kReceived;
  Selector selector;
  Actor requester = Actor::kMissing;
  std::string regime;   // whose deadlines count
  Instant received_at;  // Moment::Received; deadlines run from it
  Instant confirm_by;
  Instant due_at;
  Instant verified_at;
  Instant ended_at;
  Instant receipt_confirmed_at;  // when the user was told of the receipt; unset: nobody has said so
  ReceiptChannel receipt_channel = ReceiptChannel::kMissing;  // and how; kMissing as long as that is unset
  bool extended = false;
  std::string denied_reason;
  std::vector<Appeal> appeals;        // in the order of their receipt
  uint64_t changed = 0;               // sequence of the last step; reports of tasks are no steps
  std::vector<SystemProgress> parts;  // in order of their systems' numbers; empty before it is verified
  // Of one whose end was taken while the time was in doubt, until that is settled: the boot clock then, and the last
  // stamp that had been trusted.
  base::BootTime doubt_since;
  Instant doubt_after;
  // Of a closure that is verified: what the record said before, for one that is cancelled.
  Instant closed_before;
  Instant reopened_before;
  // A restore could not open its ids, so no data system can be told what to erase until the same request is sent again.
  // Of an open one alone.
  bool needs_ids = false;
  bool operator==(const DeletionRequest&) const = default;

  // nullptr where there is none.
  const SystemProgress* Find(SystemNumber system) const;
  SystemProgress* Find(SystemNumber system);
  bool IsUnsettled() const { return doubt_since.boot != base::BootId{}; }
  // What a data system is to erase cannot be told yet.
  bool WaitsForTime() const {
    return IsUnsettled() && !selector.captured.IsEmpty() && !selector.captured.sure().IsSet();
  }
  bool IsOverdue(Instant now) const { return IsOpen(state) && now >= due_at; }
};

// What an open request can be late for.
enum class DeadlineKind : uint8_t { kCompletion = 0, kConfirmation = 1 };
inline constexpr std::array kDeadlineKinds = {DeadlineKind::kCompletion, DeadlineKind::kConfirmation};
// Until when it must be done; nothing: there is nothing to do, or it is done. Only what somebody asked for is
// confirmed.
std::optional<Instant> DeadlineOf(const DeletionRequest& request, DeadlineKind kind);
// It is late for that at `now`.
bool IsLate(const DeletionRequest& request, DeadlineKind kind, Instant now);

// A step that somebody takes with a request. KindOf (service/rows/change_row.h) says what the history calls it.
enum class DeletionStep : uint8_t {
  kBeginVerification,
  kVerify,
  kDeny,
  kExtend,
  kCancel,
  kConfirmReceipt,
  kReceiveAppeal,
  kAcknowledgeAppeal,
  kAnswerAppeal
};
struct StepCommand {
  DeletionStep step = DeletionStep::kBeginVerification;
  std::string reason = {};                            // of kDeny
  Instant confirmed_at = {};                          // of kConfirmReceipt; unset: now
  ReceiptChannel channel = ReceiptChannel::kMissing;  // of kConfirmReceipt
  std::optional<uint64_t> etag = {};                  // of kCancel: `changed` of the request that was looked at
  AppealWord appeal = {};                             // of the steps of an appeal
};
constexpr bool IsOfAppeal(DeletionStep step) { return step >= DeletionStep::kReceiveAppeal; }
// What steps are taken by.
struct StepFacts {
  const Moment& moment;
  const DeadlineRules& rules;                // of the request's regime
  const std::vector<SystemNumber>& systems;  // that are registered
};
// The rule and other requests may come out otherwise after it, not the request's own row alone.
constexpr bool ChangesTheRule(DeletionStep step) {
  return step != DeletionStep::kExtend && step != DeletionStep::kConfirmReceipt && !IsOfAppeal(step);
}

// Why a step was refused.
enum class StepRefusal : uint8_t {
  kNone = 0,
  kState,
  kExtension,
  kConfirmedAt,
  kNotDenied,
  kNoAppeal,
  kTooManyAppeals,
  kAppealTime
};

// kNone: done, or it was so already.
StepRefusal TakeStep(DeletionRequest& request, const StepCommand& command, const StepFacts& facts);

// kNone: done, or it was so already.
StepRefusal BeginVerification(DeletionRequest& request);
// Every system that is registered gets a part.
StepRefusal Verify(DeletionRequest& request, const Moment& moment, const std::vector<SystemNumber>& systems);
// A denied closure denies only what was captured before.
StepRefusal Deny(DeletionRequest& request, const Moment& moment, const std::string& reason);
// The user was told at that moment.
StepRefusal Extend(DeletionRequest& request, const Moment& moment, const DeadlineRules& rules);
// The user was told through `channel`, at `at` (unset: at that moment): no earlier than the receipt and no later than
// the wall says it is. In any state; what was said first stays. kMissing counts as kOther.
StepRefusal ConfirmReceipt(DeletionRequest& request, const Moment& moment, Instant at, ReceiptChannel channel);
// The time is no longer in doubt: what was received then was surely received by `sure` and perhaps as late as `latest`.
// Times that the request itself named stay, as far as they lie before. The deadlines are the caller's to set anew.
void Settle(DeletionRequest& request, Instant sure, Instant latest);
// Only before a task was handed out.
StepRefusal Cancel(DeletionRequest& request, const Moment& moment);
// A task of it was handed out.
void Begin(DeletionRequest& request);
// A system that was registered later gets a part, as long as the request is open.
void AddPart(DeletionRequest& request, SystemNumber system);
// The system's task ended as `part` says. False where it had ended before.
bool EndPart(DeletionRequest& request, const SystemProgress& part, Instant now);
// A denial of `selector` takes every default of the subject away.
bool DenialTakesDefaults(const Selector& selector);
// Whatever `inner` selects, `outer`, which was received later, selects too: what verifies the one verifies the other.
bool LiesWithin(const Selector& inner, const Selector& outer);
bool AllEnded(const DeletionRequest& request);
// It had tasks and all have ended, so its key is gone: it waits for the eraser alone, gets no further task, and needs
// no ids any more.
bool HasItsTasksBehindIt(const DeletionRequest& request);
// Every task has ended and the request's key is gone from the store's files. False where that cannot be, or was said
// before.
bool Complete(DeletionRequest& request, Instant now);

// A legal hold as tasks and requests see it.
struct HeldPart {
  ScopeRef scope;
  Interval captured;                              // unless it names recordings
  std::vector<base::RecordingHandle> recordings;  // sorted; empty: all of the scope
};
// What keeps some of what an open request selects: a legal hold (perhaps beside the other), or a report of SAFETY
// alone, which ends by itself.
enum class OnHold : uint8_t { kNo = 0, kByLaw = 1, kForSafety = 2 };
// Whether the selector may select the recording, or what was made of it; no for one that names others alone.
bool MaySelect(const Selector& selector, base::RecordingHandle recording);
// Some of what the request selects may be on hold. Where it cannot be told, yes: a recording can name any profile and
// any device.
bool MayOverlap(const HeldPart& held, const Selector& selector);
// All of what the request selects surely is.
bool CoversAll(const HeldPart& held, const Selector& selector);

// What the request adds to its subject's record; nothing for one that was cancelled, that names single recordings, or
// that nobody asked for.
bool TombstoneOf(const DeletionRequest& request, Tombstone* out);
// The state in which a request's tombstones are; of one that was not cancelled.
TombstoneState TombstoneStateOf(DeletionState state);

// Adds a tombstone; one that overlaps or touches others of the same scope and state becomes one with them. False where
// there is no room (kMaxCovered), or where the facts have more of them than the record and came without: nothing was
// added.
bool AddTombstone(SubjectFacts& facts, const Tombstone& tombstone);
// Replaces all of them: in the record where they are few, else beside it.
void SetTombstones(SubjectFacts& facts, TombstoneIntervals tombstones);
// The most restrictive of the two: what is verified before what is pending before what was denied.
void StrengthenMarks(RecordingState& marks, TombstoneState state);

// How a task waits before it is handed out again: doubles with each failure from a minute to a day, spread by `random`
// over half of it.
Span RetryDelay(uint32_t failures, uint64_t random);

}  // namespace consent::domain
