#include "daemon/decisions/recorder.h"

#include "daemon/base/hash.h"

namespace consent::decisions {
namespace {

std::string NewPrefix(base::Random& random) {
  char bytes[8];
  random.Fill(bytes, sizeof bytes);
  return base::Hex({bytes, sizeof bytes}) + "-";
}

}  // namespace

Recorder::Recorder(HandleKeys& keys, const base::Bytes16& store_id, base::Random& random, Log* log)
    : keys_(keys), store_id_(store_id), log_(log), call_prefix_(NewPrefix(random)) {}

std::string Recorder::NewCall() {
  return call_prefix_ + std::to_string(calls_.fetch_add(1, std::memory_order_relaxed) + 1);
}

std::unique_ptr<RecordWriter> Recorder::Begin(const Question& question, size_t most) {
  const std::string call = NewCall();
  return std::make_unique<RecordWriter>(keys_,
                                        Asked{Asker{question.caller, call, store_id_, question.now}, question.purpose,
                                              question.place, question.selection, question.rules},
                                        most);
}

void Recorder::PutRead(std::string_view caller, std::string_view method,
                       const std::optional<base::SubjectHandle>& subject, base::Now now, Log::Done done) {
  const std::string call = NewCall();
  log_->Append(ReadRecord(keys_, Asker{caller, call, store_id_, now}, method, subject), std::move(done));
}

}  // namespace consent::decisions
