// What the daemon counts as it happens. Nothing here can name a person: labels are enum values, RPC names and names of
// the policy.
#pragma once

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/decision.h"
#include "daemon/ops/counters.h"
#include "daemon/rpc/observer.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

// Thread-safe. What a call costs: some relaxed additions to this thread's share of fixed arrays; only choices that
// users make, each of which waits for a disk anyway, take a lock and a look into a map.
class Metrics final : public rpc::RpcObserver {
 public:
  // `methods`: the RPCs to tell apart, at most kMaxMethods, most frequent first; any other is counted as "other".
  explicit Metrics(std::vector<std::string> methods);

  void OnCall(const rpc::CallSeen& call) override;
  void OnDecisions(const rpc::DecisionsSeen& decisions) override;
  void OnItemErrors(uint32_t count) override;
  void OnUnknownRegions(uint32_t count) override;
  void OnChange(const rpc::ChangeSeen& change) override;
  void OnChoice(const rpc::ChoiceSeen& choice) override;
  // A reload of the policy was asked for and did or did not end with the file's policy in force.
  void OnPolicyReload(bool ok);

  // All families with what was counted so far. Series appear with their first event, those of reloads and item errors
  // at once.
  std::vector<prometheus::MetricFamily> Collect() const;

  static constexpr size_t kMaxMethods = 31;
  // Distinct choice series; what goes beyond is counted under the control "other".
  static constexpr size_t kMaxChoiceSeries = 2048;

 private:
  static constexpr size_t kMethods = kMaxMethods + 1;
  static constexpr size_t kCodes = 17;
  static constexpr size_t kPurposeCells = domain::kPurposes + 1;
  static constexpr size_t kOutcomes = 3 * 4;  // eligibility x disposition
  static constexpr size_t kChannels = 7;
  static constexpr size_t kKinds = 11;
  enum Single : size_t {
    kItemErrors,
    kUnknownRegions,
    kReloadsOk,
    kReloadsFailed,
    kRegistrations,
    kPartsChanged,
    kPartsUnchanged,
    kPartsRefused,
    kFlags
  };
  // control or purpose, on, channel, result
  using ChoiceKey = std::tuple<std::string, bool, domain::Channel, const char*>;

  size_t MethodIndex(std::string_view method) const;
  const std::string& MethodName(size_t index) const;
  void CollectCalls(std::vector<prometheus::MetricFamily>* families) const;
  void CollectDecisions(std::vector<prometheus::MetricFamily>* families) const;
  void CollectChanges(std::vector<prometheus::MetricFamily>* families) const;
  void CollectSingles(std::vector<prometheus::MetricFamily>* families) const;

  const std::vector<std::string> methods_;
  Counters<kMethods * kLatencyCells> latency_;
  Counters<kMethods * kCodes> codes_;
  Counters<kPurposeCells * kOutcomes * domain::kReasons> decisions_;
  Counters<kKinds * kChannels> changes_;
  Counters<kFlags + 4> singles_;
  mutable base::Mutex mutex_;
  std::map<ChoiceKey, uint64_t> choices_ GUARDED_BY(mutex_);
};

}  // namespace consent::ops
