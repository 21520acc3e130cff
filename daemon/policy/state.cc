#include "daemon/policy/state.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

using base::Instant;
using domain::Region;

absl::Status Exhausted(const char* what, size_t limit) {
  return absl::ResourceExhaustedError(absl::StrCat("at most ", limit, " ", what, " over the life of a store"));
}

// Since when OPT_OUT had applied to `region`; unset: OPT_IN did.
Instant OptOutSince(const State& previous, Region region) {
  if (const auto at = previous.opt_out_since.find(region); at != previous.opt_out_since.end()) return at->second;
  const auto at = previous.opt_out_since.find(region.Country());
  return at != previous.opt_out_since.end() ? at->second : Instant{};
}

void AdvanceRegions(const State& previous, const Document* replaced, const v1::Policy& policy, Instant now,
                    State* state) {
  const RegimeIndex next(policy);
  std::optional<RegimeIndex> last;
  if (replaced != nullptr) last.emplace(replaced->policy());
  const auto keeps_regime = [&](Region region) {
    return !last || replaced->policy().regimes(last->For(region)).name() == policy.regimes(next.For(region)).name();
  };
  const auto since = [&](Region region) {
    if (!next.OptOut(region)) return Instant{};
    if (!keeps_regime(region)) return now;
    const Instant before = OptOutSince(previous, region);
    return before.IsSet() ? before : now;
  };
  for (const auto& [region, regime] : next.named()) state->opt_out_since.emplace(region, since(region));
  // A subdivision that lost its own entry falls under its country's default, but not for captures from before it did.
  for (const auto& [region, unused] : previous.opt_out_since) {
    if (next.Names(region) || !next.OptOut(region)) continue;
    const Instant own = since(region);
    if (own != since(region.Country())) state->opt_out_since.emplace(region, own);
  }
}

// What a default allowed there may still be there.
void AdvanceEndsOfOptOut(const State& previous, const v1::Policy& policy, Instant now, State* state) {
  const RegimeIndex next(policy);
  state->opt_out_until = previous.opt_out_until;
  const auto end = [&](Region region) {
    if (!next.OptOut(region) && OptOutSince(previous, region).IsSet()) {
      state->opt_out_until.insert_or_assign(region, now);
    }
  };
  for (const auto& [region, regime] : next.named()) end(region);
  for (const auto& [region, since] : previous.opt_out_since) end(region);
  if (state->opt_out_until.size() <= kMaxOnceOptOut) return;
  std::map<Region, Instant> by_country;
  for (const auto& [region, until] : state->opt_out_until) {
    Instant& latest = by_country[region.Country()];
    latest = std::max(latest, until);
  }
  state->opt_out_until = std::move(by_country);
}

// Ages by country, and the default's under the unset region.
std::map<Region, int> AgesOf(const v1::Policy& policy) {
  std::map<Region, int> ages = {{Region{}, policy.default_age_of_consent()}};
  for (const auto& [text, years] : policy.ages_of_consent()) {
    Region country;
    if (Region::Parse(text, &country)) ages.emplace(country, years);
  }
  return ages;
}

absl::Status AdvanceAges(const State& previous, const v1::Policy& next, Instant now, State* state) {
  std::map<Region, int> ages = AgesOf(next);
  const int by_default = ages.at(Region{});
  for (const auto& [country, unused] : previous.ages_of_consent) ages.emplace(country, by_default);
  for (const auto& [country, years] : ages) {
    auto before = previous.ages_of_consent.find(country);
    if (before == previous.ages_of_consent.end()) before = previous.ages_of_consent.find(Region{});
    domain::AgeOfConsent consent =
        before == previous.ages_of_consent.end() ? domain::AgeOfConsent(years) : before->second;
    consent.ChangeTo(years, now);
    if (consent.steps().size() > kMaxAgeSteps) return Exhausted("ages of consent of one country", kMaxAgeSteps);
    state->ages_of_consent.emplace(country, std::move(consent));
  }
  // The same as all others': not worth an entry unless the policy lists it.
  const domain::AgeOfConsent others = state->ages_of_consent.at(Region{});
  const std::map<Region, int> listed = AgesOf(next);
  for (auto at = state->ages_of_consent.begin(); at != state->ages_of_consent.end();) {
    at = listed.count(at->first) == 0 && at->second == others ? state->ages_of_consent.erase(at) : std::next(at);
  }
  return absl::OkStatus();
}

void AdvanceControls(const v1::Policy& next, domain::PurposeSet in_use, State* state) {
  for (auto& [name, control] : state->controls) control.covers = Without(control.covers, in_use);
  for (const v1::Control& control : next.controls()) {
    const auto number = static_cast<domain::ControlNumber>(state->controls.size() + 1);
    ControlState& entry = state->controls.emplace(control.name(), ControlState{number, {}, {}}).first->second;
    entry.last_listed = ToPurposeSet(control.purposes());
    entry.covers = Union(entry.covers, entry.last_listed);
  }
}

}  // namespace

absl::StatusOr<State> Advance(const State& previous, const Document& next, Instant now, const Document* replaced) {
  if (now.micros <= 0 || now > base::kLastInstant) {
    return absl::InvalidArgumentError("an activation needs a time within 1970 to 9999");
  }
  const v1::Policy& policy = next.policy();
  State state;
  state.activated_at = std::max(now, previous.activated_at);
  const domain::PurposeSet in_use = InUse(policy);
  for (const domain::Purpose p : domain::kAllPurposes) {
    const size_t i = static_cast<size_t>(p) - 1;
    const Instant before = previous.in_use_since[i];
    if (in_use.Has(p)) state.in_use_since[i] = before.IsSet() ? before : state.activated_at;
  }
  size_t new_notices = 0;
  for (const v1::Notice& notice : policy.notices()) {
    new_notices += previous.notices.count(notice.version()) == 0 ? 1 : 0;
  }
  if (previous.notices.size() + new_notices > kMaxNoticesEver) return Exhausted("notice versions", kMaxNoticesEver);
  state.notices = previous.notices;
  for (const v1::Notice& notice : policy.notices()) {
    state.notices.emplace(notice.version(), static_cast<domain::NoticeNumber>(state.notices.size() + 1));
  }
  size_t new_controls = 0;
  for (const v1::Control& control : policy.controls()) {
    new_controls += previous.controls.count(control.name()) == 0 ? 1 : 0;
  }
  if (previous.controls.size() + new_controls > kMaxControlsEver) return Exhausted("control names", kMaxControlsEver);
  state.controls = previous.controls;
  AdvanceControls(policy, in_use, &state);
  AdvanceRegions(previous, replaced, policy, state.activated_at, &state);
  AdvanceEndsOfOptOut(previous, policy, state.activated_at, &state);
  if (state.opt_out_since.size() > kMaxStateRegions) return Exhausted("regions", kMaxStateRegions);
  if (absl::Status ages = AdvanceAges(previous, policy, state.activated_at, &state); !ages.ok()) return ages;
  return state;
}

}  // namespace consent::policy
