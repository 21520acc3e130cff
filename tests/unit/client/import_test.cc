// The import against a client of the test's own: restrictions first, nothing allowed past a refused restriction,
// resuming.
#include "client/cli/engines/import_engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "client/cli/output.h"
#include "client/src/error_details.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using testing::FakeClient;
using testing::FakeRandom;
using How = ImportEnd::How;

class CollectingSink final : public ImportSink {
 public:
  absl::Status Refused(const RefusedPart& part) override {
    refused.push_back(part);
    return absl::OkStatus();
  }
  void Odd(uint64_t number, const std::string&) override { odd.push_back(number); }
  absl::Status Unreadable(uint64_t number, const std::string&) override {
    unreadable.push_back(number);
    return absl::OkStatus();
  }
  void Progress(int, uint64_t, uint64_t) override {}
  std::vector<RefusedPart> refused;
  std::vector<uint64_t> unreadable;
  std::vector<uint64_t> odd;
};

std::string Line(int number, const std::string& off, const std::string& on) {
  std::string choices;
  if (!off.empty()) choices += R"({"turn":"OFF","control":")" + off + "\"}";
  if (!on.empty()) {
    choices += (choices.empty() ? "" : ",") +
               (R"({"turn":"ON","notice_version":"n1","notice_language":"de","control":")" + on + "\"}");
  }
  return R"({"account_id":"a)" + std::to_string(number) + R"(","region":"DE","choices":[)" + choices + "]}\n";
}

absl::Status Refusal(const std::string& reason) { return ItemStatus(reason, "refused"); }

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    client_.on_opt_out = [this](const OptOutOrder& order) -> absl::StatusOr<OptedOut> {
      if (absl::Status status = Note("off", order.account_id, order.request_id); !status.ok()) return status;
      OptedOut done;
      done.revision = Etag("e-off");
      return done;
    };
    client_.on_subject = [this](const SubjectUpdate& update) -> absl::StatusOr<SubjectUpdated> {
      if (absl::Status status = Note("subject", update.account_id, update.request_id); !status.ok()) return status;
      return SubjectUpdated{Etag("etag of " + update.account_id.value()), true, {}, false, {}, false};
    };
    client_.on_settings = [this](const SettingsUpdate& update) -> absl::StatusOr<SettingsUpdated> {
      if (absl::Status status = Note("on", update.account_id, update.request_id); !status.ok()) return status;
      EXPECT_EQ(update.etag, Etag("etag of " + update.account_id.value()));
      return SettingsUpdated{Etag("e2"), {{"part", true, true, "", ""}}, false, {}, {}, false};
    };
    path_ = ::testing::TempDir() + "import_" + std::to_string(::getpid()) + "_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    ::unlink((path_ + ".state").c_str());
  }
  ~ImportTest() override {
    ::unlink(path_.c_str());
    ::unlink((path_ + ".state").c_str());
  }

  // What the daemon says to a call, and the log of all calls.
  absl::Status Note(const std::string& what, const AccountId& account, const RequestId& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string call = what + " " + account.value();
    const absl::Status status = answer_ ? answer_(call) : absl::OkStatus();
    calls_.push_back(call);
    ids_.push_back(id.value());
    return status;
  }

  ImportEnd Run(const std::string& text, bool with_state = false) {
    const Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_TRUE(WriteAll(file.get(), text));
    calls_.clear();
    ids_.clear();
    auto state = ImportState::Open(with_state ? path_ + ".state" : "", "hash", random_);
    EXPECT_TRUE(state.ok()) << state.status();
    EXPECT_TRUE(state->Begin("store").ok());
    Import import(client_, *state, sink_, parallel_);
    const ImportEnd end = import.Run(file.get());
    counts_ = import.counts();
    return end;
  }
  // Position of the first and the last call that begins so; -1: none.
  std::pair<int, int> Span(const std::string& what) const {
    std::pair<int, int> span{-1, -1};
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].rfind(what, 0) != 0) continue;
      if (span.first < 0) span.first = static_cast<int>(i);
      span.second = static_cast<int>(i);
    }
    return span;
  }

  FakeRandom random_;
  FakeClient client_;
  CollectingSink sink_;
  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::vector<std::string> ids_;
  std::function<absl::Status(const std::string&)> answer_;
  ImportCounts counts_;
  size_t parallel_ = 4;
  std::string path_;
};

TEST_F(ImportTest, EveryRestrictionComesBeforeAnyConsent) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += Line(i, i % 2 == 0 ? "ads" : "", "help_improve");
  EXPECT_EQ(Run(text).how, How::kComplete);
  EXPECT_EQ(std::count_if(calls_.begin(), calls_.end(), [](auto& c) { return c.rfind("off", 0) == 0; }), 250);
  EXPECT_EQ(std::count_if(calls_.begin(), calls_.end(), [](auto& c) { return c.rfind("on", 0) == 0; }), 500);
  EXPECT_LT(Span("off").second, Span("subject").first);
  EXPECT_LT(Span("off").second, Span("on").first);
  EXPECT_EQ(counts_.lines, 500u);
  EXPECT_EQ(counts_.imported, 500u);
}

// A profile's own yes may stand under another notice than the account's, and so in a call of its own.
TEST_F(ImportTest, ALineIsCountedWhoseConsentsDoNotReachAll) {
  client_.on_settings = [](const SettingsUpdate& update) -> absl::StatusOr<SettingsUpdated> {
    SettingsUpdated done{Etag("e2"), {{"part", true, true, "", ""}}, false, {}, {}, false};
    const bool of_account = update.changes.front().scope == Scope();
    if (of_account) {
      for (const char* profile : {"ann", "bert"}) {
        if (update.account_id != AccountId("alone") || profile == std::string("ann")) {
          done.unreached.push_back({Scope{ProfileId(profile), {}}, Purpose::kHumanReview, {}, {}, {}});
        }
      }
    }
    return done;
  };
  client_.on_subject = [](const SubjectUpdate&) -> absl::StatusOr<SubjectUpdated> {
    return SubjectUpdated{Etag("e1"), true, {}, false, {}, false};
  };
  const auto line = [](const std::string& account, const std::string& of_profile) {
    const std::string yes = R"({"turn":"ON","notice_language":"de","control":"help_improve","notice_version":)";
    return R"({"account_id":")" + account + R"(","region":"DE","choices":[)" + yes + R"("n1"})" +
           (of_profile.empty() ? "" : "," + yes + R"("n2","scope":{"profile_id":")" + of_profile + R"("}})") + "]}\n";
  };
  EXPECT_EQ(Run(line("alone", "")).how, How::kComplete);
  EXPECT_EQ(counts_.unreached, 1u);
  EXPECT_EQ(Run(line("alone", "ann")).how, How::kComplete);
  EXPECT_EQ(counts_.unreached, 0u) << "the profile said so itself";
  EXPECT_EQ(Run(line("two", "ann") + line("two", "bert") + line("alone", "ann")).how, How::kComplete);
  EXPECT_EQ(counts_.unreached, 2u) << "of each of the two lines another one has not";
  EXPECT_EQ(counts_.imported, 3u);
}

TEST_F(ImportTest, ARefusedRestrictionHoldsBackAllConsentsOfItsAccount) {
  answer_ = [](const std::string& call) { return call == "off a1" ? Refusal("INVALID_FIELD") : absl::OkStatus(); };
  // The account's consent stands in a line of its own.
  EXPECT_EQ(Run(Line(1, "ads", "") + Line(2, "ads", "help_improve") + Line(1, "", "help_improve")).how, How::kComplete);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a1"), 0);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "subject a1"), 0);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a2"), 1);
  EXPECT_EQ(counts_.refused, 2u);
  EXPECT_EQ(counts_.imported, 1u);
  EXPECT_EQ(sink_.refused[0].number, 1u);
  EXPECT_EQ(sink_.refused[0].part, "choices[0]");
  EXPECT_EQ(sink_.refused[0].reason, "INVALID_FIELD");
}

TEST_F(ImportTest, WithoutItsRegistrationThereIsNoConsent) {
  answer_ = [](const std::string& call) { return call == "subject a1" ? Refusal("SUBJECT_FULL") : absl::OkStatus(); };
  EXPECT_EQ(Run(Line(1, "", "help_improve")).how, How::kComplete);
  EXPECT_EQ(calls_, std::vector<std::string>{"subject a1"});
  EXPECT_EQ(counts_.refused, 1u);
}

TEST_F(ImportTest, PartsThatWereRefusedAreTold) {
  client_.on_settings = [](const SettingsUpdate&) {
    return SettingsUpdated{Etag("e"), {{"scope[0].x", false, false, "NOTICE_NOT_USABLE", "superseded"}}, false, {}, {},
                           false};
  };
  EXPECT_EQ(Run(Line(1, "", "help_improve")).how, How::kComplete);
  ASSERT_EQ(sink_.refused.size(), 1u);
  EXPECT_EQ(sink_.refused[0].part, "choices[0]/scope[0].x");
  EXPECT_EQ(sink_.refused[0].reason, "NOTICE_NOT_USABLE");
}

TEST_F(ImportTest, UnreadableLinesAreToldOnce) {
  EXPECT_EQ(Run(Line(1, "ads", "x") + "garbage\n\n" + std::string(70'000, 'x') + "\n" + Line(5, "", "x")).how,
            How::kComplete);
  EXPECT_EQ(sink_.unreadable, (std::vector<uint64_t>{2, 4}));
  EXPECT_EQ(counts_.lines, 4u);
  EXPECT_EQ(counts_.unreadable, 2u);
  EXPECT_EQ(counts_.refused, 2u);
}

TEST_F(ImportTest, ALineThatCouldBeAnybodysHoldsBackEveryYes) {
  const std::string only_no = R"({"account_id":"a3","choices":[{"all":true,"turn":"OFF"}]})"
                              "\n";
  for (const std::string& bad :
       {std::string("garbage"), std::string(70'000, 'x'), std::string(R"({"choices":[{"all":true,"turn":"OFF"}]})"),
        std::string(R"({"account_id":"a1","account_id":"a2","choices":[{"all":true,"turn":"OFF"}]})"),
        std::string("{\"account_id\":\"a\xff\",\"choices\":[{\"all\":true,\"turn\":\"OFF\"}]}"),
        std::string(R"({"account_id":"a1"}{"account_id":"a2"})")}) {
    sink_ = CollectingSink();
    // The yes stands before the line, and in other runs it is sent again.
    answer_ = [](const std::string& call) {
      return call == "off a3" ? absl::UnavailableError("gone") : absl::OkStatus();
    };
    EXPECT_EQ(Run(Line(1, "", "x") + bad + "\n" + only_no, true).how, How::kDaemonFailed);
    answer_ = nullptr;
    EXPECT_EQ(Run(Line(1, "", "x") + bad + "\n" + only_no, true).how, How::kComplete);
    EXPECT_EQ(calls_, std::vector<std::string>{"off a3"}) << bad.substr(0, 80);
    ASSERT_EQ(sink_.refused.size(), 1u);
    EXPECT_EQ(sink_.refused[0].number, 1u);
    EXPECT_NE(sink_.refused[0].message.find("line 2"), std::string::npos) << sink_.refused[0].message;
    EXPECT_EQ(counts_.lines, counts_.imported + counts_.refused + counts_.unreadable);
    EXPECT_EQ(counts_.imported, 1u) << "what only restricts is in force";
    ::unlink((path_ + ".state").c_str());
  }
}

// The second line allows what the first one refuses.
TEST_F(ImportTest, ANoOfADamagedLineCountsBeforeAnotherLinesYes) {
  const std::string no = R"("choices":[{"all":true,"turn":"OFF")";
  for (const std::string& bad :
       {R"({"account_id":"a1","profiles":[{"profile_id":"p","age":"ADULT","age":"CHILD"}],)" + no + "}]}",
        R"({"account_id":"a1","choices":[],)" + no + "}]}",
        R"({"account_id":"a1",)" + no + ",\"reference\":\"\xff\"}]}", R"({"account_id":"a1",)" + no + "}]} ",
        R"({"account_id":"a1",)" + no + "}],\"x\":" + std::string(20, '[') + std::string(20, ']') + "}"}) {
    EXPECT_EQ(Run(bad + "\n" + Line(2, "", "y")).how, How::kComplete);
    EXPECT_EQ(calls_, (std::vector<std::string>{"off a1", "subject a2", "on a2"})) << bad;
    EXPECT_EQ(counts_.unreadable, 0u);
    EXPECT_EQ(counts_.refused, 1u);
  }
  // What of such a line may be a no, and cannot be read, blocks its account.
  EXPECT_EQ(Run(R"({"account_id":"a1","choices":7,"choices":[{"all":true,"turn":"OFF"}]})"
                "\n" +
                Line(1, "", "y"))
                .how,
            How::kComplete);
  EXPECT_EQ(calls_, (std::vector<std::string>{"off a1"}));
  EXPECT_EQ(counts_.refused, 2u);
}

TEST_F(ImportTest, AStoredRetentionThatIsShorterHoldsBackNothing) {
  client_.on_settings = [this](const SettingsUpdate& update) -> absl::StatusOr<SettingsUpdated> {
    if (absl::Status status = Note(update.retention.empty() ? "on" : "keep", update.account_id, update.request_id);
        !status.ok()) {
      return status;
    }
    const bool refused = !update.retention.empty();
    return SettingsUpdated{
        Etag("e"), {{"retention[0]", !refused, true, refused ? "IMPORT_CANNOT_LOOSEN" : "", ""}}, false, {}, {}, false};
  };
  const std::string line = R"({"account_id":"a1","region":"DE","retention":"3m","choices":[)"
                           R"({"turn":"ON","notice_version":"n1","notice_language":"de","control":"x"}]})"
                           "\n";
  EXPECT_EQ(Run(line).how, How::kComplete);
  EXPECT_EQ(calls_, (std::vector<std::string>{"keep a1", "subject a1", "on a1"}));
  ASSERT_EQ(sink_.refused.size(), 1u) << "it is told";
  EXPECT_EQ(sink_.refused[0].reason, "IMPORT_CANNOT_LOOSEN");
  EXPECT_EQ(counts_.refused, 1u);
  EXPECT_EQ(counts_.imported, 0u) << "a line is counted once";
}

TEST_F(ImportTest, ANoOfALineWithFaultsCountsAndTheRestIsTold) {
  const std::string faulty =
      R"({"account_id":"a1","region":"DE","profiles":[{"profile_id":"p","age":"TEEN"}],"choices":[{"all":true,"turn":"OFF"}]})";
  EXPECT_EQ(Run(faulty + "\n" + Line(2, "", "x") + Line(1, "", "y")).how, How::kComplete);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "off a1"), 1);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "subject a1"), 1) << "of line 3: an age hides no no";
  ASSERT_EQ(sink_.refused.size(), 1u);
  EXPECT_EQ(sink_.refused[0].number, 1u);
  EXPECT_EQ(sink_.refused[0].part, "profiles[0]");
  EXPECT_EQ(sink_.refused[0].reason, "UNREADABLE");
  EXPECT_EQ(counts_.lines, 3u);
  EXPECT_EQ(counts_.refused, 1u);
  EXPECT_EQ(counts_.imported, 2u);
}

TEST_F(ImportTest, WhatMayHideANoHoldsBackItsAccount) {
  EXPECT_EQ(Run(R"({"account_id":"a1","choices":[{"all":true,"turn":"of"}]})"
                "\n" +
                Line(1, "", "x") + Line(2, "", "x"))
                .how,
            How::kComplete);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a1"), 0);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a2"), 1);
  EXPECT_EQ(counts_.refused, 2u);
}

TEST_F(ImportTest, AYesThatItsLineRefusesIsToldByPart) {
  EXPECT_EQ(Run(Line(1, "x", "x")).how, How::kComplete);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a1"), 0);
  ASSERT_EQ(sink_.refused.size(), 1u);
  EXPECT_EQ(sink_.refused[0].part, "choices[1]");
  EXPECT_EQ(sink_.refused[0].reason, "OVERRULED_IN_LINE");
  EXPECT_EQ(counts_.refused, 1u);
}

TEST_F(ImportTest, AClosedAccountIsTold) {
  client_.on_opt_out = [](const OptOutOrder& order) {
    OptedOut done;
    done.account_closed = order.account_id == AccountId("a2");
    return done;
  };
  EXPECT_EQ(Run(Line(1, "ads", "") + Line(2, "ads", "")).how, How::kComplete);
  EXPECT_EQ(sink_.odd, std::vector<uint64_t>{2});
  EXPECT_EQ(counts_.imported, 2u);
}

TEST_F(ImportTest, IdsThatLookMistakenAreToldAndTaken) {
  EXPECT_EQ(Run("{\"account_id\":\"a\xe2\x80\xae\",\"region\":\"DE\"}\n" + Line(2, "", "")).how, How::kComplete);
  EXPECT_EQ(sink_.odd, std::vector<uint64_t>{1});
  EXPECT_EQ(counts_.imported, 2u);
}

TEST_F(ImportTest, RepeatingSendsTheSameRequests) {
  parallel_ = 1;
  const std::string text = Line(1, "ads", "x") + Line(2, "ads", "x");
  Run(text);
  const std::vector<std::string> first = ids_;
  Run(text);
  EXPECT_EQ(ids_, first);
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), first.size());
}

TEST_F(ImportTest, GoesOnWhereItStopped) {
  std::string text;
  for (int i = 1; i <= 300; ++i) text += Line(i, "ads", "x");
  answer_ = [](const std::string& call) {
    return call == "off a200" ? absl::UnavailableError("gone") : absl::OkStatus();
  };
  const ImportEnd stopped = Run(text, true);
  EXPECT_EQ(stopped.how, How::kDaemonFailed);
  EXPECT_EQ(stopped.line, 200u);
  EXPECT_EQ(stopped.pass, 1);
  EXPECT_EQ(Span("subject").first, -1) << "no consent before every restriction is in force";

  answer_ = [](const std::string& call) {
    return call == "on a100" ? absl::UnavailableError("gone") : absl::OkStatus();
  };
  const ImportEnd again = Run(text, true);
  EXPECT_EQ(again.pass, 2);
  EXPECT_EQ(again.line, 100u);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "off a1"), 0) << "what is done is not sent again";
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "off a200"), 1);

  answer_ = nullptr;
  EXPECT_EQ(Run(text, true).how, How::kComplete);
  EXPECT_EQ(Span("off").first, -1);
  EXPECT_EQ(std::count(calls_.begin(), calls_.end(), "on a100"), 1);
  EXPECT_EQ(counts_.lines, 300u);
  EXPECT_EQ(counts_.imported, 300u);
  EXPECT_EQ(Run(text, true).how, How::kComplete);
  EXPECT_TRUE(calls_.empty()) << "a finished import sends nothing";
}

TEST_F(ImportTest, ARefusedRestrictionIsRememberedAcrossRuns) {
  answer_ = [](const std::string& call) {
    if (call == "off a1") return Refusal("INVALID_FIELD");
    return call == "subject a2" ? absl::UnavailableError("gone") : absl::OkStatus();
  };
  const std::string text = Line(1, "ads", "x") + Line(2, "ads", "x") + Line(1, "", "x");
  EXPECT_EQ(Run(text, true).how, How::kDaemonFailed);
  answer_ = nullptr;
  EXPECT_EQ(Run(text, true).how, How::kComplete);
  EXPECT_EQ(calls_, (std::vector<std::string>{"subject a2", "on a2"}));
  EXPECT_EQ(counts_.refused, 2u);
  EXPECT_EQ(counts_.imported, 1u);
}

}  // namespace
}  // namespace consent::cli
