// The numbered hard cases about who speaks: profiles, children, guests, devices, flags.
#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;

TEST(HardCase, N25_ChildProfileWithOnlyAGeneralConsentIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE", {Adult("ann"), Child("ben", "gil")}).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const Recording bens = Recording().Spoken({"ben"});
  EXPECT_EQ(Text(world.Check("a", bens)), "KEEP no: CHILD_WITHOUT_GUARDIAN");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview))), "GUARDIAN_REQUIRED");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview), ByGuardian("eve"))),
            "GUARDIAN_REQUIRED");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("ben"), Control("help_improve"), ByGuardian("gil"))), "GUARDIAN_REQUIRED")
      << "purpose by purpose";
  ASSERT_TRUE(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview), ByGuardian("gil")).ok());
  EXPECT_EQ(Text(world.Check("a", bens)), "KEEP yes: CONSENT");
  EXPECT_EQ(Text(world.Check("a", bens, Purpose::kFeatureDevelopment)), "KEEP no: CHILD_WITHOUT_GUARDIAN")
      << "for this very purpose";
}

TEST(HardCase, N25_UnknownAgeCountsAsAChild) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE", {OfUnknownAge("ann")}).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: CHILD_WITHOUT_GUARDIAN");
}

TEST(HardCase, N25_ComingOfAgeEndsTheGuardiansConsent) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE", {Born("ben", "2010-04-01", "gil")}).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview), ByGuardian("gil")).ok());
  Recording bens = Recording().Spoken({"ben"});
  ASSERT_TRUE(IsYes(world.Check("a", bens)));
  world.Wait(At("2026-04-01T12:01:00Z") - world.Now());
  EXPECT_EQ(Text(world.Check("a", bens)), "KEEP no: CONSENT_EXPIRED");
  EXPECT_EQ(ReasonOf(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview), ByGuardian("gil"))),
            "EVIDENCE_REQUIRED");
  ASSERT_TRUE(world.OptIn("a", Profile("ben"), Only(Purpose::kHumanReview), Under("own")).ok())
      << "a consent of one's own";
  EXPECT_EQ(Text(world.Check("a", bens)), "KEEP yes: CONSENT");
}

TEST(HardCase, N26_ChildPresentOnAnAdultsProfileIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  Recording recording;
  recording.facts.age = domain::SpeakerAge::kChildPresent;
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: CHILD_WITHOUT_GUARDIAN");
  ASSERT_TRUE(world.Report("a", "recording", domain::Flags::kChildPresent).ok());
  EXPECT_EQ(Text(world.Check("a", Recording())), "KEEP no: CHILD_WITHOUT_GUARDIAN") << "reported by a listener";
}

TEST(HardCase, N28_AccountOnProfileOffIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Profile("ann"), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: WITHDRAWN");
  EXPECT_EQ(Text(world.Check("a", Recording().Spoken({}))), "KEEP no: MISSING_FACT") << "nor by leaving the name out";
}

TEST(HardCase, N28_AccountOnProfileNeverChoseNeedsItsOwnConsent) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("own")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: PROFILE_WITHOUT_CONSENT");
  ASSERT_TRUE(world.OptIn("a", Profile("ann"), Control("help_improve"), Under("own")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
}

TEST(HardCase, N29_ADeviceCanOnlyRestrict) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE", {Adult("ann")}, {"kitchen"}).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const Recording in_kitchen = Recording().On("kitchen");
  ASSERT_TRUE(IsYes(world.Check("a", in_kitchen)));
  ASSERT_TRUE(world.OptOut("a", Device("kitchen"), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", in_kitchen)), "KEEP no: REFUSED");
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: MISSING_FACT") << "naming no device might hide it";
  ASSERT_TRUE(world.OptIn("a", Device("kitchen"), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", in_kitchen)), "KEEP no: WITHDRAWN") << "device on, account off";
}

TEST(HardCase, N30_GuestBesideTheOwnerIsNoInTheEu) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  Recording both;
  both.facts.speakers = domain::Speakers::kSeveral;
  EXPECT_EQ(Text(world.Check("a", both)), "KEEP no: SEVERAL_SPEAKERS");
  Recording guest;
  guest.facts.identity = domain::Identity::kUnmatched;
  EXPECT_EQ(Text(world.Check("a", guest)), "KEEP no: SPEAKER_UNMATCHED");
}

TEST(HardCase, N31_AccidentalWakeIsNoAndGoesAtItsTimeToLive) {
  World world;
  ASSERT_TRUE(world.Register("eu", "DE").ok());
  ASSERT_TRUE(world.Register("us", "US").ok());
  for (const char* account : {"eu", "us"}) ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve")).ok());
  Recording woken(world.Now() - base::Seconds(1));
  woken.Wake(domain::Wake::kAccidental);
  EXPECT_EQ(Text(world.Check("us", woken)), "KEEP no: ACCIDENTAL");
  EXPECT_EQ(Text(world.Check("eu", woken)), "KEEP no: ACCIDENTAL") << "within the uncertainty";
  world.Wait(base::Seconds(2));
  EXPECT_EQ(Text(world.Check("eu", woken)), "PURGE no: ACCIDENTAL_EXPIRED, ACCIDENTAL");
  world.Wait(base::Seconds(3'596));
  EXPECT_EQ(Text(world.Check("us", woken)), "KEEP no: ACCIDENTAL");
  world.Wait(base::Seconds(4));
  EXPECT_EQ(Text(world.Check("us", woken)), "PURGE no: ACCIDENTAL_EXPIRED, ACCIDENTAL");
}

TEST(HardCase, N32_MessageWithHelpImproveOnAndMessagesOffIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", Recording().Message())), "KEEP no: MESSAGES_NOT_ALLOWED");
  ASSERT_TRUE(world.OptIn("a", Account(), Control("messages_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", Recording().Message())), "KEEP yes: CONSENT");
  ASSERT_TRUE(world.OptOut("a", Account(), Control("messages_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", Recording().Message())), "KEEP no: MESSAGES_NOT_ALLOWED");
  EXPECT_TRUE(IsYes(world.Check("a"))) << "no message";
}

TEST(HardCase, N33_ReportedAsCriticalIsNeverEligibleAgain) {
  for (const uint64_t max_subjects : {uint64_t{1000}, uint64_t{0}}) {
    World world({.max_subjects = max_subjects});
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    ASSERT_TRUE(IsYes(world.Check("a")));
    const Reply reply = world.Report("a", "recording", domain::Flags::kCriticalData);
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->flags, domain::Flags::kCriticalData);
    ASSERT_TRUE(world.Report("a", "recording", domain::Flags::kSafety).ok());
    for (int restart = 0; restart < 2; ++restart) {
      EXPECT_EQ(Text(world.Check("a")), "KEEP no: CRITICAL_DATA, SAFETY") << "the caller's line omits both";
      EXPECT_TRUE(IsYes(world.Check("a", Recording().Id("another"))));
      world.Restart();
    }
  }
}

}  // namespace
}  // namespace consent::test
