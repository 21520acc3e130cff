// Whether the daemon may be asked: one state, shown by gRPC's health service for every service, by /readyz and by
// /livez.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/mutex.h"

namespace grpc {
class HealthCheckServiceInterface;
}

namespace consent::ops {

enum class HealthState : uint8_t { kStarting = 0, kServing = 1, kDraining = 2, kFailed = 3 };
// "starting", "serving", "draining", "failed". Never null.
const char* HealthStateName(HealthState state);
// Whether it answers calls.
bool IsReady(HealthState state);
// Whether a restart would be of no use: it starts, serves or drains. Not after a failed write, when it can only end.
bool IsAlive(HealthState state);

// Thread-safe. Starts as kStarting. SERVING in kServing alone.
class Health {
 public:
  // Full names of the gRPC services, for example consent.v1.EligibilityService.
  explicit Health(std::vector<std::string> services);

  // Shows the present state and every later one there, too, until Detach. The service is not owned.
  void Attach(grpc::HealthCheckServiceInterface* service);
  // From all of them.
  void Detach();
  // Moves on. Draining only ends in failure, and failure does not end: a late "serving" cannot undo them.
  void Set(HealthState state);
  // Never waits.
  HealthState state() const { return state_.load(); }

 private:
  void Show(grpc::HealthCheckServiceInterface& by) const;
  const std::vector<std::string> services_;
  base::Mutex mutex_;
  std::atomic<HealthState> state_{
      HealthState::kStarting};  // set under the mutex; read by probes, which gRPC must not hold up
  std::vector<grpc::HealthCheckServiceInterface*> shown_by_ GUARDED_BY(mutex_);
};

}  // namespace consent::ops
