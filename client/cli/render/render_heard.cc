#include "client/cli/render/render_heard.h"

#include "client/cli/render/render.h"
#include "consent/names.h"

namespace consent::cli {

Json HeardJson(const std::vector<Heard>& heard) {
  Json json = Json::array();
  for (const Heard& one : heard) {
    json.push_back({{"heard_at", TimeText(one.heard_at)},
                    {"purpose", Name(one.purpose)},
                    {"country", one.country},
                    {"reviewer_class", Name(one.reviewer)},
                    {"outcome", Name(one.outcome)}});
  }
  return json;
}

Table HeardTable(const std::vector<Heard>& heard) {
  Table table("heard", {"HEARD", "PURPOSE", "COUNTRY", "BY", "OUTCOME"});
  for (const Heard& one : heard) {
    // Nothing for what nobody said.
    const std::string outcome = one.outcome == ReviewOutcome::kUnset ? "" : std::string(Name(one.outcome));
    table.Add({TimeText(one.heard_at), std::string(Name(one.purpose)), one.country, std::string(Name(one.reviewer)),
               outcome});
  }
  return table;
}

}  // namespace consent::cli
