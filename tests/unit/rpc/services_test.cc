// Every RPC: what it answers and what it refuses.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rpc/services_fixture.h"

namespace consent::test {
namespace {

using ::testing::ElementsAre;

TEST_F(ServicesTest, ASubjectIsRegisteredAndReadBack) {
  const auto registered = Upsert(kRegister);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_TRUE(registered.registered());
  ASSERT_EQ(registered.results_size(), 3);
  EXPECT_EQ(registered.results(0).part(), "region");
  EXPECT_EQ(registered.results(1).part(), "profiles[0]");
  EXPECT_EQ(registered.results(2).part(), "device_ids[0]");
  for (const auto& result : registered.results()) EXPECT_TRUE(result.applied() && result.changed()) << result.part();
  const auto subject = Call(subject_stub_, &v1::SubjectService::Stub::GetSubject, R"(account_id: "a")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(subject.region(), "DE");
  ASSERT_EQ(subject.profiles_size(), 1);
  EXPECT_EQ(subject.profiles(0).profile_id(), "ann");
  EXPECT_TRUE(subject.profiles(0).age().adult());
  EXPECT_THAT(subject.device_ids(), ElementsAre("kitchen"));
  EXPECT_EQ(subject.etag(), registered.revision());
  Call(subject_stub_, &v1::SubjectService::Stub::GetSubject, R"(account_id: "nobody")");
  EXPECT_EQ(Details(status_).reason, "SUBJECT_NOT_FOUND");
}

TEST_F(ServicesTest, ConsentMakesEligibleAndAnOptOutEndsItAtOnce) {
  OptIn();
  const auto yes = Check(Clean("a"));
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(yes.decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE) << yes.ShortDebugString();
  EXPECT_THAT(yes.decision().reasons(), ElementsAre(v1::REASON_CONSENT));
  EXPECT_EQ(yes.policy_version(), "v1");
  EXPECT_EQ(yes.policy_hash().size(), 32U);
  EXPECT_TRUE(yes.decision().revision().empty()) << "view FULL only";

  const auto out = OptOut(R"(account_id: "a" targets { all: true } request_id: "out")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_TRUE(out.refuses_future_purposes());
  EXPECT_THAT(out.changed_purposes(), ::testing::Contains(v1::PURPOSE_HUMAN_REVIEW));
  const auto no =
      Check(Clean("a"), std::string(kPlace) + " view: DECISION_VIEW_FULL at_least_revision: \"" + out.revision() + '"');
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(no.decision().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);
  EXPECT_EQ(no.decision().revision(), out.revision());

  const auto again = OptOut(R"(account_id: "a" targets { purpose: PURPOSE_HUMAN_REVIEW } request_id: "out again")");
  EXPECT_EQ(again.changed_purposes_size(), 0);
  EXPECT_TRUE(again.refuses_future_purposes()) << "since the call before";
  OptOut(R"(account_id: "new" scope { device_id: "d" } targets { control: "train" } request_id: "out 3")");
  EXPECT_TRUE(status_.ok()) << "creates what it names: " << status_.error_message();

  ASSERT_EQ(notes_.decisions().size(), 2U);
  EXPECT_EQ(notes_.decisions()[0].reason, domain::Reason::kConsent);
  EXPECT_EQ(notes_.decisions()[0].count, 1U);
}

// A no counts whatever else of its call cannot be used, and the reply tells each part.
TEST_F(ServicesTest, ANoCountsBesideWhatCannotBeUsed) {
  OptIn();
  ASSERT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE);
  const std::string etag = Settings("a").etag();
  const auto reply = Update(R"(account_id: "a" request_id: "mixed" etag: ")" + etag + R"("
      changes {} changes { target { control: "help_improve" } turn: SWITCH_OFF } changes { target { control: "train" } turn: SWITCH_ON }
      retention { retention { months: 1000 } }
      evidence { notice_version: "general" notice_language: "en" channel: CHANNEL_APP actor: ACTOR_SELF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(reply.results_size(), 4);
  for (const int refused : {0, 2, 3}) {
    EXPECT_FALSE(reply.results(refused).applied()) << refused;
    EXPECT_EQ(reply.results(refused).refused_reason(), "INVALID_FIELD") << refused;
  }
  EXPECT_THAT(reply.results(0).refused_message(), ::testing::HasSubstr("changes[0].target"));
  EXPECT_THAT(reply.results(3).refused_message(), ::testing::HasSubstr("retention[0].retention.months"));
  EXPECT_TRUE(reply.results(1).applied() && reply.results(1).changed());
  EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);

  const auto out = OptOut(
      R"(account_id: "a" request_id: "out" targets { control: "nobody has it" } targets {} targets { all: true })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(out.results_size(), 3);
  EXPECT_EQ(out.results(0).refused_reason(), "INVALID_FIELD");
  EXPECT_EQ(out.results(1).part(), "targets[1]");
  EXPECT_EQ(out.results(1).refused_reason(), "INVALID_FIELD");
  EXPECT_TRUE(out.results(2).applied());
  EXPECT_TRUE(out.refuses_future_purposes());

  // Of somebody new: the no is there, and nobody was registered by what cannot be used.
  const auto upserted =
      Upsert(R"(account_id: "new" region: "Germany" profiles { profile_id: "p" age { adult: true } } request_id: "up"
      initial_choices { target { control: "help_improve" } turn: SWITCH_OFF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_FALSE(upserted.registered());
  ASSERT_EQ(upserted.results_size(), 3);
  EXPECT_FALSE(upserted.results(0).applied());
  EXPECT_FALSE(upserted.results(1).applied());
  EXPECT_TRUE(upserted.results(2).applied());
}

// Hard case 52, and a token that is none counts as stale.
TEST_F(ServicesTest, RestrictionsApplyBesideARefusedLoosening) {
  OptIn();
  const auto reply = Update(R"(account_id: "a" request_id: "mixed" etag: "not a token of ours"
      changes { target { control: "help_improve" } turn: SWITCH_OFF } changes { target { control: "train" } turn: SWITCH_ON }
      retention { retention { do_not_save: true } }
      evidence { notice_version: "general" notice_language: "en" channel: CHANNEL_WEB actor: ACTOR_SELF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(reply.results_size(), 3);
  EXPECT_EQ(reply.results(0).part(), "changes[0]");
  EXPECT_TRUE(reply.results(0).applied() && reply.results(0).changed());
  EXPECT_FALSE(reply.results(1).applied());
  EXPECT_EQ(reply.results(1).refused_reason(), "ETAG_MISMATCH");
  EXPECT_FALSE(reply.results(1).refused_message().empty());
  EXPECT_EQ(reply.results(2).part(), "retention[0]");
  EXPECT_TRUE(reply.results(2).applied());

  const auto change = notes_.changes().back();
  EXPECT_EQ(change.kind, service::ChangeKind::kUpdateSettings);
  EXPECT_EQ(change.channel, domain::Channel::kWeb);
  EXPECT_EQ(change.parts_changed, 2U);
  EXPECT_EQ(change.parts_refused, 1U);
  const auto choices = notes_.choices();
  ASSERT_GE(choices.size(), 2U);
  EXPECT_EQ(choices[choices.size() - 2].control, "help_improve");
  EXPECT_FALSE(choices[choices.size() - 2].seen.on);
  EXPECT_EQ(choices.back().control, "") << "a refused part may name anything";
  EXPECT_EQ(choices.back().seen.refusal, domain::Refusal::kEtagMismatch);
}

TEST_F(ServicesTest, AWriteOfWhichNothingAppliesFailsWithTheFirstRefusal) {
  Upsert(kRegister);
  Update(R"(account_id: "a" request_id: "q" changes { target { control: "train" } turn: SWITCH_ON })");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Details(status_).reason, "ETAG_REQUIRED");
}

TEST_F(ServicesTest, ARepeatedRequestIdGetsTheSameAnswerAndAnotherBodyIsRefused) {
  const std::string body = R"(account_id: "a" targets { control: "train" } request_id: "q")";
  const auto first = OptOut(body);
  const auto second = OptOut(body);
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  const auto done = OptOut(R"(account_id: "a" targets { control: "help_improve" } request_id: "q")");
  EXPECT_TRUE(status_.ok()) << "a no is done all the same";
  EXPECT_EQ(done.unusable(), "request_id: was used within 72 hours with another body");
  Update(R"(account_id: "a" request_id: "q" changes { target { control: "train" } turn: SWITCH_ON })");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(Details(status_).reason, "REQUEST_ID_REUSED");
}

TEST_F(ServicesTest, SettingsNowAndThenAndTheirHistory) {
  OptIn();
  const base::Instant before_opt_out = world_.Now();
  world_.Wait(base::Seconds(60));
  const auto out = OptOut(R"(account_id: "a" scope { device_id: "kitchen" } targets { all: true } request_id: "out"
                             evidence { channel: CHANNEL_VOICE reference: "ticket 7" })");
  const auto now = Settings("a");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(now.etag(), out.revision());
  EXPECT_EQ(now.policy_version(), "v1");
  ASSERT_EQ(now.settings().refused_all_size(), 1);
  EXPECT_EQ(now.settings().refused_all(0).device_id(), "kitchen");
  EXPECT_EQ(now.settings().controls_size(), 3);

  v1::GetSettingsAtRequest at;
  at.set_account_id("a");
  at.mutable_at()->set_seconds(before_opt_out.micros / 1'000'000);
  const auto then = Send(settings_stub_, &v1::SettingsService::Stub::GetSettingsAt, at);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(then.settings().refused_all_size(), 0);
  EXPECT_EQ(then.policy().version(), "v1");
  EXPECT_EQ(then.policy_hash().size(), 32U);
  at.mutable_at()->set_seconds(1);
  Send(settings_stub_, &v1::SettingsService::Stub::GetSettingsAt, at);
  EXPECT_EQ(Details(status_).reason, "NO_SETTINGS_AT_TIME");

  const auto page =
      Call(settings_stub_, &v1::SettingsService::Stub::ListSettingsHistory, R"(account_id: "a" page_size: 2)");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(page.entries_size(), 2);
  EXPECT_EQ(page.entries(0).kind(), v1::CHANGE_KIND_OPT_OUT);
  EXPECT_EQ(page.entries(0).revision(), out.revision());
  EXPECT_EQ(page.entries(0).evidence().reference(), "ticket 7");
  EXPECT_EQ(page.entries(0).changes(0).scope().device_id(), "kitchen");
  EXPECT_EQ(page.entries(1).kind(), v1::CHANGE_KIND_UPDATE_SETTINGS);
  const auto rest = Call(settings_stub_, &v1::SettingsService::Stub::ListSettingsHistory,
                         R"(account_id: "a" page_token: ")" + page.next_page_token() + '"');
  ASSERT_EQ(rest.entries_size(), 1);
  EXPECT_EQ(rest.entries(0).kind(), v1::CHANGE_KIND_UPSERT_SUBJECT);
  EXPECT_TRUE(rest.next_page_token().empty());
}

TEST_F(ServicesTest, AReportedFlagForbids) {
  OptIn();
  const auto reply = Call(recording_stub_, &v1::RecordingService::Stub::ReportRecording,
                          R"(account_id: "a" recording_id: "r" flags: FLAG_CRITICAL_DATA request_id: "f")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_THAT(reply.flags(), ElementsAre(v1::FLAG_CRITICAL_DATA));
  const auto more = Call(recording_stub_, &v1::RecordingService::Stub::ReportRecording,
                         R"(account_id: "a" recording_id: "r" flags: FLAG_SAFETY)");
  EXPECT_THAT(more.flags(), ElementsAre(v1::FLAG_CRITICAL_DATA, v1::FLAG_SAFETY));
  EXPECT_EQ(notes_.changes().back().flags, domain::Flags::kSafety);
  EXPECT_THAT(Check(Clean("a")).decision().reasons(), ElementsAre(v1::REASON_CRITICAL_DATA));
}

TEST_F(ServicesTest, SuspendAndResume) {
  const auto suspended = Call(policy_stub_, &v1::PolicyService::Stub::Suspend,
                              R"(purpose: PURPOSE_HUMAN_REVIEW region: "US" reason: "drill")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_TRUE(suspended.suspension().active());
  EXPECT_EQ(suspended.suspension().region(), "US");
  const auto view = Call(policy_stub_, &v1::PolicyService::Stub::GetPolicy, "");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(view.policy().version(), "v1");
  EXPECT_TRUE(view.current());
  ASSERT_EQ(view.suspensions_size(), 1);
  EXPECT_EQ(view.suspensions(0).reason(), "drill");
  Call(policy_stub_, &v1::PolicyService::Stub::Resume, R"(purpose: PURPOSE_HUMAN_REVIEW region: "US" reason: "over")");
  EXPECT_EQ(Details(status_).reason, "ETAG_REQUIRED");
  const auto resumed = Call(
      policy_stub_, &v1::PolicyService::Stub::Resume,
      R"(purpose: PURPOSE_HUMAN_REVIEW region: "US" reason: "over" etag: ")" + suspended.suspension().etag() + '"');
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_FALSE(resumed.suspension().active());
  EXPECT_TRUE(resumed.suspension().has_resumed_at());
  Call(policy_stub_, &v1::PolicyService::Stub::GetPolicy, R"(version: "none")");
  EXPECT_EQ(Details(status_).reason, "POLICY_VERSION_NOT_FOUND");
}

TEST_F(ServicesTest, EveryMethodRefusesAnEmptyOrMalformedRequestByName) {
  const std::map<std::string, std::string> first_fault = {{"SubjectService/UpsertSubject", "account_id"},
                                                          {"SubjectService/GetSubject", "account_id"},
                                                          {"SettingsService/GetSettings", "account_id"},
                                                          {"SettingsService/UpdateSettings", "account_id"},
                                                          {"SettingsService/OptOut", "account_id"},
                                                          {"SettingsService/ListSettingsHistory", "account_id"},
                                                          {"SettingsService/GetSettingsAt", "account_id"},
                                                          {"EligibilityService/Check", "recording"},
                                                          {"EligibilityService/BatchCheck", "recordings"},
                                                          {"RecordingService/ReportRecording", "account_id"},
                                                          {"PolicyService/Suspend", "purpose"},
                                                          {"PolicyService/Resume", "purpose"},
                                                          {"PolicyService/ConfirmClock", "time"}};
  for (const auto& [method, field] : first_fault) {
    const grpc::Status empty = server_.CallRaw("/consent.v1." + method, "");
    EXPECT_EQ(empty.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_EQ(Details(empty).reason, "INVALID_FIELD") << method;
    ASSERT_FALSE(Details(empty).fields.empty()) << method;
    EXPECT_EQ(Details(empty).fields[0], field) << method;
    const grpc::Status malformed = server_.CallRaw("/consent.v1." + method, "\xff");
    EXPECT_EQ(Details(malformed).reason, "MALFORMED_MESSAGE") << method;
  }
  EXPECT_TRUE(server_.CallRaw("/consent.v1.PolicyService/GetPolicy", "").ok());
  EXPECT_EQ(Details(server_.CallRaw("/consent.v1.PolicyService/GetPolicy", "\xff")).reason, "MALFORMED_MESSAGE");
}

TEST_F(ServicesTest, NothingIsServedBeforeTheDaemonIsReady) {
  world_.core().ready = false;
  for (const char* method : {"SubjectService/GetSubject", "SettingsService/OptOut", "EligibilityService/BatchCheck",
                             "RecordingService/ReportRecording", "PolicyService/GetPolicy"}) {
    EXPECT_EQ(Details(server_.CallRaw(std::string("/consent.v1.") + method, "")).reason, "NOT_SERVING") << method;
  }
  world_.core().ready = true;
}

// Whatever goes wrong, the ids that a caller sent come back in no error and reach no metric.
TEST_F(ServicesTest, NoErrorAndNoMetricNamesAnybody) {
  const std::string id = "ALICE";
  Update(
      R"(account_id: "ALICE" request_id: "ALICE" changes { scope { profile_id: "ALICE" } target { control: "ALICE" } turn: SWITCH_ON }
            etag: "ALICE" evidence { guardian_id: "ALICE" reference: "ALICE" })");
  EXPECT_FALSE(status_.ok());
  EXPECT_EQ((status_.error_message() + status_.error_details()).find(id), std::string::npos);
  const auto reply =
      Update(R"(account_id: "ALICE" request_id: "q" changes { scope { profile_id: "ALICE" } target { control: "ALICE" }
      turn: SWITCH_OFF } changes { scope { device_id: "ALICE" } target { all: true } turn: SWITCH_OFF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(reply.SerializeAsString().find(id), std::string::npos) << reply.ShortDebugString();
  for (const auto& choice : notes_.choices()) EXPECT_EQ(choice.control.find(id), std::string::npos);
}

TEST_F(ServicesTest, TheDaemonsOwnProbeIsAnsweredAndNotCounted) {
  const auto answer = Check(Clean(kProbeAccount));
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(answer.decision().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);
  EXPECT_TRUE(notes_.calls().empty());
  EXPECT_TRUE(notes_.decisions().empty());
  EXPECT_TRUE(notes_.started().empty());
  EXPECT_TRUE(notes_.asked().empty());
  Check(Clean("probe-accounx"));
  EXPECT_EQ(notes_.calls().size(), 1U);
  EXPECT_EQ(notes_.decisions().size(), 1U);
  EXPECT_EQ(notes_.started(), std::vector<std::string>{"consent.v1.EligibilityService/Check"});
  EXPECT_EQ(notes_.asked().size(), 1U);
}

// Who asked, for whom by regime, and what was lacking.
TEST_F(ServicesTest, WhatIsAskedIsToldByCallerAndRegime) {
  OptIn();
  Check(Clean("a"));
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const NoteTaker::Asked yes = notes_.asked().at(0);
  EXPECT_EQ(yes.eligible, 1U);
  EXPECT_EQ(yes.not_eligible, 0U);
  EXPECT_EQ(yes.purpose, domain::Purpose::kHumanReview);
  EXPECT_FALSE(yes.regime.empty());
  EXPECT_TRUE(notes_.missing().empty());
  v1::Recording lacking = Clean("a");
  lacking.clear_wake();
  lacking.clear_captured_at();
  Check(lacking);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const NoteTaker::Asked no = notes_.asked().at(1);
  EXPECT_EQ(no.regime, yes.regime);
  EXPECT_EQ(no.eligible, 0U);
  EXPECT_EQ(no.not_eligible, 1U);
  const auto told = Check(lacking, std::string(kPlace) + " view: DECISION_VIEW_FULL");
  EXPECT_THAT(told.decision().missing_facts(), ElementsAre(v1::MISSING_FACT_CAPTURED_AT, v1::MISSING_FACT_WAKE));
  const NoteTaker::Missing expected = {{{no.caller, domain::MissingFact::kCapturedAt}, 2},
                                       {{no.caller, domain::MissingFact::kWake}, 2}};
  EXPECT_EQ(notes_.missing(), expected);
  EXPECT_EQ(notes_.started().size(), notes_.calls().size());
}

TEST_F(ServicesTest, AnOptOutIsAWriteThatTurnedSomethingOff) {
  OptIn();
  const auto opted_out = [this] {
    size_t count = 0;
    for (const rpc::ChangeSeen& seen : notes_.changes()) count += seen.opted_out ? 1 : 0;
    return count;
  };
  EXPECT_EQ(opted_out(), 0U) << "a yes is none";
  OptOut(R"(account_id: "a" targets { all: true } request_id: "out")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(opted_out(), 1U);
  OptOut(R"(account_id: "a" targets { all: true } request_id: "again")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(opted_out(), 1U) << "it was off before";
}

}  // namespace
}  // namespace consent::test
