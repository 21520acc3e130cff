// A sweep against a client of the test's own and with real commands: what goes, what stays, and what is done once more.
#include "client/cli/engines/sweep_engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "client/src/error_details.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli::sweep_test {
namespace {

using testing::FakeClient;
using How = SweepEnd::How;

class Notes final : public SweepSink {
 public:
  void Unanswered(uint64_t line, const std::string&) override { unanswered.push_back(line); }
  void Failed(size_t recordings, const std::string& why) override { failed.emplace_back(recordings, why); }
  void Progress(uint64_t, uint64_t, const SweepCounts&) override {}

  std::vector<uint64_t> unanswered;
  std::vector<std::pair<size_t, std::string>> failed;
};

std::string Line(const std::string& id, const std::string& more = "") {
  return R"({"recording_id":")" + id + R"(","account_id":")" + id.substr(0, 1) + "\"" + more + "}\n";
}

// A recording's name says what becomes of it: its second letter is k(eep), h(old), p(urge), e(rror of its own).
class SweepTest : public ::testing::Test {
 protected:
  SweepTest() {
    std::signal(SIGPIPE, SIG_IGN);
    settings_.batch = 4;
    client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
      return Answers(recordings, question);
    };
  }

  absl::StatusOr<BatchAnswers> Answers(const std::vector<Recording>& recordings, const Question& question) {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_EQ(question.purpose, Purpose::kUnset) << "what is to be done with it is no matter of a purpose";
    if (calls_until_silence_-- <= 0) return absl::UnavailableError("gone");
    BatchAnswers batch;
    for (const Recording& recording : recordings) batch.answers.push_back(AnswerFor(recording));
    return batch;
  }

  Answer AnswerFor(const Recording& recording) {
    std::string kind = recording.recording_id.value().substr(1, 1);
    const size_t asked = ++asked_[recording.recording_id.value()];
    if (kind == "l") kind = asked == 1 ? "p" : "h";  // on hold soon after it was asked about first
    if (kind == "e") return AnswerMaker::Failed(ItemStatus("INVALID_FIELD", "region is unknown"));
    const bool purge = kind == "p";
    return AnswerMaker::Received(
        testing::No(Purpose::kUnset, *clock_, purge ? Reason::kRetentionExpired : Reason::kLegalHold,
                    purge         ? Disposition::kPurge
                    : kind == "h" ? Disposition::kHold
                                  : Disposition::kKeep),
        clock_);
  }

  // The command writes each id that it purged to a file; one whose name ends with x makes it fail before.
  SweepEnd Run(const std::string& inventory, const std::string& script = "") {
    std::ofstream(folder_ / "inventory") << inventory;
    const int input = ::open((folder_ / "inventory").c_str(), O_RDONLY | O_CLOEXEC);
    const std::string purge = "case \"$CONSENT_RECORDING_IDS\" in *x*) exit 9;; *n) exit 3;; esac\n" +
                              ("echo \"$CONSENT_SELECTOR $CONSENT_ACCOUNT_ID \"$CONSENT_RECORDING_IDS >>" + Purged()) +
                              "\n";
    const auto command = TaskCommand::Create({"sh", "-c", script.empty() ? purge : script}, false);
    const StopRequest stop(std::chrono::seconds(30));
    EXPECT_TRUE(stop.status().ok());
    absl::StatusOr<SweepState> state =
        SweepState::Open(state_path_, {"hash", "audio", "2026-01-01T00:00:00Z"}, "2026-03-01T12:00:00Z");
    EXPECT_TRUE(state.ok()) << state.status();
    EXPECT_TRUE(state->Begin().ok());
    LineReader reader(input, kMaxLineBytes);
    SweepEngine engine(settings_, client_, *command, {"PATH=/usr/bin:/bin"}, stop, *clock_, *state, notes_);
    SweepEnd end = engine.Run(reader);
    ::close(input);
    counts_ = state->counts();
    reasons_ = engine.purged_by_reason();
    return end;
  }

  std::string Purged() const { return folder_ / "purged"; }
  std::vector<std::string> PurgedLines() const {
    std::vector<std::string> lines;
    std::ifstream file(Purged());
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  test::TempFolder folder_;
  SweepSettings settings_;
  FakeClient client_;
  std::shared_ptr<Clock> clock_ = Clock::System();
  std::mutex mutex_;
  std::map<std::string, size_t> asked_;
  int calls_until_silence_ = 1 << 20;
  std::string state_path_ = folder_ / "state";
  Notes notes_;
  SweepCounts counts_;
  std::map<std::string, uint64_t> reasons_;
};

TEST_F(SweepTest, ExactlyWhatMustGoGoes) {
  const SweepEnd end = Run(Line("ak1") + Line("ap1") + Line("bp1") + Line("ap2") + Line("ah1") + "\n" + Line("ap3") +
                           Line("bk1") + Line("cp1n"));
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(PurgedLines(), (std::vector<std::string>{"recordings a ap1 ap2", "recordings b bp1", "recordings a ap3"}));
  EXPECT_EQ(counts_.kept, 2);
  EXPECT_EQ(counts_.held, 1);
  EXPECT_EQ(counts_.purged, 4);
  EXPECT_EQ(counts_.not_found, 1);
  EXPECT_EQ(counts_.failed, 0);
  EXPECT_EQ(counts_.unanswered, 0);
  EXPECT_EQ(counts_.asked(), 8);
  EXPECT_EQ(reasons_, (std::map<std::string, uint64_t>{{"RETENTION_EXPIRED", 4}}));
  EXPECT_EQ(CodeForSweep(end, counts_), kDone);
}

TEST_F(SweepTest, WhatHasNoAnswerStays) {
  const SweepEnd end = Run("{\"recording_id\":\"ap1\"}\n" + Line("ae1") + Line("ap2") + "no json\n" +
                           std::string(kMaxLineBytes + 1, 'x') + "\n" + Line("ap3", R"(,"Wake":"BUTTON")"));
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(PurgedLines(), std::vector<std::string>{"recordings a ap2"});
  EXPECT_EQ(counts_.unanswered, 5);
  EXPECT_EQ(notes_.unanswered.size(), 5U);
  EXPECT_EQ(CodeForSweep(end, counts_), kUnreadable);
}

TEST_F(SweepTest, CopiesGoByThemselves) {
  const std::string copy = R"(,"artefact":"REVIEW_COPY","made_for":"HUMAN_REVIEW")";
  const std::string transcript = R"(,"artefact":"TRANSCRIPT","made_for":"HUMAN_REVIEW")";
  Run(Line("ap1", copy) + Line("ap2", transcript) + Line("ap3", copy) + Line("ap4", R"(,"artefact":"SOURCE")"));
  EXPECT_EQ(PurgedLines(), (std::vector<std::string>{"copies a ap1 ap3", "copies a ap2", "recordings a ap4"}));
  // A copy that does not say what it was made for cannot be told from others.
  state_path_ = folder_ / "another";
  Run(Line("ap5", R"(,"artefact":"TRANSCRIPT")"));
  EXPECT_EQ(counts_.failed, 1);
}

TEST_F(SweepTest, AHoldThatComesBeforeTheCommandKeepsIt) {
  const SweepEnd end = Run(Line("al1") + Line("ap1"));
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(PurgedLines(), std::vector<std::string>{"recordings a ap1"});
  EXPECT_EQ(counts_.held, 1);
}

TEST_F(SweepTest, AHoldThatComesWhileTheCommandRunsEndsIt) {
  settings_.ask_every = std::chrono::milliseconds(20);
  // Asked about first, once more before the command, and then on hold.
  client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
    absl::StatusOr<BatchAnswers> batch = Answers(recordings, question);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (batch.ok() && asked_["ap1"] > 2) {
      batch->answers[0] =
          AnswerMaker::Received(testing::No(Purpose::kUnset, *clock_, Reason::kLegalHold, Disposition::kHold), clock_);
    }
    return batch;
  };
  const SweepEnd end = Run(Line("ap1"), "sleep 600");
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(counts_.purged, 0);
  EXPECT_EQ(counts_.failed, 1) << "perhaps it was half done: the next run asks again";
  EXPECT_EQ(CodeForSweep(end, counts_), kSweepLeft);
}

TEST_F(SweepTest, WhatFailedIsDoneOnceMoreAndNothingElse) {
  const std::string inventory = Line("ap1") + Line("bp1x") + Line("ak1") + Line("ap2") + Line("cp1");
  EXPECT_EQ(CodeForSweep(Run(inventory), counts_), kSweepLeft);
  EXPECT_EQ(counts_.failed, 1);
  EXPECT_EQ(PurgedLines(), (std::vector<std::string>{"recordings a ap1 ap2", "recordings c cp1"}));
  ASSERT_EQ(notes_.failed.size(), 1U);
  EXPECT_EQ(notes_.failed[0].second, "exit 9");

  const std::map<std::string, size_t> before = asked_;
  const SweepEnd end = Run(inventory, "echo \"again $CONSENT_RECORDING_IDS\" >>" + Purged());
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(PurgedLines().back(), "again bp1x");
  EXPECT_EQ(PurgedLines().size(), 3U);
  EXPECT_EQ(asked_["ap1"], before.at("ap1")) << "what is done is not asked about again";
  EXPECT_EQ(counts_.failed, 0);
  EXPECT_EQ(counts_.purged, 4);
  EXPECT_EQ(counts_.kept, 1);
  EXPECT_EQ(CodeForSweep(end, counts_), kDone);
}

TEST_F(SweepTest, ADaemonThatFallsSilentEndsItAndTheNextRunGoesOn) {
  std::string inventory;
  for (int i = 0; i < 40; ++i) inventory += Line((i % 2 == 0 ? "ap" : "ak") + std::to_string(i));
  calls_until_silence_ = 7;  // two a batch
  const SweepEnd silent = Run(inventory);
  EXPECT_EQ(silent.how, How::kDaemonFailed);
  EXPECT_EQ(CodeForSweep(silent, counts_), kNoAnswer);
  const size_t before = PurgedLines().size();
  EXPECT_GT(before, 0U);
  EXPECT_LT(before, 10U);
  calls_until_silence_ = 1 << 20;
  const SweepEnd end = Run(inventory);
  EXPECT_EQ(end.how, How::kComplete);
  EXPECT_EQ(counts_.purged, 20);
  EXPECT_EQ(counts_.kept, 20);
  std::map<std::string, int> times;
  for (const std::string& line : PurgedLines()) {
    std::istringstream words(line.substr(std::string("recordings a ").size()));
    for (std::string id; words >> id;) ++times[id];
  }
  EXPECT_EQ(times.size(), 20U) << "none is skipped";
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id << " was purged twice";
}

// As if it had been killed after any line of its state file.
TEST_F(SweepTest, KilledAtAnyPlaceItGoesOnAndSkipsNothing) {
  std::string inventory;
  for (int i = 0; i < 12; ++i)
    inventory += Line(std::string(1, static_cast<char>('a' + i % 3)) + "pkhn"[i % 4] + std::to_string(i));
  ASSERT_EQ(Run(inventory).how, How::kComplete);
  const SweepCounts whole = counts_;
  const std::vector<std::string> all = PurgedLines();
  std::stringstream written;
  written << std::ifstream(state_path_).rdbuf();
  const std::string text = written.str();
  for (size_t cut = 0; cut < text.size(); ++cut) {
    std::ofstream(state_path_, std::ios::trunc) << text.substr(0, cut);
    std::filesystem::remove(Purged());
    ASSERT_EQ(Run(inventory).how, How::kComplete) << cut;
    EXPECT_EQ(counts_.purged, whole.purged) << cut;
    EXPECT_EQ(counts_.kept, whole.kept) << cut;
    EXPECT_EQ(counts_.held, whole.held) << cut;
    EXPECT_EQ(counts_.not_found, whole.not_found) << cut;
    // What the file knows to be gone is not done again.
    const size_t known =
        static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
    EXPECT_LE(PurgedLines().size(), all.size());
    if (known + 1 >= static_cast<size_t>(std::count(text.begin(), text.end(), '\n'))) {
      EXPECT_TRUE(PurgedLines().empty());
    }
  }
}

TEST_F(SweepTest, LongListsAreDividedAndNothingIsLost) {
  settings_.batch = 1000;
  settings_.parallel = 4;
  std::string inventory;
  for (int i = 0; i < 2500; ++i) inventory += Line((i % 5 == 0 ? "ak" : "ap") + std::to_string(i));
  ASSERT_EQ(Run(inventory).how, How::kComplete);
  EXPECT_EQ(counts_.purged, 2000);
  EXPECT_EQ(counts_.kept, 500);
  size_t ids = 0;
  for (const std::string& line : PurgedLines())
    ids += static_cast<size_t>(std::count(line.begin(), line.end(), ' ')) - 1;
  EXPECT_EQ(ids, 2000U);
}

TEST(SweepStateTest, GoesOnWithItsOwnSweepAlone) {
  test::TempFolder folder;
  const std::string path = folder / "state";
  const SweepOf mine{"hash", "audio", "2026-01-01T00:00:00Z"};
  const std::string now = "2026-03-01T12:00:00Z";
  auto state = SweepState::Open(path, mine, now);
  ASSERT_TRUE(state.ok());
  ASSERT_TRUE(state->Begin().ok());
  ASSERT_TRUE(state->Reach(5, {3, 1, 0, 0, 0, 1}).ok());
  ASSERT_TRUE(state->Left({2}).ok());
  for (const SweepOf& other :
       {SweepOf{"other", "audio", mine.registered_at}, SweepOf{"hash", "vendor", mine.registered_at},
        SweepOf{"hash", "audio", "2027-01-01T00:00:00Z"}}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(SweepState::Open(path, other, now).status()));
  }
  auto again = SweepState::Open(path, mine, "2026-04-01T12:00:00Z");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->started_at(), now) << "it began with the first run";
  EXPECT_EQ(again->reached(), 5U);
  EXPECT_TRUE(again->IsOpen(2));
  EXPECT_FALSE(again->IsOpen(3));
  EXPECT_TRUE(again->IsOpen(6));
  EXPECT_EQ(again->counts().failed, 1);
  // Once that one is over, reported as it was, another may begin in its file.
  ASSERT_TRUE(again->Begin().ok());
  ASSERT_TRUE(again->Reported().ok());
  auto other = SweepState::Open(path, {"other", "audio", mine.registered_at}, now);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->reached(), 0U);
  EXPECT_EQ(other->left(), 0U);
  auto rest = SweepState::Open(path, mine, now);
  ASSERT_TRUE(rest.ok());
  EXPECT_TRUE(rest->IsOpen(2)) << "or what was left of it is done";
  ASSERT_TRUE(rest->Begin().ok());
  ASSERT_TRUE(rest->Done({2}, SweptAs::kPurged).ok());
  ASSERT_TRUE(rest->Reported().ok());
  EXPECT_EQ(std::filesystem::file_size(path), 0U) << "with nothing left the next sweep begins";
}

TEST(SweepStateTest, LeavesWhatIsNoStateFile) {
  test::TempFolder folder;
  const std::string path = folder / "state";
  for (const std::string text : {"-----BEGIN PRIVATE KEY", "{}\n", "{\"consentctl_import\":1}\n", "a\nb\n"}) {
    std::ofstream(path, std::ios::trunc) << text;
    EXPECT_TRUE(absl::IsFailedPrecondition(SweepState::Open(path, {"h", "audio", "x"}, "now").status())) << text;
    std::stringstream left;
    left << std::ifstream(path).rdbuf();
    EXPECT_EQ(left.str(), text);
  }
  EXPECT_TRUE(
      absl::IsFailedPrecondition(SweepState::Open(folder.path().string(), {"h", "audio", "x"}, "now").status()));
}

TEST(SweepStateTest, TooManyLeftStopTheSweep) {
  auto state = SweepState::Open("", {}, "now");
  ASSERT_TRUE(state.ok());
  std::vector<uint64_t> lines;
  for (uint64_t n = 1; n <= SweepState::kMaxLeft; ++n) lines.push_back(n);
  EXPECT_TRUE(state->Left(lines).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(state->Left({SweepState::kMaxLeft + 1})));
}

}  // namespace
}  // namespace consent::cli::sweep_test
