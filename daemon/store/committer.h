// The one writer behind every engine of this process: takes commits from any thread, gives each its place in the order,
// and hands them to the engine in groups, so that many concurrent commits share one sync. The next group is prepared
// while the one before it is being synced; where there is a gate, the one before that is in it meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/store/durations.h"
#include "daemon/store/limits.h"
#include "daemon/store/store.h"
#include "daemon/store/subscribers.h"

namespace consent::store {

// A commit whose preconditions held, with its place in the order.
struct Prepared {
  Partition partition;
  Stamp stamp;
  Change change;
  base::Digest chain{};
};

// What an engine does for the committer. Each function is called by one thread at a time; Holds also while Apply is
// under way.
class CommitEngine {
 public:
  virtual ~CommitEngine() = default;
  // Whether the row is as expected, seen from after the last applied group. A row that the group under way writes is
  // not asked for.
  virtual absl::StatusOr<bool> Holds(Partition partition, const Precondition& precondition) = 0;
  // Makes the whole group durable and visible, all or nothing. After an error it may be durable or not.
  virtual absl::Status Apply(const std::vector<Prepared>& group) = 0;
};

// What commits cost since the committer began, and what waits.
struct CommitTimings {
  DurationCounts commits;  // from Commit to the answer, of those that were committed
  DurationCounts syncs;    // of each group: the engine's write and sync
  uint64_t waiting = 0;    // commits that are queued or being prepared
};

// Thread-safe, apart from construction and destruction. Owns three threads.
class Committer {
 public:
  struct Options {
    const base::Clock* clock = nullptr;
    size_t max_queue = kMaxQueuedCommits;  // commits waiting; one more is answered kRetry
    size_t max_group = 1024;               // commits that share a sync
    OnFailure on_failure;                  // may be empty
    Partition first;                       // heads[i] is that of partition first + i
    std::vector<Head> heads;
  };

  // `engine` and the clock outlive the committer.
  Committer(Options options, CommitEngine& engine);
  // Closes.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // As Store::Commit.
  void Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) EXCLUDES(mutex_);
  Subscribers& subscribers() { return subscribers_; }
  // As Store::SetGate.
  void SetGate(Gate* gate) { gate_.store(gate); }
  Head GetHead(Partition partition) const EXCLUDES(mutex_);
  CommitTimings timings() const EXCLUDES(mutex_);
  // As Store::GetReadVersion. Takes no lock.
  ReadVersion GetReadVersion() const;
  // To be called before and after rows are erased outside the order of commits: what was read before is then read
  // again.
  void NoteErasure() { erasures_.fetch_add(1); }
  // Ok, or Unavailable once failed or closing: reads are refused with it. Takes no lock.
  absl::Status Check() const;
  // Goes into the failed state; the first call reports `why`. What is queued is answered kClosed.
  void Fail(const absl::Status& why) EXCLUDES(mutex_);
  // Takes nothing more, finishes what is queued and ends the threads. Idempotent. Not from within a Done.
  void Close() EXCLUDES(mutex_, join_mutex_);

 private:
  struct Item {
    Partition partition;
    std::vector<Precondition> preconditions;
    Build build;
    Done done;
    CommitResult result;
    std::chrono::steady_clock::time_point began;
  };
  struct RowName {
    uint16_t partition;
    Table table;
    std::string_view key;
    bool operator==(const RowName&) const = default;
  };
  struct RowNameHash {
    size_t operator()(const RowName& row) const;
  };
  // What shares a sync. Belongs to the preparing thread until it is handed over, then to the applying one, and where
  // there is a gate to the answering one behind it; but the rows stay as they are until the next group is handed over.
  struct Group {
    uint64_t number = 0;  // 1 is the first
    std::vector<Item> items;
    std::vector<Prepared> prepared;
    size_t bytes = 0;
    std::unordered_map<RowName, const Write*, RowNameHash> rows;  // what `prepared` writes, the last of each
    std::atomic<bool> applied = false;                            // the engine knows of it
    absl::Status outcome;                                         // of applying it

    void Begin(uint64_t its_number);
    const Write* Find(const RowName& row) const;
  };

  void PrepareGroups() EXCLUDES(mutex_);
  // Waits until there is something to do: takes what is queued where there is room for it, else hands over what is
  // prepared where the applying thread is free. False when there will be no more.
  bool HandOverOrTake(bool may_take, std::vector<Item>* items) EXCLUDES(mutex_);
  bool HasRoom() const;
  // Gives the item its place in the group.
  void Add(Item item);
  Outcome Prepare(Item& item);
  absl::StatusOr<bool> Holds(const Item& item, const Precondition& precondition);
  // The number of the last group that wrote this row, or another of the same slot: never less than the truth.
  uint64_t& LastWriter(const RowName& row) { return last_writers_[RowNameHash()(row) % last_writers_.size()]; }
  bool IsUntouched(const RowName& row, const std::optional<ReadVersion>& since);

  // A group that is neither handed over nor in the gate.
  Group* Free() REQUIRES(mutex_);
  void ApplyGroups() EXCLUDES(mutex_);
  void ApplyGroup(Group& group) EXCLUDES(mutex_);
  void AnswerGroups() EXCLUDES(mutex_);
  void PassGate(const Group& group, Gate& gate) const;
  void Answer(Group& group);

  const base::Clock* const clock_;
  const size_t max_queue_;
  const size_t max_group_;
  const OnFailure on_failure_;
  const Partition first_;
  CommitEngine& engine_;

  mutable base::Mutex mutex_;
  base::CondVar prepare_;
  base::CondVar apply_;
  base::CondVar answer_;
  std::vector<Item> queue_ GUARDED_BY(mutex_);
  size_t waiting_ GUARDED_BY(mutex_) = 0;         // queued or being prepared
  Group* applying_ GUARDED_BY(mutex_) = nullptr;  // handed over; not yet answered, or not yet in the gate
  Group* gated_ GUARDED_BY(mutex_) = nullptr;     // in the gate, and not yet answered
  bool no_more_ GUARDED_BY(mutex_) = false;       // nothing will be handed over any more
  bool all_applied_ GUARDED_BY(mutex_) = false;   // nothing will come to the gate any more
  std::vector<Head> heads_ GUARDED_BY(mutex_);    // of what was applied
  // Set under the mutex, so that nothing is queued after them; read without it by Check.
  std::atomic<bool> closing_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<uint64_t> published_ = 0;  // number of the last group that was answered
  std::atomic<uint64_t> erasures_ = 0;

  Durations commit_times_;
  Durations sync_times_;

  Subscribers subscribers_;
  std::atomic<Gate*> gate_ = nullptr;

  base::Mutex join_mutex_;
  bool joined_ GUARDED_BY(join_mutex_) = false;

  // Only the preparing thread's own.
  std::vector<Head> next_heads_;  // including the group that is being prepared
  std::vector<uint64_t> last_writers_;
  Group groups_[3];
  Group* preparing_ = &groups_[0];
  Group* previous_ = &groups_[1];  // handed over last

  std::thread answerer_;  // the threads come last: they start when all else is there
  std::thread applier_;
  std::thread preparer_;
};

}  // namespace consent::store
