#include "daemon/ops/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <set>
#include <sstream>
#include <thread>

#include "daemon/ops/families.h"

namespace consent::ops {
namespace {

using std::chrono::nanoseconds;
using ::testing::HasSubstr;
using ::testing::Not;

// A registry, and metrics that are shown by it.
struct Counted {
  explicit Counted(std::vector<std::string> methods) : metrics(std::move(methods), registry) {}
  std::string Text() {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, metrics.Collect());
    prometheus::TextSerializer().Serialize(out, registry.Collect());
    return out.str();
  }
  MetricRegistry registry;
  Metrics metrics;
};

TEST(CountersTest, LatenciesFallIntoTheFirstBoundThatTheyDoNotExceed) {
  EXPECT_EQ(LatencyCell(0), 0U);
  EXPECT_EQ(LatencyCell(25'000), 0U);
  EXPECT_EQ(LatencyCell(25'001), 1U);
  EXPECT_EQ(LatencyCell(5'000'000'000), kLatencyBounds.size() - 1);
  EXPECT_EQ(LatencyCell(5'000'000'001), kLatencyBounds.size());
}

TEST(CountersTest, NothingIsLostBetweenThreads) {
  Counters<2> counters;
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&counters] {
      for (int i = 0; i < 10'000; ++i) counters.Add(1, 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counters.Sum(0), 0U);
  EXPECT_EQ(counters.Sum(1), 240'000U);
}

TEST(MetricsTest, CallsByMethodCodeAndLatency) {
  Counted counted({"consent.v1.A/Check"});
  Metrics& metrics = counted.metrics;
  for (const char* method : {"consent.v1.A/Check", "consent.v1.A/Check", "consent.v1.A/Check", "consent.v1.B/Other"}) {
    metrics.OnStarted(method);
  }
  metrics.OnCall({"consent.v1.A/Check", absl::StatusCode::kOk, nanoseconds(30'000)});
  metrics.OnCall({"consent.v1.A/Check", absl::StatusCode::kInvalidArgument, nanoseconds(20'000'000'000)});
  metrics.OnCall({"consent.v1.B/Other", absl::StatusCode::kOk, nanoseconds(-5)});
  const std::string text = counted.Text();
  const std::string check = "grpc_type=\"unary\",grpc_service=\"consent.v1.A\",grpc_method=\"Check\"";
  const std::string unknown = "grpc_type=\"unary\",grpc_service=\"unknown\",grpc_method=\"unknown\"";
  EXPECT_THAT(text, HasSubstr("grpc_server_started_total{" + check + "} 3\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total{" + check + ",grpc_code=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total{" + check + ",grpc_code=\"InvalidArgument\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total{" + check + ",grpc_code=\"Unavailable\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("DataLoss"))) << "nothing is answered with it";
  EXPECT_THAT(text, HasSubstr("grpc_server_handled_total{" + unknown + ",grpc_code=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_bucket{" + check + ",le=\"2.5e-05\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_bucket{" + check + ",le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_bucket{" + check + ",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("grpc_server_handling_seconds_sum{" + check + "} 20.00003\n"));
}

TEST(MetricsTest, AMethodThatNobodyCallsHasNoHistogramAndACodeThatCannotBeIsShownOnceItWas) {
  Counted counted({"consent.v1.A/Check", "consent.v1.A/Never"});
  counted.metrics.OnCall({"consent.v1.A/Check", absl::StatusCode::kDataLoss, nanoseconds(1)});
  const std::string text = counted.Text();
  EXPECT_THAT(text, HasSubstr("grpc_method=\"Never\",grpc_code=\"OK\"} 0\n"));
  EXPECT_THAT(text,
              Not(HasSubstr("grpc_server_handling_seconds_count{grpc_type=\"unary\",grpc_service=\"consent.v1.A\","
                            "grpc_method=\"Never\"")));
  EXPECT_THAT(text, HasSubstr("grpc_method=\"Check\",grpc_code=\"DataLoss\"} 1\n"));
}

TEST(MetricsTest, EachCodeHasTheNameThatOthersKnow) {
  EXPECT_STREQ(GrpcCode(absl::StatusCode::kOk), "OK");
  EXPECT_STREQ(GrpcCode(absl::StatusCode::kCancelled), "Canceled");
  EXPECT_STREQ(GrpcCode(static_cast<absl::StatusCode>(77)), "Unknown");
  std::set<std::string> names;
  for (int code = 0; code < 17; ++code) names.insert(GrpcCode(static_cast<absl::StatusCode>(code)));
  EXPECT_EQ(names.size(), 17U);
}

TEST(MetricsTest, WhatWasAskedByCallerPurposeRegimeAndAnswer) {
  Counted counted({});
  Metrics& metrics = counted.metrics;
  metrics.OnAsked({"sampler", domain::Purpose::kHumanReview, "eea", 3, 2});
  metrics.OnAsked({"sampler", domain::Purpose::kHumanReview, "eea", 0, 5});
  metrics.OnAsked({"store", domain::Purpose::kAdvertising, "us", 1, 0});
  metrics.OnMissingFact("sampler", domain::MissingFact::kWake, 4);
  metrics.OnMissingFact("sampler", static_cast<domain::MissingFact>(200), 1);  // indexes nothing beyond
  const std::string text = counted.Text();
  const std::string by_sampler = "consentd_asked_total{caller=\"sampler\",purpose=\"human_review\",regime=\"eea\"";
  EXPECT_THAT(text, HasSubstr(by_sampler + ",eligibility=\"eligible\"} 3\n"));
  EXPECT_THAT(text, HasSubstr(by_sampler + ",eligibility=\"not_eligible\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("consentd_asked_total{caller=\"store\",purpose=\"advertising\",regime=\"us\",eligibility="
                              "\"not_eligible\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("consentd_missing_facts_total{caller=\"sampler\",fact=\"wake\"} 4\n"));
}

TEST(MetricsTest, CallersAndRegimesBeyondTheirBoundAreOther) {
  Counted counted({});
  Metrics& metrics = counted.metrics;
  for (size_t i = 0; i < Metrics::kMaxCallers + 3; ++i) {
    const std::string caller = "caller-" + std::to_string(i);
    rpc::CallSeen call;
    call.method = "x";
    call.code = absl::StatusCode::kOk;
    call.caller = caller;
    metrics.OnCall(call);
  }
  for (size_t i = 0; i < Metrics::kMaxRegimes + 2; ++i) {
    const std::string regime = "regime-" + std::to_string(i);
    metrics.OnAsked({"caller-0", domain::Purpose::kHumanReview, regime, 1, 0});
  }
  const std::string text = counted.Text();
  EXPECT_THAT(text, HasSubstr("consentd_caller_calls_total{caller=\"caller-63\",grpc_code=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_caller_calls_total{caller=\"other\",grpc_code=\"OK\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("regime=\"regime-15\",eligibility=\"eligible\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("regime=\"other\",eligibility=\"eligible\"} 2\n"));
}

TEST(MetricsTest, WhatIsExpectedIsThereBeforeTheFirst) {
  Counted counted({"consent.v1.A/Check"});
  ExpectedLabels labels;
  labels.callers = {{"sampler", true}, {"operator", false}};
  labels.regimes = {"eea"};
  labels.controls = {"help_improve"};
  labels.purposes.Add(domain::Purpose::kHumanReview);
  counted.metrics.Expect(labels);
  const std::string text = counted.Text();
  for (const char* line :
       {"consentd_asked_total{caller=\"sampler\",purpose=\"human_review\",regime=\"eea\",eligibility=\"eligible\"} 0\n",
        "consentd_missing_facts_total{caller=\"sampler\",fact=\"site\"} 0\n",
        "consentd_caller_calls_total{caller=\"operator\",grpc_code=\"Internal\"} 0\n",
        "consentd_choices_total{control=\"help_improve\",choice=\"off\",result=\"refused\"} 0\n",
        "consentd_decisions_total{purpose=\"human_review\",eligibility=\"not_eligible\",disposition=\"keep\",reason="
        "\"no_consent\"} 0\n",
        "consentd_decisions_total{purpose=\"none\",eligibility=\"none\",disposition=\"keep\",reason=\"none\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  // Whoever may not check has no series of checks; nobody asks for a purpose that is not used.
  EXPECT_THAT(text, Not(HasSubstr("consentd_asked_total{caller=\"operator\"")));
  EXPECT_THAT(text, Not(HasSubstr("purpose=\"advertising\"")));
  EXPECT_THAT(text, Not(HasSubstr("eligibility=\"eligible\",disposition=\"purge\"")));
}

TEST(MetricsTest, DecisionsByPurposeOutcomeAndFirstReason) {
  Counted counted({});
  Metrics& metrics = counted.metrics;
  metrics.OnDecisions({domain::Purpose::kHumanReview, domain::Eligibility::kEligible, domain::Disposition::kKeep,
                       domain::Reason::kConsent, 900});
  metrics.OnDecisions({domain::Purpose::kHumanReview, domain::Eligibility::kEligible, domain::Disposition::kKeep,
                       domain::Reason::kConsent, 99});
  metrics.OnDecisions({domain::Purpose::kNone, domain::Eligibility::kNotAnswered, domain::Disposition::kPurge,
                       domain::Reason::kDoNotSave, 1});
  metrics.OnItemErrors(3);
  metrics.OnUnknownRegions(2);
  const std::string text = counted.Text();
  EXPECT_THAT(text, HasSubstr("consentd_decisions_total{purpose=\"human_review\",eligibility=\"eligible\",disposition="
                              "\"keep\",reason=\"consent\"} 999\n"));
  EXPECT_THAT(text, HasSubstr("consentd_decisions_total{purpose=\"none\",eligibility=\"none\",disposition=\"purge\","
                              "reason=\"do_not_save\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_batch_item_errors_total 3\n"));
  EXPECT_THAT(text, HasSubstr("consentd_unknown_regions_total 2\n"));
}

TEST(MetricsTest, ValuesThatAreNoEnumValueDoNotIndexBeyond) {
  Counted counted({});
  Metrics& metrics = counted.metrics;
  metrics.OnDecisions({static_cast<domain::Purpose>(200), static_cast<domain::Eligibility>(200),
                       static_cast<domain::Disposition>(200), static_cast<domain::Reason>(200), 1});
  metrics.OnCall({"x", static_cast<absl::StatusCode>(77), nanoseconds(1)});
  metrics.OnChange(
      {static_cast<service::ChangeKind>(99), static_cast<domain::Channel>(99), false, 0, 0, 0, 0xff, true});
  EXPECT_THAT(counted.Text(), HasSubstr("grpc_code=\"Unknown\"} 1\n"));
}

TEST(MetricsTest, ChangesAndChoices) {
  Counted counted({});
  Metrics& metrics = counted.metrics;
  metrics.OnChange({service::ChangeKind::kOptOut, domain::Channel::kVoice, true, 2, 1, 3, 0});
  metrics.OnChange(
      {service::ChangeKind::kReportRecording, domain::Channel::kMissing, false, 1, 0, 0, domain::Flags::kSafety});
  rpc::ChoiceSeen choice;
  choice.channel = domain::Channel::kApp;
  choice.target = domain::TargetKind::kControl;
  choice.control = "help_improve";
  choice.on = true;
  choice.changed = true;
  metrics.OnChoice(choice);
  choice.refusal = domain::Refusal::kEtagMismatch;
  choice.control = {};
  metrics.OnChoice(choice);
  choice = {};
  choice.target = domain::TargetKind::kPurpose;
  choice.purpose = domain::Purpose::kAdvertising;
  metrics.OnChoice(choice);
  const std::string text = counted.Text();
  EXPECT_THAT(text, HasSubstr("consentd_changes_total{kind=\"opt_out\",channel=\"voice\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_changes_total{kind=\"report_recording\",channel=\"none\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_choices_total{control=\"help_improve\",choice=\"on\",result=\"changed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_choices_total{control=\"unknown\",choice=\"on\",result=\"refused\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("consentd_choices_total{control=\"advertising\",choice=\"off\",result=\"unchanged\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_change_parts_total{result=\"refused\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("consentd_flags_reported_total{flag=\"safety\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("consentd_registrations_total 1\n"));
}

TEST(MetricsTest, ChoiceSeriesAreBounded) {
  Counted counted({});
  rpc::ChoiceSeen choice;
  choice.target = domain::TargetKind::kControl;
  for (size_t i = 0; i < EventCounter::kMaxSeries + 10; ++i) {
    const std::string control = "control_" + std::to_string(i);
    choice.control = control;
    counted.metrics.OnChoice(choice);
  }
  EXPECT_THAT(counted.Text(),
              HasSubstr("consentd_choices_total{control=\"other\",choice=\"off\",result=\"unchanged\"} 10\n"));
}

TEST(MetricsTest, WhatHappensSeldomIsThereBeforeTheFirst) {
  Counted counted({});
  const std::string text = counted.Text();
  for (const char* line :
       {"consentd_change_parts_total{result=\"refused\"} 0\n",
        "consentd_flags_reported_total{flag=\"child_present\"} 0\n", "consentd_registrations_total 0\n",
        "consentd_batch_item_errors_total 0\n", "consentd_unknown_regions_total 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("consentd_opt_outs_total{channel=\"voice\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("consentd_changes_total{kind=\"hold_placed\",channel=\"none\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("consentd_decisions_total")));
}

}  // namespace
}  // namespace consent::ops
