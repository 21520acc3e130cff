// What was answered at a time is what an explanation of that time says afterwards, or it says that it cannot be told.
#include "daemon/service/subject/explain_check.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/model/seeds.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using service::Basis;
using service::Explained;
using service::Untold;

// One answer, as the daemon gave it.
struct Answered {
  base::Instant at;
  std::string account;
  Recording recording;
  domain::Purpose purpose = domain::Purpose::kHumanReview;
  domain::Decision decision;
};

class Explaining : public ::testing::Test {
 protected:
  Explained Why(const std::string& account, const Recording& recording, base::Instant at = {},
                domain::Purpose purpose = domain::Purpose::kHumanReview) {
    const service::ExplainQuery query{
        {world_.Handle(account), {}, recording.id, recording.Facts(world_.core().hasher)}, purpose, Employee(), at};
    auto explained = service::ExplainCheck(world_.core()).Run(query);
    EXPECT_TRUE(explained.ok()) << explained.status();
    return explained.ok() ? *std::move(explained) : Explained{};
  }
  Answered Ask(const std::string& account, const Recording& recording,
               domain::Purpose purpose = domain::Purpose::kHumanReview) {
    return {world_.Now(), account, recording, purpose, world_.Check(account, recording, purpose)};
  }
  void OptIn(const std::string& account) {
    EXPECT_TRUE(world_.OptIn(account, Account(), Control("help_improve")).ok());
    EXPECT_TRUE(world_.OptIn(account, Profile("ann"), Control("help_improve")).ok());
  }
  // A registered adult in Germany who agreed, and a recording of afterwards.
  Recording Eligible(const std::string& account) {
    EXPECT_TRUE(world_.Register(account, "DE").ok());
    OptIn(account);
    const Recording recording(world_.Now());
    world_.Wait(base::Seconds(600));
    return recording;
  }
  static bool Has(const Explained& explained, domain::Reason reason, bool matched) {
    return std::any_of(explained.explanation.rows.begin(), explained.explanation.rows.end(),
                       [&](const domain::RowFact& fact) { return fact.reason == reason && fact.matched == matched; });
  }

  World world_;
  Deleting deleting_{world_};
};

TEST_F(Explaining, NowIsWhatACheckSays) {
  const Recording recording = Eligible("a");
  const Explained yes = Why("a", recording);
  EXPECT_EQ(yes.basis, Basis::kNow);
  EXPECT_TRUE(yes.untold.empty());
  EXPECT_EQ(Text(yes.explanation.decision), "KEEP yes: CONSENT");
  EXPECT_TRUE(Has(yes, domain::Reason::kConsent, true));
  EXPECT_EQ(Text(Why("nobody", recording).explanation.decision), Text(world_.Check("nobody", recording)));
}

TEST_F(Explaining, APastYesStaysExplainedAfterTheNo) {
  const Recording recording = Eligible("a");
  const base::Instant before = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_FALSE(IsYes(Why("a", recording).explanation.decision));
  const Explained then = Why("a", recording, before);
  EXPECT_EQ(then.basis, Basis::kPast);
  EXPECT_TRUE(IsYes(then.explanation.decision));
  EXPECT_LE(then.changed_at, before);
  // Before the account was there nothing of it was stored, and that is known.
  const Explained first = Why("a", recording, At("2020-01-01T00:00:00Z"));
  EXPECT_EQ(first.untold, std::vector{Untold::kNoPolicy});
  EXPECT_FALSE(first.has_answer);
}

TEST_F(Explaining, ASuspensionCountsAtItsTimeAlone) {
  const Recording recording = Eligible("a");
  const base::Instant before = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.admin().Suspend(domain::Purpose::kHumanReview, {}, "why").ok());
  world_.Wait(base::Seconds(60));
  EXPECT_TRUE(Has(Why("a", recording), domain::Reason::kSuspended, true));
  EXPECT_TRUE(IsYes(Why("a", recording, before).explanation.decision));
}

TEST_F(Explaining, WhatNamesTheRecordingIsRewound) {
  const Recording recording = Eligible("a");
  std::vector<Answered> answered = {Ask("a", recording)};
  world_.Wait(base::Seconds(60));
  const auto then = [&] {
    answered.push_back(Ask("a", recording));
    world_.Wait(base::Seconds(60));
  };
  const service::DeletionPlace place =
      deleting_.Ask("a", deleting_.Recordings({recording.id}), domain::DeletionState::kReceived);
  then();
  const service::HoldPlace hold = deleting_.Hold("a", deleting_.HeldRecordings({recording.id}));
  then();
  ASSERT_TRUE(deleting_.Step(place, domain::DeletionStep::kVerify).ok());
  then();
  ASSERT_TRUE(deleting_.Release(hold).ok());
  then();
  EXPECT_EQ(Text(answered[1].decision), "KEEP no: DELETION_PENDING");
  EXPECT_EQ(answered[2].decision.disposition, domain::Disposition::kHold);
  EXPECT_EQ(answered[3].decision.disposition, domain::Disposition::kHold);
  EXPECT_EQ(answered[4].decision.disposition, domain::Disposition::kPurge);
  for (const Answered& one : answered) {
    const Explained explained = Why("a", recording, one.at);
    EXPECT_EQ(Text(explained.explanation.decision), Text(one.decision)) << base::FormatRfc3339(one.at);
    EXPECT_TRUE(explained.untold.empty());
  }
}

TEST_F(Explaining, AFlagOfLaterIsNoGuess) {
  const Recording recording = Eligible("a");
  const base::Instant before = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.Report("a", "another", domain::Flags::kSafety).ok());
  const base::Instant between = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.Report("a", recording.id, domain::Flags::kSafety).ok());
  // Nothing was reported of any recording then.
  EXPECT_TRUE(IsYes(Why("a", recording, before).explanation.decision));
  // Something was, and nobody knows of which.
  const Explained doubtful = Why("a", recording, between);
  EXPECT_EQ(doubtful.untold, std::vector{Untold::kFlags});
  EXPECT_EQ(doubtful.explanation.decision.eligibility, domain::Eligibility::kNotAnswered);
  EXPECT_EQ(doubtful.explanation.decision.disposition, domain::Disposition::kKeep);
  EXPECT_FALSE(Has(doubtful, domain::Reason::kConsent, true));
  // A recording without flags had none.
  EXPECT_TRUE(IsYes(Why("a", Recording(recording).Id("third"), between).explanation.decision));
}

TEST_F(Explaining, AReportOfSafetyHoldsAtItsTimeAlone) {
  PolicyBuilder policy("v2");
  policy.policy().set_safety_hold_hours(72);
  ASSERT_TRUE(world_.Activate(policy).ok());
  const Recording recording = Eligible("a");
  const base::Instant before = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.Report("a", recording.id, domain::Flags::kSafety).ok());
  const base::Instant within = world_.Now();
  deleting_.Ask("a", AllOfIt());
  EXPECT_TRUE(Has(Why("a", recording), domain::Reason::kSafetyHold, true));
  const base::Instant later = world_.Now() + base::Hours(80);
  EXPECT_EQ(Text(Why("a", recording, later, domain::Purpose::kNone).explanation.decision), "PURGE: DELETED");
  world_.Wait(base::Hours(80));
  EXPECT_TRUE(Has(Why("a", recording), domain::Reason::kSafetyHold, false)) << "it is over, and that is told";
  EXPECT_EQ(Text(Why("a", recording, {}, domain::Purpose::kNone).explanation.decision), "PURGE: DELETED");
  EXPECT_EQ(Why("a", recording, within).explanation.decision.disposition, domain::Disposition::kHold);
  EXPECT_EQ(Why("a", recording, before).explanation.decision.disposition, domain::Disposition::kKeep);
}

TEST_F(Explaining, ARequestShowsWhatEachSystemHadSaidByThen) {
  deleting_.Register(System("audio"));
  deleting_.Register(System("vendor"));
  const Recording recording = Eligible("a");
  deleting_.Ask("a", AllOfIt());
  const base::Instant asked = world_.Now();
  world_.Wait(base::Seconds(60));
  ASSERT_EQ(deleting_.Work("audio"), 1U);
  const base::Instant half = world_.Now();
  world_.Wait(base::Seconds(60));
  const auto tasks = deleting_.Lease("vendor");
  ASSERT_EQ(tasks.size(), 1U);
  ASSERT_TRUE(deleting_.Fail("vendor", tasks.front()).ok());
  const auto outcomes = [&](base::Instant at) {
    const Explained explained = Why("a", recording, at);
    std::vector<domain::PurgeOutcome> found;
    EXPECT_EQ(explained.orders.requests.size(), 1U);
    for (const service::ExplainedTask& task : explained.orders.requests.at(0).tasks) found.push_back(task.part.outcome);
    return found;
  };
  using enum domain::PurgeOutcome;
  EXPECT_EQ(outcomes(asked), (std::vector{kOpen, kOpen}));
  EXPECT_EQ(outcomes(half), (std::vector{kAcknowledged, kOpen}));
  const Explained now = Why("a", recording);
  EXPECT_EQ(now.orders.requests.at(0).match, domain::Match::kSurely);
  EXPECT_EQ(now.orders.requests.at(0).tasks.at(1).failures, 1U);
  EXPECT_EQ(now.orders.requests.at(0).tasks.at(1).system, "vendor");
}

TEST_F(Explaining, TheFutureIsWhatTimeAloneBrings) {
  const Recording recording = Eligible("a");
  domain::Retention months;
  months.kind = domain::RetentionKind::kMonths;
  months.months = 3;
  ASSERT_TRUE(world_.Retain("a", Account(), months).ok());
  EXPECT_TRUE(IsYes(Why("a", recording).explanation.decision));
  const Explained later = Why("a", recording, base::AddMonths(world_.Now(), 4));
  EXPECT_EQ(later.basis, Basis::kFuture);
  EXPECT_EQ(Text(later.explanation.decision), "PURGE no: RETENTION_EXPIRED");
}

TEST_F(Explaining, AnErasedHistoryIsNotMadeUp) {
  deleting_.Register(System("audio"));
  const Recording recording = Eligible("a");
  const base::Instant before = world_.Now();
  world_.Wait(base::Seconds(60));
  domain::Selector closure = AllOfIt();
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting_.Ask("a", closure);
  deleting_.Work("audio");
  const Explained then = Why("a", recording, before);
  EXPECT_EQ(then.untold, std::vector{Untold::kHistoryErased});
  EXPECT_FALSE(then.has_answer);
  EXPECT_EQ(then.explanation.decision.eligibility, domain::Eligibility::kNotAnswered);
  EXPECT_EQ(then.explanation.decision.disposition, domain::Disposition::kNotAnswered);
  // That it is closed is known.
  EXPECT_TRUE(Has(Why("a", recording), domain::Reason::kAccountClosed, true));
}

TEST_F(Explaining, ARecordedYesIsExplainedByItsOwnRevision) {
  const Recording recording = Eligible("a");
  const auto session = world_.checks().Begin("");
  ASSERT_TRUE(session.ok());
  service::RecordedYes yes;
  yes.subject = world_.Handle("a");
  yes.recording = world_.core().hasher.Recording(recording.id);
  yes.facts = recording.Facts(world_.core().hasher);
  yes.head = world_.core().heads.Of(world_.core().PartitionOf(yes.subject));
  yes.revision = world_.RevisionOf("a");
  yes.reason = domain::Reason::kConsent;
  const service::RecordedCall call{domain::Purpose::kHumanReview, Employee(), session->rules->version,
                                   session->rules->hash, session->now};
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  const service::ExplainCheck explain(world_.core());
  const auto explained = explain.RunRecorded(call, yes);
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->verdict, service::Verdict::kConfirmed);
  EXPECT_EQ(explained->basis, Basis::kRecorded);
  EXPECT_TRUE(IsYes(explained->explanation.decision));
  EXPECT_TRUE(Has(*explained, domain::Reason::kConsent, true));
  yes.revision = world_.RevisionOf("a") + 100;
  const auto unknown = explain.RunRecorded(call, yes);
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ(unknown->verdict, service::Verdict::kUnknown);
  EXPECT_EQ(unknown->untold, std::vector{Untold::kUnknownRecord});
}

constexpr uint64_t kLives = 40;

// Seeded lives: each answer that the daemon gave is asked about again once all is over.
TEST_F(Explaining, EveryPastAnswerIsGivenAgain) {
  const int lives = static_cast<int>(model::SlowCasesFromEnvironment(kLives));
  PolicyBuilder policy("v2");
  policy.policy().set_safety_hold_hours(1);
  ASSERT_TRUE(world_.Activate(policy).ok());
  deleting_.Register(System("audio"));
  int asked = 0;
  int yeses = 0;
  int untold = 0;
  for (int life = 0; life < lives; ++life) {
    std::mt19937 dice(static_cast<unsigned>(life));
    const auto roll = [&dice](unsigned sides) { return dice() % sides; };
    const std::string account = "life" + std::to_string(life);
    ASSERT_TRUE(world_.Register(account, roll(2) == 0 ? "DE" : "US", {Adult("ann")}, {"kitchen"}).ok());
    std::vector<Answered> answered;
    std::vector<service::DeletionPlace> requests;
    std::vector<service::HoldPlace> holds;
    Recording first(world_.Now());
    first.Id("first");
    for (int step = 0; step < 14; ++step) {
      switch (roll(10)) {
        case 0:
          (void)world_.OptOut(account, roll(2) == 0 ? Account() : Device("kitchen"), Control("help_improve"));
          break;
        case 1:
          (void)world_.Report(account, roll(2) == 0 ? "first" : "other",
                              roll(2) == 0 ? domain::Flags::kSafety : domain::Flags::kCriticalData);
          break;
        case 2:
          requests.push_back(deleting_.Ask(account, deleting_.Recordings({"first"}), domain::DeletionState::kReceived));
          break;
        case 3:
          requests.push_back(deleting_.Ask(account, Within(world_.Now() - base::Seconds(400), world_.Now()),
                                           domain::DeletionState::kReceived));
          break;
        case 4:
          if (!requests.empty()) (void)deleting_.Step(requests[roll(requests.size())], domain::DeletionStep::kVerify);
          break;
        case 5:
          if (!requests.empty()) (void)deleting_.Cancel(requests[roll(requests.size())]);
          break;
        case 6:
          holds.push_back(deleting_.Hold(account, deleting_.HeldRecordings({"first"})));
          break;
        case 7:
          if (!holds.empty()) (void)deleting_.Release(holds[roll(holds.size())]);
          break;
        case 8:
          if (!requests.empty()) {
            (void)deleting_.Step(requests[roll(requests.size())], domain::DeletionStep::kDeny, "not shown");
          }
          break;
        default:
          OptIn(account);
          break;
      }
      answered.push_back(Ask(account, first));
      answered.push_back(Ask(account, Recording(world_.Now() - base::Seconds(200)).On("kitchen")));
      world_.Wait(base::Seconds(roll(6) == 0 ? 2400 : 60));
    }
    for (const Answered& one : answered) {
      const Explained explained = Why(account, one.recording, one.at);
      const domain::Decision& told = explained.explanation.decision;
      ++asked;
      yeses += IsYes(one.decision) ? 1 : 0;
      const std::string where = account + " " + base::FormatRfc3339(one.at);
      if (explained.untold.empty()) {
        EXPECT_EQ(Text(told), Text(one.decision)) << where;
        EXPECT_EQ(told.reasons, one.decision.reasons) << where;
        continue;
      }
      ++untold;
      if (told.eligibility != domain::Eligibility::kNotAnswered) {
        EXPECT_EQ(told.eligibility, one.decision.eligibility) << where;
      }
      if (told.disposition != domain::Disposition::kNotAnswered) {
        EXPECT_EQ(told.disposition, one.decision.disposition) << where;
      }
    }
  }
  std::printf("%d answers, %d of them yes, %d not told in full\n", asked, yeses, untold);
  if (!model::IsWholeRun(static_cast<uint64_t>(lives), kLives)) return;
  EXPECT_GT(yeses, asked / 50);
  EXPECT_GT(untold, 0);
  EXPECT_LT(untold, asked / 2);
}

}  // namespace
}  // namespace consent::test
