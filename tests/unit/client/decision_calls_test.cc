// The calls about the decision log: an answer that lacks a handle is none, since nothing would be found by it.
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

using testing::FakeClock;
using testing::FakeDaemon;

class DecisionCallsTest : public ::testing::Test {
 protected:
  // Asks for all kinds of handles; the daemon's right answer is changed by `change` before it is sent.
  absl::StatusOr<DecisionHandles> Ask(const std::function<void(v1::GetDecisionHandlesResponse*)>& change) {
    daemon_.on_handles = [&](grpc::ServerContext&, const v1::GetDecisionHandlesRequest& request,
                             v1::GetDecisionHandlesResponse* response) {
      const std::string handle(16, 'h');
      response->set_store_id(handle);
      for (const std::string& month : request.months()) {
        v1::DecisionHandles* const handles = response->add_months();
        handles->set_month(month + ".5e0c91d2");
        handles->set_subject(handle);
        for (int i = 0; i < request.recording_ids_size(); ++i) handles->add_recordings(handle);
        for (int i = 0; i < request.profile_ids_size(); ++i) handles->add_profiles(handle);
        for (int i = 0; i < request.device_ids_size(); ++i) handles->add_devices(handle);
      }
      change(response);
      return grpc::Status::OK;
    };
    HandleQuery query;
    query.account_id = AccountId("a");
    query.recording_ids = {RecordingId("r1"), RecordingId("r2")};
    query.profile_ids = {ProfileId("p")};
    query.device_ids = {DeviceId("d")};
    query.months = {"2026-10", "2026-11"};
    return client_->GetDecisionHandles(query);
  }
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.Connect(std::make_shared<FakeClock>());
};

TEST_F(DecisionCallsTest, EachHandleThatWasAskedForIsThere) {
  const auto handles = Ask([](v1::GetDecisionHandlesResponse*) {});
  ASSERT_TRUE(handles.ok()) << handles.status();
  ASSERT_EQ(handles->months.size(), 2U);
  EXPECT_EQ(handles->months[1].month, "2026-11.5e0c91d2");
  EXPECT_EQ(handles->months[1].recordings.size(), 2U);
  const std::function<void(v1::GetDecisionHandlesResponse*)> wrong[] = {
      [](auto* r) { r->clear_store_id(); },
      [](auto* r) { r->mutable_months(0)->set_month("2026-09.5e0c91d2"); },
      [](auto* r) { r->mutable_months(0)->set_month("2026-10"); },
      [](auto* r) { r->mutable_months()->SwapElements(0, 1); },
      [](auto* r) { r->mutable_months(1)->clear_subject(); },
      [](auto* r) { r->mutable_months(1)->set_subject("short"); },
      [](auto* r) { r->mutable_months(0)->mutable_recordings()->RemoveLast(); },
      [](auto* r) { r->mutable_months(0)->set_recordings(1, ""); },
      [](auto* r) { r->mutable_months(0)->clear_profiles(); },
      [](auto* r) { r->mutable_months(0)->clear_devices(); },
  };
  for (const auto& change : wrong) EXPECT_TRUE(absl::IsInternal(Ask(change).status()));
  // A month has as many keys as the store says: none, or several, and one that is gone has no handles.
  const auto fewer = Ask([](auto* r) { r->mutable_months()->RemoveLast(); });
  ASSERT_TRUE(fewer.ok());
  EXPECT_EQ(fewer->months.size(), 1U);
  const auto more = Ask([](auto* r) {
    v1::DecisionHandles* const lost = r->add_months();
    lost->set_month("2026-11.00000001");
    lost->set_gone(true);
  });
  ASSERT_TRUE(more.ok());
  ASSERT_EQ(more->months.size(), 3U);
  EXPECT_TRUE(more->months[2].gone);
  EXPECT_FALSE(more->months[1].gone);
}

}  // namespace
}  // namespace consent
