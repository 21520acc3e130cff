#include "daemon/domain/review.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace consent::domain {
namespace {

constexpr Instant kNow{1'700'000'000'000'000};
const base::BootTime kUntil{base::BootId{1}, base::Hours(2)};

ReviewGrant Given(const ReviewGrant& before = {}) {
  NewGrant grant;
  grant.id.bytes[0] = static_cast<uint8_t>(before.fence + 1);
  grant.media[0] = 7;
  grant.now = kNow;
  grant.until = kUntil;
  grant.numbers.subject = 5;
  grant.numbers.accounts = 1;
  return GiveGrant(before, grant);
}
GrantName NameOf(const ReviewGrant& grant) { return {grant.id, grant.fence}; }
GrantStanding Standing(const ReviewGrant& grant) { return {grant.numbers, false, true}; }

TEST(ReviewGrant, NothingIsAllowedByDefault) {
  EXPECT_EQ(StateOf({}, {}, false), GrantState::kNone);
  EXPECT_EQ(MayUse({}, {}, {}), GrantEnd::kOtherGrant) << "fence 0 is no grant's";
  EXPECT_EQ(MayUse(Given(), NameOf(Given()), {}), GrantEnd::kSubjectChanged);
  const ReviewGrant grant = Given();
  EXPECT_EQ(MayUse(grant, NameOf(grant), {grant.numbers}), GrantEnd::kExpired);
  EXPECT_EQ(MayUse(grant, NameOf(grant), {grant.numbers, false}), GrantEnd::kNotEligible);
  EXPECT_EQ(MayUse(grant, NameOf(grant), Standing(grant)), GrantEnd::kNone);
}

TEST(ReviewGrant, EachNumberEndsIt) {
  const std::vector<std::pair<GrantEnd, std::function<void(ReviewNumbers&)>>> moves = {
      {GrantEnd::kSubjectChanged, [](ReviewNumbers& n) { ++n.subject; }},
      {GrantEnd::kSubjectChanged, [](ReviewNumbers& n) { ++n.accounts; }},
      {GrantEnd::kPolicyChanged, [](ReviewNumbers& n) { n.policy = kNow; }},
      {GrantEnd::kSuspensionsChanged, [](ReviewNumbers& n) { ++n.suspensions; }},
      {GrantEnd::kRevoked, [](ReviewNumbers& n) { ++n.revocations[0]; }},
      {GrantEnd::kRevoked, [](ReviewNumbers& n) { ++n.revocations[1]; }},
      {GrantEnd::kRevoked, [](ReviewNumbers& n) { ++n.revocations[2]; }},
      {GrantEnd::kRevoked, [](ReviewNumbers& n) { ++n.revocations[3]; }},
  };
  for (const auto& [end, move] : moves) {
    const ReviewGrant grant = Given();
    GrantStanding standing = Standing(grant);
    move(standing.numbers);
    EXPECT_EQ(MayUse(grant, NameOf(grant), standing), end);
    EXPECT_EQ(StateOf(grant, standing.numbers, false), GrantState::kRestricted);
    EXPECT_EQ(StateOf(grant, standing.numbers, true), GrantState::kRestricted) << "that is told first";
  }
}

TEST(ReviewGrant, TheIdAndTheFenceAreBothItsOwn) {
  ReviewGrant first = Given();
  EndGrant(ReviewOutcome::kSkipped, &first);
  const ReviewGrant second = Given(first);
  EXPECT_EQ(second.fence, 2U);
  EXPECT_EQ(second.outcome, ReviewOutcome::kNone);
  EXPECT_EQ(MayUse(second, NameOf(first), Standing(second)), GrantEnd::kOtherGrant);
  EXPECT_EQ(MayUse(second, {first.id, 2}, Standing(second)), GrantEnd::kOtherGrant);
  EXPECT_EQ(MayUse(second, {second.id, 1}, Standing(second)), GrantEnd::kOtherGrant);
  EXPECT_EQ(MayUse(second, NameOf(second), Standing(second)), GrantEnd::kNone);
}

TEST(ReviewGrant, ATokenIsBurnedOnceAndReplacedByTheNext) {
  ReviewGrant grant = Given();
  EXPECT_EQ(RedeemToken({}, false, &grant), TokenEnd::kReplaced) << "none was given";
  const base::Bytes16 one{1}, two{2};
  OpenMedia(kNow, {one, kUntil}, &grant);
  EXPECT_EQ(RedeemToken(two, false, &grant), TokenEnd::kReplaced);
  EXPECT_EQ(RedeemToken(one, true, &grant), TokenEnd::kOver);
  EXPECT_EQ(RedeemToken(one, false, &grant), TokenEnd::kNone);
  EXPECT_EQ(RedeemToken(one, false, &grant), TokenEnd::kRedeemed);
  OpenMedia(kNow + base::Seconds(5), {two, kUntil}, &grant);
  EXPECT_EQ(RedeemToken(one, false, &grant), TokenEnd::kReplaced);
  EXPECT_EQ(RedeemToken(two, false, &grant), TokenEnd::kNone);
  EXPECT_EQ(grant.opened_at, kNow);
  EXPECT_EQ(grant.opens, 2U);
  EXPECT_EQ(grant.redeems, 2U);
}

TEST(ReviewGrant, TheFirstWordAboutItStays) {
  ReviewGrant grant = Given();
  const base::Digest digest{3};
  EXPECT_FALSE(IsSubmitted(grant, NameOf(grant), digest));
  SubmitGrant(digest, &grant);
  EXPECT_TRUE(IsSubmitted(grant, NameOf(grant), digest));
  EXPECT_FALSE(IsSubmitted(grant, NameOf(grant), base::Digest{4}));
  EXPECT_FALSE(IsSubmitted(grant, {grant.id, 9}, digest));
  EndGrant(ReviewOutcome::kSafety, &grant);
  EXPECT_EQ(grant.outcome, ReviewOutcome::kSubmitted);
  EXPECT_EQ(StateOf(grant, grant.numbers, false), GrantState::kSubmitted);
  EXPECT_EQ(MayUse(grant, NameOf(grant), Standing(grant)), GrantEnd::kSubmitted);
}

TEST(ReviewGrant, WhoseDraftWasLateIsOverForGood) {
  ReviewGrant grant = Given();
  grant.draft_was_late = true;
  EXPECT_EQ(MayUse(grant, NameOf(grant), Standing(grant)), GrantEnd::kNotEligible) << "whatever the rule says now";
  EXPECT_EQ(StateOf(grant, grant.numbers, false), GrantState::kRestricted);
  EXPECT_EQ(MayUse(grant, NameOf(grant), {grant.numbers}), GrantEnd::kExpired);
  EXPECT_FALSE(Given(grant).draft_was_late) << "the next one's is its own";
}

TEST(ReviewGrant, ADraftIsLeftWhereNothingWasSaidOfTheGrantBefore) {
  for (const GrantEnd end : {GrantEnd::kExpired, GrantEnd::kSubjectChanged, GrantEnd::kPolicyChanged,
                             GrantEnd::kSuspensionsChanged, GrantEnd::kRevoked, GrantEnd::kNotEligible}) {
    EXPECT_TRUE(LeavesDraft(end));
  }
  for (const GrantEnd end :
       {GrantEnd::kNone, GrantEnd::kSubmitted, GrantEnd::kEnded, GrantEnd::kRenewedBefore, GrantEnd::kOtherGrant}) {
    EXPECT_FALSE(LeavesDraft(end));
  }
}

TEST(ReviewGrant, ItIsRenewedOnce) {
  ReviewGrant grant = Given();
  const base::BootTime later{base::BootId{1}, base::Hours(3)};
  EXPECT_EQ(RenewGrant(kNow, later, &grant), GrantEnd::kNone);
  EXPECT_EQ(grant.until, later);
  EXPECT_EQ(RenewGrant(kNow, kUntil, &grant), GrantEnd::kRenewedBefore);
  EXPECT_EQ(grant.until, later);
}

TEST(ReviewHearings, OneReviewerWaitsThirtyDaysAndTheListIsBounded) {
  const base::Bytes16 ann{1}, ben{2};
  const base::Date today{20'000};
  std::vector<Hearing> hearings;
  EXPECT_EQ(CheckHearing(hearings, ann, today), MayHear::kYes);
  NoteHearing(ann, today, &hearings);
  EXPECT_EQ(CheckHearing(hearings, ann, today), MayHear::kRecently);
  EXPECT_EQ(CheckHearing(hearings, ben, today), MayHear::kYes);
  EXPECT_EQ(CheckHearing(hearings, ann, base::Date{20'029}), MayHear::kRecently);
  EXPECT_EQ(CheckHearing(hearings, ann, base::Date{20'030}), MayHear::kYes);
  EXPECT_EQ(CheckHearing(hearings, ann, base::Date{19'000}), MayHear::kRecently) << "a clock that went back";
  for (size_t i = hearings.size(); i < kMaxHearings; ++i) {
    base::Bytes16 somebody{3};
    somebody[1] = static_cast<uint8_t>(i);
    somebody[2] = static_cast<uint8_t>(i >> 8);
    NoteHearing(somebody, today, &hearings);
  }
  EXPECT_EQ(CheckHearing(hearings, ben, today), MayHear::kOften);
  EXPECT_EQ(CheckHearing(hearings, ben, base::Date{20'030}), MayHear::kYes);
  NoteHearing(ben, base::Date{20'030}, &hearings);
  EXPECT_EQ(hearings.size(), 1U) << "those that are over go";
}

TEST(ReviewOutcomes, FourAreFlags) {
  EXPECT_EQ(FlagsOf(ReviewOutcome::kCriticalData), Flags::kCriticalData);
  EXPECT_EQ(FlagsOf(ReviewOutcome::kSafety), Flags::kSafety);
  EXPECT_EQ(FlagsOf(ReviewOutcome::kChild), Flags::kChildPresent);
  EXPECT_EQ(FlagsOf(ReviewOutcome::kAccidental), Flags::kAccidental);
  for (const ReviewOutcome none : {ReviewOutcome::kNone, ReviewOutcome::kSubmitted, ReviewOutcome::kInaudible,
                                   ReviewOutcome::kSkipped, ReviewOutcome::kNotRecorded}) {
    EXPECT_EQ(FlagsOf(none), 0);
  }
}

}  // namespace
}  // namespace consent::domain
