// Deletion requests: states only move forward, tombstones merge without covering more or less, retries wait longer.
#include "daemon/domain/deletion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace consent::domain::deletion_test {
namespace {

constexpr Instant kDay{base::Days(20'000).micros};

Moment At(Instant t) { return Moment{t, 1}; }

SystemProgress Ended(SystemNumber system, PurgeOutcome outcome = PurgeOutcome::kAcknowledged) {
  SystemProgress part;
  part.system = system;
  part.outcome = outcome;
  return part;
}

bool MayFollow(DeletionState before, DeletionState after) {
  if (before == after) return true;
  switch (before) {
    case DeletionState::kReceived:
      return after != DeletionState::kInProgress && after != DeletionState::kCompleted;
    case DeletionState::kVerifying:
      return after == DeletionState::kAccepted || after == DeletionState::kDenied || after == DeletionState::kCancelled;
    case DeletionState::kAccepted:
      return after == DeletionState::kInProgress || after == DeletionState::kCompleted ||
             after == DeletionState::kCancelled;
    case DeletionState::kInProgress:
      return after == DeletionState::kCompleted;
    case DeletionState::kCompleted:
    case DeletionState::kDenied:
    case DeletionState::kCancelled:
      break;
  }
  return false;
}

TEST(DeletionRequest, StatesOnlyMoveForwardAndNothingIsCompletedWithAPartOpen) {
  for (uint64_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937_64 dice(seed);
    DeletionRequest request;
    request.received_at = kDay;
    request.due_at = kDay + base::Days(30);
    for (int step = 0; step < 12; ++step) {
      const DeletionRequest before = request;
      const auto system = static_cast<SystemNumber>(1 + dice() % 3);
      const Instant now = kDay + base::Hours(step);
      switch (dice() % 9) {
        case 0:
          BeginVerification(request);
          break;
        case 1:
          Verify(request, At(now), {1, 2});
          break;
        case 2:
          Deny(request, At(now), "why");
          break;
        case 3:
          Extend(request, At(now), DeadlineRules{});
          break;
        case 4:
          Cancel(request, At(now));
          break;
        case 5:
          Begin(request);
          break;
        case 6:
          AddPart(request, system);
          break;
        default:
          EndPart(request, Ended(system), now);
          break;
      }
      ASSERT_TRUE(MayFollow(before.state, request.state))
          << seed << ": " << static_cast<int>(before.state) << " to " << static_cast<int>(request.state);
      if (request.state == DeletionState::kCompleted) {
        ASSERT_FALSE(request.parts.empty()) << seed;
        for (const SystemProgress& part : request.parts) ASSERT_NE(part.outcome, PurgeOutcome::kOpen) << seed;
      }
      ASSERT_TRUE(IsOpen(before.state) || request == before) << seed << ": what has ended stays as it is";
      ASSERT_EQ(request.ended_at.IsSet(), !IsOpen(request.state)) << seed;
    }
  }
}

TEST(DeletionRequest, TheFirstConfirmationOfItsReceiptStays) {
  for (int state = 1; state <= static_cast<int>(DeletionState::kCancelled); ++state) {
    DeletionRequest request;
    request.state = static_cast<DeletionState>(state);
    request.received_at = kDay;
    EXPECT_EQ(ConfirmReceipt(request, At(kDay + base::Days(2)), kDay + base::Days(1), ReceiptChannel::kLetter),
              StepRefusal::kNone);
    EXPECT_EQ(request.state, static_cast<DeletionState>(state))
        << "it is a fact about the request, whatever became of it";
    const DeletionRequest told = request;
    EXPECT_EQ(ConfirmReceipt(request, At(kDay + base::Days(3)), kDay, ReceiptChannel::kEmail), StepRefusal::kNone);
    EXPECT_EQ(request, told);
    EXPECT_EQ(request.receipt_confirmed_at, kDay + base::Days(1));
    EXPECT_EQ(request.receipt_channel, ReceiptChannel::kLetter);
  }
}

TEST(DeletionRequest, AReceiptIsConfirmedBetweenItselfAndNow) {
  DeletionRequest request;
  request.received_at = kDay;
  const base::Span tick = base::Microseconds(1);
  const Moment moment = At(kDay + base::Days(1));
  for (const Instant at : {kDay - tick, moment.time + tick, base::kEndOfTime}) {
    EXPECT_EQ(ConfirmReceipt(request, moment, at, ReceiptChannel::kEmail), StepRefusal::kConfirmedAt);
    EXPECT_FALSE(request.receipt_confirmed_at.IsSet());
  }
  for (const Instant at : {kDay, moment.time}) {
    DeletionRequest other = request;
    EXPECT_EQ(ConfirmReceipt(other, moment, at, ReceiptChannel::kEmail), StepRefusal::kNone);
    EXPECT_EQ(other.receipt_confirmed_at, at);
  }
  // The stamp may be ahead of a wall that was set back: people mean the wall.
  Moment ahead = moment;
  ahead.time = kDay + base::Days(2);
  EXPECT_EQ(ConfirmReceipt(request, ahead, kDay + base::Hours(30), ReceiptChannel::kEmail), StepRefusal::kConfirmedAt);
  Moment set_back = moment;
  set_back.now.wall = kDay - base::Days(1);
  EXPECT_EQ(ConfirmReceipt(request, set_back, Instant{}, ReceiptChannel::kEmail), StepRefusal::kNone);
  EXPECT_EQ(request.receipt_confirmed_at, kDay) << "without a time it is now, and never before the receipt";
}

TEST(DeletionRequest, IsLateForItsConfirmationWhileItIsOpenAndNobodySaidIt) {
  DeletionRequest request;
  request.received_at = kDay;
  request.confirm_by = kDay + base::Days(10);
  request.due_at = kDay + base::Days(45);
  const auto late = [&](Instant now) { return IsLate(request, DeadlineKind::kConfirmation, now); };
  EXPECT_FALSE(late(request.confirm_by - base::Microseconds(1)));
  EXPECT_TRUE(late(request.confirm_by)) << "ends are exclusive";
  EXPECT_FALSE(IsLate(request, DeadlineKind::kCompletion, request.confirm_by));
  for (const DeletionCause cause : {DeletionCause::kWithdrawal, DeletionCause::kRetention, DeletionCause::kLateDraft}) {
    request.cause = cause;
    EXPECT_FALSE(late(request.due_at)) << "nobody asked";
  }
  request.cause = DeletionCause::kRequested;
  for (const DeletionState state : {DeletionState::kCompleted, DeletionState::kDenied, DeletionState::kCancelled}) {
    request.state = state;
    EXPECT_FALSE(late(request.due_at)) << "the end was told, and nothing is left to be confirmed";
  }
  request.state = DeletionState::kInProgress;
  EXPECT_TRUE(late(request.due_at));
  ConfirmReceipt(request, At(request.due_at), Instant{}, ReceiptChannel::kOther);
  EXPECT_FALSE(late(request.due_at)) << "late as it was";
}

TEST(DeletionRequest, ADraftIsOneResultAndNeitherTimesNorATombstone) {
  Selector draft;
  draft.kind = SelectorKind::kDraft;
  draft.draft = {base::RecordingHandle{{1}}, base::Digest{2}};
  EXPECT_FALSE(draft.IsOpenEnded());
  EXPECT_TRUE(TimesOf(draft.kind, {}, At(kDay)).IsEmpty());
  DeletionRequest request;
  request.cause = DeletionCause::kLateDraft;
  request.selector = draft;
  Verify(request, At(kDay), {1});
  Tombstone tombstone;
  EXPECT_FALSE(TombstoneOf(request, &tombstone));
  EXPECT_TRUE(MaySelect(draft, base::RecordingHandle{{1}}));
  EXPECT_FALSE(MaySelect(draft, base::RecordingHandle{{2}}));
  HeldPart held;
  held.captured = {Instant{}, base::kEndOfTime};
  EXPECT_TRUE(MayOverlap(held, draft) && CoversAll(held, draft)) << "all of the account";
  held.captured = {kDay, base::kEndOfTime};
  EXPECT_TRUE(MayOverlap(held, draft)) << "nobody knows when it was captured";
  EXPECT_FALSE(CoversAll(held, draft));
  held.recordings = {base::RecordingHandle{{1}}, base::RecordingHandle{{3}}};
  EXPECT_TRUE(MayOverlap(held, draft) && CoversAll(held, draft));
  held.recordings = {base::RecordingHandle{{3}}};
  EXPECT_FALSE(MayOverlap(held, draft) || CoversAll(held, draft));
  Selector other = draft;
  other.draft.digest = base::Digest{3};
  EXPECT_TRUE(LiesWithin(draft, draft));
  EXPECT_FALSE(LiesWithin(other, draft));
  Selector recording;
  recording.kind = SelectorKind::kRecordings;
  recording.recordings = {base::RecordingHandle{{1}}};
  EXPECT_FALSE(LiesWithin(recording, draft)) << "the recording is more than one result of it";
  EXPECT_FALSE(FollowsSettings(request.cause) || FollowsSettings(DeletionCause::kRequested));
}

TEST(DeletionRequest, AnEndIsToldOnce) {
  DeletionRequest request;
  Verify(request, At(kDay), {1, 2});
  EXPECT_TRUE(EndPart(request, Ended(1), kDay));
  EXPECT_FALSE(EndPart(request, Ended(1, PurgeOutcome::kNotFound), kDay)) << "it had ended";
  EXPECT_EQ(request.Find(1)->outcome, PurgeOutcome::kAcknowledged);
  EXPECT_FALSE(EndPart(request, Ended(7), kDay)) << "not one of its systems";
  EXPECT_FALSE(EndPart(request, Ended(2, PurgeOutcome::kOpen), kDay));
  EXPECT_EQ(request.state, DeletionState::kInProgress);
  EXPECT_FALSE(Complete(request, kDay)) << "one is open";
  EXPECT_TRUE(EndPart(request, Ended(2), kDay));
  EXPECT_EQ(request.state, DeletionState::kInProgress) << "its key is still in the files";
  AddPart(request, 3);
  EXPECT_EQ(request.Find(3), nullptr) << "a system that comes now has nothing to be told with";
  EXPECT_TRUE(Complete(request, kDay));
  EXPECT_EQ(request.state, DeletionState::kCompleted);
  EXPECT_FALSE(Complete(request, kDay)) << "once";
}

TEST(DeletionRequest, WithoutSystemsItWaits) {
  DeletionRequest request;
  Verify(request, At(kDay), {});
  EXPECT_EQ(request.state, DeletionState::kAccepted);
  AddPart(request, 3);
  AddPart(request, 1);
  AddPart(request, 3);
  ASSERT_EQ(request.parts.size(), 2U);
  EXPECT_EQ(request.parts[0].system, 1);
}

// Hard case 45.
TEST(DeletionRequest, N45_CcpaDay44WithoutNoticeIsDueOnDay45AndAnExtensionAfterItIsRefused) {
  DeadlineRules ccpa;
  ccpa.completion = {45, PeriodUnit::kCalendarDays};
  ccpa.extension = Extension{{45, PeriodUnit::kCalendarDays}, {45, PeriodUnit::kCalendarDays}};
  DeletionRequest request;
  request.received_at = kDay + base::Hours(9);
  request.due_at = DeadlinesOf(request.received_at, ccpa).complete_by;
  EXPECT_EQ(request.due_at, kDay + base::Days(46)) << "the end of day 45";
  EXPECT_FALSE(request.IsOverdue(kDay + base::Days(44)));
  EXPECT_EQ(Extend(request, At(request.due_at), ccpa), StepRefusal::kExtension);
  EXPECT_TRUE(request.IsOverdue(request.due_at));
  EXPECT_EQ(Extend(request, At(request.due_at - base::Microseconds(1)), ccpa), StepRefusal::kNone);
  EXPECT_EQ(request.due_at, kDay + base::Days(91));
  EXPECT_EQ(Extend(request, At(kDay + base::Days(1)), ccpa), StepRefusal::kExtension) << "once";
}

// What a list of tombstones says of every instant of a small time, of what has no time and was ingested then, by state
// and scope.
std::set<std::tuple<int, int, int, char>> Said(const std::vector<Tombstone>& tombstones, int times) {
  std::set<std::tuple<int, int, int, char>> said;
  for (const Tombstone& t : tombstones) {
    const auto note = [&](int at, char what) {
      said.insert({static_cast<int>(t.state), static_cast<int>(t.scope), at, what});
    };
    for (int at = 1; at <= times; ++at) {
      const Instant instant{at};
      if (t.captured.SurelyOrders(instant, instant)) note(at, 's');
      if (t.captured.PerhapsOrders(instant, instant)) note(at, 'p');
      if (!t.captured.HasBeginning() && instant <= t.captured.sure()) note(at, 'i');
    }
  }
  return said;
}

OrderedTimes SomeTimes(std::mt19937_64& dice, int times) {
  const auto some = [&dice, times] { return Instant{static_cast<int64_t>(1 + dice() % times)}; };
  const Instant from = dice() % 4 == 0 ? Instant{} : some();
  const Instant end = Instant{from.micros + static_cast<int64_t>(1 + dice() % 6)};
  const Instant sure = dice() % 4 == 0   ? Instant{}
                       : dice() % 3 == 0 ? Instant{std::max<int64_t>(1, end.micros - static_cast<int64_t>(dice() % 4))}
                                         : end;
  return OrderedTimes::Between(from, sure, end);
}

// Over small times, instant by instant: merged or not, exactly the same is ordered, surely and perhaps.
TEST(Tombstones, MergeWithoutCoveringMoreOrLess) {
  constexpr int kTimes = 40;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 dice(seed);
    SubjectFacts facts;
    std::vector<Tombstone> all;
    for (int i = 0; i < 12; ++i) {
      Tombstone tombstone;
      tombstone.state = static_cast<TombstoneState>(dice() % 3);
      tombstone.scope = dice() % 2 == 0 ? ScopeKind::kAccount : ScopeKind::kProfile;
      if (tombstone.scope == ScopeKind::kProfile) tombstone.handle.fill(9);
      tombstone.captured = SomeTimes(dice, kTimes);
      ASSERT_TRUE(AddTombstone(facts, tombstone));
      all.push_back(tombstone);
    }
    const std::vector<Tombstone> merged(facts.tombstones.begin(), facts.tombstones.end());
    ASSERT_EQ(Said(merged, kTimes + 8), Said(all, kTimes + 8)) << seed;
    ASSERT_LE(merged.size(), 3 * all.size()) << seed;
  }
}

// The n-th of separate moments.
Tombstone Once(size_t n) {
  const Instant at{static_cast<int64_t>(10 * n + 1)};
  return {TombstoneState::kVerified, ScopeKind::kAccount, {}, OrderedTimes::Between(at, at, at), {}};
}
const Tombstone kAllTimes{TombstoneState::kVerified, ScopeKind::kAccount, {}, OrderedTimes::Always(), {}};

TEST(Tombstones, WhereTheRecordHoldsNoMoreAllAreBesideIt) {
  SubjectFacts facts;
  for (size_t i = 0; i < kMaxTombstones; ++i) ASSERT_TRUE(AddTombstone(facts, Once(i)));
  EXPECT_EQ(facts.tombstones.size(), kMaxTombstones);
  EXPECT_FALSE(facts.has_more_tombstones);
  ASSERT_TRUE(AddTombstone(facts, Once(kMaxTombstones)));
  EXPECT_TRUE(facts.has_more_tombstones);
  EXPECT_TRUE(facts.tombstones.empty());
  ASSERT_NE(facts.cover, nullptr);
  EXPECT_EQ(facts.cover->size(), kMaxTombstones + 1);
  SubjectFacts without = facts;
  without.cover.reset();
  EXPECT_FALSE(AddTombstone(without, kAllTimes)) << "what the others are is not known";
  EXPECT_TRUE(AddTombstone(facts, kAllTimes));
  EXPECT_FALSE(facts.has_more_tombstones);
  EXPECT_EQ(facts.cover, nullptr);
  EXPECT_EQ(facts.tombstones.size(), 1U);
}

TEST(Tombstones, ThereAreNoMoreThanSoMany) {
  TombstoneIntervals cover;
  for (size_t i = 0; i < kMaxCovered; ++i) ASSERT_TRUE(cover.Add(Once(i)));
  const std::vector<Tombstone> full = cover.All();
  EXPECT_FALSE(cover.Add(Once(kMaxCovered)));
  Tombstone other = Once(0);
  other.state = TombstoneState::kPending;
  EXPECT_FALSE(cover.Add(other));
  EXPECT_EQ(cover.All(), full) << "nothing was added";
  EXPECT_TRUE(cover.Add(Once(7))) << "it is there already";
  EXPECT_TRUE(cover.Add(kAllTimes));
  EXPECT_EQ(cover.size(), 1U);
}

TEST(Tombstones, OfACoverExactlyThoseKindsAreVisitedThatMatch) {
  using Kind = std::tuple<TombstoneState, base::Bytes16, uint8_t, bool>;  // and whether surely
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 dice(seed);
    TombstoneIntervals cover;
    std::vector<Tombstone> all;
    for (int i = 0; i < 20; ++i) {
      Tombstone tombstone{static_cast<TombstoneState>(dice() % 3), ScopeKind::kProfile, {}, SomeTimes(dice, 60), {}};
      tombstone.handle.fill(static_cast<uint8_t>(dice() % 2));
      if (dice() % 3 == 0) tombstone.copies_of.Add(Purpose::kHumanReview);
      ASSERT_TRUE(cover.Add(tombstone));
      all.push_back(tombstone);
    }
    for (int i = 0; i < 20; ++i) {
      const Instant first{static_cast<int64_t>(1 + dice() % 60)};
      const Instant last{first.micros + static_cast<int64_t>(dice() % 8)};
      const auto note = [&](std::set<Kind>& into, const Tombstone& t) {
        if (t.captured.SurelyOrders(first, last)) into.insert({t.state, t.handle, t.copies_of.bits, true});
        if (t.captured.PerhapsOrders(first, last)) into.insert({t.state, t.handle, t.copies_of.bits, false});
      };
      std::set<Kind> expected;
      for (const Tombstone& t : all) note(expected, t);
      std::set<Kind> visited;
      cover.Visit(first, last, [&](const Tombstone& t) { note(visited, t); });
      ASSERT_EQ(visited, expected) << seed;
    }
  }
}

// What lies within what: by ids, scopes, copies and times.
TEST(Selectors, WhatVerifiesTheOneVerifiesTheOther) {
  const auto of = [](SelectorKind kind, OrderedTimes times = OrderedTimes::Until(kDay, kDay)) {
    Selector selector;
    selector.kind = kind;
    selector.captured = times;
    return selector;
  };
  const Selector everything = of(SelectorKind::kEverything);
  const Selector closure = of(SelectorKind::kAccountClosure, OrderedTimes::Always());
  Selector profile = of(SelectorKind::kProfile);
  profile.scope = {ScopeKind::kProfile, {1}};
  Selector voice = profile;
  voice.kind = SelectorKind::kVoiceId;
  voice.copies_of.Add(Purpose::kVoiceIdentification);
  Selector ids = of(SelectorKind::kRecordings, OrderedTimes());
  ids.recordings = {{{1}}, {{2}}, {{3}}};
  Selector fewer = ids;
  fewer.recordings = {{{1}}, {{3}}};
  const Selector march = of(SelectorKind::kTimeRange, OrderedTimes::Between(Instant{100}, Instant{200}, Instant{200}));
  const Selector day = of(SelectorKind::kSpokenDay, OrderedTimes::Between(Instant{120}, Instant{130}, Instant{131}));
  for (const Selector& inner : std::vector<Selector>{everything, profile, voice, ids, march, day}) {
    EXPECT_TRUE(LiesWithin(inner, everything));
    EXPECT_TRUE(LiesWithin(inner, closure));
    EXPECT_FALSE(LiesWithin(closure, inner));
  }
  EXPECT_TRUE(LiesWithin(fewer, ids));
  EXPECT_FALSE(LiesWithin(ids, fewer));
  EXPECT_FALSE(LiesWithin(ids, march)) << "nobody knows when they were made";
  EXPECT_TRUE(LiesWithin(day, march));
  EXPECT_FALSE(LiesWithin(march, day));
  EXPECT_FALSE(LiesWithin(everything, march));
  EXPECT_TRUE(LiesWithin(voice, profile));
  EXPECT_FALSE(LiesWithin(profile, voice)) << "only its copies";
  Selector other = voice;
  other.scope.handle = {2};
  EXPECT_FALSE(LiesWithin(other, profile));
}

TEST(Marks, TheStrictestStays) {
  RecordingState marks;
  StrengthenMarks(marks, TombstoneState::kDenied);
  EXPECT_EQ(marks.tombstone, TombstoneState::kDenied);
  StrengthenMarks(marks, TombstoneState::kPending);
  EXPECT_EQ(marks.tombstone, TombstoneState::kPending);
  StrengthenMarks(marks, TombstoneState::kVerified);
  StrengthenMarks(marks, TombstoneState::kPending);
  EXPECT_EQ(marks.tombstone, TombstoneState::kVerified);
}

TEST(Retries, WaitLongerAndNeverMoreThanADay) {
  for (uint32_t failures = 1; failures < 100; ++failures) {
    const int64_t whole = failures > 11 ? base::Days(1).micros
                                        : std::min(base::Days(1).micros, base::Seconds(60).micros << (failures - 1));
    for (const uint64_t random : {uint64_t{0}, uint64_t{12'345'678'901}, UINT64_MAX}) {
      const Span delay = RetryDelay(failures, random);
      EXPECT_GE(delay.micros, whole / 2) << failures;
      EXPECT_LE(delay.micros, whole) << failures;
    }
  }
}

}  // namespace
}  // namespace consent::domain::deletion_test
