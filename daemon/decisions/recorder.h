// What the RPCs have of the decision log: whether a yes is to be on record, and how it gets there.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/mutex.h"
#include "daemon/base/random.h"
#include "daemon/decisions/log.h"
#include "daemon/decisions/record.h"

namespace consent::decisions {

// Thread-safe. The references outlive it.
class Recorder {
 public:
  // `log` nullptr: the operator switched the log off, and nothing is recorded.
  Recorder(HandleKeys& keys, const base::Bytes16& store_id, base::Random& random, Log* log);

  // Whether a yes for the purpose has to be on record before it is said.
  bool Records(domain::Purpose purpose, const domain::Rules& rules) const {
    return log_ != nullptr && purpose != domain::Purpose::kNone && rules.recorded.Has(purpose);
  }
  bool on() const { return log_ != nullptr; }

  // Of a purpose that it records.
  struct Question {
    std::string_view caller;
    domain::Purpose purpose = domain::Purpose::kNone;
    const domain::Place& place;
    domain::Selection selection = domain::Selection::kOther;
    const domain::Rules& rules;
    base::Now now;
  };
  // `most` yeses are expected at the most.
  std::unique_ptr<RecordWriter> Begin(const Question& question, size_t most) EXCLUDES(mutex_);
  // For what Begin gave, with at least one yes. See Log::Done; where the month has no key, nothing is on record.
  void Put(std::unique_ptr<RecordWriter> record, Log::Done done) EXCLUDES(mutex_);

  // Puts a read of `method`, "SettingsService/GetSettings", on record; without a subject one of all accounts. Only
  // while the log is on.
  void PutRead(std::string_view caller, std::string_view method, const std::optional<base::SubjectHandle>& subject,
               base::Now now, Log::Done done);

  // A month's key was destroyed: what is kept for the next calls holds nothing of it from here on.
  void DropSpare() EXCLUDES(mutex_);
  // Records that were refused because their month had no key; and whether the last one was.
  uint64_t refused_without_key() const { return refused_without_key_.load(std::memory_order_relaxed); }
  bool lacks_key() const { return lacks_key_.load(std::memory_order_relaxed); }

 private:
  // As many writers are kept for the next calls; each holds at most 300 KiB.
  static constexpr size_t kMostSpare = 64;

  void RefuseWithoutKey(const Log::Done& done);
  // Writes nothing where that was known: it is read by every call.
  void NoteKey() {
    if (lacks_key()) lacks_key_.store(false, std::memory_order_relaxed);
  }
  CallId NewCall() { return {process_, calls_.fetch_add(1, std::memory_order_relaxed) + 1}; }

  HandleKeys& keys_;
  const base::Bytes16 store_id_;
  Log* const log_;
  const std::string process_;  // of chance, so that no two processes give the same id
  std::atomic<uint64_t> calls_{0};
  std::atomic<uint64_t> refused_without_key_{0};
  std::atomic<bool> lacks_key_{false};
  base::Mutex mutex_;
  std::vector<std::unique_ptr<RecordWriter>> spare_ GUARDED_BY(mutex_);
};

}  // namespace consent::decisions
