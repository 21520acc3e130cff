// What the answers of one call add up to, for the metrics.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/base/bounds.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/rules.h"
#include "daemon/rpc/observer.h"

namespace consent::rpc {

// Counts the answers of one call, so that the observer is told once for each distinct one. Not thread-safe.
class Tally {
 public:
  void Add(const domain::Decision& decision) {
    ++counts_[Place(decision)];
    ++Asked(decision);
    decision.missing.ForEach([this](domain::MissingFact fact) { ++missing_[static_cast<size_t>(fact)]; });
  }
  // Of a yes that was added: it lacked no fact.
  void Remove(const domain::Decision& decision) {
    --counts_[Place(decision)];
    --Asked(decision);
  }
  void Report(domain::Purpose purpose, std::string_view caller, const domain::Rules& rules,
              RpcObserver& observer) const {
    if (purpose != domain::Purpose::kNone) ReportAsked(purpose, caller, rules, observer);
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      const size_t answer = i / domain::kReasons;
      observer.OnDecisions({purpose, static_cast<domain::Eligibility>(answer / kDispositions),
                            static_cast<domain::Disposition>(answer % kDispositions),
                            static_cast<domain::Reason>(i % domain::kReasons), counts_[i]});
    }
  }

 private:
  static constexpr size_t kEligibilities = 3;
  static constexpr size_t kDispositions = 4;
  static constexpr size_t kRegimes = 64;  // as many as a policy may have
  struct OfRegime {
    uint16_t eligible = 0;
    uint16_t not_eligible = 0;
  };
  uint16_t& Asked(const domain::Decision& decision) {
    OfRegime& asked = asked_[std::min<size_t>(decision.regime, asked_.size() - 1)];
    return decision.eligibility == domain::Eligibility::kEligible ? asked.eligible : asked.not_eligible;
  }
  void ReportAsked(domain::Purpose purpose, std::string_view caller, const domain::Rules& rules,
                   RpcObserver& observer) const {
    const size_t regimes = std::min(asked_.size(), rules.regimes.size());
    for (size_t regime = 0; regime < regimes; ++regime) {
      const OfRegime& asked = asked_[regime];
      if (asked.eligible == 0 && asked.not_eligible == 0) continue;
      observer.OnAsked({caller, purpose, rules.regimes[regime].name, asked.eligible, asked.not_eligible});
    }
    for (size_t fact = 0; fact < missing_.size(); ++fact) {
      if (missing_[fact] != 0) observer.OnMissingFact(caller, static_cast<domain::MissingFact>(fact), missing_[fact]);
    }
  }
  static size_t Place(const domain::Decision& decision) {
    const size_t answer =
        static_cast<size_t>(decision.eligibility) * kDispositions + static_cast<size_t>(decision.disposition);
    return answer * domain::kReasons + static_cast<size_t>(decision.FirstReason());
  }
  std::array<uint16_t, kEligibilities * kDispositions * domain::kReasons> counts_{};
  std::array<OfRegime, kRegimes> asked_{};
  std::array<uint16_t, domain::kMissingFacts> missing_{};
};
static_assert(base::kMaxBatch <= UINT16_MAX);

}  // namespace consent::rpc
