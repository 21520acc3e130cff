// What stands around the rows of an explanation, in plain English: the answer, deletions, holds, rules.
#pragma once

#include <string>
#include <vector>

#include "consent/explanation.h"

namespace consent::cli {

// What is answered, in one or two sentences.
std::string AnswerWords(const Explanation& explanation, Purpose purpose);
// Why something cannot be told.
std::string UntoldWords(Untold why);
// What a request is and what has become of it, and then a line for each data system.
std::vector<std::string> RequestWords(const ExplainedRequest& request);
std::string HoldWords(const ExplainedHold& hold);
// By which policy and regimes.
std::vector<std::string> RuleWords(const Explanation& explanation);

}  // namespace consent::cli
