// The hard cases of the safety hold, by the number that daemon/domain/README.md gives them.
#include <gtest/gtest.h>

#include "daemon/domain/transitions.h"
#include "tests/unit/rule/scene.h"

namespace consent::model::safety_hold_test {
namespace {

using base::Hours;
using base::Microseconds;
using domain::Flags;
using domain::Instant;
using domain::Purpose;
using domain::TombstoneState;

constexpr domain::Retention kDoNotSave{domain::RetentionKind::kDoNotSave, 0};

TEST(SafetyHold, S1_WhatWouldGoStaysWhileTheReportIsYoung) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified).Keeps(kDoNotSave).ReportsSafety(Scene::AgoHours(71));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE HOLD SAFETY_HOLD DELETED DO_NOT_SAVE SAFETY");
  scene.facts.subject.closed_at = Scene::AgoHours(1);
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "HOLD SAFETY_HOLD DELETED ACCOUNT_CLOSED DO_NOT_SAVE");
}

TEST(SafetyHold, S2_ItEndsAfterThePolicysHours) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified).AsksDispositionOnly();
  EXPECT_EQ(scene.ReportsSafety(Scene::AgoHours(72) + Microseconds(1)).Answer(), "HOLD SAFETY_HOLD DELETED");
  EXPECT_EQ(scene.ReportsSafety(Scene::AgoHours(72)).Answer(), "PURGE DELETED") << "ends are exclusive";
}

TEST(SafetyHold, S3_WhatIsNotPurgedOtherwiseIsKeptAgainAfterwards) {
  Scene scene;
  EXPECT_EQ(scene.AsksDispositionOnly().ReportsSafety(Scene::Ago(4)).Answer(), "KEEP");
  EXPECT_EQ(scene.Keeps(kDoNotSave).Answer(), "PURGE DO_NOT_SAVE") << "R2 to R5 purge as ever";
}

TEST(SafetyHold, S4_TheEarlierEndOfNowEndsIt) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified).AsksDispositionOnly().ReportsSafety(Scene::AgoHours(73));
  EXPECT_EQ(scene.Answer(), "PURGE DELETED");
  scene.facts.lag = Microseconds(Hours(1).micros + 1);
  EXPECT_EQ(scene.Answer(), "HOLD SAFETY_HOLD DELETED") << "it may still be younger";
}

TEST(SafetyHold, S5_InDoubtOfTheTimeItLasts) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified).AsksDispositionOnly().ReportsSafety(Scene::Ago(4000));
  EXPECT_EQ(scene.Answer(), "PURGE DELETED");
  scene.facts.doubtful = true;
  EXPECT_EQ(scene.Answer(), "HOLD SAFETY_HOLD DELETED");
  scene.facts.doubtful = false;
  scene.facts.behind = true;
  EXPECT_EQ(scene.Answer(), "HOLD SAFETY_HOLD DELETED") << "the clock is behind the last stamp";
}

TEST(SafetyHold, S6_ItNeverMakesAnythingEligible) {
  EXPECT_EQ(Scene().Answer(), "ELIGIBLE KEEP CONSENT");
  EXPECT_EQ(Scene().ReportsSafety(Scene::AgoHours(1)).Answer(), "NOT_ELIGIBLE HOLD SAFETY_HOLD SAFETY");
  EXPECT_EQ(Scene().ReportsSafety(Scene::Ago(300)).Answer(), "NOT_ELIGIBLE KEEP SAFETY") << "nor does its end";
  Scene unflagged;  // as no store has it
  unflagged.ReportsSafety(Scene::AgoHours(1)).facts.marks.flags = 0;
  EXPECT_EQ(unflagged.Answer(), "NOT_ELIGIBLE HOLD SAFETY_HOLD");
}

TEST(SafetyHold, S7_ThePolicyInForceCounts) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified).AsksDispositionOnly().ReportsSafety(Scene::AgoHours(100));
  EXPECT_EQ(scene.Answer(), "PURGE DELETED");
  scene.facts.rules.safety.hold = Hours(101);
  EXPECT_EQ(scene.Answer(), "HOLD SAFETY_HOLD DELETED") << "a longer one holds what is still there";
  scene.facts.rules.safety.hold = {};
  scene.ReportsSafety(Scene::AgoHours(1)).facts.rules.safety.hold = {};
  EXPECT_EQ(scene.Answer(), "PURGE DELETED") << "none holds nothing";
  scene.facts.doubtful = true;
  EXPECT_EQ(scene.Answer(), "PURGE DELETED") << "also not in doubt of the time";
}

TEST(SafetyHold, S8_AFlagThatOnlyTheQuestionNamesHoldsNothing) {
  Scene scene;
  scene.ReportsSafety({}).Delete(TombstoneState::kVerified).facts.marks.flags = 0;
  scene.facts.recording.flags = Flags::kSafety;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE PURGE DELETED SAFETY") << "nobody reported it, so nobody will be told";
}

TEST(SafetyHold, S9_BesideALegalHoldBothAreTold) {
  Scene scene;
  scene.Hold().Delete(TombstoneState::kVerified).AsksDispositionOnly().ReportsSafety(Scene::AgoHours(1));
  EXPECT_EQ(scene.Answer(), "HOLD LEGAL_HOLD SAFETY_HOLD DELETED");
  EXPECT_EQ(scene.ReportsSafety(Scene::Ago(4)).Answer(), "HOLD LEGAL_HOLD DELETED") << "which has no end";
}

TEST(SafetyHold, S10_TheFirstReportCounts) {
  domain::RecordingState marks = domain::AddFlags({}, Flags::kAccidental, Scene::Ago(9));
  EXPECT_FALSE(marks.safety_since.IsSet()) << "no other flag holds";
  marks = domain::AddFlags(marks, Flags::kSafety | Flags::kCriticalData, Scene::Ago(5));
  EXPECT_EQ(marks.safety_since, Scene::Ago(5));
  marks = domain::AddFlags(marks, Flags::kSafety, Scene::Ago(1));
  EXPECT_EQ(marks.safety_since, Scene::Ago(5)) << "a tool that reports each night holds nothing for ever";
}

TEST(SafetyHold, S11_NoClockOfADeviceMovesIt) {
  Scene scene;
  scene.Delete(TombstoneState::kVerified, {}, Scene::AgoHours(0)).AsksDispositionOnly();
  scene.ReportsSafety(Scene::AgoHours(100));
  for (const Instant captured : {Instant{}, Scene::AgoHours(1), Scene::Ago(-30), Scene::Ago(1000)}) {
    EXPECT_EQ(scene.Captured(captured).Answer().find("HOLD"), std::string::npos);
  }
  scene.ReportsSafety(Scene::AgoHours(1));
  for (const Instant captured : {Instant{}, Scene::AgoHours(1), Scene::Ago(-30), Scene::Ago(1000)}) {
    EXPECT_EQ(scene.Captured(captured).Answer().find("HOLD SAFETY_HOLD"), 0U);
  }
}

TEST(SafetyHold, S12_CopiesAreHeldAsTheSourceIs) {
  Scene scene;
  scene.Copy(domain::Artefact::kTranscript, Purpose::kAdvertising).Refuses("ann", Purpose::kAdvertising, Scene::Ago(1));
  EXPECT_EQ(scene.AsksDispositionOnly().Answer(), "PURGE PURPOSE_ENDED");
  EXPECT_EQ(scene.ReportsSafety(Scene::AgoHours(1)).Answer(), "HOLD SAFETY_HOLD PURPOSE_ENDED");
}

TEST(SafetyHold, S13_AnAnswerIsGoodUntilItEnds) {
  Scene scene;
  scene.facts.rules.longest_answer_age = base::Days(400);
  scene.Delete(TombstoneState::kVerified).ReportsSafety(Scene::AgoHours(71));
  EXPECT_EQ(AnswerOfRule(scene.facts).good_until, Scene::AgoHours(-1));
}

}  // namespace
}  // namespace consent::model::safety_hold_test
