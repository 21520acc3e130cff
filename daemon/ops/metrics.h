// What the daemon counts as it happens. Nothing here can name a person: labels are enum values, RPC names and names of
// the policy, of the callers' file and of listeners.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/decision.h"
#include "daemon/ops/counters.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/rpc/observer.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

// Thread-safe. What a call costs: some relaxed additions to this thread's share of fixed arrays. Only writes, each of
// which waits for a disk anyway, take a lock and a look into a map.
class Metrics final : public rpc::RpcObserver {
 public:
  // `methods`: the RPCs to tell apart, at most kMaxMethods, most frequent first; any other is counted as "other". The
  // registry, which shows what writes are counted as, outlives it.
  Metrics(std::vector<std::string> methods, MetricRegistry& registry);

  void OnCall(const rpc::CallSeen& call) override;
  void OnDecisions(const rpc::DecisionsSeen& decisions) override;
  void OnItemErrors(uint32_t count) override;
  void OnUnknownRegions(uint32_t count) override;
  void OnChange(const rpc::ChangeSeen& change) override;
  void OnChoice(const rpc::ChoiceSeen& choice) override;

  // The families of calls and checks with what was counted so far. Series appear with their first event.
  std::vector<prometheus::MetricFamily> Collect() const;

  static constexpr size_t kMaxCallers = 64;  // told apart; the calls of any other are those of "other"
  static constexpr size_t kMaxMethods = 63;  // test_scrape sees it where the protos have more

 private:
  static constexpr size_t kMethods = kMaxMethods + 1;
  static constexpr size_t kCodes = 17;
  static constexpr size_t kPurposeCells = domain::kPurposes + 1;
  static constexpr size_t kOutcomes = 3 * 4;  // eligibility x disposition
  enum Single : size_t { kItemErrors, kUnknownRegions, kSingles };

  // kMaxCallers where it has no series: those that called first have one.
  size_t CallerIndex(std::string_view caller) EXCLUDES(naming_);
  size_t MethodIndex(std::string_view method) const;
  const std::string& MethodName(size_t index) const;
  void CollectCalls(std::vector<prometheus::MetricFamily>* families) const;
  void CollectCallers(std::vector<prometheus::MetricFamily>* families) const;
  void CollectDecisions(std::vector<prometheus::MetricFamily>* families) const;

  const std::vector<std::string> methods_;
  Counters<kMethods * kLatencyCells> latency_;
  Counters<kMethods * kCodes> codes_;
  Counters<(kMaxCallers + 1) * kCodes> callers_;
  std::array<std::atomic<const std::string*>, kMaxCallers> caller_names_{};  // in the order of their first calls
  base::Mutex naming_;
  std::deque<std::string> named_callers_ GUARDED_BY(naming_);
  Counters<kPurposeCells * kOutcomes * domain::kReasons> decisions_;
  Counters<kSingles> singles_;
  EventCounter& changes_;
  EventCounter& choices_;
  EventCounter& parts_;
  EventCounter& registrations_;
  EventCounter& flags_;
};

}  // namespace consent::ops
