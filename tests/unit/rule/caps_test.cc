// The hard cases of caps, by the numbers of daemon/domain/README.md.
#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/rule/scene.h"

namespace consent::model::caps_test {
namespace {

using domain::CapKind;
using domain::Purpose;

constexpr const char* kYes = "ELIGIBLE KEEP CONSENT";
constexpr const char* kSpent = "NOT_ELIGIBLE KEEP CAP_SPENT";

TEST(Caps, C1TheLastOneIsGivenAndNoneAfterIt) {
  for (const auto& [kind, limit] : {std::pair{CapKind::kDay, 10}, std::pair{CapKind::kSite, 5},
                                    std::pair{CapKind::kReviewer, 4}, std::pair{CapKind::kAccount, 3}}) {
    Scene scene;
    scene.AsksForGrant().Given(kind) = static_cast<uint64_t>(limit) - 1;
    EXPECT_EQ(scene.Answer(), kYes) << static_cast<int>(kind);
    ++scene.Given(kind);
    EXPECT_EQ(scene.Answer(), kSpent) << static_cast<int>(kind);
    scene.Given(kind) = 1'000'000;
    EXPECT_EQ(scene.Answer(), kSpent) << "of a policy that allows less than it did";
  }
}

TEST(Caps, C2OneSelectionIsSpentAndAnotherIsNot) {
  Scene scene;
  scene.AsksForGrant().facts.grants->selection = domain::Selection::kRandom;
  scene.Given(CapKind::kSelection) = 6;
  EXPECT_EQ(scene.Answer(), kSpent);
  scene.facts.grants->selection = domain::Selection::kComplaint;
  EXPECT_EQ(scene.Answer(), kYes);
}

TEST(Caps, C3ARateWithoutAReportedPopulationGivesNothing) {
  Scene scene;
  scene.LivesIn("US").NobodyChose().AsksForGrant();
  EXPECT_EQ(scene.Answer(), kSpent);
  scene.facts.grants->population = 499;
  EXPECT_EQ(scene.Answer(), kSpent) << "2,000 parts per million of 499 are none";
  scene.facts.grants->population = 500;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT");
  scene.Given(CapKind::kRate) = 1;
  EXPECT_EQ(scene.Answer(), kSpent);
  scene.facts.grants->population = 1'000;
  EXPECT_EQ(scene.Answer(), "ELIGIBLE KEEP DEFAULT") << "more was reported";
  scene.facts.grants->population = 600;
  EXPECT_EQ(scene.Answer(), kSpent) << "a later report said less";
}

TEST(Caps, C4TheWholePopulationNeedsNoReport) {
  Scene scene;
  scene.AsksForGrant().Given(CapKind::kRate) = 1'000'000'000;
  EXPECT_EQ(scene.Answer(), kYes);
}

TEST(Caps, C5ARecordingCountsWhereItWasCaptured) {
  Scene scene;
  scene.AsksForGrant().facts.recording.has_region = true;
  scene.facts.recording.region = RegionOf("DE");
  EXPECT_EQ(scene.Answer(), kYes);
  scene.Caps().rates = {{RegionOf("US"), domain::kWholePopulation}};
  EXPECT_EQ(scene.Answer(), kSpent) << "no rate is stated for DE";
  scene.Caps().rates.push_back({RegionOf("DE"), domain::kWholePopulation});
  EXPECT_EQ(scene.Answer(), kYes);
}

TEST(Caps, C6APurposeWithoutCapsIsGrantedNothing) {
  Scene scene;
  scene.AsksForGrant().facts.rules.review_caps.clear();
  EXPECT_EQ(scene.Answer(), kSpent);
}

TEST(Caps, C7ACheckCountsNothing) {
  Scene scene;
  scene.AsksForGrant().facts.rules.review_caps.clear();
  scene.facts.grants.reset();
  EXPECT_EQ(scene.Answer(), kYes);
}

TEST(Caps, C8RoomForMoreMakesNothingEligible) {
  Scene scene;
  scene.AsksForGrant().Refuses("", Purpose::kHumanReview, Scene::Ago(1));
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP REFUSED");
  scene.Given(CapKind::kDay) = 10;
  EXPECT_EQ(scene.Answer(), "NOT_ELIGIBLE KEEP REFUSED CAP_SPENT");
}

}  // namespace
}  // namespace consent::model::caps_test
