#include "daemon/decisions/recorder.h"

#include <utility>

#include "daemon/base/hash.h"

namespace consent::decisions {
namespace {

std::string NewProcess(base::Random& random) {
  char bytes[8];
  random.Fill(bytes, sizeof bytes);
  return base::Hex({bytes, sizeof bytes});
}

}  // namespace

Recorder::Recorder(HandleKeys& keys, const base::Bytes16& store_id, base::Random& random, Log* log)
    : keys_(keys), store_id_(store_id), log_(log), process_(NewProcess(random)) {}

std::unique_ptr<RecordWriter> Recorder::Begin(const Question& question, size_t most) {
  std::unique_ptr<RecordWriter> record;
  {
    base::MutexLock lock(mutex_);
    if (!spare_.empty()) {
      record = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (record == nullptr) record = std::make_unique<RecordWriter>(keys_);
  record->Begin({Asker{question.caller, NewCall(), store_id_, question.now}, question.purpose, question.place,
                 question.selection, question.rules},
                most);
  return record;
}

void Recorder::Put(std::unique_ptr<RecordWriter> record, Log::Done done) {
  if (record->has_key()) {
    NoteKey();
    record->Reuse(log_->Append(record->Take(), std::move(done)));
  } else {
    RefuseWithoutKey(done);
  }
  base::MutexLock lock(mutex_);
  if (spare_.size() < kMostSpare) spare_.push_back(std::move(record));
}

void Recorder::PutRead(std::string_view caller, std::string_view method,
                       const std::optional<base::SubjectHandle>& subject, base::Now now, Log::Done done) {
  std::optional<Record> record = ReadRecord(keys_, Asker{caller, NewCall(), store_id_, now}, method, subject);
  if (!record.has_value()) return RefuseWithoutKey(done);
  NoteKey();
  log_->Append(*std::move(record), std::move(done));
}

void Recorder::RefuseWithoutKey(const Log::Done& done) {
  refused_without_key_.fetch_add(1, std::memory_order_relaxed);
  lacks_key_.store(true, std::memory_order_relaxed);
  done(false);
}

void Recorder::DropSpare() {
  std::vector<std::unique_ptr<RecordWriter>> dropped;
  base::MutexLock lock(mutex_);
  dropped.swap(spare_);
}

}  // namespace consent::decisions
