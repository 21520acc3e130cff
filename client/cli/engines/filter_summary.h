// What `consentctl filter` says at its end about the facts that were missing. Pure and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "client/cli/engines/fact_advice.h"
#include "client/cli/engines/filter_engine.h"
#include "client/cli/output.h"

namespace consent::cli {

// {"wake": 12, ...}, by the keys of a line.
Json MissingFactsJson(const FilterCounts& counts);
// Lines of text; empty where none was missing.
std::string MissingFactsText(const FilterCounts& counts);

// What to do where nothing was let through and one fact was missing in every line that was asked about: one text for
// each such fact.
std::vector<std::string> HintsOf(const FilterCounts& counts);

// {"steps": [{"facts", "more", "together"}], "sets": [{"facts", "at_most", "nothing_else"}], "hopeless"}.
Json AdviceJson(const FactAdvice& advice);
// A table with its heading; at most kMostSteps rows.
inline constexpr size_t kMostSteps = 12;
std::string AdviceText(const FactAdvice& advice);

}  // namespace consent::cli
