// Restrictions on a store where others are always faster, from outside: they wait in their turn until their deadline.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "daemon/rpc/deletion_rpc.h"
#include "daemon/service/commit/retry.h"
#include "tests/support/store/faulty.h"
#include "tests/unit/rpc/services_fixture.h"

namespace consent::test::contention_test {
namespace {

// More than what is not awaited is tried.
constexpr int kConflicts = service::kMaxCommitAttempts + 500;

// Made before the world.
struct Faults {
  FaultyStore* faulty_ = nullptr;
};

class ContentionTest : private Faults, public ServicesTest {
 protected:
  ContentionTest() : ServicesTest(WithFaults()) {}

  void MeetConflicts(int count = kConflicts) {
    for (int i = 0; i < count; ++i) faulty_->Inject(Fault::kConflict);
  }
  World::Options WithFaults() {
    World::Options options;
    options.decorate = [this](store::Store& inner) {
      auto made = std::make_unique<FaultyStore>(inner, FaultyStore::Plan{});
      faulty_ = made.get();
      return made;
    };
    return options;
  }

  rpc::DeletionRpc deletion_{world_.core(), world_.deletions(), world_.systems(), dependencies_};
  LocalServer deletion_server_{{&deletion_}};
  std::unique_ptr<v1::DeletionService::Stub> deletion_stub_ = v1::DeletionService::NewStub(deletion_server_.channel());
};

constexpr char kProof[] = "evidence { channel: CHANNEL_APP actor: ACTOR_SELF }";

TEST_F(ContentionTest, EveryRestrictionWaitsInItsTurn) {
  OptIn();
  MeetConflicts();
  OptOut(R"(account_id: "a" targets { all: true } )" + std::string(kProof));
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  Update(R"(account_id: "b" changes { target { control: "help_improve" } turn: SWITCH_OFF } )" + std::string(kProof));
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  Upsert(R"(account_id: "c" region: "DE" request_id: "c" )" + std::string(kProof));
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  Call(recording_stub_, &v1::RecordingService::Stub::ReportRecording,
       R"(account_id: "a" recording_id: "r" flags: FLAG_SAFETY )" + std::string(kProof));
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  Call(policy_stub_, &v1::PolicyService::Stub::Suspend, "purpose: PURPOSE_HUMAN_REVIEW reason: \"why\"");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  const auto created =
      Call(deletion_stub_, &v1::DeletionService::Stub::CreateDeletionRequest,
           R"(account_id: "a" selector { everything: true } requester: ACTOR_SELF )" + std::string(kProof));
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  MeetConflicts();
  Call(deletion_stub_, &v1::DeletionService::Stub::VerifyDeletionRequest,
       "deletion_id: \"" + created.request().deletion_id() + "\" " + kProof);
  EXPECT_TRUE(status_.ok()) << status_.error_message();
}

TEST_F(ContentionTest, SixtyFourClientsAtOnceOnOnePersonAreAllServed) {
  MeetConflicts();
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back([&] {
      grpc::ClientContext context;
      v1::OptOutRequest request;
      request.set_account_id("a");
      request.add_targets()->set_all(true);
      v1::OptOutResponse response;
      const grpc::Status status = settings_stub_->OptOut(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      served += status.ok();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served, 64);
}

TEST_F(ContentionTest, ItWaitsUntilItsDeadlineAndNoLonger) {
  MeetConflicts(1'000'000);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  v1::OptOutRequest request;
  request.set_account_id("a");
  request.add_targets()->set_all(true);
  v1::OptOutResponse response;
  EXPECT_EQ(settings_stub_->OptOut(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (world_.in_flight() != 0 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  EXPECT_EQ(world_.in_flight(), 0U) << "nobody waits for it any more";
  EXPECT_FALSE(world_.Known("a")) << "it was given up, and not done later";
}

}  // namespace
}  // namespace consent::test::contention_test
