// Shows what a consent does not reach, in a sentence each that says what to do about it.
#pragma once

#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/settings.h"

namespace consent::cli {

// NOTICE_DOES_NOT_COVER, or the reason's name.
std::string UnreachedWhy(const Unreached& one);
// "anna's own voice is not covered for HUMAN_REVIEW: ...", with what can be done. Holds ids of the account.
std::string UnreachedSentence(const Unreached& one);

Json UnreachedJson(const std::vector<Unreached>& unreached);
// One row for each.
Table UnreachedTable(const std::vector<Unreached>& unreached);
// All of the controls, and of the purposes that no control has, each once.
std::vector<Unreached> UnreachedOf(const Settings& settings);

}  // namespace consent::cli
