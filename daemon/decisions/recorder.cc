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

std::unique_ptr<RecordWriter> Recorder::Begin(const Question& question) {
  const std::string call = call_prefix_ + std::to_string(calls_.fetch_add(1, std::memory_order_relaxed) + 1);
  return std::make_unique<RecordWriter>(keys_, Asked{question.caller, call, store_id_, question.purpose, question.place,
                                                     question.selection, question.rules, question.now});
}

}  // namespace consent::decisions
