// The advice is an upper bound: whatever was eligible, and then lost some of its facts, is among those that the advice
// counts for the facts that were lost. Against the rule itself, over seeded cases.
#include <gtest/gtest.h>

#include "client/cli/engines/fact_advice.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::cli {
namespace {

using domain::Decision;
using domain::Eligibility;
using model::Case;

constexpr uint64_t kCases = 80'000;

// Takes some facts away, each one time in three.
void Punch(model::Dice& dice, Case* c) {
  domain::RecordingFacts& recording = c->recording;
  const auto lost = [&dice] { return dice.Chance(1.0 / 3); };
  if (lost()) recording.captured_at = {};
  if (lost()) recording.wake = domain::Wake::kMissing;
  if (lost()) recording.kind = domain::Kind::kMissing;
  if (lost()) recording.speakers = domain::Speakers::kMissing;
  if (lost()) recording.age = domain::SpeakerAge::kMissing;
  if (lost()) {
    recording.identity = domain::Identity::kMissing;
    recording.profiles.clear();
  } else if (recording.identity == domain::Identity::kMatched && lost()) {
    recording.profiles.clear();
  }
  if (lost()) c->place.country = {};
  if (lost()) c->place.reviewer_class = domain::ReviewerClass::kMissing;
  if (lost()) c->place.site.clear();
}

std::vector<Reason> ReasonsOf(const Decision& decision) {
  std::vector<Reason> reasons;
  decision.ForEachReason([&](domain::Reason reason) { reasons.push_back(static_cast<Reason>(reason)); });
  return reasons;
}

FactSet MissingOf(const Decision& decision) {
  std::vector<MissingFact> facts;
  decision.missing.ForEach([&](domain::MissingFact fact) { facts.push_back(static_cast<MissingFact>(fact)); });
  return FactSet(facts);
}

TEST(FactAdviceBoundTest, WhatLostItsFactsIsCounted) {
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, kCases);
  uint64_t counted = 0;
  uint64_t with_other_reasons = 0;
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case whole = model::Generate(seed);
    if (model::AnswerOfRule(whole).eligibility != Eligibility::kEligible) continue;
    model::Dice dice(seed);
    Case punched = whole;
    Punch(dice, &punched);
    const Decision decision = model::AnswerOfRule(punched);
    if (decision.eligibility == Eligibility::kEligible) continue;
    const std::vector<Reason> reasons = ReasonsOf(decision);
    ASSERT_TRUE(CouldBeEligible(reasons, MissingOf(decision))) << model::Dump(punched) << model::Dump(decision);
    ++counted;
    if (reasons.size() > 1) ++with_other_reasons;
  }
  if (!seeds.whole) return;
  EXPECT_GT(counted, (seeds.last - seeds.first) / 100);
  EXPECT_GT(with_other_reasons, 0U) << "else the table of reasons that can end is not tried";
}

}  // namespace
}  // namespace consent::cli
