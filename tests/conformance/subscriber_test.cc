// Who hears of commits: each of them, in order, before it is answered.
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::CommitResult;
using store::Outcome;
using store::Stamp;
using store::Table;

// What it heard of one partition.
class Listener final : public store::Subscriber {
 public:
  Listener(store::Store& store, store::Partition partition) : store_(store), partition_(partition) {
    store_.Subscribe(*this);
  }
  ~Listener() override { store_.Unsubscribe(*this); }

  void OnCommitted(const store::Committed& committed) override {
    if (committed.partition != partition_) return;
    for (const store::Write& write : committed.writes) {
      const auto stored = store_.Get(committed.partition, write.table, write.key);
      const bool is_there = write.value ? stored.ok() && *stored == *write.value : absl::IsNotFound(stored.status());
      if (!is_there) ++unlike_the_store;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    if (committed.stamp.sequence != last_.sequence + 1 || committed.stamp.time <= last_.time) ++out_of_order;
    last_ = committed.stamp;
    bodies_.push_back(committed.event.body);
  }
  store::Sequence heard() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_.sequence;
  }
  std::vector<std::string> bodies() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return bodies_;
  }

  std::atomic<int> unlike_the_store = 0;
  std::atomic<int> out_of_order = 0;

 private:
  store::Store& store_;
  const store::Partition partition_;
  mutable std::mutex mutex_;
  Stamp last_;
  std::vector<std::string> bodies_;
};

TEST_P(Conformance, SubscribersHearOfEachCommitInOrderBeforeItIsAnswered) {
  Listener first(db(), last());
  Listener second(db(), last());
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::atomic<int> early = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string key = std::to_string(t) + "." + std::to_string(i);
        std::promise<void> done;
        db().Commit(
            last(), {},
            [&](const Stamp&) {
              return Change{{{Table::kSubject, key, "v" + key}}, SomeEvent(key)};
            },
            [&](const CommitResult& result) {
              if (first.heard() < result.stamp.sequence || second.heard() < result.stamp.sequence) ++early;
              ++answered;
              done.set_value();
            });
        done.get_future().get();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kEach);
  EXPECT_EQ(early, 0);
  for (const Listener* listener : {&first, &second}) {
    EXPECT_EQ(listener->heard(), db().GetHead(last()).stamp.sequence);
    EXPECT_EQ(listener->out_of_order, 0);
    EXPECT_EQ(listener->unlike_the_store, 0) << "rows that were told are not what Get reads";
  }
  std::vector<std::string> feed;
  for (const store::FeedRow& row : WholeFeed()) feed.push_back(row.event.body);
  EXPECT_EQ(first.bodies(), feed);
}

TEST_P(Conformance, SubscribersDoNotHearOfWhatIsRefused) {
  Listener listener(db(), last());
  Put("k", "1");
  EXPECT_EQ(
      Commit({{Table::kSubject, "k", "other"}}, Change{{{Table::kSubject, "k", "2"}}, SomeEvent("conflict")}).outcome,
      Outcome::kConflict);
  EXPECT_EQ(Commit({}, Change{{{Table::kSubject, "k", std::string(store::kMaxCommitBytes + 1, 'x')}}, {}}).outcome,
            Outcome::kTooLarge);
  Commit({}, Change{{{Table::kSubject, "k", std::nullopt}}, SomeEvent("delete")});
  EXPECT_EQ(listener.bodies(), (std::vector<std::string>{"put", "delete"}));
  EXPECT_EQ(listener.unlike_the_store, 0);
  db().Close();
  EXPECT_EQ(Put("k", "2").outcome, Outcome::kClosed);
  EXPECT_EQ(listener.bodies().size(), 2u);
}

TEST_P(Conformance, NobodyHearsAfterTheEndOfItsSubscription) {
  Listener stays(db(), last());
  std::vector<std::string> heard;
  {
    Listener leaves(db(), last());
    Put("k", "1");
    heard = leaves.bodies();
  }
  Put("k", "2");
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_EQ(stays.bodies().size(), 2u);
}

}  // namespace
}  // namespace consent::test
