// The phrases of which the sentences of an explanation are made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "consent/explanation.h"

namespace consent::cli {

// "3 May 2026, 10:15 UTC", cut to the minute; "an unknown time" where there is none.
std::string DayText(const std::optional<Time>& time);
// "people listening".
std::string PurposeWords(Purpose purpose);
// "The account", "The profile "ann"", "Another device of the account"; and the same within a sentence.
std::string WhoOf(const ExplainedScope& scope);
std::string LowerWhoOf(const ExplainedScope& scope);
// "what was recorded from ... to ...".
std::string CapturesOf(const ExplainedRow& row);
std::string CapturesOf(const ExplainedScope& scope, const std::optional<Time>& from, const std::optional<Time>& to);
// How what a hold or deletion covers lies beside the recording; empty: it reaches it.
std::string ReachOf(RowNote note);
// "3 months".
std::string MonthsOf(const Retention& retention);
// "The account agreed to ... on ..., under the notice ...".
std::string AgreedOf(const ExplainedRow& row);
// "a, b and c".
std::string JoinedWords(const std::vector<std::string>& words);
// The same of at most eight, and how many more there are.
std::string ShortList(const std::vector<std::string>& words);

}  // namespace consent::cli
