// The facts that MISSING_FACT means, as people know them: by the key of a line, in words, and how to fill them. Pure
// and thread-safe.
#pragma once

#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/answer.h"

namespace consent::cli {

// The key of a line of `filter` that would say it: "wake", "reviewer"; "unregistered_scope" and "purpose" are no keys.
// "unknown" for a fact that this program does not know.
std::string FactKey(MissingFact fact);
// The keys, as a JSON list and in one cell, with commas.
Json FactKeysJson(const std::vector<MissingFact>& facts);
std::string FactKeysText(const std::vector<MissingFact>& facts);
// What nobody said: "how it began".
std::string FactWords(MissingFact fact);
// The option of `check` that says it, or the command that registers what it names.
std::string FactOption(MissingFact fact);
// What fills it, for lines of `filter` that lack it: the option, or who has to say it. One sentence.
std::string FactRemedy(MissingFact fact);

}  // namespace consent::cli
