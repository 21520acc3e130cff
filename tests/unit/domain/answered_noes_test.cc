// A yes that names the no that it answers, by its time and without an etag.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/effective.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain::answered_noes_test {
namespace {

constexpr Purpose kReview = Purpose::kHumanReview;

// In the place of an etag.
Command Answer(const SmallWorld& world, const ScopeRef& scope, Target target, Instant answers) {
  Command command = On(world, scope, std::move(target));
  command.expected_revision.reset();
  command.choices[0].answers = answers;
  return command;
}

TEST(AnsweredNo, TheLastNoIsAnsweredAndNoOther) {
  SmallWorld world;
  world.Register("DE");
  const Instant no = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  for (const Instant other : {no - base::Microseconds(1), no + base::Microseconds(1), world.next.time}) {
    EXPECT_EQ(RefusalOf(world.Try(Answer(world, Account(), PurposeOf(kReview), other))), Refusal::kEtagMismatch);
  }
  EXPECT_EQ(RefusalOf(world.Do(Answer(world, Account(), PurposeOf(kReview), no))), Refusal::kNone);
  EXPECT_EQ(RefusalOf(world.Try(Answer(world, Account(), PurposeOf(kReview), no))), Refusal::kEtagMismatch)
      << "what was answered already is no no";
}

TEST(AnsweredNo, WhatNobodyRefusedHasNoneToAnswer) {
  SmallWorld world;
  world.Register("DE");
  const Transition never = world.Try(Answer(world, Account(), PurposeOf(kReview), world.next.time));
  EXPECT_EQ(RefusalOf(never), Refusal::kEtagMismatch);
  EXPECT_NE(never.parts[0].detail.find("is not stored"), std::string::npos);
}

TEST(AnsweredNo, OfAControlTheLatestOfItsPurposesIsMeant) {
  SmallWorld world;
  world.Register("DE");
  const Instant first = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  const Instant second = world.next.time;
  world.Do(Off(Account(), PurposeOf(Purpose::kFeatureDevelopment)));
  EXPECT_EQ(RefusalOf(world.Try(Answer(world, Account(), ControlNamed("improve"), first))), Refusal::kEtagMismatch);
  EXPECT_EQ(RefusalOf(world.Try(Answer(world, Account(), ControlNamed("improve"), second))), Refusal::kNone);
  EXPECT_EQ(RefusalOf(world.Try(Answer(world, Account(), PurposeOf(kReview), first))), Refusal::kNone);
}

TEST(AnsweredNo, ANoOfTheSameCallWins) {
  SmallWorld world;
  world.Register("DE");
  const Instant no = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  Command both = Answer(world, Account(), PurposeOf(kReview), no);
  both.choices.push_back({Account(), Target{}, false});
  EXPECT_EQ(world.Try(both).parts[0].refusal, Refusal::kContradiction);
}

TEST(AnsweredNo, AnEtagBesideItHasToBeCurrentToo) {
  SmallWorld world;
  world.Register("DE");
  const Instant no = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  Command both = Answer(world, Account(), PurposeOf(kReview), no);
  both.expected_revision = world.facts.revision + 1;
  EXPECT_EQ(RefusalOf(world.Try(both)), Refusal::kEtagMismatch);
}

TEST(AnsweredNo, ALongerRetentionStillNeedsAnEtag) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Keep(world, Account(), Months(3)));
  const Instant no = world.next.time;
  world.Do(Off(Account(), PurposeOf(kReview)));
  Command both = Answer(world, Account(), PurposeOf(kReview), no);
  both.retention.push_back({Account(), kUntilDeleted});
  const Transition done = world.Try(both);
  EXPECT_EQ(done.parts[0].refusal, Refusal::kNone);
  EXPECT_EQ(done.parts[1].refusal, Refusal::kEtagRequired);
}

TEST(AnsweredNo, ANoThatWasSaidAgainIsOnRecordOncePerPurpose) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Off(Account(), PurposeOf(kReview)));
  const Transition again = world.Do(Off(Account(), PurposeOf(kReview)));
  EXPECT_FALSE(again.parts[0].changed);
  ASSERT_EQ(again.changes.size(), 1U);
  EXPECT_EQ(again.changes[0].what, ChangedWhat::kRefusedAgain);
  EXPECT_EQ(again.changes[0].purpose, kReview);
}

// A model written from the page: of each purpose the time of the last time that somebody said no, unless a yes came
// after it. Said again counts as said. `history` is what the service reads.
TEST(AnsweredNo, IsTheLastThatAnybodySaid) {
  const std::vector<Target> targets = {PurposeOf(kReview), PurposeOf(Purpose::kFeatureDevelopment),
                                       ControlNamed("improve"), Target{}};
  const std::vector<Purpose> of_improve = {kReview, Purpose::kFeatureDevelopment};
  int answered = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 dice(seed);
    SmallWorld world;
    world.Register("DE");
    std::map<Purpose, Instant> last_no;
    std::vector<Instant> said;
    std::vector<std::pair<Instant, FactChange>> history;
    for (int step = 0; step < 12; ++step) {
      const size_t which = dice() % targets.size();
      const std::vector<Purpose> about = which < 2 ? std::vector<Purpose>{of_improve[which]} : of_improve;
      const Instant now = world.next.time;
      const bool yes = dice() % 3 == 0 && which != 3 && !said.empty();
      Command command = Off(Account(), targets[which]);
      if (yes) {
        const Instant answers = said[dice() % said.size()];
        command = Answer(world, Account(), targets[which], answers);
        for (const auto& [at, change] : history) {
          if (at >= FirstAnswered(command)) NoteRefusedAgain(world.facts, change, at, world.rules, &command);
        }
        Instant expected;
        for (const Purpose purpose : about) {
          if (last_no.count(purpose) != 0) expected = std::max(expected, last_no[purpose]);
        }
        const bool counts = RefusalOf(world.Try(command)) == Refusal::kNone;
        ASSERT_EQ(counts, expected == answers) << "seed " << seed << ", step " << step;
        if (counts) ++answered;
      }
      const Transition done = world.Do(command);
      for (const FactChange& change : done.changes) history.emplace_back(now, change);
      if (!yes) said.push_back(now);
      if (done.parts[0].refusal != Refusal::kNone) continue;
      for (const Purpose purpose : about) {
        if (yes) {
          last_no.erase(purpose);
        } else {
          last_no[purpose] = now;
        }
      }
    }
  }
  EXPECT_GT(answered, 100);
}

}  // namespace
}  // namespace consent::domain::answered_noes_test
