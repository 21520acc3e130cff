// Lines of the decision log, read strictly: daemon/decisions/FORMAT.md describes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "consent/decisions.h"

namespace consent {

// The longest line in bytes, its end not counted.
inline constexpr size_t kMaxDecisionLineBytes = size_t{1} << 20;

struct DecisionLine {
  uint64_t number = 0;
  std::string previous;  // hash of the line before, in hexadecimal
  std::string caller;
  std::string call;
  Selection selection = Selection::kUnset;
  DecisionRecord record;
};

// InvalidArgument: the line is no record of version 1, with the key that is wrong. The message never repeats the line.
absl::StatusOr<DecisionLine> ParseDecisionLine(std::string_view line);

// As the next line has it.
std::string DecisionLineHash(std::string_view line);

}  // namespace consent
