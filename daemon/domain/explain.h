// Why the rule decides as it does: every row of the decision table that matched, and every row that concerns what is
// stored and did not decide. The rows are noted by the rule itself while it runs (`internal::Evaluation`), so an
// explanation cannot part from the answer that it explains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/transitions.h"

namespace consent::domain {

// The rows of the decision table, in its order. Numbers equal those of consent.v1.DecisionRow.
enum class Row : uint8_t {
  kNone = 0,
  kR1 = 1,
  kR2 = 2,
  kR3 = 3,
  kR4 = 4,
  kR5 = 5,
  kE0 = 6,
  kE1 = 7,
  kE2 = 8,
  kE3 = 9,
  kE4 = 10,
  kE5 = 11,
  kE6 = 12,
  kE7 = 13,
  kE8 = 14,
  kE9 = 15,
  kE10 = 16,
  kE12 = 17,
  kE11 = 18,
};

// What about a row counted, or why it did not decide. Numbers equal those of consent.v1.RowNote.
enum class RowNote : uint8_t {
  kNone = 0,
  // It matched:
  kPerhaps = 1,               // by the uncertainty of a time alone: it denies, and purges nothing
  kEarlierRetention = 2,      // expired under a shorter retention that was chosen before
  kSaysNo = 3,                // the scope says no
  kConsentOver = 4,           // its consent has expired
  kEndedAfterCapture = 5,     // it ended after the capture, and nothing that was agreed to since covers the past
  kBeforeDefault = 6,         // captured before the default began to apply
  kCapturedAsChild = 7,       // an adult now, a child when it was captured
  kNotTheGuardians = 8,       // a child, and no consent of the named guardian counts
  kUnnamedScope = 9,          // a profile or device that the recording does not name may have said no
  kOtherPolicy = 10,          // its notice or purpose is not in the policy
  kBeforeSuspensionEnd = 11,  // given before a suspension ended
  kDefaultDenied = 12,        // a denied deletion took the default away
  kReopened = 13,             // captured before a new account began
  kUnconfirmed = 14,          // given to one of two accounts that were joined
  // It did not decide:
  kOtherScope = 20,     // it is about a profile or device that the recording does not name
  kOutsideTimes = 21,   // the capture lies outside of its times
  kOnlyCopies = 22,     // it is about copies that this is none of
  kNotYet = 23,         // it decides from `at` on, if nothing changes
  kEnded = 24,          // it has ended
  kForgiven = 25,       // what was agreed to since covers the past
  kAllowed = 26,        // the regime allows it
  kClockDoubtful = 27,  // it would purge, were the time not in doubt
  kStands = 28,         // a consent that stands; another row says no, or a weaker ground is the answer
  kCause = 29,          // of E7: why MESSAGE_TRANSCRIPTION is not allowed
  kInherited = 30,      // said by a scope that is gone, perhaps another one: it forbids, and purges no copy
  kRestored = 31,       // it would purge, had the record not been restored without what allowed more
};

// One row as it applied to one scope, hold, deletion or rule. What does not belong to the row is unset.
struct RowFact {
  Row row = Row::kNone;
  Reason reason = Reason::kNone;
  bool matched = false;  // it is among the decision's reasons by this fact; false: it nearly was
  RowNote note = RowNote::kNone;
  Purpose purpose = Purpose::kNone;  // whose choice it is
  std::optional<ScopeRef> scope;
  Choice choice = Choice::kUnset;
  bool by_guardian = false;
  bool imported = false;  // of a consent: given elsewhere at `since`, and entered later
  NoticeNumber notice = 0;
  Instant since;    // of a choice: when it was made
  Instant renewed;  // of a consent: when it was given again
  Instant from;     // of a hold, deletion, refusal or suspension: which captures, or from when; unset: no beginning
  Instant to;       // unset: no end
  Instant at;       // the moment at which it matched, or will
  Retention retention;
  Region region;    // of a suspension; unset: everywhere. Of E10: the place of use
  int regime = -1;  // whose rule counted: index into Rules::regimes
};

// Of a region whose rules were merged.
struct ExplainedRegion {
  Region region;
  size_t regime = 0;  // index into Rules::regimes
};

// Whether a deletion or hold that is stored beside the record matches the recording, by the rule's own predicate.
enum class Match : uint8_t { kOtherScope = 1, kOutsideTimes = 2, kOnlyCopies = 3, kPerhaps = 4, kSurely = 5 };

struct Explanation {
  Decision decision;  // Decide's
  // In the order of the table, and within a row of kReasonsInOrder, what matched first. Each reason of the decision has
  // a fact that matched, and nothing else has.
  std::vector<RowFact> rows;
  bool cut = false;  // there were more facts than kMaxRowFacts
  std::vector<ExplainedRegion> regions;
  std::vector<Match> tombstones;  // of each that was asked about, in their order
  std::vector<Match> holds;
};

inline constexpr size_t kMaxRowFacts = 128;  // those that make a reason known are never left out

// As Decide; `tombstones` and `holds` turn no answer, it is only said of each whether it matches. Allocates;
// thread-safe.
Explanation Explain(const SubjectFacts* subject, const RecordingState& marks, const Question& question,
                    const Rules& rules, const std::vector<Tombstone>& tombstones, const std::vector<Hold>& holds);

}  // namespace consent::domain
