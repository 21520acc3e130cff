// Whole command lines in this process, against a daemon of the test's own: what each asks for, and what is shown of the
// answer.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/command_line.h"
#include "client/cli/exit_codes.h"
#include "tests/unit/client/command_lines.h"

namespace consent::cli {
namespace {

using testing::FakeDaemon;
using testing::RpcError;

class OrdersTest : public CommandLines {
 protected:
  // What `delete a …` asks for.
  v1::DeletionSelector Deleted(std::vector<std::string> what) {
    v1::DeletionSelector selector;
    daemon_.on_create = [&selector](grpc::ServerContext&, const v1::CreateDeletionRequestRequest& request, auto*) {
      selector = request.selector();
      return grpc::Status::OK;
    };
    what.insert(what.begin(), {"delete", "a"});
    EXPECT_EQ(Call(what), kDone);
    return selector;
  }
  // What `holds place a …` asks for.
  v1::PlaceHoldRequest Held(std::vector<std::string> what) {
    v1::PlaceHoldRequest order;
    daemon_.on_place_hold = [&order](grpc::ServerContext&, const v1::PlaceHoldRequest& request,
                                     v1::PlaceHoldResponse* response) {
      order = request;
      response->mutable_hold()->set_hold_id("hold-1");
      *response->mutable_hold()->mutable_selector() = request.selector();
      response->set_revision("7");
      return grpc::Status::OK;
    };
    what.insert(what.begin(), {"holds", "place", "a", "--authority", "court", "--reason", "discovery", "--json"});
    EXPECT_EQ(Call(what), kDone);
    return order;
  }
};

TEST_F(OrdersTest, DeleteSelectsWhatWasSaid) {
  EXPECT_TRUE(Deleted({"--everything"}).everything());
  EXPECT_TRUE(Deleted({"--close-account"}).account_closure());
  EXPECT_EQ(Deleted({"--voice-id", "p"}).voice_id_of_profile_id(), "p");
  EXPECT_EQ(Deleted({"--profile", "p"}).profile_id(), "p");
  const v1::PurposeCopies copies = Deleted({"--purpose-copies", "human-review,advertising"}).purpose_copies();
  ASSERT_EQ(copies.purposes_size(), 2);
  EXPECT_EQ(copies.purposes(1), v1::PURPOSE_ADVERTISING);
  EXPECT_FALSE(copies.has_scope());
  EXPECT_EQ(Deleted({"--purpose-copies", "advertising", "--profile", "p"}).purpose_copies().scope().profile_id(), "p");
  EXPECT_EQ(Deleted({"--device", "d", "--purpose-copies", "advertising"}).purpose_copies().scope().device_id(), "d");
}

TEST_F(OrdersTest, HoldsCoverWhatWasSaid) {
  v1::PlaceHoldRequest order = Held({});
  EXPECT_EQ(order.account_id(), "a");
  EXPECT_EQ(order.authority(), "court");
  EXPECT_EQ(order.reason(), "discovery");
  EXPECT_TRUE(order.selector().account());
  EXPECT_FALSE(order.selector().has_captured());
  EXPECT_EQ(OutJson()["hold"]["hold_id"], "hold-1");
  EXPECT_EQ(OutJson()["hold"]["selector"]["kind"], "account");
  EXPECT_EQ(OutJson()["revision"], "7");
  order = Held({"--profile", "p", "--from", "1970-01-01T00:00:01Z", "--to", "1970-01-01T00:00:02Z"});
  EXPECT_EQ(order.selector().profile_id(), "p");
  EXPECT_EQ(order.selector().captured().from().seconds(), 1);
  EXPECT_EQ(order.selector().captured().to().seconds(), 2);
  order = Held({"--device", "d", "--to", "1970-01-01T00:00:02Z"});
  EXPECT_EQ(order.selector().device_id(), "d");
  EXPECT_FALSE(order.selector().captured().has_from());
  order = Held({"--recording", "r1", "--recording", "r2"});
  EXPECT_EQ(order.selector().recordings().recording_ids_size(), 2);
  EXPECT_FALSE(order.selector().has_captured());
}

TEST_F(OrdersTest, AReleaseCarriesItsEtagAndProof) {
  v1::ReleaseHoldRequest order;
  daemon_.on_release_hold = [&order](grpc::ServerContext&, const v1::ReleaseHoldRequest& request, auto*) {
    order = request;
    return RpcError(grpc::StatusCode::ABORTED, "ETAG_MISMATCH");
  };
  EXPECT_EQ(Call({"holds", "release", "h", "--etag", "e", "--authority", "court", "--reason", "settled", "--actor",
                  "system", "--channel", "support", "--json"}),
            kRefused);
  EXPECT_EQ(order.hold_id(), "h");
  EXPECT_EQ(order.etag(), "e");
  EXPECT_EQ(order.authority(), "court");
  EXPECT_EQ(order.reason(), "settled");
  EXPECT_EQ(order.evidence().channel(), v1::CHANNEL_SUPPORT);
  EXPECT_EQ(OutJson()["error"]["reason"], "ETAG_MISMATCH");
}

TEST_F(OrdersTest, HoldsAreListedAsLinesAndAsObjects) {
  std::vector<v1::ListHoldsRequest> seen;
  daemon_.on_list_holds = [&seen](grpc::ServerContext&, const v1::ListHoldsRequest& request,
                                  v1::ListHoldsResponse* response) {
    seen.push_back(request);
    v1::Hold* hold = response->add_holds();
    hold->set_hold_id("h");
    hold->set_account_id("a");
    hold->mutable_selector()->set_profile_id("p\x1b");
    hold->set_authority("court");
    response->set_next_page_token("more");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"holds", "list"}), kDone);
  EXPECT_EQ(out_, "hold\th\tIN_FORCE\ta\tprofile:p\\x1b\t\t\tcourt\t\t\t\t\t\t\t\t\nnext_page\tmore\n");
  EXPECT_EQ(Call({"holds", "list", "--account", "a", "--all", "--page", "t", "--json"}), kDone);
  EXPECT_EQ(OutJson()["next_page_token"], "more");
  EXPECT_EQ(OutJson()["holds"][0]["selector"]["profile_id"], "p\x1b");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_FALSE(seen[0].include_released());
  EXPECT_EQ(seen[1].account_id(), "a");
  EXPECT_TRUE(seen[1].include_released());
  EXPECT_EQ(seen[1].page_token(), "t");
}

TEST_F(OrdersTest, RequestsShowHoldsAndCauses) {
  v1::ListDeletionRequestsRequest query;
  daemon_.on_list_deletions = [&query](grpc::ServerContext&, const v1::ListDeletionRequestsRequest& request,
                                       v1::ListDeletionRequestsResponse* response) {
    query = request;
    v1::DeletionRequest* found = response->add_requests();
    found->set_deletion_id("d");
    found->set_on_hold(true);
    found->set_extended(true);
    found->set_cause(v1::DELETION_CAUSE_WITHDRAWAL);
    found->mutable_selector()->mutable_purpose_copies()->add_purposes(v1::PURPOSE_ADVERTISING);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"requests", "list", "--cause", "withdrawal,retention", "--received-from", "1970-01-01T00:00:01Z",
                  "--received-before", "1970-01-01T00:00:02Z"}),
            kDone);
  EXPECT_EQ(out_,
            "request\td\tUNSPECIFIED\tEXTENDED,ON_HOLD\t\t\t\t\t0/0\t\tpurpose_copies: ADVERTISING\tWITHDRAWAL\n");
  ASSERT_EQ(query.causes_size(), 2);
  EXPECT_EQ(query.causes(0), v1::DELETION_CAUSE_WITHDRAWAL);
  EXPECT_EQ(query.received_from().seconds(), 1);
  EXPECT_EQ(query.received_before().seconds(), 2);
  EXPECT_EQ(Call({"requests", "list", "--json"}), kDone);
  EXPECT_EQ(OutJson()["requests"][0]["on_hold"], true);
  EXPECT_EQ(OutJson()["requests"][0]["cause"], "WITHDRAWAL");
}

TEST_F(OrdersTest, TasksShowWhatWaitsForARelease) {
  daemon_.on_list_tasks = [](grpc::ServerContext&, const auto&, v1::ListTasksResponse* response) {
    response->add_tasks()->set_waits_for_release(true);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"tasks", "list", "audio"}), kDone);
  EXPECT_EQ(out_, "task\t\t\t\t\t0\t0\t\tyes\t0\t\tUNSPECIFIED\n");
  EXPECT_EQ(Call({"tasks", "list", "audio", "--json"}), kDone);
  EXPECT_EQ(OutJson()["tasks"][0]["waits_for_release"], true);
}

TEST_F(OrdersTest, SubjectsAreStartedAnewAndShowIt) {
  bool create_new = false;
  daemon_.on_upsert = [&create_new](grpc::ServerContext&, const v1::UpsertSubjectRequest& request, auto*) {
    create_new = request.create_new();
    return grpc::Status::OK;
  };
  daemon_.on_get_subject = [](grpc::ServerContext&, const auto&, v1::GetSubjectResponse* response) {
    response->mutable_closed_at()->set_seconds(1);
    response->mutable_reopened_at()->set_seconds(2);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"subject", "set", "a", "--region", "DE"}), kDone);
  EXPECT_FALSE(create_new);
  EXPECT_EQ(Call({"subject", "set", "a", "--region", "DE", "--create-new"}), kDone);
  EXPECT_TRUE(create_new);
  EXPECT_EQ(Call({"subject", "get", "a"}), kDone);
  EXPECT_EQ(out_, "subject\tunknown\tno\t\t1970-01-01T00:00:01Z\t1970-01-01T00:00:02Z\n");
  EXPECT_EQ(Call({"subject", "get", "a", "--json"}), kDone);
  EXPECT_EQ(OutJson()["closed_at"], "1970-01-01T00:00:01Z");
}

// The daemon takes a no whatever else of the call is unusable, and so does the command line.
TEST_F(OrdersTest, ANoIsSentWhateverElseIsTyped) {
  v1::OptOutRequest out;
  v1::UpdateSettingsRequest changed;
  v1::UpsertSubjectRequest subject;
  daemon_.on_opt_out = [&out](grpc::ServerContext&, const v1::OptOutRequest& request, auto*) {
    out = request;
    return grpc::Status::OK;
  };
  daemon_.on_update = [&changed](grpc::ServerContext&, const v1::UpdateSettingsRequest& request, auto*) {
    changed = request;
    return grpc::Status::OK;
  };
  daemon_.on_upsert = [&subject](grpc::ServerContext&, const v1::UpsertSubjectRequest& request, auto*) {
    subject = request;
    return grpc::Status::OK;
  };
  const std::string long_text(65, 'x');
  // What can be sent is the daemon's to judge.
  EXPECT_EQ(Call({"settings", "opt-out", "a", "--all", "--language", "e", "--notice", long_text}), kDone);
  EXPECT_EQ(out.evidence().notice_language(), "e");
  EXPECT_EQ(out.evidence().notice_version(), long_text);
  EXPECT_EQ(Call({"subject", "set", "a", "--off", "all", "--region", "de"}), kDone);
  EXPECT_EQ(subject.region(), "de");
  // What cannot is left out and told.
  EXPECT_EQ(Call({"settings", "opt-out", "a", "--all", "--control", long_text, "--control", ""}), kPartlyRefused);
  EXPECT_EQ(out.targets_size(), 1);
  EXPECT_NE(out_.find("part\t--control\trefused\tNOT_SENT\t"), std::string::npos) << out_;
  EXPECT_EQ(Call({"settings", "set", "a", "--off", "all", "--on", "c\xff", "--retention", "12x", "--json"}),
            kPartlyRefused);
  EXPECT_EQ(changed.changes_size(), 1);
  EXPECT_EQ(changed.retention_size(), 0);
  ASSERT_EQ(OutJson()["results"].size(), 2u);
  EXPECT_EQ(OutJson()["results"][1]["part"], "--retention");
  EXPECT_EQ(Call({"settings", "set", "a", "--on", long_text, "--retention", "3m"}), kPartlyRefused);
  EXPECT_EQ(changed.retention_size(), 1);
  EXPECT_EQ(Call({"subject", "set", "a", "--off", "all", "--profile", "p:teen", "--retention", "12x"}), kPartlyRefused);
  EXPECT_EQ(subject.profiles_size(), 0);
  EXPECT_EQ(subject.initial_choices_size(), 1);
  // Without a no it is a wrong command line.
  EXPECT_EQ(Call({"settings", "opt-out", "a", "--control", long_text}), kUsage);
  EXPECT_EQ(Call({"settings", "set", "a", "--on", "x", "--retention", "12x"}), kUsage);
  EXPECT_EQ(Call({"settings", "set", "a", "--off", "c\xff"}), kUsage);
  EXPECT_EQ(Call({"subject", "set", "a", "--region", "DE", "--on", long_text}), kUsage);
}

TEST_F(OrdersTest, AClosedAccountIsTold) {
  daemon_.on_upsert = [](grpc::ServerContext&, const auto&, v1::UpsertSubjectResponse* response) {
    response->set_revision("e");
    response->set_account_closed(true);
    return grpc::Status::OK;
  };
  daemon_.on_report = [](grpc::ServerContext&, const auto&, v1::ReportRecordingResponse* response) {
    response->set_revision("e");
    response->set_account_closed(true);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"subject", "set", "a", "--off", "all"}), kDone);
  EXPECT_EQ(out_.find("subject\te\tno\tyes\n"), 0u) << out_;
  EXPECT_EQ(Call({"subject", "set", "a", "--off", "all", "--json"}), kDone);
  EXPECT_EQ(OutJson()["account_closed"], true);
  EXPECT_EQ(Call({"report-recording", "a", "r", "--flag", "safety"}), kDone);
  EXPECT_EQ(out_.find("report\t"), 0u);
  EXPECT_NE(out_.find("\te\tyes\n"), std::string::npos) << out_;
  EXPECT_EQ(Call({"report-recording", "a", "r", "--flag", "safety", "--json"}), kDone);
  EXPECT_EQ(OutJson()["account_closed"], true);
}

TEST_F(OrdersTest, AYesThatIsOverIsNotPrintedAsOne) {
  bool over = true;
  int calls = 0;
  daemon_.on_check = [&](grpc::ServerContext&, const auto&, v1::CheckResponse* response) {
    ++calls;
    testing::FillYes(response->mutable_decision());
    testing::FillTimes(response);
    if (over) response->mutable_decision()->set_good_until_us(1'700'000'000'000'000);
    return grpc::Status::OK;
  };
  const std::vector<std::string> check = {"check", "--account", "a", "--recording", "r", "--purpose", "human-review"};
  EXPECT_EQ(Call(check), kNoAnswer);
  EXPECT_EQ(calls, 2) << "it may come in time when asked again";
  EXPECT_EQ(out_.find("ELIGIBLE"), std::string::npos) << out_;
  EXPECT_EQ(out_.find("answer\tNO ANSWER"), 0u) << out_;
  over = false;
  EXPECT_EQ(Call(check), kDone);
  EXPECT_EQ(out_.find("answer\tELIGIBLE\tKEEP"), 0u) << out_;
}

// U+202E and U+009B: for parsers the lines are the same.
TEST_F(OrdersTest, FilteredLinesShowWhatWouldTurnThem) {
  daemon_.on_batch = [](grpc::ServerContext&, const v1::BatchCheckRequest& request, v1::BatchCheckResponse* response) {
    testing::FillTimes(response);
    for (const auto& recording : request.recordings()) {
      v1::Decision* decision = response->add_results()->mutable_decision();
      testing::FillYes(decision);
      if (recording.account_id() == "yes") continue;
      decision->set_eligibility(v1::ELIGIBILITY_NOT_ELIGIBLE);
      decision->set_disposition(v1::DISPOSITION_PURGE);
      decision->set_reasons(0, v1::REASON_DELETED);
    }
    return grpc::Status::OK;
  };
  const std::string path = ::testing::TempDir() + "turned_" + std::to_string(::getpid());
  const std::string id = "r\xe2\x80\xae\xc2\x9b";
  const auto line = [&id](const char* account) {
    return nlohmann::json{{"recording_id", id}, {"account_id", account}}.dump() + "\n";
  };
  std::ofstream(path) << line("yes") << line("no");
  EXPECT_EQ(Call({"filter", path, "--purpose", "human-review", "--refused", path + ".no", "--purge", path + ".purge"}),
            kDone);
  std::string refused;
  std::string purge;
  std::getline(std::ifstream(path + ".no") >> std::ws, refused);
  std::getline(std::ifstream(path + ".purge") >> std::ws, purge);
  for (const std::string& text : {out_, refused, purge}) {
    EXPECT_EQ(nlohmann::json::parse(text)["recording_id"], id) << text;
    EXPECT_NE(text.find("\\u202e\\u009b"), std::string::npos) << text;
  }
  for (const char* end : {"", ".no", ".purge"}) ::unlink((path + end).c_str());
}

TEST_F(OrdersTest, EvidenceThatIsWithheldIsNotShownAsNone) {
  daemon_.on_history = [](grpc::ServerContext&, const auto&, v1::ListSettingsHistoryResponse* response) {
    response->add_entries()->set_kind(v1::CHANGE_KIND_OPT_OUT);
    response->add_entries()->set_evidence_withheld(true);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"settings", "history", "a", "--json"}), kDone);
  const nlohmann::json entries = OutJson()["entries"];
  EXPECT_EQ(entries[0]["evidence_withheld"], false);
  EXPECT_EQ(entries[1]["evidence_withheld"], true);
  EXPECT_EQ(Call({"settings", "history", "a"}), kDone);
  EXPECT_EQ(out_.find("withheld"), out_.find("withheld\twithheld")) << out_;
  EXPECT_NE(out_.find("withheld"), std::string::npos) << out_;
}

class ExportCommandTest : public OrdersTest {
 protected:
  ExportCommandTest() {
    daemon_.on_get_subject = Empty<v1::GetSubjectRequest, v1::GetSubjectResponse>();
    daemon_.on_get_settings = Empty<v1::GetSettingsRequest, v1::GetSettingsResponse>();
    daemon_.on_history = Empty<v1::ListSettingsHistoryRequest, v1::ListSettingsHistoryResponse>();
    daemon_.on_list_deletions = Empty<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse>();
    daemon_.on_list_holds = Empty<v1::ListHoldsRequest, v1::ListHoldsResponse>();
    daemon_.on_list_heard = Empty<v1::ListHeardRequest, v1::ListHeardResponse>();
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  template <typename Request, typename Response>
  static FakeDaemon::Handler<Request, Response> Empty() {
    return [](grpc::ServerContext&, const Request&, Response*) { return grpc::Status::OK; };
  }
  std::string Written() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  const std::string path_ = ::testing::TempDir() + "export_" + std::to_string(::getpid());
};

TEST_F(ExportCommandTest, WritesOneDocumentToStandardOutput) {
  for (const bool flag : {false, true}) {
    EXPECT_EQ(Call(flag ? std::vector<std::string>{"export-subject", "a", "--json"}
                        : std::vector<std::string>{"export-subject", "a"}),
              kDone);
    EXPECT_EQ(OutJson()["account_id"], "a");
  }
  EXPECT_EQ(Call({"export-subject", "a", "--text"}), kDone);
  EXPECT_EQ(out_.find("What consentd holds about the account a"), 0u);
}

TEST_F(ExportCommandTest, AFileIsWrittenOnceAndReplacedOnlyByForce) {
  EXPECT_EQ(Call({"export-subject", "a", "--output", path_}), kDone);
  EXPECT_EQ(out_, "");
  const std::string first = Written();
  EXPECT_EQ(nlohmann::json::parse(first)["account_id"], "a");
  EXPECT_EQ(Call({"export-subject", "b", "--output", path_}), kFiles);
  EXPECT_EQ(Written(), first);
  EXPECT_EQ(Call({"export-subject", "b", "--output", path_, "--force"}), kDone);
  EXPECT_EQ(nlohmann::json::parse(Written())["account_id"], "b");
}

TEST_F(ExportCommandTest, AnErrorLeavesNothing) {
  daemon_.on_list_holds = [](grpc::ServerContext&, const auto&, auto*) {
    return RpcError(grpc::StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED");
  };
  EXPECT_EQ(Call({"export-subject", "a", "--output", path_}), kRefused);
  EXPECT_EQ(out_, "");
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
  EXPECT_EQ(Call({"export-subject", "a", "--json"}), kRefused);
  EXPECT_EQ(OutJson()["error"]["reason"], "ROLE_REQUIRED");
}

}  // namespace
}  // namespace consent::cli
