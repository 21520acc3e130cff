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

// One line: what a call was answered yes to, or what a person read.
struct DecisionLine {
  uint64_t number = 0;
  std::string previous;  // hash of the line before, in hexadecimal
  std::string caller;
  std::string call;
  Selection selection = Selection::kUnset;
  // Of a read the method, such as "SettingsService/GetSettings"; empty: a record of yeses.
  std::string read;
  // Of a read the handle of whom it is about, 16 bytes; empty: of all accounts.
  std::string read_subject;
  // Of a read nothing but store, times and month.
  DecisionRecord record;
};

// InvalidArgument: the line is no record of version 2, with the key that is wrong. The message never repeats the line.
absl::StatusOr<DecisionLine> ParseDecisionLine(std::string_view line);

// As the next line has it.
std::string DecisionLineHash(std::string_view line);

}  // namespace consent
