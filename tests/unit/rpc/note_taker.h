// An observer that remembers what it was told.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/rpc/observer.h"

namespace consent::test {

class NoteTaker final : public rpc::RpcObserver {
 public:
  struct Call {
    std::string method;
    absl::StatusCode code;
    std::chrono::nanoseconds latency;
    bool slow;
    std::string reason;
    std::optional<base::TraceId> trace;
    std::string caller;
  };
  struct Asked {
    std::string caller;
    domain::Purpose purpose;
    std::string regime;
    uint32_t eligible;
    uint32_t not_eligible;
    bool operator==(const Asked&) const = default;
  };
  using Missing = std::map<std::pair<std::string, domain::MissingFact>, uint32_t>;
  struct Choice {
    rpc::ChoiceSeen seen;
    std::string control;
  };

  void OnCall(const rpc::CallSeen& call) override {
    base::MutexLock lock(mutex_);
    calls_.push_back({std::string(call.method), call.code, call.latency, call.slow, std::string(call.reason),
                      call.trace, std::string(call.caller)});
  }
  void OnDecisions(const rpc::DecisionsSeen& decisions) override {
    base::MutexLock lock(mutex_);
    decisions_.push_back(decisions);
  }
  void OnUnknownRegions(uint32_t) override {}
  void OnStarted(std::string_view method) override {
    base::MutexLock lock(mutex_);
    started_.emplace_back(method);
  }
  void OnAsked(const rpc::AskedSeen& asked) override {
    base::MutexLock lock(mutex_);
    asked_.push_back(
        {std::string(asked.caller), asked.purpose, std::string(asked.regime), asked.eligible, asked.not_eligible});
  }
  void OnMissingFact(std::string_view caller, domain::MissingFact fact, uint32_t count) override {
    base::MutexLock lock(mutex_);
    missing_[{std::string(caller), fact}] += count;
  }
  void OnItemErrors(uint32_t count) override {
    base::MutexLock lock(mutex_);
    item_errors_ += count;
  }
  void OnChange(const rpc::ChangeSeen& change) override {
    base::MutexLock lock(mutex_);
    changes_.push_back(change);
  }
  void OnChoice(const rpc::ChoiceSeen& choice) override {
    base::MutexLock lock(mutex_);
    choices_.push_back({choice, std::string(choice.control)});
  }

  std::vector<Call> calls() const {
    base::MutexLock lock(mutex_);
    return calls_;
  }
  std::vector<rpc::DecisionsSeen> decisions() const {
    base::MutexLock lock(mutex_);
    return decisions_;
  }
  std::vector<std::string> started() const {
    base::MutexLock lock(mutex_);
    return started_;
  }
  std::vector<Asked> asked() const {
    base::MutexLock lock(mutex_);
    return asked_;
  }
  Missing missing() const {
    base::MutexLock lock(mutex_);
    return missing_;
  }
  uint32_t item_errors() const {
    base::MutexLock lock(mutex_);
    return item_errors_;
  }
  std::vector<rpc::ChangeSeen> changes() const {
    base::MutexLock lock(mutex_);
    return changes_;
  }
  std::vector<Choice> choices() const {
    base::MutexLock lock(mutex_);
    return choices_;
  }

 private:
  mutable base::Mutex mutex_;
  std::vector<Call> calls_ GUARDED_BY(mutex_);
  std::vector<rpc::DecisionsSeen> decisions_ GUARDED_BY(mutex_);
  std::vector<std::string> started_ GUARDED_BY(mutex_);
  std::vector<Asked> asked_ GUARDED_BY(mutex_);
  Missing missing_ GUARDED_BY(mutex_);
  uint32_t item_errors_ GUARDED_BY(mutex_) = 0;
  std::vector<rpc::ChangeSeen> changes_ GUARDED_BY(mutex_);
  std::vector<Choice> choices_ GUARDED_BY(mutex_);
};

}  // namespace consent::test
