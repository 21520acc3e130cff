// Appeals and complaints: each step once, in order, each with its day.
#include "daemon/domain/appeal.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/domain/deletion.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::appeal_test {
namespace {

const Instant kDay = At("2026-03-02T12:00:00Z");

Moment AtTime(Instant time) { return Moment{time, 1}; }

// Deadlines as a table; independent of EndOf.
DeadlineRules TenAndThirty() {
  DeadlineRules rules;
  rules.appeal_acknowledgement = {10, PeriodUnit::kCalendarDays};
  rules.appeal_answer = {30, PeriodUnit::kCalendarDays};
  return rules;
}
// The end of the n-th day after that of kDay.
Instant EndAfter(int n) { return At("2026-03-03T00:00:00Z") + base::Days(n); }

DeletionRequest InState(DeletionState state) {
  DeletionRequest request;
  request.state = state;
  request.received_at = kDay - base::Days(5);
  if (!IsOpen(state)) request.ended_at = kDay - base::Days(1);
  return request;
}

StepRefusal Step(DeletionRequest& request, DeletionStep step, Instant now, AppealWord word = {}) {
  const DeadlineRules rules = TenAndThirty();
  const Moment moment = AtTime(now);
  StepCommand command;
  command.step = step;
  command.appeal = std::move(word);
  return TakeStep(request, command, {moment, rules, {}});
}

AppealWord An(AppealKind kind, Instant at = {}) { return {kind, at, AppealOutcome::kMissing, ""}; }

TEST(Appeal, IsReceivedAcknowledgedAndAnsweredEachOnce) {
  DeletionRequest request = InState(DeletionState::kDenied);
  ASSERT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal)), StepRefusal::kNone);
  ASSERT_EQ(request.appeals.size(), 1U);
  const Appeal received = request.appeals[0];
  EXPECT_EQ(received.received_at, kDay);
  EXPECT_EQ(received.acknowledge_by, EndAfter(10));
  EXPECT_EQ(received.answer_by, EndAfter(30));
  EXPECT_TRUE(received.IsOpen());

  ASSERT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay + base::Days(1), An(AppealKind::kComplaint)),
            StepRefusal::kNone);
  EXPECT_EQ(request.appeals, std::vector<Appeal>{received}) << "what comes while one is open is part of it";

  ASSERT_EQ(Step(request, DeletionStep::kAcknowledgeAppeal, kDay + base::Days(2)), StepRefusal::kNone);
  EXPECT_EQ(request.appeals[0].acknowledged_at, kDay + base::Days(2));
  ASSERT_EQ(Step(request, DeletionStep::kAcknowledgeAppeal, kDay + base::Days(3)), StepRefusal::kNone);
  EXPECT_EQ(request.appeals[0].acknowledged_at, kDay + base::Days(2)) << "the first word stays";

  AppealWord answer;
  answer.outcome = AppealOutcome::kGrantedInPart;
  answer.answer = "the transcripts go";
  ASSERT_EQ(Step(request, DeletionStep::kAnswerAppeal, kDay + base::Days(4), answer), StepRefusal::kNone);
  EXPECT_FALSE(request.appeals[0].IsOpen());
  EXPECT_EQ(request.appeals[0].outcome, AppealOutcome::kGrantedInPart);
  answer.outcome = AppealOutcome::kRejected;
  const DeletionRequest answered = request;
  ASSERT_EQ(Step(request, DeletionStep::kAnswerAppeal, kDay + base::Days(5), answer), StepRefusal::kNone);
  EXPECT_EQ(request, answered);
  EXPECT_EQ(request.state, DeletionState::kDenied) << "a request's states only move forward";
}

TEST(Appeal, IsAgainstADenialAloneAndAComplaintAboutAnyRequest) {
  for (int number = 1; number <= static_cast<int>(DeletionState::kCancelled); ++number) {
    const auto state = static_cast<DeletionState>(number);
    DeletionRequest request = InState(state);
    const DeletionRequest before = request;
    const bool denied = state == DeletionState::kDenied;
    EXPECT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal)),
              denied ? StepRefusal::kNone : StepRefusal::kNotDenied);
    if (!denied) {
      EXPECT_EQ(request, before);
    }
    DeletionRequest other = InState(state);
    EXPECT_EQ(Step(other, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kComplaint)), StepRefusal::kNone);
    EXPECT_EQ(other.state, state);
  }
}

TEST(Appeal, IsDatedWithinWhatItFollowsAndNow) {
  const base::Span tick = base::Microseconds(1);
  const DeletionRequest denied = InState(DeletionState::kDenied);
  for (const auto& [kind, since] :
       {std::pair(AppealKind::kAppeal, denied.ended_at), std::pair(AppealKind::kComplaint, denied.received_at)}) {
    for (const Instant at : {since - tick, kDay + tick, base::kEndOfTime}) {
      DeletionRequest request = denied;
      EXPECT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(kind, at)), StepRefusal::kAppealTime);
      EXPECT_EQ(request, denied);
    }
    for (const Instant at : {since, kDay}) {
      DeletionRequest request = denied;
      EXPECT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(kind, at)), StepRefusal::kNone);
      EXPECT_EQ(request.appeals[0].received_at, at);
    }
  }
  DeletionRequest request = denied;
  Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal));
  const DeletionRequest received = request;
  const Instant later = kDay + base::Days(1);
  for (const DeletionStep step : {DeletionStep::kAcknowledgeAppeal, DeletionStep::kAnswerAppeal}) {
    for (const Instant at : {kDay - tick, later + tick}) {
      EXPECT_EQ(Step(request, step, later, An(AppealKind::kMissing, at)), StepRefusal::kAppealTime);
      EXPECT_EQ(request, received);
    }
  }
  EXPECT_EQ(Step(request, DeletionStep::kAcknowledgeAppeal, later, An(AppealKind::kMissing, kDay + tick)),
            StepRefusal::kNone);
  EXPECT_EQ(Step(request, DeletionStep::kAnswerAppeal, later, An(AppealKind::kMissing, kDay)), StepRefusal::kAppealTime)
      << "no answer before its acknowledgement";
}

TEST(Appeal, IsLateFromItsDayOnAsLongAsItIsNotDone) {
  DeletionRequest request = InState(DeletionState::kDenied);
  Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal));
  const auto late = [&](AppealDeadline kind, Instant now) { return IsLate(request.appeals.back(), kind, now); };
  const base::Span tick = base::Microseconds(1);
  EXPECT_FALSE(late(AppealDeadline::kAcknowledgement, EndAfter(10) - tick));
  EXPECT_TRUE(late(AppealDeadline::kAcknowledgement, EndAfter(10))) << "ends are exclusive";
  EXPECT_FALSE(late(AppealDeadline::kAnswer, EndAfter(30) - tick));
  EXPECT_TRUE(late(AppealDeadline::kAnswer, EndAfter(30)));
  Step(request, DeletionStep::kAcknowledgeAppeal, EndAfter(20));
  EXPECT_FALSE(late(AppealDeadline::kAcknowledgement, EndAfter(40)));
  EXPECT_TRUE(late(AppealDeadline::kAnswer, EndAfter(40)));
  Step(request, DeletionStep::kAnswerAppeal, EndAfter(41));
  EXPECT_FALSE(late(AppealDeadline::kAnswer, EndAfter(99)));
}

TEST(Appeal, AnAnswerNeedsNoAcknowledgementAndEndsIt) {
  DeletionRequest request = InState(DeletionState::kDenied);
  EXPECT_EQ(Step(request, DeletionStep::kAcknowledgeAppeal, kDay), StepRefusal::kNoAppeal);
  EXPECT_EQ(Step(request, DeletionStep::kAnswerAppeal, kDay), StepRefusal::kNoAppeal);
  Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal));
  EXPECT_EQ(Step(request, DeletionStep::kAnswerAppeal, kDay), StepRefusal::kNone);
  EXPECT_EQ(Step(request, DeletionStep::kAcknowledgeAppeal, kDay), StepRefusal::kNoAppeal);
  EXPECT_FALSE(DeadlineOf(request.appeals[0], AppealDeadline::kAcknowledgement).has_value());
}

TEST(Appeal, ThereAreAtMostAsManyAsARowHolds) {
  DeletionRequest request = InState(DeletionState::kDenied);
  for (size_t i = 0; i < kMaxAppeals; ++i) {
    ASSERT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal)), StepRefusal::kNone);
    ASSERT_EQ(request.appeals.size(), i + 1);
    ASSERT_EQ(Step(request, DeletionStep::kAnswerAppeal, kDay), StepRefusal::kNone);
  }
  const DeletionRequest full = request;
  EXPECT_EQ(Step(request, DeletionStep::kReceiveAppeal, kDay, An(AppealKind::kAppeal)), StepRefusal::kTooManyAppeals);
  EXPECT_EQ(request, full);
}

TEST(Appeal, ChangesNothingOfWhatTheRuleReads) {
  for (const DeletionStep step :
       {DeletionStep::kReceiveAppeal, DeletionStep::kAcknowledgeAppeal, DeletionStep::kAnswerAppeal}) {
    EXPECT_TRUE(IsOfAppeal(step));
    EXPECT_FALSE(ChangesTheRule(step));
  }
  EXPECT_FALSE(IsOfAppeal(DeletionStep::kConfirmReceipt));
}

}  // namespace
}  // namespace consent::domain::appeal_test
