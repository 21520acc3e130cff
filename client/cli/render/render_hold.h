// Legal holds as JSON objects and tables.
#pragma once

#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/hold.h"

namespace consent::cli {

// {"kind", what belongs to it, "from", "to"}: "account", "profile", "device" or "recordings"; null where it is not
// known.
Json HoldSelectorJson(const HoldSelector& selector);

Json HoldJson(const Hold& hold);
// One line for each.
Table HoldsTable(const std::vector<Hold>& holds);

}  // namespace consent::cli
