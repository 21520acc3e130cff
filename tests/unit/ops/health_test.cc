#include "daemon/ops/health.h"

#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace consent::ops {
namespace {

class FakeService final : public grpc::HealthCheckServiceInterface {
 public:
  void SetServingStatus(const std::string& service, bool serving) override { shown[service] = serving; }
  void SetServingStatus(bool serving) override {
    for (auto& [service, state] : shown) state = serving;
  }
  std::map<std::string, bool> shown;
};

const std::map<std::string, bool> kNone = {{"", false}, {"a.A", false}, {"a.B", false}};
const std::map<std::string, bool> kAll = {{"", true}, {"a.A", true}, {"a.B", true}};

TEST(HealthTest, ServingOnlyBetweenStartAndDrain) {
  FakeService service;
  Health health({"a.A", "a.B"});
  health.Attach(&service);
  EXPECT_EQ(service.shown, kNone);
  health.Set(HealthState::kServing);
  EXPECT_EQ(service.shown, kAll);
  health.Set(HealthState::kDraining);
  EXPECT_EQ(service.shown, kNone);
}

TEST(HealthTest, NothingUndoesDrainOrFailure) {
  FakeService service;
  Health health({"a.A", "a.B"});
  health.Attach(&service);
  health.Set(HealthState::kDraining);
  health.Set(HealthState::kServing);
  EXPECT_EQ(health.state(), HealthState::kDraining);
  health.Set(HealthState::kFailed);
  health.Set(HealthState::kDraining);
  EXPECT_EQ(health.state(), HealthState::kFailed);
  EXPECT_EQ(service.shown, kNone);
}

TEST(HealthTest, AttachShowsThePresentState) {
  FakeService service;
  Health health({"a.A", "a.B"});
  health.Set(HealthState::kServing);
  health.Attach(&service);
  EXPECT_EQ(service.shown, kAll);
  health.Detach();
  health.Set(HealthState::kFailed);
  EXPECT_EQ(service.shown, kAll);
}

}  // namespace
}  // namespace consent::ops
