// Whether the daemon may be asked: one state, shown by gRPC's health service for every service and by /healthz.
#pragma once

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

// Thread-safe. Starts as kStarting. SERVING in kServing alone.
class Health {
 public:
  // Full names of the gRPC services, for example consent.v1.EligibilityService.
  explicit Health(std::vector<std::string> services);

  // Shows the present state and every later one; nullptr: no longer. The service is not owned.
  void Attach(grpc::HealthCheckServiceInterface* service);
  // Moves on. Draining only ends in failure, and failure does not end: a late "serving" cannot undo them.
  void Set(HealthState state);
  HealthState state() const;

 private:
  void Show() REQUIRES(mutex_);
  const std::vector<std::string> services_;
  mutable base::Mutex mutex_;
  HealthState state_ GUARDED_BY(mutex_) = HealthState::kStarting;
  grpc::HealthCheckServiceInterface* shown_by_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace consent::ops
