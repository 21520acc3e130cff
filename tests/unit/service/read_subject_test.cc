// History, settings at a past time, names, evidence, and what is left when a key is gone.
#include "daemon/service/subject/read_subject.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/domain/settings.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Choice;
using domain::Purpose;

class Reading : public testing::TestWithParam<uint16_t> {
 protected:
  World world{{.partitions = GetParam()}};
  service::ReadSubject& reads = world.reads();
  const base::SubjectHandle a = world.Handle("a");
};

TEST_P(Reading, NamesAreKeptForTheCallerAlone) {
  ASSERT_TRUE(world.Register("a", "DE", {Adult("ann"), Child("ben", "gil")}, {"kitchen"}).ok());
  ASSERT_TRUE(world.OptOut("a", Device("den"), Everything()).ok());
  auto view = reads.Get(a);
  ASSERT_TRUE(view.ok());
  std::vector<std::string> names;
  for (const auto& [scope, name] : view->names) {
    EXPECT_EQ(world.Ref(scope.kind == domain::ScopeKind::kProfile ? Profile(name) : Device(name)), scope);
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"ann", "ben", "den", "kitchen"}));
  ASSERT_EQ(view->guardians.size(), 1U);
  EXPECT_EQ(view->guardians[0].second, "gil");
  EXPECT_EQ(ReasonOf(reads.Get(world.Handle("nobody"))), "SUBJECT_NOT_FOUND");

  service::ChangeRequest removal = world.Request("a", service::ChangeKind::kUpsertSubject);
  removal.command.expected_revision = world.RevisionOf("a");
  removal.command.proof = world.Proof({});
  removal.command.removals = {world.Ref(Device("kitchen"))};
  ASSERT_TRUE(world.Submit(removal).ok());
  ASSERT_TRUE(world.OptOut("a", Device("attic"), Everything()).ok());
  view = reads.Get(a);
  ASSERT_TRUE(view.ok());
  for (const auto& [scope, name] : view->names) EXPECT_NE(name, "kitchen") << "a removed device leaves no name";
}

TEST_P(Reading, NoIdStandsInTheClear) {
  ASSERT_TRUE(
      world.Register("a-very-peculiar-account", "DE", {Child("peculiar-ann", "peculiar-gil")}, {"peculiar-kitchen"})
          .ok());
  ASSERT_TRUE(world.OptOut("a-very-peculiar-account", Device("peculiar-den"), Everything()).ok());
  ASSERT_TRUE(world.Report("a-very-peculiar-account", "peculiar-recording", domain::Flags::kSafety).ok());
  const auto search = [](std::string_view bytes) { EXPECT_EQ(bytes.find("peculiar"), std::string_view::npos); };
  for (uint16_t p = 0; p < GetParam(); ++p) {
    for (int table = 1; table <= 7; ++table) {
      const absl::Status scanned = world.store().Scan(store::Partition{p}, static_cast<store::Table>(table), "", "",
                                                      SIZE_MAX, [&](std::string_view key, std::string_view value) {
                                                        search(key);
                                                        search(value);
                                                        return true;
                                                      });
      EXPECT_TRUE(scanned.ok());
    }
    const auto feed = world.store().Feed(store::Partition{p}, 1, 100);
    ASSERT_TRUE(feed.ok());
    for (const store::FeedRow& row : *feed) search(row.event.subject + row.event.body);
  }
}

TEST_P(Reading, HistoryIsNewestFirstInPagesWithItsEvidence) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.Register("b", "DE").ok());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    ASSERT_TRUE(world.OptOut("b", Account(), Control("help_improve")).ok());
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  }
  for (const int page_size : {1, 2, 3, 11, 100}) {
    store::Sequence next = 0;
    std::vector<service::HistoryItem> items;
    do {
      const auto page = reads.History(a, page_size, next);
      ASSERT_TRUE(page.ok());
      EXPECT_LE(page->items.size(), static_cast<size_t>(page_size));
      items.insert(items.end(), page->items.begin(), page->items.end());
      next = page->next;
    } while (next != 0);
    ASSERT_EQ(items.size(), 11U) << page_size;
    for (size_t i = 1; i < items.size(); ++i) EXPECT_LT(items[i].time, items[i - 1].time);
    EXPECT_EQ(items[10].row.kind, service::ChangeKind::kUpsertSubject);
    EXPECT_TRUE(items[10].row.registered_now);
    EXPECT_EQ(items[0].row.kind, service::ChangeKind::kOptOut);
    EXPECT_EQ(items[1].payload.evidence, "evidence of a under general");
    EXPECT_EQ(items[1].row.channel, domain::Channel::kApp);
    EXPECT_EQ(items[1].row.policy_version, "v1");
    EXPECT_TRUE(items[1].row.facts.empty());
  }
  EXPECT_EQ(ReasonOf(reads.History(world.Handle("nobody"), 10, 0)), "SUBJECT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(reads.History(a, 10, 9'999)), "INVALID_FIELD") << "later than the newest";
}

TEST_P(Reading, SettingsAtAPastTimeUnderThePolicyOfThatTime) {
  const auto a_moment_ago = [&] { return world.Now() - base::Seconds(1); };
  const base::Instant before = a_moment_ago();
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const base::Instant registered = a_moment_ago();
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const base::Instant on = a_moment_ago();
  PolicyBuilder next("v2");
  next.AddNotice("newer", "general", "2026-03-01T12:00:00Z", {"general"});
  ASSERT_TRUE(world.Activate(next).ok());
  const base::Instant superseded = a_moment_ago();
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(ReasonOf(world.reads().At(a, before)), "NO_SETTINGS_AT_TIME");
    const auto state = [&](base::Instant at) {
      const auto past = world.reads().At(a, at);
      EXPECT_TRUE(past.ok()) << past.status().message();
      return domain::StateOf(past->view.facts, 0, Purpose::kHumanReview, base::Now::Sure(at), *past->rules);
    };
    EXPECT_EQ(state(registered).reason, domain::Reason::kNoConsent);
    EXPECT_TRUE(state(on).on);
    EXPECT_EQ(world.reads().At(a, on)->policy->version(), "v1");
    EXPECT_EQ(state(superseded).reason, domain::Reason::kNoticeSuperseded);
    EXPECT_EQ(world.reads().At(a, superseded)->policy->version(), "v2");
    EXPECT_EQ(state(superseded).choice.choice, Choice::kGiven);
    EXPECT_EQ(state(world.Now()).reason, domain::Reason::kWithdrawn);
    EXPECT_EQ(world.reads().At(a, world.Now())->view.facts, world.Facts("a"));
    EXPECT_FALSE(world.reads().At(a, on)->view.names.empty());
    world.Restart();
  }
}

TEST_P(Reading, TruncatedAndErasedHistoryEndsThere) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  }
  const uint64_t newest = world.RevisionOf("a");
  const store::Partition partition = world.core().PartitionOf(a);
  ASSERT_TRUE(world.store().TruncateFeed(partition, newest - 3).ok());
  EXPECT_EQ(reads.History(a, 100, 0)->items.size(), 4U);
  EXPECT_EQ(reads.History(a, 100, 0)->next, 0U);
  EXPECT_EQ(ReasonOf(reads.At(a, world.Now() - base::Hours(2))), "NO_SETTINGS_AT_TIME");
  ASSERT_TRUE(world.store().EraseFeed(partition, {newest - 1}).ok());
  EXPECT_EQ(reads.History(a, 100, 0)->items.size(), 1U);
}

TEST_P(Reading, EvidenceGoesWithItsKey) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_EQ(reads.History(a, 1, 0)->items[0].payload.evidence, "evidence of a under general");
  const store::Partition partition = world.core().PartitionOf(a);
  ASSERT_TRUE(world.store().Erase(partition, {{store::Table::kKeyShare, world.core().SubjectKey(a)}}).ok());
  EXPECT_EQ(ReasonOf(reads.History(a, 1, 0)), "INTERNAL");
  EXPECT_EQ(ReasonOf(reads.Get(a)), "INTERNAL");
  EXPECT_TRUE(IsYes(world.Check("a"))) << "the decision needs no key";
}

INSTANTIATE_TEST_SUITE_P(Partitions, Reading, testing::Values(uint16_t{1}, uint16_t{3}));

}  // namespace
}  // namespace consent::test
