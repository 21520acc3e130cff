// The way that every call goes, with a handler of the test's own behind it.
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/status.h"
#include "daemon/wire/errors.h"
#include "tests/unit/rpc/busy.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/no_read_log.h"
#include "tests/unit/rpc/note_taker.h"

namespace consent::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kCheck[] = "/consent.v1.EligibilityService/Check";
using ProbeCall = rpc::CallPtr<v1::CheckRequest, v1::CheckResponse>;

// One method, whose handler the test chooses.
class Probe final : public v1::EligibilityService::WithRawCallbackMethod_Check<v1::EligibilityService::Service> {
 public:
  Probe(const rpc::RpcDependencies& dependencies, rpc::Method method)
      : dependencies_(dependencies), method_(std::move(method)) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                  grpc::ByteBuffer* out) override {
    return rpc::Handle<v1::CheckRequest, v1::CheckResponse>(dependencies_, method_, context, in, out,
                                                            [this](ProbeCall call) {
                                                              ++handled;
                                                              use(std::move(call));
                                                            });
  }

  std::function<void(ProbeCall)> use = [](ProbeCall call) {
    call->response()->set_policy_version("seen " + call->request().recording().account_id());
    call->Finish(absl::OkStatus());
  };
  std::atomic<int> handled{0};

 private:
  const rpc::RpcDependencies dependencies_;
  const rpc::Method method_;
};

rpc::Method CheckMethod() { return rpc::Method::Named("consent.v1.EligibilityService.Check"); }

class CallTest : public ::testing::Test {
 protected:
  void Start(rpc::Method method = CheckMethod()) {
    probe_ = std::make_unique<Probe>(dependencies_, std::move(method));
    server_ = std::make_unique<LocalServer>(std::vector<grpc::Service*>{probe_.get()});
    stub_ = v1::EligibilityService::NewStub(server_->channel());
  }
  grpc::Status Check(v1::CheckResponse* response, const std::string& account = "a") {
    grpc::ClientContext context;
    v1::CheckRequest request;
    request.mutable_recording()->set_account_id(account);
    return stub_->Check(&context, request, response);
  }
  grpc::Status Check() {
    v1::CheckResponse response;
    return Check(&response);
  }
  // With these `traceparent` headers.
  grpc::Status CheckTraced(const std::vector<std::string>& traceparents) {
    grpc::ClientContext context;
    for (const std::string& traceparent : traceparents) context.AddMetadata("traceparent", traceparent);
    v1::CheckResponse response;
    return stub_->Check(&context, v1::CheckRequest(), &response);
  }

  google::protobuf::LogSilencer silencer_;
  std::atomic<bool> ready_{true};
  NoteTaker notes_;
  service::Pool readers_{1, 1};
  service::Pool restrictions_{1, 1};
  service::Pool grants_{1, 1};
  rpc::Admission admission_{ready_};
  const rpc::OnePeer everybody_{rpc::Peer{service::Caller{}, rpc::RoleSet::All()}};
  const NoReadLog no_read_log_{};
  const rpc::RpcDependencies dependencies_{admission_, readers_,   restrictions_, grants_,
                                           notes_,     everybody_, no_read_log_};
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<LocalServer> server_;
  std::unique_ptr<v1::EligibilityService::Stub> stub_;
};

TEST_F(CallTest, AnswersInTheReaction) {
  Start();
  v1::CheckResponse response;
  const grpc::Status status = Check(&response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.policy_version(), "seen a");
  ASSERT_EQ(notes_.calls().size(), 1U);
  EXPECT_EQ(notes_.calls()[0].method, "consent.v1.EligibilityService/Check");
  EXPECT_EQ(notes_.calls()[0].code, absl::StatusCode::kOk);
  EXPECT_GT(notes_.calls()[0].latency.count(), 0);
}

TEST_F(CallTest, RepliesOfEverySizeArriveWhole) {
  Start();
  for (const size_t size : {0, 1, 10, 23, 24, 100, 5'000, 300'000, 3'000'000}) {
    probe_->use = [&](ProbeCall call) {
      call->response()->set_policy_version(std::string(size, 'x'));
      call->Finish(absl::OkStatus());
    };
    v1::CheckResponse response;
    ASSERT_TRUE(Check(&response).ok()) << size;
    EXPECT_EQ(response.policy_version().size(), size);
  }
}

TEST_F(CallTest, MalformedBytesAreAnsweredWithTheField) {
  Start();
  const grpc::Status utf8 = server_->CallRaw(kCheck, std::string("\x0a\x04\x12\x02\xff\xfe", 6));
  EXPECT_EQ(utf8.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Details(utf8).reason, "MALFORMED_MESSAGE");
  EXPECT_THAT(Details(utf8).fields, ElementsAre("recording.account_id"));
  const grpc::Status truncated = server_->CallRaw(kCheck, std::string("\x0a\x04\x12", 3));
  EXPECT_THAT(Details(truncated).fields, ElementsAre("recording"));
  EXPECT_EQ(probe_->handled, 0);
  EXPECT_EQ(notes_.calls().at(0).code, absl::StatusCode::kInvalidArgument);
  std::string reply;
  EXPECT_TRUE(server_->CallRaw(kCheck, "", &reply).ok()) << "an empty message is one";
}

// The request comes in many slices then.
TEST_F(CallTest, AMalformedByteFarInsideALargeRequestIsFound) {
  Start();
  v1::CheckRequest request;
  for (int i = 0; i < 20'000; ++i) request.mutable_recording()->add_profile_ids(std::string(100, 'p'));
  request.mutable_recording()->set_profile_ids(19'999, "\xff");
  EXPECT_THAT(Details(server_->CallRaw(kCheck, request.SerializePartialAsString())).fields,
              ElementsAre("recording.profile_ids[19999]"));
}

TEST_F(CallTest, TooLargeARequestNamesTheLimit) {
  Start();
  const grpc::Status status = server_->CallRaw(kCheck, std::string(rpc::kMaxRequestBytes + 1, 'x'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Details(status).reason, "MESSAGE_TOO_LARGE");
  EXPECT_EQ(Details(status).metadata["limit"], "4194304");
  EXPECT_EQ(server_->CallRaw(kCheck, std::string(6 << 20, 'x')).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(CallTest, AMethodWithoutRolesLetsNobodyIn) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("test.proto");
  file.set_package("test");
  file.add_message_type()->set_name("M");
  auto* service = file.add_service();
  service->set_name("S");
  auto* method = service->add_method();
  method->set_name("Open");
  method->set_input_type(".test.M");
  method->set_output_type(".test.M");
  google::protobuf::DescriptorPool pool;
  const rpc::Method open(pool.BuildFile(file)->service(0)->method(0));
  EXPECT_EQ(open.name(), "test.S/Open");
  for (const rpc::Method& closed :
       {open, rpc::Method(nullptr), rpc::Method::Named("consent.v1.EligibilityService.NoSuchMethod")}) {
    EXPECT_TRUE(closed.roles().Empty());
    Start(closed);
    const grpc::Status status = server_->CallRaw(kCheck, "not even a message \xff");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(Details(status).reason, "ROLE_REQUIRED");
    EXPECT_EQ(probe_->handled, 0);
    server_.reset();
  }
}

TEST(Authorize, OneRoleInCommonIsNeeded) {
  rpc::Peer auditor;
  EXPECT_TRUE(auditor.roles.Empty());
  auditor.roles.Add(v1::ROLE_AUDITOR);
  EXPECT_TRUE(rpc::Authorize(auditor, rpc::Method::Named("consent.v1.SettingsService.GetSettings")).ok());
  EXPECT_EQ(rpc::Authorize(auditor, rpc::Method::Named("consent.v1.SettingsService.UpdateSettings")).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(rpc::Authorize(rpc::Peer{}, CheckMethod()).code(), absl::StatusCode::kPermissionDenied);
  rpc::RoleSet none;
  none.Add(v1::ROLE_UNSPECIFIED);
  none.Add(-1);
  none.Add(32);
  EXPECT_TRUE(none.Empty());
}

TEST_F(CallTest, NotServingUntilReadyAndAgainWhileDraining) {
  Start();
  ready_ = false;
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Details(status).reason, "NOT_SERVING");
  ready_ = true;
  EXPECT_TRUE(Check().ok());
}

TEST_F(CallTest, ErrorsArriveWithTheirDetails) {
  Start();
  probe_->use = [](const ProbeCall& call) {
    call->Finish(wire::MakeError(v1::ERROR_REASON_EVIDENCE_REQUIRED, "evidence is missing", {{"needs", "channel"}}));
  };
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "evidence is missing");
  EXPECT_EQ(Details(status).reason, "EVIDENCE_REQUIRED");
  EXPECT_EQ(Details(status).metadata["needs"], "channel");
  EXPECT_THAT(Details(status).fields, IsEmpty());
}

TEST_F(CallTest, TheLargestErrorFitsIntoATrailer) {
  Start();
  probe_->use = [](const ProbeCall& call) {
    std::vector<std::pair<std::string, std::string>> violations(
        16, {"initial_choices[63].target.control",
             "must be an ISO 3166-1 alpha-2 code such as DE, or with an ISO 3166-2 subdivision"});
    call->Finish(wire::FieldErrors(std::move(violations)));
  };
  EXPECT_EQ(Details(Check()).fields.size(), 16U);
}

TEST_F(CallTest, TextThatNobodyCheckedIsNotSent) {
  Start();
  probe_->use = [](const ProbeCall& call) { call->Finish(absl::DataLossError("row of alice@example.org")); };
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(Details(status).reason, "INTERNAL");
  EXPECT_EQ((status.error_message() + status.error_details()).find("alice"), std::string::npos);
}

TEST_F(CallTest, ACallThatIsGivenUpIsAnswered) {
  Start();
  probe_->use = [](ProbeCall call) { call.reset(); };
  EXPECT_EQ(Details(Check()).reason, "INTERNAL");
  ASSERT_EQ(notes_.calls().size(), 1U);
}

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_F(CallTest, ARefusedCallIsToldWithReasonAndTrace) {
  Start();
  probe_->use = [](const ProbeCall& call) {
    call->Finish(wire::MakeError(v1::ERROR_REASON_EVIDENCE_REQUIRED, "evidence is missing"));
  };
  EXPECT_FALSE(CheckTraced({kTraceparent}).ok());
  ASSERT_EQ(notes_.calls().size(), 1U);
  EXPECT_EQ(notes_.calls()[0].reason, "EVIDENCE_REQUIRED");
  EXPECT_EQ(notes_.calls()[0].trace, base::TraceId::FromTraceparent(kTraceparent));
  EXPECT_TRUE(notes_.calls()[0].trace.has_value());
  EXPECT_FALSE(notes_.calls()[0].slow);
}

TEST_F(CallTest, WhatIsNoTraceparentIsLeftOut) {
  Start();
  probe_->use = [](const ProbeCall& call) { call->Finish(wire::FieldError("f", "d")); };
  const std::string good = kTraceparent;
  for (const std::vector<std::string>& headers : std::vector<std::vector<std::string>>{
           {}, {""}, {"alice@example.org"}, {good + "0"}, {good, good}, {"01" + good.substr(2)}}) {
    EXPECT_FALSE(CheckTraced(headers).ok());
    EXPECT_FALSE(notes_.calls().back().trace.has_value()) << ::testing::PrintToString(headers);
  }
}

TEST_F(CallTest, AnOrdinaryCallIsNeitherSlowNorTraced) {
  Start();
  EXPECT_TRUE(CheckTraced({kTraceparent}).ok());
  EXPECT_FALSE(notes_.calls().at(0).slow);
  EXPECT_FALSE(notes_.calls().at(0).trace.has_value());
  EXPECT_EQ(notes_.calls().at(0).reason, "");
}

// Finishes the call once it is older than kSlowCall.
void FinishLate(ProbeCall call, std::thread* finisher) {
  *finisher = std::thread([call = std::move(call), began = std::chrono::steady_clock::now()] {
    while (std::chrono::steady_clock::now() - began <= rpc::kSlowCall) std::this_thread::yield();
    call->Finish(absl::OkStatus());
  });
}

TEST_F(CallTest, ASlowCallIsToldWithItsTraceUnlessItAskedToWait) {
  Start();
  for (const bool asked : {false, true}) {
    std::thread finisher;
    probe_->use = [&](ProbeCall call) {
      if (asked) call->NoteRequestedWait();
      FinishLate(std::move(call), &finisher);
    };
    EXPECT_TRUE(CheckTraced({kTraceparent}).ok());
    finisher.join();
    EXPECT_EQ(notes_.calls().back().slow, !asked);
    EXPECT_EQ(notes_.calls().back().trace.has_value(), !asked);
  }
}

TEST_F(CallTest, FinishingTwiceAnswersOnce) {
  Start();
  probe_->use = [](const ProbeCall& call) {
    call->Finish(wire::FieldError("f", "d"));
    call->Finish(absl::OkStatus());
  };
  EXPECT_EQ(Details(Check()).reason, "INVALID_FIELD");
  EXPECT_EQ(notes_.calls().size(), 1U);
}

TEST_F(CallTest, AFullReadPoolIsOverload) {
  Busy busy(readers_);
  ASSERT_TRUE(readers_.Post([] {}));
  Start();
  probe_->use = [this](ProbeCall call) {
    rpc::FinishOnPool(dependencies_, std::move(call), [] { return absl::OkStatus(); });
  };
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Details(status).reason, "OVERLOADED");
  busy.Release();
}

TEST_F(CallTest, NoFloodOfReadsTakesTheThreadsOfRestrictions) {
  Busy busy(readers_);
  ASSERT_TRUE(readers_.Post([] {}));
  Start(rpc::Method::Named("consent.v1.PolicyService.Suspend"));
  probe_->use = [this](ProbeCall call) {
    rpc::FinishOnPool(dependencies_, std::move(call), [] { return absl::OkStatus(); });
  };
  const grpc::Status status = Check();
  EXPECT_TRUE(status.ok()) << status.error_message();
  busy.Release();
}

TEST_F(CallTest, AReadWhoseClientWentAwayIsNotDone) {
  Busy busy(readers_);
  Start();
  std::atomic<bool> read{false};
  std::promise<void> queued;
  std::promise<void> dropped;
  ProbeCall kept;
  probe_->use = [&](const ProbeCall& call) {
    kept = call;
    auto held = std::shared_ptr<void>(nullptr, [&dropped](void*) { dropped.set_value(); });
    rpc::FinishOnPool(dependencies_, call, [&read, held] {
      read = true;
      return absl::OkStatus();
    });
    held.reset();
    queued.set_value();
  };
  grpc::ClientContext context;
  std::thread canceller([&] {
    queued.get_future().wait();
    context.TryCancel();
  });
  v1::CheckResponse response;
  EXPECT_EQ(stub_->Check(&context, v1::CheckRequest(), &response).error_code(), grpc::StatusCode::CANCELLED);
  canceller.join();
  // The server learns of it a little later than the client.
  while (!kept->IsCancelled()) std::this_thread::yield();
  busy.Release();
  dropped.get_future().wait();
  EXPECT_FALSE(read);
}

TEST_F(CallTest, ShutdownWaitsForWhatIsUnderWay) {
  Start();
  std::promise<void> begun;
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  probe_->use = [&](ProbeCall call) {
    rpc::FinishOnPool(dependencies_, std::move(call), [&begun, opened] {
      begun.set_value();
      opened.wait();
      return absl::OkStatus();
    });
  };
  grpc::Status status;
  std::thread client([&] { status = Check(); });
  begun.get_future().wait();
  std::thread stopper([&] { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(60)); });
  open.set_value();
  client.join();
  stopper.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace consent::test
