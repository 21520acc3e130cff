// Taking former bytes out of the files changes nothing that can be read. That they are gone is shown by
// tests/fault/store.
#include <atomic>
#include <thread>

#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::EraseTargets;
using store::Outcome;
using store::Table;

TEST_P(Conformance, ScrubKeepsWhatIsThere) {
  for (const char* key : {"a", "b", "c", "d"}) Put(key, "1");
  Put("b", "share", Table::kKeyShare);
  Put("b", "2");
  Commit({}, Change{{{Table::kSubject, "c", std::nullopt}}, SomeEvent("deleted")});
  ASSERT_TRUE(db().Erase(last(), {{Table::kSubject, "d"}, {Table::kKeyShare, "b"}}).ok());
  ASSERT_TRUE(db().EraseFeed(last(), {2, 3}).ok());
  const auto feed = WholeFeed();
  const store::Head head = db().GetHead(last());
  const EraseTargets targets{
      {{Table::kSubject, "b"}, {Table::kSubject, "c"}, {Table::kSubject, "d"}, {Table::kKeyShare, "b"}}, {2, 3}};
  for (int round = 0; round < 3; ++round) {
    const absl::Status scrubbed = db().EraseFromFiles({{last(), targets}});
    ASSERT_TRUE(scrubbed.ok()) << scrubbed;
    EXPECT_EQ(ScanAll("", "", 10), (Rows{{"a", "1"}, {"b", "2"}}));
    EXPECT_TRUE(ScanAll("", "", 10, Table::kKeyShare).empty());
    EXPECT_EQ(db().GetHead(last()).chain, head.chain);
    const auto now = WholeFeed();
    ASSERT_EQ(now.size(), feed.size());
    for (size_t i = 0; i < now.size(); ++i) {
      EXPECT_EQ(now[i].erased, i == 1 || i == 2);
      EXPECT_EQ(now[i].chain, feed[i].chain);
      EXPECT_EQ(now[i].event.body, feed[i].event.body);
    }
    CheckChain(now, {}, 1);
    if (round == 1) harness().Reopen();
  }
  EXPECT_EQ(Commit({{Table::kSubject, "c", std::nullopt}}, Change{{{Table::kSubject, "c", "again"}}, {}}).outcome,
            Outcome::kCommitted);
  ASSERT_TRUE(db().EraseFromFiles({{last(), targets}}).ok()) << "a row that came back is as one that was overwritten";
  EXPECT_EQ(Value("c"), "again");
}

TEST_P(Conformance, ScrubOfTruncatedFeedRows) {
  for (int i = 1; i <= 10; ++i) Commit({}, Change{{}, SomeEvent(std::to_string(i))});
  ASSERT_TRUE(db().EraseFeed(last(), {2, 3, 8}).ok());
  ASSERT_TRUE(db().TruncateFeed(last(), 5).ok());
  ASSERT_TRUE(db().EraseFromFiles({{last(), {{}, {2, 3, 8}}}}).ok());
  EXPECT_TRUE(absl::IsOutOfRange(db().FeedAt(last(), 4).status()));
  EXPECT_EQ(WholeFeed(5).size(), 6u);
  EXPECT_TRUE(db().FeedAt(last(), 8)->erased);
}

TEST_P(Conformance, ScrubOfNothing) {
  EXPECT_TRUE(db().EraseFromFiles({{last(), {}}}).ok());
  EXPECT_TRUE(
      db().EraseFromFiles({{last(), {{{Table::kSubject, "never there"}, {Table::kSystem, ""}}, {0, 1, UINT64_MAX}}}})
          .ok());
  Put("a", "1");
  EXPECT_TRUE(db().EraseFromFiles({{last(), {{{Table::kSubject, "a"}, {Table::kSubject, "a"}}, {1, 1, 2}}}}).ok());
  EXPECT_EQ(Value("a"), "1");
  EXPECT_FALSE(db().FeedAt(last(), 1)->erased);
}

TEST_P(Conformance, ScrubRefusesWhatIsOutOfBounds) {
  const auto refused = [this](store::Partition partition, const EraseTargets& targets) {
    return absl::IsInvalidArgument(db().EraseFromFiles({{partition, targets}}));
  };
  EXPECT_TRUE(refused(store::Partition{GetParam().partitions}, {}));
  EXPECT_TRUE(refused(last(), {{{Table{0}, "a"}}, {}}));
  EXPECT_TRUE(refused(last(), {{{Table::kSubject, std::string(store::kMaxKeyBytes + 1, 'k')}}, {}}));
  EXPECT_TRUE(db().EraseFromFiles({{last(), {{{Table::kSubject, std::string(store::kMaxKeyBytes, 'k')}}, {}}}}).ok());
  EraseTargets many{{{Table::kSubject, "a"}}, std::vector<store::Sequence>(store::kMaxEraseTargets - 1, 1)};
  EXPECT_TRUE(db().EraseFromFiles({{last(), many}}).ok());
  many.feed.push_back(1);
  EXPECT_TRUE(refused(last(), many));
  if (GetParam().partitions == 1) return;
  // The bound is one for all partitions of a call.
  many.feed.pop_back();
  EXPECT_TRUE(absl::IsInvalidArgument(db().EraseFromFiles({{store::Partition{}, {{}, {1}}}, {last(), many}})));
}

TEST_P(Conformance, ScrubOfAClosedStore) {
  db().Close();
  EXPECT_TRUE(absl::IsUnavailable(db().EraseFromFiles({{last(), {{{Table::kSubject, "a"}}, {}}}})));
}

TEST_P(Conformance, ScrubsAndCommitsTogether) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) EXPECT_EQ(Put(std::to_string(i % 50), std::to_string(i)).outcome, Outcome::kCommitted);
  });
  std::vector<std::thread> scrubbers;
  scrubbers.reserve(3);
  for (int t = 0; t < 3; ++t) {
    scrubbers.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) {
        const std::string mine = "mine" + std::to_string(t);
        EXPECT_TRUE(db().Erase(last(), {{Table::kSubject, mine}}).ok());
        const absl::Status scrubbed =
            db().EraseFromFiles({{last(), {{{Table::kSubject, mine}, {Table::kSubject, "7"}}, {1}}}});
        EXPECT_TRUE(scrubbed.ok()) << scrubbed;
      }
    });
  }
  for (std::thread& thread : scrubbers) thread.join();
  stop = true;
  writer.join();
  CheckChain(WholeFeed(), {}, 1);
}

}  // namespace
}  // namespace consent::test
