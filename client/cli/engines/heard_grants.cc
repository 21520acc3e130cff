#include "client/cli/engines/heard_grants.h"

#include <utility>

namespace consent::cli {

void HeardGrants::Add(const std::string& grant_id, uint64_t line, Time at) {
  by_id_[grant_id].played.push_back({line, at});
}

absl::Status HeardGrants::Ask(Client& client) {
  GrantQuery query;
  const auto ask = [&]() -> absl::Status {
    const absl::StatusOr<GrantPage> page = client.reviews().ListGrants(query);
    if (!page.ok()) return page.status();
    for (const GrantShown& grant : page->grants) {
      const auto of = by_id_.find(grant.grant_id);
      if (of == by_id_.end()) continue;
      of->second.is_known = true;
      of->second.grant = grant;
    }
    query.grant_ids.clear();
    return absl::OkStatus();
  };
  for (const auto& [id, of] : by_id_) {
    if (of.is_known) continue;
    query.grant_ids.push_back(id);
    if (query.grant_ids.size() < kMaxNamedGrants) continue;
    if (absl::Status s = ask(); !s.ok()) return s;
  }
  return query.grant_ids.empty() ? absl::OkStatus() : ask();
}

// A token that was given at a grant's last moment may be shown for its own time.
void HeardGrants::Judge(const OfGrant& of, std::map<uint64_t, std::pair<HeardProblem, std::string>>* wrong) const {
  // A data system that cannot call tells nobody what it gave out; each opening for it is good for one play.
  const uint64_t given_out = uint64_t{of.grant.redeems} + of.grant.offline_opens;
  uint64_t in_time = 0;
  for (const Played& played : of.played) {
    const GrantShown& grant = of.grant;
    if (!of.is_known) {
      (*wrong)[played.line] = {HeardProblem::kWithoutGrant, "no grant on record has this id"};
    } else if (!grant.given_at.has_value() || !grant.expires_at.has_value() || played.at < *grant.given_at - skew_ ||
               played.at > *grant.expires_at + kMediaTokenLife + skew_) {
      (*wrong)[played.line] = {HeardProblem::kOutOfTime, "it was played before its grant was given, or after its end"};
    } else if (++in_time > given_out) {
      (*wrong)[played.line] = {
          HeardProblem::kTooOften,
          "it is played more often than bytes were given out under its grant: " + std::to_string(given_out)};
    }
  }
}

absl::Status HeardGrants::Check(const std::vector<Client*>& clients, const HeardSink& sink) {
  for (Client* const client : clients) {
    if (absl::Status s = Ask(*client); !s.ok()) return s;
  }
  std::map<uint64_t, std::pair<HeardProblem, std::string>> wrong;
  for (const auto& [id, of] : by_id_) Judge(of, &wrong);
  for (const auto& [line, what] : wrong) sink(line, what.first, what.second);
  return absl::OkStatus();
}

}  // namespace consent::cli
