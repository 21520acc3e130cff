// Who hears of commits: each of them, in order, before it is answered.
#include <atomic>
#include <chrono>
#include <condition_variable>
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

// What passed it of one partition, and what must not have happened before.
class Doorkeeper final : public store::Gate {
 public:
  explicit Doorkeeper(store::Partition partition) : partition_(partition) {}

  void BeforeAnswers(const std::vector<store::Committed>& group) override {
    for (const store::Committed& one : group) {
      if (one.partition != partition_) continue;
      if (one.stamp.sequence != ++came_) ++out_of_order;
      if (one.chain != store::NextChain(chain_, one.stamp, one.event)) ++wrong_chains;
      chain_ = one.chain;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
    for (const store::Committed& one : group) {
      if (one.partition == partition_) passed_ = one.stamp.sequence;
    }
  }
  void Shut() {
    std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;
  }
  void Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void WaitForAGroup() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ != 0; });
  }
  store::Sequence passed() const { return passed_.load(); }

  std::atomic<int> out_of_order = 0;
  std::atomic<int> wrong_chains = 0;

 private:
  const store::Partition partition_;
  base::Digest chain_{};
  store::Sequence came_ = 0;  // calls for one partition come one after another
  std::atomic<store::Sequence> passed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

TEST_P(Conformance, EachCommitPassesTheGateBeforeAnybodyHearsOfIt) {
  Doorkeeper gate(last());
  db().SetGate(&gate);
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::atomic<int> early = 0;
  class Early final : public store::Subscriber {
   public:
    Early(const Doorkeeper& gate, store::Partition partition, std::atomic<int>& early)
        : gate_(gate), partition_(partition), early_(early) {}
    void OnCommitted(const store::Committed& committed) override {
      if (committed.partition == partition_ && gate_.passed() < committed.stamp.sequence) ++early_;
    }

   private:
    const Doorkeeper& gate_;
    const store::Partition partition_;
    std::atomic<int>& early_;
  } listener(gate, last(), early);
  db().Subscribe(listener);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const CommitResult result = Put(std::to_string(t) + "." + std::to_string(i), "v");
        if (gate.passed() < result.stamp.sequence) ++early;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Commit({{Table::kSubject, "0.0", "other"}}, Change{{}, SomeEvent("conflict")}).outcome, Outcome::kConflict);
  EXPECT_EQ(gate.passed(), static_cast<store::Sequence>(kThreads * kEach));
  EXPECT_EQ(early, 0);
  EXPECT_EQ(gate.out_of_order, 0);
  EXPECT_EQ(gate.wrong_chains, 0);
  db().Unsubscribe(listener);
  db().SetGate(nullptr);
  EXPECT_EQ(Put("free", "v").outcome, Outcome::kCommitted);
  EXPECT_EQ(gate.passed(), static_cast<store::Sequence>(kThreads * kEach)) << "it is no gate any more";
}

TEST_P(Conformance, WhileAGroupIsInTheGateTheNextOneIsWrittenAndNoneIsAnswered) {
  Doorkeeper gate(last());
  db().SetGate(&gate);
  gate.Shut();
  std::vector<std::future<CommitResult>> answers;
  for (const char* key : {"first", "second", "third"}) {
    auto promise = std::make_shared<std::promise<CommitResult>>();
    answers.push_back(promise->get_future());
    db().Commit(
        last(), {},
        [key](const Stamp&) {
          return Change{{{Table::kSubject, key, "v"}}, SomeEvent(key)};
        },
        [promise](const CommitResult& result) { promise->set_value(result); });
    if (answers.size() == 1) gate.WaitForAGroup();
    if (answers.size() > 2) continue;
    while (Value(key) != "v") std::this_thread::yield();
  }
  EXPECT_EQ(gate.passed(), 0u);
  for (auto& answer : answers) EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  gate.Open();
  for (auto& answer : answers) EXPECT_EQ(answer.get().outcome, Outcome::kCommitted);
  EXPECT_EQ(gate.passed(), 3u);
  db().SetGate(nullptr);
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
