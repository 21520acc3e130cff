// A restriction can only turn answers towards no, or towards PURGE; a hold only stops purging.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::model::restrictions_test {
namespace {

using domain::Choice;
using domain::Decision;
using domain::Disposition;
using domain::Eligibility;
using domain::Instant;
using domain::Purpose;
using domain::ScopeFacts;
using domain::ScopeKind;

constexpr uint64_t kChunks = 4;
constexpr uint64_t kCases = 40'000;

Instant PastTime(Dice& dice, const Case& c) { return c.now - base::Days(static_cast<int64_t>(dice.Below(400))); }

ScopeFacts& AnyScope(Dice& dice, Case* c) { return c->subject.scopes[dice.Below(c->subject.scopes.size())]; }

void RefusePurpose(Dice& dice, Case* c) {
  domain::PurposeChoice no;
  no.choice = dice.Pick({Choice::kRefused, Choice::kWithdrawn});
  no.since = PastTime(dice, *c);
  const Purpose purpose =
      c->purpose != Purpose::kNone && dice.Chance(0.7) ? c->purpose : domain::kAllPurposes[dice.Below(7)];
  AnyScope(dice, c).choices[static_cast<size_t>(purpose) - 1] = no;
}

void RefuseAll(Dice& dice, Case* c) {
  ScopeFacts& scope = AnyScope(dice, c);
  scope.refused_all_since = std::max(scope.refused_all_since, PastTime(dice, *c));
}

void RefuseControl(Dice& dice, Case* c) {
  const auto control = static_cast<domain::ControlNumber>(1 + dice.Below(4));
  ScopeFacts& scope = AnyScope(dice, c);
  for (domain::ControlRefusal& refusal : scope.refused_controls) {
    if (refusal.control != control) continue;
    refusal.since = std::max(refusal.since, PastTime(dice, *c));
    return;
  }
  scope.refused_controls.push_back({control, PastTime(dice, *c)});
}

void RefuseAtANewScope(Dice& dice, Case* c) {
  ScopeFacts scope;
  scope.kind = dice.Pick({ScopeKind::kProfile, ScopeKind::kDevice});
  scope.handle = HandleNumber(static_cast<uint8_t>(250 + dice.Below(4)));
  scope.refused_all_since = PastTime(dice, *c);
  for (const ScopeFacts& other : c->subject.scopes) {
    if (other.kind == scope.kind && other.handle == scope.handle) return;
  }
  c->subject.scopes.push_back(scope);
}

void ShortenRetention(Dice& dice, Case* c) {
  domain::Retention& retention = AnyScope(dice, c).retention;
  switch (retention.kind) {
    case domain::RetentionKind::kUntilDeleted:
      retention = {domain::RetentionKind::kMonths, dice.Pick<uint8_t>({1, 3, 120})};
      break;
    case domain::RetentionKind::kMonths:
      retention.months = static_cast<uint8_t>(1 + dice.Below(retention.months));
      if (dice.Chance(0.3)) retention = {domain::RetentionKind::kDoNotSave, 0};
      break;
    case domain::RetentionKind::kDoNotSave:
      break;
  }
}

void RaiseFloor(Dice& dice, Case* c) {
  Instant& floor = AnyScope(dice, c).purge_floor;
  floor = std::max(floor, PastTime(dice, *c));
}

void Delete(Dice& dice, Case* c) {
  domain::Tombstone tombstone;
  tombstone.state = static_cast<domain::TombstoneState>(dice.Below(3));
  const ScopeFacts& scope = AnyScope(dice, c);
  tombstone.scope = scope.kind;
  tombstone.handle = scope.handle;
  const Instant from = dice.Chance(0.5) ? PastTime(dice, *c) : Instant();
  const Instant end = dice.Chance(0.5) ? std::max(from, PastTime(dice, *c)) : base::kEndOfTime;
  tombstone.captured = domain::OrderedTimes::Between(from, dice.Chance(0.8) ? end : Instant(), end);
  if (dice.Chance(0.2)) tombstone.copies_of.bits = static_cast<uint8_t>(1 + dice.Below(127));
  c->subject.tombstones.push_back(tombstone);
}

void DeleteThisRecording(Dice& dice, Case* c) {
  if (c->marks.has_tombstone) return;
  c->marks.has_tombstone = true;
  c->marks.tombstone = static_cast<domain::TombstoneState>(dice.Below(3));
}

void Close(Dice& dice, Case* c) {
  c->subject.closed_at = PastTime(dice, *c);
  c->subject.reopened_at = {};
}

void Flag(Dice& dice, Case* c) {
  const auto flag = static_cast<uint8_t>(1U << dice.Below(4));
  uint8_t& flags = dice.Chance(0.5) ? c->marks.flags : c->recording.flags;
  flags = static_cast<uint8_t>(flags | flag);
}

void Suspend(Dice& dice, Case* c) {
  domain::Suspension suspension;
  suspension.purpose = c->purpose == Purpose::kNone ? Purpose::kHumanReview : c->purpose;
  if (dice.Chance(0.5)) suspension.region = c->subject.region;
  suspension.suspended_at = PastTime(dice, *c);
  suspension.active = dice.Chance(0.5);
  if (!suspension.active) suspension.resumed_at = PastTime(dice, *c);
  c->rules.suspensions.push_back(suspension);
}

void Hold(Dice& dice, Case* c) {
  if (dice.Chance(0.3)) {
    c->marks.on_hold = true;
    return;
  }
  if (dice.Chance(0.3)) {
    c->rules.safety.hold = std::max(c->rules.safety.hold, base::Hours(72));
    c->marks.safety_since = std::max(c->marks.safety_since, PastTime(dice, *c));
    c->marks.flags = static_cast<uint8_t>(c->marks.flags | domain::Flags::kSafety);
    return;
  }
  domain::Hold hold;
  const ScopeFacts& scope = AnyScope(dice, c);
  hold.scope = scope.kind;
  hold.handle = scope.handle;
  if (dice.Chance(0.5)) hold.captured.from = PastTime(dice, *c);
  c->subject.holds.push_back(hold);
}

using Restriction = void (*)(Dice&, Case*);
const std::vector<Restriction>& Restrictions() {
  static const std::vector<Restriction> all = {RefusePurpose, RefuseAll, RefuseControl,       RefuseAtANewScope,
                                               RaiseFloor,    Delete,    DeleteThisRecording, Close,
                                               Flag,          Suspend,   ShortenRetention};
  return all;
}

std::string Explain(const Case& before, const Case& after) {
  return Dump(before) + Dump(AnswerOfRule(before)) + "\n--- after:\n" + Dump(after) + Dump(AnswerOfRule(after));
}

class Restricting : public testing::TestWithParam<uint64_t> {};

TEST_P(Restricting, NeverLoosens) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), kChunks, kCases);
  Dice dice(seeds.first + 7);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case before = Generate(seed);
    const Decision was = AnswerOfRule(before);
    for (int i = 0; i < 3; ++i) {
      Case after = before;
      dice.Pick(Restrictions())(dice, &after);
      const Decision is = AnswerOfRule(after);
      if (was.eligibility != Eligibility::kEligible) {
        ASSERT_EQ(is.eligibility, was.eligibility) << Explain(before, after);
      }
      if (was.disposition != Disposition::kKeep) {
        ASSERT_EQ(is.disposition, was.disposition) << Explain(before, after);
      }
      ASSERT_NE(is.disposition, Disposition::kNotAnswered);
    }
  }
}

TEST_P(Restricting, AHoldNeverPurgesNorMakesEligible) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), kChunks, kCases);
  Dice dice(seeds.first + 11);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case before = Generate(seed);
    Case after = before;
    Hold(dice, &after);
    const Decision was = AnswerOfRule(before);
    const Decision is = AnswerOfRule(after);
    if (was.eligibility != Eligibility::kEligible) {
      ASSERT_EQ(is.eligibility, was.eligibility) << Explain(before, after);
    }
    ASSERT_TRUE(is.disposition == was.disposition || is.disposition == Disposition::kHold) << Explain(before, after);
    // What the hold stops stays to be seen.
    was.reasons.ForEach([&](domain::Reason reason) {
      const bool of_the_disposition = reason < domain::Reason::kUnknownSubject || reason == domain::Reason::kSafetyHold;
      ASSERT_TRUE(!of_the_disposition || is.reasons.Has(reason)) << Explain(before, after);
    });
  }
}

// The regimes of two regions allow what both allow; a person is a child below the higher age, and a guardian answers
// below the lower.
TEST_P(Restricting, NamingTheCapturesRegionNeverLoosens) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), kChunks, kCases);
  Dice dice(seeds.first + 13);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Case before = Generate(seed);
    before.grants.reset();  // caps count by country
    before.recording.has_region = false;
    before.recording.region = domain::Region();
    Case after = before;
    Weather weather{dice, 0.5, before.now};
    after.recording.has_region = true;
    after.recording.region = MakeRegion(weather);
    // Of an unknown subject the capture's is the only region; without it the rules of unknown regions hold, so there is
    // no merging.
    if (!before.known) continue;
    const Decision was = AnswerOfRule(before);
    const Decision is = AnswerOfRule(after);
    if (was.eligibility != Eligibility::kEligible) {
      ASSERT_EQ(is.eligibility, was.eligibility) << Explain(before, after);
    }
    if (was.disposition != Disposition::kKeep) {
      ASSERT_EQ(is.disposition, was.disposition) << Explain(before, after);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Chunks, Restricting, testing::Range(uint64_t{0}, kChunks));

}  // namespace
}  // namespace consent::model::restrictions_test
