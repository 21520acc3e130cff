// Shows an explanation, as JSON and as text for people.
#pragma once

#include <string>

#include "client/cli/output.h"
#include "consent/explanation.h"

namespace consent::cli {

Json ExplanationJson(const Explanation& explanation);
// Lines of at most 100 columns where words allow it.
std::string ExplanationText(const Explanation& explanation, Purpose purpose);

}  // namespace consent::cli
