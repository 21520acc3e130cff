#include "daemon/service/state/subject_gauges.h"

#include "daemon/domain/effective.h"

namespace consent::service {
namespace {

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
// Whoever was born before it was an adult by every age that a policy may name long before there was this program: 1
// January 2000.
constexpr base::Date kSurelyAdult{10'957};

int64_t DayOf(base::Instant time) { return time.micros / kDay; }

// Adds to the entry, which goes where nothing is left.
template <typename Key>
void AddTo(std::map<Key, uint64_t>* counts, const Key& key, int64_t sign) {
  const auto at = counts->try_emplace(key, 0).first;
  at->second += static_cast<uint64_t>(sign);
  if (at->second == 0) counts->erase(at);
}

template <typename Key>
void MergeInto(std::map<Key, uint64_t>* sums, const std::map<Key, uint64_t>& counts) {
  for (const auto& [key, count] : counts) (*sums)[key] += count;
}

// What is refused as a whole: it counts for each purpose that was not given later.
bool IsRefusedAsAWhole(const domain::ScopeFacts& scope, const domain::PurposeChoice& choice) {
  return scope.refused_all_since.IsSet() &&
         (choice.choice != domain::Choice::kGiven || choice.since <= scope.refused_all_since);
}

}  // namespace

void SubjectGauges::Replace(const domain::SubjectFacts* before, const domain::SubjectFacts* after) {
  base::MutexLock lock(mutex_);
  if (before != nullptr) Count(*before, -1);
  if (after != nullptr) Count(*after, 1);
}

void SubjectGauges::Count(const domain::SubjectFacts& facts, int64_t sign) {
  subjects_ += static_cast<uint64_t>(sign);
  // What it chose, and who lives there, is the joined account's.
  if (facts.join == domain::JoinState::kAlias) return;
  RegionCount& region = regions_[facts.region];
  region.region = facts.region;
  const domain::ScopeFacts& account = facts.account();
  for (int i = 0; i < domain::kPurposes; ++i) {
    domain::Choice choice = account.choices[i].choice;
    if (IsRefusedAsAWhole(account, account.choices[i]) && !domain::SaysNo(choice)) choice = domain::Choice::kRefused;
    region.subjects[i][static_cast<size_t>(choice)] += static_cast<uint64_t>(sign);
  }
  const bool is_closed = facts.closed_at.IsSet() && !facts.reopened_at.IsSet();
  if (is_closed) return;
  for (const domain::ScopeFacts& scope : facts.scopes) {
    CountConsents(scope, sign);
    if (scope.kind == domain::ScopeKind::kProfile && scope.registered) CountChild(facts.region, scope, sign);
  }
}

void SubjectGauges::CountChild(domain::Region region, const domain::ScopeFacts& profile, int64_t sign) {
  const domain::Age& age = profile.age;
  // Whose age was corrected is an adult since that stamp alone, which may lie ahead of now.
  const bool is_adult = age.kind == domain::AgeKind::kAdult && !age.born_before.has_value();
  if (is_adult && !age.adult_since.IsSet()) return;
  const bool is_old = age.kind == domain::AgeKind::kBorn && age.born < kSurelyAdult;
  if (is_old && !age.adult_since.IsSet() && (!age.born_before.has_value() || *age.born_before < kSurelyAdult)) return;
  AddTo(&children_,
        Child{region, age.kind, age.born, age.adult_since, age.born_before, profile.guardian.IsSet(),
              profile.last_active, profile.inactivity_notice},
        sign);
}

void SubjectGauges::CountConsents(const domain::ScopeFacts& scope, int64_t sign) {
  for (size_t i = 0; i < scope.choices.size(); ++i) {
    const auto of = [&scope](size_t index) {
      const domain::PurposeChoice& choice = scope.choices[index];
      const bool counts =
          choice.choice == domain::Choice::kGiven && !choice.has_ended && !IsRefusedAsAWhole(scope, choice);
      return counts ? std::optional(Consent{choice.notice, DayOf(choice.LastGiven())}) : std::nullopt;
    };
    const std::optional<Consent> consent = of(i);
    bool is_counted = !consent.has_value();
    for (size_t earlier = 0; earlier < i && !is_counted; ++earlier) is_counted = of(earlier) == consent;
    if (!is_counted) AddTo(&consents_, *consent, sign);
  }
}

void SubjectGauges::Merge(const SubjectGauges& other) {
  uint64_t subjects = 0;
  std::map<domain::Region, RegionCount> regions;
  std::map<Child, uint64_t> children;
  std::map<Consent, uint64_t> consents;
  {
    base::MutexLock lock(other.mutex_);
    subjects = other.subjects_;
    regions = other.regions_;
    children = other.children_;
    consents = other.consents_;
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
  MergeInto(&children_, children);
  MergeInto(&consents_, consents);
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

// As the rule counts (R3, E1 and E4), but for the regions of single recordings.
void SubjectGauges::CountChildNow(const Child& child, uint64_t count, const domain::Rules& rules, const base::Now& now,
                                  ChildCount* sum) {
  const domain::Age age{child.kind, child.born, child.adult_since, child.born_before};
  if (domain::AdultFrom(age, rules.AgeOfConsentIn(child.region)) <= now.latest) return;
  sum->children += count;
  if (!child.has_guardian) sum->unguarded += count;
  if (!child.last_active.IsSet()) return;
  const domain::Regime& regime = rules.regimes[rules.ForRegion(child.region).regime];
  const base::Instant inactive_from = base::AddMonths(child.last_active, regime.child_inactive_months);
  if (inactive_from > now.latest) return;
  if (!child.notice.IsSet() || child.notice < inactive_from) {
    sum->inactive_without_notice += count;
  } else if (now.earliest.IsSet() && child.notice + regime.child_notice_period <= now.earliest) {
    sum->purge_due += count;
  }
}

std::map<std::string, ChildCount> SubjectGauges::Children(const domain::Rules& rules, const base::Now& now) const {
  std::map<std::string, ChildCount> counts;
  for (const domain::Regime& regime : rules.regimes) counts.try_emplace(regime.name);
  ChildCount* sum = nullptr;
  std::optional<domain::Region> of;
  base::MutexLock lock(mutex_);
  for (const auto& [child, count] : children_) {  // those of a region one after another
    if (of != child.region) {
      of = child.region;
      sum = &counts[rules.regimes[rules.ForRegion(child.region).regime].name];
    }
    CountChildNow(child, count, rules, now, sum);
  }
  return counts;
}

std::map<std::string, uint64_t> SubjectGauges::ConsentsEnding(const domain::Rules& rules, base::Instant now,
                                                              int days) const {
  std::map<std::string, uint64_t> counts;
  const int64_t today = DayOf(now);
  base::MutexLock lock(mutex_);
  for (const domain::Notice& notice : rules.notices) {
    if (notice.consent_lifetime_months == 0) continue;
    uint64_t& ending = counts[notice.version];
    for (auto at = consents_.lower_bound({notice.number, INT64_MIN});
         at != consents_.end() && at->first.first == notice.number; ++at) {
      // Its last day by the calendar: the hour makes no difference to it.
      const base::Instant noon{at->first.second * kDay + kDay / 2};
      const int64_t last = DayOf(base::AddMonths(noon, notice.consent_lifetime_months));
      if (last >= today && last - today <= days) ending += at->second;
    }
  }
  return counts;
}

}  // namespace consent::service
