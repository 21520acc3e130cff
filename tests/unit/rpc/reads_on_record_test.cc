// What people read about people is on record before it is answered: every method of the protos that says so, every
// role.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/base/base64.h"
#include "daemon/rpc/decision_rpc.h"
#include "daemon/rpc/deletion_rpc.h"
#include "daemon/rpc/hold_rpc.h"
#include "daemon/rpc/recording_rpc.h"
#include "daemon/rpc/settings_rpc.h"
#include "daemon/rpc/subject_rpc.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/rpc_world.h"

namespace consent::test::reads_on_record_test {
namespace {

using ::testing::IsEmpty;
using Json = nlohmann::json;

class ReadsOnRecord : public RpcWorld {
 protected:
  ReadsOnRecord() {
    const auto key = world_.month_keys().TakeOrMake(base::Month::Of(world_.core().Present().latest));
    keys_.Put(key->name, *key->key);
    world_.Wait(base::Seconds(1));  // what comes after it is asked about by whole seconds
    Be({v1::ROLE_BACKEND});
    EXPECT_EQ(
        Reason("SubjectService/UpsertSubject",
               R"(account_id: "ann" region: "FR" request_id: "a" evidence { channel: CHANNEL_APP actor: ACTOR_SELF })"),
        "");
    std::string bytes;
    EXPECT_EQ(Reason("DeletionService/CreateDeletionRequest",
                     R"(account_id: "ann" selector { everything: true } requester: ACTOR_SELF)", &bytes),
              "");
    v1::CreateDeletionRequestResponse created;
    EXPECT_TRUE(created.ParseFromString(bytes));
    deletion_id_ = created.request().deletion_id();
  }

  void Be(const std::vector<int>& roles) {
    rpc::Peer peer{{"somebody"}, {}, {}};
    for (const int role : roles) peer.roles.Add(role);
    chosen_.Set(std::move(peer));
  }
  // Empty: the call was answered, with `*reply`.
  std::string Reason(const std::string& name, const std::string& request, std::string* reply = nullptr) {
    const auto* const method = MethodOf(name);
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(method->input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request, message.get())) << request;
    status_ = server_.CallRaw("/consent.v1." + name, message->SerializeAsString(), reply);
    return status_.ok() ? "" : Details(status_).reason;
  }
  static const google::protobuf::MethodDescriptor* MethodOf(std::string name) {
    name.replace(name.find('/'), 1, ".");
    return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName("consent.v1." + name);
  }
  // Every method that reads about people, with a request about ann.
  std::map<std::string, std::string> AboutAnn() const {
    std::map<std::string, std::string> requests;
    for (const char* of : {"SettingsService", "SubjectService", "DeletionService", "HoldService", "RecordingService"}) {
      const auto* const service =
          google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string("consent.v1.") + of);
      for (int i = 0; i < service->method_count(); ++i) {
        const auto* const method = service->method(i);
        if (!rpc::Method(method).reads_people()) continue;
        const bool by_account = method->input_type()->FindFieldByName("account_id") != nullptr;
        std::string request = by_account ? "account_id: \"ann\"" : "deletion_id: \"" + deletion_id_ + "\"";
        if (method->input_type()->FindFieldByName("at") != nullptr) {
          request += " at { seconds: " + std::to_string(world_.Now().micros / 1'000'000) + " }";
        }
        if (method->input_type()->FindFieldByName("before") != nullptr)
          request += " from { seconds: 1 } before { seconds: 2 }";
        requests[service->name() + "/" + method->name()] = request;
      }
    }
    return requests;
  }
  std::vector<Json> Records() const {
    std::vector<Json> records;
    for (const auto& file : std::filesystem::directory_iterator(folder_ / "decisions")) {
      std::ifstream lines(file.path());
      for (std::string line; std::getline(lines, line);) records.push_back(Json::parse(line));
    }
    return records;
  }
  std::string HandleOfAnn() {
    const auto cipher = keys_.Borrow(base::Month::Of(world_.core().Present().latest));
    const base::Bytes16 handle = cipher->Encrypt(world_.core().hasher.Subject("ann").bytes);
    return base::EncodeBase64Url(base::View(handle));
  }
  std::unique_ptr<decisions::Log> OpenLog() {
    decisions::LogOptions options;
    options.folder = folder_ / "decisions";
    options.disk.write = [this](int fd, const char* bytes, size_t size) -> ssize_t {
      answered_before_the_write_ = notes_.calls().size();
      errno = ENOSPC;
      return log_fails_ ? -1 : write(fd, bytes, size);
    };
    return *decisions::Log::Open(std::move(options));
  }

  google::protobuf::LogSilencer silencer_;
  TempFolder folder_;
  std::atomic<bool> log_fails_{false};
  std::atomic<size_t> answered_before_the_write_{0};
  decisions::HandleKeys keys_;
  std::unique_ptr<decisions::Log> log_ = OpenLog();
  decisions::Recorder recorder_{keys_, world_.core().store.store_id(), world_.core().random, log_.get()};
  const rpc::DecisionReadLog reads_{world_.core(), world_.deletions(), recorder_};
  const rpc::RpcDependencies recording_{admission_, readers_, restrictions_, grants_, notes_, chosen_, reads_};
  rpc::SubjectRpc subjects_{world_.core(),  world_.changes(),      world_.joins(),
                            world_.reads(), world_.children_due(), recording_};
  rpc::SettingsRpc settings_{world_.core(), world_.changes(), world_.reads(), recording_};
  rpc::DeletionRpc deletions_{world_.core(), world_.deletions(), world_.systems(), recording_};
  rpc::HoldRpc holds_{world_.core(), world_.holds(), world_.proposals(), world_.systems(), recording_};
  const service::VerifyDecisions verify_{world_.core()};
  const service::ExplainCheck explain_{world_.core()};
  rpc::DecisionRpc decisions_{world_.core(), verify_, explain_, world_.month_keys(), recorder_, recording_};
  rpc::RecordingRpc recordings_{world_.core(), world_.changes(), world_.safety_flags(), recording_};
  LocalServer server_{{&subjects_, &settings_, &deletions_, &holds_, &recordings_, &decisions_}};
  std::string deletion_id_;
  grpc::Status status_;
};

TEST_F(ReadsOnRecord, AnExplanationIsAboutWhoseRecordingItNames) {
  const std::string method = "DecisionService/ExplainCheck";
  const std::string request = R"(recording { recording_id: "r" account_id: "ann" } purpose: PURPOSE_HUMAN_REVIEW)";
  Be({v1::ROLE_OFFICER});
  std::string bytes;
  EXPECT_EQ(Reason(method, request, &bytes), "");
  v1::ExplainCheckResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(response.explanation().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);
  EXPECT_EQ(response.explanation().requests_size(), 1);
  ASSERT_EQ(Records().size(), 1U);
  EXPECT_EQ(Records()[0]["read"], method);
  EXPECT_EQ(Records()[0]["subject"], HandleOfAnn());
  log_fails_ = true;
  EXPECT_EQ(Reason(method, request), "NOT_RECORDED");
  // A backend's is none, and others have no business here.
  Be({v1::ROLE_BACKEND});
  EXPECT_EQ(Reason(method, request), "");
  for (const int role : {v1::ROLE_AUDITOR, v1::ROLE_SAMPLER, v1::ROLE_STORE, v1::ROLE_OPERATOR, v1::ROLE_PURGER}) {
    Be({role});
    EXPECT_EQ(Reason(method, request), "ROLE_REQUIRED") << role;
  }
}

TEST_F(ReadsOnRecord, EachMethodAndEachRoleOfPeople) {
  const std::map<std::string, std::string> requests = AboutAnn();
  ASSERT_EQ(requests.size(), 10U);
  size_t count = 0;
  for (const auto& [method, request] : requests) {
    for (const int role : {v1::ROLE_AUDITOR, v1::ROLE_OFFICER}) {
      if (method == "RecordingService/ListSafetyFlags" && role == v1::ROLE_AUDITOR) continue;  // may not
      SCOPED_TRACE(method + " " + std::to_string(role));
      Be({role});
      const size_t answered = notes_.calls().size();
      EXPECT_EQ(Reason(method, request), "");
      EXPECT_EQ(answered_before_the_write_, answered) << "on record first";
      const std::vector<Json> records = Records();
      ASSERT_EQ(records.size(), ++count);
      EXPECT_EQ(records.back()["read"], method);
      EXPECT_EQ(records.back()["subject"], HandleOfAnn());
      EXPECT_EQ(records.back()["caller"], "somebody");
      EXPECT_EQ(records.back()["now"][0], world_.core().Present().wall.micros);
    }
  }
}

TEST_F(ReadsOnRecord, ABackendReadsForItsUsers) {
  for (const std::vector<int>& roles :
       {std::vector<int>{v1::ROLE_BACKEND}, std::vector<int>{v1::ROLE_BACKEND, v1::ROLE_OFFICER}}) {
    Be(roles);
    for (const auto& [method, request] : AboutAnn()) {
      const bool of_all = method == "HoldService/ListHolds" || method == "SettingsService/ListChoices" ||
                          method == "RecordingService/ListSafetyFlags";
      const bool may = !of_all || roles.size() > 1;
      EXPECT_EQ(Reason(method, request), may ? "" : "ROLE_REQUIRED") << method;
    }
  }
  EXPECT_THAT(Records(), IsEmpty());
}

TEST_F(ReadsOnRecord, WithoutItsRecordNothingIsShown) {
  log_fails_ = true;
  for (const auto& [method, request] : AboutAnn()) {
    Be({v1::ROLE_OFFICER});
    std::string reply;
    EXPECT_EQ(Reason(method, request, &reply), "NOT_RECORDED") << method;
    EXPECT_EQ(status_.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(reply, "");
    Be({v1::ROLE_BACKEND, v1::ROLE_OFFICER});
    EXPECT_EQ(Reason(method, request), "") << "users' own apps do not wait for it";
  }
  log_fails_ = false;
  Be({v1::ROLE_OFFICER});
  for (const auto& [method, request] : AboutAnn()) EXPECT_EQ(Reason(method, request), "") << method;
  EXPECT_EQ(Records().size(), AboutAnn().size());
}

TEST_F(ReadsOnRecord, AListOfAllAccountsNamesNobody) {
  Be({v1::ROLE_AUDITOR});
  EXPECT_EQ(Reason("DeletionService/ListDeletionRequests", ""), "");
  EXPECT_EQ(Reason("HoldService/ListHolds", ""), "");
  const std::vector<Json> records = Records();
  ASSERT_EQ(records.size(), 2U);
  for (const Json& record : records) EXPECT_TRUE(record["subject"].is_null());
}

// The attempt is a read, too: that nobody is known by an account says something of it.
TEST_F(ReadsOnRecord, WhatIsNotThereIsOnRecordByItsAccountAndNotByARequestOfNobody) {
  Be({v1::ROLE_AUDITOR});
  EXPECT_EQ(Reason("SettingsService/GetSettings", R"(account_id: "bob")"), "")
      << "there is nobody, and that is an answer";
  EXPECT_EQ(Reason("SubjectService/GetSubject", R"(account_id: "bob")"), "SUBJECT_NOT_FOUND");
  EXPECT_EQ(Records().size(), 2U);
  EXPECT_EQ(Reason("DeletionService/GetDeletionRequest", R"(deletion_id: "none")"), "DELETION_NOT_FOUND");
  EXPECT_EQ(Reason("DeletionService/GetDeletionRequest", ""), "INVALID_FIELD");
  EXPECT_EQ(Records().size(), 2U);
}

TEST_F(ReadsOnRecord, WhoMayNotReadLeavesNoRecord) {
  Be({v1::ROLE_OPERATOR});
  for (const auto& [method, request] : AboutAnn()) EXPECT_EQ(Reason(method, request), "ROLE_REQUIRED") << method;
  Be({v1::ROLE_SAMPLER});
  for (const auto& [method, request] : AboutAnn()) EXPECT_EQ(Reason(method, request), "ROLE_REQUIRED") << method;
  EXPECT_THAT(Records(), IsEmpty());
}

}  // namespace
}  // namespace consent::test::reads_on_record_test
