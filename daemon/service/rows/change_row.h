// A change row: a subject's history, the feed's event and the answer to a repeated request in one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/ids.h"
#include "daemon/domain/deletion.h"
#include "daemon/domain/texts.h"
#include "daemon/domain/transitions.h"

namespace consent::service {

// Numbers equal those of consent.v1.ChangeKind and are on disk; those from 64 on are no part of a subject's history.
enum class ChangeKind : uint8_t {
  kUpsertSubject = 1,
  kUpdateSettings = 2,
  kOptOut = 3,
  kReportRecording = 4,
  kDeletionReceived = 5,
  kDeletionVerified = 6,  // or its verification began
  kDeletionDenied = 7,
  kDeletionExtended = 8,
  kDeletionCancelled = 9,
  kHoldPlaced = 10,
  kHoldReleased = 11,
  kDeletionSettled = 12,  // received while the time was in doubt
  kDeletionReceiptConfirmed = 13,
  kChildNotice = 14,
  kDeletionAppealReceived = 15,
  kDeletionAppealAcknowledged = 16,
  kDeletionAppealAnswered = 17,
  kHoldReviewed = 18,
  kSafetyFlagHandled = 19,
  kRestored = 20,  // the record came back from a backup and a journal: what was changed since is lost but for that
  kJoined = 21,    // a step of joining an account into another one
  kSafetyFlagAcknowledged = 22,
  kPolicyActivated = 64,
  kSuspensionChanged = 65,
  kSystemChanged = 66,
  kTasksLeased = 67,
  kTaskEnded = 68,
  kTaskFailed = 69,
  kErased = 70,                // what a finished deletion left behind
  kDecisionsCounted = 71,      // how far the decision log has come
  kSystemRetention = 72,       // how a data system's retention is kept, or a report of a sweep
  kVerificationReported = 73,  // what a verification of the decision log found
  kProposalChanged = 74,  // a loosening that takes two persons was proposed, approved, withdrawn, or came to its end
  kTaskRetried = 75,      // the pause of a task that failed was ended
  kKeysRotated = 76,      // another master key is in force, or shares were wrapped under it
  kMonthKeyChanged = 77,  // a month's key of the decision log was made or destroyed
  kReviewChanged = 78,    // a review grant was given, used or ended, reviews were revoked, or the media key was made
};
inline constexpr ChangeKind kLastOfHistory = ChangeKind::kSafetyFlagAcknowledged;
inline constexpr ChangeKind kFirstOfOthers = ChangeKind::kPolicyActivated;
inline constexpr ChangeKind kLastOfOthers = ChangeKind::kReviewChanged;

// Whether the number is one of the above: it may have come from anywhere.
constexpr bool IsKnown(ChangeKind kind) {
  return (static_cast<uint8_t>(kind) > 0 && kind <= kLastOfHistory) ||
         (kind >= kFirstOfOthers && kind <= kLastOfOthers);
}

// What a step of a deletion request is in the history and in the metrics.
constexpr ChangeKind KindOf(domain::DeletionStep step) {
  switch (step) {
    case domain::DeletionStep::kBeginVerification:
    case domain::DeletionStep::kVerify:
      break;
    case domain::DeletionStep::kDeny:
      return ChangeKind::kDeletionDenied;
    case domain::DeletionStep::kExtend:
      return ChangeKind::kDeletionExtended;
    case domain::DeletionStep::kCancel:
      return ChangeKind::kDeletionCancelled;
    case domain::DeletionStep::kConfirmReceipt:
      return ChangeKind::kDeletionReceiptConfirmed;
    case domain::DeletionStep::kReceiveAppeal:
      return ChangeKind::kDeletionAppealReceived;
    case domain::DeletionStep::kAcknowledgeAppeal:
      return ChangeKind::kDeletionAppealAcknowledged;
    case domain::DeletionStep::kAnswerAppeal:
      return ChangeKind::kDeletionAppealAnswered;
  }
  return ChangeKind::kDeletionVerified;
}
// A deletion request is made, or goes on by somebody's step.
constexpr bool IsOfDeletion(ChangeKind kind) {
  return kind >= ChangeKind::kDeletionReceived && kind <= ChangeKind::kDeletionAppealAnswered &&
         kind != ChangeKind::kHoldPlaced && kind != ChangeKind::kHoldReleased && kind != ChangeKind::kDeletionSettled &&
         kind != ChangeKind::kChildNotice;
}

// What is sealed under the subject's own key: evidence as it was sent, the texts that were shown, and the raw ids of
// the scopes that the request named.
struct Payload {
  std::string evidence;                                         // serialised consent.v1.Evidence; may be empty
  std::string caller;                                           // who sent the request, by name
  std::vector<std::pair<domain::ScopeRef, std::string>> names;  // profiles and devices that the command names
  std::vector<std::pair<base::GuardianHandle, std::string>> guardians;
  std::vector<domain::ShownText> shown;  // of a consent: domain::ShownBy the policy under which it was given
  // Whose change it is, for listings by time; empty: not said. Not in what names a subject's scopes.
  std::string account_id;
  // Of a loosening that took two persons, as lists show them (service::Person).
  std::string proposed_by;
  std::string approved_by;
  // Of a report of a recording, and of the handling of a flag, with what was done about it.
  std::string recording_id;
  std::string note;
  // Accounts that are joined with this one, itself included; with these no recording.
  std::vector<std::pair<base::SubjectHandle, std::string>> accounts = {};
};

// The clear part of a change row (event body): decoded for history, replays and feeds.
struct ChangeRow {
  ChangeKind kind = ChangeKind::kUpdateSettings;
  uint64_t previous = 0;  // sequence of the subject's change before; 0: none
  std::string policy_version;
  domain::Channel channel = domain::Channel::kMissing;
  bool registered_now = false;
  uint8_t flags = 0;
  std::vector<domain::PartOutcome> parts;
  std::vector<domain::FactChange> changes;
  std::string facts;   // EncodeFacts after the change
  std::string sealed;  // nonce ‖ payload under the subject's key
  std::string
      caller;  // of an event that is no part of a subject's history: whose call made it; empty: the daemon's own
  base::Digest nonce{};  // of the same, see Blind
};

std::string EncodeChangeRow(const ChangeRow& row);
// False on anything that EncodeChangeRow does not write. Total.
bool DecodeChangeRow(std::string_view bytes, ChangeRow* row);

// Of an event that is no part of a subject's history: puts the nonce into the body and commits to both: commitment =
// SHA-256(nonce ‖ body without it). Nobody can try guesses of what happened against a ledger's leaf.
void Blind(const base::Digest& nonce, std::string* body, base::Digest* commitment);

std::string EncodePayload(const Payload& payload);
bool DecodePayload(std::string_view bytes, Payload* payload);

}  // namespace consent::service
