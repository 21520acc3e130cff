// Deletion requests: states only move forward, tombstones merge without covering more or less, retries wait longer.
#include "daemon/domain/deletion.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace consent::domain {
namespace {

constexpr Instant kDay{base::Days(20'000).micros};

SystemPart Ended(SystemNumber system, PurgeOutcome outcome = PurgeOutcome::kAcknowledged) {
  SystemPart part;
  part.system = system;
  part.outcome = outcome;
  return part;
}

bool MayFollow(RequestState before, RequestState after) {
  if (before == after) return true;
  switch (before) {
    case RequestState::kReceived:
      return after != RequestState::kInProgress && after != RequestState::kCompleted;
    case RequestState::kVerifying:
      return after == RequestState::kAccepted || after == RequestState::kDenied || after == RequestState::kCancelled;
    case RequestState::kAccepted:
      return after == RequestState::kInProgress || after == RequestState::kCompleted || after == RequestState::kCancelled;
    case RequestState::kInProgress:
      return after == RequestState::kCompleted;
    case RequestState::kCompleted:
    case RequestState::kDenied:
    case RequestState::kCancelled:
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
        case 0: BeginVerification(request); break;
        case 1: Verify(request, now, {1, 2}); break;
        case 2: Deny(request, now, "why"); break;
        case 3: Extend(request, now, DeadlineRules{}); break;
        case 4: Cancel(request, now); break;
        case 5: Begin(request); break;
        case 6: AddPart(request, system); break;
        default: EndPart(request, Ended(system), now); break;
      }
      ASSERT_TRUE(MayFollow(before.state, request.state))
          << seed << ": " << static_cast<int>(before.state) << " to " << static_cast<int>(request.state);
      if (request.state == RequestState::kCompleted) {
        ASSERT_FALSE(request.parts.empty()) << seed;
        for (const SystemPart& part : request.parts) ASSERT_NE(part.outcome, PurgeOutcome::kOpen) << seed;
      }
      ASSERT_TRUE(IsOpen(before.state) || request == before) << seed << ": what has ended stays as it is";
      ASSERT_EQ(request.ended_at.IsSet(), !IsOpen(request.state)) << seed;
    }
  }
}

TEST(DeletionRequest, AnEndIsToldOnce) {
  DeletionRequest request;
  Verify(request, kDay, {1, 2});
  EXPECT_TRUE(EndPart(request, Ended(1), kDay));
  EXPECT_FALSE(EndPart(request, Ended(1, PurgeOutcome::kNotFound), kDay)) << "it had ended";
  EXPECT_EQ(request.Find(1)->outcome, PurgeOutcome::kAcknowledged);
  EXPECT_FALSE(EndPart(request, Ended(7), kDay)) << "not one of its systems";
  EXPECT_FALSE(EndPart(request, Ended(2, PurgeOutcome::kOpen), kDay));
  EXPECT_EQ(request.state, RequestState::kInProgress);
  EXPECT_FALSE(Complete(request, kDay)) << "one is open";
  EXPECT_TRUE(EndPart(request, Ended(2), kDay));
  EXPECT_EQ(request.state, RequestState::kInProgress) << "its key is still in the files";
  AddPart(request, 3);
  EXPECT_EQ(request.Find(3), nullptr) << "a system that comes now has nothing to be told with";
  EXPECT_TRUE(Complete(request, kDay));
  EXPECT_EQ(request.state, RequestState::kCompleted);
  EXPECT_FALSE(Complete(request, kDay)) << "once";
}

TEST(DeletionRequest, WithoutSystemsItWaits) {
  DeletionRequest request;
  Verify(request, kDay, {});
  EXPECT_EQ(request.state, RequestState::kAccepted);
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
  EXPECT_EQ(Extend(request, request.due_at, ccpa), StepRefusal::kExtension);
  EXPECT_TRUE(request.IsOverdue(request.due_at));
  EXPECT_EQ(Extend(request, request.due_at - base::Microseconds(1), ccpa), StepRefusal::kNone);
  EXPECT_EQ(request.due_at, kDay + base::Days(91));
  EXPECT_EQ(Extend(request, kDay + base::Days(1), ccpa), StepRefusal::kExtension) << "once";
}

// Over small times, instant by instant: merged or not, exactly the same is covered.
TEST(Tombstones, MergeWithoutCoveringMoreOrLess) {
  constexpr int kTimes = 40;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 dice(seed);
    SubjectFacts facts;
    std::set<std::tuple<int, int, int>> covered;  // state, scope, instant
    for (int i = 0; i < 12; ++i) {
      Tombstone tombstone;
      tombstone.state = static_cast<DeletionState>(dice() % 3);
      tombstone.scope = dice() % 2 == 0 ? ScopeKind::kAccount : ScopeKind::kProfile;
      if (tombstone.scope == ScopeKind::kProfile) tombstone.handle.fill(9);
      const auto from = static_cast<int64_t>(1 + dice() % kTimes);
      tombstone.captured = {Instant{from}, Instant{from + static_cast<int64_t>(dice() % 6)}};
      ASSERT_TRUE(AddTombstone(facts, tombstone));
      for (int64_t t = tombstone.captured.from.micros; t <= tombstone.captured.to.micros; ++t) {
        covered.insert({static_cast<int>(tombstone.state), static_cast<int>(tombstone.scope), static_cast<int>(t)});
      }
    }
    std::set<std::tuple<int, int, int>> merged;
    for (const Tombstone& tombstone : facts.tombstones) {
      for (int64_t t = tombstone.captured.from.micros; t <= tombstone.captured.to.micros; ++t) {
        ASSERT_TRUE(merged.insert({static_cast<int>(tombstone.state), static_cast<int>(tombstone.scope), static_cast<int>(t)}).second)
            << seed << ": two cover the same";
      }
      for (const Tombstone& other : facts.tombstones) {
        const bool touches = other.state == tombstone.state && other.scope == tombstone.scope &&
                             other.captured.from.micros == tombstone.captured.to.micros + 1;
        ASSERT_FALSE(touches) << seed << ": not merged";
      }
    }
    ASSERT_EQ(merged, covered) << seed;
  }
}

// The n-th of separate moments.
Tombstone Moment(size_t n) {
  const Instant at{static_cast<int64_t>(10 * n + 1)};
  return {DeletionState::kVerified, ScopeKind::kAccount, {}, {at, at}};
}
const Tombstone kAllTimes{DeletionState::kVerified, ScopeKind::kAccount, {}, {Instant{}, base::kEndOfTime}};

TEST(Tombstones, WhereTheRecordHoldsNoMoreAllAreBesideIt) {
  SubjectFacts facts;
  for (size_t i = 0; i < kMaxTombstones; ++i) ASSERT_TRUE(AddTombstone(facts, Moment(i)));
  EXPECT_EQ(facts.tombstones.size(), kMaxTombstones);
  EXPECT_FALSE(facts.has_more_tombstones);
  ASSERT_TRUE(AddTombstone(facts, Moment(kMaxTombstones)));
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
  Cover cover;
  for (size_t i = 0; i < kMaxCovered; ++i) ASSERT_TRUE(cover.Add(Moment(i)));
  const std::vector<Tombstone> full = cover.All();
  EXPECT_FALSE(cover.Add(Moment(kMaxCovered)));
  Tombstone other = Moment(0);
  other.state = DeletionState::kPending;
  EXPECT_FALSE(cover.Add(other));
  EXPECT_EQ(cover.All(), full) << "nothing was added";
  EXPECT_TRUE(cover.Add(Moment(7))) << "it is there already";
  EXPECT_TRUE(cover.Add(kAllTimes));
  EXPECT_EQ(cover.size(), 1U);
}

TEST(Tombstones, OfACoverExactlyThoseKindsAreVisitedThatMatch) {
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 dice(seed);
    const auto some = [&dice](int64_t longest) {
      const auto from = static_cast<int64_t>(1 + dice() % 60);
      return Interval{Instant{from}, Instant{from + static_cast<int64_t>(dice()) % longest}};
    };
    Cover cover;
    std::vector<Tombstone> all;
    for (int i = 0; i < 20; ++i) {
      Tombstone tombstone{static_cast<DeletionState>(dice() % 3), ScopeKind::kProfile, {}, some(5), {}};
      tombstone.handle.fill(static_cast<uint8_t>(dice() % 2));
      if (dice() % 3 == 0) tombstone.copies_of.Add(Purpose::kHumanReview);
      if (tombstone.captured.to < tombstone.captured.from) std::swap(tombstone.captured.from, tombstone.captured.to);
      ASSERT_TRUE(cover.Add(tombstone));
      all.push_back(tombstone);
    }
    for (int i = 0; i < 20; ++i) {
      Interval asked = some(8);
      if (asked.to < asked.from) std::swap(asked.from, asked.to);
      const auto kind = [](const Tombstone& t) { return std::tuple(t.state, t.handle, t.copies_of.bits); };
      std::set<std::tuple<DeletionState, base::Bytes16, uint8_t>> expected;
      for (const Tombstone& t : all) {
        if (t.captured.from <= asked.to && asked.from <= t.captured.to) expected.insert(kind(t));
      }
      decltype(expected) visited;
      cover.Visit(asked.from, asked.to, [&](const Tombstone& t) {
        EXPECT_TRUE(visited.insert(kind(t)).second) << "once each";
        EXPECT_TRUE(t.captured.from <= asked.to && asked.from <= t.captured.to);
      });
      ASSERT_EQ(visited, expected) << seed;
    }
  }
}

TEST(Marks, TheStrictestStays) {
  RecordingMarks marks;
  StrengthenMarks(marks, DeletionState::kDenied);
  EXPECT_EQ(marks.tombstone, DeletionState::kDenied);
  StrengthenMarks(marks, DeletionState::kPending);
  EXPECT_EQ(marks.tombstone, DeletionState::kPending);
  StrengthenMarks(marks, DeletionState::kVerified);
  StrengthenMarks(marks, DeletionState::kPending);
  EXPECT_EQ(marks.tombstone, DeletionState::kVerified);
}

TEST(Retries, WaitLongerAndNeverMoreThanADay) {
  for (uint32_t failures = 1; failures < 100; ++failures) {
    const int64_t whole = failures > 11 ? base::Days(1).micros : std::min(base::Days(1).micros, base::Seconds(60).micros << (failures - 1));
    for (const uint64_t random : {uint64_t{0}, uint64_t{12'345'678'901}, UINT64_MAX}) {
      const Span delay = RetryDelay(failures, random);
      EXPECT_GE(delay.micros, whole / 2) << failures;
      EXPECT_LE(delay.micros, whole) << failures;
    }
  }
}

}  // namespace
}  // namespace consent::domain
