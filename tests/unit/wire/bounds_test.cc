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

#include "consent/v1/decision_service.pb.h"
#include "consent/v1/deletion_service.pb.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "consent/v1/purge_service.pb.h"
#include "consent/v1/recording_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"
#include "tests/unit/wire/fields_of.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing {
namespace {

using google::protobuf::Descriptor;

// What a text field takes: its length, or, where it has a form, what is and what is not of that form.
struct TextRule {
  size_t min = 0;
  size_t max = 0;
  std::vector<std::string> good = {};
  std::vector<std::string> bad = {};
};
const TextRule kId{1, 128};
const TextRule kOptionalId{0, 128};
const TextRule kToken{0, 128};
const TextRule kRequestId{1, 64};
const TextRule kRegion{
    0, 6, {"DE", "US-CA", "GB-ENG", "AT-9"}, {"D", "de", "DEU", "US-", "US-CALI", "U1", "US_CA", "us-CA", "D\xc3\x89"}};
const TextRule kSystem{1, 64, {"audio", "a-b_9"}, {"Audio", "a b", "a/b", "\xc3\xa4"}};
const TextRule kFreeRequestId{0, 64};

// What each step of a deletion request has, and each request for texts.
void AddSharedRules(std::map<std::string, TextRule>* rules) {
  for (const char* step : {"VerifyDeletionRequest", "DenyDeletionRequest", "ExtendDeletionRequest", "ConfirmReceipt",
                           "ReceiveAppeal", "AcknowledgeAppeal", "AnswerAppeal", "CancelDeletionRequest"}) {
    rules->emplace("consent.v1." + std::string(step) + "Request.deletion_id", kId);
    rules->emplace("consent.v1." + std::string(step) + "Request.request_id", kFreeRequestId);
  }
  for (const char* call :
       {"DenyDeletionRequest", "GetDeletionRequest", "ListDeletionRequests", "GetSettings", "GetSettingsAt"}) {
    rules->emplace("consent.v1." + std::string(call) + "Request.language", TextRule{0, 35});
  }
}

std::map<std::string, TextRule> MakeTextRules() {
  std::map<std::string, TextRule> rules = {
      {"consent.v1.Recording.recording_id", kId},
      {"consent.v1.Recording.account_id", kId},
      {"consent.v1.Recording.profile_ids", kId},
      {"consent.v1.Recording.device_id", kOptionalId},
      {"consent.v1.Recording.region", kRegion},
      {"consent.v1.Place.country", {0, 2, {"DE", "US"}, {"D", "de", "DEU", "US-CA", "1A"}}},
      {"consent.v1.Place.site", {0, 64}},
      {"consent.v1.CheckRequest.at_least_revision", kToken},
      {"consent.v1.BatchCheckRequest.at_least_revision", kToken},
      {"consent.v1.Scope.profile_id", kId},
      {"consent.v1.Scope.device_id", kId},
      {"consent.v1.SettingTarget.control", {1, 64}},
      {"consent.v1.Evidence.notice_version", {0, 64}},
      {"consent.v1.Evidence.notice_language", {0, 35, {"de", "zh-Hant-TW", "en_US"}, {"d"}}},
      {"consent.v1.Evidence.guardian_id", kOptionalId},
      {"consent.v1.Evidence.reference", {0, 256}},
      {"consent.v1.Age.born",
       {10,
        10,
        {"1900-01-01", "2026-11-21", "2026-11", "2026", "2024-02-29", "1900"},
        {"1899-12-31", "1899", "2026-11-23", "2026-12", "2027", "2023-02-29", "15.02.2010", "2010-2-15", "",
         "2010-02-15T00:00:00Z"}}},
      {"consent.v1.Profile.profile_id", kId},
      {"consent.v1.UpdateSettingsRequest.self_profile_id", {0, 128}},
      {"consent.v1.Profile.guardian_id", kOptionalId},
      {"consent.v1.UpsertSubjectRequest.account_id", kId},
      {"consent.v1.UpsertSubjectRequest.region", {2, 6, kRegion.good, kRegion.bad}},
      {"consent.v1.UpsertSubjectRequest.device_ids", kId},
      {"consent.v1.UpsertSubjectRequest.remove_profile_ids", kId},
      {"consent.v1.UpsertSubjectRequest.remove_device_ids", kId},
      {"consent.v1.UpsertSubjectRequest.etag", kToken},
      {"consent.v1.UpsertSubjectRequest.request_id", kRequestId},
      {"consent.v1.GetSubjectRequest.account_id", kId},
      {"consent.v1.GetSettingsRequest.account_id", kId},
      {"consent.v1.UpdateSettingsRequest.account_id", kId},
      {"consent.v1.UpdateSettingsRequest.etag", kToken},
      {"consent.v1.UpdateSettingsRequest.request_id", kRequestId},
      {"consent.v1.OptOutRequest.account_id", kId},
      {"consent.v1.OptOutRequest.request_id", kRequestId},
      {"consent.v1.ListSettingsHistoryRequest.account_id", kId},
      {"consent.v1.ListSettingsHistoryRequest.page_token", kToken},
      {"consent.v1.GetSettingsAtRequest.account_id", kId},
      {"consent.v1.ReportRecordingRequest.account_id", kId},
      {"consent.v1.ReportRecordingRequest.recording_id", kId},
      {"consent.v1.ReportRecordingRequest.request_id", {0, 64}},
      {"consent.v1.GetPolicyRequest.version", {0, 64, {"2026-01", "a_B.9"}, {"a b", "/", "\xc3\xa4"}}},
      {"consent.v1.SuspendRequest.region", kRegion},
      {"consent.v1.SuspendRequest.reason", {1, 256}},
      {"consent.v1.ResumeRequest.region", kRegion},
      {"consent.v1.ResumeRequest.reason", {1, 256}},
      {"consent.v1.ResumeRequest.etag", kToken},
      {"consent.v1.CreateDeletionRequestRequest.account_id", kId},
      {"consent.v1.CreateDeletionRequestRequest.request_id", kFreeRequestId},
      {"consent.v1.SpokenDay.time_zone",
       {1,
        64,
        {"Europe/Bucharest", "UTC", "America/New_York"},
        {"Nowhere/Else", "/etc/passwd", "../UTC", "Europe/../UTC", "file:UTC"}}},
      {"consent.v1.RecordingIds.recording_ids", kId},
      {"consent.v1.DeletionSelector.profile_id", kId},
      {"consent.v1.DeletionSelector.device_id", kId},
      {"consent.v1.DeletionSelector.voice_id_of_profile_id", kId},
      {"consent.v1.PlaceHoldRequest.account_id", kId},
      {"consent.v1.PlaceHoldRequest.authority", {1, 128}},
      {"consent.v1.PlaceHoldRequest.reason", {1, 256}},
      {"consent.v1.PlaceHoldRequest.request_id", kFreeRequestId},
      {"consent.v1.HoldSelector.profile_id", kId},
      {"consent.v1.HoldSelector.device_id", kId},
      {"consent.v1.ReleaseHoldRequest.hold_id", kId},
      {"consent.v1.ReleaseHoldRequest.etag", kToken},
      {"consent.v1.ReleaseHoldRequest.authority", {1, 128}},
      {"consent.v1.ReleaseHoldRequest.reason", {1, 256}},
      {"consent.v1.ReleaseHoldRequest.request_id", kFreeRequestId},
      {"consent.v1.ListHoldsRequest.account_id", kOptionalId},
      {"consent.v1.ListHoldsRequest.page_token", kToken},
      {"consent.v1.DenyDeletionRequestRequest.reason", {1, 256}},
      {"consent.v1.AnswerAppealRequest.answer", {1, 256}},
      {"consent.v1.CancelDeletionRequestRequest.etag", kToken},
      {"consent.v1.GetDeletionRequestRequest.deletion_id", kId},
      {"consent.v1.ListDeletionRequestsRequest.account_id", kOptionalId},
      {"consent.v1.ListDeletionRequestsRequest.page_token", kToken},
      {"consent.v1.LeaseTasksRequest.system", kSystem},
      {"consent.v1.CompleteTasksRequest.system", kSystem},
      {"consent.v1.FailTasksRequest.system", kSystem},
      {"consent.v1.RenewTasksRequest.system", kSystem},
      {"consent.v1.TaskLease.task_id", kId},
      {"consent.v1.ListTasksRequest.system", kSystem},
      {"consent.v1.ListTasksRequest.page_token", kToken},
      {"consent.v1.TaskResult.task_id", kId},
      {"consent.v1.TaskResult.evidence_hash", {0, 32, {std::string(32, 'x')}, {"x", std::string(31, 'x')}}},
      {"consent.v1.TaskFailure.evidence_hash", {0, 32, {std::string(32, 'x')}, {"x", std::string(31, 'x')}}},
      {"consent.v1.TaskResult.reason", {1, 256}},
      {"consent.v1.TaskFailure.task_id", kId},
      {"consent.v1.TaskFailure.error", {0, 256}},
      {"consent.v1.DataSystem.name", kSystem},
      {"consent.v1.RetireDataSystemRequest.system", kSystem},
      {"consent.v1.RetireDataSystemRequest.reason", {0, 256}},
      {"consent.v1.VerifyDecisionsRequest.store_id", {16, 16}},
      {"consent.v1.VerifyDecisionsRequest.month", {7, 7, {"2026-11"}, {"2026/11", "2026-1", "202611 ", "2026-1a"}}},
      {"consent.v1.VerifyDecisionsRequest.policy_version", {1, 64, {"2026-01", "a_B.9"}, {"a b", "/", "\xc3\xa4"}}},
      {"consent.v1.VerifyDecisionsRequest.policy_hash", {32, 32}},
      {"consent.v1.GetDecisionHandlesRequest.account_id", kOptionalId},
      {"consent.v1.GetDecisionHandlesRequest.recording_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.profile_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.device_ids", kId},
      {"consent.v1.GetDecisionHandlesRequest.months", {7, 7, {"2026-11"}, {"2026/11", "2026-1", "202611 ", "2026-1a"}}},
      {"consent.v1.RecordedYes.subject", {16, 16}},
      {"consent.v1.RecordedYes.recording", {16, 16}},
      {"consent.v1.RecordedYes.profiles", {16, 16}},
      {"consent.v1.RecordedYes.device", {0, 16, {std::string(16, 'x')}, {"x", std::string(15, 'x')}}},
      {"consent.v1.RecordedYes.region", kRegion},
  };
  AddSharedRules(&rules);
  return rules;
}

const std::map<std::string, TextRule>& TextRules() {
  static const std::map<std::string, TextRule> rules = MakeTextRules();
  return rules;
}

// Numbers from..to are taken, from - 1 and to + 1 are not.
const std::map<std::string, std::pair<int64_t, int64_t>>& NumberRules() {
  static const std::map<std::string, std::pair<int64_t, int64_t>> rules = {
      {"consent.v1.Recording.captured_uncertainty_ms", {0, 86'400'000}},
      {"consent.v1.Retention.months", {1, 120}},
      {"consent.v1.ListSettingsHistoryRequest.page_size", {0, 1'000}},
      {"consent.v1.ListDeletionRequestsRequest.page_size", {0, 1'000}},
      {"consent.v1.ListHoldsRequest.page_size", {0, 1'000}},
      {"consent.v1.LeaseTasksRequest.max_tasks", {0, 100}},
      {"consent.v1.LeaseTasksRequest.visibility_seconds", {0, 43'200}},
      {"consent.v1.LeaseTasksRequest.wait_seconds", {0, 60}},
      {"consent.v1.ListTasksRequest.min_failures", {0, 1'000'000}},
      {"consent.v1.ListTasksRequest.page_size", {0, 1'000}},
      {"consent.v1.TaskResult.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.TaskResult.erased_count", {0, 1'000'000'000'000}},
      {"consent.v1.TaskFailure.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.TaskFailure.erased_count", {0, 1'000'000'000'000}},
      {"consent.v1.RenewTasksRequest.visibility_seconds", {0, 43'200}},
      {"consent.v1.TaskLease.epoch", {1, 1'000'000'000'000}},
      {"consent.v1.DataSystem.latest_arrival_seconds", {0, 90 * 86'400}},
      {"google.protobuf.Timestamp.nanos", {0, 999'999'999}},
      {"consent.v1.VerifyDecisionsRequest.wall_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.earliest_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.latest_us", {0, base::kLastInstant.micros}},
      {"consent.v1.VerifyDecisionsRequest.not_before_us", {0, base::kLastInstant.micros}},
      {"consent.v1.RecordedYes.captured_at_us", {0, base::kLastInstant.micros}},
      {"consent.v1.RecordedYes.ingested_at_us", {0, base::kLastInstant.micros}},
      {"consent.v1.RecordedYes.uncertainty_us", {0, int64_t{86'400'000'000}}},
      {"consent.v1.RecordedYes.flags", {0, 15}},
      {"consent.v1.RecordedYes.head", {0, int64_t{1'000'000'000'000'000}}},
      {"consent.v1.RecordedYes.revision", {1, int64_t{1'000'000'000'000'000}}},
  };
  return rules;
}

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
      {"consent.v1.ReportRecordingRequest.flags", {1, 4}},
      {"consent.v1.RecordingIds.recording_ids", {1, 1'000}},
      {"consent.v1.ListDeletionRequestsRequest.states", {0, 7}},
      {"consent.v1.ListDeletionRequestsRequest.causes", {0, 3}},
      {"consent.v1.PurposeCopies.purposes", {1, 7}},
      {"consent.v1.CompleteTasksRequest.results", {1, 100}},
      {"consent.v1.FailTasksRequest.failures", {1, 100}},
      {"consent.v1.RenewTasksRequest.leases", {1, 100}},
      {"consent.v1.DataSystem.matches_by", {1, 7}},
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
                                               "consent.v1.SuspendRequest.purpose",
                                               "consent.v1.ResumeRequest.purpose",
                                               "consent.v1.CreateDeletionRequestRequest.requester",
                                               "consent.v1.ConfirmReceiptRequest.channel",
                                               "consent.v1.ListDeletionRequestsRequest.states",
                                               "consent.v1.ListDeletionRequestsRequest.causes",
                                               "consent.v1.PurposeCopies.purposes",
                                               "consent.v1.TaskResult.outcome",
                                               "consent.v1.DataSystem.kind",
                                               "consent.v1.DataSystem.matches_by",
                                               "consent.v1.VerifyDecisionsRequest.purpose",
                                               "consent.v1.RecordedYes.reason"};
  return chosen;
}

// Bools that may say either.
const std::set<std::string>& FreeBools() {
  static const std::set<std::string> free = {
      "consent.v1.VerifyDeletionRequestRequest.only_begun", "consent.v1.DataSystem.checks_on_ingest",
      "consent.v1.ListHoldsRequest.include_released", "consent.v1.UpsertSubjectRequest.create_new",
      "consent.v1.TaskFailure.not_begun"};
  return free;
}

// Fields of answers in a message that is also asked with; a request that sets them is refused.
const std::set<std::string>& AnswersOnly() {
  static const std::set<std::string> only = {"consent.v1.DataSystem.state", "consent.v1.DataSystem.registered_at",
                                             "consent.v1.DataSystem.retired_at", "consent.v1.DataSystem.open_tasks"};
  return only;
}

void FieldsBelow(const Descriptor& type, std::set<const FieldDescriptor*>* out) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (!out->insert(field).second) continue;
    if (field->message_type() != nullptr) FieldsBelow(*field->message_type(), out);
  }
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
      v1::GetDecisionLogRequest::descriptor()->file()};
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
    const auto rule = TextRules().find(spot.field()->full_name());
    ASSERT_NE(rule, TextRules().end()) << "has no bound in this test";
    const auto refused = [&](const std::string& text) {
      return Names(ReadChanged(kind, sample, spot, [&](Message* parent) { SetText(parent, spot, text); }), spot.Path());
    };
    const auto& [min, max, good, bad] = rule->second;
    EXPECT_TRUE(refused(std::string(max + 1, 'a')));
    EXPECT_TRUE(refused(std::string(70'000, 'a')));
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

// Lengthens or shortens a list by copies of its first element.
void Resize(Message* parent, const FieldDescriptor& field, int count) {
  const auto* reflection = parent->GetReflection();
  while (reflection->FieldSize(*parent, &field) > count) reflection->RemoveLast(parent, &field);
  while (reflection->FieldSize(*parent, &field) < count) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* added = reflection->AddMessage(parent, &field);
      added->CopyFrom(reflection->GetRepeatedMessage(*parent, &field, 0));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->AddString(parent, &field, "x" + std::to_string(reflection->FieldSize(*parent, &field)));
    } else {
      reflection->AddEnumValue(parent, &field, reflection->GetRepeatedEnumValue(*parent, &field, 0));
    }
  }
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
