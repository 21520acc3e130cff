#include "daemon/service/state/facts_index.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "daemon/domain/facts_codec.h"

namespace consent::service {
namespace {

constexpr size_t kShards = 1024;
constexpr size_t kMarksShards = 64;
constexpr size_t kInline = 31;
constexpr uint8_t kLong = 255;
// Entries a shard may hold per hundred places, and how it grows: between 0.84 and 0.92 full.
constexpr size_t kFullPercent = 92;
constexpr size_t kReservedPercent = 88;  // of what is reserved; the hashes fill one shard more than another

// The shard takes the low bits of the first half of the handle, the place in it the second half: both are keyed hashes.
size_t ShardOf(base::SubjectHandle subject) { return subject.Hash() % kShards; }
__extension__ using Wide = unsigned __int128;
uint64_t PlaceHash(base::SubjectHandle subject) {
  uint64_t hash = 0;
  std::memcpy(&hash, subject.bytes.data() + 8, sizeof hash);
  return hash;
}

// As many as most searches in a shard and most facts take.
void PrefetchLines(const void* from) {
  constexpr size_t kLine = 64;
  constexpr size_t kLines = 3;
  for (size_t i = 0; i < kLines; ++i) __builtin_prefetch(static_cast<const char*>(from) + i * kLine);
}

}  // namespace

// 48 bytes. size 0: empty; up to 31: the facts are here; kLong: `data` starts with a pointer to size ‖ facts.
struct FactsIndex::Entry {
  base::SubjectHandle subject;
  uint8_t size = 0;
  char data[kInline] = {};

  std::string_view Facts() const {
    if (size != kLong) return {data, size};
    const char* block = Block();
    uint32_t length = 0;
    std::memcpy(&length, block, sizeof length);
    return {block + sizeof length, length};
  }
  char* Block() const {
    char* block = nullptr;
    std::memcpy(&block, data, sizeof block);
    return block;
  }
  // Frees what was there. Returns the bytes now outside the entry.
  void Set(std::string_view facts) {
    char* old = size == kLong ? Block() : nullptr;
    if (facts.size() <= kInline) {
      std::memcpy(data, facts.data(), facts.size());
      size = static_cast<uint8_t>(facts.size());
    } else {
      const auto length = static_cast<uint32_t>(facts.size());
      char* block = new char[sizeof length + facts.size()];
      std::memcpy(block, &length, sizeof length);
      std::memcpy(block + sizeof length, facts.data(), facts.size());
      std::memcpy(data, &block, sizeof block);
      size = kLong;
    }
    delete[] old;
  }
  uint64_t OutsideBytes() const { return size == kLong ? Facts().size() + sizeof(uint32_t) : 0; }
};

// Linear probing in order of the hash, without wrapping round: the table is sorted, so a miss ends as early as a hit
// and growing is one pass. A few spare places behind the last home take what is pushed over the end.
class FactsIndex::Shard {
 public:
  ~Shard() {
    for (Entry& entry : entries_) {
      if (entry.size == kLong) delete[] entry.Block();
    }
  }

  template <typename F>
  bool Read(base::SubjectHandle subject, F use) const {
    base::MutexLock lock(mutex_);
    const Entry* entry = Locate(subject);
    if (entry == nullptr) return false;
    use(entry->Facts());
    return true;
  }

  void Prefetch(base::SubjectHandle subject) const {
    const Entry* base = base_.load(std::memory_order_relaxed);
    if (base != nullptr) PrefetchLines(base + Home(subject, places_.load(std::memory_order_relaxed)));
  }

  void PrefetchFacts(base::SubjectHandle subject) const {
    base::MutexLock lock(mutex_);
    const Entry* entry = Locate(subject);
    if (entry != nullptr && entry->size == kLong) PrefetchLines(entry->Block());
  }

  // Returns false where it was not there and `may_insert` is false. `outside` changes by the bytes of long entries.
  bool Put(base::SubjectHandle subject, std::string_view facts, bool may_insert, bool* inserted, int64_t* outside) {
    base::MutexLock lock(mutex_);
    auto* entry = const_cast<Entry*>(Locate(subject));
    *inserted = entry == nullptr;
    if (entry == nullptr) {
      if (!may_insert) return false;
      entry = Insert(subject);
    }
    const auto before = static_cast<int64_t>(entry->OutsideBytes());
    entry->Set(facts);
    *outside = static_cast<int64_t>(entry->OutsideBytes()) - before;
    return true;
  }

  // Facts behind the place `after`, or from the first on; whole runs of one place. False: to the end.
  bool CopyNext(bool within, uint64_t after, size_t most, std::vector<Copy>* copies, uint64_t* last) const {
    base::MutexLock lock(mutex_);
    const size_t places = places_.load(std::memory_order_relaxed);
    size_t at = within && places != 0 ? static_cast<size_t>(static_cast<Wide>(after) * places >> 64) : 0;
    size_t copied = 0;
    for (; at < entries_.size(); ++at) {
      const Entry& entry = entries_[at];
      if (entry.size == 0) continue;
      const uint64_t here = PlaceHash(entry.subject);
      if (within && here <= after) continue;
      if (copied >= most && here != *last) return true;
      copies->push_back({entry.subject, std::string(entry.Facts())});
      *last = here;
      ++copied;
    }
    return false;
  }

  void Reserve(size_t subjects) {
    base::MutexLock lock(mutex_);
    const size_t places = subjects * 100 / kReservedPercent;
    if (places > places_.load(std::memory_order_relaxed)) Grow(places);
  }

  uint64_t TableBytes() const {
    base::MutexLock lock(mutex_);
    return entries_.capacity() * sizeof(Entry);
  }

 private:
  static size_t Home(base::SubjectHandle subject, size_t places) {
    return static_cast<size_t>(static_cast<Wide>(PlaceHash(subject)) * places >> 64);
  }
  static size_t Spare(size_t places) { return 4 + places / 32; }

  const Entry* Locate(base::SubjectHandle subject) const REQUIRES(mutex_) {
    if (entries_.empty()) return nullptr;
    const uint64_t hash = PlaceHash(subject);
    for (size_t at = Home(subject, places_.load(std::memory_order_relaxed)); at < entries_.size(); ++at) {
      const Entry& entry = entries_[at];
      const uint64_t here = PlaceHash(entry.subject);
      if (entry.size == 0 || here > hash) return nullptr;
      if (here == hash && entry.subject == subject) return &entry;
    }
    return nullptr;
  }

  // Room for one more, then a place for it in order.
  Entry* Insert(base::SubjectHandle subject) REQUIRES(mutex_) {
    for (;;) {
      const size_t places = places_.load(std::memory_order_relaxed);
      if ((count_ + 1) * 100 <= places * kFullPercent) {
        if (Entry* entry = TryInsert(subject)) return entry;
      }
      Grow(std::max<size_t>(places + places / 10 + 4, 16));
    }
  }

  Entry* TryInsert(base::SubjectHandle subject) REQUIRES(mutex_) {
    const uint64_t hash = PlaceHash(subject);
    size_t at = Home(subject, places_.load(std::memory_order_relaxed));
    while (at < entries_.size() && entries_[at].size != 0 && PlaceHash(entries_[at].subject) <= hash) ++at;
    size_t free = at;
    while (free < entries_.size() && entries_[free].size != 0) ++free;
    if (free >= entries_.size()) return nullptr;
    std::memmove(static_cast<void*>(&entries_[at + 1]), &entries_[at], (free - at) * sizeof(Entry));
    entries_[at] = Entry{};
    entries_[at].subject = subject;
    ++count_;
    return &entries_[at];
  }

  void Grow(size_t places) REQUIRES(mutex_) {
    std::vector<Entry> old;
    old.swap(entries_);
    for (bool fits = false; !fits; places += places / 10 + 4) {
      entries_.clear();
      entries_.resize(places + Spare(places));
      fits = true;
      size_t next = 0;
      for (const Entry& entry : old) {
        if (entry.size == 0) continue;
        next = std::max(next, Home(entry.subject, places));
        if (next >= entries_.size()) {
          fits = false;
          break;
        }
        entries_[next++] = entry;
      }
      if (fits) break;
    }
    places_.store(places, std::memory_order_relaxed);
    base_.store(entries_.data(), std::memory_order_relaxed);
  }

  mutable base::Mutex mutex_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  size_t count_ GUARDED_BY(mutex_) = 0;
  // Read without the lock by Prefetch alone, for which a stale value is harmless.
  std::atomic<const Entry*> base_{nullptr};
  std::atomic<size_t> places_{0};
};

struct FactsIndex::MarksShard {
  struct Key {
    base::SubjectHandle subject;
    base::RecordingHandle recording;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const { return key.recording.Hash() ^ key.subject.Hash(); }
  };
  // All of them but the time of a report of SAFETY, which hardly any has.
  struct Marks {
    uint8_t flags = 0;
    bool has_tombstone = false;
    domain::TombstoneState tombstone = domain::TombstoneState::kPending;
    bool on_hold = false;
    bool has_safety_time = false;
  };
  static_assert(sizeof(Marks) == 5);
  mutable base::Mutex mutex;
  std::unordered_map<Key, Marks, Hash> marks GUARDED_BY(mutex);
  std::unordered_map<Key, base::Instant, Hash> safety_since GUARDED_BY(mutex);

  domain::RecordingState Read(const Key& key, const Marks& of) const REQUIRES(mutex) {
    domain::RecordingState read;
    read.flags = of.flags;
    read.has_tombstone = of.has_tombstone;
    read.tombstone = of.tombstone;
    read.on_hold = of.on_hold;
    if (of.has_safety_time) read.safety_since = safety_since.at(key);
    return read;
  }
  // Keeps the time, or forgets it.
  Marks Kept(const Key& key, const domain::RecordingState& from) REQUIRES(mutex) {
    if (from.safety_since.IsSet()) {
      safety_since.insert_or_assign(key, from.safety_since);
    } else {
      safety_since.erase(key);
    }
    return {from.flags, from.has_tombstone, from.tombstone, from.on_hold, from.safety_since.IsSet()};
  }
};

// Few subjects have one.
struct FactsIndex::Covers {
  struct Hash {
    size_t operator()(base::SubjectHandle subject) const { return subject.Hash(); }
  };
  mutable base::Mutex mutex;
  std::unordered_map<base::SubjectHandle, std::shared_ptr<const domain::TombstoneIntervals>, Hash> of GUARDED_BY(mutex);
  uint64_t tombstones GUARDED_BY(mutex) = 0;
  uint64_t version GUARDED_BY(mutex) = 0;

  void Put(base::SubjectHandle subject, std::shared_ptr<const domain::TombstoneIntervals> cover, uint64_t most)
      REQUIRES(mutex) {
    const auto at = of.find(subject);
    if (at != of.end()) {
      tombstones -= at->second->size();
      of.erase(at);
    }
    if (cover == nullptr || tombstones + cover->size() > most) return;
    tombstones += cover->size();
    of.emplace(subject, std::move(cover));
  }
};

FactsIndex::FactsIndex(uint64_t max_subjects)
    : max_subjects_(max_subjects),
      shards_(std::make_unique<Shard[]>(kShards)),
      marks_(std::make_unique<MarksShard[]>(kMarksShards)),
      covers_(std::make_unique<Covers>()) {
  static_assert(sizeof(Entry) == 48);
}

FactsIndex::~FactsIndex() = default;

Found FactsIndex::Find(base::SubjectHandle subject, domain::SubjectFacts* out) const {
  bool decoded = true;
  const bool found = shards_[ShardOf(subject)].Read(
      subject, [&](std::string_view facts) { decoded = domain::DecodeFacts(facts, out); });
  if (found && decoded && out->has_more_tombstones) out->cover = FindTombstones(subject);
  if (found) return decoded ? Found::kFound : Found::kNotInIndex;
  return complete_.load(std::memory_order_acquire) ? Found::kUnknown : Found::kNotInIndex;
}

bool FactsIndex::HasRevision(base::SubjectHandle subject, uint64_t revision) const {
  bool same = false;
  shards_[ShardOf(subject)].Read(subject,
                                 [&](std::string_view facts) { same = domain::RevisionOf(facts) == revision; });
  return same;
}

Found FactsIndex::FindBytes(base::SubjectHandle subject, std::string* facts) const {
  const bool found = shards_[ShardOf(subject)].Read(subject, [&](std::string_view bytes) { facts->assign(bytes); });
  if (found) return Found::kFound;
  return complete_.load(std::memory_order_acquire) ? Found::kUnknown : Found::kNotInIndex;
}

bool FactsIndex::CopyNext(Cursor* cursor, size_t most, std::vector<Copy>* copies) const {
  const size_t before = copies->size();
  while (cursor->shard < kShards && copies->size() - before < most) {
    const size_t left = most - (copies->size() - before);
    uint64_t last = cursor->after;
    if (shards_[cursor->shard].CopyNext(cursor->within, cursor->after, left, copies, &last)) {
      cursor->within = true;
      cursor->after = last;
    } else {
      *cursor = {cursor->shard + 1, false, 0};
    }
  }
  return copies->size() > before;
}

void FactsIndex::Prefetch(base::SubjectHandle subject) const { shards_[ShardOf(subject)].Prefetch(subject); }

void FactsIndex::PrefetchFacts(base::SubjectHandle subject) const { shards_[ShardOf(subject)].PrefetchFacts(subject); }

void FactsIndex::Put(base::SubjectHandle subject, std::string_view facts) {
  // What must stay outside is announced before it could be looked for.
  const bool may_insert = size_.load(std::memory_order_relaxed) < max_subjects_;
  bool inserted = false;
  int64_t outside = 0;
  if (!shards_[ShardOf(subject)].Put(subject, facts, may_insert, &inserted, &outside)) {
    complete_.store(false, std::memory_order_release);
    return;
  }
  if (inserted) size_.fetch_add(1, std::memory_order_relaxed);
  long_bytes_.fetch_add(static_cast<uint64_t>(outside), std::memory_order_relaxed);
}

void FactsIndex::Reserve(uint64_t subjects) {
  const size_t each = std::min(subjects, max_subjects_) / kShards;
  for (size_t i = 0; i < kShards; ++i) shards_[i].Reserve(each);
}

std::shared_ptr<const domain::TombstoneIntervals> FactsIndex::FindTombstones(base::SubjectHandle subject) const {
  base::MutexLock lock(covers_->mutex);
  const auto at = covers_->of.find(subject);
  return at == covers_->of.end() ? nullptr : at->second;
}

void FactsIndex::PutTombstones(base::SubjectHandle subject, std::shared_ptr<const domain::TombstoneIntervals> cover) {
  base::MutexLock lock(covers_->mutex);
  ++covers_->version;
  covers_->Put(subject, std::move(cover), max_subjects_);
}

uint64_t FactsIndex::TombstonesVersion() const {
  base::MutexLock lock(covers_->mutex);
  return covers_->version;
}

void FactsIndex::KeepTombstones(base::SubjectHandle subject, std::shared_ptr<const domain::TombstoneIntervals> cover,
                                uint64_t version) const {
  base::MutexLock lock(covers_->mutex);
  if (covers_->version == version) covers_->Put(subject, std::move(cover), max_subjects_);
}

Found FactsIndex::FindMarks(base::SubjectHandle subject, base::RecordingHandle recording,
                            domain::RecordingState* out) const {
  const MarksShard& shard = marks_[recording.Hash() % kMarksShards];
  base::MutexLock lock(shard.mutex);
  const auto at = shard.marks.find(MarksShard::Key{subject, recording});
  if (at != shard.marks.end()) {
    *out = shard.Read(at->first, at->second);
    return Found::kFound;
  }
  *out = domain::RecordingState{};
  return marks_complete_.load(std::memory_order_acquire) ? Found::kUnknown : Found::kNotInIndex;
}

void FactsIndex::PutMarks(base::SubjectHandle subject, base::RecordingHandle recording,
                          const domain::RecordingState& marks) {
  MarksShard& shard = marks_[recording.Hash() % kMarksShards];
  base::MutexLock lock(shard.mutex);
  const MarksShard::Key key{subject, recording};
  const auto at = shard.marks.find(key);
  if (at != shard.marks.end()) {
    at->second = shard.Kept(key, marks);
  } else if (marks_size_.load(std::memory_order_relaxed) < max_subjects_) {
    shard.marks.emplace(key, shard.Kept(key, marks));
    marks_size_.fetch_add(1, std::memory_order_relaxed);
  } else {
    marks_complete_.store(false, std::memory_order_release);
  }
}

uint64_t FactsIndex::memory_bytes() const {
  uint64_t bytes = long_bytes_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < kShards; ++i) bytes += shards_[i].TableBytes();
  base::MutexLock lock(covers_->mutex);
  return bytes + covers_->tombstones * sizeof(domain::Interval);
}

}  // namespace consent::service
