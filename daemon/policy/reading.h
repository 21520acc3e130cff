// How the fields of a valid policy are read together. Internal to this folder; pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "consent/v1/policy.pb.h"
#include "daemon/domain/deadlines.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::policy {

// Every country, every site.
inline constexpr const char* kAny = "*";

// Of a valid policy that outlives it. Immutable; thread-safe.
class RegimeIndex {
 public:
  explicit RegimeIndex(const v1::Policy& policy);

  bool Names(domain::Region region) const { return named_.count(region) != 0; }
  // Index into the policy's regimes: the subdivision's, else its country's, else unknown's. Of an unset region
  // unknown's.
  int For(domain::Region region) const;
  bool OptOut(domain::Region region) const;
  int unknown() const { return unknown_; }
  // Every region that the policy names, and the index of its regime.
  const std::map<domain::Region, int>& named() const { return named_; }

 private:
  const v1::Policy& policy_;
  std::map<domain::Region, int> named_;
  int unknown_ = 0;
};

// Of a year within 1970 to 9999, cut to microseconds and at base::kLastInstant.
base::Instant ToInstant(const google::protobuf::Timestamp& time);
// What a policy means that says nothing of it: before any such service.
base::Instant ServiceBeganAt(const v1::Policy& policy);
// What a policy means that says nothing of it, included.
int BackupKeepDays(const v1::Policy& policy);
int DecisionLogKeepMonths(const v1::Policy& policy);
int SafetyAcknowledgeHours(const v1::Policy& policy);
int SafetyHandleHours(const v1::Policy& policy);
// By version, for each notice that another supersedes: the earliest valid_from of all those others.
std::map<std::string, base::Instant> SupersededFrom(const v1::Policy& policy);

// Whose days count beside UTC's; none where the regime names none. Where the machine's database does not have the zone
// (any more): the two ends of the world, so that no deadline is later than by the zone.
std::vector<base::TimeZone> ZonesOf(const v1::Regime& regime);
// Days after a no before somebody may be asked again; the domain's where the regime states none.
int AskAgainDays(const v1::Regime& regime);
// The periods of a valid regime, without its holidays and zones; the domain's where it states none.
domain::DeadlineRules PeriodsOf(const v1::Regime& regime);
// The dates of the calendar of that name, sorted; none where `name` is empty.
std::vector<base::Date> HolidaysOf(const v1::Policy& policy, const std::string& name);

// Which loosenings take one person; the domain's, which is none, where the policy states nothing.
domain::Approvals ApprovalsOf(const v1::Policy& policy);
std::vector<domain::ReviewCaps> ReviewCapsOf(const v1::Policy& policy);
domain::PurposeSet InUse(const v1::Policy& policy);
template <typename Purposes>
domain::PurposeSet ToPurposeSet(const Purposes& purposes) {
  domain::PurposeSet set;
  for (const int p : purposes) set.Add(static_cast<domain::Purpose>(p));
  return set;
}
constexpr domain::PurposeSet Union(domain::PurposeSet a, domain::PurposeSet b) {
  return {static_cast<uint16_t>(a.bits | b.bits)};
}
constexpr domain::PurposeSet Both(domain::PurposeSet a, domain::PurposeSet b) {
  return {static_cast<uint16_t>(a.bits & b.bits)};
}
constexpr domain::PurposeSet Without(domain::PurposeSet a, domain::PurposeSet b) {
  return {static_cast<uint16_t>(a.bits & ~b.bits)};
}

}  // namespace consent::policy
