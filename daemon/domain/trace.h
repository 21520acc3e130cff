// What notes the rows of a decision while it is made, and what the rule says about each. Private to this folder.
#pragma once

#include <vector>

#include "daemon/domain/explain.h"

namespace consent::domain::internal {

// Of an ordinary decision: nothing is noted, and the compiler leaves out all that would be.
struct NoTrace {
  static constexpr bool kOn = false;
};

// Of an explanation. Not thread-safe.
class Trace {
 public:
  static constexpr bool kOn = true;

  void Note(RowFact fact);
  // What is noted from now on says why MESSAGE_TRANSCRIPTION is not allowed, and decides nothing by itself.
  void BeginCause() { is_cause_ = true; }
  void EndCause() { is_cause_ = false; }
  // A row says no by what that scope chose, or did not.
  bool Denies(const ScopeRef& scope) const;
  // R3, R4 and R5 purge nothing, because of `why`.
  void KeepOrdersAlone(RowNote why);
  // Sorted, at most kMaxRowFacts. `asked`: a purpose was, so rows of eligibility count. `cut`: there were more.
  std::vector<RowFact> TakeFacts(bool asked, bool* cut);

 private:
  // Facts beyond kMaxRowFacts that make no reason known are counted alone, so that memory is bounded.
  bool HasRoomFor(const RowFact& fact) const;

  std::vector<RowFact> facts_;
  bool is_cause_ = false;
  bool cut_ = false;
};

// What did not match, and why.
RowNote NoteOf(Match match);
Row RowOf(TombstoneState state);
Reason ReasonOf(TombstoneState state);
// Fill in what counted.
void SetScope(const ScopeFacts& scope, RowFact* fact);
void SetTimes(const ScopeRef& scope, const Interval& captured, RowFact* fact);
void SetTombstone(const Tombstone& tombstone, Match match, RowFact* fact);
// `captured`: the earliest and the latest that it was; unset: nobody knows.
void SetRetention(const ScopeFacts& scope, const Interval& captured, RowFact* fact);
void SetChoice(const ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice, RowFact* fact);

}  // namespace consent::domain::internal
