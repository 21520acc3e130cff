// The numbered hard cases about choices, through the use cases.
#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;

TEST(HardCase, N01_OptInAdultCurrentNoticeIsEligibleByConsent) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
}

TEST(HardCase, N02_UnknownSubjectIsNo) {
  World world;
  EXPECT_EQ(Text(world.Check("nobody")), "KEEP no: UNKNOWN_SUBJECT");
}

TEST(HardCase, N03_NothingChosenInTheEeaIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: NO_CONSENT, PROFILE_WITHOUT_CONSENT");
}

TEST(HardCase, N04_NothingChosenWhereOptOutIsConfiguredIsEligibleByDefault) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: DEFAULT");
}

TEST(HardCase, N05_UnknownRegionHasOptInRules) {
  for (const std::string region : {"BR", "", "AQ"}) {
    World world;
    ASSERT_TRUE(world.Register("a", region).ok());
    EXPECT_FALSE(IsYes(world.Check("a"))) << region;
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    EXPECT_TRUE(IsYes(world.Check("a"))) << region;
  }
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  EXPECT_FALSE(IsYes(world.Check("a", Recording().In("ZZ")))) << "captured where nobody knows the rules";
}

TEST(HardCase, N07_OptOutBetweenSamplingAndListeningIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const Recording sampled(world.Now() - base::Seconds(20));
  ASSERT_TRUE(IsYes(world.Check("a", sampled)));
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", sampled)), "KEEP no: WITHDRAWN");
}

TEST(HardCase, N10_ConsentAtCaptureWithdrawnNowIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  const Recording recording(world.Now() - base::Seconds(20));
  world.Wait(base::Days(40));
  ASSERT_TRUE(IsYes(world.Check("a", recording)));
  ASSERT_TRUE(world.OptOut("a", Account(), Only(Purpose::kHumanReview)).ok());
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: WITHDRAWN");
}

TEST(HardCase, N11_CapturedWhileOffStaysNoAfterOnAgain) {
  for (const char* region : {"DE", "US"}) {
    World world;
    ASSERT_TRUE(world.Register("a", region).ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    const Recording while_on(world.Now() - base::Seconds(20));
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
    const Recording while_off(world.Now() - base::Seconds(20));
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    EXPECT_EQ(Text(world.Check("a", while_off)), "KEEP no: CAPTURED_WHILE_REFUSED, CAPTURED_BEFORE_CONSENT") << region;
    EXPECT_EQ(Text(world.Check("a", while_on)), "KEEP no: CAPTURED_BEFORE_CONSENT")
        << "only captures after the last on";
    EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT") << region;

    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    EXPECT_EQ(Text(world.Check("a", while_off)), "KEEP yes: CONSENT") << "unless that notice covers the past";
  }
}

TEST(HardCase, N11_OffThenOnWithoutEverAConsentBeforeInAnOptOutRegime) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  const Recording by_default(world.Now() - base::Seconds(20));
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  const Recording while_off(world.Now() - base::Seconds(20));
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_FALSE(IsYes(world.Check("a", while_off)));
  EXPECT_FALSE(IsYes(world.Check("a", by_default)));
  EXPECT_TRUE(IsYes(world.Check("a")));
  EXPECT_FALSE(IsYes(world.Check("a", Purpose::kModelTraining))) << "the rest stays off";
}

TEST(HardCase, N15_ReplayedOlderOptInIsRefusedByItsEtag) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const service::ChangeRequest opt_in = world.OptInRequest("a", Account(), Control("help_improve"), {});
  ASSERT_TRUE(world.Submit(opt_in).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(ReasonOf(world.Submit(opt_in)), "ETAG_MISMATCH");
  EXPECT_FALSE(IsYes(world.Check("a")));
}

TEST(HardCase, N15_ReplayedOptInWithItsRequestIdGetsItsOldAnswerAndChangesNothing) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest opt_in = world.OptInRequest("a", Account(), Control("help_improve"), {});
  opt_in.request_id = "once";
  const Reply first = world.Submit(opt_in);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  const Reply again = world.Submit(opt_in);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->revision, first->revision);
  EXPECT_FALSE(IsYes(world.Check("a")));
}

TEST(HardCase, N16_OfTwoConcurrentChangesTheOptOutWinsWhicheverArrivesFirst) {
  for (const bool opt_out_first : {false, true}) {
    World world;
    ASSERT_TRUE(world.Register("a", "DE").ok());
    const service::ChangeRequest on = world.OptInRequest("a", Account(), Control("help_improve"), {});
    const service::ChangeRequest off = world.OptOutRequest("a", Account(), Control("help_improve"));
    const Reply first = world.Submit(opt_out_first ? off : on);
    const Reply second = world.Submit(opt_out_first ? on : off);
    EXPECT_TRUE(first.ok());
    EXPECT_EQ(ReasonOf(second), opt_out_first ? "ETAG_MISMATCH" : "NONE");
    EXPECT_FALSE(IsYes(world.Check("a"))) << opt_out_first;
  }
}

TEST(HardCase, N50_ReopenedStoreHasTheSameSettings) {
  World world({.partitions = 3});
  for (int i = 0; i < 20; ++i) {
    const std::string account = "account " + std::to_string(i);
    ASSERT_TRUE(
        world.Register(account, i % 2 == 0 ? "DE" : "US", {Adult("ann"), Child("ben", "gil")}, {"kitchen"}).ok());
    if (i % 3 == 0) {
      ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve")).ok());
    }
    if (i % 4 == 0) {
      ASSERT_TRUE(world.OptOut(account, Profile("ann"), Everything()).ok());
    }
    if (i % 5 == 0) {
      ASSERT_TRUE(world.Report(account, "recording", domain::Flags::kSafety).ok());
    }
  }
  std::vector<domain::SubjectFacts> before;
  std::vector<std::string> answers;
  const base::Instant asked = world.Now();
  const Recording recording(asked - base::Seconds(20));
  for (int i = 0; i < 20; ++i) {
    before.push_back(world.Facts("account " + std::to_string(i)));
    answers.push_back(Text(world.Check("account " + std::to_string(i), recording)));
  }
  world.Restart();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(world.Facts("account " + std::to_string(i)), before[i]) << i;
    EXPECT_EQ(Text(world.Check("account " + std::to_string(i), recording)), answers[i]) << i;
  }
  EXPECT_EQ(world.Now(), asked);
}

TEST(HardCase, N51_OptOutOfAnAccountNeverSeenHoldsForItsLaterRegistration) {
  World world;
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: UNKNOWN_SUBJECT, MISSING_FACT, REFUSED");
  ASSERT_TRUE(world.Register("a", "US").ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: REFUSED");
  ASSERT_TRUE(world.OptOut("b", Profile("ann"), Control("help_improve")).ok());
  ASSERT_TRUE(world.Register("b", "US").ok());
  EXPECT_EQ(Text(world.Check("b")), "KEEP no: REFUSED") << "a profile never seen, too";
}

TEST(HardCase, N52_StaleEtagTurnsAOffAndRefusesBAndSaysBoth) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  service::ChangeRequest both = world.OptInRequest("a", Account(), Control("train"), {});
  both.command.choices.push_back({world.Ref(Account()), Control("help_improve"), false});
  both.command.expected_revision = *both.command.expected_revision - 1;
  const Reply reply = world.Submit(both);
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->parts.size(), 2U);
  EXPECT_EQ(reply->parts[0].refusal, domain::Refusal::kEtagMismatch);
  EXPECT_EQ(reply->parts[1].refusal, domain::Refusal::kNone);
  EXPECT_TRUE(reply->parts[1].changed);
  EXPECT_FALSE(IsYes(world.Check("a")));
  EXPECT_FALSE(IsYes(world.Check("a", Purpose::kModelTraining)));
}

TEST(HardCase, N53_OptOutOfADefaultKeepsTheSourceAndPurgesTheReviewCopy) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  Recording source(world.Now() - base::Seconds(20));
  ASSERT_TRUE(IsYes(world.Check("a", source)));
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", source, Purpose::kNone)), "KEEP");
  Recording copy = source;
  copy.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
  EXPECT_EQ(Text(world.Check("a", copy, Purpose::kNone)), "PURGE: PURPOSE_ENDED");
  copy.Copy(domain::Artefact::kFeature, Purpose::kModelTraining);
  EXPECT_EQ(Text(world.Check("a", copy, Purpose::kNone)), "KEEP") << "another purpose's copy";
}

}  // namespace
}  // namespace consent::test
