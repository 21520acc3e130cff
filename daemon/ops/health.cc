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
  shown_by_ = service;
  Show();
}

void Health::Set(HealthState state) {
  base::MutexLock lock(mutex_);
  if (state <= state_) return;
  state_ = state;
  Show();
}

void Health::Show() {
  if (shown_by_ == nullptr) return;
  const bool serving = IsReady(state_);
  shown_by_->SetServingStatus("", serving);
  for (const std::string& service : services_) shown_by_->SetServingStatus(service, serving);
}

}  // namespace consent::ops
