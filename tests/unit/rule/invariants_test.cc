// What holds of every answer, and that there always is one.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"

namespace consent::model::invariants_test {
namespace {

using domain::Decision;
using domain::Disposition;
using domain::Eligibility;
using domain::Instant;
using domain::Purpose;
using domain::Reason;

constexpr uint64_t kCases = 50'000;

bool HasAny(const Decision& decision, Reason first, Reason last) {
  for (int number = static_cast<int>(first); number <= static_cast<int>(last); ++number) {
    if (decision.reasons.Has(static_cast<Reason>(number))) return true;
  }
  return false;
}

// What was missing is named, by what the page lists.
void ExpectMissingFactsNamed(const Case& c, const Decision& d) {
  using domain::MissingFact;
  const bool asked = c.purpose != Purpose::kNone;
  EXPECT_EQ(!d.missing.Empty(), d.reasons.Has(Reason::kMissingFact));
  ASSERT_LT(d.regime, c.rules.regimes.size());
  const domain::RecordingFacts& recording = c.recording;
  EXPECT_EQ(d.missing.Has(MissingFact::kCapturedAt), asked && !recording.captured_at.IsSet());
  EXPECT_EQ(d.missing.Has(MissingFact::kWake), asked && recording.wake == domain::Wake::kMissing);
  EXPECT_EQ(d.missing.Has(MissingFact::kKind), asked && recording.kind == domain::Kind::kMissing);
  EXPECT_EQ(d.missing.Has(MissingFact::kSpeakers), asked && recording.speakers == domain::Speakers::kMissing);
  EXPECT_EQ(d.missing.Has(MissingFact::kIdentity), asked && recording.identity == domain::Identity::kMissing);
  EXPECT_EQ(d.missing.Has(MissingFact::kAge), asked && recording.age == domain::SpeakerAge::kMissing);
  const bool is_review = c.purpose == Purpose::kHumanReview;
  EXPECT_EQ(d.missing.Has(MissingFact::kReviewerClass),
            is_review && c.place.reviewer_class == domain::ReviewerClass::kMissing);
  if (is_review && !c.place.country.IsSet()) {
    EXPECT_TRUE(d.missing.Has(MissingFact::kCountry));
  }
  if (!recording.profiles.empty() && recording.identity == domain::Identity::kMatched) {
    EXPECT_FALSE(d.missing.Has(MissingFact::kProfileIds));
  }
  if (recording.device.IsSet()) {
    EXPECT_FALSE(d.missing.Has(MissingFact::kDeviceId));
  }
}

void ExpectConsistent(const Case& c, const Decision& d) {
  ExpectMissingFactsNamed(c, d);
  const bool asked = c.purpose != Purpose::kNone;
  EXPECT_EQ(d.eligibility != Eligibility::kNotAnswered, asked);
  EXPECT_NE(d.disposition, Disposition::kNotAnswered);
  const bool for_purge = HasAny(d, Reason::kDeleted, Reason::kPurposeEnded);
  EXPECT_EQ(d.disposition == Disposition::kHold,
            d.reasons.Has(Reason::kLegalHold) || d.reasons.Has(Reason::kSafetyHold));
  EXPECT_TRUE(for_purge || d.disposition != Disposition::kPurge);
  const bool eligible = d.eligibility == Eligibility::kEligible;
  EXPECT_EQ(eligible, HasAny(d, Reason::kConsent, Reason::kDefault));
  EXPECT_EQ(asked && c.doubtful, d.reasons.Has(Reason::kClockDoubtful));
  const bool restored = c.rules.restored_at.IsSet() || (c.known && c.subject.restored_at.IsSet());
  EXPECT_EQ(asked && restored, d.reasons.Has(Reason::kRestored));
  if (restored) {
    EXPECT_TRUE(d.disposition != Disposition::kPurge || d.disposed.Has(Reason::kDeleted) ||
                d.disposed.Has(Reason::kAccountClosed))
        << "only an order purges";
  }
  if (eligible) {
    EXPECT_EQ(d.disposition, Disposition::kKeep);
    EXPECT_FALSE(HasAny(d, Reason::kLegalHold, Reason::kReviewerNotAllowed));
  }
  if (asked) {
    EXPECT_FALSE(d.reasons.Empty());
    EXPECT_NE(d.FirstReason(), Reason::kNone);
  } else {
    EXPECT_FALSE(HasAny(d, Reason::kUnknownSubject, Reason::kClockDoubtful));
    EXPECT_EQ(d.FirstReason() == Reason::kNone, d.disposition == Disposition::kKeep);
  }
}

TEST(Invariants, OfEveryAnswer) {
  const SeedRange seeds = SeedsOfChunk(0, 1, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last && !HasFailure(); ++seed) {
    const Case c = Generate(seed);
    const Decision d = AnswerOfRule(c);
    ExpectConsistent(c, d);
    EXPECT_EQ(d.revision, c.known ? c.subject.revision : 0);
    EXPECT_EQ(d.checked_at, c.now);
    EXPECT_TRUE(c.known || d.disposition == Disposition::kKeep);
    EXPECT_FALSE(HasFailure()) << Dump(c) << Dump(d);
  }
}

TEST(Invariants, TheDispositionDoesNotDependOnThePurposeAsked) {
  const SeedRange seeds = SeedsOfChunk(0, 1, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Case c = Generate(seed);
    c.purpose = Purpose::kNone;
    const Decision alone = AnswerOfRule(c);
    c.purpose = domain::kAllPurposes[seed % domain::kPurposes];
    const Decision asked = AnswerOfRule(c);
    ASSERT_EQ(alone.disposition, asked.disposition) << Dump(c);
    alone.reasons.ForEach([&](Reason reason) { ASSERT_TRUE(asked.reasons.Has(reason)) << Dump(c); });
  }
}

TEST(Invariants, TheOrderOfListsDoesNotMatter) {
  const SeedRange seeds = SeedsOfChunk(0, 1, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case c = Generate(seed);
    Case turned = c;
    std::reverse(turned.subject.scopes.begin() + 1, turned.subject.scopes.end());
    std::reverse(turned.subject.tombstones.begin(), turned.subject.tombstones.end());
    std::reverse(turned.subject.holds.begin(), turned.subject.holds.end());
    std::reverse(turned.recording.profiles.begin(), turned.recording.profiles.end());
    std::reverse(turned.rules.suspensions.begin(), turned.rules.suspensions.end());
    if (!turned.recording.profiles.empty()) turned.recording.profiles.push_back(turned.recording.profiles[0]);
    const Decision a = AnswerOfRule(c);
    const Decision b = AnswerOfRule(turned);
    ASSERT_EQ(Difference(a, b), "") << Dump(c);
    ASSERT_EQ(a.good_until, b.good_until) << Dump(c);
  }
}

TEST(Invariants, AnAnswerThatWasNotGivenAllowsAndPurgesNothing) {
  const Decision nothing;
  EXPECT_NE(nothing.eligibility, Eligibility::kEligible);
  EXPECT_NE(nothing.disposition, Disposition::kPurge);
  EXPECT_FALSE(nothing.good_until.IsSet());
  EXPECT_EQ(nothing.FirstReason(), Reason::kNone);
}

TEST(Invariants, FactsThatSayNothingPurgeNothingAndAllowNothing) {
  for (const uint64_t seed : model::Seeds(20'000)) {
    Case c = Generate(seed);
    c.known = true;
    c.subject = domain::SubjectFacts();
    c.marks = domain::RecordingState();
    c.recording.flags = 0;
    if (c.recording.wake == domain::Wake::kAccidental) c.recording.wake = domain::Wake::kMissing;
    const Decision d = AnswerOfRule(c);
    ASSERT_EQ(d.disposition, Disposition::kKeep) << Dump(c);
    ASSERT_NE(d.eligibility, Eligibility::kEligible) << Dump(c);
    c.rules = domain::Rules();
    c.rules.regimes.emplace_back();
    ASSERT_EQ(AnswerOfRule(c).disposition, Disposition::kKeep) << Dump(c);
    ASSERT_NE(AnswerOfRule(c).eligibility, Eligibility::kEligible) << Dump(c);
  }
}

// Times and lengths at the ends of what a request or a record can hold, and enums beyond theirs.
Instant WildInstant(Dice& dice) {
  return dice.Pick({Instant{0}, Instant{1}, base::kLastInstant - base::Microseconds(1), base::kLastInstant,
                    base::kEndOfTime,
                    Instant{static_cast<int64_t>(dice.Below(static_cast<uint64_t>(base::kLastInstant.micros)))}});
}

domain::Span WildSpan(Dice& dice) {
  const auto some = static_cast<int64_t>(dice.Below(86'400'000'000));
  return dice.Pick({base::Days(0), base::Microseconds(1), base::Days(1), base::Microseconds(some)});
}

// Any day of the years 1 to 9999.
base::Date WildDate(Dice& dice) { return {static_cast<int32_t>(dice.Below(3'652'059)) - 719'162}; }

template <typename T>
T WildByte(Dice& dice) {
  return static_cast<T>(static_cast<uint8_t>(dice.Below(256)));
}

void MakeWild(Dice& dice, domain::ScopeFacts* scope) {
  for (domain::PurposeChoice& choice : scope->choices) {
    if (dice.Chance(0.3)) choice.choice = WildByte<domain::Choice>(dice);
    if (dice.Chance(0.3)) choice.since = WildInstant(dice);
    if (dice.Chance(0.3)) choice.refused_from = WildInstant(dice);
    if (dice.Chance(0.3)) choice.renewed = WildInstant(dice);
  }
  scope->refused_all_since = dice.Chance(0.3) ? WildInstant(dice) : Instant();
  scope->refused_controls.push_back({WildByte<domain::ControlNumber>(dice), WildInstant(dice)});
  scope->retention = {WildByte<domain::RetentionKind>(dice), WildByte<uint8_t>(dice)};
  scope->purge_floor = WildInstant(dice);
  scope->default_from = WildInstant(dice);
  scope->age = {WildByte<domain::AgeKind>(dice), WildDate(dice), WildInstant(dice)};
  if (dice.Chance(0.5)) scope->age.kind = domain::AgeKind::kBorn;
  scope->guardian_since = WildInstant(dice);
  scope->last_active = WildInstant(dice);
  scope->inactivity_notice = WildInstant(dice);
}

void MakeWild(Dice& dice, Case* c) {
  for (domain::ScopeFacts& scope : c->subject.scopes) MakeWild(dice, &scope);
  c->subject.region = domain::Region::FromPacked(static_cast<uint32_t>(dice.Below(69'343'957)));
  c->subject.default_from = WildInstant(dice);
  for (int i = 0; i < 3; ++i) {
    const Instant from = WildInstant(dice);
    const Instant sure = WildInstant(dice);
    c->subject.tombstones.push_back({WildByte<domain::TombstoneState>(dice),
                                     WildByte<domain::ScopeKind>(dice),
                                     HandleNumber(1),
                                     domain::OrderedTimes::Between(from, sure, WildInstant(dice)),
                                     {}});
    c->subject.holds.push_back(
        {WildByte<domain::ScopeKind>(dice), HandleNumber(1), {WildInstant(dice), WildInstant(dice)}});
  }
  c->marks.flags = WildByte<uint8_t>(dice);
  domain::RecordingFacts& recording = c->recording;
  recording.captured_at = WildInstant(dice);
  recording.uncertainty = WildSpan(dice);
  recording.ingested_at = WildInstant(dice);
  recording.region = domain::Region::FromPacked(static_cast<uint32_t>(dice.Below(69'343'957)));
  recording.wake = WildByte<domain::Wake>(dice);
  recording.kind = WildByte<domain::Kind>(dice);
  recording.speakers = WildByte<domain::Speakers>(dice);
  recording.identity = WildByte<domain::Identity>(dice);
  recording.age = WildByte<domain::SpeakerAge>(dice);
  recording.artefact = WildByte<domain::Artefact>(dice);
  recording.made_for = static_cast<Purpose>(dice.Below(8));
  c->place.country = domain::Region::FromPacked(static_cast<uint32_t>(dice.Below(69'343'957)));
  c->place.reviewer_class = WildByte<domain::ReviewerClass>(dice);
  if (dice.Chance(0.3)) c->now = dice.Pick({Instant{1}, base::kLastInstant});
  c->lag = {};
}

TEST(Invariants, WildValuesGetAnAnswerToo) {
  Dice dice(99);
  for (uint64_t seed = 1; seed <= 50'000 && !HasFailure(); ++seed) {
    Case c = Generate(seed);
    MakeWild(dice, &c);
    const Decision d = AnswerOfRule(c);
    EXPECT_NE(d.disposition, Disposition::kNotAnswered);
    EXPECT_GE(d.good_until, c.now);
    EXPECT_LE(d.good_until, c.now + c.rules.longest_answer_age);
    EXPECT_FALSE(HasFailure()) << Dump(c) << Dump(d);
  }
}

}  // namespace
}  // namespace consent::model::invariants_test
