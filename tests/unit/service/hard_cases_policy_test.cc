// The numbered hard cases about policies that change: suspensions, places, purposes, notices, controls.
#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;

TEST(HardCase, N34_SuspendedIsNoAtOnceAndLiftedOnlyLaterChoicesCount) {
  for (const uint16_t partitions : {uint16_t{1}, uint16_t{3}}) {
    World world({.partitions = partitions});
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.Register("u", "US").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    ASSERT_TRUE(IsYes(world.Check("a")));
    ASSERT_TRUE(IsYes(world.Check("u")));
    const auto suspended = world.admin().Suspend(Purpose::kHumanReview, domain::Region{}, "an incident");
    ASSERT_TRUE(suspended.ok());
    EXPECT_EQ(Text(world.Check("a")), "KEEP no: SUSPENDED");
    EXPECT_FALSE(IsYes(world.Check("u")));
    EXPECT_TRUE(IsYes(world.Check("a", Purpose::kFeatureDevelopment))) << "another purpose";
    world.Restart();
    EXPECT_EQ(Text(world.Check("a")), "KEEP no: SUSPENDED");
    world.Wait(base::Hours(1));
    ASSERT_TRUE(world.admin().Resume({Purpose::kHumanReview, domain::Region{}, "solved", suspended->etag}).ok());
    world.Wait(base::Seconds(60));
    EXPECT_EQ(Text(world.Check("a")), "KEEP no: NO_CONSENT");
    EXPECT_EQ(Text(world.Check("u")), "KEEP no: NO_CONSENT, PROFILE_WITHOUT_CONSENT") << "no default either";
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
  }
}

TEST(HardCase, N34_SuspensionOfARegionConcernsThatRegionOnly) {
  World world;
  for (const char* region : {"DE", "FR"}) {
    ASSERT_TRUE(world.Register(region, region).ok());
    ASSERT_TRUE(world.OptIn(region, Account(), Control("help_improve"), Under("past")).ok());
  }
  ASSERT_TRUE(world.admin().Suspend(Purpose::kHumanReview, Where("DE"), "a court").ok());
  EXPECT_EQ(Text(world.Check("DE")), "KEEP no: SUSPENDED");
  EXPECT_EQ(Text(world.Check("FR")), "KEEP yes: CONSENT");
  EXPECT_FALSE(IsYes(world.Check("FR", Recording().In("DE"))));
}

TEST(HardCase, N35_ContractorWhereOnlyEmployeesMayListenIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", Recording(), Purpose::kHumanReview, Contractor())), "KEEP no: REVIEWER_NOT_ALLOWED");
  EXPECT_EQ(Text(world.Check("a", Recording(), Purpose::kHumanReview, Employee("RO"))), "KEEP no: PLACE_NOT_ALLOWED");
  EXPECT_EQ(Text(world.Check("a", Recording(), Purpose::kHumanReview, Employee())), "KEEP yes: CONSENT");
}

TEST(HardCase, N55_PurposeAddedAfterOptOutOfAllIsRefusedFromItsFirstDay) {
  World world;
  ASSERT_TRUE(world.Register("off", "US").ok());
  ASSERT_TRUE(world.Register("quiet", "US").ok());
  ASSERT_TRUE(world.Register("partly", "US").ok());
  ASSERT_TRUE(world.OptOut("off", Account(), Everything()).ok());
  ASSERT_TRUE(world.OptOut("partly", Account(), Control("help_improve")).ok());
  PolicyBuilder next("v2");
  next.AddPurpose(v1::PURPOSE_VOICE_IDENTIFICATION)
      .Control("help_improve")
      .add_purposes(v1::PURPOSE_VOICE_IDENTIFICATION);
  const absl::Status activated = world.Activate(next);
  ASSERT_TRUE(activated.ok()) << activated.message();
  EXPECT_EQ(Text(world.Check("off", Purpose::kVoiceIdentification)), "KEEP no: REFUSED");
  EXPECT_EQ(Text(world.Check("partly", Purpose::kVoiceIdentification)), "KEEP no: REFUSED")
      << "a control's refusal covers it too";
  EXPECT_EQ(Text(world.Check("quiet", Purpose::kVoiceIdentification)), "KEEP yes: DEFAULT");
  world.Restart();
  EXPECT_EQ(Text(world.Check("off", Purpose::kVoiceIdentification)), "KEEP no: REFUSED");
  EXPECT_EQ(Text(world.Check("partly", Purpose::kVoiceIdentification)), "KEEP no: REFUSED");
}

TEST(HardCase, N55_AConsentToAControlDoesNotCoverWhatIsAddedLater) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  PolicyBuilder next("v2");
  next.AddPurpose(v1::PURPOSE_VOICE_IDENTIFICATION)
      .Control("help_improve")
      .add_purposes(v1::PURPOSE_VOICE_IDENTIFICATION);
  ASSERT_TRUE(world.Activate(next).ok());
  EXPECT_TRUE(IsYes(world.Check("a")));
  EXPECT_FALSE(IsYes(world.Check("a", Purpose::kVoiceIdentification)));
}

TEST(HardCase, N56_ConsentUnderANoticeThatDoesNotSayThatPeopleListenIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("silent")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: NOTICE_SILENT_ON_PEOPLE");
  EXPECT_EQ(Text(world.Check("a", Purpose::kFeatureDevelopment)), "KEEP yes: CONSENT") << "machines only";
}

TEST(HardCase, N59_SupersededNoticeStopsUntilRenewedAndPurgesNothing) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  PolicyBuilder next("v2");
  next.AddNotice("newer", "general", "2026-03-05T00:00:00Z", {"general"});
  ASSERT_TRUE(world.Activate(next).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT") << "not valid yet";
  world.Wait(base::Days(5));
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: NOTICE_SUPERSEDED");
  Recording copy;
  copy.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
  EXPECT_EQ(Text(world.Check("a", copy, Purpose::kNone)), "KEEP");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Account(), Control("help_improve"))), "NOTICE_NOT_USABLE");
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("newer")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
}

TEST(HardCase, TheButtonOfAnOlderAppStillTurnsOff) {
  World world;
  PolicyBuilder without("v2");
  without.DropControl("train");
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_TRUE(world.Activate(without).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("train")).ok());
  EXPECT_TRUE(domain::SaysNo(world.Facts("a").account().ChoiceFor(Purpose::kModelTraining).choice));
  EXPECT_FALSE(world.OptIn("a", Account(), Control("train")).ok());
  PolicyBuilder again("v3");
  ASSERT_TRUE(world.Activate(again).ok()) << "nobody is stuck with it";
  EXPECT_FALSE(IsYes(world.Check("a", Recording(world.Now() - base::Seconds(60)), Purpose::kModelTraining)));
}

}  // namespace
}  // namespace consent::test
