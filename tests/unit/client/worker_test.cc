// The worker against a client of the test's own and with real commands: what is reported, what goes back, and when it
// ends.
#include "client/cli/engines/worker_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "client/cli/engines/task_output.h"
#include "client/cli/exit_codes.h"
#include "client/src/error_details.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::FakeClient;

class Notes final : public WorkerSink {
 public:
  void Ended(const EndedTask& task) override { ended.push_back(task); }
  void CountsNothing() override { ++count_nothing; }
  void GoesBack(const std::string& why) override { back.push_back(why); }
  void NoAnswer(const absl::Status&) override { ++no_answers; }
  void Refused(const absl::Status& status) override { refusals.push_back(ErrorOf(status).reason); }
  void Answered() override { ++answers; }
  void Progress(const WorkerCounts&, size_t running) override { most_running = std::max(most_running, running); }

  std::vector<EndedTask> ended;
  std::vector<std::string> back;
  std::vector<std::string> refusals;
  int count_nothing = 0;
  int no_answers = 0;
  int answers = 0;
  size_t most_running = 0;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    std::signal(SIGPIPE, SIG_IGN);
    settings_.system = "audio";
    settings_.once = true;
    settings_.visibility = seconds(60);
    client_.on_lease = [this](const LeaseOrder& order) { return Lease(order); };
    client_.on_complete = [this](const std::vector<TaskResult>& results) {
      const std::lock_guard<std::mutex> lock(mutex_);
      results_.insert(results_.end(), results.begin(), results.end());
      return Accepted();
    };
    client_.on_fail = [this](const std::vector<TaskFailure>& failures) {
      const std::lock_guard<std::mutex> lock(mutex_);
      failures_.insert(failures_.end(), failures.begin(), failures.end());
      return Accepted();
    };
  }

  static std::vector<TaskAnswer> Accepted() { return {{true, "", ""}}; }

  LeasedTasks Lease(const LeaseOrder& order) {
    orders_.push_back(order);
    LeasedTasks leased;
    leased.held_until = clock_->SinceBoot() + held_for_;
    for (int n = 0; n < order.max_tasks && !tasks_.empty(); ++n) {
      leased.tasks.push_back(tasks_.front());
      tasks_.pop_front();
    }
    return leased;
  }

  void AddTask(const std::string& account, DeletionSelector selector = Everything{},
               std::vector<HoldSelector> exceptions = {}) {
    PurgeTask task;
    task.task_id = TaskId("task-" + std::to_string(tasks_.size()));
    task.epoch = 7;
    task.attempt = 1;
    task.account_id = AccountId(account);
    task.selector = std::move(selector);
    task.exceptions = std::move(exceptions);
    tasks_.push_back(std::move(task));
  }

  // The account says how the command ends.
  absl::Status Run(const std::string& script = "echo 2; exit \"$CONSENT_ACCOUNT_ID\"",
                   milliseconds patience = seconds(30)) {
    const auto command = TaskCommand::Create({"sh", "-c", script}, false);
    const StopRequest stop(patience);
    EXPECT_TRUE(stop.status().ok());
    Worker worker(settings_, client_, *command, {"PATH=/usr/bin:/bin"}, stop, *clock_, notes_);
    absl::Status ended = worker.Run();
    counts_ = worker.counts();
    return ended;
  }

  WorkerSettings settings_;
  FakeClient client_;
  std::shared_ptr<Clock> clock_ = Clock::System();
  seconds held_for_{60};
  std::deque<PurgeTask> tasks_;
  std::vector<LeaseOrder> orders_;
  std::mutex mutex_;
  std::vector<TaskResult> results_;
  std::vector<TaskFailure> failures_;
  Notes notes_;
  WorkerCounts counts_;
};

TEST(JudgeTest, SaysWhatTheExitStatusMeans) {
  const auto judge = [](RunEnd::How how, int number) { return Judge({how, number, {}, ""}); };
  EXPECT_EQ(judge(RunEnd::How::kExited, 0).kind, Verdict::Kind::kDone);
  EXPECT_EQ(judge(RunEnd::How::kExited, 3).kind, Verdict::Kind::kNotFound);
  EXPECT_EQ(judge(RunEnd::How::kExited, 75).kind, Verdict::Kind::kRetry);
  EXPECT_EQ(judge(RunEnd::How::kExited, 75).error, "exit 75");
  EXPECT_EQ(judge(RunEnd::How::kExited, 5).kind, Verdict::Kind::kExcluded);
  for (const int status : {1, 2, 6, 74, 126, 127, 255}) {
    EXPECT_EQ(judge(RunEnd::How::kExited, status).kind, Verdict::Kind::kFailed);
    EXPECT_EQ(judge(RunEnd::How::kExited, status).error, "exit " + std::to_string(status));
  }
  // Signals whose numbers are exit statuses with a meaning.
  EXPECT_EQ(judge(RunEnd::How::kSignalled, 3).kind, Verdict::Kind::kFailed);
  EXPECT_EQ(judge(RunEnd::How::kSignalled, 9).error, "signal 9");
  // An exit status of 0 after it was told to end counts for nothing.
  EXPECT_EQ(judge(RunEnd::How::kOutOfTime, 0).kind, Verdict::Kind::kFailed);
  EXPECT_EQ(judge(RunEnd::How::kStopped, 0).kind, Verdict::Kind::kGivenBack);
  EXPECT_EQ(judge(RunEnd::How::kNotStarted, 0).kind, Verdict::Kind::kFailed);
}

TEST(JudgeTest, AnExemptionNeedsAGroundThatAReportMaySay) {
  const auto judge = [](const std::string& output) {
    TaskOutput read;
    read.Add(output);
    RunEnd end{RunEnd::How::kExited, 4, {}, ""};
    end.last_line = read.LastLine();
    return Judge(end);
  };
  const Verdict kept = judge("looked at 3\n LEGAL_OBLIGATION  invoices are kept for ten years \n");
  EXPECT_EQ(kept.kind, Verdict::Kind::kExempt);
  EXPECT_EQ(kept.exempt_reason, ExemptReason::kLegalObligation);
  EXPECT_EQ(kept.error, "invoices are kept for ten years");
  EXPECT_EQ(judge("SECURITY: of a running case").error, "of a running case");
  EXPECT_EQ(judge("INTERNAL_USES").error, "INTERNAL_USES") << "the daemon wants words";
  EXPECT_EQ(judge("DEBUGGING " + std::string(256, 'x')).kind, Verdict::Kind::kExempt);
  for (const std::string wrong : {"", "\n", "because", "legal_obligation x", "UNSPECIFIED x", "SYSTEM_RETIRED x",
                                  "ALLOWED_AGAIN x", "LEGAL_OBLIGATIONS x", "12"}) {
    EXPECT_EQ(judge(wrong).kind, Verdict::Kind::kFailed) << wrong;
    EXPECT_EQ(judge(wrong).error, "exit 4, and its last line begins with no ground of an exemption") << wrong;
  }
  for (const size_t size : {257UL, 100'000UL}) {
    const Verdict verdict = judge("DEBUGGING " + std::string(size, 'x'));
    EXPECT_EQ(verdict.kind, Verdict::Kind::kFailed);
    EXPECT_EQ(verdict.error.find('x', 7), std::string::npos) << "what it printed may name people";
  }
}

TEST(LimitsTest, ThereIsTimeToReportBeforeTheLeaseEnds) {
  for (const int visibility : {1, 2, 30, 300, 43'200}) {
    EXPECT_GT(GraceOf(seconds(visibility)).count(), 0);
    EXPECT_GT(MarginOf(seconds(visibility)), GraceOf(seconds(visibility)));
    EXPECT_LT(MarginOf(seconds(visibility)), nanoseconds(seconds(visibility)) / 4)
        << "most of the lease is the command's";
  }
}

TEST_F(WorkerTest, EachTaskIsReportedAsItsCommandEnded) {
  for (const char* account : {"0", "3", "75", "1", "0", "5"}) AddTask(account);
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.done, 2u);
  EXPECT_EQ(counts_.not_found, 1u);
  EXPECT_EQ(counts_.retried, 1u);
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_EQ(counts_.excluded, 1u);
  EXPECT_EQ(counts_.erased, 6);
  ASSERT_EQ(results_.size(), 4u);
  EXPECT_EQ(results_[3].outcome, PurgeOutcome::kExcludedFromNextBuild);
  EXPECT_EQ(results_[3].erased_count, 2);
  EXPECT_EQ(results_[0].outcome, PurgeOutcome::kAcknowledged);
  EXPECT_EQ(results_[0].epoch, 7);
  EXPECT_EQ(results_[0].erased_count, 2);
  EXPECT_EQ(results_[0].evidence_hash.size(), 32u);
  EXPECT_EQ(results_[1].outcome, PurgeOutcome::kNotFound);
  EXPECT_EQ(results_[1].erased_count, 0);
  ASSERT_EQ(failures_.size(), 2u);
  EXPECT_EQ(failures_[0].error, "exit 75");
  EXPECT_EQ(failures_[1].error, "exit 1");
  EXPECT_EQ(notes_.back, (std::vector<std::string>{"exit 75", "exit 1"}));
  ASSERT_EQ(notes_.ended.size(), 6u) << "each is told, once";
  const std::vector<std::string> words = {"ACKNOWLEDGED", "NOT_FOUND",    "AGAIN_LATER",
                                          "FAILED",       "ACKNOWLEDGED", "EXCLUDED_FROM_NEXT_BUILD"};
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(Word(notes_.ended[i].end), words[i]);
    EXPECT_EQ(notes_.ended[i].selector, "everything");
    EXPECT_EQ(notes_.ended[i].attempt, 1);
    EXPECT_EQ(notes_.ended[i].erased, words[i] == "NOT_FOUND" ? 0 : 2);
    EXPECT_GT(notes_.ended[i].took.count(), 0);
  }
  EXPECT_EQ(notes_.ended[2].why, "exit 75");
  EXPECT_EQ(notes_.ended[0].why, "");
  EXPECT_EQ(orders_.back().wait, seconds(0)) << "`once` waits for nothing";
  EXPECT_EQ(orders_.front().max_tasks, 1) << "no task waits while its lease runs";
}

TEST_F(WorkerTest, AsksForWhatItAcceptsAndRunsNothingElse) {
  settings_.accepts = {DeletionSelectorKind::kRecordings, DeletionSelectorKind::kDevice};
  AddTask("0", std::vector<RecordingId>{RecordingId("r")});
  AddTask("0");  // from a daemon that does not know of it
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(orders_.front().accepts, settings_.accepts);
  EXPECT_EQ(counts_.done, 1u);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_EQ(failures_[0].error,
            "its selector is none that the worker accepts: the daemon is too old to know of --accepts");
}

TEST_F(WorkerTest, AsManyRunAsMayAndEachOnce) {
  settings_.parallel = 4;
  settings_.batch = 8;
  for (int n = 0; n < 40; ++n) AddTask("0");
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.done, 40u);
  EXPECT_EQ(notes_.most_running, 4u);
  EXPECT_EQ(orders_.front().max_tasks, 8);
}

TEST_F(WorkerTest, WhatCannotBeSaidIsNotRun) {
  AddTask("0", DeletionSelector());
  AddTask("0", std::vector<RecordingId>{RecordingId("a\nb")});
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.failed, 2u);
  EXPECT_TRUE(results_.empty());
}

TEST_F(WorkerTest, NothingIsRunWhereTheCommandDoesNotHeedExceptions) {
  AddTask("0", Everything{}, {{ProfileId("kid"), {}}});
  AddTask("0");
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_EQ(counts_.done, 1u);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_EQ(failures_[0].task_id, TaskId("task-0"));
  EXPECT_NE(failures_[0].error.find("--heeds-exceptions"), std::string::npos);
  EXPECT_FALSE(failures_[0].not_begun) << "operators see it among the failures";
}

TEST_F(WorkerTest, ACommandThatHeedsExceptionsIsTold) {
  settings_.heeds_exceptions = true;
  AddTask("0", Everything{}, {{ProfileId("kid"), {}}});
  EXPECT_TRUE(Run("case $CONSENT_EXCEPTIONS in *kid*) grep -q kid && echo 1;; *) exit 1;; esac").ok());
  EXPECT_EQ(counts_.done, 1u);
  EXPECT_TRUE(orders_.front().heeds_exceptions);
}

TEST_F(WorkerTest, AnExceptionThatIsNotKnownFailsTheTask) {
  settings_.heeds_exceptions = true;
  AddTask("0", Everything{}, {{ProfileId("kid"), {}}, {}});
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_TRUE(results_.empty());
}

TEST_F(WorkerTest, ATaskThatWaitedForHalfOfItsLeaseIsGivenBack) {
  held_for_ = seconds(29);
  AddTask("0");
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.given_back, 1u);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_NE(failures_[0].error.find("not begun"), std::string::npos);
  EXPECT_FALSE(failures_[0].not_begun) << "at once it would only come back";
}

TEST_F(WorkerTest, ACommandIsEndedBeforeItsLease) {
  settings_.visibility = seconds(2);
  held_for_ = seconds(2);
  AddTask("0");
  const nanoseconds began = clock_->SinceBoot();
  EXPECT_TRUE(Run("exec sleep 600").ok());
  EXPECT_LT(clock_->SinceBoot() - began, seconds(30));
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_NE(failures_.at(0).error.find("lease"), std::string::npos);
}

TEST_F(WorkerTest, AReportWithoutAnAnswerIsRepeated) {
  AddTask("0");
  int calls = 0;
  client_.on_complete = [&calls](const std::vector<TaskResult>&) -> absl::StatusOr<std::vector<TaskAnswer>> {
    if (++calls == 1) return absl::UnavailableError("restarting");
    return Accepted();
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(counts_.done, 1u);
  EXPECT_EQ(counts_.unreported, 0u);
}

TEST_F(WorkerTest, AReportThatIsRefusedIsAFailureOfItsTask) {
  AddTask("0");
  AddTask("3");
  client_.on_complete = [](const std::vector<TaskResult>& results) -> absl::StatusOr<std::vector<TaskAnswer>> {
    if (results[0].outcome == PurgeOutcome::kNotFound) return ItemStatus("INVALID_FIELD", "the call as a whole");
    return std::vector<TaskAnswer>{{false, "INVALID_FIELD", "this one"}};
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.done + counts_.not_found + counts_.unreported, 0u);
  EXPECT_EQ(counts_.refused, 2u);
  EXPECT_EQ(counts_.erased, 0);
  ASSERT_EQ(failures_.size(), 2u) << "silence would have the command run again with each lease";
  EXPECT_EQ(failures_[0].error, "REPORT_REFUSED: INVALID_FIELD");
  EXPECT_EQ(failures_[1].error, "REPORT_REFUSED: INVALID_FIELD");
  EXPECT_FALSE(failures_[0].not_begun);
}

TEST_F(WorkerTest, ACountThatNoReportTakesIsAFailure) {
  for (const char* count : {"1000000000001", "999999999999999999", "99999999999999999999999999999999999999999999"}) {
    failures_.clear();
    AddTask("0");
    EXPECT_TRUE(Run("echo " + std::string(count)).ok());
    EXPECT_TRUE(results_.empty()) << "not acknowledged as 0 erased";
    ASSERT_EQ(failures_.size(), 1u);
    EXPECT_NE(failures_[0].error.find("10^12"), std::string::npos);
    EXPECT_EQ(failures_[0].erased_count, 0);
    EXPECT_EQ(counts_.failed, 1u);
  }
  AddTask("0");
  EXPECT_TRUE(Run("echo 0000000000000000000001000000000000").ok());
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].erased_count, kMaxErasedCount);
}

TEST_F(WorkerTest, ARefusalIsNoSilence) {
  AddTask("1");
  AddTask("0");
  client_.on_fail = [](const std::vector<TaskFailure>&) -> absl::StatusOr<std::vector<TaskAnswer>> {
    return ItemStatus("INVALID_FIELD", "refused as a whole");
  };
  client_.on_complete = [](const std::vector<TaskResult>&) -> absl::StatusOr<std::vector<TaskAnswer>> {
    return ItemStatus("ROLE_REQUIRED", "refused as a whole");
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.refused, 2u);
  EXPECT_EQ(counts_.unreported, 0u);
  EXPECT_EQ(notes_.no_answers, 0);
  EXPECT_EQ(notes_.refusals, (std::vector<std::string>{"INVALID_FIELD", "INVALID_FIELD"}));
}

TEST_F(WorkerTest, ARenewalThatIsRefusedIsToldOnce) {
  settings_.visibility = seconds(2);
  held_for_ = seconds(2);
  settings_.renew_every = milliseconds(50);
  AddTask("0");
  client_.on_renew = [](const std::vector<TaskLease>&) -> absl::StatusOr<std::vector<TaskRenewal>> {
    return ItemStatus("ROLE_REQUIRED", "not yours");
  };
  EXPECT_TRUE(Run("sleep 0.6; echo 1").ok());
  EXPECT_EQ(notes_.refusals, std::vector<std::string>{"ROLE_REQUIRED"});
  EXPECT_EQ(notes_.no_answers, 0);
}

TEST(WorkerCodeTest, OnceAsksWhatIsOpenAndARunThatWasStoppedIsDone) {
  WorkerCounts counts;
  counts.failed = counts.retried = counts.refused = counts.lost = counts.taken_back = 1;
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, true, false), kDone) << "what failed was done since";
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, true, true), kWorkLeft);
  counts.open = 1;
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, true, false), kWorkLeft);
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, false, true), kDone);
  counts.unreported = 1;
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, true, false), kNoAnswer);
  EXPECT_EQ(CodeForWorker(absl::OkStatus(), counts, false, true), kDone) << "whatever happened weeks ago";
  EXPECT_EQ(CodeForWorker(absl::UnavailableError(""), counts, false, false), kNoAnswer);
}

TEST_F(WorkerTest, ALeaseThatIsLostIsNoRefusalAndSaysWhatWasErased) {
  AddTask("0");
  client_.on_complete = [](const std::vector<TaskResult>&) {
    return std::vector<TaskAnswer>{{false, "LEASE_LOST", "too late"}};
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.lost, 1u);
  EXPECT_EQ(counts_.refused, 0u);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_EQ(failures_[0].erased_count, 2) << "where a hold took it back, this is kept";
}

TEST_F(WorkerTest, AHoldEndsTheCommandWhateverTheVisibility) {
  settings_.visibility = seconds(43'200);
  held_for_ = seconds(43'200);
  settings_.renew_every = milliseconds(20);
  AddTask("0");
  const test::TempFolder folder;
  const std::string listens = folder / "listens";
  client_.on_renew = [&](const std::vector<TaskLease>& leases) {
    EXPECT_EQ(leases.size(), 1u);
    EXPECT_EQ(leases[0].epoch, 7);
    const bool held = std::filesystem::exists(listens);
    return std::vector<TaskRenewal>{
        {held ? LeaseState::kTakenBack : LeaseState::kRenewed, clock_->SinceBoot() + held_for_}};
  };
  const nanoseconds began = clock_->SinceBoot();
  EXPECT_TRUE(Run("sleep 600 & child=$!; trap 'kill $child; echo 5; exit 0' TERM; : > '" + listens + "'; wait").ok());
  EXPECT_LT(clock_->SinceBoot() - began, seconds(15));
  EXPECT_EQ(counts_.taken_back, 1u);
  EXPECT_TRUE(results_.empty()) << "an exit status of 0 after the hold ends nothing";
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_EQ(failures_[0].erased_count, 5) << "what was erased before is kept";
  EXPECT_EQ(failures_[0].evidence_hash.size(), 32u);
  EXPECT_FALSE(failures_[0].not_begun);
}

TEST_F(WorkerTest, ALeaseIsKeptWhileItsCommandRuns) {
  settings_.visibility = seconds(2);
  held_for_ = seconds(2);
  settings_.renew_every = milliseconds(50);
  AddTask("0");
  client_.on_renew = [&](const std::vector<TaskLease>& leases) {
    return std::vector<TaskRenewal>(leases.size(), {LeaseState::kRenewed, clock_->SinceBoot() + seconds(2)});
  };
  EXPECT_TRUE(Run("sleep 3; echo 2").ok());
  EXPECT_EQ(counts_.done, 1u) << "longer than one lease";
}

TEST_F(WorkerTest, ACommandHasItsLongestTime) {
  settings_.longest_run = seconds(1);
  AddTask("0");
  EXPECT_TRUE(Run("exec sleep 600").ok());
  EXPECT_EQ(counts_.failed, 1u);
  EXPECT_NE(failures_.at(0).error.find("--longest-run"), std::string::npos);
}

TEST_F(WorkerTest, OnceEndsWithTheErrorOfTheLease) {
  client_.on_lease = [](const LeaseOrder&) { return absl::UnavailableError("nobody there"); };
  EXPECT_EQ(Run().code(), absl::StatusCode::kUnavailable);
}

TEST_F(WorkerTest, ALongRunOutlastsALostDaemonAndEndsWhereItIsRefused) {
  settings_.once = false;
  AddTask("0");
  int calls = 0;
  client_.on_lease = [&](const LeaseOrder& order) -> absl::StatusOr<LeasedTasks> {
    ++calls;
    if (calls == 1) return absl::UnavailableError("restarting");
    if (calls == 2) return Lease(order);
    return ItemStatus("SYSTEM_NOT_FOUND", "retired");
  };
  EXPECT_EQ(Run().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(counts_.done, 1u);
  EXPECT_EQ(notes_.no_answers, 1);
  EXPECT_EQ(notes_.answers, 1);
  EXPECT_GT(orders_.front().wait, seconds(0));
  EXPECT_LE(orders_.front().wait * 4, settings_.visibility) << "waiting costs the lease's time";
}

TEST_F(WorkerTest, AskedToStopItGivesBackWhatItCannotFinish) {
  settings_.once = false;
  settings_.batch = 2;
  AddTask("0");
  AddTask("0");
  EXPECT_TRUE(Run("kill -TERM $PPID; exec sleep 600", milliseconds(50)).ok());
  EXPECT_EQ(counts_.given_back, 2u);
  EXPECT_EQ(counts_.done, 0u);
  ASSERT_EQ(failures_.size(), 2u);
  EXPECT_EQ(failures_[0].error, "the worker was stopped");
  EXPECT_EQ(failures_[1].error, "the worker was stopped before it began");
  EXPECT_FALSE(failures_[0].not_begun) << "it may have erased something";
  EXPECT_TRUE(failures_[1].not_begun);
  EXPECT_EQ(orders_.size(), 1u) << "nothing new is taken";
}

TEST_F(WorkerTest, AskedTwiceItStopsAtOnce) {
  settings_.once = false;
  AddTask("0");
  // The second signal is sent as long as the first may have taken both.
  EXPECT_TRUE(Run("trap 'exit 0' TERM; while :; do kill -INT $PPID; sleep 0.02; done", seconds(600)).ok());
  EXPECT_EQ(counts_.given_back, 1u);
}

TEST_F(WorkerTest, AskedOnceItFinishesWhatRuns) {
  settings_.once = false;
  AddTask("0");
  // It ends once the worker has seen the signal: the next lease is no longer asked for.
  client_.on_complete = [this](const std::vector<TaskResult>& results) {
    results_ = results;
    ::kill(::getpid(), SIGTERM);
    return Accepted();
  };
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(counts_.done, 1u);
  EXPECT_EQ(counts_.given_back, 0u);
}

}  // namespace
}  // namespace consent::cli
