// Entries of all histories by time, against the histories of each subject.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "tests/support/service/world.h"

namespace consent::test::list_choices_test {
namespace {

using Place = std::pair<uint16_t, uint64_t>;

constexpr int kAccounts = 12;

std::string AccountOf(int number) { return "a" + std::to_string(number); }

// Yeses, noes, repeated noes and flags of some accounts in some order.
void Live(World& world, uint64_t seed) {
  std::mt19937_64 dice(seed);
  for (int i = 0; i < kAccounts; ++i) ASSERT_TRUE(world.Register(AccountOf(i), "DE").ok());
  for (int step = 0; step < 120; ++step) {
    const std::string account = AccountOf(static_cast<int>(dice() % kAccounts));
    switch (dice() % 4) {
      case 0:
        ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve")).ok());
        break;
      case 1:
        ASSERT_TRUE(world.OptOut(account, Account(), Control("help_improve")).ok());
        break;
      case 2:
        ASSERT_TRUE(world.OptOut(account, Account(), Everything()).ok());
        break;
      default:
        ASSERT_TRUE(world.Report(account, "r" + std::to_string(step), domain::Flags::kSafety).ok());
    }
  }
}

// Whether the page of proto lists it, said in other words than the code's.
bool IsListed(const service::HistoryItem& item, const service::ChoiceFilter& filter) {
  if (item.time < filter.from || item.time >= filter.before) return false;
  if (filter.to.empty()) return true;
  const std::set<domain::Choice> asked(filter.to.begin(), filter.to.end());
  for (const domain::FactChange& change : item.row.changes) {
    if (change.what == domain::ChangedWhat::kPurpose && asked.count(change.to) != 0) return true;
    const bool again =
        change.what == domain::ChangedWhat::kRefusedAgain || change.what == domain::ChangedWhat::kRefusesFuture;
    if (again && asked.count(domain::Choice::kRefused) != 0) return true;
  }
  return false;
}

std::set<Place> Expected(World& world, const service::ChoiceFilter& filter) {
  std::set<Place> expected;
  for (int i = 0; i < kAccounts; ++i) {
    const base::SubjectHandle subject = world.Handle(AccountOf(i));
    if (filter.subject && !(*filter.subject == subject)) continue;
    const auto history = world.reads().History(subject, 1000, 0);
    for (const service::HistoryItem& item : history->items) {
      if (IsListed(item, filter)) expected.emplace(item.revision.partition.number, item.revision.sequence);
    }
  }
  return expected;
}

std::vector<Place> Listed(World& world, const service::ChoiceFilter& filter, size_t limit) {
  std::vector<Place> listed;
  std::optional<service::ChoicePlace> next = service::ChoicePlace{};
  while (next) {
    const auto page = world.reads().Choices(filter, limit, *next);
    EXPECT_TRUE(page.ok());
    EXPECT_LE(page->items.size(), limit);
    EXPECT_EQ(page->erased, 0U);
    EXPECT_FALSE(page->truncated);
    for (const service::ChoiceItem& item : page->items) {
      listed.emplace_back(item.entry.revision.partition.number, item.entry.revision.sequence);
    }
    next = page->next;
  }
  return listed;
}

TEST(ListChoices, EqualsTheHistoriesOfAllWhateverThePage) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    World world(World::Options{.partitions = 4, .seed = seed});
    const base::Instant begin = world.Now();
    Live(world, seed);
    std::mt19937_64 dice(seed);
    const int64_t span = (world.Now() - begin).micros;
    const std::vector<std::vector<domain::Choice>> asked = {
        {}, {domain::Choice::kGiven}, {domain::Choice::kRefused, domain::Choice::kWithdrawn}};
    for (int round = 0; round < 40; ++round) {
      service::ChoiceFilter filter;
      filter.from = begin + base::Span{static_cast<int64_t>(dice() % static_cast<uint64_t>(span))};
      filter.before = filter.from + base::Span{static_cast<int64_t>(dice() % static_cast<uint64_t>(span)) + 1};
      filter.to = asked[dice() % asked.size()];
      if (dice() % 4 == 0) filter.subject = world.Handle(AccountOf(static_cast<int>(dice() % kAccounts)));
      const std::vector<Place> listed = Listed(world, filter, 1 + dice() % 20);
      EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
      const std::set<Place> once(listed.begin(), listed.end());
      EXPECT_EQ(once.size(), listed.size()) << "none twice";
      EXPECT_EQ(once, Expected(world, filter)) << "seed " << seed << ", round " << round;
    }
  }
}

}  // namespace
}  // namespace consent::test::list_choices_test
