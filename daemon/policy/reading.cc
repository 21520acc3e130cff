#include "daemon/policy/reading.h"

#include <algorithm>

namespace consent::policy {

RegimeIndex::RegimeIndex(const v1::Policy& policy) : policy_(policy) {
  for (int i = 0; i < policy.regimes_size(); ++i) {
    if (policy.regimes(i).name() == policy.unknown_region_regime()) unknown_ = i;
    for (const std::string& text : policy.regimes(i).regions()) {
      domain::Region region;
      if (domain::Region::Parse(text, &region)) named_.emplace(region, i);
    }
  }
}

int RegimeIndex::For(domain::Region region) const {
  if (const auto at = named_.find(region); at != named_.end()) return at->second;
  if (const auto at = named_.find(region.Country()); at != named_.end()) return at->second;
  return unknown_;
}

bool RegimeIndex::OptOut(domain::Region region) const {
  return policy_.regimes(For(region)).default_rule() == v1::DEFAULT_RULE_OPT_OUT;
}

base::Instant ToInstant(const google::protobuf::Timestamp& time) {
  return std::min(base::Instant{time.seconds() * 1'000'000 + time.nanos() / 1'000}, base::kLastInstant);
}

std::map<std::string, base::Instant> SupersededFrom(const v1::Policy& policy) {
  std::map<std::string, base::Instant> superseded;
  for (const v1::Notice& notice : policy.notices()) {
    for (const std::string& other : notice.supersedes()) {
      base::Instant& from = superseded.emplace(other, base::kEndOfTime).first->second;
      from = std::min(from, ToInstant(notice.valid_from()));
    }
  }
  return superseded;
}

domain::PurposeSet InUse(const v1::Policy& policy) { return ToPurposeSet(policy.purposes()); }

}  // namespace consent::policy
