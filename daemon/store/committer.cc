#include "daemon/store/committer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "daemon/store/limits.h"

namespace consent::store {
namespace {

// A group is closed above this, so that one sync never waits for more than a few megabytes.
constexpr size_t kMaxGroupBytes = 4 << 20;

}  // namespace

size_t Committer::RowNameHash::operator()(const RowName& row) const {
  return std::hash<std::string_view>()(row.key) ^ (static_cast<size_t>(row.partition) << 8 | static_cast<size_t>(row.table));
}

Committer::Committer(Options options, CommitEngine& engine)
    : clock_(options.clock),
      max_queue_(std::max<size_t>(options.max_queue, 1)),
      max_group_(std::max<size_t>(options.max_group, 1)),
      on_failure_(std::move(options.on_failure)),
      first_(options.first),
      engine_(engine),
      heads_(options.heads),
      next_heads_(std::move(options.heads)),
      thread_([this] { Run(); }) {}

Committer::~Committer() { Close(); }

void Committer::Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) {
  CommitResult refused;
  if (!WithinLimits(preconditions)) {
    refused.outcome = Outcome::kTooLarge;
  } else {
    base::MutexLock lock(mutex_);
    if (closing_ || failed_) {
      refused.outcome = Outcome::kClosed;
    } else if (queue_.size() >= max_queue_) {
      refused.outcome = Outcome::kRetry;
    } else {
      queue_.push_back(Item{partition, std::move(preconditions), std::move(build), std::move(done), {}});
      if (queue_.size() == 1) wake_.NotifyOne();
      return;
    }
  }
  done(refused);
}

Head Committer::GetHead(Partition partition) const {
  base::MutexLock lock(mutex_);
  return heads_[partition.number - first_.number];
}

absl::Status Committer::Check() const {
  if (failed_) return absl::UnavailableError("the store failed; it serves again when it is opened anew");
  if (closing_) return absl::UnavailableError("the store is closed");
  return absl::OkStatus();
}

void Committer::Fail(const absl::Status& why) {
  {
    base::MutexLock lock(mutex_);
    if (failed_) return;
    failed_ = true;
  }
  if (on_failure_) on_failure_(why);
}

void Committer::Close() {
  {
    base::MutexLock lock(mutex_);
    closing_ = true;
    wake_.NotifyOne();
  }
  base::MutexLock lock(join_mutex_);  // a second caller waits until the first is through
  if (joined_) return;
  thread_.join();
  joined_ = true;
}

void Committer::Run() {
  std::vector<Item> items;
  while (TakeQueue(&items)) {
    for (size_t begin = 0; begin < items.size();) begin = CommitGroup(items, begin);
  }
}

bool Committer::TakeQueue(std::vector<Item>* items) {
  items->clear();
  base::MutexLock lock(mutex_);
  while (queue_.empty() && !closing_) wake_.Wait(mutex_);
  items->swap(queue_);
  return !items->empty();
}

size_t Committer::CommitGroup(std::vector<Item>& items, size_t begin) {
  group_.clear();
  overlay_.clear();
  group_bytes_ = 0;
  if (failed_) {
    for (size_t i = begin; i < items.size(); ++i) items[i].result.outcome = Outcome::kClosed;
    Answer(items, begin, items.size(), absl::OkStatus());
    return items.size();
  }
  absl::Status applied;
  size_t end = begin;
  for (; end < items.size() && group_.size() < max_group_ && group_bytes_ < kMaxGroupBytes; ++end) {
    items[end].result.outcome = Prepare(items[end], end + 1 == items.size());
  }
  if (!group_.empty()) {
    applied = engine_.Apply(group_);
    if (applied.ok()) {
      base::MutexLock lock(mutex_);
      for (const Prepared& p : group_) {
        const size_t index = p.partition.number - first_.number;
        heads_[index] = next_heads_[index];
      }
    } else {
      Fail(applied);
    }
  }
  Answer(items, begin, end, applied);
  return end;
}

Outcome Committer::Prepare(Item& item, bool last) {
  for (const Precondition& precondition : item.preconditions) {
    const absl::StatusOr<bool> holds = Holds(item, precondition);
    // An unreadable row says nothing about the others: this commit alone is turned away.
    if (!holds.ok()) return Outcome::kRetry;
    if (!*holds) return Outcome::kConflict;
  }
  Head& head = next_heads_[item.partition.number - first_.number];
  Prepared prepared;
  prepared.partition = item.partition;
  prepared.stamp.sequence = head.stamp.sequence + 1;
  prepared.stamp.time = std::max(clock_->Now(), base::Instant{head.stamp.time.micros + 1});
  prepared.change = item.build(prepared.stamp);
  size_t bytes = 0;
  if (!WithinLimits(prepared.change, &bytes)) return Outcome::kTooLarge;
  prepared.chain = NextChain(head.chain, prepared.stamp, prepared.change.event);
  head = Head{prepared.stamp, prepared.chain};
  item.result.stamp = prepared.stamp;
  group_bytes_ += bytes;
  group_.push_back(std::move(prepared));
  if (!last) {  // nobody looks at what the last one wrote
    for (const Write& write : group_.back().change.writes) {
      overlay_[RowName{item.partition.number, write.table, write.key}] = &write;
    }
  }
  return Outcome::kCommitted;
}

absl::StatusOr<bool> Committer::Holds(const Item& item, const Precondition& precondition) {
  if (!overlay_.empty()) {
    const auto found = overlay_.find(RowName{item.partition.number, precondition.table, precondition.key});
    if (found != overlay_.end()) return found->second->value == precondition.expected;
  }
  return engine_.Holds(item.partition, precondition);
}

void Committer::Answer(std::vector<Item>& items, size_t begin, size_t end, const absl::Status& applied) {
  for (size_t i = begin; i < end; ++i) {
    Item& item = items[i];
    if (!applied.ok()) {
      // What was not part of the failed write was judged by a state that may never have been: it only learns that nothing was written.
      item.result = CommitResult{item.result.outcome == Outcome::kCommitted ? Outcome::kUnknown : Outcome::kClosed, {}};
    }
    if (item.result.outcome != Outcome::kCommitted) item.result.stamp = Stamp{};
    const Done done = std::move(item.done);
    done(item.result);
  }
}

}  // namespace consent::store
