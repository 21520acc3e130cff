// Every RPC class on a server of the test's own, over a whole daemon with its store in memory.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "daemon/decisions/recorder.h"
#include "daemon/rpc/eligibility_rpc.h"
#include "daemon/rpc/policy_rpc.h"
#include "daemon/rpc/recording_rpc.h"
#include "daemon/rpc/review_rpc.h"
#include "daemon/rpc/settings_rpc.h"
#include "daemon/rpc/subject_rpc.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/rpc_world.h"

namespace consent::test {

// Profile "ann" of account "a", in an opt-in region, under a regime that lets employees in Germany listen.
inline constexpr char kRegister[] =
    R"(account_id: "a" region: "DE" profiles { profile_id: "ann" age { adult: true } } device_ids: "kitchen"
    evidence { channel: CHANNEL_APP actor: ACTOR_SELF } request_id: "register")";
inline constexpr char kPlace[] = R"(
    purpose: PURPOSE_HUMAN_REVIEW place { country: "DE" site: "site" reviewer_class: REVIEWER_CLASS_EMPLOYEE })";

// That nobody has.
inline constexpr char kProbeAccount[] = "probe-account";

class ServicesTest : public RpcWorld {
 protected:
  explicit ServicesTest(World::Options options = {}) : RpcWorld(std::move(options)) {
    subject_stub_ = v1::SubjectService::NewStub(server_.channel());
    settings_stub_ = v1::SettingsService::NewStub(server_.channel());
    eligibility_stub_ = v1::EligibilityService::NewStub(server_.channel());
    recording_stub_ = v1::RecordingService::NewStub(server_.channel());
    policy_stub_ = v1::PolicyService::NewStub(server_.channel());
    review_stub_ = v1::ReviewService::NewStub(server_.channel());
    TakeMonthKey();
  }

  // As the daemon does before the first line of a month.
  void TakeMonthKey() {
    const auto key = world_.month_keys().TakeOrMake(base::Month::Of(world_.core().Present().latest));
    ASSERT_TRUE(key.ok()) << key.status();
    handle_keys_.Put(key->name, *key->key);
  }

  // Calls `method` of `stub` with a request in text form; a minute passes.
  template <typename Request, typename Response, typename Stub>
  Response Call(const std::unique_ptr<Stub>& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const std::string& text) {
    Request request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
    return Send(stub, method, request);
  }
  template <typename Request, typename Response, typename Stub>
  Response Send(const std::unique_ptr<Stub>& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request) {
    Response response;
    grpc::ClientContext context;
    status_ = ((*stub).*method)(&context, request, &response);
    world_.clock.Advance(base::Seconds(60));
    return response;
  }

  v1::UpsertSubjectResponse Upsert(const std::string& text) {
    return Call(subject_stub_, &v1::SubjectService::Stub::UpsertSubject, text);
  }
  v1::UpdateSettingsResponse Update(const std::string& text) {
    return Call(settings_stub_, &v1::SettingsService::Stub::UpdateSettings, text);
  }
  v1::OptOutResponse OptOut(const std::string& text) {
    return Call(settings_stub_, &v1::SettingsService::Stub::OptOut, text);
  }
  v1::GetSettingsResponse Settings(const std::string& account) {
    return Call(settings_stub_, &v1::SettingsService::Stub::GetSettings, "account_id: \"" + account + "\"");
  }
  // Registers "a" and lets its adult consent for the account and as profile "ann".
  void OptIn() {
    const auto registered = Upsert(kRegister);
    ASSERT_TRUE(status_.ok()) << status_.error_message();
    Update(R"(account_id: "a" request_id: "in" self_profile_id: "ann" etag: ")" + registered.revision() +
           R"(" changes { target { control: "help_improve" } turn: SWITCH_ON }
               evidence { notice_version: "general" notice_language: "en" channel: CHANNEL_APP actor: ACTOR_SELF })");
    ASSERT_TRUE(status_.ok()) << status_.error_message();
  }
  // A clean recording of ann's, captured half a minute ago.
  v1::Recording Clean(const std::string& account, const std::string& id = "r") const {
    v1::Recording recording;
    recording.set_recording_id(id);
    recording.set_account_id(account);
    recording.mutable_captured_at()->set_seconds(world_.Now().micros / 1'000'000 - 30);
    recording.set_captured_uncertainty_ms(0);
    recording.add_profile_ids("ann");
    recording.set_wake(v1::WAKE_INTENDED);
    recording.set_kind(v1::KIND_COMMAND);
    recording.set_speakers(v1::SPEAKERS_ONE);
    recording.set_identity(v1::IDENTITY_MATCHED);
    recording.set_age(v1::SPEAKER_AGE_ADULT);
    return recording;
  }
  v1::CheckResponse Check(const v1::Recording& recording, const std::string& more = kPlace) {
    v1::CheckRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(more, &request));
    *request.mutable_recording() = recording;
    return Send(eligibility_stub_, &v1::EligibilityService::Stub::Check, request);
  }
  v1::BatchCheckResponse Batch(const std::vector<v1::Recording>& recordings, const std::string& more = kPlace) {
    v1::BatchCheckRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(more, &request));
    for (const v1::Recording& recording : recordings) *request.add_recordings() = recording;
    return Send(eligibility_stub_, &v1::EligibilityService::Stub::BatchCheck, request);
  }

  // Whose disk is full while log_fails_.
  std::unique_ptr<decisions::Log> OpenLog() {
    decisions::LogOptions options;
    options.folder = log_folder_ / "decisions";
    options.disk.write = [this](int fd, const char* bytes, size_t size) -> ssize_t {
      errno = ENOSPC;
      return log_fails_ ? -1 : write(fd, bytes, size);
    };
    return *decisions::Log::Open(std::move(options));
  }

  google::protobuf::LogSilencer silencer_;
  rpc::SubjectRpc subject_{world_.core(),  world_.changes(),      world_.joins(),
                           world_.reads(), world_.children_due(), dependencies_};
  rpc::SettingsRpc settings_{world_.core(), world_.changes(), world_.reads(), dependencies_};
  decisions::HandleKeys handle_keys_;
  TempFolder log_folder_;
  std::atomic<bool> log_fails_{false};
  std::unique_ptr<decisions::Log> log_ = OpenLog();
  decisions::Recorder recorder_{handle_keys_, world_.core().store.store_id(), world_.core().random, log_.get()};
  rpc::EligibilityRpc eligibility_{world_.core(), world_.checks(), recorder_, dependencies_, kProbeAccount};
  rpc::RecordingRpc recording_{world_.core(), world_.changes(), world_.safety_flags(), dependencies_};
  rpc::ReviewRpc review_{world_.core(),         world_.reviews(), world_.end_review(), world_.list_reviews(),
                         world_.review_rates(), recorder_,        dependencies_};
  service::TurnedAnswers turned_{world_.core()};
  rpc::PolicyRpc policy_{world_.core(), world_.admin(), world_.proposals(), turned_, dependencies_};
  LocalServer server_{{&subject_, &settings_, &eligibility_, &recording_, &policy_, &review_}};
  std::unique_ptr<v1::SubjectService::Stub> subject_stub_;
  std::unique_ptr<v1::SettingsService::Stub> settings_stub_;
  std::unique_ptr<v1::EligibilityService::Stub> eligibility_stub_;
  std::unique_ptr<v1::RecordingService::Stub> recording_stub_;
  std::unique_ptr<v1::PolicyService::Stub> policy_stub_;
  std::unique_ptr<v1::ReviewService::Stub> review_stub_;
  grpc::Status status_;
};

}  // namespace consent::test
