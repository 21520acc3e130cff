#include "daemon/ops/health.h"

#include <grpcpp/health_check_service_interface.h>

#include <utility>

namespace consent::ops {

const char* HealthStateName(HealthState state) {
  switch (state) {
    case HealthState::kStarting:
      return "starting";
    case HealthState::kServing:
      return "serving";
    case HealthState::kDraining:
      return "draining";
    case HealthState::kFailed:
      return "failed";
  }
  return "failed";
}

bool IsReady(HealthState state) { return state == HealthState::kServing; }

bool IsAlive(HealthState state) { return state != HealthState::kFailed; }

Health::Health(std::vector<std::string> services) : services_(std::move(services)) {}

void Health::Attach(grpc::HealthCheckServiceInterface* service) {
  base::MutexLock lock(mutex_);
  shown_by_.push_back(service);
  Show(*service);
}

void Health::Detach() {
  base::MutexLock lock(mutex_);
  shown_by_.clear();
}

void Health::Set(HealthState state) {
  base::MutexLock lock(mutex_);
  if (state <= state_) return;
  state_ = state;
  for (grpc::HealthCheckServiceInterface* by : shown_by_) Show(*by);
}

void Health::Show(grpc::HealthCheckServiceInterface& by) const {
  const bool serving = IsReady(state_);
  by.SetServingStatus("", serving);
  for (const std::string& service : services_) by.SetServingStatus(service, serving);
}

}  // namespace consent::ops
