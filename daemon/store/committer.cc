#include "daemon/store/committer.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace consent::store {
namespace {

// A group is closed above this, so that one sync never waits for more than a few megabytes.
constexpr size_t kMaxGroupBytes = 4 << 20;
// Rows share slots; with a thousand changes under way one in twenty precondition is read without need.
constexpr size_t kLastWriterSlots = 1 << 16;

}  // namespace

size_t Committer::RowNameHash::operator()(const RowName& row) const {
  return std::hash<std::string_view>()(row.key) ^
         (static_cast<size_t>(row.partition) << 8 | static_cast<size_t>(row.table));
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
      last_writers_(kLastWriterSlots),
      answerer_([this] { AnswerGroups(); }),
      applier_([this] { ApplyGroups(); }),
      preparer_([this] { PrepareGroups(); }) {}

Committer::~Committer() { Close(); }

void Committer::Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) {
  const auto began = std::chrono::steady_clock::now();
  CommitResult refused;
  if (!WithinLimits(preconditions)) {
    refused.outcome = Outcome::kTooLarge;
  } else {
    base::MutexLock lock(mutex_);
    if (closing_ || failed_) {
      refused.outcome = Outcome::kClosed;
    } else if (waiting_ >= max_queue_) {
      refused.outcome = Outcome::kRetry;
    } else {
      queue_.push_back(Item{partition, std::move(preconditions), std::move(build), std::move(done), {}, began});
      ++waiting_;
      if (queue_.size() == 1) prepare_.NotifyOne();
      return;
    }
  }
  done(refused);
}

Head Committer::GetHead(Partition partition) const {
  base::MutexLock lock(mutex_);
  return heads_[partition.number - first_.number];
}

CommitTimings Committer::timings() const {
  CommitTimings timings;
  timings.commits = commit_times_.counts();
  timings.syncs = sync_times_.counts();
  base::MutexLock lock(mutex_);
  timings.waiting = waiting_;
  return timings;
}

ReadVersion Committer::GetReadVersion() const {
  ReadVersion seen;
  seen.group = published_.load(std::memory_order_acquire);
  seen.erasures = erasures_.load();
  return seen;
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
    prepare_.NotifyOne();
  }
  base::MutexLock lock(join_mutex_);  // a second caller waits until the first is through
  if (joined_) return;
  preparer_.join();
  applier_.join();
  answerer_.join();
  joined_ = true;
}

void Committer::Group::Begin(uint64_t its_number) {
  number = its_number;
  items.clear();
  rows.clear();
  prepared.clear();
  bytes = 0;
  applied = false;
  outcome = absl::OkStatus();
}

const Write* Committer::Group::Find(const RowName& row) const {
  if (rows.empty()) return nullptr;
  const auto found = rows.find(row);
  return found == rows.end() ? nullptr : found->second;
}

void Committer::PrepareGroups() {
  preparing_->Begin(1);
  std::vector<Item> items;
  size_t next = 0;
  do {
    while (next < items.size() && HasRoom()) Add(std::move(items[next++]));
    if (next < items.size()) continue;
    items.clear();
    next = 0;
  } while (HandOverOrTake(items.empty() && HasRoom(), &items));
}

bool Committer::HandOverOrTake(bool may_take, std::vector<Item>* items) {
  base::MutexLock lock(mutex_);
  for (;; prepare_.Wait(mutex_)) {
    const bool prepared = !preparing_->items.empty();
    if (may_take && !queue_.empty()) {
      items->swap(queue_);
      return true;
    }
    if (prepared && applying_ == nullptr) {
      applying_ = preparing_;
      waiting_ -= applying_->items.size();
      previous_ = preparing_;
      preparing_ = Free();
      preparing_->Begin(previous_->number + 1);
      apply_.NotifyOne();
      return true;
    }
    if (closing_ && !prepared && queue_.empty()) {
      no_more_ = true;
      apply_.NotifyOne();
      return false;
    }
  }
}

bool Committer::HasRoom() const { return preparing_->items.size() < max_group_ && preparing_->bytes < kMaxGroupBytes; }

void Committer::Add(Item item) {
  item.result.outcome = failed_ ? Outcome::kClosed : Prepare(item);
  preparing_->items.push_back(std::move(item));
}

Outcome Committer::Prepare(Item& item) {
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
  Group& group = *preparing_;
  group.bytes += bytes;
  group.prepared.push_back(std::move(prepared));
  for (const Write& write : group.prepared.back().change.writes) {
    const RowName row{item.partition.number, write.table, write.key};
    group.rows[row] = &write;
    LastWriter(row) = group.number;
  }
  return Outcome::kCommitted;
}

absl::StatusOr<bool> Committer::Holds(const Item& item, const Precondition& precondition) {
  const RowName row{item.partition.number, precondition.table, precondition.key};
  if (IsUntouched(row, precondition.seen)) return true;
  const Write* write = preparing_->Find(row);
  if (write == nullptr && !previous_->applied.load(std::memory_order_acquire)) write = previous_->Find(row);
  return write != nullptr ? write->value == precondition.expected : engine_.Holds(item.partition, precondition);
}

bool Committer::IsUntouched(const RowName& row, const std::optional<ReadVersion>& since) {
  return since && since->erasures == erasures_.load() && LastWriter(row) <= since->group;
}

Committer::Group* Committer::Free() {
  Group* free = groups_;
  while (free == applying_ || free == gated_) ++free;
  return free;
}

void Committer::ApplyGroups() {
  for (;;) {
    Group* group = nullptr;
    {
      base::MutexLock lock(mutex_);
      while (applying_ == nullptr && !no_more_) apply_.Wait(mutex_);
      group = applying_;
      if (group == nullptr) {
        all_applied_ = true;
        answer_.NotifyOne();
        return;
      }
    }
    ApplyGroup(*group);
    const bool is_gated = gate_.load() != nullptr;
    if (!is_gated) Answer(*group);
    base::MutexLock lock(mutex_);
    while (is_gated && gated_ != nullptr) apply_.Wait(mutex_);
    if (is_gated) {
      gated_ = group;
      answer_.NotifyOne();
    }
    applying_ = nullptr;
    prepare_.NotifyOne();
  }
}

void Committer::ApplyGroup(Group& group) {
  if (failed_) {
    for (Item& item : group.items) item.result.outcome = Outcome::kClosed;
  } else if (!group.prepared.empty()) {
    const auto began = std::chrono::steady_clock::now();
    group.outcome = engine_.Apply(group.prepared);
    sync_times_.Observe(std::chrono::steady_clock::now() - began);
    if (group.outcome.ok()) {
      base::MutexLock lock(mutex_);
      for (const Prepared& p : group.prepared) heads_[p.partition.number - first_.number] = Head{p.stamp, p.chain};
    } else {
      Fail(group.outcome);
    }
  }
  group.applied.store(true, std::memory_order_release);
}

void Committer::AnswerGroups() {
  for (;;) {
    Group* group = nullptr;
    {
      base::MutexLock lock(mutex_);
      while (gated_ == nullptr && !all_applied_) answer_.Wait(mutex_);
      if (gated_ == nullptr) return;
      group = gated_;
    }
    Gate* const gate = gate_.load();
    if (gate != nullptr && group->outcome.ok()) PassGate(*group, *gate);
    Answer(*group);
    base::MutexLock lock(mutex_);
    gated_ = nullptr;
    apply_.NotifyOne();
  }
}

void Committer::PassGate(const Group& group, Gate& gate) const {
  std::vector<Committed> committed;
  committed.reserve(group.prepared.size());
  auto prepared = group.prepared.begin();  // one for each item that was not refused, in their order
  for (const Item& item : group.items) {
    if (item.result.outcome != Outcome::kCommitted) continue;
    committed.push_back(
        {prepared->partition, prepared->stamp, prepared->change.event, prepared->change.writes, prepared->chain});
    ++prepared;
  }
  if (!committed.empty()) gate.BeforeAnswers(committed);
}

void Committer::Answer(Group& group) {
  auto committed = group.prepared.begin();  // one for each item that was not refused, in their order
  for (Item& item : group.items) {
    if (!group.outcome.ok()) {
      // What was not part of the failed write was judged by a state that may never have been: it only learns that
      // nothing was written.
      item.result = CommitResult{item.result.outcome == Outcome::kCommitted ? Outcome::kUnknown : Outcome::kClosed, {}};
    }
    if (item.result.outcome == Outcome::kCommitted) {
      subscribers_.Tell({committed->partition, committed->stamp, committed->change.event, committed->change.writes,
                         committed->chain});
      ++committed;
      commit_times_.Observe(std::chrono::steady_clock::now() - item.began);
    } else {
      item.result.stamp = Stamp{};
    }
    const Done done = std::move(item.done);
    done(item.result);
  }
  published_.store(group.number, std::memory_order_release);
  group.items.clear();
}

}  // namespace consent::store
