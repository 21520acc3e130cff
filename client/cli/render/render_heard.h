// What of an account people were given to hear.
#pragma once

#include <vector>

#include "client/cli/output.h"
#include "client/cli/table.h"
#include "consent/reviews.h"

namespace consent::cli {

// An array, of those first heard last, first.
Json HeardJson(const std::vector<Heard>& heard);
Table HeardTable(const std::vector<Heard>& heard);

}  // namespace consent::cli
