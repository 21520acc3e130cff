// An answer may be kept until good_until: asking at any time before it gives the same answer.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::model {
namespace {

using domain::Decision;
using domain::Instant;

constexpr uint64_t kChunks = 4;
constexpr uint64_t kCases = 20'000;

bool SameAnswer(const Decision& a, const Decision& b) {
  return a.eligibility == b.eligibility && a.disposition == b.disposition && a.reasons == b.reasons;
}

class Keeping : public testing::TestWithParam<uint64_t> {};

TEST_P(Keeping, NothingChangesBefore) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), kChunks, kCases);
  Dice dice(seeds.first);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Case c = Generate(seed);
    // With a long life of answers it is the rule, and not the policy, that ends them.
    if (seed % 3 != 0) c.rules.longest_answer_age = base::Days(seed % 3 == 1 ? 400 : 4000);
    const Decision first = AnswerOfRule(c);
    ASSERT_EQ(first.checked_at, c.now);
    ASSERT_GE(first.good_until, c.now) << Dump(c) << Dump(first);
    ASSERT_LE(first.good_until, c.now + c.rules.longest_answer_age) << Dump(c) << Dump(first);
    for (const Instant later : TimesToAskAgain(c, first.good_until, dice)) {
      Case then = c;
      then.now = later;
      const Decision second = AnswerOfRule(then);
      ASSERT_TRUE(SameAnswer(first, second)) << Dump(c) << "now:   " << Dump(first) << "\nlater: " << Dump(second);
      ASSERT_TRUE(SameAnswer(second, AnswerOfModel(then))) << Dump(then) << Dump(second);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Chunks, Keeping, testing::Range(uint64_t{0}, kChunks));

// A good_until that is always `now` would pass the test above and be of no use.
TEST(GoodUntil, IsMostlyLaterThanNow) {
  uint64_t kept = 0;
  uint64_t asked = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    Case c = Generate(seed);
    c.rules.longest_answer_age = base::Seconds(60);
    const Decision decision = AnswerOfRule(c);
    ++asked;
    if (decision.good_until == c.now + base::Seconds(60)) ++kept;
  }
  EXPECT_GE(kept * 10, asked * 7) << kept << " of " << asked;
}

TEST(GoodUntil, IsNowWhereTheCaptureLiesAheadAndNothingSaysWhenItArrived) {
  uint64_t seen = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    Case c = Generate(seed);
    c.recording.ingested_at = Instant();
    c.recording.captured_at = c.now + base::Seconds(1);
    ++seen;
    EXPECT_EQ(AnswerOfRule(c).good_until, c.now) << Dump(c);
  }
  EXPECT_GT(seen, 0U);
}

// An arrival that lies ahead is none until then; from then on it proves something.
TEST(GoodUntil, EndsWhereAnArrivalThatLiesAheadIsReached) {
  uint64_t purged = 0;
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    Case c = Generate(seed);
    c.doubtful = c.behind = false;
    c.rules.longest_answer_age = base::Days(400);
    c.recording.captured_at = Instant();
    c.recording.ingested_at = c.now + base::Hours(1);
    c.rules.service_began_at = Instant();
    c.subject.tombstones = {
        {domain::TombstoneState::kVerified, domain::ScopeKind::kAccount, {}, domain::OrderedTimes::Always(), {}}};
    const Decision decision = AnswerOfRule(c);
    EXPECT_LE(decision.good_until, c.recording.ingested_at) << Dump(c);
    Case then = c;
    then.now = c.recording.ingested_at;
    if (!SameAnswer(decision, AnswerOfRule(then))) ++purged;
  }
  EXPECT_GT(purged, 1'000U);
}

// What a rule that forgets one cause of change would promise.
struct Forgetful {
  const char* name;
  void (*forget)(Case*);
};

const Forgetful kForgetful[] = {
    {"lifetimes of consents",
     [](Case* c) {
       for (domain::Notice& notice : c->rules.notices) notice.consent_lifetime_months = 0;
     }},
    {"notices that are superseded later",
     [](Case* c) {
       for (domain::Notice& notice : c->rules.notices) {
         if (notice.superseded_from > c->now) notice.superseded_from = base::kEndOfTime;
       }
     }},
    {"retention",
     [](Case* c) {
       for (domain::ScopeFacts& scope : c->subject.scopes) scope.retention = domain::Retention();
     }},
    {"children who come of age",
     [](Case* c) {
       for (domain::ScopeFacts& scope : c->subject.scopes) {
         if (scope.age.kind == domain::AgeKind::kBorn) scope.age.kind = domain::AgeKind::kChild;
       }
     }},
    {"children who become inactive",
     [](Case* c) {
       for (domain::ScopeFacts& scope : c->subject.scopes) scope.last_active = Instant();
     }},
    {"notices of inactivity",
     [](Case* c) {
       for (domain::ScopeFacts& scope : c->subject.scopes) scope.inactivity_notice = Instant();
     }},
    {"false wakes", [](Case* c) { c->recording.wake = domain::Wake::kIntended; }},
    {"captures that lie ahead", [](Case* c) { c->recording.captured_at = std::min(c->recording.captured_at, c->now); }},
};

TEST(GoodUntil, APromiseThatForgetsACauseIsCaught) {
  for (const Forgetful& forgetful : kForgetful) {
    Dice dice(5);
    bool caught = false;
    for (uint64_t seed = 1; seed <= 20'000 && !caught; ++seed) {
      Case c = Generate(seed);
      c.rules.longest_answer_age = base::Days(400);
      Case forgetting = c;
      forgetful.forget(&forgetting);
      const Decision first = AnswerOfRule(c);
      const Instant promised = AnswerOfRule(forgetting).good_until;
      for (const Instant later : TimesToAskAgain(c, promised, dice)) {
        Case then = c;
        then.now = later;
        if (!SameAnswer(first, AnswerOfRule(then))) caught = true;
      }
    }
    EXPECT_TRUE(caught) << "a promise that forgets " << forgetful.name << " was not told from a right one";
  }
}

}  // namespace
}  // namespace consent::model
