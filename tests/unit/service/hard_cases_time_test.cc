// The numbered hard cases about the order of captures and changes.
#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Purpose;

base::Instant ConsentTime(const World& world) {
  return world.Facts("a").account().ChoiceFor(Purpose::kHumanReview).since;
}

TEST(HardCase, N08_ConsentAfterCaptureUnderANoticeSilentOnThePastIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const Recording recording(world.Now() - base::Seconds(20));
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: CAPTURED_BEFORE_CONSENT");
}

TEST(HardCase, N09_ConsentAfterCaptureUnderANoticeThatCoversThePastIsEligible) {
  World world;
  const Recording recording(world.Now() - base::Days(900));
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP yes: CONSENT");
}

TEST(HardCase, N12_ClientsClockTwoHoursFastIsOutweighedByTheServersOrder) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest fast = world.OptInRequest("a", Account(), Control("help_improve"), {});
  fast.command.proof.given_at = world.Now() + base::Hours(2);
  for (const domain::Channel channel : {domain::Channel::kApp, domain::Channel::kImport}) {
    fast.command.proof.channel = channel;
    EXPECT_EQ(ReasonOf(world.Submit(fast)), "IMPORT_CANNOT_LOOSEN")
        << "a client's time counts in an import alone, and cannot lie ahead there";
  }

  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  for (const int minutes : {0, 119, 121, 600}) {
    const Recording recording(world.Now() - base::Seconds(20));
    EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: WITHDRAWN") << minutes;
    world.Wait(base::Seconds(60 * minutes));
  }
}

TEST(HardCase, N13_CaptureAndChangeWithinTheUncertaintyIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const base::Instant since = ConsentTime(world);
  const base::Span border = base::Seconds(2);
  EXPECT_TRUE(IsYes(world.Check("a", Recording(since + border))));
  EXPECT_EQ(Text(world.Check("a", Recording(since + border - base::Microseconds(1)))),
            "KEEP no: CAPTURED_BEFORE_CONSENT");
  Recording exact(since);
  exact.facts.has_uncertainty = true;
  EXPECT_TRUE(IsYes(world.Check("a", exact)));

  // Off and on again: the border of the refusal too.
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  const base::Instant off = ConsentTime(world);
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_TRUE(world.Check("a", Recording(off - border)).reasons.Has(domain::Reason::kCapturedWhileRefused));
  const base::Instant on = ConsentTime(world);
  EXPECT_FALSE(IsYes(world.Check("a", Recording(on + border - base::Microseconds(1)))));
  EXPECT_TRUE(IsYes(world.Check("a", Recording(on + border))));
}

TEST(HardCase, N13_DefaultAndCaptureWithinTheUncertaintyIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  const base::Instant from = world.Facts("a").default_from;
  EXPECT_TRUE(IsYes(world.Check("a", Recording(from + base::Seconds(2)))));
  EXPECT_FALSE(IsYes(world.Check("a", Recording(from + base::Seconds(2) - base::Microseconds(1)))));
}

TEST(HardCase, N14_CapturedTomorrowIsInvalid) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  EXPECT_EQ(Text(world.Check("a", Recording(world.Now() + base::Days(1)))), "KEEP no: INVALID_TIME");
  EXPECT_TRUE(IsYes(world.Check("a", Recording(world.Now() + base::Seconds(2))))) << "within the uncertainty it is now";
}

TEST(HardCase, N36_MovedFromTheUsToGermanyWhatTheOldDefaultAllowedIsNo) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  const Recording recording(world.Now() - base::Seconds(20));
  ASSERT_EQ(Text(world.Check("a", recording)), "KEEP yes: DEFAULT");
  service::ChangeRequest move = world.Request("a", service::ChangeKind::kUpsertSubject);
  move.command.registers = true;
  move.command.region = Where("DE");
  ASSERT_TRUE(world.Submit(move).ok()) << "stricter: needs neither etag nor evidence";
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: NO_CONSENT, PROFILE_WITHOUT_CONSENT");
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Text(world.Check("a", recording)), "KEEP no: CAPTURED_BEFORE_CONSENT");
}

TEST(HardCase, N54_ExpiredConsentInAnOptOutRegimeIsExpiredAndNeverDefault) {
  World world;
  ASSERT_TRUE(world.Register("a", "US").ok());
  ASSERT_EQ(Text(world.Check("a")), "KEEP yes: DEFAULT");
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("short")).ok());
  ASSERT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT");
  world.Wait(base::Days(364));
  ASSERT_TRUE(IsYes(world.Check("a")));
  world.Wait(base::Days(2));
  EXPECT_EQ(Text(world.Check("a")), "KEEP no: CONSENT_EXPIRED");
  Recording copy;
  copy.Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview);
  EXPECT_EQ(Text(world.Check("a", copy, Purpose::kNone)), "PURGE: PURPOSE_ENDED");
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("short")).ok());
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: CONSENT") << "renewed";
}

TEST(HardCase, N57_GermanyToTheUsIsALoosening) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const Recording before(world.Now() - base::Seconds(20));
  service::ChangeRequest move = world.Request("a", service::ChangeKind::kUpsertSubject);
  move.command.registers = true;
  move.command.region = Where("US");
  EXPECT_EQ(ReasonOf(world.Submit(move)), "ETAG_REQUIRED");
  move.command.expected_revision = world.RevisionOf("a");
  EXPECT_EQ(ReasonOf(world.Submit(move)), "EVIDENCE_REQUIRED");
  move.command.proof = world.Proof({});
  move.command.expected_revision = world.RevisionOf("a") - 1;
  EXPECT_EQ(ReasonOf(world.Submit(move)), "ETAG_MISMATCH");
  EXPECT_FALSE(IsYes(world.Check("a")));
  move.command.expected_revision = world.RevisionOf("a");
  ASSERT_TRUE(world.Submit(move).ok());
  EXPECT_FALSE(IsYes(world.Check("a", before))) << "captured before the move";
  EXPECT_EQ(Text(world.Check("a")), "KEEP yes: DEFAULT");
  for (const auto& scope : {Account(), Profile("ann")}) {
    ASSERT_TRUE(world.OptIn("a", scope, Control("help_improve"), Under("past")).ok());
  }
  EXPECT_EQ(Text(world.Check("a", before)), "KEEP yes: CONSENT") << "what Germany allows, too";
  Recording several = before;
  several.facts.speakers = domain::Speakers::kSeveral;
  EXPECT_EQ(Text(world.Check("a", several)), "KEEP no: SEVERAL_SPEAKERS");
}

TEST(HardCase, N57_ChildToAdultIsALoosening) {
  World world;
  ASSERT_TRUE(world.Register("a", "US", {Child("ann", "gil")}).ok());
  const Recording as_child(world.Now() - base::Seconds(20));
  service::ChangeRequest update = world.Request("a", service::ChangeKind::kUpsertSubject);
  update.command.registers = true;
  update.command.profiles.push_back(world.Command(Adult("ann")));
  EXPECT_EQ(ReasonOf(world.Submit(update)), "ETAG_REQUIRED");
  update.command.expected_revision = world.RevisionOf("a");
  EXPECT_EQ(ReasonOf(world.Submit(update)), "EVIDENCE_REQUIRED");
  EXPECT_FALSE(IsYes(world.Check("a")));
  update.command.proof = world.Proof({});
  ASSERT_TRUE(world.Submit(update).ok());
  EXPECT_FALSE(IsYes(world.Check("a", as_child)));
  EXPECT_TRUE(IsYes(world.Check("a")));
}

}  // namespace
}  // namespace consent::test
