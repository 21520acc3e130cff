// The decision facts of every subject, compact, in memory, in front of the store.
//
// Follows the commits (publish/), before a change is acknowledged; read by every check. At most 48 bytes an
// entry at a load of at least 0.8: facts of up to 31 bytes lie in the entry, longer ones in a block of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/mutex.h"
#include "daemon/domain/tombstone_intervals.h"
#include "daemon/domain/types.h"

namespace consent::service {

enum class Found : uint8_t {
  kNotInIndex = 0,  // unknown here; the index is bounded and full: ask the store
  kUnknown = 1,     // no such subject anywhere
  kFound = 2,
};

// Thread-safe: any number of readers, one writer at a time per subject.
class FactsIndex {
 public:
  // `max_subjects`: entries beyond it stay in the store only.
  explicit FactsIndex(uint64_t max_subjects);
  ~FactsIndex();
  FactsIndex(const FactsIndex&) = delete;
  FactsIndex& operator=(const FactsIndex&) = delete;

  // Copies the subject's facts into `*out` (its memory is reused). Facts that cannot be decoded count as kNotInIndex.
  Found Find(base::SubjectHandle subject, domain::SubjectFacts* out) const;
  // Whether the index has the subject's facts of that very revision, which nothing has followed.
  bool HasRevision(base::SubjectHandle subject, uint64_t revision) const;
  // The same as Find, undecoded.
  Found FindBytes(base::SubjectHandle subject, std::string* facts) const;
  // Where a walk over all subjects is. A default-constructed one is before the first.
  struct Cursor {
    size_t shard = 0;
    bool within = false;  // behind `after`, else before the shard's first
    uint64_t after = 0;
  };
  struct Copy {
    base::SubjectHandle subject;
    std::string facts;  // as EncodeFacts wrote them
  };
  // Appends the facts of about `most` further subjects, and moves the cursor. False: there are no more. Who is inserted
  // meanwhile may be left out; nobody comes twice. It holds a lock for no longer than copying so many takes, so checks
  // go on.
  bool CopyNext(Cursor* cursor, size_t most, std::vector<Copy>* copies) const;
  // For batches: brings the subject's entry towards the cache; and, once that is there, facts that lie outside it.
  void Prefetch(base::SubjectHandle subject) const;
  void PrefetchFacts(base::SubjectHandle subject) const;

  // The tombstones of a subject that has more of them than its record holds; Find puts them beside the facts. Put them
  // before facts that say so. Under the same bound; nullptr: none, or it did not fit and the store has it.
  std::shared_ptr<const domain::TombstoneIntervals> FindTombstones(base::SubjectHandle subject) const;
  void PutTombstones(base::SubjectHandle subject, std::shared_ptr<const domain::TombstoneIntervals> cover);
  // Keeps what a reader found in the store where the index had none, unless tombstones were put since it asked for the
  // version.
  uint64_t TombstonesVersion() const;
  void KeepTombstones(base::SubjectHandle subject, std::shared_ptr<const domain::TombstoneIntervals> cover,
                      uint64_t version) const;

  // Inserts or replaces. `facts` is what EncodeFacts wrote. Where the bound is reached a new subject is not inserted
  // and the index is no longer complete; a replaced one always is.
  void Put(base::SubjectHandle subject, std::string_view facts);

  // Makes room for about so many subjects in one step, where Put would grow its tables many times. Only an estimate is
  // needed.
  void Reserve(uint64_t subjects);

  // Marks of single recordings, under the same bound.
  // kUnknown: nothing is stored of it.
  Found FindMarks(base::SubjectHandle subject, base::RecordingHandle recording, domain::RecordingState* out) const;
  void PutMarks(base::SubjectHandle subject, base::RecordingHandle recording, const domain::RecordingState& marks);

  uint64_t size() const { return size_.load(std::memory_order_relaxed); }
  // Bytes of the tables and of the long entries; what the allocator adds is not counted.
  uint64_t memory_bytes() const;
  // False once something did not fit.
  bool complete() const {
    return complete_.load(std::memory_order_acquire) && marks_complete_.load(std::memory_order_acquire);
  }

 private:
  struct Entry;
  class Shard;
  struct MarksShard;
  struct Covers;
  const uint64_t max_subjects_;
  std::atomic<uint64_t> size_{0};
  std::atomic<uint64_t> marks_size_{0};
  std::atomic<uint64_t> long_bytes_{0};
  std::atomic<bool> complete_{true};
  std::atomic<bool> marks_complete_{true};
  std::unique_ptr<Shard[]> shards_;
  std::unique_ptr<MarksShard[]> marks_;
  std::unique_ptr<Covers> covers_;
};

}  // namespace consent::service
