#include "daemon/service/state/subject_gauges.h"

namespace consent::service {
namespace {

template <typename Map, typename Key>
void AddTo(Map& counts, Key key, int64_t sign) {
  uint64_t& count = counts[key];
  count += static_cast<uint64_t>(sign);
  if (count == 0) counts.erase(key);
}

}  // namespace

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
  for (const domain::ScopeFacts& scope : facts.scopes) {
    for (const domain::PurposeChoice& choice : scope.choices) {
      if (choice.choice == domain::Choice::kGiven) AddTo(notices_, choice.notice, sign);
    }
    for (const domain::ControlRefusal& refusal : scope.refused_controls) AddTo(controls_, refusal.control, sign);
  }
}

void SubjectGauges::Merge(const SubjectGauges& other) {
  uint64_t subjects = 0;
  std::map<domain::Region, RegionCount> regions;
  std::map<domain::NoticeNumber, uint64_t> notices;
  std::map<domain::ControlNumber, uint64_t> controls;
  {
    base::MutexLock lock(other.mutex_);
    subjects = other.subjects_;
    regions = other.regions_;
    notices = other.notices_;
    controls = other.controls_;
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
  for (const auto& [notice, count] : notices) notices_[notice] += count;
  for (const auto& [control, count] : controls) controls_[control] += count;
}

std::vector<RegionCount> SubjectGauges::ByRegion() const {
  base::MutexLock lock(mutex_);
  std::vector<RegionCount> counts;
  for (const auto& [region, count] : regions_) counts.push_back(count);
  return counts;
}

std::set<domain::NoticeNumber> SubjectGauges::NoticesInUse() const {
  base::MutexLock lock(mutex_);
  std::set<domain::NoticeNumber> numbers;
  for (const auto& [notice, count] : notices_) numbers.insert(notice);
  return numbers;
}

std::set<domain::ControlNumber> SubjectGauges::ControlsRefused() const {
  base::MutexLock lock(mutex_);
  std::set<domain::ControlNumber> numbers;
  for (const auto& [control, count] : controls_) numbers.insert(control);
  return numbers;
}

uint64_t SubjectGauges::subjects() const {
  base::MutexLock lock(mutex_);
  return subjects_;
}

}  // namespace consent::service
