// What consentctl says of scopes that a consent does not reach: each with its name, and with what can be done.
#include <gtest/gtest.h>

#include "client/cli/exit_codes.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_unreached.h"
#include "tests/unit/client/command_lines.h"

namespace consent::cli {
namespace {

class SettingsCommandTest : public CommandLines {};

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

TEST_F(SettingsCommandTest, OneTapNamesTheOnlyAdultAndTellsWhatIsNotReached) {
  std::vector<std::string> adults = {"anna"};
  daemon_.on_get_settings = [&adults](grpc::ServerContext&, const v1::GetSettingsRequest& request,
                                      v1::GetSettingsResponse* response) {
    EXPECT_EQ(request.account_id(), "a");
    for (const std::string& adult : adults) response->mutable_settings()->add_adult_profile_ids(adult);
    return grpc::Status::OK;
  };
  std::vector<v1::UpdateSettingsRequest> seen;
  daemon_.on_update = [&seen](grpc::ServerContext&, const v1::UpdateSettingsRequest& request,
                              v1::UpdateSettingsResponse* response) {
    seen.push_back(request);
    v1::Unreached& one = *response->add_unreached();
    one.mutable_scope()->set_profile_id("bert");
    one.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    one.set_reason(v1::REASON_PROFILE_WITHOUT_CONSENT);
    one.set_uncovering_notice("2026-01");
    one.add_notice_versions("2026-02");
    return grpc::Status::OK;
  };
  const std::vector<std::string> on = {"settings", "set", "a", "--on", "help_improve", "--self-profile"};
  EXPECT_EQ(Call(on), kDone);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].self_profile_id(), "anna");
  EXPECT_NE(out_.find("unreached\tprofile:bert\tHUMAN_REVIEW\tNOTICE_DOES_NOT_COVER\tbert's own voice"),
            std::string::npos)
      << out_;
  EXPECT_NE(out_.find("(2026-02)"), std::string::npos) << out_;
  // Whose yes it is cannot be told: no yes is sent, and the no beside it is.
  for (const auto& several : {std::vector<std::string>{}, std::vector<std::string>{"anna", "bert"}}) {
    adults = several;
    EXPECT_EQ(Call(on), kUsage);
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(Call({"settings", "set", "a", "--off", "train", "--on", "help_improve", "--self-profile"}),
              kPartlyRefused);
    ASSERT_EQ(seen.size(), 2U);
    ASSERT_EQ(seen[1].changes_size(), 1);
    EXPECT_EQ(seen[1].changes(0).turn(), v1::SWITCH_OFF);
    seen.pop_back();
  }
  EXPECT_EQ(Call({"settings", "set", "a", "--on", "help_improve", "--self-profile", "bert"}), kDone);
  EXPECT_EQ(seen.back().self_profile_id(), "bert") << "whoever is named";
}

TEST_F(SettingsCommandTest, APageOfSomebodyNewIsAskedForByRegionAndSaysSo) {
  daemon_.on_get_settings = [](grpc::ServerContext&, const v1::GetSettingsRequest& request,
                               v1::GetSettingsResponse* response) {
    EXPECT_EQ(request.region(), "US-CA");
    v1::ControlSetting& control = *response->mutable_settings()->add_controls();
    control.set_control("help_improve");
    control.set_effective(v1::EFFECTIVE_ANSWER_OFF);
    control.set_once_registered(v1::EFFECTIVE_ANSWER_ON);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Call({"settings", "get", "a", "--region", "US-CA"}), kDone);
  EXPECT_NE(out_.find("\tno: nothing of it may be used"), std::string::npos) << out_;
  EXPECT_NE(out_.find("once_registered\thelp_improve\tON"), std::string::npos) << out_;
  EXPECT_EQ(Call({"settings", "get", "a", "--region", "US-CA", "--json"}), kDone);
  EXPECT_EQ(OutJson()["registered"], false);
  EXPECT_EQ(OutJson()["settings"]["controls"][0]["once_registered"], "ON");
}

}  // namespace
}  // namespace consent::cli
