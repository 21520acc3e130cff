// Who may call what: every RPC of the contract and every role, from the protos themselves.
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "daemon/rpc/authorize.h"
#include "daemon/wire/errors.h"

namespace consent::test::roles_test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class RolesTest : public ::testing::Test {
 protected:
  RolesTest() {
    google::protobuf::FileDescriptorSet set;
    EXPECT_TRUE(set.ParseFromString(Read(CONSENT_DESCRIPTORS)));
    for (const auto& proto : set.file()) {
      const auto* file = pool_.BuildFile(proto);
      for (int s = 0; file != nullptr && s < file->service_count(); ++s) {
        for (int m = 0; m < file->service(s)->method_count(); ++m) {
          const rpc::Method method(file->service(s)->method(m));
          methods_.emplace(method.name().substr(std::string("consent.v1.").size()), method);
        }
      }
    }
  }

  static rpc::Peer With(int role) {
    rpc::Peer peer{{"somebody"}, {}, {}, {}};
    peer.roles.Add(role);
    return peer;
  }
  // The methods that a caller with this role alone may call.
  std::set<std::string> Of(int role) const {
    std::set<std::string> names;
    for (const auto& [name, method] : methods_) {
      if (rpc::Authorize(With(role), method).ok()) names.insert(name);
    }
    return names;
  }
  static bool Reads(const std::string& name) {
    const std::string method = name.substr(name.find('/') + 1);
    return name == "DecisionService/VerifyDecisions" || method.rfind("Get", 0) == 0 || method.rfind("List", 0) == 0 ||
           method.rfind("Explain", 0) == 0;
  }

  google::protobuf::DescriptorPool pool_;
  std::map<std::string, rpc::Method> methods_;  // "HoldService/PlaceHold"
};

TEST_F(RolesTest, TheTableIsWhatTheProtosSay) {
  std::string table = "| RPC |";
  std::string line = "| --- |";
  for (int role = 1; role < v1::Role_ARRAYSIZE; ++role) {
    table += " " + v1::Role_Name(static_cast<v1::Role>(role)).substr(std::string("ROLE_").size()) + " |";
    line += " --- |";
  }
  table += " may restrict | on record |\n" + line + " --- | --- |\n";
  for (const auto& [name, method] : methods_) {
    table += "| " + name + " |";
    for (int role = 1; role < v1::Role_ARRAYSIZE; ++role) table += method.roles().Has(role) ? " yes |" : " |";
    table += method.may_restrict() ? " yes |" : " |";
    table += method.reads_people() ? " yes |\n" : " |\n";
  }
  const std::string page = Read(CONSENT_SOURCE_DIR "/proto/ROLES.md");
  const size_t from = page.find("| RPC |");
  ASSERT_NE(from, std::string::npos);
  EXPECT_EQ(page.substr(from), table) << "write the expected table into proto/ROLES.md";
}

TEST_F(RolesTest, EachRoleOpensWhatNamesItAndNothingElse) {
  ASSERT_GE(methods_.size(), 50U) << "the protos were not read";
  for (const auto& [name, method] : methods_) {
    EXPECT_FALSE(method.roles().Empty()) << name;
    for (int role = -1; role <= v1::Role_MAX + 1; ++role) {
      EXPECT_EQ(rpc::Authorize(With(role), method).ok(), method.roles().Has(role)) << name << " " << role;
    }
    EXPECT_FALSE(rpc::Authorize(rpc::Peer{}, method).ok()) << name;
    rpc::Peer refused{{"somebody"}, rpc::RoleSet::All(), {}, wire::MakeError(v1::ERROR_REASON_CALLER_UNKNOWN, "why")};
    EXPECT_EQ(wire::DetailOf(rpc::Authorize(refused, method)).reason, v1::ERROR_REASON_CALLER_UNKNOWN) << name;
  }
}

// Each read that people may call says whether it is about people. A new one is decided upon here or in its proto.
TEST_F(RolesTest, WhatPeopleReadAboutPeopleGoesOnRecord) {
  const std::set<std::string> about_nobody = {
      "DataSystemService/ListDataSystems",
      "DecisionService/GetDecisionLog",
      "PolicyService/GetClock",
      "PolicyService/GetPolicy",
      "PurgeService/ListTasks",  // no ids
      "PolicyService/ListPolicies",
      "StatusService/GetStatus",
      "ApprovalService/ListProposals",
      "ApprovalService/GetProposal",
      "KeyService/GetKeys",
      "ReviewService/ListGrants",  // no ids of accounts or recordings
      "ReviewService/GetMediaKey",
      "ReviewService/ListReviewRates",    // counts alone
      "DecisionService/VerifyDecisions",  // of records that the caller holds; the verdicts show nothing else of anybody
  };
  std::set<std::string> unrecorded;
  for (const auto& [name, method] : methods_) {
    const bool is_for_people = method.roles().Has(v1::ROLE_AUDITOR) || method.roles().Has(v1::ROLE_OFFICER) ||
                               method.roles().Has(v1::ROLE_OPERATOR);
    if (Reads(name) && is_for_people && !method.reads_people()) unrecorded.insert(name);
    if (!method.reads_people()) continue;
    EXPECT_TRUE(Reads(name)) << name;
    std::string full = "consent.v1." + name;
    full.replace(full.find('/'), 1, ".");
    const auto* const request = pool_.FindMethodByName(full)->input_type();
    int ways = 0;
    for (const char* field : {"account_id", "recording", "deletion_id"}) {
      ways += request->FindFieldByName(field) != nullptr ? 1 : 0;
    }
    EXPECT_EQ(ways, 1) << name << " says whom it is about in one way";
  }
  EXPECT_EQ(unrecorded, about_nobody);
}

TEST_F(RolesTest, AnAuditorAnOfficerAndAnOperatorArePeople) {
  for (int role = 1; role < v1::Role_ARRAYSIZE; ++role) {
    const bool is_person = role == v1::ROLE_AUDITOR || role == v1::ROLE_OFFICER || role == v1::ROLE_OPERATOR;
    rpc::Peer peer = With(role);
    EXPECT_EQ(peer.IsPerson(), is_person) << role;
    peer.roles.Add(v1::ROLE_BACKEND);
    EXPECT_FALSE(peer.IsPerson());
  }
}

TEST_F(RolesTest, ASamplerAsksAndDoesNothingElse) {
  EXPECT_THAT(Of(v1::ROLE_SAMPLER), UnorderedElementsAre("EligibilityService/Check", "EligibilityService/BatchCheck",
                                                         "ReviewService/ReportPopulation"));
}

TEST_F(RolesTest, AnAuditorReadsOnly) {
  for (const std::string& name : Of(v1::ROLE_AUDITOR)) EXPECT_TRUE(Reads(name)) << name;
}

TEST_F(RolesTest, NobodyButBackendAndOfficerChangesAPerson) {
  const std::set<std::string> of_the_service = {"DataSystemService/RegisterDataSystem",
                                                "DataSystemService/RetireDataSystem",
                                                "DataSystemService/SetSystemRetention",
                                                "PolicyService/ConfirmClock",
                                                "KeyService/RewrapShares",
                                                "BackupService/BeginBackup",
                                                "BackupService/ReadBackup",
                                                "BackupService/EndBackup",
                                                "PolicyService/Suspend",
                                                "PolicyService/ActivatePolicy",
                                                "PolicyService/DiffPolicy",
                                                "ApprovalService/ApproveProposal",
                                                "ApprovalService/WithdrawProposal",
                                                "ReviewService/ReportPopulation"};
  // Of one recording, and never taken back; the tasks and sweeps of its own systems.
  const std::set<std::string> reports = {"RecordingService/ReportRecording", "PurgeService/LeaseTasks",
                                         "PurgeService/CompleteTasks",       "PurgeService/FailTasks",
                                         "PurgeService/RenewTasks",          "PurgeService/RetryTasks",
                                         "DataSystemService/ReportSweep",    "ReviewService/RedeemMedia"};
  for (const int role : {v1::ROLE_SAMPLER, v1::ROLE_STORE, v1::ROLE_PURGER, v1::ROLE_AUDITOR, v1::ROLE_OPERATOR}) {
    for (const std::string& name : Of(role)) {
      const bool asks = name == "EligibilityService/Check" || name == "EligibilityService/BatchCheck";
      EXPECT_TRUE(asks || Reads(name) || of_the_service.count(name) != 0 || reports.count(name) != 0)
          << v1::Role_Name(static_cast<v1::Role>(role)) << " " << name;
    }
  }
}

TEST_F(RolesTest, WhoRunsTheServiceSeesNoPerson) {
  EXPECT_THAT(
      Of(v1::ROLE_OPERATOR),
      UnorderedElementsAre("DataSystemService/RegisterDataSystem", "DataSystemService/RetireDataSystem",
                           "DataSystemService/SetSystemRetention", "DataSystemService/ListDataSystems",
                           "DecisionService/GetDecisionLog", "PurgeService/ListTasks", "PurgeService/RetryTasks",
                           "PolicyService/GetPolicy", "PolicyService/Suspend", "PolicyService/GetClock",
                           "PolicyService/ConfirmClock", "PolicyService/ActivatePolicy", "PolicyService/DiffPolicy",
                           "PolicyService/ListPolicies", "StatusService/GetStatus", "ApprovalService/ListProposals",
                           "ApprovalService/GetProposal", "ApprovalService/ApproveProposal",
                           "ApprovalService/WithdrawProposal", "KeyService/GetKeys", "KeyService/RewrapShares",
                           "BackupService/BeginBackup", "BackupService/ReadBackup", "BackupService/EndBackup",
                           "ReviewService/ListGrants", "ReviewService/GetMediaKey", "ReviewService/ListReviewRates"));
}

TEST_F(RolesTest, AReviewToolUsesGrantsAndDoesNothingElse) {
  EXPECT_THAT(Of(v1::ROLE_REVIEW_TOOL), UnorderedElementsAre("ReviewService/LeaseReviews", "ReviewService/OpenMedia",
                                                             "ReviewService/SubmitReview", "ReviewService/EndReview",
                                                             "ReviewService/RenewReview", "ReviewService/GetMediaKey"));
}

TEST_F(RolesTest, TheReservedRoleOpensNothing) { EXPECT_THAT(Of(v1::ROLE_EDGE), IsEmpty()); }

TEST(Systems, ABoundPeerWorksForItsOwnAlone) {
  rpc::Peer peer{{"somebody"}, rpc::RoleSet::All(), {"audio", "vendor"}, {}};
  EXPECT_TRUE(rpc::CheckSystem(peer, "vendor").ok());
  for (const char* other : {"", "aud", "audio2", "Audio", "transcripts"}) {
    EXPECT_EQ(wire::DetailOf(rpc::CheckSystem(peer, other)).reason, v1::ERROR_REASON_SYSTEM_NOT_YOURS) << other;
  }
  peer.systems.clear();
  EXPECT_TRUE(rpc::CheckSystem(peer, "transcripts").ok());
}

TEST(Evidence, IsForItsAuthorAndForThoseWhoDecideOrAudit) {
  rpc::Peer backend{{"app"}, {}, {}, {}};
  backend.roles.Add(v1::ROLE_BACKEND);
  EXPECT_TRUE(backend.SeesEvidenceOf("app"));
  EXPECT_FALSE(backend.SeesEvidenceOf("shop"));
  EXPECT_FALSE(backend.SeesEvidenceOf(""));
  for (const int role : {v1::ROLE_AUDITOR, v1::ROLE_OFFICER}) {
    rpc::Peer peer = backend;
    peer.roles.Add(role);
    EXPECT_TRUE(peer.SeesEvidenceOf("shop"));
  }
}

}  // namespace
}  // namespace consent::test::roles_test
