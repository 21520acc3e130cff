// The feed: complete, chained, truncated, erased; and many writers at once.
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::CommitResult;
using store::FeedRow;
using store::Outcome;
using store::Stamp;
using store::Table;

TEST_P(Conformance, FeedHoldsWhatWasCommitted) {
  std::vector<CommitResult> results;
  for (int i = 0; i < 10; ++i) results.push_back(Commit({}, Change{{}, SomeEvent(std::string(i, '\0'))}));
  Commit({}, Change{{}, store::Event{}});
  const std::vector<FeedRow> feed = WholeFeed();
  ASSERT_EQ(feed.size(), 11u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(feed[i].stamp.time, results[i].stamp.time);
    EXPECT_EQ(feed[i].event.body, std::string(i, '\0'));
    EXPECT_EQ(feed[i].event.subject, SomeEvent("").subject);
    EXPECT_EQ(feed[i].event.commitment, SomeEvent("").commitment);
    EXPECT_FALSE(feed[i].erased);
  }
  EXPECT_TRUE(feed[10].event.subject.empty());
  CheckChain(feed, {}, 1);
  EXPECT_EQ(feed.back().chain, db().GetHead(last()).chain);
}

TEST_P(Conformance, FeedFromAnywhere) {
  for (int i = 1; i <= 5; ++i) Commit({}, Change{{}, SomeEvent(std::to_string(i))});
  auto rows = db().Feed(last(), 3, 2);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].event.body, "3");
  EXPECT_EQ((*rows)[1].event.body, "4");
  EXPECT_EQ(db().Feed(last(), 5, 100)->size(), 1u);
  EXPECT_TRUE(db().Feed(last(), 6, 100)->empty());
  EXPECT_TRUE(db().Feed(last(), UINT64_MAX, 100)->empty());
  EXPECT_TRUE(db().Feed(last(), 1, 0)->empty());
  EXPECT_EQ(db().FeedAt(last(), 4)->event.body, "4");
  EXPECT_TRUE(absl::IsNotFound(db().FeedAt(last(), 6).status()));
  EXPECT_TRUE(absl::IsNotFound(db().FeedAt(last(), 0).status()));
}

TEST_P(Conformance, TruncatingKeepsTheHead) {
  for (int i = 1; i <= 10; ++i) Commit({}, Change{{}, SomeEvent(std::to_string(i))});
  const base::Digest fourth = db().FeedAt(last(), 4)->chain;
  ASSERT_TRUE(db().TruncateFeed(last(), 5).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(absl::IsOutOfRange(db().Feed(last(), 4, 1).status()));
    EXPECT_TRUE(absl::IsOutOfRange(db().FeedAt(last(), 4).status()));
    CheckChain(WholeFeed(5), fourth, 5);
    EXPECT_EQ(WholeFeed(5).size(), 6u);
    if (!harness().Reopen()) break;
  }
  ASSERT_TRUE(db().TruncateFeed(last(), 3).ok()) << "what is gone stays gone";
  EXPECT_TRUE(absl::IsOutOfRange(db().FeedAt(last(), 4).status()));
  ASSERT_TRUE(db().TruncateFeed(last(), 1000).ok());
  EXPECT_TRUE(absl::IsOutOfRange(db().FeedAt(last(), 9).status()));
  EXPECT_EQ(db().FeedAt(last(), 10)->chain, db().GetHead(last()).chain);
  harness().Reopen();
  EXPECT_EQ(db().FeedAt(last(), 10)->chain, db().GetHead(last()).chain);
  EXPECT_EQ(Put("k", "v").stamp.sequence, 11u);
  CheckChain(WholeFeed(11), db().FeedAt(last(), 10)->chain, 11);
}

TEST_P(Conformance, ALongFeedIsTruncatedWhole) {
  constexpr store::Sequence kRows = 1'200;  // more than one write takes
  for (store::Sequence i = 1; i <= kRows; ++i) Commit({}, Change{{}, SomeEvent(std::to_string(i))});
  const base::Digest before = db().FeedAt(last(), kRows - 2)->chain;
  ASSERT_TRUE(db().TruncateFeed(last(), kRows - 1).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(absl::IsOutOfRange(db().FeedAt(last(), kRows - 2).status()));
    CheckChain(WholeFeed(kRows - 1), before, kRows - 1);
    if (!harness().Reopen()) break;
  }
}

TEST_P(Conformance, TruncatingAnEmptyFeedDoesNothing) {
  ASSERT_TRUE(db().TruncateFeed(last(), 100).ok());
  EXPECT_TRUE(WholeFeed().empty());
  EXPECT_EQ(Put("k", "v").stamp.sequence, 1u);
  EXPECT_EQ(WholeFeed().size(), 1u);
}

TEST_P(Conformance, ErasedRowsKeepTheChain) {
  for (int i = 1; i <= 10; ++i) Commit({}, Change{{}, SomeEvent(std::to_string(i))});
  const std::vector<FeedRow> before = WholeFeed();
  ASSERT_TRUE(db().EraseFeed(last(), {1, 4, 10, 10, 99}).ok());
  for (int round = 0; round < 2; ++round) {
    const std::vector<FeedRow> after = WholeFeed();
    ASSERT_EQ(after.size(), before.size());
    CheckChain(after, {}, 1);
    for (size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].chain, before[i].chain);
      EXPECT_EQ(after[i].stamp.time, before[i].stamp.time);
      EXPECT_EQ(after[i].erased, i + 1 == 1 || i + 1 == 4 || i + 1 == 10);
    }
    if (!harness().Reopen()) break;
  }
  ASSERT_TRUE(db().EraseFeed(last(), {4}).ok()) << "erasing twice is no error";
  Put("k", "v");
  CheckChain(WholeFeed(), {}, 1);
}

// Writers increment counters by compare and set; the sum of what was acknowledged must be there, and the feed must tell
// it.
TEST_P(Conformance, ManyWritersAgainstAModel) {
  constexpr int kThreads = 8, kCommits = 60, kCounters = 5;
  std::atomic<int> done[kCounters] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      for (int i = 0; i < kCommits;) {
        const int counter = static_cast<int>(random() % kCounters);
        const std::string key = "counter" + std::to_string(counter);
        const auto current = db().Get(last(), Table::kSubject, key);
        std::optional<std::string> expected;
        if (current.ok()) expected = *current;
        const std::string next = std::to_string(expected ? std::stoi(*expected) + 1 : 1);
        std::promise<CommitResult> answer;
        db().Commit(
            last(), {{Table::kSubject, key, expected}},
            [key, next](const Stamp&) {
              return Change{{{Table::kSubject, key, next}}, SomeEvent(key)};
            },
            [&answer](const CommitResult& result) { answer.set_value(result); });
        const CommitResult result = answer.get_future().get();
        if (result.outcome != Outcome::kCommitted) continue;
        ++done[counter];
        ++i;
        EXPECT_GE(std::stoi(Value(key)), std::stoi(next));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<std::string, int> told;
  const std::vector<FeedRow> feed = WholeFeed();
  CheckChain(feed, {}, 1);
  for (const FeedRow& row : feed) ++told[row.event.body];
  EXPECT_EQ(feed.size(), static_cast<size_t>(kThreads * kCommits));
  for (int counter = 0; counter < kCounters; ++counter) {
    const std::string key = "counter" + std::to_string(counter);
    EXPECT_EQ(Value(key), std::to_string(done[counter]));
    EXPECT_EQ(told[key], done[counter]);
  }
}

TEST_P(Conformance, PartitionsTakeCommitsAtOnce) {
  constexpr int kCommits = 50;
  std::vector<std::thread> threads;
  for (uint16_t p = 0; p < GetParam().partitions; ++p) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < kCommits; ++i) {
        std::promise<CommitResult> answer;
        db().Commit(
            store::Partition{p}, {},
            [p](const Stamp&) {
              return Change{{}, SomeEvent(std::to_string(p))};
            },
            [&answer](const CommitResult& result) { answer.set_value(result); });
        ASSERT_EQ(answer.get_future().get().stamp.sequence, static_cast<uint64_t>(i + 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int round = 0; round < 2; ++round) {
    for (uint16_t p = 0; p < GetParam().partitions; ++p) {
      const auto feed = db().Feed(store::Partition{p}, 1, SIZE_MAX);
      ASSERT_TRUE(feed.ok());
      ASSERT_EQ(feed->size(), static_cast<size_t>(kCommits));
      CheckChain(*feed, {}, 1);
      for (const FeedRow& row : *feed) EXPECT_EQ(row.event.body, std::to_string(p));
    }
    if (!harness().Reopen()) break;
  }
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Store, Conformance, ::testing::ValuesIn(Configurations()),
                         [](const ::testing::TestParamInfo<Configuration>& tested) { return tested.param.name; });

}  // namespace consent::test
