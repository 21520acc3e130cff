// Shadow mode: blocks nothing while it is on, all but a fresh yes once it is over, and cannot be taken for an answer.
#include "consent/shadow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "tests/unit/client/fakes.h"

namespace consent {
namespace {

using testing::FakeClient;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::No;
using testing::Yes;

static_assert(!std::is_convertible_v<ShadowAnswer, Answer>, "nothing is allowed by it");
static_assert(!std::is_constructible_v<Answer, ShadowAnswer>);
static_assert(!std::is_convertible_v<ShadowAnswer, bool>);
static_assert(!std::is_constructible_v<bool, ShadowAnswer>);

const Time kNow{std::chrono::hours(500'000)};

class ShadowTest : public ::testing::Test {
 protected:
  ShadowTest() {
    // Accounts that begin with y may be used, with e there is no answer.
    client_.on_batch = [this](const std::vector<Recording>& recordings, const Question& question) {
      EXPECT_TRUE(question.full);
      BatchAnswers batch;
      for (const Recording& recording : recordings) batch.answers.push_back(AnswerFor(recording, question.purpose));
      return batch;
    };
  }

  Answer AnswerFor(const Recording& recording, Purpose purpose) {
    const char first = recording.account_id.value()[0];
    if (first == 'e') return AnswerMaker::Failed(absl::UnavailableError("gone"));
    if (first == 'y') return AnswerMaker::Received(Yes(purpose, *clock_), clock_);
    ReceivedDecision no = No(purpose, *clock_, Reason::kMissingFact);
    no.missing_facts = {MissingFact::kWake};
    return AnswerMaker::Received(std::move(no), clock_);
  }

  std::unique_ptr<Shadow> Make(std::chrono::microseconds until) {
    ShadowOptions options;
    options.until = kNow + until;
    options.clock = clock_;
    options.wall_clock = [] { return kNow; };
    options.say = [this](const std::string& line) { said_.push_back(line); };
    auto shadow = Shadow::Create(client_, options);
    EXPECT_TRUE(shadow.ok()) << shadow.status();
    return *std::move(shadow);
  }

  static std::vector<ShadowAnswer> Ask(Shadow& shadow, const std::vector<std::string>& accounts) {
    std::vector<Recording> recordings;
    for (const std::string& account : accounts) {
      recordings.emplace_back().account_id = AccountId(account);
      recordings.back().recording_id = RecordingId("r");
    }
    Question question;
    question.purpose = Purpose::kHumanReview;
    return shadow.BatchCheck(recordings, question);
  }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  FakeClient client_;
  std::vector<std::string> said_;
};

TEST_F(ShadowTest, BlocksNothingAndCountsWhatItWould) {
  const auto shadow = Make(std::chrono::hours(1));
  const std::vector<ShadowAnswer> answers = Ask(*shadow, {"yes", "no", "error", "no"});
  ASSERT_EQ(answers.size(), 4U);
  for (const ShadowAnswer& answer : answers) EXPECT_FALSE(answer.Blocks());
  EXPECT_FALSE(answers[0].WouldBlock());
  EXPECT_TRUE(answers[1].WouldBlock());
  EXPECT_TRUE(answers[2].WouldBlock());
  EXPECT_EQ(answers[1].missing_facts(), std::vector<MissingFact>{MissingFact::kWake});
  const ShadowCounts counts = shadow->counts();
  EXPECT_EQ(counts.asked, 4U);
  EXPECT_EQ(counts.would_pass, 1U);
  EXPECT_EQ(counts.would_block, 2U);
  EXPECT_EQ(counts.unanswered, 1U);
  EXPECT_EQ(counts.by_reason.at(Reason::kMissingFact), 2U);
  EXPECT_EQ(counts.missing_facts.at(MissingFact::kWake), 2U);
  EXPECT_TRUE(shadow->IsOn());
}

TEST_F(ShadowTest, EnforcesFromItsEndOnAlsoWhatWasAnsweredBefore) {
  const auto shadow = Make(std::chrono::seconds(30));
  const std::vector<ShadowAnswer> before = Ask(*shadow, {"yes", "no", "error"});
  clock_->Advance(std::chrono::seconds(30) - std::chrono::nanoseconds(1));
  EXPECT_FALSE(before[1].Blocks());
  clock_->Advance(std::chrono::nanoseconds(1));
  EXPECT_FALSE(shadow->IsOn());
  EXPECT_FALSE(before[0].Blocks());
  EXPECT_TRUE(before[1].Blocks());
  EXPECT_TRUE(before[2].Blocks());
  const std::vector<ShadowAnswer> after = Ask(*shadow, {"yes", "no", "error"});
  EXPECT_FALSE(after[0].Blocks());
  EXPECT_TRUE(after[1].Blocks());
  EXPECT_TRUE(after[2].Blocks());
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_TRUE(after[0].Blocks()) << "a yes ages";
}

TEST_F(ShadowTest, ATrialThatEndedBeforeEnforcesAtOnce) {
  const auto shadow = Make(std::chrono::seconds(-1));
  EXPECT_FALSE(shadow->IsOn());
  EXPECT_TRUE(Ask(*shadow, {"no"})[0].Blocks());
  EXPECT_TRUE(Make(std::chrono::seconds(0))->counts().asked == 0 && !Make(std::chrono::seconds(0))->IsOn());
}

TEST_F(ShadowTest, WithoutATrialItBlocks) {
  EXPECT_TRUE(ShadowAnswer().Blocks());
  EXPECT_TRUE(ShadowAnswer().WouldBlock());
  EXPECT_FALSE(ShadowTrial().IsOn());
}

TEST_F(ShadowTest, EndsAtMost31DaysAhead) {
  ShadowOptions options;
  options.wall_clock = [] { return kNow; };
  options.clock = clock_;
  options.say = [](const std::string&) {};
  options.until = kNow + kLongestShadow;
  EXPECT_TRUE(Shadow::Create(client_, options).ok());
  options.until += std::chrono::microseconds(1);
  EXPECT_TRUE(absl::IsInvalidArgument(Shadow::Create(client_, options).status()));
  options.until = Time::max();
  EXPECT_TRUE(absl::IsInvalidArgument(Shadow::Create(client_, options).status()));
  options.until = Time::min();
  EXPECT_TRUE(Shadow::Create(client_, options).ok());
}

TEST_F(ShadowTest, SaysSoAloud) {
  {
    const auto shadow = Make(std::chrono::hours(2));
    ASSERT_EQ(said_.size(), 1U);
    EXPECT_THAT(said_[0], HasSubstr("SHADOW MODE"));
    Ask(*shadow, {"no"});
    EXPECT_EQ(said_.size(), 1U) << "not with every call";
    clock_->Advance(std::chrono::hours(1));
    Ask(*shadow, {"no"});
    ASSERT_EQ(said_.size(), 2U);
    EXPECT_THAT(said_[1], HasSubstr("2 would be refused"));
    EXPECT_THAT(said_[1], HasSubstr("MISSING_FACT 2"));
    clock_->Advance(std::chrono::hours(1));
    Ask(*shadow, {"no"});
    Ask(*shadow, {"no"});
    ASSERT_EQ(said_.size(), 3U);
    EXPECT_THAT(said_[2], HasSubstr("left out from now on"));
  }
  EXPECT_EQ(said_.size(), 4U);
}

TEST_F(ShadowTest, ABatchThatFailedHasAnAnswerForEachRecording) {
  client_.on_batch = [](const std::vector<Recording>&, const Question&) { return BatchAnswers(); };
  const auto shadow = Make(std::chrono::hours(1));
  const std::vector<ShadowAnswer> answers = Ask(*shadow, {"a", "b"});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_FALSE(answers[0].Blocks());
  EXPECT_EQ(shadow->counts().unanswered, 2U);
  clock_->Advance(std::chrono::hours(1));
  EXPECT_TRUE(answers[0].Blocks());
}

}  // namespace
}  // namespace consent
