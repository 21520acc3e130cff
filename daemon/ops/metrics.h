// What the daemon counts as it happens. Nothing here can name a person: labels are enum values, RPC names and names of
// the policy, of the callers' file and of listeners.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/domain/decision.h"
#include "daemon/domain/types.h"
#include "daemon/ops/counters.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/ops/name_table.h"
#include "daemon/rpc/observer.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

// Whose series are shown before anything happened, so that a first event is an increase.
struct ExpectedLabels {
  struct Caller {
    std::string name;
    bool may_check = false;
    bool operator==(const Caller&) const = default;
  };
  std::vector<Caller> callers;
  std::vector<std::string> regimes;   // of the policy in force
  std::vector<std::string> controls;  // the same
  domain::PurposeSet purposes;        // in use
  bool operator==(const ExpectedLabels&) const = default;
};

// Thread-safe. What a call costs: some relaxed additions to this thread's share of fixed arrays. Only writes, each of
// which waits for a disk anyway, take a lock and a look into a map.
class Metrics final : public rpc::RpcObserver {
 public:
  // `methods`: the RPCs to tell apart ("consent.v1.EligibilityService/Check"), at most kMaxMethods, most frequent
  // first; any other is counted as "unknown". The registry, which shows what writes are counted as, outlives it.
  Metrics(std::vector<std::string> methods, MetricRegistry& registry);

  void OnStarted(std::string_view method) override;
  void OnCall(const rpc::CallSeen& call) override;
  void OnDecisions(const rpc::DecisionsSeen& decisions) override;
  void OnAsked(const rpc::AskedSeen& asked) override;
  void OnMissingFact(std::string_view caller, domain::MissingFact fact, uint32_t count) override;
  void OnItemErrors(uint32_t count) override;
  void OnUnknownRegions(uint32_t count) override;
  void OnChange(const rpc::ChangeSeen& change) override;
  void OnChoice(const rpc::ChoiceSeen& choice) override;

  // From now on the series of these labels are shown, with what was counted so far. One thread at a time, which is that
  // of Collect.
  void Expect(ExpectedLabels labels);
  // The families of calls and checks with what was counted so far.
  std::vector<prometheus::MetricFamily> Collect() const;

  static constexpr size_t kMaxCallers = 64;   // told apart; the calls of any other are those of "other"
  static constexpr size_t kMaxRegimes = 16;   // the same
  static constexpr size_t kMaxMethods = 127;  // test_scrape sees it where the protos have more

 private:
  static constexpr size_t kMethods = kMaxMethods + 1;
  static constexpr size_t kCodes = 17;
  static constexpr size_t kPurposeCells = domain::kPurposes + 1;
  static constexpr size_t kOutcomes = 3 * 4;  // eligibility x disposition
  static constexpr size_t kRegimeCells = kMaxRegimes + 1;
  enum Single : size_t { kItemErrors, kUnknownRegions, kSingles };

  size_t MethodIndex(std::string_view method) const;
  void CollectCalls(std::vector<prometheus::MetricFamily>* families) const;
  void CollectCallers(std::vector<prometheus::MetricFamily>* families) const;
  void CollectDecisions(std::vector<prometheus::MetricFamily>* families) const;
  void CollectAsked(std::vector<prometheus::MetricFamily>* families) const;
  // The name of a caller's number; the flag is set where it may check, as far as is known.
  std::string CallerName(size_t caller) const;
  bool MayCheck(size_t caller) const;
  bool IsExpectedRegime(size_t regime) const;
  static size_t AskedCell(size_t caller, size_t purpose, size_t regime) {
    return ((caller * kPurposeCells + purpose) * kRegimeCells + regime) * 2;
  }

  const std::vector<std::string> methods_;
  const std::vector<bool> reads_;  // by number: the protos say that it changes nothing
  Counters<kMethods> started_;
  Counters<kMethods * kLatencyCells> latency_;
  Counters<kMethods * kCodes> codes_;
  Counters<(kMaxCallers + 1) * kCodes> callers_;
  NameTable<kMaxCallers> caller_names_;
  NameTable<kMaxRegimes> regime_names_;
  Counters<kPurposeCells * kOutcomes * domain::kReasons> decisions_;
  Counters<(kMaxCallers + 1) * kPurposeCells * kRegimeCells * 2> asked_;  // eligible, then not
  Counters<(kMaxCallers + 1) * domain::kMissingFacts> missing_;
  Counters<kSingles> singles_;
  ExpectedLabels expected_;
  EventCounter& changes_;
  EventCounter& choices_;
  EventCounter& opt_outs_;
  EventCounter& parts_;
  EventCounter& registrations_;
  EventCounter& flags_;
};

}  // namespace consent::ops
