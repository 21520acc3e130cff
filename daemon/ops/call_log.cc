#include "daemon/ops/call_log.h"

#include <algorithm>
#include <utility>

namespace consent::ops {
namespace {

// Standard error that takes nothing for so long loses lines, and they are counted.
constexpr size_t kMostWaiting = 64;

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

}  // namespace

bool LineBudget::Take(std::chrono::steady_clock::time_point now) {
  next_ = std::max(next_, now - kBurst * kInterval);
  if (next_ + kInterval > now) {
    ++left_out_;
    return false;
  }
  next_ += kInterval;
  return true;
}

CallLog::CallLog(Log& log, rpc::RpcObserver& next, Now now)
    : log_(log), next_(next), now_(std::move(now)), writer_([this] { Write(); }) {}

CallLog::~CallLog() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  writer_.join();
}

CallLog::Kind CallLog::KindOf(const rpc::CallSeen& call) {
  switch (call.code) {
    case absl::StatusCode::kOk:
      return Kind::kSlow;
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented:
      return Kind::kFailed;
    default:
      return Kind::kRefused;
  }
}

void CallLog::OnCall(const rpc::CallSeen& call) {
  next_.OnCall(call);
  if (call.code == absl::StatusCode::kOk && !call.slow) return;
  const Kind kind = KindOf(call);
  {
    base::MutexLock lock(mutex_);
    LineBudget& budget = kind == Kind::kRefused && !call.slow ? refused_ : failed_;
    if (waiting_.size() >= kMostWaiting) return budget.LeaveOut();
    if (!budget.Take(now_())) return;
    waiting_.push_back({kind, std::string(call.method), std::string(call.caller), call.code, std::string(call.reason),
                        call.latency, call.trace, budget.left_out()});
    budget.Reset();
  }
  wake_.NotifyOne();
}

void CallLog::Write() {
  for (;;) {
    Line line;
    {
      base::MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) wake_.Wait(mutex_);
      if (waiting_.empty()) return;
      line = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Write(line);
  }
}

void CallLog::Write(const Line& line) {
  const std::initializer_list<Field> fields = {{"method", OperatorText(line.method)},
                                               {"caller", OperatorText(line.caller)},
                                               {"code", OperatorText(CodeName(line.code))},
                                               {"reason", OperatorText(line.reason)},
                                               {"seconds", std::chrono::duration<double>(line.latency).count()},
                                               {"trace_id", line.trace},
                                               {"left_out", line.left_out}};
  switch (line.kind) {
    case Kind::kRefused:
      return log_.Info("call refused", fields);
    case Kind::kSlow:
      return log_.Warn("call slow", fields);
    case Kind::kFailed:
      return log_.Warn("call failed", fields);
  }
}

}  // namespace consent::ops
