#include "tests/support/store/faulty.h"

#include <utility>

namespace consent::test {

using store::CommitResult;
using store::Outcome;
using store::Partition;

FaultyStore::FaultyStore(store::Store& inner, Plan plan, store::OnFailure on_failure)
    : inner_(inner),
      plan_(std::move(plan)),
      on_failure_(std::move(on_failure)),
      random_(plan_.seed),
      script_(plan_.script.begin(), plan_.script.end()) {
  inner_.Subscribe(*this);
}

FaultyStore::~FaultyStore() { inner_.Unsubscribe(*this); }

void FaultyStore::OnCommitted(const store::Committed& committed) {
  {
    base::MutexLock lock(mutex_);
    const auto begun = begun_.find({committed.partition, committed.stamp.sequence});
    if (begun != begun_.end()) {
      const Begun how = begun->second;
      begun_.erase(begun);
      if (how.fault == Fault::kUnknownDone || how.generation != generation_) return;
    }
    if (std::exchange(loses_next_, false)) return;
  }
  subscribers_.Tell(committed);
}

void FaultyStore::Inject(Fault fault) {
  base::MutexLock lock(mutex_);
  script_.push_back(fault);
}

void FaultyStore::Calm() {
  base::MutexLock lock(mutex_);
  calm_ = true;
}

void FaultyStore::Reopen() {
  base::MutexLock lock(mutex_);
  failed_ = false;
}

bool FaultyStore::failed() const {
  base::MutexLock lock(mutex_);
  return failed_;
}

bool FaultyStore::crashed() const {
  base::MutexLock lock(mutex_);
  return crashed_;
}

void FaultyStore::CrashAt(uint64_t call, bool done) {
  base::MutexLock lock(mutex_);
  crash_in_ = call;
  crash_when_done_ = done;
  crashed_ = false;
}

void FaultyStore::BeforeNextGet(store::Table table, std::function<void()> meddle) {
  base::MutexLock lock(mutex_);
  read_table_ = table;
  meddle_reading_ = std::move(meddle);
}

void FaultyStore::BeforeNextCommit(std::function<void()> meddle) {
  BeforeNextCommit([meddle = std::move(meddle)](const std::vector<store::Precondition>&) { meddle(); });
}

void FaultyStore::BeforeNextCommit(Meddle meddle) {
  base::MutexLock lock(mutex_);
  meddle_ = std::move(meddle);
}

bool FaultyStore::IsTheLast() {
  if (crash_in_ == 0 || --crash_in_ != 0) return false;
  crashed_ = true;
  return true;
}

absl::Status FaultyStore::Change(const std::function<absl::Status()>& change) {
  if (absl::Status s = Check(); !s.ok()) return s;
  bool is_last = false;
  bool is_done = true;
  {
    base::MutexLock lock(mutex_);
    is_last = IsTheLast();
    if (is_last) is_done = crash_when_done_;
  }
  absl::Status status;
  if (is_done) status = change();
  if (!is_last) return status;
  MarkFailed();
  return absl::UnavailableError("injected crash");
}

Fault FaultyStore::Next() {
  if (calm_) return Fault::kNone;
  if (IsTheLast()) return crash_when_done_ ? Fault::kUnknownDone : Fault::kUnknownLost;
  if (!script_.empty()) {
    const Fault fault = script_.front();
    script_.pop_front();
    return fault;
  }
  double draw = std::uniform_real_distribution<double>(0, 1)(random_);
  const std::pair<double, Fault> faults[] = {{plan_.conflict, Fault::kConflict},
                                             {plan_.retry, Fault::kRetry},
                                             {plan_.unknown_lost, Fault::kUnknownLost},
                                             {plan_.unknown_done, Fault::kUnknownDone}};
  for (const auto& [probability, fault] : faults) {
    if (draw < probability) return fault;
    draw -= probability;
  }
  return Fault::kNone;
}

absl::Status FaultyStore::Check() const {
  base::MutexLock lock(mutex_);
  return failed_ ? absl::UnavailableError("the store failed; it serves again when it is opened anew")
                 : absl::OkStatus();
}

bool FaultyStore::MarkFailed() {
  {
    base::MutexLock lock(mutex_);
    if (failed_) return false;
    failed_ = true;
    ++generation_;
  }
  if (on_failure_) on_failure_(absl::UnavailableError("injected write error"));
  return true;
}

CommitResult FaultyStore::Translate(Fault fault, CommitResult result, uint64_t generation) {
  if (result.outcome != Outcome::kCommitted) return result;
  if (fault == Fault::kUnknownDone) {
    MarkFailed();
    return CommitResult{};
  }
  base::MutexLock lock(mutex_);
  return generation_ == generation ? result : CommitResult{};
}

void FaultyStore::ForgetPreconditionsOf(store::Table table) {
  base::MutexLock lock(mutex_);
  forgotten_ = table;
}

void FaultyStore::LoseNextCommit() {
  base::MutexLock lock(mutex_);
  loses_next_ = true;
}

void FaultyStore::Commit(Partition partition, std::vector<store::Precondition> preconditions, store::Build build,
                         store::Done done) {
  Meddle meddle;
  {
    base::MutexLock lock(mutex_);
    meddle = std::exchange(meddle_, nullptr);
  }
  if (meddle) meddle(preconditions);
  Fault fault = Fault::kNone;
  uint64_t generation = 0;
  {
    base::MutexLock lock(mutex_);
    if (!failed_) fault = Next();
    generation = failed_ ? UINT64_MAX : generation_;
    const std::optional<store::Table> forgotten = forgotten_;
    std::erase_if(preconditions, [&](const store::Precondition& one) { return forgotten == one.table; });
  }
  if (generation == UINT64_MAX) return done(CommitResult{Outcome::kClosed, {}});
  if (fault == Fault::kConflict) return done(CommitResult{Outcome::kConflict, {}});
  if (fault == Fault::kRetry) return done(CommitResult{Outcome::kRetry, {}});
  if (fault == Fault::kUnknownLost) {
    MarkFailed();
    return done(CommitResult{});
  }
  const auto noted = [this, partition, fault, generation, build = std::move(build)](const store::Stamp& stamp) {
    {
      base::MutexLock lock(mutex_);
      begun_[{partition, stamp.sequence}] = Begun{fault, generation};
    }
    return build(stamp);
  };
  inner_.Commit(partition, std::move(preconditions), noted,
                [this, fault, generation, done = std::move(done)](const CommitResult& result) {
                  done(Translate(fault, result, generation));
                });
}

absl::StatusOr<std::string> FaultyStore::Get(Partition partition, store::Table table, std::string_view key) const {
  if (absl::Status s = Check(); !s.ok()) return s;
  std::function<void()> meddle;
  {
    base::MutexLock lock(mutex_);
    if (table == read_table_) meddle = std::exchange(meddle_reading_, nullptr);
  }
  if (meddle) meddle();
  return inner_.Get(partition, table, key);
}

absl::Status FaultyStore::Scan(Partition partition, store::Table table, std::string_view from, std::string_view to,
                               size_t limit, const store::Visitor& visit) const {
  if (absl::Status s = Check(); !s.ok()) return s;
  return inner_.Scan(partition, table, from, to, limit, visit);
}

absl::StatusOr<std::vector<store::FeedRow>> FaultyStore::Feed(Partition partition, store::Sequence from,
                                                              size_t limit) const {
  if (absl::Status s = Check(); !s.ok()) return s;
  return inner_.Feed(partition, from, limit);
}

absl::StatusOr<store::FeedRow> FaultyStore::FeedAt(Partition partition, store::Sequence sequence) const {
  if (absl::Status s = Check(); !s.ok()) return s;
  return inner_.FeedAt(partition, sequence);
}

absl::Status FaultyStore::TruncateFeed(Partition partition, store::Sequence before) {
  if (absl::Status s = Check(); !s.ok()) return s;
  return inner_.TruncateFeed(partition, before);
}

absl::Status FaultyStore::EraseFeed(Partition partition, const std::vector<store::Sequence>& sequences) {
  return Change([&] { return inner_.EraseFeed(partition, sequences); });
}

absl::Status FaultyStore::Erase(Partition partition, const std::vector<store::RowKey>& rows) {
  return Change([&] { return inner_.Erase(partition, rows); });
}

absl::Status FaultyStore::EraseFromFiles(const store::EraseTargetsByPartition& targets) {
  return Change([&] { return inner_.EraseFromFiles(targets); });
}

}  // namespace consent::test
