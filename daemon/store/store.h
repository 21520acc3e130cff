// The store contract: what everything above may assume of a database. Implementations: memory.h, rocksdb/, later an
// existing distributed engine. One conformance suite (tests/conformance) runs on all of them.
//
// A store has a fixed number of partitions. Nothing is promised across them. Within one, commits are strictly
// serialisable and have gap-free sequence numbers from 1. No iterator, database handle or engine type crosses this
// header.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/time.h"

namespace consent::store {

// 0 .. partition_count() - 1.
struct Partition {
  uint16_t number = 0;
  auto operator<=>(const Partition&) const = default;
};

// Position of a commit in its partition; the first is 1, 0 means "none".
using Sequence = uint64_t;

// Rows are addressed by table and key; keys order bytewise. Numbers are on disk: never reuse one. Each number of 1 to
// kMaxTable is a table in every store, named here or not: a new one is a line here and needs no new store.
enum class Table : uint8_t {
  kSubject = 1,                  // a subject's record
  kNames = 2,                    // sealed ids of a subject's profiles and devices
  kKeyShare = 3,                 // key shares, one per subject: small files, so that erasing one is cheap
  kRequest = 4,                  // idempotency keys
  kRecording = 5,                // what was reported of single recordings
  kPolicy = 6,                   // policy versions
  kSuspension = 7,               // suspended purposes
  kDeletion = 8,                 // deletion requests
  kDeletionBySubject = 9,        // which of them are a subject's
  kTask = 10,                    // what data systems still owe
  kSystem = 11,                  // data systems
  kHold = 12,                    // legal holds
  kErasure = 13,                 // rows whose former bytes have yet to leave the files
  kOpenDeletionBySelector = 14,  // by subject and selection: the open request for it
  kLease = 15,                   // who has a lease: see lease.h
  kLeaseRenewal = 16,            // how often its holder renewed it
  kDeletionById = 17,            // where the deletion request of an id lies
  kHoldById = 18,                // where the hold of an id lies
  kDecisionLog = 19,             // how far the decision log has come
  kSweep = 20,                   // how data systems see to it that what has expired goes, and their last sweep
  kProposal = 21,                // loosenings that somebody proposed and somebody else may approve
  kSafetyFlag = 22,              // recordings flagged SAFETY, and who looks after their person
  kMasterKey = 23,               // which master keys the shares lie under
  kReview = 24,                  // review grants, what was heard, revocations, the media key, and what caps count
};

inline constexpr uint8_t kMaxTable = 127;

inline constexpr size_t kMaxKeyBytes = 256;
inline constexpr size_t kMaxCommitBytes = 1 << 20;  // all writes and the event of one commit
inline constexpr size_t kMaxEraseTargets = 50'000;  // rows, those of the feed included, of one EraseFromFiles

// What the committer assigned. time = max(clock, last + 1 us): strictly increasing within a partition.
struct Stamp {
  Sequence sequence = 0;
  base::Instant time;
};

// How far a partition's rows had come when somebody began to read. Only for Precondition::seen; means nothing after a
// reopening.
struct ReadVersion {
  uint64_t group = 0;     // what was published last
  uint64_t erasures = 0;  // begun or done outside the order of commits
};

// The row must have exactly this value, or (nullopt) must not exist, when the commit takes its place in the order.
struct Precondition {
  Table table;
  std::string key;
  std::optional<std::string> expected;
  // Taken from Store::GetReadVersion before the expected value was read (from the store, or from what a subscriber
  // keeps). A store may then spare itself the reading where it knows that nobody has written the row since. Absent: it
  // reads.
  std::optional<ReadVersion> seen = {};
};

// nullopt deletes.
struct Write {
  Table table;
  std::string key;
  std::optional<std::string> value;
};

// What the feed carries. `subject` is 16 bytes or empty (for what concerns a whole partition).
struct Event {
  std::string subject;
  std::string body;           // canonical bytes
  base::Digest commitment{};  // SHA-256(nonce ‖ payload), for the ledger
};

// What one commit does.
struct Change {
  std::vector<Write> writes;
  Event event;
};

// Builds the change once its stamp is known, in the order of the stamps, after the preconditions held; earlier commits
// may not be durable yet and their Done not called. Pure: no I/O, no locks, no side effect beyond its result; an engine
// that retries may call it more than once. Microseconds, not milliseconds.
using Build = std::function<Change(const Stamp&)>;

enum class Outcome : uint8_t {
  kUnknown = 0,    // an I/O error or a lost reply: it may be durable or not. Found out by reading the idempotency key,
                   // never guessed.
  kCommitted = 1,  // durable and visible
  kConflict = 2,   // a precondition did not hold; nothing was written
  kRetry = 3,      // the engine or its queue asks to try again; nothing was written
  kTooLarge = 4,   // over kMaxCommitBytes or kMaxKeyBytes; nothing was written
  kClosed = 5,     // the store had failed or was closed before; nothing was written
};

struct CommitResult {
  Outcome outcome = Outcome::kUnknown;
  Stamp stamp;  // only of kCommitted
};

// Called exactly once per Commit. For kCommitted in the order of sequence numbers of the partition, one after another,
// after every subscriber has heard of it; must not block.
// For other outcomes on any thread, also within Commit itself.
using Done = std::function<void(const CommitResult&)>;

// One commit, as it became durable. The references hold while OnCommitted runs.
struct Committed {
  Partition partition;
  Stamp stamp;
  const Event& event;
  const std::vector<Write>& writes;  // in the order of the change: a later write to the same row wins
  const base::Digest& chain;         // of the feed, at that sequence
};

// Hears of every commit, whoever made it: the one place from which memory that follows the store is kept.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // Called once for each commit of a partition in the order of its sequences, after it is durable and reads see it, and
  // before its Done: a commit is acknowledged when every subscriber has returned. Never called for a commit that was
  // answered otherwise than kCommitted, nor for what is erased or truncated beside the commits. May be called for
  // different partitions at once, as Done is. Must not block, nor commit, subscribe or unsubscribe; may read the store.
  virtual void OnCommitted(const Committed& committed) = 0;
};

// Stands between what is durable here and its answers: a second place that is to have each commit before anybody hears
// that it is done.
class Gate {
 public:
  virtual ~Gate() = default;
  // Called with each group of commits after it is durable and reads see it, in the order of the sequences of each
  // partition, and before its subscribers hear of it: a commit is told and acknowledged when this has returned. May
  // block, and lets the next group be written meanwhile; the one after that waits. May be called for different
  // partitions at once. Must not commit; may read the store. Never called with what was not committed. The
  // references hold while it runs.
  virtual void BeforeAnswers(const std::vector<Committed>& group) = 0;
};

// A row of the feed. An erased one keeps sequence, time and chain; its other members are empty.
struct FeedRow {
  Stamp stamp;
  Event event;
  base::Digest chain{};  // see NextChain
  bool erased = false;
};

// The end of a partition's feed.
struct Head {
  Stamp stamp;  // of the last commit; zero in an empty partition
  base::Digest chain{};
};

struct RowKey {
  Table table;
  std::string key;
};

// What was deleted, overwritten or replaced by stubs in one partition, and whose former bytes are to leave the store's
// files.
struct EraseTargets {
  std::vector<RowKey> rows;        // deleted or overwritten; a present value stays
  std::vector<Sequence> feed;      // of EraseFeed
  std::vector<Table> tables = {};  // all that was deleted or overwritten of these, however many rows
};
using EraseTargetsByPartition = std::map<Partition, EraseTargets>;

// Row seen by Scan: views die when the visitor returns. Return false to stop.
using Visitor = std::function<bool(std::string_view key, std::string_view value)>;

// Thread-safe. All reads see every commit whose Done was called. After an outcome of kUnknown a store stays failed:
// reads and commits are refused until it is opened anew.
class Store {
 public:
  virtual ~Store() = default;

  // Random at creation, kept for life.
  virtual base::Bytes16 store_id() const = 0;
  // 1 .. 1024, fixed at creation.
  virtual uint16_t partition_count() const = 0;

  // Queues a commit and returns; the queue is bounded, a full one answers kRetry. All preconditions are checked and all
  // writes and the event done in one atomic, durable step. A later write to the same row in `writes` wins over an
  // earlier one.
  virtual void Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) = 0;

  // Tells `subscriber` of every commit from the next one on. Several may subscribe; each hears of all. To be called
  // while no commit is under way: before the first one, as a rule. The subscriber outlives its subscription.
  virtual void Subscribe(Subscriber& subscriber) = 0;
  // Waits for a call that is under way; there is none afterwards. Not from within a Done.
  virtual void Unsubscribe(Subscriber& subscriber) = 0;

  // From the next commit on all go through `gate`; nullptr: there is none. At most one. To be called while no commit is
  // under way. The gate outlives the store, or is taken away before it goes.
  virtual void SetGate(Gate* gate) = 0;

  // NotFound where there is no such row; Unavailable where it cannot be read. May block on I/O.
  virtual absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const = 0;

  // Rows with from <= key < to (empty `to`: to the end) in key order, at most `limit`; resumable from the last key seen
  // plus a NUL byte. Sees every row that is there throughout; may or may not see concurrent changes. May block on I/O.
  virtual absl::Status Scan(Partition partition, Table table, std::string_view from, std::string_view to, size_t limit,
                            const Visitor& visit) const = 0;

  // Feed rows from sequence `from` on, in order and without gaps, at most `limit`. OutOfRange if `from` was truncated
  // away. An empty answer means that `from` is past the head.
  virtual absl::StatusOr<std::vector<FeedRow>> Feed(Partition partition, Sequence from, size_t limit) const = 0;
  // One feed row. NotFound past the head; OutOfRange if truncated away.
  virtual absl::StatusOr<FeedRow> FeedAt(Partition partition, Sequence sequence) const = 0;

  // Drops feed rows below `before`; the head row always stays.
  virtual absl::Status TruncateFeed(Partition partition, Sequence before) = 0;
  // Replaces feed rows by stubs that keep stamp and chain. Durable on return.
  virtual absl::Status EraseFeed(Partition partition, const std::vector<Sequence>& sequences) = 0;
  // Deletes rows outside the order of commits: for rows that nothing decides by, such as expired idempotency keys.
  // Durable on return.
  virtual absl::Status Erase(Partition partition, const std::vector<RowKey>& rows) = 0;

  // On OK no file of the store holds former bytes of these rows as they were when the call began: no value before the
  // present one, and, of a row that is not there, not its key either. What is overwritten or deleted meanwhile is
  // another call's; what never was is no error. Copies of the files (backups) and blocks that the file system has freed
  // are not covered. Blocks for seconds to minutes; reads and commits go on. One at a time, further callers queue. May
  // be repeated, and costs little where nothing is left; of many partitions at once about as much as of one.
  // InvalidArgument: no such partition or table, a key over kMaxKeyBytes, more than kMaxEraseTargets rows in all.
  // Unavailable: closed, failed, an I/O error, or a read that has held old files for a minute; then some bytes may be
  // gone and others not.
  virtual absl::Status EraseFromFiles(const EraseTargetsByPartition& targets) = 0;

  // Keeps what the store's trusted clock knows, durably on return; a store without one has nothing to keep.
  // Unavailable: it failed.
  virtual absl::Status SaveClock() { return absl::OkStatus(); }

  virtual Head GetHead(Partition partition) const = 0;

  // See Precondition::seen. Nothing where the store cannot tell.
  virtual std::optional<ReadVersion> GetReadVersion(Partition partition) const = 0;

  // Stops taking commits, finishes those queued and closes. Idempotent.
  virtual void Close() = 0;
};

// Called once, from any thread, when a write failed and the store went into the failed state. Must not call the store.
using OnFailure = std::function<void(const absl::Status&)>;

// Canonical bytes of an event as they are hashed: version 1 ‖ sequence ‖ time ‖ subject ‖ commitment ‖ body (see
// README).
std::string CanonicalEvent(const Stamp& stamp, const Event& event);
// chain(n) = BLAKE2b-256(chain(n-1) ‖ CanonicalEvent(n)); chain(0) is all zero.
base::Digest NextChain(const base::Digest& previous, const Stamp& stamp, const Event& event);

}  // namespace consent::store
