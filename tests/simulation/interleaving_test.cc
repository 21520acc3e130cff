// Thousands of orders of opt-ins, opt-outs and checks, one step at a time, each replayable by its seed.
#include <gtest/gtest.h>

#include "tests/simulation/interleaving.h"

namespace consent::simulation::interleaving_test {
namespace {

constexpr uint64_t kRuns = 900;

struct Tally {
  uint64_t wrong = 0;
  uint64_t yes = 0;
  uint64_t no = 0;
  uint64_t acknowledged_on = 0;
  uint64_t acknowledged_off = 0;
};

Tally RunAll(Setting setting, Seeds seeds, bool expect_right) {
  Tally tally;
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    setting.seed = seed;
    const Outcome outcome = Play(setting);
    if (!outcome.wrong.empty()) ++tally.wrong;
    if (expect_right && !outcome.wrong.empty()) {
      ADD_FAILURE() << "seed " << seed << ": " << outcome.wrong;
      return tally;
    }
    for (const Check& check : outcome.log.checks) ++(check.yes ? tally.yes : tally.no);
    for (const Change& change : outcome.log.changes) {
      if (change.applied) ++(change.on ? tally.acknowledged_on : tally.acknowledged_off);
    }
  }
  return tally;
}

void ExpectAllRight(const Setting& setting, uint64_t runs) {
  const Seeds seeds = SeedsOf(runs);
  const Tally tally = RunAll(setting, seeds, true);
  if (!seeds.whole) return;
  // A run in which nothing happens shows nothing.
  EXPECT_GT(tally.yes, seeds.count);
  EXPECT_GT(tally.no, seeds.count);
  EXPECT_GT(tally.acknowledged_on, seeds.count);
  EXPECT_GT(tally.acknowledged_off, seeds.count);
}

TEST(Interleaving, NoYesAfterAnAcknowledgedOptOut) { ExpectAllRight(Setting{}, kRuns); }

TEST(Interleaving, NorWhereEveryCheckGoesToTheStore) {
  Setting setting;
  setting.max_subjects = 0;
  ExpectAllRight(setting, kRuns / 3);
}

TEST(Interleaving, NorOverSeveralPartitions) {
  Setting setting;
  setting.partitions = 3;
  setting.max_subjects = 1;
  ExpectAllRight(setting, kRuns / 3);
}

TEST(Interleaving, ACheckerThatKeepsAYesIsCaught) {
  Setting setting;
  setting.checker = Checker::kKeepsAYes;
  EXPECT_GT(RunAll(setting, {1, 100}, false).wrong, 5U);
}

TEST(Interleaving, AStoreThatAcknowledgesBeforeTheCommitIsVisibleIsCaught) {
  Setting setting;
  setting.acknowledges_early = true;
  setting.max_subjects = 0;
  EXPECT_GT(RunAll(setting, {1, 100}, false).wrong, 5U);
}

TEST(Interleaving, ASeedReplays) {
  for (const uint64_t seed : {3, 77}) {
    Setting setting;
    setting.seed = seed;
    const Log first = Play(setting).log;
    const Log second = Play(setting).log;
    ASSERT_EQ(first.changes.size(), second.changes.size());
    for (size_t i = 0; i < first.changes.size(); ++i) {
      EXPECT_EQ(first.changes[i].began, second.changes[i].began);
      EXPECT_EQ(first.changes[i].ended, second.changes[i].ended);
      EXPECT_EQ(first.changes[i].revision, second.changes[i].revision);
    }
    ASSERT_EQ(first.checks.size(), second.checks.size());
    for (size_t i = 0; i < first.checks.size(); ++i) EXPECT_EQ(first.checks[i].yes, second.checks[i].yes);
  }
}

}  // namespace
}  // namespace consent::simulation::interleaving_test
