// Deadlines against a second counting that walks day by day.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "daemon/domain/deadlines.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

constexpr int64_t kDay = int64_t{24} * 3600 * 1'000'000;
constexpr base::Span kTick = base::Microseconds(1);

// The rules once more, from the page and without the code's calendar: a list of all days from 1970 on, each written
// down after the one before, on which one walks.
struct ListedDay {
  int year;
  int month;
  int day;
  int weekday;  // 0: Monday
};

std::vector<ListedDay> AllDays(int last_year) {
  constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::vector<ListedDay> days = {{1970, 1, 1, 3}};  // a Thursday
  while (days.back().year <= last_year) {
    ListedDay next = days.back();
    const bool leap = next.year % 400 == 0 || (next.year % 4 == 0 && next.year % 100 != 0);
    next.weekday = (next.weekday + 1) % 7;
    if (++next.day > kLengths[next.month - 1] + (next.month == 2 && leap ? 1 : 0)) {
      next.day = 1;
      ++next.month;
    }
    if (next.month > 12) {
      next.month = 1;
      ++next.year;
    }
    days.push_back(next);
  }
  return days;
}

// What a reader of the page could get wrong; the comparison below must notice each.
enum class Mistake {
  kNone,
  kCountsReceipt,
  kRollsOver,  // 31 January and a month: 3 March
  kForgetsHolidays,
  kForgetsSaturdays,
  kMovesWeekends,
  kChainsMonths,  // 31 January, one month and two more: 28 April
  kEndsAtTheHour,
};

class Walker {
 public:
  explicit Walker(Mistake mistake = Mistake::kNone) : mistake_(mistake) {}

  Instant End(Instant received, const Period& period, const std::set<int32_t>& holidays) const {
    return After(Last(static_cast<size_t>(received.micros / kDay), period, holidays), received);
  }
  Instant Extended(Instant received, const Period& first, const Period& second,
                   const std::set<int32_t>& holidays) const {
    const auto day = static_cast<size_t>(received.micros / kDay);
    const bool one = first.unit == second.unit && mistake_ != Mistake::kChainsMonths;
    if (one) return After(Last(day, {first.count + second.count, first.unit}, holidays), received);
    return After(Last(Last(day, first, holidays), second, holidays), received);
  }

 private:
  Instant After(size_t last, Instant received) const {
    const int64_t midnight = static_cast<int64_t>(last + 1) * kDay;
    return Instant{mistake_ == Mistake::kEndsAtTheHour ? midnight - kDay + received.micros % kDay : midnight};
  }
  bool IsWeekend(size_t day) const {
    return days_[day].weekday == 6 || (days_[day].weekday == 5 && mistake_ != Mistake::kForgetsSaturdays);
  }
  bool IsHoliday(size_t day, const std::set<int32_t>& holidays) const {
    return mistake_ != Mistake::kForgetsHolidays && holidays.count(static_cast<int32_t>(day)) != 0;
  }
  size_t Last(size_t day, const Period& period, const std::set<int32_t>& holidays) const {
    size_t last = day;
    int left = period.count;
    if (mistake_ == Mistake::kCountsReceipt && period.unit != PeriodUnit::kMonths) --left;
    if (period.unit == PeriodUnit::kMonths) {
      last = SameNumber(day, period.count);
      if (mistake_ == Mistake::kCountsReceipt) --last;
    } else {
      while (left > 0) {
        ++last;
        if (period.unit == PeriodUnit::kCalendarDays || !(IsWeekend(last) || IsHoliday(last, holidays))) --left;
      }
    }
    while (mistake_ == Mistake::kMovesWeekends && IsWeekend(last)) ++last;
    return last;
  }
  // Walks to the first day of each following month, then forward to the number or the month's end.
  size_t SameNumber(size_t day, int months) const {
    const int number = days_[day].day;
    size_t at = day;
    for (int i = 0; i < months; ++i) {
      do ++at;
      while (days_[at].day != 1);
    }
    if (months == 0) return day;
    if (mistake_ == Mistake::kRollsOver) return at + static_cast<size_t>(number) - 1;
    while (days_[at].day < number && days_[at + 1].day != 1) ++at;
    return at;
  }

  Mistake mistake_;
  inline static const std::vector<ListedDay> days_ = AllDays(2210);
};

struct RandomCase {
  explicit RandomCase(uint64_t seed) : random(seed) {
    // Half of them around the ends of months, where the rules differ.
    received = Instant{Below(84'000) * kDay + 1 + Below(kDay - 1)};
    if (Below(2) == 0) {
      const int year = static_cast<int>(1971 + Below(200));
      const std::string month = std::to_string(10 + Below(3));
      received = At(std::to_string(year) + "-" + month + "-28T12:00:00Z") + base::Days(Below(40) + 60 * Below(2));
    }
    rules.confirmation = RandomPeriod();
    rules.completion = RandomPeriod();
    rules.extension = Extension{RandomPeriod(), rules.completion};
    rules.extension->notice.count = static_cast<int32_t>(1 + Below(rules.completion.count));
    const int64_t first = received.micros / kDay;
    for (int64_t i = Below(40); i > 0; --i) {
      holidays.insert(static_cast<int32_t>(first - 5 + Below(i % 2 == 0 ? 30 : 900)));
    }
    for (const int32_t day : holidays) rules.holidays.push_back({day});
    if (Below(2) == 0) return;
    offset = base::Hours(Below(27) - 12);
    rules.zones.push_back(base::TimeZone::EastOfUtc(offset));
  }
  int64_t Below(int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }
  Period RandomPeriod() {
    const auto unit = static_cast<PeriodUnit>(Below(3));
    const bool small = Below(2) == 0;
    return {static_cast<int32_t>(1 + Below(unit == PeriodUnit::kMonths ? (small ? 3 : 24) : (small ? 15 : 366))), unit};
  }
  bool Agrees(const Walker& walker) const {
    // The zone's clock on the wall is UTC's, moved; the earlier reading counts.
    const auto earlier = [this](auto end) { return std::min(end(received), end(received + offset) - offset); };
    const auto walked = [&](const Period& period) {
      return earlier([&](Instant from) { return walker.End(from, period, holidays); });
    };
    const Instant extended = earlier(
        [&](Instant from) { return walker.Extended(from, rules.completion, rules.extension->length, holidays); });
    const Deadlines deadlines = DeadlinesOf(received, rules);
    return deadlines.confirm_by == walked(rules.confirmation) && deadlines.complete_by == walked(rules.completion) &&
           EndOf(received, rules.extension->notice, rules) == walked(rules.extension->notice) &&
           ExtendedDeadline(received, rules) == extended;
  }

  std::mt19937_64 random;
  Instant received;
  DeadlineRules rules;
  std::set<int32_t> holidays;
  base::Span offset;  // of the rules' zone; none: UTC's
};

constexpr uint64_t kCases = 40'000;

TEST(DeadlinesProperty, TheModelAgreesDayByDay) {
  const Walker walker;
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, kCases);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    const RandomCase one(seed);
    ASSERT_TRUE(one.Agrees(walker)) << "CONSENT_TEST_SEED=" << seed << " CONSENT_TEST_CASES=1, "
                                    << base::FormatRfc3339(one.received);
  }
}

TEST(DeadlinesProperty, TheComparisonFindsEveryMistake) {
  // And a rule that counts by UTC alone.
  const Walker right;
  bool forgets_zones_found = false;
  for (uint64_t seed = 1; seed <= 2'000 && !forgets_zones_found; ++seed) {
    RandomCase one(seed);
    one.rules.zones.clear();
    forgets_zones_found = !one.Agrees(right);
  }
  EXPECT_TRUE(forgets_zones_found);
  for (int mistake = 1; mistake <= static_cast<int>(Mistake::kEndsAtTheHour); ++mistake) {
    const Walker wrong(static_cast<Mistake>(mistake));
    bool found = false;
    for (uint64_t seed = 1; seed <= 2'000 && !found; ++seed) found = !RandomCase(seed).Agrees(wrong);
    EXPECT_TRUE(found) << "mistake " << mistake;
  }
}

TEST(DeadlinesProperty, AnExtensionIsInTimeExactlyUntilItsNoticeIsDue) {
  for (uint64_t seed = 1; seed <= 5'000; ++seed) {
    RandomCase one(seed);
    const Instant notice_by = EndOf(one.received, one.rules.extension->notice, one.rules);
    ASSERT_LE(notice_by, DeadlinesOf(one.received, one.rules).complete_by) << seed;
    ASSERT_TRUE(MayExtend(one.received, one.received, one.rules)) << seed;
    ASSERT_TRUE(MayExtend(one.received, notice_by - kTick, one.rules)) << seed;
    ASSERT_FALSE(MayExtend(one.received, notice_by, one.rules)) << seed;
    ASSERT_GT(ExtendedDeadline(one.received, one.rules), DeadlinesOf(one.received, one.rules).complete_by) << seed;
    one.rules.extension.reset();
    ASSERT_FALSE(MayExtend(one.received, one.received, one.rules)) << seed;
  }
}

TEST(DeadlinesProperty, ALaterReceiptNeverEndsEarlierAndMoreNeverEndsSooner) {
  for (uint64_t seed = 1; seed <= 5'000; ++seed) {
    RandomCase one(seed);
    const Period period = one.rules.completion;
    const Instant end = EndOf(one.received, period, one.rules);
    const Instant later = one.received + base::Microseconds(one.Below(3 * kDay));
    ASSERT_GE(EndOf(later, period, one.rules), end) << seed;
    ASSERT_GE(EndOf(one.received, {period.count + 1, period.unit}, one.rules), end) << seed;
    one.rules.holidays.clear();
    ASSERT_LE(EndOf(one.received, period, one.rules), end) << seed << ": a holiday never makes a deadline earlier";
  }
}

}  // namespace
}  // namespace consent::domain
