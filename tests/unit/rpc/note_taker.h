// An observer that remembers what it was told.
#pragma once

#include <optional>
#include <string>
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
  uint32_t item_errors_ GUARDED_BY(mutex_) = 0;
  std::vector<rpc::ChangeSeen> changes_ GUARDED_BY(mutex_);
  std::vector<Choice> choices_ GUARDED_BY(mutex_);
};

}  // namespace consent::test
