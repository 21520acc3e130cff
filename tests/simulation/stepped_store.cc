#include "tests/simulation/stepped_store.h"

#include <future>
#include <utility>

namespace consent::simulation {

void SteppedStore::Hold() {
  base::MutexLock lock(mutex_);
  holding_ = true;
}

bool SteppedStore::Idle() const {
  base::MutexLock lock(mutex_);
  return first_.empty() && second_.empty();
}

void SteppedStore::Commit(store::Partition partition, std::vector<store::Precondition> preconditions,
                          store::Build build, store::Done done) {
  Item item{partition, std::move(preconditions), std::move(build), std::move(done), {}, {}};
  {
    base::MutexLock lock(mutex_);
    if (holding_) {
      first_.push_back(std::move(item));
      return;
    }
  }
  inner_.Commit(item.partition, std::move(item.preconditions), std::move(item.build), std::move(item.done));
}

void SteppedStore::OnCommitted(const store::Committed& committed) {
  {
    base::MutexLock lock(mutex_);
    if (applying_ != nullptr) {
      applying_->change = store::Change{committed.writes, committed.event};
      applying_->chain = committed.chain;
      return;
    }
  }
  subscribers_.Tell(committed);
}

void SteppedStore::Tell(const Item& item) {
  if (item.result.outcome != store::Outcome::kCommitted) return;
  subscribers_.Tell({item.partition, item.result.stamp, item.change.event, item.change.writes, item.chain});
}

store::CommitResult SteppedStore::ApplyNow(Item& item) {
  {
    base::MutexLock lock(mutex_);
    applying_ = &item;
  }
  std::promise<store::CommitResult> promise;
  inner_.Commit(item.partition, item.preconditions, item.build,
                [&](const store::CommitResult& result) { promise.set_value(result); });
  const store::CommitResult result = promise.get_future().get();
  base::MutexLock lock(mutex_);
  applying_ = nullptr;
  return result;
}

bool SteppedStore::ApplyOne() {
  std::deque<Item>& from = early_ ? second_ : first_;
  Item item;
  {
    base::MutexLock lock(mutex_);
    if (from.empty()) return false;
    item = std::move(from.front());
    from.pop_front();
  }
  item.result = ApplyNow(item);
  if (early_) {
    Tell(item);
    return true;
  }
  base::MutexLock lock(mutex_);
  second_.push_back(std::move(item));
  return true;
}

bool SteppedStore::AnswerOne() {
  std::deque<Item>& from = early_ ? first_ : second_;
  Item item;
  {
    base::MutexLock lock(mutex_);
    if (from.empty()) return false;
    item = std::move(from.front());
    from.pop_front();
  }
  const store::Done done = item.done;
  store::CommitResult result = item.result;
  if (!early_) Tell(item);
  if (early_) {
    const store::Head head = inner_.GetHead(item.partition);
    base::MutexLock lock(mutex_);
    result.outcome = store::Outcome::kCommitted;
    result.stamp.sequence = head.stamp.sequence + 1 + second_.size();
    result.stamp.time = head.stamp.time + base::Microseconds(1 + static_cast<int64_t>(second_.size()));
    (void)item.build(result.stamp);
    second_.push_back(std::move(item));
  }
  done(result);
  return true;
}

}  // namespace consent::simulation
