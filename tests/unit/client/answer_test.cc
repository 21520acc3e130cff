// The answer type: nothing in it can be read as a yes that the daemon did not say.
#include "consent/answer.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "consent/names.h"
#include "tests/unit/client/fakes.h"

namespace consent {
namespace {

using testing::FakeClock;
using testing::No;
using testing::Yes;

static_assert(!std::is_convertible_v<Answer, bool>, "no implicit truth");
static_assert(!std::is_constructible_v<bool, Answer>, "no explicit truth either");
static_assert(!std::is_convertible_v<Answer, int>);

template <typename T>
concept Negatable = requires(const T& value) {
  !value;
};
static_assert(!Negatable<Answer>);

constexpr Purpose kAllPurposes[] = {Purpose::kUnset,
                                    Purpose::kHumanReview,
                                    Purpose::kModelTraining,
                                    Purpose::kFeatureDevelopment,
                                    Purpose::kMessageTranscription,
                                    Purpose::kVoiceIdentification,
                                    Purpose::kPersonalisation,
                                    Purpose::kAdvertising};

void ExpectNo(const Answer& answer) {
  for (const Purpose purpose : kAllPurposes) EXPECT_FALSE(answer.MayUse(purpose));
}

class AnswerTest : public ::testing::Test {
 protected:
  Answer Make(const ReceivedDecision& decision) { return AnswerMaker::Received(decision, clock_); }
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
};

TEST_F(AnswerTest, DefaultIsNo) {
  const Answer answer;
  ExpectNo(answer);
  EXPECT_FALSE(answer.MustPurge());
  EXPECT_EQ(answer.disposition(), Disposition::kUnset);
  EXPECT_FALSE(answer.error().ok());
}

// Who does not look at the status of a batch comes to an end, not to a list of noes.
TEST(BatchAnswersTest, AFailedCallHasNoneToTake) {
  const absl::StatusOr<BatchAnswers> failed = absl::UnavailableError("the daemon is gone");
  EXPECT_DEATH_IF_SUPPORTED((void)failed->answers.size(), "the daemon is gone");
}

TEST(BatchAnswersTest, CountsThoseThatAreNoAnswer) {
  BatchAnswers batch;
  EXPECT_EQ(batch.Unanswered(), 0u);
  batch.answers = {Answer(), AnswerMaker::Failed(absl::InvalidArgumentError("bad"))};
  EXPECT_EQ(batch.Unanswered(), 2u);
}

TEST_F(AnswerTest, YesOnlyForThePurposeThatWasAsked) {
  const Answer answer = Make(Yes(Purpose::kHumanReview, *clock_));
  EXPECT_TRUE(answer.error().ok());
  for (const Purpose purpose : kAllPurposes) EXPECT_EQ(answer.MayUse(purpose), purpose == Purpose::kHumanReview);
}

TEST_F(AnswerTest, WithoutAPurposeThereIsNoYes) { ExpectNo(Make(Yes(Purpose::kUnset, *clock_))); }

TEST_F(AnswerTest, EndsAtGoodUntilMeasuredFromSending) {
  ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
  // The reply took 59 of the 60 seconds for which it is good.
  clock_->Advance(std::chrono::seconds(59));
  const Answer answer = Make(decision);
  EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
  clock_->Advance(std::chrono::seconds(1) - std::chrono::nanoseconds(1));
  EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
  clock_->Advance(std::chrono::nanoseconds(1));
  ExpectNo(answer);
  EXPECT_FALSE(answer.IsFresh());
  EXPECT_EQ(answer.eligibility(), Eligibility::kEligible) << "what was said stays said";
  EXPECT_EQ(answer.disposition(), Disposition::kKeep);
}

TEST_F(AnswerTest, WhatWasSaidStaysSaidWhateverItsLife) {
  for (const Disposition disposition : {Disposition::kKeep, Disposition::kPurge, Disposition::kHold}) {
    for (const Purpose purpose : {Purpose::kUnset, Purpose::kHumanReview}) {
      // Over at once, over before it began, without times, and one that grows old.
      for (const int life_seconds : {0, -5, -1'700'000'000, 60}) {
        ReceivedDecision decision = No(purpose, *clock_, Reason::kLegalHold, disposition);
        decision.good_until = decision.checked_at + std::chrono::seconds(life_seconds);
        decision.revision = "7";
        decision.policy_version = "p1";
        const Answer answer = Make(decision);
        clock_->Advance(std::chrono::minutes(2));
        EXPECT_TRUE(answer.error().ok());
        EXPECT_FALSE(answer.IsFresh());
        ExpectNo(answer);
        EXPECT_EQ(answer.eligibility(), Eligibility::kNotEligible);
        EXPECT_EQ(answer.disposition(), disposition);
        EXPECT_EQ(answer.MustPurge(), disposition == Disposition::kPurge);
        EXPECT_EQ(answer.reasons(), std::vector<Reason>{Reason::kLegalHold});
        EXPECT_EQ(answer.good_until(), decision.good_until);
        EXPECT_EQ(answer.checked_at(), decision.checked_at);
        EXPECT_EQ(answer.revision(), "7");
        EXPECT_EQ(answer.policy_version(), "p1");
      }
    }
  }
}

TEST_F(AnswerTest, ALateReplyIsNo) {
  const ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
  clock_->Advance(std::chrono::minutes(2));
  ExpectNo(Make(decision));
}

TEST_F(AnswerTest, TimesThatMakeNoSenseAreNo) {
  ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
  decision.good_until = decision.checked_at;
  ExpectNo(Make(decision));
  decision.good_until = Time{};
  ExpectNo(Make(decision));
  decision = Yes(Purpose::kHumanReview, *clock_);
  decision.checked_at = Time{};
  ExpectNo(Make(decision));
  decision.checked_at = Time(std::chrono::microseconds(-1));
  ExpectNo(Make(decision));
}

TEST_F(AnswerTest, NoAnswerHoldsLongerThanADay) {
  ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
  decision.good_until = decision.checked_at + std::chrono::hours(24 * 365);
  const Answer answer = Make(decision);
  EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
  clock_->Advance(std::chrono::hours(24));
  ExpectNo(answer);
}

TEST_F(AnswerTest, EveryOtherEligibilityIsNo) {
  for (const Eligibility eligibility : {Eligibility::kUnset, Eligibility::kNotEligible}) {
    ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
    decision.eligibility = eligibility;
    ExpectNo(Make(decision));
  }
}

TEST_F(AnswerTest, EligibleAndNotKeptContradicts) {
  for (const Disposition disposition : {Disposition::kUnset, Disposition::kPurge, Disposition::kHold}) {
    ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
    decision.disposition = disposition;
    ExpectNo(Make(decision));
    EXPECT_FALSE(Make(decision).error().ok());
  }
}

TEST_F(AnswerTest, EligibleForAnyOtherReasonContradicts) {
  for (int number = 0; number < 64; ++number) {
    const Reason reason = FromNumber<Reason>(number);
    ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
    decision.reasons = {reason};
    const bool yes = reason == Reason::kConsent || reason == Reason::kDefault;
    EXPECT_EQ(Make(decision).MayUse(Purpose::kHumanReview), yes) << number;
  }
  ReceivedDecision decision = Yes(Purpose::kHumanReview, *clock_);
  decision.reasons.clear();
  ExpectNo(Make(decision));
  decision.reasons = {Reason::kConsent, Reason::kRefused};
  ExpectNo(Make(decision));
}

TEST_F(AnswerTest, PurgesOnlyWhatWasSaidToGo) {
  const Answer purge = Make(No(Purpose::kHumanReview, *clock_, Reason::kDoNotSave, Disposition::kPurge));
  EXPECT_TRUE(purge.MustPurge());
  ExpectNo(purge);
  EXPECT_FALSE(Make(No(Purpose::kHumanReview, *clock_, Reason::kRefused)).MustPurge());
  EXPECT_FALSE(Make(No(Purpose::kHumanReview, *clock_, Reason::kRefused, Disposition::kUnset)).MustPurge());
  EXPECT_FALSE(Make(No(Purpose::kHumanReview, *clock_, Reason::kLegalHold, Disposition::kHold)).MustPurge());
  clock_->Advance(std::chrono::minutes(1));
  EXPECT_TRUE(purge.MustPurge());
}

TEST_F(AnswerTest, FailureIsNeverOk) {
  ExpectNo(AnswerMaker::Failed(absl::OkStatus()));
  EXPECT_FALSE(AnswerMaker::Failed(absl::OkStatus()).error().ok());
}

TEST_F(AnswerTest, ACopyAgesLikeItsOriginal) {
  Answer copy = Make(Yes(Purpose::kHumanReview, *clock_));
  Answer moved = std::move(copy);
  EXPECT_TRUE(moved.MayUse(Purpose::kHumanReview));
  clock_->Advance(std::chrono::minutes(1));
  ExpectNo(moved);
}

}  // namespace
}  // namespace consent
