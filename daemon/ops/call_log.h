// Calls that an operator may have to look for: one line for each that was refused, failed or was slow, with the trace
// that its caller named.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/base/mutex.h"
#include "daemon/base/trace_id.h"
#include "daemon/domain/decision.h"
#include "daemon/ops/log.h"
#include "daemon/rpc/observer.h"

namespace consent::ops {

// Lets through as many lines at once as a burst has, then one each interval. Used by one thread at a time.
class LineBudget {
 public:
  static constexpr int kBurst = 20;
  static constexpr std::chrono::seconds kInterval{1};

  // Whether one more line may be written at `now`; counts it where not.
  bool Take(std::chrono::steady_clock::time_point now);
  // How many were not let through since the last one that was.
  uint64_t left_out() const { return left_out_; }
  void LeaveOut() { ++left_out_; }
  void Reset() { left_out_ = 0; }

 private:
  std::chrono::steady_clock::time_point next_{};  // when the budget is whole again, less a burst
  uint64_t left_out_ = 0;
};

// Hears what the RPCs tell, passes it on, and writes lines on a thread of its own, because standard error may let it
// wait and gRPC's threads must not. Calls that are answered in time leave no line.
//
// There are two budgets, so that a flood of refused calls hides no failure: one for what was refused for the caller's
// sake, one for what failed or was slow for the daemon's. Each writes at most 20 lines at once and one a second after
// that: under 60 MB a day together. `left_out` says how many lines of its kind are missing before this one.
// Thread-safe. The destructor writes what waits.
class CallLog final : public rpc::RpcObserver {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;

  // The references outlive it.
  CallLog(Log& log, rpc::RpcObserver& next, Now now = std::chrono::steady_clock::now);
  ~CallLog() override;
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;

  void OnCall(const rpc::CallSeen& call) override EXCLUDES(mutex_);
  void OnStarted(std::string_view method) override { next_.OnStarted(method); }
  void OnDecisions(const rpc::DecisionsSeen& decisions) override { next_.OnDecisions(decisions); }
  void OnAsked(const rpc::AskedSeen& asked) override { next_.OnAsked(asked); }
  void OnMissingFact(std::string_view caller, domain::MissingFact fact, uint32_t count) override {
    next_.OnMissingFact(caller, fact, count);
  }
  void OnItemErrors(uint32_t count) override { next_.OnItemErrors(count); }
  void OnUnknownRegions(uint32_t count) override { next_.OnUnknownRegions(count); }
  void OnChange(const rpc::ChangeSeen& change) override { next_.OnChange(change); }
  void OnChoice(const rpc::ChoiceSeen& choice) override { next_.OnChoice(choice); }

 private:
  enum class Kind : uint8_t { kFailed, kSlow, kRefused };
  struct Line {
    Kind kind = Kind::kFailed;
    std::string method;
    std::string caller;
    absl::StatusCode code = absl::StatusCode::kUnknown;
    std::string reason;
    std::chrono::nanoseconds latency{};
    std::optional<base::TraceId> trace;
    uint64_t left_out = 0;
  };
  static Kind KindOf(const rpc::CallSeen& call);
  void Write() EXCLUDES(mutex_);
  void Write(const Line& line);

  Log& log_;
  rpc::RpcObserver& next_;
  const Now now_;
  base::Mutex mutex_;
  base::CondVar wake_;
  LineBudget refused_ GUARDED_BY(mutex_);
  LineBudget failed_ GUARDED_BY(mutex_);  // or slow
  std::deque<Line> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread writer_;  // last
};

}  // namespace consent::ops
