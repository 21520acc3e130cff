// What a settings page is answered: of somebody new, of what a consent does not reach, and of what is mistyped.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rpc/services_fixture.h"

namespace consent::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kByAnn[] =
    R"( evidence { notice_version: "general" notice_language: "en" channel: CHANNEL_APP actor: ACTOR_SELF } )";
constexpr char kHelpImprove[] = R"( changes { target { control: "help_improve" } turn: SWITCH_ON } )";

class SettingsPageTest : public ServicesTest {
 protected:
  // With a notice that lists HUMAN_REVIEW alone.
  SettingsPageTest() {
    PolicyBuilder policy("v2");
    policy.AddNotice("narrow", "general", "2026-01-01T00:00:00Z");
    policy.Notice("narrow").clear_purposes();
    policy.Notice("narrow").add_purposes(v1::PURPOSE_HUMAN_REVIEW);
    EXPECT_TRUE(world_.Activate(policy).ok());
  }

  v1::GetSettingsResponse Page(const std::string& request) {
    return Call(settings_stub_, &v1::SettingsService::Stub::GetSettings, request);
  }
  static v1::ControlSetting Control(const v1::GetSettingsResponse& page, const std::string& name) {
    for (const v1::ControlSetting& control : page.settings().controls()) {
      if (control.control() == name) return control;
    }
    ADD_FAILURE() << "no control " << name;
    return {};
  }
};

// "HUMAN_REVIEW of ann: PROFILE_WITHOUT_CONSENT"
std::vector<std::string> Sentences(const google::protobuf::RepeatedPtrField<v1::Unreached>& unreached) {
  std::vector<std::string> told;
  for (const v1::Unreached& one : unreached) {
    const std::string whose = !one.has_scope()               ? "the account"
                              : one.scope().has_profile_id() ? one.scope().profile_id()
                                                             : one.scope().device_id();
    told.push_back(v1::Purpose_Name(one.purpose()).substr(8) + " of " + whose + ": " +
                   v1::Reason_Name(one.reason()).substr(7) +
                   (one.uncovering_notice().empty() ? "" : " under " + one.uncovering_notice()));
  }
  return told;
}

TEST_F(SettingsPageTest, OfSomebodyNewSaysWhatTheRegionWillGiveAndThatNothingIsInForce) {
  const auto page = Page(R"(account_id: "new" region: "US")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_FALSE(page.registered());
  EXPECT_EQ(page.settings().controls_size(), 3);
  for (const v1::ControlSetting& control : page.settings().controls()) {
    EXPECT_EQ(control.effective(), v1::EFFECTIVE_ANSWER_OFF) << "no check of an unknown subject says yes";
    EXPECT_EQ(control.reason(), v1::REASON_UNKNOWN_SUBJECT);
    EXPECT_EQ(control.once_registered(), v1::EFFECTIVE_ANSWER_ON) << "opt-out";
    EXPECT_GT(control.notice_versions_size(), 0);
  }
  for (const v1::PurposeSummary& purpose : page.settings().purposes()) {
    EXPECT_EQ(purpose.effective(), v1::EFFECTIVE_ANSWER_OFF);
    EXPECT_EQ(purpose.once_registered(), v1::EFFECTIVE_ANSWER_ON);
  }
  for (const char* strict : {R"(account_id: "new")", R"(account_id: "new" region: "DE")"}) {
    const auto opt_in = Page(strict);
    ASSERT_TRUE(status_.ok()) << status_.error_message();
    EXPECT_EQ(Control(opt_in, "help_improve").once_registered(), v1::EFFECTIVE_ANSWER_OFF) << strict;
  }
  v1::Recording recording = Clean("new");
  EXPECT_EQ(Check(recording).decision().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE) << "a page loosens nothing";
  EXPECT_FALSE(Page(R"(account_id: "new")").registered()) << "nor does it store anything";
  // What was promised is kept by the registration.
  Upsert(R"(account_id: "new" region: "US" request_id: "r" etag: ")" + page.etag() +
         R"(" evidence { channel: CHANNEL_APP actor: ACTOR_SELF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const auto registered = Page(R"(account_id: "new" region: "DE")");
  EXPECT_TRUE(registered.registered());
  EXPECT_EQ(Control(registered, "help_improve").effective(), v1::EFFECTIVE_ANSWER_ON) << "it lives where it said";
  EXPECT_EQ(Control(registered, "help_improve").once_registered(), v1::EFFECTIVE_ANSWER_UNSPECIFIED);
}

TEST_F(SettingsPageTest, TheEtagOfSomebodyNewIsStaleOnceSomethingIsStored) {
  const auto page = Page(R"(account_id: "new")");
  OptOut(R"(account_id: "new" request_id: "o" targets { control: "help_improve" })");
  ASSERT_TRUE(status_.ok());
  const auto refused = Page(R"(account_id: "new" region: "US")");
  EXPECT_FALSE(refused.registered());
  EXPECT_EQ(Control(refused, "help_improve").once_registered(), v1::EFFECTIVE_ANSWER_OFF) << "the no stands";
  EXPECT_EQ(Control(refused, "train").once_registered(), v1::EFFECTIVE_ANSWER_ON);
  Update(R"(account_id: "new" request_id: "u" etag: ")" + page.etag() + '"' + kHelpImprove + kByAnn);
  EXPECT_EQ(Details(status_).reason, "SUBJECT_NOT_FOUND") << "it is registered first";
  Upsert(R"(account_id: "new" region: "US" request_id: "r" etag: ")" + page.etag() + R"("
            initial_choices { target { control: "help_improve" } turn: SWITCH_ON } )" +
         kByAnn);
  const auto registered = Page(R"(account_id: "new")");
  EXPECT_EQ(Control(registered, "help_improve").effective(), v1::EFFECTIVE_ANSWER_OFF);
}

TEST_F(SettingsPageTest, AWriteSaysWhatItsConsentDoesNotReachAndThePageSaysTheSame) {
  const auto registered = Upsert(kRegister);
  const std::string one_tap = R"(account_id: "a" self_profile_id: "ann" etag: ")" + registered.revision() + '"';
  const auto would = Update(one_tap + R"( validate_only: true request_id: "v")" + kHelpImprove + kByAnn);
  EXPECT_THAT(Sentences(would.unreached()), IsEmpty());
  const std::string write =
      R"(account_id: "a" request_id: "on" etag: ")" + registered.revision() + '"' + kHelpImprove + kByAnn;
  const auto written = Update(write);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const std::vector<std::string> both = {"HUMAN_REVIEW of ann: PROFILE_WITHOUT_CONSENT",
                                         "FEATURE_DEVELOPMENT of ann: PROFILE_WITHOUT_CONSENT"};
  EXPECT_EQ(Sentences(written.unreached()), both);
  EXPECT_EQ(Sentences(Update(write).unreached()), both) << "the same answer again";
  const auto page = Page(R"(account_id: "a")");
  EXPECT_EQ(Control(page, "help_improve").effective(), v1::EFFECTIVE_ANSWER_PARTIAL);
  EXPECT_EQ(Sentences(Control(page, "help_improve").unreached()), both);
  EXPECT_THAT(Sentences(Control(page, "train").unreached()), IsEmpty()) << "all of it is off, and that is said";
  EXPECT_THAT(page.settings().adult_profile_ids(), ElementsAre("ann"));
  const auto own = Update(
      R"(account_id: "a" request_id: "own" etag: ")" + page.etag() +
      R"(" changes { scope { profile_id: "ann" } target { control: "help_improve" } turn: SWITCH_ON } )" + kByAnn);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_THAT(Sentences(own.unreached()), IsEmpty());
  EXPECT_EQ(Control(Page(R"(account_id: "a")"), "help_improve").effective(), v1::EFFECTIVE_ANSWER_ON);
}

TEST_F(SettingsPageTest, ANoticeThatLeavesAPurposeOutIsNamedWithThoseThatDoNot) {
  const auto registered = Upsert(kRegister);
  const auto written =
      Update(R"(account_id: "a" request_id: "on" self_profile_id: "ann" etag: ")" + registered.revision() + '"' +
             kHelpImprove +
             R"( evidence { notice_version: "narrow" notice_language: "en" channel: CHANNEL_APP actor: ACTOR_SELF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const std::vector<std::string> left = {"FEATURE_DEVELOPMENT of the account: NO_CONSENT under narrow",
                                         "FEATURE_DEVELOPMENT of ann: NO_CONSENT under narrow"};
  EXPECT_EQ(Sentences(written.unreached()), left);
  EXPECT_THAT(written.unreached(0).notice_versions(), ElementsAre("general", "own", "past", "silent", "short"));
  const auto page = Page(R"(account_id: "a")");
  EXPECT_EQ(Sentences(Control(page, "help_improve").unreached()), left);
  EXPECT_THAT(page.settings().purposes(0).unreached(), IsEmpty()) << "that one is on";
}

// A bad request, what it is told, and for which field.
struct Bad {
  const char* request;
  const char* reason;
  const char* field;
  const char* told;
};

TEST_F(SettingsPageTest, WhatIsMistypedIsToldWithItsPathWhatThereIsAndTheNearest) {
  const auto registered = Upsert(kRegister);
  const std::string common = R"(account_id: "a" etag: ")" + registered.revision() + '"';
  const char kControls[] = "There are help_improve, messages_improve, train";
  const std::vector<Bad> update = {
      {R"(changes { target { control: "help_improv" } turn: SWITCH_OFF })", "INVALID_FIELD",
       "changes[0].target.control", "did you mean help_improve?"},
      {R"(changes { target { control: "help-improve" } turn: SWITCH_ON })", "INVALID_FIELD",
       "changes[0].target.control", kControls},
      {R"(changes { target { control: "S3CRET" } turn: SWITCH_OFF })", "INVALID_FIELD", "changes[0].target.control",
       "there are help_improve, messages_improve, train"},
      {R"(changes { target { all: true } turn: SWITCH_ON })", "INVALID_FIELD", "changes[0].target.all",
       "name controls"},
      {R"(retention { retention { months: 4 } })", "INVALID_FIELD", "retention[0].retention",
       "until deleted, 3, 18 months, do not save"},
      {R"(changes { target { control: "train" } turn: SWITCH_ON } evidence { notice_version: "genral" notice_language: "en" channel: CHANNEL_APP actor: ACTOR_SELF })",
       "NOTICE_NOT_USABLE", "", "did you mean general?"},
      {R"(changes { target { control: "train" } turn: SWITCH_ON } evidence { notice_version: "general" notice_language: "fr" channel: CHANNEL_APP actor: ACTOR_SELF })",
       "NOTICE_NOT_USABLE", "", "there are en, de"}};
  int call = 0;
  const auto expect = [this](const Bad& bad) {
    const auto details = Details(status_);
    EXPECT_EQ(details.reason, bad.reason) << bad.request;
    EXPECT_EQ(details.fields, bad.field[0] == '\0' ? std::vector<std::string>{} : std::vector<std::string>{bad.field});
    EXPECT_NE(status_.error_message().find(bad.told), std::string::npos) << status_.error_message();
    EXPECT_EQ(status_.error_message().find("S3CRET"), std::string::npos);
  };
  for (const Bad& bad : update) {
    Update(common + " request_id: \"" + std::to_string(++call) + "\" " + bad.request);
    expect(bad);
  }
  OptOut(R"(account_id: "a" request_id: "o" targets { control: "trian" })");
  expect({"opt-out", "INVALID_FIELD", "targets[0].control", "did you mean train?"});
  Upsert(R"(account_id: "b" region: "UK" request_id: "b" evidence { channel: CHANNEL_APP actor: ACTOR_SELF })");
  expect({"region", "INVALID_FIELD", "region", "GB is meant"});
  Page(R"(account_id: "b" region: "UK")");
  expect({"page", "INVALID_FIELD", "region", "GB is meant"});
  // Beside what counts, a part tells it by the path within it.
  const auto mixed =
      OptOut(R"(account_id: "a" request_id: "m" targets { control: "train" } targets { control: "messages" })");
  ASSERT_TRUE(status_.ok());
  EXPECT_EQ(mixed.results(1).part(), "targets[1]");
  EXPECT_EQ(mixed.results(1).refused_message().substr(0, 42), "control: the policy has no such control; d");
}

}  // namespace
}  // namespace consent::test
