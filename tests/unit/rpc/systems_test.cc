// Whoever works for named data systems sees, takes and reports no other's tasks; and whose evidence a backend sees.
#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <thread>

#include "daemon/rpc/data_system_rpc.h"
#include "daemon/rpc/deletion_rpc.h"
#include "daemon/rpc/purge_rpc.h"
#include "daemon/rpc/settings_rpc.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/rpc_world.h"

namespace consent::test::systems_test {
namespace {

using ::testing::ElementsAre;

class SystemsTest : public RpcWorld {
 protected:
  SystemsTest() {
    Be({"local"}, {});
    for (const char* name : {"audio", "vendor"}) {
      v1::RegisterDataSystemRequest request;
      request.mutable_system()->set_name(name);
      request.mutable_system()->set_kind(v1::DATA_SYSTEM_KIND_AUDIO);
      for (const auto key : {v1::MATCH_KEY_RECORDING_ID, v1::MATCH_KEY_ACCOUNT, v1::MATCH_KEY_TIME}) {
        request.mutable_system()->add_matches_by(key);
      }
      request.mutable_system()->set_checks_on_ingest(true);
      EXPECT_EQ(Reason("DataSystemService/RegisterDataSystem", request), "");
    }
  }

  void Be(service::Caller caller, std::vector<std::string> systems, const std::vector<int>& roles = {}) {
    rpc::Peer peer{std::move(caller), roles.empty() ? rpc::RoleSet::All() : rpc::RoleSet()};
    for (const int role : roles) peer.roles.Add(role);
    peer.systems = std::move(systems);
    chosen_.Set(std::move(peer));
  }
  // Empty: the call was answered.
  std::string Reason(const std::string& method, const google::protobuf::Message& request,
                     std::string* reply = nullptr) {
    const grpc::Status status = server_.CallRaw("/consent.v1." + method, request.SerializeAsString(), reply);
    return status.ok() ? "" : Details(status).reason;
  }
  template <typename Message>
  static Message Text(const std::string& text) {
    Message message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
    return message;
  }
  // What every RPC of the protos whose request names a data system answers where it names `system` and nothing else.
  std::map<std::string, std::string> Reasons(const std::string& system) {
    std::map<std::string, std::string> reasons;
    google::protobuf::DynamicMessageFactory factory;
    for (const char* of : {"PurgeService", "DataSystemService"}) {
      const google::protobuf::ServiceDescriptor* const service =
          google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string("consent.v1.") + of);
      if (service == nullptr) return {};
      for (int i = 0; i < service->method_count(); ++i) {
        const google::protobuf::MethodDescriptor& method = *service->method(i);
        const google::protobuf::FieldDescriptor* field = method.input_type()->FindFieldByName("system");
        if (field == nullptr) continue;
        const std::unique_ptr<google::protobuf::Message> request(factory.GetPrototype(method.input_type())->New());
        google::protobuf::Message* named = request.get();
        if (field->message_type() != nullptr) {
          named = named->GetReflection()->MutableMessage(named, field);
          field = field->message_type()->FindFieldByName("name");
        }
        named->GetReflection()->SetString(named, field, system);
        const std::string name = service->name() + "/" + method.name();
        reasons[name] = Reason(name, *request);
      }
    }
    EXPECT_GE(reasons.size(), 7U);
    return reasons;
  }
  std::vector<std::string> Listed() {
    std::string bytes;
    EXPECT_EQ(Reason("DataSystemService/ListDataSystems", v1::ListDataSystemsRequest(), &bytes), "");
    v1::ListDataSystemsResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    std::vector<std::string> names;
    for (const v1::DataSystem& system : response.systems()) names.push_back(system.name());
    return names;
  }
  v1::HistoryEntry Latest(const std::string& account) {
    std::string bytes;
    EXPECT_EQ(Reason("SettingsService/ListSettingsHistory",
                     Text<v1::ListSettingsHistoryRequest>("account_id: \"" + account + "\""), &bytes),
              "");
    v1::ListSettingsHistoryResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    EXPECT_GT(response.entries_size(), 0);
    return response.entries_size() > 0 ? response.entries(0) : v1::HistoryEntry();
  }

  rpc::PurgeRpc purge_{world_.core(), world_.tasks(), world_.systems(), world_.queue(), dependencies_};
  rpc::DataSystemRpc systems_{world_.core(), world_.systems(), world_.sweeps(), world_.queue(), dependencies_};
  rpc::DeletionRpc deletions_{world_.core(), world_.deletions(), world_.systems(), dependencies_};
  rpc::SettingsRpc settings_{world_.core(), world_.changes(), world_.reads(), dependencies_};
  LocalServer server_{{&purge_, &systems_, &deletions_, &settings_}};
};

TEST_F(SystemsTest, AnotherSystemIsRefusedByEveryMethodRegisteredOrNot) {
  Be({"purger"}, {"audio"});
  for (const char* other : {"vendor", "nowhere", "audio2"}) {
    for (const auto& [method, reason] : Reasons(other)) EXPECT_EQ(reason, "SYSTEM_NOT_YOURS") << method << " " << other;
  }
  EXPECT_THAT(Listed(), ElementsAre("audio"));
  for (const auto& [method, reason] : Reasons("audio")) EXPECT_NE(reason, "SYSTEM_NOT_YOURS") << method;
}

TEST_F(SystemsTest, WhoHasNoSystemsNamedSeesAll) {
  EXPECT_THAT(Listed(), ElementsAre("audio", "vendor"));
  for (const auto& [method, reason] : Reasons("vendor")) EXPECT_NE(reason, "SYSTEM_NOT_YOURS") << method;
}

TEST_F(SystemsTest, AReportThatCannotBeReadCountsForNoOtherSystem) {
  Be({"purger"}, {"audio"});
  EXPECT_EQ(Reason("PurgeService/CompleteTasks", Text<v1::CompleteTasksRequest>("system: \"vendor\"")),
            "SYSTEM_NOT_YOURS");
  EXPECT_EQ(Reason("PurgeService/CompleteTasks", Text<v1::CompleteTasksRequest>("system: \"audio\"")), "INVALID_FIELD");
}

TEST_F(SystemsTest, TheKeyOfOneThatCannotCallIsListed) {
  v1::RegisterDataSystemRequest request;
  v1::DataSystem& vault = *request.mutable_system();
  vault.set_name("vault");
  vault.set_kind(v1::DATA_SYSTEM_KIND_AUDIO);
  vault.add_matches_by(v1::MATCH_KEY_RECORDING_ID);
  vault.add_matches_by(v1::MATCH_KEY_ACCOUNT);
  for (const std::string& wrong : {std::string(31, 'x'), std::string(33, 'x'), std::string(32, '\0')}) {
    vault.set_offline_key(wrong);
    EXPECT_EQ(Reason("DataSystemService/RegisterDataSystem", request), "INVALID_FIELD");
  }
  const std::string key(32, 'x');
  vault.set_offline_key(key);
  std::string bytes;
  ASSERT_EQ(Reason("DataSystemService/RegisterDataSystem", request, &bytes), "");
  v1::RegisterDataSystemResponse registered;
  ASSERT_TRUE(registered.ParseFromString(bytes));
  EXPECT_EQ(registered.system().offline_key(), key);
  bytes.clear();
  ASSERT_EQ(Reason("DataSystemService/ListDataSystems", v1::ListDataSystemsRequest(), &bytes), "");
  v1::ListDataSystemsResponse listed;
  ASSERT_TRUE(listed.ParseFromString(bytes));
  ASSERT_EQ(listed.systems_size(), 3);
  EXPECT_EQ(listed.systems(2).offline_key(), key);
  EXPECT_EQ(listed.systems(0).offline_key(), "");
  vault.clear_offline_key();
  EXPECT_EQ(Reason("DataSystemService/RegisterDataSystem", request), "SYSTEM_EXISTS");
}

// A call that waits for a task is answered by what its caller may do when the task comes.
TEST_F(SystemsTest, WhoLostItsAccessWhileItWaitedGetsNoTask) {
  const auto request = Text<v1::LeaseTasksRequest>("system: \"audio\" max_tasks: 1 wait_seconds: 60");
  const auto deletion = Text<v1::CreateDeletionRequestRequest>(
      "account_id: \"a\" selector { everything: true } requester: ACTOR_SELF verification: VERIFICATION_VERIFIED");
  Be({"purger"}, {"audio"});
  std::string reply;
  std::future<std::string> answer =
      std::async(std::launch::async, [&] { return Reason("PurgeService/LeaseTasks", request, &reply); });
  while (admission_.in_flight() == 0) std::this_thread::yield();
  Be({"app"}, {}, {v1::ROLE_BACKEND});
  EXPECT_EQ(Reason("DeletionService/CreateDeletionRequest", deletion), "");
  EXPECT_EQ(answer.get(), "ROLE_REQUIRED");
}

TEST_F(SystemsTest, ABackendSeesTheEvidenceOfItsOwnChangesAlone) {
  Be({"app"}, {}, {v1::ROLE_BACKEND});
  EXPECT_EQ(Reason("SettingsService/OptOut",
                   Text<v1::OptOutRequest>("account_id: \"a\" targets { all: true } evidence { channel: CHANNEL_APP "
                                           "actor: ACTOR_SELF }")),
            "");
  EXPECT_EQ(Latest("a").evidence().channel(), v1::CHANNEL_APP);
  EXPECT_FALSE(Latest("a").evidence_withheld());
  Be({"shop"}, {}, {v1::ROLE_BACKEND});
  EXPECT_FALSE(Latest("a").has_evidence());
  EXPECT_TRUE(Latest("a").evidence_withheld());
  for (const int role : {v1::ROLE_AUDITOR, v1::ROLE_OFFICER}) {
    Be({"person"}, {}, {role});
    EXPECT_EQ(Latest("a").evidence().channel(), v1::CHANNEL_APP);
  }
}

TEST_F(SystemsTest, ABackendListsTheRequestsOfOneAccount) {
  const v1::ListDeletionRequestsRequest all;
  const auto one = Text<v1::ListDeletionRequestsRequest>("account_id: \"a\"");
  Be({"app"}, {}, {v1::ROLE_BACKEND});
  EXPECT_EQ(Reason("DeletionService/ListDeletionRequests", all), "ROLE_REQUIRED");
  EXPECT_EQ(Reason("DeletionService/ListDeletionRequests", one), "");
  for (const int role : {v1::ROLE_AUDITOR, v1::ROLE_OFFICER}) {
    Be({"person"}, {}, {role});
    EXPECT_EQ(Reason("DeletionService/ListDeletionRequests", all), "");
  }
}

}  // namespace
}  // namespace consent::test::systems_test
