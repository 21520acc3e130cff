// Which missing facts are worth getting: how many more recordings each of them could make eligible. It is worked out
// from the answers that were given, so nothing is asked again and no yes is recorded for it; an upper bound, because a
// fact that is found may still say no.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "consent/answer.h"

namespace consent::cli {

// Facts, each once. A fact that this program does not know is one of its own.
class FactSet {
 public:
  FactSet() = default;
  explicit FactSet(const std::vector<MissingFact>& facts);
  static FactSet OfBits(unsigned bits);

  bool Empty() const { return bits_ == 0; }
  size_t Size() const;
  unsigned bits() const { return bits_; }
  // In ascending order.
  std::vector<MissingFact> Facts() const;
  auto operator<=>(const FactSet&) const = default;

 private:
  unsigned bits_ = 0;
};

// True where no reason of this answer would stand for sure, were its missing facts said: the recording could become
// eligible. False means it could not, whatever they are; `identity` includes the profiles that it matches, and
// `unregistered_scope` is ended by registering what the line names. Pure.
//
// Most rows wait for nothing, so their reasons stand whatever is found out. Those that do are in the table of the
// source: without a capture time every deletion and retention may match, and the rules of every region that the subject
// left apply (daemon/domain/README.md); a child that is heard and not named may be one that has a guardian's consent.
bool CouldBeEligible(const std::vector<Reason>& reasons, FactSet missing);

// Counts the refused of one run. Memory is bounded by the number of sets of facts, at most 2^15. Not thread-safe.
class FactAdvice {
 public:
  struct Gain {
    // At most so many.
    uint64_t at_most = 0;
    // Of these so many have no other reason at all against them.
    uint64_t nothing_else = 0;
    bool operator==(const Gain&) const = default;
  };
  // What the facts of one step add to those of the steps before it.
  struct Step {
    FactSet facts;
    Gain more;
    Gain together;
  };

  // An answer NOT_ELIGIBLE of view FULL.
  void Add(const std::vector<Reason>& reasons, FactSet missing);

  // Those that could become eligible, by all that they lack.
  const std::map<FactSet, Gain>& sets() const { return sets_; }
  // Refused for sure, and lacking facts.
  uint64_t hopeless() const { return hopeless_; }
  // What these facts together could add.
  Gain With(FactSet facts) const;
  // In which order to get them: last comes the fact without which least is lost, before it the one without which least
  // of the rest is lost, and so on, as `nothing_else` counts first. Facts that bring something only together are one
  // step. The last step brings all. Greedy, and so not always the best of all orders.
  std::vector<Step> Steps() const;

 private:
  std::vector<Gain> OfAllSets() const;

  std::map<FactSet, Gain> sets_;
  uint64_t hopeless_ = 0;
};

}  // namespace consent::cli
