// A store that fails on purpose: every caller of Store must live with Conflict, Retry and Unknown at any time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/store/store.h"
#include "daemon/store/subscribers.h"

namespace consent::test {

enum class Fault : uint8_t {
  kNone = 0,
  kConflict = 1,     // answered without asking the store
  kRetry = 2,        // likewise
  kUnknownLost = 3,  // kUnknown, and the commit is not done
  kUnknownDone = 4,  // kUnknown, although the commit is done
};

// Passes everything on to another store, except the commits that it fails. After a kUnknown it refuses reads and
// commits, as a real store does, until Reopen(). Commits that are under way at that moment are answered kUnknown
// although they are done. With no plan it passes everything on. Thread-safe.
class FaultyStore final : public store::Store, private store::Subscriber {
 public:
  struct Plan {
    uint64_t seed = 0;
    double conflict = 0;  // probabilities per commit, 0..1; their sum is at most 1
    double retry = 0;
    double unknown_lost = 0;
    double unknown_done = 0;
    std::vector<Fault> script;  // used up first, one per commit
  };

  // `inner` and what `on_failure` uses outlive the decorator.
  FaultyStore(store::Store& inner, Plan plan, store::OnFailure on_failure = {});
  ~FaultyStore() override;

  // Adds to the script.
  void Inject(Fault fault) EXCLUDES(mutex_);
  // Runs once, on the caller's thread, before the next commit is passed on: somebody else who comes in between. May
  // itself commit.
  void BeforeNextCommit(std::function<void()> meddle) EXCLUDES(mutex_);
  // The same for who wants to know what the commit will ask for.
  using Meddle = std::function<void(const std::vector<store::Precondition>&)>;
  void BeforeNextCommit(Meddle meddle) EXCLUDES(mutex_);
  // The same before the next Get of that table.
  void BeforeNextGet(store::Table table, std::function<void()> meddle) EXCLUDES(mutex_);
  // A store that is wrong: preconditions of that table hold, whatever the row is.
  void ForgetPreconditionsOf(store::Table table) EXCLUDES(mutex_);
  // A store that is wrong: the next commit that anybody makes is told to nobody here.
  void LoseNextCommit() EXCLUDES(mutex_);
  // Fails nothing any more, neither by plan nor by script.
  void Calm() EXCLUDES(mutex_);
  // The `call`-th call from now on that changes the store (1: the next) is the last before a crash: it is kUnknown, or
  // Unavailable, and done or not.
  void CrashAt(uint64_t call, bool done) EXCLUDES(mutex_);
  // Serves again after a kUnknown.
  void Reopen() EXCLUDES(mutex_);
  bool failed() const EXCLUDES(mutex_);
  bool crashed() const EXCLUDES(mutex_);  // CrashAt's call has come

  base::Bytes16 store_id() const override { return inner_.store_id(); }
  uint16_t partition_count() const override { return inner_.partition_count(); }
  void Commit(store::Partition partition, std::vector<store::Precondition> preconditions, store::Build build,
              store::Done done) override;
  void Subscribe(store::Subscriber& subscriber) override { subscribers_.Add(subscriber); }
  void Unsubscribe(store::Subscriber& subscriber) override { subscribers_.Remove(subscriber); }
  void SetGate(store::Gate* gate) override { inner_.SetGate(gate); }
  absl::StatusOr<std::string> Get(store::Partition partition, store::Table table, std::string_view key) const override;
  absl::Status Scan(store::Partition partition, store::Table table, std::string_view from, std::string_view to,
                    size_t limit, const store::Visitor& visit) const override;
  absl::StatusOr<std::vector<store::FeedRow>> Feed(store::Partition partition, store::Sequence from,
                                                   size_t limit) const override;
  absl::StatusOr<store::FeedRow> FeedAt(store::Partition partition, store::Sequence sequence) const override;
  absl::Status TruncateFeed(store::Partition partition, store::Sequence before) override;
  absl::Status EraseFeed(store::Partition partition, const std::vector<store::Sequence>& sequences) override;
  absl::Status Erase(store::Partition partition, const std::vector<store::RowKey>& rows) override;
  absl::Status EraseFromFiles(const store::EraseTargetsByPartition& targets) override;
  store::Head GetHead(store::Partition partition) const override { return inner_.GetHead(partition); }
  std::optional<store::ReadVersion> GetReadVersion(store::Partition partition) const override {
    return inner_.GetReadVersion(partition);
  }
  void Close() override { inner_.Close(); }

 private:
  Fault Next() REQUIRES(mutex_);
  // True where this call is the one that CrashAt named.
  bool IsTheLast() REQUIRES(mutex_);
  // Runs a change that is no commit.
  absl::Status Change(const std::function<absl::Status()>& change) EXCLUDES(mutex_);
  absl::Status Check() const EXCLUDES(mutex_);
  // True for the first failure since the last Reopen.
  bool MarkFailed() EXCLUDES(mutex_);
  // Passes on what is answered as committed.
  void OnCommitted(const store::Committed& committed) override EXCLUDES(mutex_);
  // What `result` of the inner store becomes.
  store::CommitResult Translate(Fault fault, store::CommitResult result, uint64_t generation) EXCLUDES(mutex_);

  store::Store& inner_;
  const Plan plan_;
  const store::OnFailure on_failure_;
  store::Subscribers subscribers_;
  mutable base::Mutex mutex_;
  std::mt19937_64 random_ GUARDED_BY(mutex_);
  std::deque<Fault> script_ GUARDED_BY(mutex_);
  Meddle meddle_ GUARDED_BY(mutex_);
  mutable std::function<void()> meddle_reading_ GUARDED_BY(mutex_);
  store::Table read_table_ GUARDED_BY(mutex_) = store::Table::kSubject;
  std::optional<store::Table> forgotten_ GUARDED_BY(mutex_);
  bool loses_next_ GUARDED_BY(mutex_) = false;
  bool calm_ GUARDED_BY(mutex_) = false;
  bool failed_ GUARDED_BY(mutex_) = false;
  uint64_t crash_in_ GUARDED_BY(mutex_) = 0;  // calls; 0: none is planned
  bool crash_when_done_ GUARDED_BY(mutex_) = false;
  bool crashed_ GUARDED_BY(mutex_) = false;
  uint64_t generation_ GUARDED_BY(mutex_) =
      0;  // counts failures, so that a commit begun before one is not answered after Reopen
  struct Begun {
    Fault fault = Fault::kNone;
    uint64_t generation = 0;
  };
  std::map<std::pair<store::Partition, store::Sequence>, Begun> begun_ GUARDED_BY(mutex_);  // built and not yet told
};

}  // namespace consent::test
