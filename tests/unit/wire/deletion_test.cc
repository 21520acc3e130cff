// What is told of a deletion request: a text that is true at the time of asking, and no time that is none.
#include "daemon/wire/deletion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace consent::wire::deletion_test {
namespace {

using domain::DeletionState;
using domain::OnHold;
using ::testing::HasSubstr;
using ::testing::Not;

const base::Instant kReceived{1'700'000'000'000'000};  // 14 November 2023
const base::Instant kDue = kReceived + base::Days(30);

domain::DeletionRequest RequestIn(DeletionState state) {
  domain::DeletionRequest request;
  request.cause = domain::DeletionCause::kRequested;
  request.state = state;
  request.received_at = kReceived;
  request.confirm_by = kReceived + base::Days(10);
  request.due_at = kDue;
  if (!domain::IsOpen(state)) request.ended_at = kReceived + base::Days(1);
  if (state == DeletionState::kDenied) request.denied_reason = "identity not shown";
  return request;
}

v1::DeletionRequest Told(const domain::DeletionRequest& request, OnHold on_hold, base::Instant now) {
  v1::DeletionRequest out;
  WriteDeletion(request, on_hold, "e", {}, now, &out);
  return out;
}

TEST(SummaryTest, NoStatePromisesADayThatHasPassed) {
  for (const DeletionState state :
       {DeletionState::kReceived, DeletionState::kVerifying, DeletionState::kAccepted, DeletionState::kInProgress,
        DeletionState::kCompleted, DeletionState::kDenied, DeletionState::kCancelled}) {
    for (const OnHold on_hold : {OnHold::kNo, OnHold::kByLaw, OnHold::kForSafety}) {
      const domain::DeletionRequest request = RequestIn(state);
      const std::string late = Told(request, on_hold, kDue + base::Days(1)).summary();
      const std::string early = Told(request, on_hold, kReceived + base::Days(2)).summary();
      EXPECT_THAT(late, Not(HasSubstr("We will finish"))) << static_cast<int>(state);
      EXPECT_THAT(early, Not(HasSubstr("should have been"))) << static_cast<int>(state);
      const bool promises = domain::IsOpen(state) && on_hold == OnHold::kNo;
      EXPECT_EQ(early.find("We will finish it by 2023-12-14") != std::string::npos, promises) << early;
      EXPECT_EQ(late.find("It should have been finished by 2023-12-14") != std::string::npos, promises) << late;
      EXPECT_EQ(late.find("The law makes us keep") != std::string::npos,
                domain::IsOpen(state) && on_hold == OnHold::kByLaw)
          << late;
      EXPECT_EQ(late.find("We have to keep some of it for a few days") != std::string::npos,
                domain::IsOpen(state) && on_hold == OnHold::kForSafety)
          << late;
      EXPECT_THAT(late, Not(HasSubstr("danger"))) << "whoever reads it may be who somebody is in danger of";
    }
  }
}

TEST(ConfirmationTest, IsToldWithItsChannelAndMissedWhileOpen) {
  domain::DeletionRequest request = RequestIn(DeletionState::kReceived);
  const base::Instant before = request.confirm_by - base::Microseconds(1);
  EXPECT_FALSE(Told(request, OnHold::kNo, before).confirmation_overdue());
  for (const OnHold on_hold : {OnHold::kNo, OnHold::kByLaw, OnHold::kForSafety}) {
    const v1::DeletionRequest late = Told(request, on_hold, request.confirm_by);
    EXPECT_TRUE(late.confirmation_overdue()) << "a hold keeps nobody from writing a letter";
    EXPECT_FALSE(late.overdue());
    EXPECT_FALSE(late.has_receipt_confirmed_at());
    EXPECT_EQ(late.receipt_channel(), v1::RECEIPT_CHANNEL_UNSPECIFIED);
  }
  EXPECT_FALSE(Told(RequestIn(DeletionState::kCompleted), OnHold::kNo, kDue).confirmation_overdue());
  request.receipt_confirmed_at = kDue;
  request.receipt_channel = domain::ReceiptChannel::kInApp;
  const v1::DeletionRequest told = Told(request, OnHold::kNo, kDue + base::Days(1));
  EXPECT_EQ(told.receipt_confirmed_at().seconds(), kDue.micros / 1'000'000);
  EXPECT_EQ(told.receipt_channel(), v1::RECEIPT_CHANNEL_IN_APP);
  EXPECT_FALSE(told.confirmation_overdue());
}

// "Delete what I said today", from a phone that lives in tomorrow already.
TEST(SpokenDayTest, OfTwoClocksTheServersDecidesWhatDayItIs) {
  const base::IdHasher hasher(base::Bytes16{7});
  constexpr int64_t kMidnight = 1'773'187'200;  // 2026-03-11T00:00:00Z
  const auto begins = [&](int64_t spoken, int64_t now) {
    v1::CreateDeletionRequestRequest request;
    request.set_account_id("a");
    request.set_request_id("q");
    request.set_requester(v1::ACTOR_SELF);
    request.mutable_selector()->mutable_spoken_day()->mutable_spoken_at()->set_seconds(spoken);
    request.mutable_selector()->mutable_spoken_day()->set_time_zone("UTC");
    const auto input = ReadCreateDeletion(request, hasher, base::Instant{now * 1'000'000});
    EXPECT_TRUE(input.ok()) << input.status();
    return input.ok() ? input->times.from.micros / 1'000'000 : 0;
  };
  EXPECT_EQ(begins(kMidnight + 20, kMidnight - 20), kMidnight - 86'400) << "the day that still is";
  EXPECT_EQ(begins(kMidnight - 20, kMidnight + 20), kMidnight - 86'400) << "the day on which it was said";
  EXPECT_EQ(begins(kMidnight, kMidnight), kMidnight);
}

TEST(SummaryTest, ADenialSaysWhyAndWhatCanBeDoneAboutIt) {
  const std::string summary = Told(RequestIn(DeletionState::kDenied), OnHold::kNo, kDue).summary();
  EXPECT_THAT(summary, HasSubstr("identity not shown"));
  EXPECT_THAT(summary, HasSubstr("complain"));
}

TEST(CoversTest, WhatIsToldIsInOrder) {
  domain::DeletionRequest request = RequestIn(DeletionState::kAccepted);
  request.selector.kind = domain::SelectorKind::kTimeRange;
  request.selector.captured =
      domain::OrderedTimes::Between(kReceived + base::Seconds(20), kReceived, kReceived + base::Microseconds(1));
  const v1::TimeRange covers = Told(request, OnHold::kNo, kReceived).covers();
  EXPECT_EQ(covers.from().seconds(), covers.to().seconds());
  EXPECT_EQ(covers.from().nanos(), covers.to().nanos());
}

TEST(SummaryTest, OnlyWhatIsMeantIsSaidToBeUnused) {
  domain::DeletionRequest request = RequestIn(DeletionState::kAccepted);
  EXPECT_THAT(Told(request, OnHold::kNo, kReceived).summary(), HasSubstr("We do not use the recordings any more."));
  for (const auto kind : {domain::SelectorKind::kPurposeCopies, domain::SelectorKind::kVoiceId}) {
    for (const DeletionState state : {DeletionState::kReceived, DeletionState::kAccepted, DeletionState::kDenied}) {
      request = RequestIn(state);
      request.selector.kind = kind;
      EXPECT_THAT(Told(request, OnHold::kNo, kReceived).summary(), Not(HasSubstr("recordings")))
          << "their audio is used on";
    }
  }
  EXPECT_THAT(Told(RequestIn(DeletionState::kReceived), OnHold::kByLaw, kReceived).summary(),
              Not(HasSubstr("will be deleted")))
      << "nobody knows that yet";
}

TEST(SummaryTest, ALateDraftIsNobodysWishAndNoRecording) {
  domain::DeletionRequest request = RequestIn(DeletionState::kAccepted);
  request.cause = domain::DeletionCause::kLateDraft;
  request.selector.kind = domain::SelectorKind::kDraft;
  const v1::DeletionRequest told = Told(request, OnHold::kNo, kReceived);
  EXPECT_THAT(told.summary(), HasSubstr("came too late to be kept on "));
  EXPECT_THAT(told.summary(), HasSubstr("We do not use what was written any more."));
  EXPECT_THAT(told.summary(), Not(HasSubstr("settings")));
  EXPECT_FALSE(told.has_covers());
  EXPECT_EQ(told.cause(), v1::DELETION_CAUSE_LATE_DRAFT);
}

TEST(SelectorTest, ADraftCannotBeAskedFor) {
  v1::CreateDeletionRequestRequest request;
  request.set_account_id("a");
  request.mutable_selector()->mutable_draft()->set_recording_id("r");
  request.mutable_selector()->mutable_draft()->set_digest(std::string(32, 'd'));
  const auto read = ReadCreateDeletion(request, base::IdHasher(base::Bytes16{7}), kReceived);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("cannot be asked for"));
}

TEST(CoversTest, TheEndOfTimeIsNoTime) {
  domain::DeletionRequest request = RequestIn(DeletionState::kReceived);
  request.selector.kind = domain::SelectorKind::kAccountClosure;
  EXPECT_FALSE(Told(request, OnHold::kNo, kReceived).has_covers()) << "a closure has no times";
  request.selector.kind = domain::SelectorKind::kProfile;
  request.selector.captured = domain::OrderedTimes::Always();
  EXPECT_FALSE(Told(request, OnHold::kNo, kReceived).covers().has_from());
  EXPECT_FALSE(Told(request, OnHold::kNo, kReceived).covers().has_to());
  request.due_at = request.confirm_by = base::kEndOfTime;
  const v1::DeletionRequest told = Told(request, OnHold::kNo, kReceived);
  EXPECT_FALSE(told.has_due_at());
  EXPECT_FALSE(told.has_confirm_by());
  EXPECT_THAT(told.summary(), Not(HasSubstr("9999")));
}

}  // namespace
}  // namespace consent::wire::deletion_test
