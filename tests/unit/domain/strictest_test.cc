// Two records made one, held against the model of the rule (tests/support/model), which knows nothing of how they were
// made one: a yes under the strictest is a yes under both.
#include "daemon/domain/strictest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/domain/tombstone_intervals.h"
#include "daemon/domain/transitions.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/model.h"
#include "tests/support/model/seeds.h"

namespace consent::domain::strictest_test {
namespace {

using model::Case;
using model::Dice;

constexpr uint64_t kChunks = 4;
constexpr uint64_t kCases = 30'000;
constexpr int kQuestions = 4;

// One of the two as the page reads it: a scope that the other one alone knows never chose here.
SubjectFacts WithScopesOf(const SubjectFacts& one, const SubjectFacts& other) {
  SubjectFacts facts = one;
  for (const ScopeFacts& theirs : other.scopes) {
    const auto known = [&](const ScopeFacts& ours) { return ours.kind == theirs.kind && ours.handle == theirs.handle; };
    if (std::any_of(one.scopes.begin(), one.scopes.end(), known)) continue;
    ScopeFacts silent = theirs;
    silent.choices = {};
    silent.refused_all_since = Instant{};
    silent.refused_controls.clear();
    silent.retention = Retention{};
    silent.purge_floor = Instant{};
    facts.scopes.push_back(silent);
  }
  return facts;
}

// Changes a record as somebody's life might: the same scopes, other words.
SubjectFacts Another(const Case& c, Dice& dice) {
  model::Weather weather{dice, 0.15, c.now};
  SubjectFacts other = model::MakeSubject(weather, c.rules, c.purpose);
  if (dice.Chance(0.5)) return other;
  SubjectFacts near = c.subject;
  const auto take = [&dice] { return dice.Chance(0.2); };
  if (take()) near.region = other.region;
  if (take()) near.default_from = other.default_from;
  if (take()) near.tombstones = other.tombstones;
  if (take()) near.holds = other.holds;
  if (take()) near.former_regions = other.former_regions;
  if (take()) near.registered = other.registered;
  for (ScopeFacts& scope : near.scopes) {
    const ScopeFacts& donor = other.scopes[dice.Below(other.scopes.size())];
    for (const Purpose purpose : kAllPurposes) {
      PurposeChoice& choice = scope.ChoiceFor(purpose);
      if (take()) choice = donor.ChoiceFor(purpose);
      // The same, agreed to under another notice.
      if (choice.choice == Choice::kGiven && take()) choice.notice = dice.Pick(c.rules.notices).number;
    }
    if (take()) scope.refused_all_since = donor.refused_all_since;
    if (take()) scope.refused_controls = donor.refused_controls;
    if (take()) scope.retention = donor.retention;
    if (take()) scope.purge_floor = donor.purge_floor;
    if (scope.kind != ScopeKind::kAccount && take()) scope.registered = donor.registered;
    if (scope.kind != ScopeKind::kProfile || donor.kind != ScopeKind::kProfile) continue;
    if (take()) scope.age = donor.age;
    if (take()) scope.guardian = donor.guardian;
    if (take()) scope.last_active = donor.last_active;
  }
  return near;
}

Decision ByModel(const Case& c, const SubjectFacts& facts) {
  return model::Decide(&facts, c.marks, Question{c.recording, c.purpose, c.place, model::NowOf(c)}, c.rules);
}
Decision ByRule(const Case& c, const SubjectFacts& facts) {
  return Decide(&facts, c.marks, Question{c.recording, c.purpose, c.place, model::NowOf(c)}, c.rules);
}

Case With(Case c, const SubjectFacts& facts) {
  c.subject = facts;
  return c;
}

bool IsYes(const Decision& decision) { return decision.eligibility == Eligibility::kEligible; }

class StrictestSeeds : public testing::TestWithParam<uint64_t> {};

TEST_P(StrictestSeeds, AYesIsAYesUnderBoth) {
  const auto range = model::SeedsOfChunk(GetParam(), kChunks, kCases);
  uint64_t yeses = 0;
  uint64_t both = 0;
  for (uint64_t seed = range.first; seed < range.last; ++seed) {
    Case c = model::Generate(seed);
    if (!c.known) continue;
    Dice dice(seed * 7919 + 1);
    const SubjectFacts other = Another(c, dice);
    const SubjectFacts strict = Strictest(c.subject, other, c.now);
    const SubjectFacts turned = Strictest(other, c.subject, c.now);
    const SubjectFacts a = WithScopesOf(c.subject, other);
    const SubjectFacts b = WithScopesOf(other, c.subject);
    for (int i = 0; i < kQuestions; ++i) {
      model::Weather weather{dice, 0.05, c.now};
      if (i != 0) c.recording = model::MakeRecording(weather, i % 2 == 0 ? a : b, c.purpose);
      if (dice.Chance(0.2)) c.recording.device = {};
      if (dice.Chance(0.1)) c.recording.profiles.clear();
      const Decision decision = ByRule(c, strict);
      const Decision of_a = ByModel(c, a);
      const Decision of_b = ByModel(c, b);
      both += IsYes(of_a) && IsYes(of_b) ? 1 : 0;
      yeses += IsYes(decision) ? 1 : 0;
      ASSERT_EQ(IsYes(decision), IsYes(ByRule(c, turned))) << "seed " << seed << ": not the same in the other order";
      ASSERT_TRUE(!IsYes(decision) || (IsYes(of_a) && IsYes(of_b)))
          << "seed " << seed << " question " << i << "\nfirst: " << model::Dump(of_a)
          << "\nsecond: " << model::Dump(of_b) << "\n"
          << model::Dump(c) << "\nthe other: " << model::Dump(With(c, b))
          << "\nstrictest: " << model::Dump(With(c, strict));
      // What an order takes from one is taken from both, and a hold of either holds.
      const auto has = [](const Decision& d, Reason reason) { return d.disposed.Has(reason); };
      for (const Reason order : {Reason::kLegalHold, Reason::kDeleted}) {
        ASSERT_EQ(has(decision, order), has(of_a, order) || has(of_b, order)) << "seed " << seed;
      }
      const auto expired = [&](const Decision& d) {
        return has(d, Reason::kDoNotSave) || has(d, Reason::kRetentionExpired);
      };
      const bool by_orders_alone = strict.restored_at.IsSet() || c.rules.restored_at.IsSet();
      // Of what was restored nothing is purged by time.
      ASSERT_TRUE(by_orders_alone || expired(decision) || !(expired(of_a) || expired(of_b))) << "seed " << seed;
    }
  }
  RecordProperty("yeses", static_cast<int>(yeses));
  std::printf("[ %llu yeses of %llu that both gave ]\n", static_cast<unsigned long long>(yeses),
              static_cast<unsigned long long>(both));
  if (!range.whole) return;
  EXPECT_GT(yeses, 0U);
  EXPECT_GT(both, 0U);
}

INSTANTIATE_TEST_SUITE_P(Chunks, StrictestSeeds, testing::Range<uint64_t>(0, kChunks));

TEST(Strictest, OfOneRecordWithItselfIsThatRecord) {
  for (const uint64_t seed : model::Seeds(2'000)) {
    Case c = model::Generate(seed);
    if (!c.known) continue;
    auto& former = c.subject.former_regions;  // the generator leaves a region twice, which no record does
    former.resize(std::min<size_t>(former.size(), 1));
    ASSERT_EQ(Strictest(c.subject, c.subject, c.now), c.subject) << "seed " << seed;
  }
}

TEST(Strictest, StaysWithinWhatCanBeStored) {
  for (const uint64_t seed : model::Seeds(4'000)) {
    const Case c = model::Generate(seed);
    if (!c.known) continue;
    Dice dice(seed);
    SubjectFacts strict = Strictest(c.subject, Another(c, dice), c.now);
    strict.cover = nullptr;
    std::string bytes;
    EncodeFacts(strict, &bytes);
    SubjectFacts read;
    ASSERT_TRUE(DecodeFacts(bytes, &read)) << "seed " << seed;
    ASSERT_EQ(read, strict) << "seed " << seed;
  }
}

// Two accounts agreed in the same days, each to a notice of its own or to one, some again, after a refusal that each
// had once forgiven, about a suspension, a coming of age or the naming of a guardian; or one refused a control and
// never agreed. Who names no profile or device may be the one that refused, or whose last notice forgives nothing; and
// what the earlier yes came too early for, the later one's time must not mend.
TEST(Strictest, AYesOfTwoTimesIsAYesOfBoth) {
  uint64_t yeses = 0;
  uint64_t denied = 0;
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Case c = model::Generate(seed);
    if (!c.known || !IsPurpose(c.purpose) || c.rules.notices.empty()) continue;
    Dice dice(seed * 7919 + 2);
    model::Weather clear{dice, 0, c.now};
    const auto ago = [&](int64_t days) { return c.now - base::Days(days + static_cast<int64_t>(dice.Below(8))); };
    if (dice.Chance(0.3)) c.rules.suspensions.push_back({c.purpose, Region{}, false, ago(10), ago(2)});
    const NoticeNumber notice = dice.Pick(c.rules.notices).number;
    for (ScopeFacts& scope : c.subject.scopes) {
      if (scope.guardian.IsSet()) scope.guardian_since = ago(2);
    }
    SubjectFacts of[2] = {c.subject, c.subject};
    for (SubjectFacts& facts : of) {
      for (ScopeFacts& scope : facts.scopes) {
        PurposeChoice& choice = scope.ChoiceFor(c.purpose);
        choice = PurposeChoice{};
        choice.choice = Choice::kGiven;
        choice.by_guardian = scope.guardian.IsSet();
        choice.notice = dice.Chance(0.7) ? notice : dice.Pick(c.rules.notices).number;
        choice.since = ago(2);
        if (scope.kind != ScopeKind::kAccount && !c.rules.controls.empty() && dice.Chance(0.2)) {
          choice = PurposeChoice{};
          scope.refused_controls = {{dice.Pick(c.rules.controls).number, ago(5)}};
        }
        if (scope.kind == ScopeKind::kAccount || dice.Chance(0.5)) continue;
        choice.refused_from = c.now - base::Days(10);
        choice.copies_forgiven = true;
      }
    }
    c.recording = model::MakeRecording(clear, c.subject, c.purpose);
    c.recording.captured_at = ago(0);
    if (dice.Chance(0.5)) c.recording.device = {};
    if (dice.Chance(0.3)) c.recording.profiles.clear();
    const bool both = IsYes(ByModel(c, of[0])) && IsYes(ByModel(c, of[1]));
    for (const bool turned : {false, true}) {
      const bool yes = IsYes(ByRule(c, Strictest(of[turned ? 1 : 0], of[turned ? 0 : 1], c.now)));
      ASSERT_TRUE(!yes || both) << "seed " << seed << "\nfirst:\n"
                                << model::Dump(With(c, of[0])) << "second:\n"
                                << model::Dump(With(c, of[1]));
      yeses += yes ? 1 : 0;
    }
    denied += both ? 0 : 1;
  }
  if (!seeds.whole) return;
  EXPECT_GT(yeses, 100U);
  EXPECT_GT(denied, 100U);
}

TEST(Strictest, OfThreeInAnyOrderSaysTheSame) {
  uint64_t yeses = 0;
  for (const uint64_t seed : model::Seeds(8'000)) {
    Case c = model::Generate(seed);
    if (!c.known) continue;
    Dice dice(seed + 5);
    const SubjectFacts a = c.subject;
    const SubjectFacts b = Another(c, dice);
    const SubjectFacts d = Another(c, dice);
    const bool left = IsYes(ByRule(c, Strictest(Strictest(a, b, c.now), d, c.now)));
    const bool right = IsYes(ByRule(c, Strictest(a, Strictest(b, d, c.now), c.now)));
    yeses += left ? 1 : 0;
    ASSERT_EQ(left, right) << "seed " << seed;
  }
  EXPECT_GT(yeses, 0U);
}

}  // namespace
}  // namespace consent::domain::strictest_test
