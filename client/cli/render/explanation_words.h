// A row of an explanation in plain English. Whoever reads it need not know the decision table.
#pragma once

#include <string>

#include "consent/explanation.h"

namespace consent::cli {

// One row, as a sentence or two.
std::string RowWords(const ExplainedRow& row, const Explanation& explanation);

}  // namespace consent::cli
