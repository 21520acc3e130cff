// Explain: the answer is Decide's, and what it says matched is what Decide says applied, whatever the world.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>

#include "daemon/domain/explain.h"
#include "tests/support/model/case.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"
#include "tests/support/reason_name.h"
#include "tests/unit/rule/scene.h"

namespace consent::model::explanation_test {
namespace {

using domain::Decision;
using domain::Explanation;
using domain::Match;
using domain::Reason;
using domain::ReasonSet;
using domain::Row;
using domain::RowFact;
using domain::RowNote;

constexpr uint64_t kCases = 60'000;

Explanation Explained(const Case& c) {
  const std::vector<domain::Tombstone> tombstones(c.subject.tombstones.begin(), c.subject.tombstones.end());
  const std::vector<domain::Hold> holds(c.subject.holds.begin(), c.subject.holds.end());
  return domain::Explain(c.known ? &c.subject : nullptr, c.marks, QuestionOf(c), c.rules, tombstones, holds);
}

// The rows by which a reason can stand, as the decision table of the page says.
const std::map<Reason, std::set<Row>>& RowsOfThePage() {
  static const std::map<Reason, std::set<Row>> rows = {
      {Reason::kLegalHold, {Row::kR1}},
      {Reason::kSafetyHold, {Row::kR1}},
      {Reason::kDeleted, {Row::kR2, Row::kE1}},
      {Reason::kAccountClosed, {Row::kR2, Row::kE1}},
      {Reason::kDoNotSave, {Row::kR3}},
      {Reason::kRetentionExpired, {Row::kR3, Row::kE1}},
      {Reason::kChildInactive, {Row::kR3, Row::kE1}},
      {Reason::kAccidentalExpired, {Row::kR4}},
      {Reason::kPurposeEnded, {Row::kR5}},
      {Reason::kUnknownSubject, {Row::kE0}},
      {Reason::kMissingFact, {Row::kE0}},
      {Reason::kInvalidTime, {Row::kE0}},
      {Reason::kClockDoubtful, {Row::kE0}},
      {Reason::kRestored, {Row::kE0}},
      {Reason::kDeletionPending, {Row::kE1}},
      {Reason::kDeletionDenied, {Row::kE1}},
      {Reason::kSuspended, {Row::kE2}},
      {Reason::kCriticalData, {Row::kE3}},
      {Reason::kSafety, {Row::kE3}},
      {Reason::kChildWithoutGuardian, {Row::kE4}},
      {Reason::kAccidental, {Row::kE5}},
      {Reason::kSeveralSpeakers, {Row::kE6}},
      {Reason::kSpeakerUnmatched, {Row::kE6}},
      {Reason::kSpeakerNotIdentified, {Row::kE6}},
      {Reason::kMessagesNotAllowed, {Row::kE7}},
      {Reason::kRefused, {Row::kE8}},
      {Reason::kWithdrawn, {Row::kE8}},
      {Reason::kCapturedWhileRefused, {Row::kE8}},
      {Reason::kNoConsent, {Row::kE9}},
      {Reason::kConsentExpired, {Row::kE9}},
      {Reason::kNoticeSuperseded, {Row::kE9}},
      {Reason::kCapturedBeforeConsent, {Row::kE9}},
      {Reason::kProfileWithoutConsent, {Row::kE9}},
      {Reason::kNoticeSilentOnPeople, {Row::kE9}},
      {Reason::kPlaceNotAllowed, {Row::kE10}},
      {Reason::kReviewerNotAllowed, {Row::kE10}},
      {Reason::kCapSpent, {Row::kE11}},
      {Reason::kConsent, {Row::kE12}},
      {Reason::kDefault, {Row::kE12}},
  };
  return rows;
}

std::string Difference(const Decision& a, const Decision& b) {
  std::string text;
  if (a.eligibility != b.eligibility) text += "eligibility ";
  if (a.disposition != b.disposition) text += "disposition ";
  if (a.disposed != b.disposed) text += "disposed ";
  if (a.reasons != b.reasons) text += "reasons ";
  if (a.revision != b.revision) text += "revision ";
  if (a.regime != b.regime) text += "regime ";
  if (a.missing != b.missing) text += "missing ";
  if (a.checked_at != b.checked_at) text += "checked_at ";
  if (a.good_until != b.good_until) text += "good_until ";
  return text;
}

// What is wrong with an explanation of that answer; empty: nothing.
std::string Faults(const Explanation& explanation, const Decision& decision, bool asked) {
  std::string faults = Difference(explanation.decision, decision);
  ReasonSet matched;
  ReasonSet purging;
  const RowFact* before = nullptr;
  for (const RowFact& fact : explanation.rows) {
    const auto& rows = RowsOfThePage();
    const auto known = rows.find(fact.reason);
    const std::string name = test::ReasonName(fact.reason);
    const bool is_cause = fact.row == Row::kE7 && !fact.matched && fact.note == RowNote::kCause;
    if (known == rows.end() || (!is_cause && known->second.count(fact.row) == 0)) faults += name + " in another row ";
    if (!asked && fact.row >= Row::kE0) faults += name + " without a purpose ";
    if (!fact.matched && fact.note == RowNote::kNone) faults += name + " nearly, and not why ";
    if (before != nullptr && before->row > fact.row) faults += name + " out of order ";
    before = &fact;
    if (!fact.matched) continue;
    matched.Add(fact.reason);
    if (fact.row <= Row::kR5) purging.Add(fact.reason);
  }
  if (matched != decision.reasons) faults += "not the reasons of the decision ";
  if (purging != decision.disposed) faults += "not the reasons of the disposition ";
  if (explanation.rows.size() > domain::kMaxRowFacts + domain::kReasons) faults += "too many rows ";
  return faults;
}

class Explanations : public testing::TestWithParam<uint64_t> {};

TEST_P(Explanations, SayWhatDecideSays) {
  const SeedRange seeds = SeedsOfChunk(GetParam(), 4, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const Case c = Generate(seed);
    const std::string faults = Faults(Explained(c), AnswerOfRule(c), c.purpose != domain::Purpose::kNone);
    ASSERT_EQ(faults, "") << "CONSENT_TEST_SEED=" << seed << " CONSENT_TEST_CASES=1 replays it\n" << Dump(c);
  }
}

INSTANTIATE_TEST_SUITE_P(Chunks, Explanations, testing::Range(uint64_t{0}, uint64_t{4}));

// Of each deletion and hold of the record it says whether it matches, as the rows do.
TEST(ExplanationsOfOrders, AgreeWithTheRows) {
  for (const uint64_t seed : model::Seeds(20'000)) {
    const Case c = Generate(seed);
    if (!c.known) continue;
    const Explanation explanation = Explained(c);
    ASSERT_EQ(explanation.tombstones.size(), c.subject.tombstones.size());
    bool deleted = c.marks.has_tombstone && c.marks.tombstone == domain::TombstoneState::kVerified;
    for (size_t i = 0; i < explanation.tombstones.size(); ++i) {
      const bool is_verified = c.subject.tombstones[i].state == domain::TombstoneState::kVerified;
      deleted = deleted || (is_verified && explanation.tombstones[i] == Match::kSurely);
    }
    bool held = c.marks.on_hold;
    for (const Match match : explanation.holds) held = held || match == Match::kSurely;
    EXPECT_EQ(deleted, explanation.decision.disposed.Has(Reason::kDeleted)) << seed;
    EXPECT_EQ(held, explanation.decision.disposed.Has(Reason::kLegalHold)) << seed;
  }
}

// Nothing that it can say stays untried.
TEST(ExplanationsOfSeeds, ReachEveryNoteAndRow) {
  std::set<RowNote> notes;
  std::set<Row> rows;
  std::set<Reason> nearly;
  for (uint64_t seed = 1; seed <= 60'000; ++seed) {
    for (const RowFact& fact : Explained(Generate(seed)).rows) {
      notes.insert(fact.note);
      rows.insert(fact.row);
      if (!fact.matched) nearly.insert(fact.reason);
    }
  }
  for (int row = 1; row <= static_cast<int>(Row::kE11); ++row) EXPECT_EQ(rows.count(static_cast<Row>(row)), 1U) << row;
  for (int note = 0; note <= static_cast<int>(RowNote::kReopened); ++note) {
    EXPECT_EQ(notes.count(static_cast<RowNote>(note)), 1U) << note;
  }
  for (int note = static_cast<int>(RowNote::kOtherScope); note <= static_cast<int>(RowNote::kInherited); ++note) {
    EXPECT_EQ(notes.count(static_cast<RowNote>(note)), 1U) << note;
  }
  for (const Reason reason :
       {Reason::kLegalHold, Reason::kSafetyHold, Reason::kDeleted, Reason::kDeletionPending, Reason::kDeletionDenied,
        Reason::kAccountClosed, Reason::kRetentionExpired, Reason::kAccidentalExpired, Reason::kPurposeEnded,
        Reason::kSuspended, Reason::kSeveralSpeakers, Reason::kCapturedWhileRefused, Reason::kConsentExpired,
        Reason::kNoticeSuperseded, Reason::kPlaceNotAllowed, Reason::kConsent}) {
    EXPECT_EQ(nearly.count(reason), 1U) << test::ReasonName(reason);
  }
}

// The facts of a row: "E8 REFUSED matched account" and so on, one a line.
std::string RowsOf(const Scene& scene) {
  static const std::map<Row, const char*> names = {
      {Row::kR1, "R1"}, {Row::kR2, "R2"}, {Row::kR3, "R3"}, {Row::kR4, "R4"},   {Row::kR5, "R5"},   {Row::kE0, "E0"},
      {Row::kE1, "E1"}, {Row::kE2, "E2"}, {Row::kE3, "E3"}, {Row::kE4, "E4"},   {Row::kE5, "E5"},   {Row::kE6, "E6"},
      {Row::kE7, "E7"}, {Row::kE8, "E8"}, {Row::kE9, "E9"}, {Row::kE10, "E10"}, {Row::kE11, "E11"}, {Row::kE12, "E12"}};
  std::string text;
  for (const RowFact& fact : Explained(scene.facts).rows) {
    text += std::string(names.at(fact.row)) + " " + test::ReasonName(fact.reason) + (fact.matched ? " yes" : " nearly");
    if (fact.note != RowNote::kNone) text += " " + std::to_string(static_cast<int>(fact.note));
    if (fact.scope.has_value()) text += " scope" + std::to_string(static_cast<int>(fact.scope->kind));
    text += "\n";
  }
  return text;
}

RowFact FactOf(const Explanation& explanation, Reason reason) {
  for (const RowFact& fact : explanation.rows) {
    if (fact.reason == reason) return fact;
  }
  return {};
}

TEST(ExplanationsOfScenes, AConsentIsNamedWithItsNoticeAndTime) {
  Scene scene;
  const Explanation explanation = Explained(scene.facts);
  const RowFact consent = FactOf(explanation, Reason::kConsent);
  EXPECT_TRUE(consent.matched);
  EXPECT_EQ(consent.row, Row::kE12);
  EXPECT_EQ(consent.since, Scene::Ago(100));
  EXPECT_EQ(consent.notice, Scene::kPlain);
  EXPECT_EQ(consent.scope->kind, domain::ScopeKind::kAccount);
  EXPECT_EQ(explanation.regions.size(), 1U);
}

TEST(ExplanationsOfScenes, AnEarlierRefusalIsToldWhereItDidNotCount) {
  Scene scene;
  domain::PurposeChoice& choice = scene.Scope("").ChoiceFor(domain::Purpose::kHumanReview);
  choice.refused_from = Scene::Ago(300);
  const RowFact refusal = FactOf(Explained(scene.facts), Reason::kCapturedWhileRefused);
  EXPECT_FALSE(refusal.matched);
  EXPECT_EQ(refusal.note, RowNote::kOutsideTimes);
  EXPECT_EQ(refusal.from, Scene::Ago(300));
  EXPECT_EQ(refusal.to, Scene::Ago(100));
  scene.Captured(Scene::Ago(200));
  EXPECT_TRUE(FactOf(Explained(scene.facts), Reason::kCapturedWhileRefused).matched);
}

TEST(ExplanationsOfScenes, ADeletionBesideTheRecordingIsToldWithItsTimes) {
  Scene scene;
  scene.Delete(domain::TombstoneState::kVerified, Scene::Ago(50), Scene::Ago(40));
  const RowFact deletion = FactOf(Explained(scene.facts), Reason::kDeleted);
  EXPECT_FALSE(deletion.matched);
  EXPECT_EQ(deletion.note, RowNote::kOutsideTimes);
  EXPECT_EQ(deletion.from, Scene::Ago(50));
  EXPECT_EQ(deletion.to, Scene::Ago(40));
  scene.Captured(Scene::Ago(45));
  EXPECT_EQ(FactOf(Explained(scene.facts), Reason::kDeleted).row, Row::kR2);
}

TEST(ExplanationsOfScenes, ARetentionSaysWhenTheRecordingHasToGo) {
  Scene scene;
  domain::Retention months;
  months.kind = domain::RetentionKind::kMonths;
  months.months = 3;
  scene.Keeps(months).Uncertain(base::Seconds(60));
  const RowFact retention = FactOf(Explained(scene.facts), Reason::kRetentionExpired);
  EXPECT_FALSE(retention.matched);
  EXPECT_EQ(retention.note, RowNote::kNotYet);
  EXPECT_EQ(retention.retention, months);
  const base::Instant due = retention.at;
  // At that very time it does.
  scene.facts.now = due;
  EXPECT_EQ(FactOf(Explained(scene.facts), Reason::kRetentionExpired).row, Row::kR3);
  scene.facts.now = due - base::Microseconds(1);
  EXPECT_EQ(FactOf(Explained(scene.facts), Reason::kRetentionExpired).row, Row::kE1);
}

TEST(ExplanationsOfScenes, AMessageSaysWhatForbidsIt) {
  Scene scene;
  scene.facts.recording.kind = domain::Kind::kMessage;
  EXPECT_EQ(RowsOf(scene).find("E7 MESSAGES_NOT_ALLOWED yes") != std::string::npos, true) << RowsOf(scene);
  EXPECT_EQ(RowsOf(scene).find("E7 NO_CONSENT nearly 29 scope0") != std::string::npos, true) << RowsOf(scene);
}

// Facts without number leave each reason its fact, and say that there were more.
TEST(ExplanationsOfScenes, AreBoundedAndSaySo) {
  Scene scene;
  for (int i = 0; i < 300; ++i) {
    domain::Hold hold;
    hold.scope = domain::ScopeKind::kProfile;
    hold.handle = HandleNumber(200);
    scene.facts.subject.holds.push_back(hold);
  }
  scene.Refuses("", domain::Purpose::kHumanReview, Scene::Ago(3));
  const Explanation explanation = Explained(scene.facts);
  EXPECT_TRUE(explanation.cut);
  EXPECT_LE(explanation.rows.size(), domain::kMaxRowFacts + domain::kReasons);
  EXPECT_EQ(Faults(explanation, AnswerOfRule(scene.facts), true), "");
  EXPECT_TRUE(FactOf(explanation, Reason::kRefused).matched);
}

}  // namespace
}  // namespace consent::model::explanation_test
