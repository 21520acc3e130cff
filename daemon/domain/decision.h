// What is decided about a recording: two answers that are never merged, and why. In every enum zero denies.
#pragma once

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
};
inline constexpr int kReasons = 37;

// A set of reasons; iterates in the order of their numbers.
class ReasonSet {
 public:
  constexpr ReasonSet() = default;
  constexpr ReasonSet(std::initializer_list<Reason> reasons) {
    for (const Reason reason : reasons) Add(reason);
  }
  constexpr void Add(Reason r) { bits_ |= uint64_t{1} << static_cast<int>(r); }
  constexpr void Add(ReasonSet other) { bits_ |= other.bits_; }
  constexpr void Remove(ReasonSet other) { bits_ &= ~other.bits_; }
  constexpr ReasonSet In(ReasonSet other) const {
    ReasonSet both;
    both.bits_ = bits_ & other.bits_;
    return both;
  }
  constexpr bool Has(Reason r) const { return (bits_ >> static_cast<int>(r) & 1) != 0; }
  constexpr bool Empty() const { return bits_ == 0; }
  // kNone where empty.
  constexpr Reason First() const { return Empty() ? Reason::kNone : static_cast<Reason>(__builtin_ctzll(bits_)); }
  template <typename F>
  constexpr void ForEach(F f) const {
    for (uint64_t rest = bits_; rest != 0; rest &= rest - 1) f(static_cast<Reason>(__builtin_ctzll(rest)));
  }
  auto operator<=>(const ReasonSet&) const = default;

 private:
  uint64_t bits_ = 0;
};

// E0's.
inline constexpr ReasonSet kFirstOfEligibility{Reason::kClockDoubtful, Reason::kUnknownSubject, Reason::kMissingFact,
                                               Reason::kInvalidTime};

// Two answers that are never merged.
struct Decision {
  Eligibility eligibility = Eligibility::kNotAnswered;
  Disposition disposition = Disposition::kNotAnswered;
  ReasonSet disposed;     // by R1 to R5
  ReasonSet reasons;      // every reason that applied, those of `disposed` among them
  uint64_t revision = 0;  // of the subject; 0: unknown subject
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
    const ReasonSet first = rest.In(kFirstOfEligibility);
    if (first.Has(Reason::kClockDoubtful)) f(Reason::kClockDoubtful);
    ReasonSet facts = first;
    facts.Remove(ReasonSet{Reason::kClockDoubtful});
    facts.ForEach(f);
    rest.Remove(first);
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

}  // namespace consent::domain
