#include "client/cli/engines/filter_summary.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "client/cli/render/missing_facts.h"

namespace consent::cli {
namespace {

Json GainJson(const FactAdvice::Gain& gain) { return {{"at_most", gain.at_most}, {"nothing_else", gain.nothing_else}}; }

}  // namespace

Json MissingFactsJson(const FilterCounts& counts) {
  Json json = Json::object();
  for (const auto& [fact, count] : counts.missing_facts) json[FactKey(fact)] = count;
  return json;
}

std::string MissingFactsText(const FilterCounts& counts) {
  if (counts.missing_facts.empty()) return "";
  std::string text = "missing facts (a line may lack several)\n";
  for (const auto& [fact, count] : counts.missing_facts) {
    absl::StrAppendFormat(&text, "  %-24s %d\n", FactKey(fact), count);
  }
  return text;
}

std::vector<std::string> HintsOf(const FilterCounts& counts) {
  std::vector<std::string> hints;
  if (counts.refused == 0 || counts.eligible > 0) return hints;
  for (const auto& [fact, count] : counts.missing_facts) {
    if (count != counts.refused) continue;
    hints.push_back("not one line can be eligible, because none says `" + FactKey(fact) + "`: " + FactWords(fact) +
                    ". " + FactRemedy(fact));
  }
  if (!hints.empty()) {
    hints.emplace_back(
        "what is filled in must be true of every recording that it is filled in for: people are heard, or left alone, "
        "by it");
  }
  return hints;
}

Json AdviceJson(const FactAdvice& advice) {
  Json steps = Json::array();
  for (const FactAdvice::Step& step : advice.Steps()) {
    steps.push_back({{"facts", FactKeysJson(step.facts.Facts())},
                     {"more", GainJson(step.more)},
                     {"together", GainJson(step.together)}});
  }
  Json sets = Json::array();
  for (const auto& [set, gain] : advice.sets()) {
    Json one = {{"facts", FactKeysJson(set.Facts())}};
    one.update(GainJson(gain));
    sets.push_back(std::move(one));
  }
  return {{"steps", std::move(steps)}, {"sets", std::move(sets)}, {"hopeless", advice.hopeless()}};
}

std::string AdviceText(const FactAdvice& advice) {
  const std::vector<FactAdvice::Step> steps = advice.Steps();
  if (steps.empty()) return "advice: no missing fact could make one more recording eligible\n";
  std::string text =
      "advice: with these facts at most so many more recordings would be eligible. Nothing was asked again and nothing "
      "more let through; a fact that is found may still say no.\n";
  size_t width = 0;
  for (const FactAdvice::Step& step : steps) width = std::max(width, FactKeysText(step.facts.Facts()).size());
  const int column = static_cast<int>(std::max<size_t>(width, 4) + 5);
  absl::StrAppendFormat(&text, "  %-*s %12s %12s %12s\n", column, "with", "more", "in all", "surer");
  const char* before = "";
  for (size_t i = 0; i < std::min(steps.size(), kMostSteps); ++i) {
    const FactAdvice::Step& step = steps[i];
    absl::StrAppendFormat(&text, "  %-*s %12d %12d %12d\n", column, before + FactKeysText(step.facts.Facts()),
                          step.more.at_most, step.together.at_most, step.together.nothing_else);
    before = "and ";
  }
  if (steps.size() > kMostSteps) absl::StrAppendFormat(&text, "  ... %d more, in --json\n", steps.size() - kMostSteps);
  const FactAdvice::Gain all = steps.back().together;
  if (all.at_most != all.nothing_else) {
    text +=
        "  surer: of those in all so many have nothing else against them; the others have reasons that a fact may "
        "end\n";
  }
  return text;
}

}  // namespace consent::cli
