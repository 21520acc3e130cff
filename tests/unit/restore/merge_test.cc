// What a restore makes of the backup's record and the journal's, over random records and questions.
#include "daemon/restore/merge.h"

#include <gtest/gtest.h>

#include "daemon/domain/decide.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::restore {
namespace {

using domain::Disposition;
using domain::Eligibility;
using domain::Reason;
using model::Case;

constexpr uint64_t kCases = 20'000;

// The saved record is that of the case, the journaled one that of another.
struct Two {
  Case c;
  Known known;
  explicit Two(uint64_t seed) : c(model::Generate(seed)) {
    c.grants.reset();  // caps count by country, and the two may live in two
    known.saved = c.subject;
    known.journaled = model::Generate(seed + 1'000'000).subject;
    // Of the same people, and often the same region: what was added or removed since is a loosening, and marked.
    const domain::ScopeFacts account = known.journaled->account();
    known.journaled->scopes = c.subject.scopes;
    if (seed % 2 == 0) known.journaled->account().choices = account.choices;
    if (seed % 4 < 2) known.journaled->account().retention = account.retention;
    if (seed % 3 != 0) known.journaled->region = c.subject.region;
  }
  domain::Decision Ask(const domain::SubjectFacts& facts) const {
    Case asked = c;
    asked.subject = facts;
    asked.known = true;
    return model::AnswerOfRule(asked);
  }
};

TEST(Merge, NeverSaysAYesThatOneOfBothWouldNot) {
  int yes = 0;
  const model::SeedRange seeds = model::Seeds(kCases);
  for (const uint64_t seed : seeds) {
    const Two two(seed);
    const std::optional<domain::SubjectFacts> merged = MergeRecord(two.known, two.c.now);
    ASSERT_TRUE(merged.has_value());
    if (two.Ask(*merged).eligibility != Eligibility::kEligible) continue;
    ++yes;
    ASSERT_EQ(two.Ask(*two.known.saved).eligibility, Eligibility::kEligible) << "seed " << seed << '\n' << Dump(two.c);
    ASSERT_EQ(two.Ask(*two.known.journaled).eligibility, Eligibility::kEligible) << "seed " << seed << '\n'
                                                                                 << Dump(two.c);
  }
  EXPECT_TRUE(yes > 100 || !seeds.whole) << "or nothing is asked";
}

TEST(Merge, WhatIsLostOfALooseningDeniesAndPurgesByOrdersAlone) {
  int marked = 0;
  const model::SeedRange seeds = model::Seeds(kCases);
  for (const uint64_t seed : seeds) {
    Two two(seed);
    two.known.loosened = true;
    if (seed % 5 == 0) two.known.journaled.reset();
    const domain::SubjectFacts merged = *MergeRecord(two.known, two.c.now);
    const domain::Decision decision = two.Ask(merged);
    ASSERT_NE(decision.eligibility, Eligibility::kEligible) << "seed " << seed;
    if (!merged.restored_at.IsSet()) continue;  // closed
    ++marked;
    ASSERT_TRUE(decision.disposition != Disposition::kPurge || decision.disposed.Has(Reason::kDeleted) ||
                decision.disposed.Has(Reason::kAccountClosed))
        << "seed " << seed;
  }
  EXPECT_TRUE(marked > 1000 || !seeds.whole) << marked;
}

TEST(Merge, OfTwoEqualRecordsIsThatRecord) {
  for (const uint64_t seed : model::Seeds(5'000)) {
    Two two(seed);
    two.known.journaled = two.known.saved;
    const domain::Decision merged = two.Ask(*MergeRecord(two.known, two.c.now));
    const domain::Decision was = two.Ask(*two.known.saved);
    ASSERT_EQ(merged.eligibility, was.eligibility) << "seed " << seed << '\n' << Dump(two.c);
    ASSERT_EQ(merged.disposition, was.disposition) << "seed " << seed << '\n' << Dump(two.c);
  }
}

TEST(Merge, AnAliasOfSinceTheBackupIsJoinedOnceMore) {
  using domain::JoinState;
  const auto merge = [](std::optional<JoinState> saved, JoinState journaled) {
    Known known;
    if (saved) {
      known.saved.emplace().join = *saved;
      if (*saved != JoinState::kNone) known.saved->joined_into.bytes[0] = 1;
    }
    known.journaled.emplace().join = journaled;
    known.journaled->joined_into.bytes[0] = 1;
    const domain::SubjectFacts merged = *MergeRecord(known, base::Instant{5});
    EXPECT_EQ(merged.joined_into, known.journaled->joined_into);
    return merged.join;
  };
  EXPECT_EQ(merge(std::nullopt, JoinState::kAlias), JoinState::kJoining);
  EXPECT_EQ(merge(JoinState::kNone, JoinState::kAlias), JoinState::kJoining);
  EXPECT_EQ(merge(JoinState::kJoining, JoinState::kAlias), JoinState::kJoining);
  EXPECT_EQ(merge(JoinState::kAlias, JoinState::kAlias), JoinState::kAlias) << "what was said since stands";
  EXPECT_EQ(merge(JoinState::kNone, JoinState::kRenaming), JoinState::kRenaming);
}

TEST(Merge, NothingIsMadeOfNothing) {
  Known known;
  known.loosened = true;
  EXPECT_FALSE(MergeRecord(known, base::Instant{5}).has_value());
}

TEST(Merge, ANewAccountUnderAClosedIdIsNotTheClosedOnes) {
  Known known;
  known.saved.emplace();
  known.saved->registered = true;
  known.journaled.emplace();
  known.journaled->closed_at = base::Instant{1000};
  known.loosened = true;
  known.reopened_at = base::Instant{2000};
  const domain::SubjectFacts merged = *MergeRecord(known, base::Instant{3000});
  EXPECT_EQ(merged.reopened_at, base::Instant{2000}) << "what is recorded since is nobody's to purge";
  EXPECT_EQ(merged.restored_at, base::Instant{3000});
  known.reopened_at = base::Instant{500};  // and closed since
  EXPECT_FALSE(MergeRecord(known, base::Instant{3000})->restored_at.IsSet());
  EXPECT_FALSE(MergeRecord(known, base::Instant{3000})->reopened_at.IsSet());
}

}  // namespace
}  // namespace consent::restore
