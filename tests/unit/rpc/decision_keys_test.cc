// What the RPCs about the decision log say of records whose key is there, was destroyed, or never was.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "consent/v1/decision_service.grpc.pb.h"
#include "daemon/base/base64.h"
#include "daemon/base/hash.h"
#include "daemon/rpc/decision_rpc.h"
#include "tests/unit/rpc/services_fixture.h"

namespace consent::test::decision_keys_test {
namespace {

using ::testing::Each;
using ::testing::SizeIs;
using Json = nlohmann::json;

std::string Handle(const Json& text) {
  return base::DecodeBase64Url(text.get<std::string>(), 16).value_or(std::string());
}

class DecisionKeysTest : public ServicesTest {
 protected:
  DecisionKeysTest() {
    PolicyBuilder policy("marked");
    policy.policy().add_recorded_purposes(v1::PURPOSE_HUMAN_REVIEW);
    EXPECT_TRUE(world_.Activate(policy).ok());
    OptIn();
    EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE);
    for (const auto& file : std::filesystem::directory_iterator(log_folder_ / "decisions")) {
      std::ifstream lines(file.path());
      std::string line;
      if (std::getline(lines, line)) record_ = Json::parse(line);
    }
  }
  base::Month Running() const { return base::Month::Of(world_.core().Present().latest); }
  // The record as an auditor sends it.
  v1::VerifyDecisionsRequest Recorded() const {
    v1::VerifyDecisionsRequest request;
    const base::Bytes16 store_id = world_.core().store.store_id();
    request.set_store_id(store_id.data(), store_id.size());
    request.set_month(record_["month"].get<std::string>());
    request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    request.mutable_place()->set_country("DE");
    request.mutable_place()->set_site("site");
    request.mutable_place()->set_reviewer_class(v1::REVIEWER_CLASS_EMPLOYEE);
    request.set_policy_version(record_["policy"].get<std::string>());
    std::string hash(32, '\0');
    EXPECT_TRUE(base::FromHex(record_["policy_hash"].get<std::string>(), hash.data(), hash.size()));
    request.set_policy_hash(hash);
    request.set_wall_us(record_["now"][0]);
    request.set_earliest_us(record_["now"][1]);
    request.set_latest_us(record_["now"][2]);
    request.set_not_before_us(record_["now"][3]);
    const Json& yes = record_["yes"][0];
    const Json& facts = record_["facts"][0];
    v1::RecordedYes& out = *request.add_yeses();
    out.set_subject(Handle(yes[0]));
    out.set_recording(Handle(yes[1]));
    for (const Json& profile : yes[2]) out.add_profiles(Handle(profile));
    if (!yes[3].is_null()) out.set_device(Handle(yes[3]));
    out.set_captured_at_us(yes[4]);
    if (!yes[5].is_null()) out.set_ingested_at_us(yes[5]);
    if (!facts[0].is_null()) out.set_uncertainty_us(facts[0]);
    out.set_region(facts[1].get<std::string>());
    out.set_wake(static_cast<v1::Wake>(facts[2].get<int>()));
    out.set_kind(static_cast<v1::Kind>(facts[3].get<int>()));
    out.set_speakers(static_cast<v1::Speakers>(facts[4].get<int>()));
    out.set_identity(static_cast<v1::Identity>(facts[5].get<int>()));
    out.set_age(static_cast<v1::SpeakerAge>(facts[6].get<int>()));
    out.set_flags(facts[9]);
    out.set_head(yes[7]);
    out.set_revision(yes[8]);
    out.set_reason(static_cast<v1::Reason>(yes[9].get<int>()));
    return request;
  }
  std::vector<int> Verdicts(const v1::VerifyDecisionsRequest& request) {
    const auto reply = Send(stub_, &v1::DecisionService::Stub::VerifyDecisions, request);
    EXPECT_TRUE(status_.ok()) << status_.error_message();
    return {reply.verdicts().begin(), reply.verdicts().end()};
  }
  v1::GetDecisionHandlesResponse HandlesOf(const std::vector<base::Month>& months) {
    v1::GetDecisionHandlesRequest request;
    request.set_account_id("a");
    request.add_device_ids("kitchen");
    for (const base::Month month : months) request.add_months(month.ToText());
    return Send(stub_, &v1::DecisionService::Stub::GetDecisionHandles, request);
  }
  // Of a record that is about account "a".
  std::string WhyNotExplained(const std::string& month) {
    v1::ExplainDecisionRequest request;
    const v1::VerifyDecisionsRequest recorded = Recorded();
    request.set_store_id(recorded.store_id());
    request.set_month(month);
    request.set_purpose(recorded.purpose());
    *request.mutable_place() = recorded.place();
    request.set_policy_version(recorded.policy_version());
    request.set_policy_hash(recorded.policy_hash());
    request.set_wall_us(recorded.wall_us());
    request.set_earliest_us(recorded.earliest_us());
    request.set_latest_us(recorded.latest_us());
    *request.mutable_yes() = recorded.yeses(0);
    request.set_account_id("a");
    const auto reply = Send(stub_, &v1::DecisionService::Stub::ExplainDecision, request);
    return status_.ok() ? v1::DecisionVerdict_Name(reply.verdict()) : status_.error_message();
  }
  // As the daemon does.
  void DestroyAll() {
    const auto destroyed = world_.month_keys().DestroyBefore(Running().Plus(1));
    ASSERT_TRUE(destroyed.ok());
    for (const base::MonthKeyName& name : *destroyed) handle_keys_.Drop(name);
    recorder_.DropSpare();
  }

  const service::VerifyDecisions verify_{world_.core()};
  const service::ExplainCheck explain_{world_.core()};
  rpc::DecisionRpc decisions_{world_.core(), verify_, explain_, world_.month_keys(), recorder_, dependencies_};
  LocalServer decision_server_{{&decisions_}};
  std::unique_ptr<v1::DecisionService::Stub> stub_ = v1::DecisionService::NewStub(decision_server_.channel());
  Json record_;
};

TEST_F(DecisionKeysTest, ALineIsOpenedByItsKeyUntilThatIsDestroyed) {
  const v1::VerifyDecisionsRequest recorded = Recorded();
  EXPECT_THAT(Verdicts(recorded), Each(v1::DECISION_VERDICT_CONFIRMED));
  EXPECT_EQ(WhyNotExplained(recorded.month()), "DECISION_VERDICT_CONFIRMED");
  // A line under a key that nobody had is no line of this store, and an alarm; a wrong key of the month is none of it.
  v1::VerifyDecisionsRequest made_up = recorded;
  made_up.set_month(base::MonthKeyName{Running(), 12345}.ToText());
  EXPECT_THAT(Verdicts(made_up), Each(v1::DECISION_VERDICT_UNKNOWN));
  EXPECT_THAT(WhyNotExplained(made_up.month()), ::testing::HasSubstr("never had"));
  DestroyAll();
  EXPECT_THAT(Verdicts(recorded), Each(v1::DECISION_VERDICT_KEY_GONE));
  EXPECT_THAT(Verdicts(recorded), SizeIs(1));
  EXPECT_THAT(WhyNotExplained(recorded.month()), ::testing::HasSubstr("nobody can tell any more"));
  EXPECT_THAT(Verdicts(made_up), Each(v1::DECISION_VERDICT_UNKNOWN)) << "made up all the same";
}

TEST_F(DecisionKeysTest, HandlesAreThoseOfEachKeyThatTheMonthHas) {
  v1::GetDecisionHandlesResponse reply = HandlesOf({Running().Plus(-1), Running()});
  ASSERT_EQ(reply.months_size(), 1) << "nothing was ever written in the month before";
  EXPECT_EQ(reply.months(0).month(), record_["month"]);
  EXPECT_EQ(reply.months(0).subject(), Handle(record_["yes"][0][0]));
  EXPECT_EQ(reply.months(0).devices_size(), 1);
  DestroyAll();
  TakeMonthKey();  // a second one, as after a restore
  reply = HandlesOf({Running()});
  ASSERT_EQ(reply.months_size(), 2);
  const bool first_is_gone = reply.months(0).gone();
  const v1::DecisionHandles& gone = reply.months(first_is_gone ? 0 : 1);
  const v1::DecisionHandles& there = reply.months(first_is_gone ? 1 : 0);
  EXPECT_TRUE(gone.gone());
  EXPECT_EQ(gone.month(), record_["month"]);
  EXPECT_TRUE(gone.subject().empty() && gone.devices().empty()) << "no handle";
  EXPECT_FALSE(there.gone());
  EXPECT_NE(there.subject(), Handle(record_["yes"][0][0]));
  EXPECT_EQ(there.subject().size(), 16U);
}

// What is written from then on has the second key's name.
TEST_F(DecisionKeysTest, LinesOfBothKeysStandApart) {
  DestroyAll();
  TakeMonthKey();
  EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE);
  std::vector<std::string> months;
  for (const auto& file : std::filesystem::directory_iterator(log_folder_ / "decisions")) {
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) months.push_back(Json::parse(line)["month"].get<std::string>());
  }
  ASSERT_THAT(months, SizeIs(2));
  EXPECT_NE(months[0], months[1]);
}

}  // namespace
}  // namespace consent::test::decision_keys_test
