// Legal holds and the exceptions of tasks between the library's values and the protos: nothing that this library does
// not know leaves a task usable, since deleting by the rest could delete what is on hold.
#include <gtest/gtest.h>

#include "client/src/convert.h"

namespace consent {
namespace {

Time Second(int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

// Field 100, of which this library knows nothing.
const std::string kUnknownField("\xa2\x06\x01x", 4);

std::vector<HoldSelector> EveryHold() {
  return {{WholeAccount{}, {}},
          {WholeAccount{}, {Second(1), Second(2)}},
          {WholeAccount{}, {{}, Second(2)}},
          {ProfileId("p"), {Second(1), {}}},
          {DeviceId("d"), {}},
          {std::vector<RecordingId>{RecordingId("r1"), RecordingId("r\n2")}, {}}};
}

// A task that deletes everything but what `fill` excepts.
template <typename Fill>
PurgeTask TaskWith(const Fill& fill) {
  v1::PurgeTask proto;
  proto.mutable_selector()->set_everything(true);
  proto.mutable_covers()->mutable_to()->set_seconds(9);
  fill(proto);
  return FromProto(proto);
}

bool IsUsable(const PurgeTask& task) { return !std::holds_alternative<std::monostate>(task.selector); }

// Puts the unknown field into each message that `at`, which is or is in `root`, can hold, however deep; one at a time.
template <typename Root>
int ExpectEachIsNoticed(const Root& root, google::protobuf::Message* at) {
  int messages = 1;
  const auto* reflection = at->GetReflection();
  for (int i = 0; i < at->GetDescriptor()->field_count(); ++i) {
    const auto* field = at->GetDescriptor()->field(i);
    if (field->message_type() == nullptr) continue;
    auto* inner = field->is_repeated() ? reflection->AddMessage(at, field) : reflection->MutableMessage(at, field);
    EXPECT_TRUE(IsKnown(root)) << field->full_name();
    messages += ExpectEachIsNoticed(root, inner);
    EXPECT_TRUE(inner->MergeFromString(kUnknownField));
    EXPECT_FALSE(IsKnown(root)) << field->full_name();
    inner->Clear();
    // A field of the message, and not in the form in which it is known.
    EXPECT_TRUE(inner->MergeFromString(std::string("\x0d\0\0\0\0", 5)));
    EXPECT_FALSE(IsKnown(root)) << field->full_name();
    reflection->ClearField(at, field);
  }
  return messages;
}

TEST(IsKnownTest, NoMessageOfASelectorIsForgotten) {
  v1::DeletionSelector deletion;
  EXPECT_EQ(ExpectEachIsNoticed(deletion, &deletion), 10);
  ASSERT_TRUE(deletion.MergeFromString(kUnknownField));
  EXPECT_FALSE(IsKnown(deletion));
  v1::HoldSelector hold;
  EXPECT_EQ(ExpectEachIsNoticed(hold, &hold), 5);
  ASSERT_TRUE(hold.MergeFromString(kUnknownField));
  EXPECT_FALSE(IsKnown(hold));
}

TEST(HoldSelectorTest, ComesBackAsItWent) {
  for (const HoldSelector& selector : EveryHold()) {
    v1::HoldSelector proto;
    ToProto(selector, &proto);
    EXPECT_EQ(FromProto(proto), selector) << proto.DebugString();
    EXPECT_EQ(proto.has_captured(), selector.captured != TimeRange{});
  }
  v1::HoldSelector none;
  ToProto(HoldSelector(), &none);
  EXPECT_EQ(none.scope_case(), v1::HoldSelector::SCOPE_NOT_SET) << "the daemon refuses it";
}

TEST(HoldSelectorTest, WhatIsNotKnownInFullIsNotKnown) {
  const auto is_unknown = [](const v1::HoldSelector& proto) { return FromProto(proto) == HoldSelector(); };
  EXPECT_TRUE(is_unknown({}));
  v1::HoldSelector proto;
  proto.set_account(false);
  EXPECT_TRUE(is_unknown(proto));
  for (const HoldSelector& selector : EveryHold()) {
    ToProto(selector, &(proto = {}));
    ASSERT_TRUE(proto.MergeFromString(kUnknownField));
    EXPECT_TRUE(is_unknown(proto)) << proto.DebugString();
  }
  proto = {};
  proto.set_account(true);
  ASSERT_TRUE(proto.mutable_captured()->ParseFromString(kUnknownField));
  EXPECT_TRUE(is_unknown(proto));
  proto.mutable_captured()->Clear();
  EXPECT_FALSE(is_unknown(proto));
  proto.mutable_captured()->mutable_from()->set_nanos(-1);
  EXPECT_TRUE(is_unknown(proto));
  proto.mutable_captured()->Clear();
  proto.mutable_recordings()->add_recording_ids("r");
  EXPECT_TRUE(is_unknown(proto)) << "times beside recordings are not in the contract";
}

TEST(TaskExceptionsTest, AreReadInFull) {
  const PurgeTask task = TaskWith([](v1::PurgeTask& proto) {
    for (const HoldSelector& selector : EveryHold()) ToProto(selector, proto.add_exceptions());
    proto.set_cause(v1::DELETION_CAUSE_RETENTION);
  });
  EXPECT_TRUE(IsUsable(task));
  EXPECT_EQ(task.exceptions, EveryHold());
  EXPECT_EQ(task.cause, DeletionCause::kRetention);
  EXPECT_TRUE(IsUsable(TaskWith([](v1::PurgeTask&) {}))) << "no cause is said";
}

TEST(TaskExceptionsTest, OneThatIsNotKnownLeavesNothingToDeleteBy) {
  const PurgeTask task = TaskWith([](v1::PurgeTask& proto) {
    proto.add_exceptions()->set_profile_id("p");
    ASSERT_TRUE(proto.add_exceptions()->ParseFromString(kUnknownField));
  });
  EXPECT_FALSE(IsUsable(task));
  EXPECT_EQ(task.exceptions.size(), 2u) << "nothing is left out";
  EXPECT_FALSE(IsUsable(TaskWith([](v1::PurgeTask& proto) { proto.add_exceptions(); })));
}

TEST(TaskExceptionsTest, ACauseOrARangeThatIsNotKnownLeavesNothingToDeleteBy) {
  EXPECT_FALSE(IsUsable(TaskWith([](v1::PurgeTask& proto) { proto.set_cause(static_cast<v1::DeletionCause>(99)); })));
  EXPECT_FALSE(IsUsable(TaskWith([](v1::PurgeTask& proto) { proto.mutable_covers()->mutable_to()->set_nanos(-1); })));
  EXPECT_FALSE(
      IsUsable(TaskWith([](v1::PurgeTask& proto) { proto.mutable_covers()->mutable_from()->set_seconds(INT64_MAX); })));
  EXPECT_FALSE(IsUsable(
      TaskWith([](v1::PurgeTask& proto) { ASSERT_TRUE(proto.mutable_covers()->MergeFromString(kUnknownField)); })));
}

TEST(HoldTest, IsReadInFull) {
  v1::Hold proto;
  proto.set_hold_id("h");
  proto.set_account_id("a");
  proto.mutable_selector()->set_device_id("d");
  proto.set_authority("court");
  proto.set_reason("discovery");
  proto.mutable_placed_at()->set_seconds(1);
  proto.set_etag("e");
  Hold hold = FromProto(proto);
  EXPECT_EQ(hold.hold_id, HoldId("h"));
  EXPECT_EQ(hold.account_id, AccountId("a"));
  EXPECT_EQ(hold.selector, (HoldSelector{DeviceId("d"), {}}));
  EXPECT_EQ(hold.authority, "court");
  EXPECT_EQ(hold.reason, "discovery");
  EXPECT_EQ(hold.placed_at, Second(1));
  EXPECT_FALSE(hold.released_at.has_value());
  EXPECT_EQ(hold.etag, Etag("e"));
  proto.mutable_released_at()->set_seconds(2);
  proto.set_release_authority("the same");
  proto.set_release_reason("settled");
  hold = FromProto(proto);
  EXPECT_EQ(hold.released_at, Second(2));
  EXPECT_EQ(hold.release_authority, "the same");
  EXPECT_EQ(hold.release_reason, "settled");
  EXPECT_FALSE(hold.past_review || hold.reviewed_at.has_value());
  proto.mutable_review_at()->set_seconds(3);
  proto.mutable_reviewed_at()->set_seconds(4);
  proto.set_review_reason("goes on");
  proto.set_past_review(true);
  hold = FromProto(proto);
  EXPECT_EQ(hold.review_at, Second(3));
  EXPECT_EQ(hold.reviewed_at, Second(4));
  EXPECT_EQ(hold.review_reason, "goes on");
  EXPECT_TRUE(hold.past_review);
}

TEST(HoldTest, OrdersCarryTheirParts) {
  PlaceHoldOrder place{AccountId("a"), {ProfileId("p"), {}}, "court", "discovery", {}, RequestId("id")};
  v1::PlaceHoldRequest placed;
  ToProto(place, &placed);
  EXPECT_EQ(placed.account_id(), "a");
  EXPECT_EQ(placed.selector().profile_id(), "p");
  EXPECT_EQ(placed.authority(), "court");
  EXPECT_EQ(placed.reason(), "discovery");
  EXPECT_EQ(placed.request_id(), "id");
  EXPECT_FALSE(placed.has_evidence() || placed.has_review_at());
  place.review_at = Second(5);
  ToProto(place, &placed);
  EXPECT_EQ(placed.review_at().seconds(), 5);
  ReleaseHoldOrder release{HoldId("h"), Etag("e"), "court", "settled", {}, RequestId("id")};
  release.evidence.actor = Actor::kSystem;
  v1::ReleaseHoldRequest released;
  ToProto(release, &released);
  EXPECT_EQ(released.hold_id(), "h");
  EXPECT_EQ(released.etag(), "e");
  EXPECT_EQ(released.authority(), "court");
  EXPECT_EQ(released.reason(), "settled");
  EXPECT_EQ(released.evidence().actor(), v1::ACTOR_SYSTEM);
  v1::ListHoldsRequest list;
  ToProto(HoldQuery{AccountId("a"), true, 7, "t", true}, &list);
  EXPECT_EQ(list.account_id(), "a");
  EXPECT_TRUE(list.include_released());
  EXPECT_EQ(list.page_size(), 7);
  EXPECT_EQ(list.page_token(), "t");
  EXPECT_TRUE(list.past_review());
}

TEST(ClosedSubjectTest, SaysWhenItWasClosedAndStartedAnew) {
  v1::GetSubjectResponse proto;
  EXPECT_FALSE(FromProto(proto).closed_at.has_value() || FromProto(proto).reopened_at.has_value());
  proto.mutable_closed_at()->set_seconds(1);
  proto.mutable_reopened_at()->set_seconds(2);
  EXPECT_EQ(FromProto(proto).closed_at, Second(1));
  EXPECT_EQ(FromProto(proto).reopened_at, Second(2));
}

}  // namespace
}  // namespace consent
