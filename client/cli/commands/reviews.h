// What the files of `consentctl reviews` share.
#pragma once

#include <CLI/CLI.hpp>
#include "client/cli/command.h"
#include "consent/reviews.h"

namespace consent::cli {

// The two positionals that name a grant.
void AddGrantName(CLI::App* app, GrantName* grant);
// revoke, list, heard and key.
void AddReviewOversight(CLI::App* parent, Cli& cli);
// population and rates.
void AddReviewRates(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
