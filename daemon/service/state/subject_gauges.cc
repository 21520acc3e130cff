#include "daemon/service/state/subject_gauges.h"

namespace consent::service {
void SubjectGauges::Replace(const domain::SubjectFacts* before, const domain::SubjectFacts* after) {
  base::MutexLock lock(mutex_);
  if (before != nullptr) Count(*before, -1);
  if (after != nullptr) Count(*after, 1);
}

void SubjectGauges::Count(const domain::SubjectFacts& facts, int64_t sign) {
  subjects_ += static_cast<uint64_t>(sign);
  RegionCount& region = regions_[facts.region];
  region.region = facts.region;
  const domain::ScopeFacts& account = facts.account();
  for (int i = 0; i < domain::kPurposes; ++i) {
    domain::Choice choice = account.choices[i].choice;
    const bool everything = account.refused_all_since.IsSet() &&
                            (choice != domain::Choice::kGiven || account.choices[i].since <= account.refused_all_since);
    if (everything && !domain::SaysNo(choice)) choice = domain::Choice::kRefused;
    region.subjects[i][static_cast<size_t>(choice)] += static_cast<uint64_t>(sign);
  }
}

void SubjectGauges::Merge(const SubjectGauges& other) {
  uint64_t subjects = 0;
  std::map<domain::Region, RegionCount> regions;
  {
    base::MutexLock lock(other.mutex_);
    subjects = other.subjects_;
    regions = other.regions_;
  }
  base::MutexLock lock(mutex_);
  subjects_ += subjects;
  for (const auto& [region, count] : regions) {
    RegionCount& sum = regions_[region];
    sum.region = region;
    for (int p = 0; p < domain::kPurposes; ++p) {
      for (size_t c = 0; c < count.subjects[p].size(); ++c) sum.subjects[p][c] += count.subjects[p][c];
    }
  }
}

std::vector<RegionCount> SubjectGauges::ByRegion() const {
  base::MutexLock lock(mutex_);
  std::vector<RegionCount> counts;
  for (const auto& [region, count] : regions_) counts.push_back(count);
  return counts;
}

uint64_t SubjectGauges::subjects() const {
  base::MutexLock lock(mutex_);
  return subjects_;
}

}  // namespace consent::service
