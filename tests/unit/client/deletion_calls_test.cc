// The calls of deletion: what is repeated and what never is, how long a lease surely lasts, and answers that do not
// fit.
#include <gtest/gtest.h>

#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;
using testing::FakeDaemon;
using testing::RpcError;

constexpr auto kUnavailable = grpc::StatusCode::UNAVAILABLE;

class DeletionCallsTest : public ::testing::Test {
 protected:
  // A handler that fails `failures` times, then succeeds, and keeps what it saw.
  template <typename Request, typename Response>
  auto Failing(int failures, std::vector<Request>* seen) {
    return [=](grpc::ServerContext&, const Request& request, Response*) {
      seen->push_back(request);
      return static_cast<int>(seen->size()) <= failures ? RpcError(kUnavailable, "OUTCOME_UNKNOWN") : grpc::Status::OK;
    };
  }
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.Connect(clock_);
};

TEST_F(DeletionCallsTest, ADeletionIsRepeatedAsOneRequest) {
  std::vector<v1::CreateDeletionRequestRequest> seen;
  daemon_.on_create = Failing<v1::CreateDeletionRequestRequest, v1::CreateDeletionRequestResponse>(2, &seen);
  NewDeletionRequest order;
  order.account_id = AccountId("a");
  order.selector = Everything{};
  EXPECT_TRUE(client_->CreateDeletionRequest(order).ok());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].request_id().size(), 36u);
  for (const auto& request : seen) EXPECT_EQ(request.SerializeAsString(), seen[0].SerializeAsString());
}

TEST_F(DeletionCallsTest, ACancellationIsRepeatedWithItsOwnEtagAndNoneIsRead) {
  std::vector<v1::CancelDeletionRequestRequest> seen;
  int reads = 0;
  daemon_.on_cancel = Failing<v1::CancelDeletionRequestRequest, v1::CancelDeletionRequestResponse>(1, &seen);
  daemon_.on_get_deletion = [&reads](grpc::ServerContext&, const auto&, auto*) {
    ++reads;
    return grpc::Status::OK;
  };
  EXPECT_TRUE(client_->CancelDeletionRequest({DeletionId("d"), Etag("seen"), {}, RequestId()}).ok());
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].etag(), "seen");
  EXPECT_EQ(seen[1].etag(), "seen");
  EXPECT_EQ(seen[0].request_id(), seen[1].request_id());
  EXPECT_EQ(reads, 0);
}

TEST_F(DeletionCallsTest, ALeaseIsNeverRepeated) {
  std::vector<v1::LeaseTasksRequest> seen;
  daemon_.on_lease = Failing<v1::LeaseTasksRequest, v1::LeaseTasksResponse>(1, &seen);
  EXPECT_FALSE(client_->LeaseTasks({"audio", 1, seconds(60), seconds(0)}).ok());
  EXPECT_EQ(seen.size(), 1u) << "the tasks of a lost reply would be leased to nobody";
}

TEST_F(DeletionCallsTest, ALeaseSaysWhatIsAcceptedAndNeverLosesAnyOfIt) {
  std::vector<v1::LeaseTasksRequest> seen;
  daemon_.on_lease = Failing<v1::LeaseTasksRequest, v1::LeaseTasksResponse>(0, &seen);
  LeaseOrder order;
  order.system = "audio";
  order.accepts = {DeletionSelectorKind::kRecordings, DeletionSelectorKind::kAccountClosure};
  order.look_only = true;
  ASSERT_TRUE(client_->LeaseTasks(order).ok());
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].look_only());
  ASSERT_EQ(seen[0].accepts_size(), 2);
  EXPECT_EQ(seen[0].accepts(0), v1::DELETION_SELECTOR_KIND_RECORDINGS);
  EXPECT_EQ(seen[0].accepts(1), v1::DELETION_SELECTOR_KIND_ACCOUNT_CLOSURE);
  order.accepts = {DeletionSelectorKind::kUnset};
  EXPECT_EQ(client_->LeaseTasks(order).status().code(), absl::StatusCode::kInvalidArgument)
      << "an empty list would be all of them";
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(DeletionCallsTest, TasksAreTriedAgainByOneCallThatMayBeRepeated) {
  std::vector<v1::RetryTasksRequest> seen;
  daemon_.on_retry_tasks = [&](grpc::ServerContext&, const v1::RetryTasksRequest& request,
                               v1::RetryTasksResponse* response) {
    seen.push_back(request);
    if (seen.size() == 1) return RpcError(kUnavailable, "OUTCOME_UNKNOWN");
    for (const std::string& task : request.task_ids()) {
      v1::TaskRetry& answer = *response->add_tasks();
      answer.set_task_id(task);
      answer.set_state(v1::RETRY_STATE_LEASED);
    }
    response->set_next_page_token("more");
    return grpc::Status::OK;
  };
  const auto page = client_->RetryTasks({"audio", {TaskId("t"), TaskId("u")}, 3, "token"});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].SerializeAsString(), seen[0].SerializeAsString());
  EXPECT_EQ(seen[0].system(), "audio");
  EXPECT_EQ(seen[0].min_failures(), 3);
  EXPECT_EQ(seen[0].page_token(), "token");
  ASSERT_EQ(page->tasks.size(), 2u);
  EXPECT_EQ(page->tasks[1].task_id, TaskId("u"));
  EXPECT_EQ(page->tasks[1].state, RetryState::kLeased);
  EXPECT_EQ(page->next_page_token, "more");
  daemon_.on_retry_tasks = [](grpc::ServerContext&, const v1::RetryTasksRequest&, v1::RetryTasksResponse*) {
    return grpc::Status::OK;
  };
  EXPECT_EQ(client_->RetryTasks({"audio", {TaskId("t")}, 0, ""}).status().code(), absl::StatusCode::kInternal)
      << "one was forgotten";
}

TEST_F(DeletionCallsTest, ALeaseLastsFromTheMomentOfSending) {
  daemon_.on_lease = [this](grpc::ServerContext& context, const v1::LeaseTasksRequest& request,
                            v1::LeaseTasksResponse* response) {
    EXPECT_EQ(request.system(), "audio");
    EXPECT_EQ(request.max_tasks(), 7);
    EXPECT_EQ(request.visibility_seconds(), 60);
    EXPECT_EQ(request.wait_seconds(), 20);
    // The wait comes on top of the call's 30 s.
    EXPECT_GT(context.deadline() - std::chrono::system_clock::now(), seconds(40));
    clock_->Advance(seconds(20));
    response->add_tasks()->set_task_id("t");
    return grpc::Status::OK;
  };
  const std::chrono::nanoseconds before = clock_->SinceBoot();
  const auto leased = client_->LeaseTasks({"audio", 7, seconds(60), seconds(20)});
  ASSERT_TRUE(leased.ok()) << leased.status();
  ASSERT_EQ(leased->tasks.size(), 1u);
  EXPECT_EQ(leased->held_until, before + seconds(60));
}

TEST_F(DeletionCallsTest, ATaskWithExceptionsIsOnlyForThoseWhoHeedThem) {
  daemon_.on_lease = [](grpc::ServerContext&, const v1::LeaseTasksRequest&, v1::LeaseTasksResponse* response) {
    for (const bool held : {false, true}) {
      v1::PurgeTask* task = response->add_tasks();
      task->mutable_selector()->set_everything(true);
      if (held) task->add_exceptions()->set_profile_id("p");
    }
    return grpc::Status::OK;
  };
  LeaseOrder order{"audio", 7, seconds(60), seconds(0)};
  auto leased = client_->LeaseTasks(order);
  ASSERT_TRUE(leased.ok());
  EXPECT_EQ(leased->tasks.at(0).selector, DeletionSelector(Everything{}));
  EXPECT_EQ(leased->tasks.at(1).selector, DeletionSelector()) << "by forgetting them nothing is deleted";
  EXPECT_EQ(leased->tasks.at(1).exceptions.size(), 1u);
  order.heeds_exceptions = true;
  leased = client_->LeaseTasks(order);
  ASSERT_TRUE(leased.ok());
  EXPECT_EQ(leased->tasks.at(1).selector, DeletionSelector(Everything{}));
}

TEST_F(DeletionCallsTest, ALeaseOutsideOfItsBoundsIsNotSent) {
  for (const LeaseOrder& order :
       {LeaseOrder{"s", 1, seconds(0), seconds(0)}, LeaseOrder{"s", 1, seconds(43'201), seconds(0)},
        LeaseOrder{"s", 1, seconds(1), seconds(61)}, LeaseOrder{"s", 1, seconds(1), seconds(-1)}}) {
    EXPECT_EQ(client_->LeaseTasks(order).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(DeletionCallsTest, ReportsAreRepeatedAsTheyAre) {
  std::vector<v1::CompleteTasksRequest> completed;
  std::vector<v1::FailTasksRequest> failed;
  daemon_.on_complete = [&](grpc::ServerContext&, const v1::CompleteTasksRequest& request,
                            v1::CompleteTasksResponse* response) {
    completed.push_back(request);
    response->add_answers()->set_accepted(true);
    return completed.size() < 3 ? RpcError(kUnavailable, "OUTCOME_UNKNOWN") : grpc::Status::OK;
  };
  daemon_.on_fail = [&](grpc::ServerContext&, const v1::FailTasksRequest& request, v1::FailTasksResponse* response) {
    failed.push_back(request);
    response->add_answers()->set_refused_reason("LEASE_LOST");
    return failed.size() < 2 ? RpcError(kUnavailable, "OUTCOME_UNKNOWN") : grpc::Status::OK;
  };
  const auto done = client_->CompleteTasks("audio", {{TaskId("t"), 5, PurgeOutcome::kAcknowledged, 1, "", ""}});
  ASSERT_TRUE(done.ok());
  EXPECT_TRUE(done->at(0).accepted);
  ASSERT_EQ(completed.size(), 3u);
  EXPECT_EQ(completed[2].results(0).epoch(), 5) << "the epoch makes it one report";
  const auto back = client_->FailTasks("audio", {{TaskId("t"), 5, "stopped", true, 0, ""}});
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(failed[1].failures(0).not_begun());
  EXPECT_FALSE(back->at(0).accepted);
  EXPECT_EQ(back->at(0).refused_reason, "LEASE_LOST");
  EXPECT_EQ(failed.size(), 2u);
}

TEST_F(DeletionCallsTest, FewerAnswersThanReportsAreNone) {
  daemon_.on_complete = [](grpc::ServerContext&, const v1::CompleteTasksRequest&, v1::CompleteTasksResponse* response) {
    response->add_answers()->set_accepted(true);
    return grpc::Status::OK;
  };
  const TaskResult result{TaskId("t"), 1, PurgeOutcome::kNotFound, 0, "", ""};
  EXPECT_EQ(client_->CompleteTasks("audio", {result, result}).status().code(), absl::StatusCode::kInternal);
}

TEST_F(DeletionCallsTest, RegisteringAndRetiringHaveNoRequestIdAndAreNotRepeated) {
  std::vector<v1::RegisterDataSystemRequest> registered;
  std::vector<v1::RetireDataSystemRequest> retired;
  daemon_.on_register = Failing<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse>(1, &registered);
  daemon_.on_retire = Failing<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse>(1, &retired);
  EXPECT_FALSE(client_->RegisterDataSystem({}).ok());
  EXPECT_FALSE(client_->RetireDataSystem("audio", "").ok());
  EXPECT_EQ(registered.size(), 1u);
  EXPECT_EQ(retired.size(), 1u);
}

TEST_F(DeletionCallsTest, AListingIsARead) {
  std::vector<v1::ListDeletionRequestsRequest> seen;
  daemon_.on_list_deletions = [&seen](grpc::ServerContext&, const v1::ListDeletionRequestsRequest& request,
                                      v1::ListDeletionRequestsResponse* response) {
    seen.push_back(request);
    if (seen.size() == 1) return RpcError(kUnavailable, "NOT_SERVING");
    response->add_requests()->set_deletion_id("d");
    response->set_next_page_token("next");
    return grpc::Status::OK;
  };
  DeletionQuery query;
  query.account_id = AccountId("a");
  query.page_token = "t";
  const auto page = client_->ListDeletionRequests(query);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(page->requests.at(0).deletion_id, DeletionId("d"));
  EXPECT_EQ(page->next_page_token, "next");
}

}  // namespace
}  // namespace consent
