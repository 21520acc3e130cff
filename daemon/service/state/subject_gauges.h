// How many subjects chose what, which children there are and which consents end when: the gauges. Follows the subjects'
// records; rebuilt when the index is filled, so it survives a restart.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::service {

// Account-level choices of the registered and unregistered subjects of one region.
struct RegionCount {
  domain::Region region;
  // [purpose - 1][choice]; refusals of everything are folded in, those of controls are written per purpose when made.
  std::array<std::array<uint64_t, 4>, domain::kPurposes> subjects{};
};

// Profiles of open accounts who are children, by the rules and the time that they are asked of, of one regime.
struct ChildCount {
  uint64_t children = 0;
  uint64_t unguarded = 0;                // no guardian is named
  uint64_t inactive_without_notice = 0;  // for as long as the regime says, and no notice went out since
  uint64_t purge_due = 0;                // the notice's period is surely over
};

// Thread-safe.
class SubjectGauges {
 public:
  // Counts `after` in and `before` out; nullptr: was, or is, not there.
  void Replace(const domain::SubjectFacts* before, const domain::SubjectFacts* after);
  // Adds all that the other counted; for filling from several threads.
  void Merge(const SubjectGauges& other);
  std::vector<RegionCount> ByRegion() const;
  uint64_t subjects() const;
  // By regime, of which each has an entry. By the regime of where the account lives: what the regions of single
  // recordings make stricter is not in it. Walks all children: 0.1 µs each.
  std::map<std::string, ChildCount> Children(const domain::Rules& rules, const base::Now& now) const;
  // Consents whose lifetime ends on the UTC day of `now` or on one of the `days` days after it, by version of their
  // notice; each notice of the policy that ends consents has an entry. One for each scope and day on which it was given
  // or renewed, however many purposes it is for.
  std::map<std::string, uint64_t> ConsentsEnding(const domain::Rules& rules, base::Instant now, int days) const;

 private:
  // What tells children apart as far as Children asks. Adults whom nobody takes for a child are none.
  struct Child {
    domain::Region region;
    domain::AgeKind kind = domain::AgeKind::kUnknown;
    base::Date born;
    base::Instant adult_since;
    std::optional<base::Date> born_before;
    bool has_guardian = false;
    base::Instant last_active;
    base::Instant notice;
    auto operator<=>(const Child&) const = default;
  };
  // The notice, and the UTC day on which the consent was given last.
  using Consent = std::pair<domain::NoticeNumber, int64_t>;

  void Count(const domain::SubjectFacts& facts, int64_t sign) REQUIRES(mutex_);
  void CountChild(domain::Region region, const domain::ScopeFacts& profile, int64_t sign) REQUIRES(mutex_);
  void CountConsents(const domain::ScopeFacts& scope, int64_t sign) REQUIRES(mutex_);
  static void CountChildNow(const Child& child, uint64_t count, const domain::Rules& rules, const base::Now& now,
                            ChildCount* sum);

  mutable base::Mutex mutex_;
  uint64_t subjects_ GUARDED_BY(mutex_) = 0;
  std::map<domain::Region, RegionCount> regions_ GUARDED_BY(mutex_);
  std::map<Child, uint64_t> children_ GUARDED_BY(mutex_);
  std::map<Consent, uint64_t> consents_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
