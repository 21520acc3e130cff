// Every field of every request, found by reflection: a field that nobody bounds or checks fails here.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include "consent/v1/backup_service.pb.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/key_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/review_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/status_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "tests/unit/wire/bounds_rules.h"
#include "tests/unit/wire/fields_of.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing {
namespace {

using google::protobuf::Descriptor;

// How many items a list takes.
const std::map<std::string, std::pair<int, int>>& CountRules() {
  static const std::map<std::string, std::pair<int, int>> rules = {
      {"consent.v1.Recording.profile_ids", {0, 8}},
      {"consent.v1.Recording.flags", {0, 8}},
      {"consent.v1.BatchCheckRequest.recordings", {1, 1'000}},
      {"consent.v1.UpsertSubjectRequest.profiles", {0, 64}},
      {"consent.v1.UpsertSubjectRequest.device_ids", {0, 64}},
      {"consent.v1.UpsertSubjectRequest.remove_profile_ids", {0, 128}},
      {"consent.v1.UpsertSubjectRequest.remove_device_ids", {0, 128}},
      {"consent.v1.UpsertSubjectRequest.initial_choices", {0, 64}},
      {"consent.v1.UpsertSubjectRequest.retention", {0, 64}},
      {"consent.v1.UpdateSettingsRequest.changes", {0, 64}},
      {"consent.v1.UpdateSettingsRequest.retention", {0, 64}},
      {"consent.v1.OptOutRequest.targets", {1, 64}},
      {"consent.v1.ActivatePolicyRequest.loosens", {0, 1'000}},
      {"consent.v1.ReportRecordingRequest.flags", {1, 4}},
      {"consent.v1.RecordingIds.recording_ids", {1, 1'000}},
      {"consent.v1.ListChoicesRequest.to", {0, 3}},
      {"consent.v1.ListDeletionRequestsRequest.states", {0, 7}},
      {"consent.v1.ListDeletionRequestsRequest.causes", {0, 4}},
      {"consent.v1.PurposeCopies.purposes", {1, 7}},
      {"consent.v1.CompleteTasksRequest.results", {1, 100}},
      {"consent.v1.FailTasksRequest.failures", {1, 100}},
      {"consent.v1.RenewTasksRequest.leases", {1, 100}},
      {"consent.v1.RetryTasksRequest.task_ids", {0, 100}},
      {"consent.v1.LeaseReviewsRequest.recordings", {1, 10}},
      {"consent.v1.SubmitReviewRequest.flags", {0, 4}},
      {"consent.v1.ListGrantsRequest.grant_ids", {0, 100}},
      {"consent.v1.ReportPopulationRequest.counts", {1, 300}},
      {"consent.v1.LeaseTasksRequest.accepts", {0, 10}},
      {"consent.v1.DataSystem.matches_by", {1, 7}},
      {"consent.v1.ListChildrenDueRequest.due", {0, 3}},
      {"consent.v1.VerifyDecisionsRequest.yeses", {1, 1'000}},
      {"consent.v1.RecordedYes.profiles", {0, 8}},
      {"consent.v1.GetDecisionHandlesRequest.recording_ids", {0, 1'000}},
      {"consent.v1.GetDecisionHandlesRequest.profile_ids", {0, 8}},
      {"consent.v1.GetDecisionHandlesRequest.device_ids", {0, 8}},
      {"consent.v1.GetDecisionHandlesRequest.months", {1, 36}},
  };
  return rules;
}

// Enums that must say something; in all others zero means "not said".
const std::set<std::string>& ChosenEnums() {
  static const std::set<std::string> chosen = {"consent.v1.SettingTarget.purpose",
                                               "consent.v1.SettingChange.turn",
                                               "consent.v1.ReportRecordingRequest.flags",
                                               "consent.v1.Recording.flags",
                                               "consent.v1.LeaseReviewsRequest.purpose",
                                               "consent.v1.EndReviewRequest.outcome",
                                               "consent.v1.SubmitReviewRequest.flags",
                                               "consent.v1.RevokeReviewsRequest.purpose",
                                               "consent.v1.SuspendRequest.purpose",
                                               "consent.v1.ResumeRequest.purpose",
                                               "consent.v1.CreateDeletionRequestRequest.requester",
                                               "consent.v1.ConfirmReceiptRequest.channel",
                                               "consent.v1.ReceiveAppealRequest.kind",
                                               "consent.v1.AnswerAppealRequest.outcome",
                                               "consent.v1.ListChoicesRequest.to",
                                               "consent.v1.ListDeletionRequestsRequest.states",
                                               "consent.v1.ListDeletionRequestsRequest.causes",
                                               "consent.v1.PurposeCopies.purposes",
                                               "consent.v1.TaskResult.outcome",
                                               "consent.v1.TaskResult.exempt_reason",
                                               "consent.v1.DataSystem.kind",
                                               "consent.v1.LeaseTasksRequest.accepts",
                                               "consent.v1.ListChildrenDueRequest.due",
                                               "consent.v1.DataSystem.matches_by",
                                               "consent.v1.VerifyDecisionsRequest.purpose",
                                               "consent.v1.ExplainDecisionRequest.purpose",
                                               "consent.v1.RecordedYes.reason"};
  return chosen;
}

// Bools that may say either.
const std::set<std::string>& FreeBools() {
  static const std::set<std::string> free = {"consent.v1.VerifyDeletionRequestRequest.only_begun",
                                             "consent.v1.DataSystem.checks_on_ingest",
                                             "consent.v1.ListHoldsRequest.include_released",
                                             "consent.v1.ListHoldsRequest.past_review",
                                             "consent.v1.ListDeletionRequestsRequest.has_open_appeal",
                                             "consent.v1.UpsertSubjectRequest.create_new",
                                             "consent.v1.UpsertSubjectRequest.validate_only",
                                             "consent.v1.UpdateSettingsRequest.validate_only",
                                             "consent.v1.UpdateSettingsRequest.confirm_restored",
                                             "consent.v1.ResumeRequest.restored",
                                             "consent.v1.EndBackupRequest.taken",
                                             "consent.v1.ListSafetyFlagsRequest.overdue",
                                             "consent.v1.JoinSubjectsRequest.into_is_new",
                                             "consent.v1.TaskFailure.not_begun",
                                             "consent.v1.LeaseTasksRequest.look_only",
                                             "consent.v1.ListProposalsRequest.include_ended"};
  return free;
}

// Fields of answers in a message that is also asked with; a request that sets them is refused.
const std::set<std::string>& AnswersOnly() {
  static const std::set<std::string> only = [] {
    std::set<std::string> names = {"consent.v1.SweepCounts.asked",  "consent.v1.Sweep.reported_at",
                                   "consent.v1.Sweep.whole",        "consent.v1.DeletionSelector.draft",
                                   "consent.v1.Draft.recording_id", "consent.v1.Draft.digest"};
    for (const char* name : {"state", "registered_at", "retired_at", "open_tasks", "retention_state",
                             "retention_due_at", "last_sweep", "last_whole_sweep_at"}) {
      names.insert(std::string("consent.v1.DataSystem.") + name);
    }
    return names;
  }();
  return only;
}

// Runs `check(kind, sample message, spot)` for each value of each sample.
template <typename Check>
void ForEachSpot(Check check) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      for (const Spot& spot : SpotsOf(*message)) {
        SCOPED_TRACE(kind.prototype->GetTypeName() + ": " + spot.Path());
        check(kind, *message, spot);
      }
    }
  }
}

template <typename Change>
absl::Status ReadChanged(const RequestKind& kind, const Message& sample, const Spot& spot, Change change) {
  std::unique_ptr<Message> copy(sample.New());
  copy->CopyFrom(sample);
  change(spot.Parent(copy.get()));
  return kind.read(*copy);
}

TEST(Bounds, EveryRequestOfEveryServiceIsHere) {
  std::set<std::string> known;
  for (const RequestKind& kind : AllRequests()) known.insert(kind.prototype->GetTypeName());
  const google::protobuf::FileDescriptor* files[] = {
      v1::CheckRequest::descriptor()->file(),           v1::SuspendRequest::descriptor()->file(),
      v1::ReportRecordingRequest::descriptor()->file(), v1::OptOutRequest::descriptor()->file(),
      v1::UpsertSubjectRequest::descriptor()->file(),   v1::GetDeletionRequestRequest::descriptor()->file(),
      v1::LeaseTasksRequest::descriptor()->file(),      v1::PlaceHoldRequest::descriptor()->file(),
      v1::GetDecisionLogRequest::descriptor()->file(),  v1::GetStatusRequest::descriptor()->file(),
      v1::GetKeysRequest::descriptor()->file(),         v1::ListProposalsRequest::descriptor()->file(),
      v1::BeginBackupRequest::descriptor()->file(),     v1::LeaseReviewsRequest::descriptor()->file()};
  size_t methods = 0;
  for (const auto* file : files) {
    for (int s = 0; s < file->service_count(); ++s) {
      const auto* service = file->service(s);
      for (int i = 0; i < service->method_count(); ++i, ++methods) {
        EXPECT_EQ(known.count(service->method(i)->input_type()->full_name()), 1U) << service->method(i)->full_name();
      }
    }
  }
  EXPECT_EQ(methods, known.size());
}

TEST(Bounds, TheSamplesAreValidAndSetEveryField) {
  std::set<const FieldDescriptor*> declared;
  std::set<const FieldDescriptor*> set;
  for (const RequestKind& kind : AllRequests()) {
    FieldsBelow(*kind.prototype->GetDescriptor(), &declared);
    for (const std::string& sample : kind.samples) {
      EXPECT_TRUE(kind.read(*Parse(kind, sample)).ok()) << kind.read(*Parse(kind, sample));
    }
  }
  ForEachSpot([&](const RequestKind&, const Message&, const Spot& spot) { set.insert(spot.field()); });
  for (const FieldDescriptor* field : declared) {
    EXPECT_EQ(set.count(field), 1U - AnswersOnly().count(field->full_name()))
        << field->full_name() << " is in no sample";
  }
}

TEST(Bounds, EveryTextFieldIsBounded) {
  ForEachSpot([](const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.field()->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    const auto& rules = MoreTextRules().count(spot.field()->full_name()) == 0 ? TextRules() : MoreTextRules();
    const auto rule = rules.find(spot.field()->full_name());
    ASSERT_NE(rule, rules.end()) << "has no bound in this test";
    const auto refused = [&](const std::string& text) {
      return Names(ReadChanged(kind, sample, spot, [&](Message* parent) { SetText(parent, spot, text); }), spot.Path());
    };
    const auto& [min, max, good, bad] = rule->second;
    EXPECT_TRUE(refused(std::string(max + 1, 'a')));
    EXPECT_TRUE(refused(std::string(max + 70'000, 'a')));
    EXPECT_EQ(refused(""), min > 0);
    if (good.empty() && bad.empty()) {
      EXPECT_FALSE(refused(std::string(max, 'a')));
      EXPECT_FALSE(refused(std::string(std::max<size_t>(min, 1), 'a')));
    }
    for (const std::string& text : good) EXPECT_FALSE(refused(text)) << text;
    for (const std::string& text : bad) EXPECT_TRUE(refused(text)) << text;
  });
}

TEST(Bounds, EveryEnumRefusesANumberThatItDoesNotHave) {
  ForEachSpot([](const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.field()->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return;
    const auto refused = [&](int number) {
      return Names(ReadChanged(kind, sample, spot, [&](Message* parent) { SetEnum(parent, spot, number); }),
                   spot.Path());
    };
    const auto& type = *spot.field()->enum_type();
    for (const int number : {-1, 77, INT32_MAX, INT32_MIN, type.value(type.value_count() - 1)->number() + 1}) {
      EXPECT_TRUE(refused(number)) << number;
    }
    EXPECT_EQ(refused(0), ChosenEnums().count(spot.field()->full_name()) == 1);
  });
}

TEST(Bounds, EveryNumberIsBounded) {
  ForEachSpot([](const RequestKind& kind, const Message& sample, const Spot& spot) {
    const bool wide = spot.field()->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
    if (!wide && spot.field()->cpp_type() != FieldDescriptor::CPPTYPE_INT32) return;
    const auto refused = [&](int64_t number) {
      return Names(ReadChanged(kind, sample, spot,
                               [&](Message* parent) {
                                 if (wide) {
                                   parent->GetReflection()->SetInt64(parent, spot.field(), number);
                                 } else {
                                   parent->GetReflection()->SetInt32(parent, spot.field(),
                                                                     static_cast<int32_t>(number));
                                 }
                               }),
                   spot.Path());
    };
    EXPECT_TRUE(refused(wide ? INT64_MIN : INT32_MIN));
    EXPECT_TRUE(refused(wide ? INT64_MAX : INT32_MAX));
    if (spot.field()->full_name() == "google.protobuf.Timestamp.seconds") {
      EXPECT_TRUE(refused(-1));
      EXPECT_TRUE(refused(253'402'300'800));
      return;
    }
    const auto rule = NumberRules().find(spot.field()->full_name());
    ASSERT_NE(rule, NumberRules().end()) << "has no bound in this test";
    const auto& [min, max] = rule->second;
    EXPECT_TRUE(refused(min - 1));
    EXPECT_TRUE(refused(max + 1));
    EXPECT_FALSE(refused(min));
    EXPECT_FALSE(refused(max));
  });
}

TEST(Bounds, EveryBoolOfAChoiceMustBeTrue) {
  ForEachSpot([](const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.field()->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) return;
    if (FreeBools().count(spot.field()->full_name()) != 0) return;
    ASSERT_NE(spot.field()->containing_oneof(), nullptr) << "a bool outside a oneof needs a rule in this test";
    const absl::Status status = ReadChanged(
        kind, sample, spot, [&](Message* parent) { parent->GetReflection()->SetBool(parent, spot.field(), false); });
    EXPECT_TRUE(Names(status, spot.Path()));
  });
}

TEST(Bounds, EveryListIsBounded) {
  ForEachSpot([](const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.index() != 0) return;
    const auto rule = CountRules().find(spot.field()->full_name());
    ASSERT_NE(rule, CountRules().end()) << "has no bound in this test";
    const auto read = [&](int count) {
      return ReadChanged(kind, sample, spot, [&](Message* parent) { Resize(parent, *spot.field(), count); });
    };
    const auto refused = [&](const absl::Status& status) {
      const auto reason = wire::DetailOf(status).reason;
      // The two lists of UpdateSettings share their bound, which is named at the first.
      return Names(status, spot.ListPath()) || reason == v1::ERROR_REASON_BATCH_TOO_LARGE ||
             (kind.prototype->GetDescriptor() == v1::UpdateSettingsRequest::descriptor() && Names(status, "changes"));
    };
    const auto& [min, max] = rule->second;
    EXPECT_TRUE(refused(read(max + 1)));
    EXPECT_TRUE(refused(read(max + 1'000)));
    EXPECT_EQ(refused(read(std::max(min - 1, 0))), min > 0);
    const bool shared = kind.prototype->GetDescriptor() == v1::UpdateSettingsRequest::descriptor();
    EXPECT_TRUE(shared || !refused(read(max)));
  });
}

TEST(Bounds, ANumberOfFaultsIsReportedAtOnceAndAtMostSixteen) {
  v1::OptOutRequest request;
  for (int i = 0; i < 40; ++i) request.add_targets();
  for (const RequestKind& kind : AllRequests()) {
    if (kind.prototype->GetDescriptor() != request.GetDescriptor()) continue;
    const auto detail = wire::DetailOf(kind.read(request));
    EXPECT_EQ(detail.reason, v1::ERROR_REASON_INVALID_FIELD);
    EXPECT_EQ(detail.violations.size(), 16U);
    EXPECT_EQ(detail.violations[0].first, "account_id");
    EXPECT_EQ(detail.violations[1].first, "request_id");
    EXPECT_EQ(detail.violations[2].first, "targets[0]");
  }
}

TEST(Bounds, ErrorsNeverShowAValue) {
  const std::string secret = "S3CRET-";
  ForEachSpot([&](const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.field()->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    std::string text;
    while (text.size() < 300) text += secret;
    const absl::Status status = ReadChanged(kind, sample, spot, [&](Message* parent) { SetText(parent, spot, text); });
    EXPECT_EQ(status.ToString().find(secret), std::string::npos) << status;
  });
}

}  // namespace
}  // namespace consent::testing
