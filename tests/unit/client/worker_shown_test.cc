// What a worker shows: its metrics, and on a dry run what its command would be handed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/engines/worker_look.h"
#include "client/cli/engines/worker_metrics.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli::worker_shown_test {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

std::string TextOf(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class MetricsTest : public ::testing::Test {
 protected:
  absl::StatusOr<WorkerMetricsFile> Create(const std::string& name) {
    return WorkerMetricsFile::Create(folder_.path() / name, "audio", clock_, [this] { return now_; });
  }
  std::string path() const { return folder_.path() / "audio.prom"; }

  test::TempFolder folder_;
  FakeClock clock_;
  Time now_ = kNow;
};

TEST_F(MetricsTest, EachCountHasItsSeriesFromTheStart) {
  WorkerCounts counts;
  counts.done = 1;
  counts.not_found = 2;
  counts.exempt = 3;
  counts.excluded = 4;
  counts.retried = 5;
  counts.failed = 6;
  counts.given_back = 7;
  counts.taken_back = 8;
  counts.lost = 9;
  counts.refused = 10;
  counts.unreported = 11;
  counts.erased = 12;
  counts.open = 13;
  WorkerTimes times;
  times.started_at = kNow;
  times.ended = 2;
  times.took = std::chrono::milliseconds(1500);
  const std::string text = WorkerMetricsText("audio", counts, 14, times);
  const std::vector<std::string> outcomes = {"acknowledged", "not_found", "exempt",     "excluded_from_next_build",
                                             "again_later",  "failed",    "given_back", "taken_back",
                                             "lost",         "refused",   "unreported"};
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_THAT(text, HasSubstr("consent_worker_tasks_total{system=\"audio\",outcome=\"" + outcomes[i] + "\"} " +
                                std::to_string(i + 1) + "\n"));
  }
  for (const char* sample :
       {"consent_worker_task_seconds_sum{system=\"audio\"} 1.500\n",
        "consent_worker_task_seconds_count{system=\"audio\"} 2\n", "consent_worker_erased_total{system=\"audio\"} 12\n",
        "consent_worker_open_tasks{system=\"audio\"} 13\n", "consent_worker_running{system=\"audio\"} 14\n",
        "consent_worker_start_timestamp_seconds{system=\"audio\"} 1800000000.000\n"}) {
    EXPECT_THAT(text, HasSubstr(sample));
  }
  EXPECT_THAT(text, Not(HasSubstr("last_success"))) << "there was none";
}

TEST_F(MetricsTest, TheFileIsWholeReadableAndWrittenOnceASecond) {
  absl::StatusOr<WorkerMetricsFile> file = Create("audio.prom");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(TextOf(path()), HasSubstr("outcome=\"acknowledged\"} 0\n"));
  struct stat found {};
  ASSERT_EQ(::stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0644U) << "who collects it is another user";
  WorkerCounts counts;
  counts.done = 1;
  EndedTask task;
  task.end = TaskEnd::kAcknowledged;
  now_ += std::chrono::seconds(5);
  file->NoteEnded(task);
  ASSERT_TRUE(file->Write(counts, 0, false).ok());
  EXPECT_THAT(TextOf(path()), HasSubstr("outcome=\"acknowledged\"} 0\n")) << "no second has passed";
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(file->Write(counts, 0, false).ok());
  EXPECT_THAT(TextOf(path()), HasSubstr("outcome=\"acknowledged\"} 1\n"));
  EXPECT_THAT(TextOf(path()),
              HasSubstr("consent_worker_last_success_timestamp_seconds{system=\"audio\"} 1800000005.000\n"));
  counts.done = 2;
  ASSERT_TRUE(file->Write(counts, 0, true).ok());
  EXPECT_THAT(TextOf(path()), HasSubstr("outcome=\"acknowledged\"} 2\n")) << "at its end at once";
  task.end = TaskEnd::kFailed;
  now_ += std::chrono::seconds(5);
  file->NoteEnded(task);
  ASSERT_TRUE(file->Write(counts, 0, true).ok());
  EXPECT_THAT(TextOf(path()), HasSubstr("last_success_timestamp_seconds{system=\"audio\"} 1800000005.000\n"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++files;
  EXPECT_EQ(files, 1u) << "nothing is left beside it";
}

TEST_F(MetricsTest, SaysOnceThatItCannotBeWrittenAndAgainAfterItCould) {
  absl::StatusOr<WorkerMetricsFile> file = Create("audio.prom");
  ASSERT_TRUE(file.ok());
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(file->Write({}, 0, true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(file->Write({}, 0, true).ok()) << "said already";
  std::filesystem::remove(path());
  EXPECT_TRUE(file->Write({}, 0, true).ok());
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_FALSE(file->Write({}, 0, true).ok());
}

TEST_F(MetricsTest, AnotherNameOrPlaceIsRefusedBeforeAnythingIsDone) {
  EXPECT_EQ(Create("counts.txt").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Create("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Create("nowhere/audio.prom").status().code(), absl::StatusCode::kFailedPrecondition);
}

class LookTest : public ::testing::Test {
 protected:
  LookTest() {
    settings_.system = "audio";
    client_.on_lease = [this](const LeaseOrder& order) {
      orders_.push_back(order);
      LeasedTasks leased;
      leased.tasks = tasks_;
      leased.open_tasks = 9;
      return leased;
    };
    client_.on_fail = [this](const std::vector<TaskFailure>& failures) {
      failures_ = failures;
      return std::vector<TaskAnswer>(failures.size(), TaskAnswer{true, "", ""});
    };
  }
  void Add(const std::string& id, int64_t epoch, std::vector<HoldSelector> exceptions = {}) {
    PurgeTask task;
    task.task_id = TaskId(id);
    task.epoch = epoch;
    task.account_id = AccountId("ann");
    task.selector = Everything{};
    task.exceptions = std::move(exceptions);
    tasks_.push_back(std::move(task));
  }

  WorkerSettings settings_;
  FakeClient client_;
  std::vector<PurgeTask> tasks_;
  std::vector<LeaseOrder> orders_;
  std::vector<TaskFailure> failures_;
};

TEST_F(LookTest, ShowsTheLinesAndReportsNothing) {
  settings_.accepts = {DeletionSelectorKind::kEverything};
  settings_.heeds_exceptions = true;
  Add("t1", 0);
  const auto looked = LookAtTasks(settings_, client_);
  ASSERT_TRUE(looked.ok()) << looked.status();
  ASSERT_EQ(looked->tasks.size(), 1u);
  EXPECT_THAT(looked->tasks[0].line, HasSubstr("\"account_id\":\"ann\""));
  EXPECT_EQ(looked->tasks[0].line.find('\n'), std::string::npos);
  EXPECT_EQ(looked->open_tasks, 9);
  EXPECT_TRUE(failures_.empty());
  EXPECT_TRUE(orders_.at(0).look_only);
  EXPECT_EQ(orders_[0].wait.count(), 0);
  EXPECT_EQ(orders_[0].accepts, settings_.accepts);
  EXPECT_TRUE(orders_[0].heeds_exceptions);
}

TEST_F(LookTest, SaysWhatWouldNotBeRun) {
  HoldSelector held;
  Add("t1", 0, {held});
  const auto looked = LookAtTasks(settings_, client_);
  ASSERT_TRUE(looked.ok());
  EXPECT_EQ(looked->tasks.at(0).line, "");
  EXPECT_THAT(looked->tasks[0].why_not, HasSubstr("--heeds-exceptions"));
}

// It does not know of looking, so what it answers is leased.
TEST_F(LookTest, WhatAnOlderDaemonLeasesIsGivenBackAtOnce) {
  Add("t1", 4);
  Add("t2", 5);
  EXPECT_EQ(LookAtTasks(settings_, client_).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(failures_.size(), 2u);
  EXPECT_TRUE(failures_[0].not_begun && failures_[1].not_begun);
  EXPECT_EQ(failures_[1].epoch, 5);
}

}  // namespace
}  // namespace consent::cli::worker_shown_test
