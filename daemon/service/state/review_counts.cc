#include "daemon/service/state/review_counts.h"

namespace consent::service {
namespace {

template <typename E>
size_t At(E value) {
  return static_cast<size_t>(value);
}

// A row that no use has touched: it was written by the lease.
bool IsAsGiven(const domain::ReviewGrant& grant) {
  return grant.outcome == domain::ReviewOutcome::kNone && grant.opens == 0 && grant.redeems == 0 && !grant.renewed;
}

}  // namespace

void ReviewCounts::Expire(const base::TrustedClock& time) const {
  while (!by_end_.empty()) {
    const auto first = by_end_.begin();
    if (!time.IsOver({time.boot_id(), base::Span{first->first}})) return;
    const auto open = open_.find(first->second);
    if (open != open_.end() && time.IsOver(open->second.until)) {
      open_.erase(open);
      ++counted_.expired;
    }
    by_end_.erase(first);
  }
}

void ReviewCounts::Put(const std::string& key, const domain::ReviewGrant& grant, const base::TrustedClock& time) {
  if (grant.outcome != domain::ReviewOutcome::kNone || time.IsOver(grant.until)) return;
  const auto at = open_.find(key);
  if (at == open_.end() && by_end_.size() >= kMostOpen) return;
  if (at == open_.end() || at->second.until != grant.until) by_end_.emplace(grant.until.since.micros, key);
  open_.insert_or_assign(key, Open{grant.fence, grant.until, grant.opens, grant.redeems});
}

ReviewCounts::Use ReviewCounts::UseOf(const Open& before, const domain::ReviewGrant& grant) {
  if (grant.opens > before.opens) return Use::kOpen;
  if (grant.redeems > before.redeems) return Use::kRedeem;
  if (grant.outcome == domain::ReviewOutcome::kSubmitted) return Use::kSubmit;
  return grant.until != before.until ? Use::kRenew : Use::kNone;
}

ReviewCounts::Use ReviewCounts::Follow(const std::string& key, const domain::ReviewGrant& grant,
                                       const base::TrustedClock& time) {
  base::MutexLock lock(mutex_);
  Expire(time);
  auto at = open_.find(key);
  if (at != open_.end() && at->second.fence != grant.fence) {
    ++counted_.replaced;
    open_.erase(at);
    at = open_.end();
  }
  Use use = Use::kNone;
  if (at == open_.end()) {
    if (IsAsGiven(grant)) ++counted_.given;
  } else {
    use = UseOf(at->second, grant);
    ++counted_.uses[At(use)];
    if (grant.outcome != domain::ReviewOutcome::kNone) {
      ++counted_.ended[At(grant.outcome)];
      open_.erase(at);
    }
  }
  Put(key, grant, time);
  return use;
}

void ReviewCounts::Remove(const std::string& key) {
  base::MutexLock lock(mutex_);
  open_.erase(key);
}

void ReviewCounts::Fill(const std::string& key, const domain::ReviewGrant& grant, const base::TrustedClock& time) {
  base::MutexLock lock(mutex_);
  Put(key, grant, time);
}

ReviewCounts::Given ReviewCounts::Count(const base::TrustedClock& time) const {
  base::MutexLock lock(mutex_);
  Expire(time);
  Given counted = counted_;
  counted.open = open_.size();
  return counted;
}

void ReviewCounts::NoteRefusedLease(domain::LeaseRefusal refusal, domain::Reason reason) {
  if (refusal == domain::LeaseRefusal::kNotEligible) ++refused_reasons_[At(reason)];
  ++refused_leases_[At(refusal)];
}
void ReviewCounts::NoteRefusedUse(Use use, domain::GrantEnd end) { ++refused_uses_[At(use)][At(end)]; }
void ReviewCounts::NoteRefusedToken(domain::TokenEnd end) { ++refused_tokens_[At(end)]; }
void ReviewCounts::NoteUseAfterRestriction(Use use) { ++after_restriction_[At(use)]; }

uint64_t ReviewCounts::refused_leases(domain::LeaseRefusal refusal) const { return refused_leases_[At(refusal)]; }
uint64_t ReviewCounts::refused_leases(domain::Reason reason) const { return refused_reasons_[At(reason)]; }
uint64_t ReviewCounts::refused_uses(Use use, domain::GrantEnd end) const { return refused_uses_[At(use)][At(end)]; }
uint64_t ReviewCounts::refused_tokens(domain::TokenEnd end) const { return refused_tokens_[At(end)]; }
uint64_t ReviewCounts::uses_after_restriction(Use use) const { return after_restriction_[At(use)]; }

}  // namespace consent::service
