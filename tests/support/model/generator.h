// Random cases, most of them near a border and many of them nearly clean, so that every answer is frequent.
#pragma once

#include <vector>

#include "tests/support/model/case.h"
#include "tests/support/model/dice.h"

namespace consent::model {

// The case of a seed; always the same one.
Case Generate(uint64_t seed);

// How a case is thrown: `now`, and how often something is not as it should be.
struct Weather {
  Dice& dice;
  double dirt = 0;
  domain::Instant now;

  bool Dirty() { return dice.Chance(dirt); }
  // A quarter of the time one microsecond beside `t`.
  domain::Instant Near(domain::Instant t);
  // Of a few distances before now, so that times of different facts are often equal.
  domain::Instant Recently();
  domain::Instant Ago();
  domain::Instant LongAgo();
};

domain::Rules MakeRules(Weather& weather);
domain::SubjectFacts MakeSubject(Weather& weather, const domain::Rules& rules, domain::Purpose purpose);
domain::RecordingState MakeMarks(Weather& weather);
domain::RecordingFacts MakeRecording(Weather& weather, const domain::SubjectFacts& subject, domain::Purpose purpose);
domain::Place MakePlace(Weather& weather);
domain::Region MakeRegion(Weather& weather);
base::Bytes16 HandleNumber(uint8_t number);

// Times of the capture, and of asking, at which some comparison of the case changes.
std::vector<domain::Instant> CaptureBorders(const Case& c);
std::vector<domain::Instant> NowBorders(const Case& c);

// Times in [now, until) at which to ask again: the ends, some in between, and all borders with their neighbours.
std::vector<domain::Instant> TimesToAskAgain(const Case& c, domain::Instant until, Dice& dice);

}  // namespace consent::model
