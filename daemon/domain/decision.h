// What is decided about a recording: two answers that are never merged, and why. In every enum zero denies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "daemon/base/time.h"

namespace consent::domain {

using base::Instant;

enum class Eligibility : uint8_t { kNotAnswered = 0, kNotEligible = 1, kEligible = 2 };
enum class Disposition : uint8_t { kNotAnswered = 0, kKeep = 1, kPurge = 2, kHold = 3 };

// Numbers equal those of consent.v1.Reason.
enum class Reason : uint8_t {
  kNone = 0,
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
  kNotRecorded = 37,  // never Decide's: see NotRecorded
  kRestored = 38,
  kSafetyHold = 39,
  kCapSpent = 40,
};
inline constexpr int kReasons = 41;
// All others are given where a yes of the rule's could not be kept to.
constexpr bool IsOfRule(Reason reason) { return reason != Reason::kNotRecorded; }

// Every reason, the most important first: E0, then what a disposition says, then E1 and so on, then what makes
// eligible. Numbers are for ever, this order is not: a reason that comes later takes its place here.
inline constexpr std::array<Reason, kReasons> kReasonsInOrder = {
    Reason::kClockDoubtful,
    Reason::kRestored,
    Reason::kUnknownSubject,
    Reason::kMissingFact,
    Reason::kInvalidTime,
    Reason::kLegalHold,
    Reason::kSafetyHold,
    Reason::kDeleted,
    Reason::kAccountClosed,
    Reason::kDoNotSave,
    Reason::kRetentionExpired,
    Reason::kChildInactive,
    Reason::kAccidentalExpired,
    Reason::kPurposeEnded,
    Reason::kDeletionPending,
    Reason::kDeletionDenied,
    Reason::kSuspended,
    Reason::kCriticalData,
    Reason::kSafety,
    Reason::kChildWithoutGuardian,
    Reason::kAccidental,
    Reason::kSeveralSpeakers,
    Reason::kSpeakerUnmatched,
    Reason::kSpeakerNotIdentified,
    Reason::kMessagesNotAllowed,
    Reason::kRefused,
    Reason::kWithdrawn,
    Reason::kCapturedWhileRefused,
    Reason::kNoConsent,
    Reason::kConsentExpired,
    Reason::kNoticeSuperseded,
    Reason::kCapturedBeforeConsent,
    Reason::kProfileWithoutConsent,
    Reason::kNoticeSilentOnPeople,
    Reason::kPlaceNotAllowed,
    Reason::kReviewerNotAllowed,
    Reason::kCapSpent,
    Reason::kNotRecorded,
    Reason::kConsent,
    Reason::kDefault,
    Reason::kNone,
};
// Places in kReasonsInOrder, by number.
inline constexpr std::array<uint8_t, kReasons> kReasonRanks = [] {
  std::array<uint8_t, kReasons> ranks{};
  for (uint8_t rank = 0; rank < kReasons; ++rank) ranks[static_cast<size_t>(kReasonsInOrder[rank])] = rank;
  return ranks;
}();
static_assert(kReasons <= 64);
static_assert(
    [] {
      for (size_t number = 0; number < kReasons; ++number) {
        if (static_cast<size_t>(kReasonsInOrder[kReasonRanks[number]]) != number) return false;
      }
      return true;
    }(),
    "each reason has its place in kReasonsInOrder");

// A set of reasons; iterates in kReasonsInOrder.
class ReasonSet {
 public:
  constexpr ReasonSet() = default;
  constexpr ReasonSet(std::initializer_list<Reason> reasons) {
    for (const Reason reason : reasons) Add(reason);
  }
  constexpr void Add(Reason r) { bits_ |= uint64_t{1} << kReasonRanks[static_cast<size_t>(r)]; }
  constexpr void Add(ReasonSet other) { bits_ |= other.bits_; }
  constexpr void Remove(ReasonSet other) { bits_ &= ~other.bits_; }
  constexpr bool Has(Reason r) const { return (bits_ >> kReasonRanks[static_cast<size_t>(r)] & 1) != 0; }
  constexpr bool Empty() const { return bits_ == 0; }
  // kNone where empty.
  constexpr Reason First() const { return Empty() ? Reason::kNone : kReasonsInOrder[__builtin_ctzll(bits_)]; }
  template <typename F>
  constexpr void ForEach(F f) const {
    for (uint64_t rest = bits_; rest != 0; rest &= rest - 1) f(kReasonsInOrder[__builtin_ctzll(rest)]);
  }
  auto operator<=>(const ReasonSet&) const = default;

 private:
  uint64_t bits_ = 0;
};

// A fact that a recording lacked: each gives MISSING_FACT. Numbers equal those of consent.v1.MissingFact, whose names
// answers, explanations and metrics have.
enum class MissingFact : uint8_t {
  kNone = 0,
  kCapturedAt = 1,
  kWake = 2,
  kKind = 3,
  kSpeakers = 4,
  kIdentity = 5,
  kAge = 6,
  kProfileIds = 7,         // matched, and none is named; or one that is not named may have refused
  kDeviceId = 8,           // none is named, and one may have refused
  kUnregisteredScope = 9,  // a profile or device is named that was removed, or never was registered
  kMadeFor = 10,           // of a copy
  kCountry = 11,           // of use; also a code that nobody assigns
  kReviewerClass = 12,
  kSite = 13,
  kPurpose = 14,  // one that is none was asked for
};
// With kNone: no fact has a number as high.
inline constexpr int kMissingFacts = 15;
class MissingFactSet {
 public:
  constexpr void Add(MissingFact fact) { bits_ = static_cast<uint16_t>(bits_ | 1U << static_cast<unsigned>(fact)); }
  constexpr bool Has(MissingFact fact) const { return (bits_ >> static_cast<unsigned>(fact) & 1) != 0; }
  constexpr bool Empty() const { return bits_ == 0; }
  // In the order of their numbers.
  template <typename F>
  constexpr void ForEach(F f) const {
    for (unsigned rest = bits_; rest != 0; rest &= rest - 1) f(static_cast<MissingFact>(__builtin_ctz(rest)));
  }
  auto operator<=>(const MissingFactSet&) const = default;

 private:
  uint16_t bits_ = 0;
};

// Two answers that are never merged.
struct Decision {
  Eligibility eligibility = Eligibility::kNotAnswered;
  Disposition disposition = Disposition::kNotAnswered;
  ReasonSet disposed;      // by R1 to R5
  ReasonSet reasons;       // every reason that applied, those of `disposed` among them
  uint64_t revision = 0;   // of the subject; 0: unknown subject
  uint16_t regime = 0;     // of where the subject lives, or of an unknown subject's capture: index into Rules::regimes
  MissingFactSet missing;  // where MISSING_FACT is among the reasons: which
  Instant checked_at;
  // Nothing changes before it by time alone. Not before checked_at; equal to it: do not keep the answer.
  Instant good_until;

  // Every reason once, most important first: the disposition's, then those of E0, then of E1 and so on. The first one
  // explains the answer.
  template <typename F>
  constexpr void ForEachReason(F f) const {
    disposed.ForEach(f);
    ReasonSet rest = reasons;
    rest.Remove(disposed);
    rest.ForEach(f);
  }
  // kNone only where there is nothing to explain (KEEP, and no purpose was asked).
  constexpr Reason FirstReason() const {
    Reason found = Reason::kNone;
    ForEachReason([&found](Reason r) {
      if (found == Reason::kNone) found = r;
    });
    return found;
  }
};

// What is answered in place of a yes that could not be put on record. Not to be kept: the next one may be.
constexpr Decision NotRecorded(const Decision& yes) {
  Decision no = yes;
  no.eligibility = Eligibility::kNotEligible;
  no.reasons = {Reason::kNotRecorded};
  no.good_until = yes.checked_at;
  return no;
}

}  // namespace consent::domain
