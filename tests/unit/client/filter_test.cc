// The filter against a client of the test's own: order, counts, and that nothing unanswered gets through.
#include "client/cli/engines/filter_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "client/src/error_details.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using testing::FakeRandom;
using How = FilterEnd::How;

class CollectingSink final : public FilterSink {
 public:
  absl::Status Eligible(const std::string& lines) override {
    if (fail_output) return absl::FailedPreconditionError("full");
    output += lines;
    return absl::OkStatus();
  }
  absl::Status Refused(const std::vector<RefusedLine>& lines) override {
    refused.insert(refused.end(), lines.begin(), lines.end());
    return absl::OkStatus();
  }
  void Unreadable(uint64_t number, const std::string& why) override { unreadable.emplace_back(number, why); }
  void Progress(const FilterCounts&, uint64_t) override {}

  std::string output;
  bool fail_output = false;
  std::vector<RefusedLine> refused;
  std::vector<std::pair<uint64_t, std::string>> unreadable;
};

std::string Line(const std::string& account, int recording, const std::string& more = "") {
  return R"({"recording_id":"r)" + std::to_string(recording) + R"(","account_id":")" + account + "\"" + more + "}\n";
}

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() {
    settings_.purpose = Purpose::kHumanReview;
    settings_.batch = 3;
    settings_.parallel = 2;
    // Accounts that begin with y may be used; p must be purged; e is an error of its own.
    client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
      ++calls_;
      BatchAnswers batch;
      for (const Recording& recording : recordings) batch.answers.push_back(AnswerFor(recording, question));
      return batch;
    };
  }

  Answer AnswerFor(const Recording& recording, const Question& question) {
    const char first = recording.account_id.value()[0];
    if (first == 'e') return AnswerMaker::Failed(ItemStatus("INVALID_FIELD", "region is unknown"));
    if (first == 'p') {
      return AnswerMaker::Received(
          testing::No(question.purpose, *clock_, Reason::kRetentionExpired, Disposition::kPurge), clock_);
    }
    if (first != 'y') return AnswerMaker::Received(testing::No(question.purpose, *clock_, Reason::kNoConsent), clock_);
    return AnswerMaker::Received(testing::Yes(question.purpose, *clock_), clock_);
  }

  FilterEnd Run(const std::string& input) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    std::thread writer([&] {
      EXPECT_EQ(::write(ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
      ::close(ends[1]);
    });
    RecordingLineReader reader(ends[0], defaults_);
    Filter filter(settings_, client_, pseudonyms_, sink_);
    const FilterEnd end = filter.Run(reader);
    counts_ = filter.counts();
    advice_ = filter.advice();
    writer.join();
    ::close(ends[0]);
    EXPECT_EQ(counts_.lines, counts_.eligible + counts_.refused + counts_.unreadable + counts_.unanswered);
    return end;
  }

  std::vector<std::string> OutputIds() const {
    std::vector<std::string> ids;
    std::istringstream lines(sink_.output);
    for (std::string line; std::getline(lines, line);) ids.push_back(nlohmann::json::parse(line).at("recording_id"));
    return ids;
  }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  FakeRandom random_;
  Pseudonyms pseudonyms_{random_};
  FakeClient client_;
  CollectingSink sink_;
  FilterSettings settings_;
  LineDefaults defaults_;
  FilterCounts counts_;
  FactAdvice advice_;
  std::atomic<int> calls_{0};
};

TEST_F(FilterTest, ExactlyTheRightOnesInTheirOrder) {
  std::string input;
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    input += Line(i % 3 == 0 ? "yes" : "no", i);
    if (i % 3 == 0) expected.push_back("r" + std::to_string(i));
  }
  settings_.batch = 7;
  settings_.parallel = 8;
  EXPECT_EQ(Run(input).how, How::kComplete);
  EXPECT_EQ(OutputIds(), expected);
  EXPECT_EQ(counts_.eligible, 334u);
  EXPECT_EQ(counts_.refused, 666u);
  EXPECT_EQ(counts_.refused_by_reason.at("NO_CONSENT"), 666u);
  EXPECT_EQ(sink_.refused.size(), 666u);
  EXPECT_EQ(sink_.refused[0].number, 2u);
}

TEST_F(FilterTest, NoIdsComeOutUnlessKept) {
  const std::string line =
      Line("yes-account", 1, R"(,"profile_ids":["yes-profile"],"device_id":"yes-device","name":"yes-name")");
  Run(line);
  EXPECT_EQ(sink_.output.find("yes-"), std::string::npos) << sink_.output;
  EXPECT_NE(sink_.output.find("pseudonym"), std::string::npos);
  sink_.output.clear();
  settings_.keep_ids = true;
  Run(line);
  EXPECT_EQ(sink_.output, line);
}

TEST_F(FilterTest, LineEndsDoNotMatter) {
  settings_.keep_ids = true;
  std::string one = Line("yes", 1);
  one.pop_back();
  std::string two = Line("yes", 2);
  two.pop_back();
  EXPECT_EQ(Run("\r\n" + one + "\r\n   \n" + two).how, How::kComplete);
  EXPECT_EQ(sink_.output, one + "\n" + two + "\n");
  EXPECT_EQ(counts_.lines, 2u) << "blank lines do not count";
}

TEST_F(FilterTest, UnreadableLinesAreToldByNumberAndStayOut) {
  EXPECT_EQ(Run(Line("yes", 1) + "garbage\n" + std::string(kMaxLineBytes + 1, 'x') + "\n" + Line("yes", 4) +
                Line("error", 5) + R"({"recording_id":"r6"})" + "\n")
                .how,
            How::kComplete);
  EXPECT_EQ(OutputIds(), (std::vector<std::string>{"r1", "r4"}));
  EXPECT_EQ(counts_.unreadable, 4u);
  std::vector<uint64_t> numbers;
  for (const auto& [number, why] : sink_.unreadable) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, (std::vector<uint64_t>{2, 3, 5, 6}));
}

TEST_F(FilterTest, WhatMustGoIsTold) {
  Run(Line("purge", 1) + Line("no", 2));
  EXPECT_EQ(counts_.to_purge, 1u);
  ASSERT_EQ(sink_.refused.size(), 2u);
  EXPECT_EQ(sink_.refused[0].disposition, Disposition::kPurge);
  EXPECT_EQ(sink_.refused[0].reasons, std::vector<std::string>{"RETENTION_EXPIRED"});
  EXPECT_EQ(sink_.refused[1].disposition, Disposition::kKeep);
}

TEST_F(FilterTest, MissingFactsAreCountedAndStandBesideTheirLine) {
  client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
    EXPECT_TRUE(question.full) << "else nobody says which";
    BatchAnswers batch;
    for (const Recording& recording : recordings) {
      ReceivedDecision no = testing::No(question.purpose, *clock_, Reason::kMissingFact);
      no.missing_facts = {MissingFact::kWake};
      if (recording.recording_id == RecordingId("r2")) no.missing_facts.push_back(MissingFact::kSpeakers);
      if (recording.recording_id == RecordingId("r3")) no.reasons.push_back(Reason::kRefused);
      batch.answers.push_back(AnswerMaker::Received(std::move(no), clock_));
    }
    return batch;
  };
  Run(Line("a", 1) + Line("a", 2) + Line("a", 3));
  EXPECT_EQ(counts_.missing_facts,
            (std::map<MissingFact, uint64_t>{{MissingFact::kWake, 3}, {MissingFact::kSpeakers, 1}}));
  ASSERT_EQ(sink_.refused.size(), 3U);
  EXPECT_EQ(sink_.refused[0].missing_facts, std::vector<MissingFact>{MissingFact::kWake});
  EXPECT_EQ(sink_.refused[1].missing_facts, (std::vector<MissingFact>{MissingFact::kWake, MissingFact::kSpeakers}));
  EXPECT_EQ(advice_.With(FactSet({MissingFact::kWake})), (FactAdvice::Gain{1, 1}));
  EXPECT_EQ(advice_.hopeless(), 1U);
  EXPECT_EQ(sink_.output, "") << "nothing is let through by it";
}

TEST_F(FilterTest, EachPlaceIsAskedAboutItself) {
  settings_.batch = 100;
  defaults_ = *LineDefaults::Create({{"country", "DE"}});
  client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
    BatchAnswers batch;
    for (size_t i = 0; i < recordings.size(); ++i) {
      batch.answers.push_back(
          question.place.country == "DE"
              ? AnswerMaker::Received(testing::Yes(question.purpose, *clock_), clock_)
              : AnswerMaker::Received(testing::No(question.purpose, *clock_, Reason::kPlaceNotAllowed), clock_));
    }
    return batch;
  };
  Run(Line("a", 1) + Line("a", 2, R"(,"country":"IN")") + Line("a", 3) + Line("a", 4, R"(,"country":"DE")"));
  EXPECT_EQ(OutputIds(), (std::vector<std::string>{"r1", "r3", "r4"}));
}

TEST_F(FilterTest, AfterTheDaemonFailsNothingMoreGetsThrough) {
  auto sound = client_.on_batch;
  client_.on_batch = [sound](const std::vector<Recording>& recordings, const Question& question) {
    for (const Recording& recording : recordings) {
      if (recording.recording_id == RecordingId("r10")) {
        return absl::StatusOr<BatchAnswers>(absl::UnavailableError("gone"));
      }
    }
    return sound(recordings, question);
  };
  std::string input;
  for (int i = 0; i < 100; ++i) input += Line("yes", i);
  const FilterEnd end = Run(input);
  EXPECT_EQ(end.how, How::kDaemonFailed);
  EXPECT_EQ(end.first_unanswered, 10u) << "batches of three: the one with r10 starts with r9, in line 10";
  EXPECT_EQ(OutputIds().size(), 9u);
  EXPECT_GT(counts_.unanswered, 0u);
}

TEST_F(FilterTest, AReplyOfTheWrongSizeStops) {
  client_.on_batch = [this](const std::vector<Recording>&, const Question& question) {
    BatchAnswers batch;
    batch.answers.push_back(AnswerMaker::Received(testing::Yes(question.purpose, *clock_), clock_));
    return batch;
  };
  const FilterEnd end = Run(Line("yes", 1) + Line("yes", 2));
  EXPECT_EQ(end.how, How::kDaemonFailed);
  EXPECT_EQ(sink_.output, "");
}

TEST_F(FilterTest, AnswersThatGrewOldAreAskedForAgain) {
  auto sound = client_.on_batch;
  client_.on_batch = [this, sound](const std::vector<Recording>& recordings, const Question& question) {
    absl::StatusOr<BatchAnswers> batch = sound(recordings, question);
    if (calls_ == 1) clock_->Advance(std::chrono::minutes(2));
    return batch;
  };
  EXPECT_EQ(Run(Line("yes", 1)).how, How::kComplete);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(OutputIds().size(), 1u);
}

TEST_F(FilterTest, AnswersThatAreAlwaysOldAreNo) {
  auto sound = client_.on_batch;
  client_.on_batch = [this, sound](const std::vector<Recording>& recordings, const Question& question) {
    absl::StatusOr<BatchAnswers> batch = sound(recordings, question);
    clock_->Advance(std::chrono::minutes(2));
    return batch;
  };
  EXPECT_EQ(Run(Line("yes", 1)).how, How::kComplete);
  EXPECT_EQ(sink_.output, "");
  EXPECT_EQ(counts_.refused_by_reason.at("NO_USABLE_ANSWER"), 1u);
}

// A capture stamp ahead of the server's clock: the answer is over at once, and a closed account's recording still goes.
TEST_F(FilterTest, ALifeThatIsOverAtOnceLosesNoReasonAndNoPurge) {
  client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
    ++calls_;
    BatchAnswers batch;
    for (const Recording& recording : recordings) {
      const bool purge = recording.account_id == AccountId("closed");
      ReceivedDecision decision =
          testing::No(question.purpose, *clock_, purge ? Reason::kAccountClosed : Reason::kLegalHold,
                      purge ? Disposition::kPurge : Disposition::kHold);
      decision.good_until = decision.checked_at;
      batch.answers.push_back(AnswerMaker::Received(decision, clock_));
    }
    return batch;
  };
  EXPECT_EQ(Run(Line("closed", 1) + Line("held", 2)).how, How::kComplete);
  EXPECT_EQ(calls_, 1) << "only a yes is asked for again";
  EXPECT_EQ(counts_.to_purge, 1u);
  ASSERT_EQ(sink_.refused.size(), 2u);
  EXPECT_EQ(sink_.refused[0].disposition, Disposition::kPurge);
  EXPECT_EQ(sink_.refused[0].reasons, std::vector<std::string>{"ACCOUNT_CLOSED"});
  EXPECT_EQ(sink_.refused[1].disposition, Disposition::kHold);
  EXPECT_EQ(sink_.refused[1].reasons, std::vector<std::string>{"LEGAL_HOLD"});
}

// The daemon refuses a whole call: for a place, or for one recording that it cannot even read.
TEST_F(FilterTest, ALineThatTheDaemonRefusesEndsNoRun) {
  settings_.batch = 100;
  auto sound = client_.on_batch;
  client_.on_batch = [sound](const std::vector<Recording>& recordings, const Question& question) {
    const bool bad_place = question.place.country == "XX";
    const bool bad_line = std::any_of(recordings.begin(), recordings.end(),
                                      [](auto& one) { return one.recording_id == RecordingId("r7"); });
    if (!bad_place && !bad_line) return sound(recordings, question);
    return absl::StatusOr<BatchAnswers>(ItemStatus(bad_line ? "MALFORMED_MESSAGE" : "INVALID_FIELD", "refused"));
  };
  std::string input;
  for (int i = 0; i < 20; ++i) input += Line("yes", i, i == 3 ? R"(,"country":"XX")" : "");
  EXPECT_EQ(Run(input).how, How::kComplete);
  EXPECT_EQ(OutputIds().size(), 18u);
  ASSERT_EQ(sink_.unreadable.size(), 2u);
  EXPECT_EQ(sink_.unreadable[0].first, 4u);
  EXPECT_EQ(sink_.unreadable[1].first, 8u);
}

TEST_F(FilterTest, AnOutputThatFailsEndsTheRun) {
  sink_.fail_output = true;
  std::string input;
  for (int i = 0; i < 30; ++i) input += Line("yes", i);
  EXPECT_EQ(Run(input).how, How::kOutputFailed);
  EXPECT_EQ(counts_.eligible, 0u);
}

TEST_F(FilterTest, AnAnswerForAnotherPurposeDoesNotCount) {
  client_.on_batch = [this](const std::vector<Recording>& recordings, const Question&) {
    BatchAnswers batch;
    for (size_t i = 0; i < recordings.size(); ++i) {
      batch.answers.push_back(AnswerMaker::Received(testing::Yes(Purpose::kModelTraining, *clock_), clock_));
    }
    return batch;
  };
  Run(Line("yes", 1));
  EXPECT_EQ(sink_.output, "");
}

}  // namespace
}  // namespace consent::cli
