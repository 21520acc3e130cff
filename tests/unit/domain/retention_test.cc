// Retention, its floors and the calendar they rest on.
#include <gtest/gtest.h>

#include <random>

#include "daemon/domain/decide.h"
#include "daemon/domain/transitions_internal.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

TEST(Retention, MonthsAreMonotoneUpToTheDaysThatAMonthLacks) {
  std::mt19937_64 random(20260301);
  const int64_t last = base::kLastInstant.micros;
  for (int i = 0; i < 200'000; ++i) {
    const int64_t a = 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(last));
    // Half of them within a day and a bit, where the ends of months meet.
    const int64_t step = static_cast<int64_t>(random() % (i % 2 == 0 ? 90'000'000'000U : 40U * 86'400'000'000U));
    const int64_t b = std::min(last, a + step);
    const int months = static_cast<int>(random() % 130);
    const Instant of_a = base::AddMonths(Instant{a}, months);
    const Instant of_b = base::AddMonths(Instant{b}, months);
    // Only the time of day can go back, on the last day of a month.
    ASSERT_LT(of_a, of_b + base::Days(1)) << a << " " << b << " " << months;
    ASSERT_LE(of_a, base::AddMonths(Instant{a}, months + 1)) << a << " " << months;
    const Instant earliest = base::EarliestAfterMonths(Instant{a}, Instant{b}, months);
    const Instant latest = base::LatestAfterMonths(Instant{a}, Instant{b}, months);
    ASSERT_LE(earliest, std::min(of_a, of_b)) << a << " " << b << " " << months;
    ASSERT_GE(latest, std::max(of_a, of_b)) << a << " " << b << " " << months;
    const Instant between{a + static_cast<int64_t>(random() % static_cast<uint64_t>(b - a + 1))};
    const Instant of_between = base::AddMonths(between, months);
    ASSERT_LE(earliest, of_between) << a << " " << b << " " << between.micros << " " << months;
    ASSERT_GE(latest, of_between) << a << " " << b << " " << between.micros << " " << months;
  }
}

TEST(Retention, ExpiredUpToIsExactlyTheLastExpiredCapture) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const Instant now = At("2020-01-01T00:00:00Z") +
                        base::Microseconds(static_cast<int64_t>(random() % (10 * 365 * 86'400'000'000ULL)));
    const auto months = static_cast<uint8_t>(1 + random() % 120);
    const Instant last = internal::ExpiredUpTo(Months(months), now);
    ASSERT_LE(base::AddMonths(last, months), now) << i;
    ASSERT_GT(base::AddMonths(last + base::Microseconds(1), months), now) << i;
  }
  EXPECT_FALSE(internal::ExpiredUpTo(kUntilDeleted, At("2026-01-01T00:00:00Z")).IsSet());
  EXPECT_EQ(internal::ExpiredUpTo(kNothingSaved, At("2026-01-01T00:00:00Z")), At("2026-01-01T00:00:00Z"));
}

TEST(Retention, MonthEnds) {
  struct Row {
    const char* now;
    const char* expired;
    const char* kept;
  };
  // Three months before: a capture of 30 November is over when February is, because there is no 30 February.
  const Row rows[] = {{"2026-03-01T00:00:00Z", "2025-11-30T23:59:59Z", "2025-12-01T00:00:01Z"},
                      {"2026-02-28T12:00:00Z", "2025-11-28T12:00:00Z", "2025-11-30T00:00:00Z"},
                      {"2024-02-29T12:00:00Z", "2023-11-29T12:00:00Z", "2023-11-30T00:00:00Z"},
                      {"2026-05-31T00:00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"}};
  for (const Row& row : rows) {
    const Instant last = internal::ExpiredUpTo(Months(3), At(row.now));
    EXPECT_LE(At(row.expired), last) << row.now << " " << base::FormatRfc3339(last);
    EXPECT_GT(At(row.kept), last) << row.now << " " << base::FormatRfc3339(last);
  }
}

TEST(Retention, ShorterNeedsNothingLongerNeedsEverything) {
  const Retention by_strictness[] = {kNothingSaved, Months(3), Months(18), kUntilDeleted};
  for (const Retention& from : by_strictness) {
    for (const Retention& to : by_strictness) {
      SmallWorld world;
      world.Register("DE");
      world.Do(Keep(world, Account(), from));
      Command bare;
      bare.retention = {{Account(), to}};
      const bool longer = &to > &from;
      EXPECT_EQ(RefusalOf(world.Try(bare)), longer ? Refusal::kEtagRequired : Refusal::kNone);
      EXPECT_EQ(RefusalOf(world.Try(Keep(world, Account(), to))), Refusal::kNone);
      EXPECT_EQ(world.Try(Keep(world, Account(), to)).parts[0].changed, !(from == to));
    }
  }
}

TEST(Retention, FloorsNeverSink) {
  std::mt19937_64 random(99);
  const Retention offered[] = {kNothingSaved, Months(3), Months(18), kUntilDeleted};
  for (int story = 0; story < 200; ++story) {
    SmallWorld world;
    world.Register("DE");
    Instant floor;
    for (int step = 0; step < 12; ++step) {
      world.Do(Keep(world, Account(), offered[random() % 4]));
      EXPECT_GE(world.facts.account().purge_floor, floor) << "story " << story;
      floor = world.facts.account().purge_floor;
      world.GoTo(world.next.time + base::Days(static_cast<int64_t>(random() % 200)));
    }
  }
}

TEST(Retention, RemovedScopeKeepsWhatHadExpired) {
  SmallWorld world;
  world.Register("DE");
  world.Do(Keep(world, Device(1), Months(3)));
  const Instant now = world.next.time;
  Command removal = Loosening(world);
  removal.removals = {Device(1)};
  ASSERT_EQ(RefusalOf(world.Do(removal)), Refusal::kNone);
  const ScopeFacts* kept = world.facts.Find(ScopeKind::kDevice, Device(1).handle);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->purge_floor, internal::ExpiredUpTo(Months(3), now));
  EXPECT_EQ(kept->retention, kUntilDeleted) << "what comes later is not its";
  removal.removals = {Profile(1)};
  removal.expected_revision = world.facts.revision;
  ASSERT_EQ(RefusalOf(world.Do(removal)), Refusal::kNone);
  EXPECT_TRUE(world.facts.Find(ScopeKind::kProfile, Profile(1).handle)->IsNothingButRemoved())
      << "nothing of it had expired";
}

}  // namespace
}  // namespace consent::domain
