// What the files of `consentctl reviews` share.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <string>

#include "client/cli/command.h"
#include "consent/reviews.h"

namespace consent::cli {

// The two positionals that name a grant.
void AddGrantName(CLI::App* app, GrantName* grant);
// False where `text` is not 64 digits in hexadecimal, in lower case as `sha256sum` prints them.
bool ReadDigest(const std::string& text, std::array<uint8_t, 32>* digest);
// revoke, list, heard and key.
void AddReviewOversight(CLI::App* parent, Cli& cli);
// population and rates.
void AddReviewRates(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
