// A store that moves only when it is told to: commits wait, are applied one by one, and are answered one by one, in
// order.
#pragma once

#include <deque>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/store/store.h"
#include "daemon/store/subscribers.h"

namespace consent::simulation {

// Passes everything on to another store until Hold. Thread-safe, but steps come from one thread.
class SteppedStore final : public store::Store, private store::Subscriber {
 public:
  // `acknowledges_early`: a store that is wrong on purpose: it answers before it applies.
  SteppedStore(store::Store& inner, bool acknowledges_early) : inner_(inner), early_(acknowledges_early) {
    inner_.Subscribe(*this);
  }
  ~SteppedStore() override { inner_.Unsubscribe(*this); }

  // From now on commits wait for steps.
  void Hold() EXCLUDES(mutex_);
  // One commit further, if there is one that waits for that; false otherwise.
  bool ApplyOne() EXCLUDES(mutex_);
  bool AnswerOne() EXCLUDES(mutex_);
  bool Idle() const EXCLUDES(mutex_);

  base::Bytes16 store_id() const override { return inner_.store_id(); }
  uint16_t partition_count() const override { return inner_.partition_count(); }
  void Commit(store::Partition partition, std::vector<store::Precondition> preconditions, store::Build build,
              store::Done done) override EXCLUDES(mutex_);
  void Subscribe(store::Subscriber& subscriber) override { subscribers_.Add(subscriber); }
  void Unsubscribe(store::Subscriber& subscriber) override { subscribers_.Remove(subscriber); }
  void SetGate(store::Gate* gate) override { inner_.SetGate(gate); }
  absl::StatusOr<std::string> Get(store::Partition partition, store::Table table, std::string_view key) const override {
    return inner_.Get(partition, table, key);
  }
  absl::Status Scan(store::Partition partition, store::Table table, std::string_view from, std::string_view to,
                    size_t limit, const store::Visitor& visit) const override {
    return inner_.Scan(partition, table, from, to, limit, visit);
  }
  absl::StatusOr<std::vector<store::FeedRow>> Feed(store::Partition partition, store::Sequence from,
                                                   size_t limit) const override {
    return inner_.Feed(partition, from, limit);
  }
  absl::StatusOr<store::FeedRow> FeedAt(store::Partition partition, store::Sequence sequence) const override {
    return inner_.FeedAt(partition, sequence);
  }
  absl::Status TruncateFeed(store::Partition partition, store::Sequence before) override {
    return inner_.TruncateFeed(partition, before);
  }
  absl::Status EraseFeed(store::Partition partition, const std::vector<store::Sequence>& sequences) override {
    return inner_.EraseFeed(partition, sequences);
  }
  absl::Status Erase(store::Partition partition, const std::vector<store::RowKey>& rows) override {
    return inner_.Erase(partition, rows);
  }
  absl::Status EraseFromFiles(const store::EraseTargetsByPartition& targets) override {
    return inner_.EraseFromFiles(targets);
  }
  store::Head GetHead(store::Partition partition) const override { return inner_.GetHead(partition); }
  // What is applied and not yet answered is published in the inner store and not here.
  std::optional<store::ReadVersion> GetReadVersion(store::Partition) const override { return std::nullopt; }
  void Close() override { inner_.Close(); }

 private:
  struct Item {
    store::Partition partition;
    std::vector<store::Precondition> preconditions;
    store::Build build;
    store::Done done;
    store::CommitResult result;
    store::Change change;  // as it was applied
    base::Digest chain{};
  };
  store::CommitResult ApplyNow(Item& item);
  // Of what a step applied: notes it until its answer. Of everything else: passes it on.
  void OnCommitted(const store::Committed& committed) override EXCLUDES(mutex_);
  void Tell(const Item& item);

  store::Store& inner_;
  const bool early_;
  store::Subscribers subscribers_;
  mutable base::Mutex mutex_;
  Item* applying_ GUARDED_BY(mutex_) = nullptr;
  bool holding_ GUARDED_BY(mutex_) = false;
  // An item goes from the first queue to the second and out; the wrong store takes them the other way.
  std::deque<Item> first_ GUARDED_BY(mutex_);
  std::deque<Item> second_ GUARDED_BY(mutex_);
};

}  // namespace consent::simulation
