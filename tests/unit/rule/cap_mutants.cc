#include "tests/unit/rule/mutant.h"

namespace consent::model {

using domain::Decision;
using domain::Reason;

namespace {

template <typename F>
void ForEachGiven(Case* c, F f) {
  if (!c->grants.has_value()) return;
  for (uint64_t& given : c->grants->given) f(given);
}

template <domain::CapKind kKind>
void ForgetGiven(Case* c) {
  if (c->grants.has_value()) c->grants->given[static_cast<size_t>(kKind)] = 0;
}

}  // namespace

std::vector<Mutant> CapMutants() {
  return {
      {"forgets caps", [](Case* c) { c->grants = {}; }, nullptr},
      {"allows anything of a purpose without caps", nullptr,
       [](const Case& c, Decision* d) {
         const auto& caps = c.rules.review_caps;
         const bool has_caps =
             std::any_of(caps.begin(), caps.end(), [&](const auto& of) { return of.purpose == c.purpose; });
         if (!has_caps) d->reasons.Remove({Reason::kCapSpent});
       }},
      {"gives one grant too many",
       [](Case* c) { ForEachGiven(c, [](uint64_t& given) { given -= given > 0 ? 1 : 0; }); }, nullptr},
      {"gives one grant too few", [](Case* c) { ForEachGiven(c, [](uint64_t& given) { ++given; }); }, nullptr},
      {"counts no rate", ForgetGiven<domain::CapKind::kRate>, nullptr},
      {"counts no day", ForgetGiven<domain::CapKind::kDay>, nullptr},
      {"counts no selection", ForgetGiven<domain::CapKind::kSelection>, nullptr},
      {"counts no site", ForgetGiven<domain::CapKind::kSite>, nullptr},
      {"counts no reviewer", ForgetGiven<domain::CapKind::kReviewer>, nullptr},
      {"counts no account", ForgetGiven<domain::CapKind::kAccount>, nullptr},
      {"needs no reported population",
       [](Case* c) {
         if (c->grants.has_value()) c->grants->population += 1'000'000'000;
       },
       nullptr},
      {"takes the rate of everywhere for a region that has its own",
       [](Case* c) {
         for (domain::ReviewCaps& caps : c->rules.review_caps) {
           Drop(&caps.rates, [](const domain::ReviewRate& rate) { return rate.country.IsSet(); });
         }
       },
       nullptr},
      {"counts by where the subject lives, wherever it was captured",
       [](Case* c) {
         if (!c->recording.has_region) return;
         const domain::Region captured = c->recording.region.Country();
         for (domain::ReviewCaps& caps : c->rules.review_caps) {
           const uint32_t at_home = PartsPerMillion(caps, c->subject.region.Country());
           Drop(&caps.rates, [&](const domain::ReviewRate& rate) { return rate.country == captured; });
           caps.rates.push_back({captured, at_home});
         }
       },
       nullptr},
      {"asks each check for caps", [](Case* c) { c->grants = c->grants.value_or(domain::GrantCounts()); }, nullptr},
  };
}

}  // namespace consent::model
