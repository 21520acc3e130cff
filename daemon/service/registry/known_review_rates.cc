#include "daemon/service/registry/known_review_rates.h"

#include <set>

#include "daemon/service/rows/read_errors.h"

namespace consent::service {

bool KnownReviewRates::Take(std::string_view key, std::string_view value, bool is_new_commit) {
  if (key.empty()) return true;
  if (key[0] == kHeardCounts) {
    HeardCount of;
    uint64_t heard = 0;
    if (!ReadHeardCountKey(key, &of) || !DecodeHeardCount(value, &heard)) return false;
    base::MutexLock lock(mutex_);
    // Each commit that writes such a row counts one more.
    heard_[{of.month, of.purpose, of.country}] += is_new_commit ? 1 : heard;
  }
  if (key[0] == kPopulations) {
    PopulationOf of;
    HourCounts hours;
    if (!ReadPopulationKey(key, &of) || !DecodePopulation(value, &hours)) return false;
    base::MutexLock lock(mutex_);
    populations_[of.month].insert_or_assign(std::string(key), std::pair(of.country, SumOf(hours)));
  }
  return true;
}

// Only whole months go.
void KnownReviewRates::Forget(std::string_view key) {
  HeardCount heard;
  PopulationOf population;
  base::MutexLock lock(mutex_);
  if (ReadHeardCountKey(key, &heard)) heard_.erase({heard.month, heard.purpose, heard.country});
  if (ReadPopulationKey(key, &population)) populations_.erase(population.month);
}

bool KnownReviewRates::Follow(const store::Committed& committed) {
  for (const store::Write& write : committed.writes) {
    if (write.table != store::Table::kReview) continue;
    if (!write.value.has_value()) {
      Forget(write.key);
    } else if (!Take(write.key, *write.value, true)) {
      return false;
    }
  }
  return true;
}

absl::Status KnownReviewRates::Fill(const Core& core) {
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    for (const char kind : {kHeardCounts, kPopulations}) {
      bool is_whole = true;
      const absl::Status scanned = core.store.Scan({number}, store::Table::kReview, std::string(1, kind),
                                                   std::string(1, static_cast<char>(kind + 1)), SIZE_MAX,
                                                   [&](std::string_view key, std::string_view value) {
                                                     is_whole = Take(key, value, false);
                                                     return is_whole;
                                                   });
      if (!scanned.ok()) return StoreUnreadable();
      if (!is_whole) return DamagedRow("a count of reviews");
    }
  }
  return absl::OkStatus();
}

std::vector<HeardShare> KnownReviewRates::Of(base::Month month, const domain::Rules& rules) const {
  std::map<std::pair<domain::Purpose, domain::Region>, uint64_t> heard;
  std::map<domain::Region, uint64_t> utterances;
  {
    base::MutexLock lock(mutex_);
    for (auto at = heard_.lower_bound({month, domain::Purpose::kNone, domain::Region{}});
         at != heard_.end() && std::get<0>(at->first) == month; ++at) {
      heard[{std::get<1>(at->first), std::get<2>(at->first)}] = at->second;
    }
    if (const auto of_month = populations_.find(month); of_month != populations_.end()) {
      for (const auto& [key, population] : of_month->second) utterances[population.first] += population.second;
    }
  }
  for (const domain::ReviewCaps& caps : rules.review_caps) {
    for (const auto& [country, unused] : utterances) heard.try_emplace({caps.purpose, country}, 0);
  }
  std::vector<HeardShare> all;
  for (const auto& [of, count] : heard) {
    const domain::ReviewCaps* caps = rules.FindReviewCaps(of.first);
    const auto population = utterances.find(of.second);
    all.push_back({of.first, of.second, count, population == utterances.end() ? 0 : population->second,
                   caps == nullptr ? 0 : PartsPerMillion(*caps, of.second)});
  }
  return all;
}

}  // namespace consent::service
