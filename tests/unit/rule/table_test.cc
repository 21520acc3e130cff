// The table, combination by combination: what the choices say, what the recording is, what happened to it, and where it
// goes.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/support/model/shrink.h"
#include "tests/support/reason_name.h"
#include "tests/unit/rule/scene.h"

namespace consent::model::table_test {
namespace {

using domain::Decision;
using domain::Purpose;
using domain::Reason;
using domain::TombstoneState;

constexpr Purpose kReview = Purpose::kHumanReview;

using Change = void (*)(Scene&);
using Axis = std::vector<Change>;

void AsItIs(Scene&) {}

// What the combinations have reached.
struct Reached {
  uint64_t combinations = 0;
  uint64_t eligible = 0;
  std::array<uint64_t, domain::kReasons> any{}, first{};
  std::array<uint64_t, 4> dispositions{};
};

bool Differ(const Case& c) { return !Difference(AnswerOfRule(c), AnswerOfModel(c)).empty(); }

void Compare(const Scene& scene, Reached* reached) {
  const Decision rule = AnswerOfRule(scene.facts);
  const std::string difference = Difference(rule, AnswerOfModel(scene.facts));
  if (!difference.empty()) {
    const Case small = Shrink(scene.facts, Differ);
    FAIL() << Dump(small) << "rule:  " << Dump(AnswerOfRule(small)) << "\nmodel: " << Dump(AnswerOfModel(small));
  }
  ++reached->combinations;
  if (rule.eligibility == domain::Eligibility::kEligible) ++reached->eligible;
  ++reached->dispositions[static_cast<size_t>(rule.disposition)];
  ++reached->first[static_cast<size_t>(rule.FirstReason())];
  rule.reasons.ForEach([&](Reason reason) { ++reached->any[static_cast<size_t>(reason)]; });
}

// Applies one change of every axis, in all combinations.
void Combine(const std::vector<Axis>& axes, size_t axis, const Scene& scene, Reached* reached) {
  if (testing::Test::HasFatalFailure()) return;
  if (axis == axes.size()) {
    Compare(scene, reached);
    return;
  }
  for (const Change change : axes[axis]) {
    Scene next = scene;
    change(next);
    Combine(axes, axis + 1, next, reached);
  }
}

const Axis kRegimes = {
    AsItIs,
    [](Scene& s) { s.LivesIn("US"); },
    [](Scene& s) { s.LivesIn("US").facts.subject.default_from = Scene::AgoHours(2); },
    [](Scene& s) {
      s.LivesIn("US").facts.recording.has_region = true;
      s.facts.recording.region = RegionOf("DE");
    },
};

const Axis kAccountChoices = {
    AsItIs,
    [](Scene& s) { s.NeverChose(""); },
    [](Scene& s) { s.Refuses("", kReview, Scene::Ago(2)); },
    [](Scene& s) { s.Withdraws("", kReview, Scene::Ago(2)); },
    [](Scene& s) { s.Refuses("", kReview, Scene::Ago(2)).Gives("", kReview, Scene::AgoHours(3)); },
    [](Scene& s) { s.Refuses("", kReview, Scene::Ago(2)).Gives("", kReview, Scene::AgoHours(3), Scene::kCoversPast); },
    [](Scene& s) { s.Gives("", kReview, Scene::AgoHours(3)); },
    [](Scene& s) { s.Gives("", kReview, Scene::AgoHours(3), Scene::kCoversPast); },
    [](Scene& s) {
      s.Gives("", kReview, Scene::Ago(400), Scene::kOneYear).Scope("").choices[0].renewed = Scene::Ago(40);
    },
    [](Scene& s) { s.Gives("", kReview, Scene::Ago(100), Scene::kSilentOnPeople); },
    [](Scene& s) { s.Gives("", kReview, Scene::Ago(100), Scene::kSuperseded); },
    [](Scene& s) { s.Gives("", kReview, Scene::Ago(400), Scene::kOneYear); },
    [](Scene& s) { s.Gives("", kReview, Scene::Ago(100), Scene::kForOthers); },
    [](Scene& s) { s.Scope("").refused_all_since = Scene::Ago(200); },
    [](Scene& s) { s.Scope("").refused_all_since = Scene::Ago(50); },
    [](Scene& s) {
      s.NeverChose("").Scope("").refused_controls.push_back({1, Scene::Ago(50)});
    },
};

void MakeChild(Scene& s) { s.Scope("ann").age = {domain::AgeKind::kChild, {}, {}}; }

const Axis kProfiles = {
    AsItIs,
    [](Scene& s) { s.NeverChose("ann"); },
    [](Scene& s) { s.Refuses("ann", kReview, Scene::Ago(3)); },
    [](Scene& s) { s.Withdraws("ann", kReview, Scene::Ago(3)).Gives("ann", kReview, Scene::AgoHours(2)); },
    [](Scene& s) { s.NamesProfiles({}); },
    [](Scene& s) {
      s.NamesProfiles({"ann", "bob"});
    },
    [](Scene& s) {
      s.NamesProfiles({"ann", "eve"}).AddProfile("eve").Gives("eve", kReview, Scene::Ago(400), Scene::kOneYear);
    },
    [](Scene& s) { MakeChild(s); },
    [](Scene& s) {
      MakeChild(s);
      s.GuardianGives("ann", kReview, Scene::Ago(100));
    },
    [](Scene& s) {
      MakeChild(s);
      s.GuardianGives("ann", kReview, Scene::Ago(100)).Scope("ann").last_active = Scene::Ago(700);
    },
    [](Scene& s) {
      MakeChild(s);
      s.GuardianGives("ann", kReview, Scene::Ago(100)).Scope("ann").last_active = Scene::Ago(900);
      s.Scope("ann").inactivity_notice = Scene::Ago(70);
    },
    [](Scene& s) { s.GuardianGives("ann", kReview, Scene::Ago(100)); },
    [](Scene& s) {
      s.Scope("ann").age = {domain::AgeKind::kAdult, {}, Scene::AgoHours(12)};
    },
    [](Scene& s) { s.Scope("ann").registered = false; },
};

const Axis kArtefacts = {
    AsItIs,
    [](Scene& s) { s.Copy(domain::Artefact::kReviewCopy, kReview); },
    [](Scene& s) { s.Copy(domain::Artefact::kFeature, Purpose::kPersonalisation); },
    [](Scene& s) { s.Copy(domain::Artefact::kDatasetItem, Purpose::kNone); },
};

const Axis kPurposes = {
    AsItIs,
    [](Scene& s) { s.AsksDispositionOnly(); },
    [](Scene& s) { s.facts.rules.purposes = {}; },
};

TEST(Table, ChoicesAndRegimes) {
  Reached reached;
  Combine({kRegimes, kAccountChoices, kProfiles, kArtefacts, kPurposes}, 0, Scene(), &reached);
  EXPECT_EQ(reached.combinations, 4U * 16U * 14U * 4U * 3U);
  EXPECT_GT(reached.eligible, 100U);
}

const Axis kFewChoices = {
    AsItIs,
    [](Scene& s) { s.NobodyChose(); },
    [](Scene& s) { s.Gives("", Purpose::kMessageTranscription, Scene::Ago(100)); },
};

const Axis kFewRegimes = {
    AsItIs,
    [](Scene& s) { s.LivesIn("US"); },
    [](Scene& s) {
      s.LivesIn("US").States().allow_several_speakers = true;
      s.States().allow_unmatched_speakers = s.States().allow_unidentified_single_adult = true;
    },
    [](Scene& s) { s.Germany().allow_unidentified_single_adult = s.Germany().allow_several_speakers = true; },
};

const Axis kWakes = {
    AsItIs,
    [](Scene& s) { s.facts.recording.wake = domain::Wake::kMissing; },
    [](Scene& s) { s.facts.recording.wake = domain::Wake::kAccidental; },
    [](Scene& s) { s.facts.marks.flags = domain::Flags::kAccidental; },
};
const Axis kKinds = {
    AsItIs,
    [](Scene& s) { s.facts.recording.kind = domain::Kind::kMissing; },
    [](Scene& s) { s.facts.recording.kind = domain::Kind::kMessage; },
    [](Scene& s) { s.facts.recording.kind = domain::Kind::kSound; },
};
const Axis kSpeakers = {
    AsItIs,
    [](Scene& s) { s.facts.recording.speakers = domain::Speakers::kMissing; },
    [](Scene& s) { s.facts.recording.speakers = domain::Speakers::kSeveral; },
};
const Axis kIdentities = {
    AsItIs,
    [](Scene& s) { s.facts.recording.identity = domain::Identity::kMissing; },
    [](Scene& s) { s.facts.recording.identity = domain::Identity::kUnmatched; },
    [](Scene& s) { s.NamesProfiles({}).facts.recording.identity = domain::Identity::kNotRun; },
    [](Scene& s) { s.NamesProfiles({}).AddProfile("bob").facts.recording.identity = domain::Identity::kNotRun; },
};
const Axis kAges = {
    AsItIs,
    [](Scene& s) { s.facts.recording.age = domain::SpeakerAge::kMissing; },
    [](Scene& s) { s.facts.recording.age = domain::SpeakerAge::kChildPresent; },
    [](Scene& s) { s.facts.recording.flags = domain::Flags::kChildPresent; },
};
const Axis kTimes = {
    AsItIs,
    [](Scene& s) { s.Captured({}); },
    [](Scene& s) { s.Captured(Scene::Ago(-1)); },
    [](Scene& s) { s.Captured(Scene::Ago(45)); },
    [](Scene& s) { s.Captured(s.facts.now).Uncertain(base::Hours(1)); },
};

TEST(Table, WhatTheRecordingIs) {
  Reached reached;
  Combine({kFewChoices, kFewRegimes, kWakes, kKinds, kSpeakers, kIdentities, kAges, kTimes}, 0, Scene(), &reached);
  EXPECT_EQ(reached.combinations, 3U * 4U * 4U * 4U * 3U * 5U * 4U * 5U);
  EXPECT_GT(reached.eligible, 40U);
}

const Axis kDeletions = {
    AsItIs,
    [](Scene& s) { s.Delete(TombstoneState::kPending); },
    [](Scene& s) { s.Delete(TombstoneState::kDenied); },
    [](Scene& s) { s.Delete(TombstoneState::kVerified); },
    [](Scene& s) {
      s.Delete(TombstoneState::kVerified, {}, Scene::Ago(2)).Delete(TombstoneState::kPending, {}, Scene::Ago(1));
    },
    [](Scene& s) { s.facts.marks.has_tombstone = true; },
};
const Axis kHolds = {
    AsItIs,
    [](Scene& s) { s.Hold(); },
    [](Scene& s) { s.Hold(Scene::Ago(30), Scene::Ago(2)); },
    [](Scene& s) { s.facts.marks.on_hold = true; },
    [](Scene& s) { s.ReportsSafety(Scene::Ago(2)); },
    [](Scene& s) { s.ReportsSafety(Scene::Ago(4)); },
};
const Axis kRetentions = {
    AsItIs,
    [](Scene& s) {
      s.Keeps({domain::RetentionKind::kMonths, 1});
    },
    [](Scene& s) {
      s.Keeps({domain::RetentionKind::kDoNotSave, 0});
    },
    [](Scene& s) { s.Scope("").purge_floor = Scene::Ago(1); },
    [](Scene& s) {
      s.Scope("kitchen").retention = {domain::RetentionKind::kMonths, 1};
    },
};
const Axis kClosings = {AsItIs, [](Scene& s) { s.facts.subject.closed_at = Scene::AgoHours(1); }};
const Axis kSubjects = {
    AsItIs,
    [](Scene& s) { s.facts.subject.registered = false; },
    [](Scene& s) { s.facts.known = false; },
};
const Axis kSuspensions = {
    AsItIs,
    [](Scene& s) { s.Suspend(kReview, Scene::Ago(1)); },
    [](Scene& s) { s.Suspend(kReview, Scene::Ago(90), Scene::Ago(80)); },
    [](Scene& s) { s.Suspend(kReview, Scene::Ago(190), Scene::Ago(180)); },
};
const Axis kPlaces = {
    AsItIs,
    [](Scene& s) { s.facts.place = {}; },
    [](Scene& s) { s.Germany().contractors = s.Germany().employees = false; },
    [](Scene& s) {
      s.Germany().countries.any = false;
      s.Germany().countries.named = {RegionOf("FR")};
    },
    [](Scene& s) {
      s.Germany().any_site = false;
      s.Germany().sites = {"boston"};
    },
};

TEST(Table, WhatHappenedToIt) {
  Reached reached;
  Combine({kDeletions, kHolds, kRetentions, kClosings, kSubjects, kSuspensions, kPlaces, kTimes, kArtefacts}, 0,
          Scene(), &reached);
  EXPECT_EQ(reached.combinations, 6U * 6U * 5U * 2U * 3U * 4U * 5U * 5U * 4U);
  EXPECT_GT(reached.eligible, 20U);
}

TEST(Table, EveryRowAndReasonIsReachedAndEveryOneComesFirst) {
  Reached reached;
  Combine({kRegimes, kAccountChoices, kProfiles, kArtefacts, kPurposes}, 0, Scene(), &reached);
  Combine({kFewChoices, kFewRegimes, kWakes, kKinds, kSpeakers, kIdentities, kAges}, 0, Scene(), &reached);
  Combine({kDeletions, kHolds, kRetentions, kClosings, kSubjects, kSuspensions, kPlaces, kArtefacts}, 0, Scene(),
          &reached);
  Scene flagged;
  for (const uint8_t flag : {domain::Flags::kCriticalData, domain::Flags::kSafety}) {
    flagged.facts.recording.flags = flag;
    Compare(flagged, &reached);
  }
  Compare(Scene().Captured(Scene::Ago(-1)), &reached);
  Scene doubt;
  doubt.facts.doubtful = true;
  Compare(doubt, &reached);
  Scene restored;
  restored.facts.subject.restored_at = Scene::Ago(1);
  Compare(restored, &reached);
  Scene granted;
  granted.AsksForGrant().Given(domain::CapKind::kDay) = 10;
  Compare(granted, &reached);
  Scene wake;
  wake.AsksDispositionOnly().facts.recording.wake = domain::Wake::kAccidental;
  Compare(wake, &reached);
  for (int number = 1; number < domain::kReasons; ++number) {
    if (!domain::IsOfRule(static_cast<Reason>(number))) continue;
    const auto index = static_cast<size_t>(number);
    EXPECT_GT(reached.any[index], 0U) << test::ReasonName(static_cast<Reason>(number)) << " was never a reason";
    EXPECT_GT(reached.first[index], 0U) << test::ReasonName(static_cast<Reason>(number))
                                        << " was never the first reason";
  }
  EXPECT_EQ(reached.dispositions[static_cast<size_t>(domain::Disposition::kNotAnswered)], 0U);
  for (const auto disposition : {domain::Disposition::kKeep, domain::Disposition::kPurge, domain::Disposition::kHold}) {
    EXPECT_GT(reached.dispositions[static_cast<size_t>(disposition)], 0U);
  }
}

}  // namespace
}  // namespace consent::model::table_test
