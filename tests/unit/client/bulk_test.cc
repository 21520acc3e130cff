// A file's lines against a daemon of the test's own: each once, noes first, resuming, waiting where it is asked for.
#include "client/cli/engines/bulk_engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "client/cli/files.h"
#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/src/error_details.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using testing::FakeRandom;
using How = BulkEnd::How;

class CollectingSink final : public BulkSink {
 public:
  absl::Status Line(const BulkResult& result) override {
    outcomes.push_back(std::to_string(result.line) + " " + OutcomeName(result) +
                       (result.problems.empty() ? "" : " " + result.problems[0].reason));
    if (result.unreached) unreached.push_back(result.line);
    return absl::OkStatus();
  }
  uint64_t report_bytes() const override { return outcomes.size(); }
  void Progress(int, uint64_t, uint64_t) override {}
  std::vector<std::string> outcomes;
  std::vector<uint64_t> unreached;  // lines
};

// As the daemon refuses what is over a limit.
absl::Status OverLimit(const std::string& limit, const std::string& value, int64_t seconds) {
  google::rpc::ErrorInfo info;
  info.set_reason("LIMIT_EXCEEDED");
  (*info.mutable_metadata())["limit"] = limit;
  (*info.mutable_metadata())["value"] = value;
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(retry);
  return FromGrpc(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "over the limit", details.SerializeAsString()));
}

std::string No(const std::string& account, const std::string& control) {
  return R"({"account_id":")" + account + R"(","choices":[{"control":")" + control + "\",\"turn\":\"OFF\"}]}\n";
}
std::string Yes(const std::string& account, const std::string& control, const std::string& no = "") {
  return R"({"account_id":")" + account + R"(","choices":[)" +
         (no.empty() ? "" : R"({"control":")" + no + R"(","turn":"OFF"},)") +
         R"({"turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"n","notice_language":"de","control":")" +
         control + "\"}]}\n";
}

class BulkTest : public ::testing::Test {
 protected:
  BulkTest() {
    client_.on_create_deletion = [this](const NewDeletionRequest& order) -> absl::StatusOr<DeletionCreated> {
      if (absl::Status status = Note("delete " + order.account_id.value(), order.request_id); !status.ok())
        return status;
      DeletionCreated done;
      done.created = true;
      return done;
    };
    client_.on_opt_out = [this](const OptOutOrder& order) -> absl::StatusOr<OptedOut> {
      if (absl::Status status = Note("off " + order.account_id.value(), order.request_id); !status.ok()) return status;
      OptedOut done;
      done.results.resize(order.targets.size(), {"targets[0]", true, true, "", ""});
      return done;
    };
    client_.on_settings = [this](const SettingsUpdate& update) -> absl::StatusOr<SettingsUpdated> {
      if (absl::Status status = Note("on " + update.account_id.value(), update.request_id); !status.ok()) return status;
      SettingsUpdated done;
      done.results.resize(update.changes.size(), {"changes[0]", true, true, "", ""});
      return done;
    };
    path_ = ::testing::TempDir() + "bulk_" + std::to_string(::getpid()) + "_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    ::unlink((path_ + ".progress").c_str());
  }
  ~BulkTest() override {
    ::unlink(path_.c_str());
    ::unlink((path_ + ".progress").c_str());
  }

  // As a daemon does: a request_id that was done is answered as before and done no more.
  absl::Status Note(const std::string& what, const RequestId& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++calls_;
    if (answer_) {
      if (absl::Status status = answer_(what); !status.ok()) return status;
    }
    if (ids_.insert(id.value()).second) done_.push_back(what);
    return absl::OkStatus();
  }

  enum class Kind { kDelete, kOptOut, kSet };
  BulkEnd Run(Kind kind, const std::string& text) {
    const Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_TRUE(WriteAll(file.get(), text));
    BulkJob job;
    job.input_hash = "hash";
    job.parallel = 4;
    job.has_yeses = kind == Kind::kSet;
    job.read = [kind](std::string_view line) {
      DeletionDefaults everything;
      everything.selector = Everything{};
      if (kind == Kind::kDelete) return ReadDeletionLine(line, everything);
      return kind == Kind::kOptOut ? ReadOptOutLine(line, {}) : ReadSettingsLine(line, {});
    };
    auto progress = BulkProgress::Open(path_ + ".progress", {"order", "hash", "store"}, random_);
    EXPECT_TRUE(progress.ok()) << progress.status();
    CallGate gate(4, clock_);
    sink_.outcomes.resize(progress->report_bytes());
    Bulk bulk(client_, gate, *progress, sink_, job);
    const BulkEnd end = bulk.Run(file.get());
    counts_ = bulk.counts();
    pauses_ = gate.pauses();
    return end;
  }
  size_t Times(const std::string& what) const {
    return static_cast<size_t>(std::count(done_.begin(), done_.end(), what));
  }

  FakeRandom random_;
  FakeClock clock_;
  FakeClient client_;
  CollectingSink sink_;
  std::mutex mutex_;
  size_t calls_ = 0;
  std::vector<std::string> done_;
  std::set<std::string> ids_;
  std::function<absl::Status(const std::string&)> answer_;
  BulkCounts counts_;
  size_t pauses_ = 0;
  std::string path_;
};

std::string Accounts(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += R"({"account_id":"a)" + std::to_string(i) + "\"}\n";
  return text;
}

TEST_F(BulkTest, EachLineIsSentOnceAndReportedInOrder) {
  EXPECT_EQ(Run(Kind::kDelete, Accounts(500)).how, How::kComplete);
  ASSERT_EQ(sink_.outcomes.size(), 500u);
  for (size_t i = 0; i < 500; ++i) EXPECT_EQ(sink_.outcomes[i], std::to_string(i + 1) + " DONE");
  EXPECT_EQ(done_.size(), 500u);
  EXPECT_EQ(std::set<std::string>(done_.begin(), done_.end()).size(), 500u);
  EXPECT_EQ(counts_.done, 500u);
  EXPECT_EQ(Run(Kind::kDelete, Accounts(500)).how, How::kComplete);
  EXPECT_EQ(calls_, 500u) << "a file that is done is not sent again";
}

TEST_F(BulkTest, TwoEqualLinesAreTwoRequestsAndAnotherRunIsAnotherOne) {
  EXPECT_EQ(Run(Kind::kDelete, Accounts(1) + Accounts(1)).how, How::kComplete);
  EXPECT_EQ(Times("delete a1"), 2u);
  ::unlink((path_ + ".progress").c_str());
  EXPECT_EQ(Run(Kind::kDelete, Accounts(1) + Accounts(1)).how, How::kComplete);
  EXPECT_EQ(Times("delete a1"), 4u) << "next week's everything is not last week's";
}

// Stopped at every line in turn: whatever was sent and not noted is sent again under the same request_id.
TEST_F(BulkTest, WhereverItStopsTheNextRunGoesOn) {
  for (int at = 1; at <= 70; at += 3) {
    done_.clear();
    ids_.clear();
    sink_.outcomes.clear();
    ::unlink((path_ + ".progress").c_str());
    const std::string stops = "delete a" + std::to_string(at);
    answer_ = [&stops](const std::string& what) {
      return what == stops ? absl::InternalError("gone") : absl::OkStatus();
    };
    const BulkEnd stopped = Run(Kind::kDelete, Accounts(70));
    EXPECT_EQ(stopped.how, How::kDaemonFailed);
    EXPECT_EQ(stopped.line, static_cast<uint64_t>(at));
    answer_ = nullptr;
    EXPECT_EQ(Run(Kind::kDelete, Accounts(70)).how, How::kComplete);
    EXPECT_EQ(done_.size(), 70u) << "each once, stopped at " << at;
    EXPECT_EQ(counts_.done, 70u);
    ASSERT_EQ(sink_.outcomes.size(), 70u);
    for (size_t i = 0; i < 70; ++i) EXPECT_EQ(sink_.outcomes[i], std::to_string(i + 1) + " DONE") << at;
  }
}

TEST_F(BulkTest, WaitsAsLongAsItIsAskedToAndNoShorterThanASecond) {
  int refusals = 3;
  answer_ = [&refusals](const std::string&) {
    if (refusals == 0) return absl::OkStatus();
    --refusals;
    return OverLimit("calls_per_second", "5", 7);
  };
  EXPECT_EQ(Run(Kind::kDelete, Accounts(10)).how, How::kComplete);
  EXPECT_EQ(done_.size(), 10u);
  EXPECT_EQ(pauses_, 3u);
  const std::vector<std::chrono::nanoseconds> sleeps = clock_.sleeps();
  ASSERT_FALSE(sleeps.empty());
  EXPECT_GE(*std::min_element(sleeps.begin(), sleeps.end()), std::chrono::seconds(7));
}

TEST_F(BulkTest, GivesUpWhereNothingIsAnsweredForLong) {
  answer_ = [](const std::string&) { return absl::UnavailableError("gone"); };
  const BulkEnd end = Run(Kind::kDelete, Accounts(3));
  EXPECT_EQ(end.how, How::kDaemonFailed);
  EXPECT_EQ(end.line, 1u);
  EXPECT_GT(pauses_, 50u) << "two minutes of pauses";
}

TEST_F(BulkTest, ACallerWhoMayNotDoThisStopsAtTheFirstLine) {
  answer_ = [](const std::string&) { return absl::PermissionDeniedError("no role"); };
  EXPECT_EQ(Run(Kind::kDelete, Accounts(300)).how, How::kDaemonFailed);
  EXPECT_LT(calls_, 300u);
}

TEST_F(BulkTest, RefusedAndUnreadableLinesAreReportedAndTheOthersGoOn) {
  answer_ = [](const std::string& what) {
    return what == "delete a2" ? ItemStatus("SUBJECT_FULL", "full") : absl::OkStatus();
  };
  EXPECT_EQ(Run(Kind::kDelete, Accounts(2) + "garbage\n\n" + std::string(70'000, 'x') + "\n" +
                                   R"({"account_id":"a6","x":1})" + "\n" + R"({"account_id":"a7"})")
                .how,
            How::kComplete);
  EXPECT_EQ(sink_.outcomes, (std::vector<std::string>{"1 DONE", "2 REFUSED SUBJECT_FULL", "3 UNREADABLE UNREADABLE",
                                                      "5 UNREADABLE UNREADABLE", "6 PARTLY UNREADABLE", "7 DONE"}));
  EXPECT_EQ(counts_.lines, counts_.done + counts_.partly + counts_.refused + counts_.unreadable);
}

TEST_F(BulkTest, EveryNoComesBeforeAnyYes) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += Yes("y" + std::to_string(i), "x", "z") + No("n" + std::to_string(i), "x");
  EXPECT_EQ(Run(Kind::kSet, text).how, How::kComplete);
  const auto is_yes = [](const std::string& what) { return what.rfind("on ", 0) == 0; };
  const auto first_yes = std::find_if(done_.begin(), done_.end(), is_yes);
  EXPECT_EQ(std::distance(done_.begin(), first_yes), 200) << "of the lines with a yes, too";
  EXPECT_TRUE(std::all_of(first_yes, done_.end(), is_yes));
  EXPECT_EQ(counts_.done, 200u);
}

TEST_F(BulkTest, ANoOfAnotherLineOverrulesTheYes) {
  for (const std::string& text : {Yes("a", "x") + No("a", "y"), No("a", "y") + Yes("a", "x")}) {
    ::unlink((path_ + ".progress").c_str());
    sink_.outcomes.clear();
    EXPECT_EQ(Run(Kind::kSet, text + Yes("b", "x")).how, How::kComplete);
    EXPECT_EQ(Times("on a"), 0u);
    EXPECT_NE(std::find_if(sink_.outcomes.begin(), sink_.outcomes.end(),
                           [](const std::string& one) { return one.find("OVERRULED_IN_FILE") != std::string::npos; }),
              sink_.outcomes.end());
  }
  EXPECT_EQ(Times("on b"), 2u);
}

TEST_F(BulkTest, ALineThatCouldBeAnybodysHoldsBackEveryYes) {
  EXPECT_EQ(Run(Kind::kSet, Yes("a", "x", "z") + "garbage\n").how, How::kComplete);
  EXPECT_EQ(done_, std::vector<std::string>{"off a"});
  EXPECT_EQ(sink_.outcomes, (std::vector<std::string>{"2 UNREADABLE UNREADABLE", "1 PARTLY RESTRICTION_NOT_IN_FORCE"}));
}

TEST_F(BulkTest, ARefusedNoHoldsBackTheYesOfItsLine) {
  client_.on_opt_out = [](const OptOutOrder&) {
    OptedOut done;
    done.results = {{"targets[0]", false, false, "INVALID_FIELD", "no such control"}};
    return done;
  };
  EXPECT_EQ(Run(Kind::kSet, Yes("a", "x", "typo")).how, How::kComplete);
  EXPECT_EQ(Times("on a"), 0u);
  EXPECT_EQ(sink_.outcomes, std::vector<std::string>{"1 REFUSED INVALID_FIELD"});
}

TEST_F(BulkTest, AYesThatDoesNotReachAllIsTold) {
  client_.on_settings = [](const SettingsUpdate& update) -> absl::StatusOr<SettingsUpdated> {
    SettingsUpdated done;
    done.results.resize(update.changes.size(), {"changes[0]", true, true, "", ""});
    if (update.account_id == AccountId("b")) {
      done.unreached.push_back({Scope{ProfileId("p"), {}}, Purpose::kHumanReview, {}, {}, {}});
    }
    return done;
  };
  EXPECT_EQ(Run(Kind::kSet, Yes("a", "help_improve") + Yes("b", "help_improve")).how, How::kComplete);
  EXPECT_EQ(sink_.unreached, std::vector<uint64_t>{2});
}

TEST_F(BulkTest, AStaleYesIsTold) {
  client_.on_settings = [](const SettingsUpdate&) -> absl::StatusOr<SettingsUpdated> {
    return ItemStatus("ETAG_MISMATCH", "another no");
  };
  EXPECT_EQ(Run(Kind::kSet, Yes("a", "x")).how, How::kComplete);
  EXPECT_EQ(sink_.outcomes, std::vector<std::string>{"1 REFUSED ETAG_MISMATCH"});
}

TEST_F(BulkTest, ProgressOfAnythingElseIsLeftAsItIs) {
  EXPECT_EQ(Run(Kind::kDelete, Accounts(3)).how, How::kComplete);
  const std::string path = path_ + ".progress";
  for (const BulkProgress::Of& of :
       {BulkProgress::Of{"other", "hash", "store"}, {"order", "other", "store"}, {"order", "hash", "other"}}) {
    EXPECT_FALSE(BulkProgress::Open(path, of, random_).ok());
  }
  const auto first = BulkProgress::Open(path, {"order", "hash", "store"}, random_);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first->complete());
  EXPECT_FALSE(BulkProgress::Open(path, {"order", "hash", "store"}, random_).ok()) << "it is in use";
}

TEST_F(BulkTest, ATornLineOfProgressCountsAsNotWritten) {
  const std::string path = path_ + ".progress";
  std::string run;
  {
    auto progress = BulkProgress::Open(path, {"order", "hash", "store"}, random_);
    ASSERT_TRUE(progress.ok());
    run = progress->run();
    ASSERT_TRUE(progress->Save(1, 16, {16, 16, 0, 0, 0}, 5).ok());
    ASSERT_TRUE(progress->Save(1, 32, {32, 32, 0, 0, 0}, 9).ok());
  }
  const auto text = ReadStateFile(path, "it");
  const size_t second = text->find('\n', text->find('\n') + 1) + 1;
  for (size_t cut = second; cut < text->size(); ++cut) {
    ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(cut)), 0);
    auto progress = BulkProgress::Open(path, {"order", "hash", "store"}, random_);
    ASSERT_TRUE(progress.ok());
    EXPECT_EQ(progress->Reached(1), 16u);
    EXPECT_EQ(progress->report_bytes(), 5u);
    EXPECT_EQ(progress->run(), run);
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC));
    ASSERT_TRUE(WriteAll(file.get(), *text));
  }
}

TEST(CallGateTest, ABoundOnCallsUnderWayIsKeptTo) {
  FakeClock clock;
  CallGate gate(8, clock);
  int refusals = 1;
  const absl::Status done = gate.Pass([&refusals] {
    if (refusals-- == 0) return absl::OkStatus();
    return OverLimit("calls_in_flight", "1", 0);
  });
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(gate.pauses(), 1u);
}

}  // namespace
}  // namespace consent::cli
