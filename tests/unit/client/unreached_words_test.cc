// What consentctl says of scopes that a consent does not reach: each with its name, and with what can be done.
#include <gtest/gtest.h>

#include "client/cli/render/render.h"
#include "client/cli/render/render_unreached.h"

namespace consent::cli {
namespace {

Unreached Of(const Scope& scope, Reason reason) { return {scope, Purpose::kHumanReview, reason, "", {}}; }
Scope ProfileOf(const char* id) { return {ProfileId(id), {}}; }
Scope DeviceOf(const char* id) { return {{}, DeviceId(id)}; }

TEST(UnreachedWordsTest, SayWhoIsNotCoveredWhyAndWhatToDo) {
  EXPECT_EQ(
      UnreachedSentence(Of(ProfileOf("anna"), Reason::kProfileWithoutConsent)),
      "anna's own voice is not covered for HUMAN_REVIEW: the account said yes, and that speaks for nobody else; turn "
      "it on with --profile anna, or where anna is who says so, for the account and this voice at once with "
      "--self-profile=anna");
  EXPECT_EQ(
      UnreachedSentence(Of({}, Reason::kNoConsent)),
      "the account is not covered for HUMAN_REVIEW: nobody said yes for the account; turn it on without --profile");
  EXPECT_EQ(
      UnreachedSentence(Of(ProfileOf("anna"), Reason::kNoConsent)),
      "anna's own voice is not covered for HUMAN_REVIEW: nobody said yes for the account, and it takes both; turn it "
      "on without --profile too, or for both at once with --self-profile=anna");
  EXPECT_EQ(
      UnreachedSentence(Of(ProfileOf("kid"), Reason::kChildWithoutGuardian)),
      "kid's own voice is not covered for HUMAN_REVIEW: a child, whose guardian consents to each purpose by its name; "
      "turn it on with --profile kid --on HUMAN_REVIEW --actor guardian --guardian ID");
  EXPECT_EQ(UnreachedSentence(Of(DeviceOf("kitchen"), Reason::kRefused)),
            "what device kitchen records is not covered for HUMAN_REVIEW: somebody said no, of this scope or of the "
            "account; only a later yes there changes that");
}

TEST(UnreachedWordsTest, ANoticeThatLeavesAPurposeOutIsItsOwnReason) {
  Unreached one = Of(ProfileOf("anna"), Reason::kProfileWithoutConsent);
  EXPECT_EQ(UnreachedWhy(one), "PROFILE_WITHOUT_CONSENT");
  one.uncovering_notice = "2026-01";
  EXPECT_EQ(UnreachedWhy(one), "NOTICE_DOES_NOT_COVER");
  EXPECT_EQ(
      UnreachedSentence(one),
      "anna's own voice is not covered for HUMAN_REVIEW: notice 2026-01 does not list it; the policy has no notice "
      "that does");
  one.notice_versions = {"2026-02", "2026-02-past"};
  EXPECT_EQ(UnreachedSentence(one),
            "anna's own voice is not covered for HUMAN_REVIEW: notice 2026-01 does not list it; show one that does "
            "(2026-02,2026-02-past) and turn it on with that --notice");
}

TEST(UnreachedWordsTest, EachReasonForWhichSomethingIsOffHasWordsOfItsOwn) {
  for (const Reason reason : {Reason::kSuspended, Reason::kConsentExpired, Reason::kNoticeSuperseded,
                              Reason::kNoticeSilentOnPeople, Reason::kWithdrawn, Reason::kUnknownSubject}) {
    const std::string sentence = UnreachedSentence(Of(ProfileOf("anna"), reason));
    EXPECT_EQ(sentence.find("see WHY") != std::string::npos, reason == Reason::kUnknownSubject) << sentence;
  }
}

TEST(UnreachedWordsTest, OfSettingsEachScopeAndPurposeOnce) {
  const Unreached one = Of(ProfileOf("anna"), Reason::kProfileWithoutConsent);
  Settings settings;
  ControlSetting control;
  control.purposes = {Purpose::kHumanReview};
  control.unreached = {one, one};
  settings.controls = {control, control};
  PurposeSummary purpose;
  purpose.purpose = Purpose::kHumanReview;
  purpose.unreached = {one};
  settings.purposes = {purpose};
  EXPECT_EQ(UnreachedOf(settings).size(), 1U);
  settings.purposes[0].purpose = Purpose::kAdvertising;
  settings.purposes[0].unreached[0].purpose = Purpose::kAdvertising;
  EXPECT_EQ(UnreachedOf(settings).size(), 2U) << "a purpose without a control";
}

}  // namespace
}  // namespace consent::cli
