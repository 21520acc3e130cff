// The words of the API as plain values. Numbers equal those of the protos. Zero (kUnset) is "not said" and never allows
// anything; a value that this library does not know arrives as kUnset.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "consent/ids.h"

namespace consent {

// Microseconds since 1970-01-01T00:00:00Z.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// What a recording may be used for.
enum class Purpose : uint8_t {
  kUnset = 0,
  kHumanReview = 1,
  kModelTraining = 2,
  kFeatureDevelopment = 3,
  kMessageTranscription = 4,
  kVoiceIdentification = 5,
  kPersonalisation = 6,
  kAdvertising = 7,
};

// kNeverChose is a stored state of its own, apart from kUnset.
enum class Choice : uint8_t { kUnset = 0, kNeverChose = 1, kGiven = 2, kRefused = 3, kWithdrawn = 4 };
enum class Channel : uint8_t { kUnset = 0, kApp = 1, kWeb = 2, kVoice = 3, kSupport = 4, kSystem = 5, kImport = 6 };
enum class Actor : uint8_t { kUnset = 0, kSelf = 1, kGuardian = 2, kAgent = 3, kSystem = 4 };
enum class Wake : uint8_t { kUnset = 0, kIntended = 1, kAccidental = 2, kButton = 3 };
enum class Kind : uint8_t { kUnset = 0, kCommand = 1, kMessage = 2, kSound = 3 };
enum class Speakers : uint8_t { kUnset = 0, kOne = 1, kSeveral = 2 };
enum class Identity : uint8_t { kUnset = 0, kMatched = 1, kUnmatched = 2, kNotRun = 3 };
enum class SpeakerAge : uint8_t { kUnset = 0, kAdult = 1, kChildPresent = 2 };
// kUnset means the source audio; anything else is a copy that was made for a purpose.
enum class Artefact : uint8_t {
  kUnset = 0,
  kSource = 1,
  kTranscript = 2,
  kReviewCopy = 3,
  kAnnotation = 4,
  kFeature = 5,
  kDatasetItem = 6,
};
enum class ReviewerClass : uint8_t { kUnset = 0, kEmployee = 1, kContractor = 2 };
enum class Flag : uint8_t { kUnset = 0, kCriticalData = 1, kSafety = 2, kAccidental = 3, kChildPresent = 4 };
enum class Eligibility : uint8_t { kUnset = 0, kNotEligible = 1, kEligible = 2 };
enum class Disposition : uint8_t { kUnset = 0, kKeep = 1, kPurge = 2, kHold = 3 };
enum class Switch : uint8_t { kUnset = 0, kOff = 1, kOn = 2 };
enum class EffectiveAnswer : uint8_t { kUnset = 0, kOff = 1, kOn = 2, kPartial = 3 };
enum class ChangeKind : uint8_t {
  kUnset = 0,
  kUpsertSubject = 1,
  kUpdateSettings = 2,
  kOptOut = 3,
  kReportRecording = 4,
  kDeletionReceived = 5,
  kDeletionVerified = 6,
  kDeletionDenied = 7,
  kDeletionExtended = 8,
  kDeletionCancelled = 9,
  kHoldPlaced = 10,
  kHoldReleased = 11,
  kDeletionSettled = 12,
  kDeletionReceiptConfirmed = 13,
  kChildNotice = 14,
  kDeletionAppealReceived = 15,
  kDeletionAppealAcknowledged = 16,
  kDeletionAppealAnswered = 17,
  kHoldReviewed = 18,
  kSafetyFlagHandled = 19,
  kRestored = 20,
  kJoined = 21,
  kSafetyFlagAcknowledged = 22,
};
enum class DefaultRule : uint8_t { kUnset = 0, kOptIn = 1, kOptOut = 2 };
// What a difference between two policies can do; kBreaksStored loosens what was chosen before.
enum class ProposedAct : uint8_t { kUnset = 0, kResume = 1, kReleaseHold = 2, kActivatePolicy = 3 };
enum class ProposalState : uint8_t {
  kUnset = 0,
  kOpen = 1,
  kApproved = 2,
  kDone = 3,
  kFailed = 4,
  kWithdrawn = 5,
  kExpired = 6
};
enum class PolicyEffect : uint8_t { kUnset = 0, kLoosens = 1, kRestricts = 2, kNeutral = 3, kBreaksStored = 4 };

// Why recordings are asked about. kUnset counts as kOther.
enum class Selection : uint8_t {
  kUnset = 0,
  kRandom = 1,
  kMisunderstood = 2,
  kComplaint = 3,
  kQuality = 4,
  kOther = 5,
};

// A fact that a recording, or the place of its use, lacked; the protos say more of each.
enum class MissingFact : uint8_t {
  kUnset = 0,
  kCapturedAt = 1,
  kWake = 2,
  kKind = 3,
  kSpeakers = 4,
  kIdentity = 5,
  kAge = 6,
  kProfileIds = 7,
  kDeviceId = 8,
  kUnregisteredScope = 9,
  kMadeFor = 10,
  kCountry = 11,
  kReviewerClass = 12,
  kSite = 13,
  kPurpose = 14,
};

// Why no grant was given beside what the rule says.
enum class GrantRefusal : uint8_t { kUnset = 0, kNotEligible = 1, kGranted = 2, kHeardRecently = 3, kHeardOften = 4 };
// How a grant stands, or why it is over.
enum class GrantState : uint8_t { kUnset = 0, kLive = 1, kSubmitted = 2, kEnded = 3, kExpired = 4, kRestricted = 5 };
// What came of a review. The four from kCriticalData to kAccidental are stored as flags of the recording.
enum class ReviewOutcome : uint8_t {
  kUnset = 0,
  kSubmitted = 1,
  kCriticalData = 2,
  kSafety = 3,
  kChild = 4,
  kAccidental = 5,
  kInaudible = 6,
  kSkipped = 7,
};

// Why a decision is what it is; the protos say when each occurs.
enum class Reason : uint8_t {
  kUnset = 0,
  kLegalHold = 1,
  kDeleted = 2,
  kAccountClosed = 3,
  kDoNotSave = 4,
  kRetentionExpired = 5,
  kChildInactive = 6,
  kAccidentalExpired = 7,
  kPurposeEnded = 8,
  kUnknownSubject = 9,
  kMissingFact = 10,
  kInvalidTime = 11,
  kDeletionPending = 12,
  kDeletionDenied = 13,
  kSuspended = 14,
  kCriticalData = 15,
  kSafety = 16,
  kChildWithoutGuardian = 17,
  kAccidental = 18,
  kSeveralSpeakers = 19,
  kSpeakerUnmatched = 20,
  kSpeakerNotIdentified = 21,
  kMessagesNotAllowed = 22,
  kRefused = 23,
  kWithdrawn = 24,
  kCapturedWhileRefused = 25,
  kNoConsent = 26,
  kConsentExpired = 27,
  kNoticeSuperseded = 28,
  kCapturedBeforeConsent = 29,
  kProfileWithoutConsent = 30,
  kNoticeSilentOnPeople = 31,
  kPlaceNotAllowed = 32,
  kReviewerNotAllowed = 33,
  kConsent = 34,
  kDefault = 35,
  kClockDoubtful = 36,
  kNotRecorded = 37,
  kRestored = 38,
  kSafetyHold = 39,
  kCapSpent = 40,
};

// The account (nothing set), one profile or one device. At most one may be set.
struct Scope {
  ProfileId profile;
  DeviceId device;
  auto operator<=>(const Scope&) const = default;
};

// What proves a change. Needed in full for a consent; channel and actor for any other loosening; optional for a
// restriction.
struct Evidence {
  std::string notice_version;
  std::string notice_language;
  Channel channel = Channel::kUnset;
  Actor actor = Actor::kUnset;
  GuardianId guardian;
  // Only with Channel::kImport.
  std::optional<Time> given_at;
  std::string reference;
  auto operator<=>(const Evidence&) const = default;
};

// How long source audio is kept.
struct Retention {
  enum class Kind : uint8_t { kUnset = 0, kUntilDeleted, kMonths, kDoNotSave };
  Kind kind = Kind::kUnset;
  // With kMonths: 1 to 120.
  int months = 0;
  auto operator<=>(const Retention&) const = default;
};

// How one part of a write ended.
struct PartResult {
  // What the part was; never an id.
  std::string part;
  // In force and durable, also where it already was.
  bool applied = false;
  bool changed = false;
  // Why it was refused and what to do. Empty where applied.
  std::string refused_reason;
  std::string refused_message;
};

}  // namespace consent
