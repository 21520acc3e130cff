#include "client/cli/engines/filter_engine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/cli/printable.h"
#include "client/src/answer_maker.h"
#include "consent/error.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

// The daemon said yes and it grew too old before its line could be written, or it said what this program does not know.
constexpr char kNoUsableAnswer[] = "NO_USABLE_ANSWER";
// How long a slow input may keep lines waiting for a full batch.
constexpr std::chrono::milliseconds kIdle{200};

// The daemon, or the library before it, said that this one item cannot be asked about.
bool IsItemError(const absl::Status& error) { return error.code() == absl::StatusCode::kInvalidArgument; }

}  // namespace

void Filter::Unreadable(uint64_t number, const std::string& why) {
  ++counts_.unreadable;
  sink_.Unreadable(number, why);
}

void Filter::Take(const RecordingLineReader& reader) {
  next_.items.push_back({reader.number(), settings_.keep_ids ? reader.text() : std::string(), reader.line(), Answer()});
  if (next_.items.size() >= settings_.batch) Launch();
}

void Filter::Launch() {
  if (next_.items.empty()) return;
  asked_.push_back(std::async(
      std::launch::async, [this](Batch batch) { return Ask(std::move(batch)); }, std::exchange(next_, {})));
}

absl::Status Filter::Refused(const Place& place, const std::vector<size_t>& group, const absl::Status& why,
                             Batch* batch) const {
  // One line must not end the run for all. Where the question is at fault (its place came from these lines), all of
  // them are reported; else halves are asked about until the line stands alone.
  const std::vector<FieldViolation> fields = ErrorOf(why).fields;
  const bool of_the_question = std::any_of(fields.begin(), fields.end(), [](const FieldViolation& fault) {
    return fault.field.rfind("recordings", 0) != 0;
  });
  if (group.size() == 1 || of_the_question) {
    for (const size_t index : group) batch->items[index].answer = AnswerMaker::Failed(why);
    return absl::OkStatus();
  }
  const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
  absl::Status first = AskGroup(place, {group.begin(), middle}, batch);
  return first.ok() ? AskGroup(place, {middle, group.end()}, batch) : first;
}

absl::Status Filter::AskGroup(const Place& place, const std::vector<size_t>& group, Batch* batch) const {
  std::vector<Recording> recordings;
  recordings.reserve(group.size());
  for (const size_t index : group) recordings.push_back(batch->items[index].line.recording);
  const Question question{settings_.purpose, place, /*full=*/true, {}, settings_.selection};
  absl::StatusOr<BatchAnswers> answers = client_.BatchCheck(recordings, question);
  if (IsItemError(answers.status())) return Refused(place, group, answers.status(), batch);
  if (!answers.ok()) return answers.status();
  if (answers->answers.size() != group.size()) {
    return absl::InternalError("the number of answers is not that of the lines");
  }
  for (size_t i = 0; i < group.size(); ++i) {
    const absl::Status& error = answers->answers[i].error();
    if (!error.ok() && !IsItemError(error)) return error;
    batch->items[group[i]].answer = std::move(answers->answers[i]);
  }
  return absl::OkStatus();
}

Filter::Batch Filter::Ask(Batch batch) const {
  // One call is about one place.
  std::map<Place, std::vector<size_t>> groups;
  for (size_t i = 0; i < batch.items.size(); ++i) groups[batch.items[i].line.place].push_back(i);
  batch.error = absl::OkStatus();
  for (const auto& [place, group] : groups) {
    batch.error = AskGroup(place, group, &batch);
    if (!batch.error.ok()) break;
  }
  return batch;
}

bool Filter::MustAskAgain(const Batch& batch) const {
  return std::any_of(batch.items.begin(), batch.items.end(), [](const Item& item) {
    // Only a yes ages: what else the daemon said stays said.
    return item.answer.error().ok() && item.answer.eligibility() == Eligibility::kEligible && !item.answer.IsFresh();
  });
}

void Filter::Refuse(const Item& item, std::vector<RefusedLine>* refused) {
  RefusedLine line{
      item.number, item.line.recording.recording_id, item.answer.disposition(), {}, item.answer.missing_facts()};
  if (item.answer.eligibility() != Eligibility::kNotEligible) line.reasons.emplace_back(kNoUsableAnswer);
  if (item.answer.eligibility() != Eligibility::kEligible) {
    for (const Reason reason : item.answer.reasons()) line.reasons.emplace_back(Name(reason));
  }
  if (line.reasons.empty()) line.reasons.emplace_back(Name(Reason::kUnset));
  ++counts_.refused;
  ++counts_.refused_by_reason[line.reasons.front()];
  for (const MissingFact fact : line.missing_facts) ++counts_.missing_facts[fact];
  if (item.answer.eligibility() == Eligibility::kNotEligible) {
    advice_.Add(item.answer.reasons(), FactSet(line.missing_facts));
  }
  if (item.answer.MustPurge()) ++counts_.to_purge;
  refused->push_back(std::move(line));
}

absl::Status Filter::Write(const Batch& batch) {
  std::string eligible;
  std::vector<RefusedLine> refused;
  uint64_t passed = 0;
  for (const Item& item : batch.items) {
    if (!item.answer.error().ok()) {
      Unreadable(item.number, "the daemon cannot take it: " + std::string(item.answer.error().message()));
    } else if (item.answer.MayUse(settings_.purpose)) {
      const Recording& recording = item.line.recording;
      eligible +=
          settings_.keep_ids
              ? item.original
              : PrintableJson(AnonymousLine(recording, pseudonyms_.For(recording.account_id, recording.recording_id)));
      eligible += '\n';
      ++passed;
    } else {
      Refuse(item, &refused);
    }
  }
  // What must not be used is recorded first: a failure then leaves too little let through, never too much.
  if (absl::Status status = sink_.Refused(refused); !status.ok()) return status;
  if (absl::Status status = sink_.Eligible(eligible); !status.ok()) return status;
  counts_.eligible += passed;
  return absl::OkStatus();
}

bool Filter::WriteOldest(FilterEnd* end) {
  Batch batch = asked_.front().get();
  asked_.pop_front();
  if (batch.error.ok() && MustAskAgain(batch)) batch = Ask(std::move(batch));
  if (!batch.error.ok()) {
    *end = {FilterEnd::How::kDaemonFailed, batch.error, batch.items.front().number};
    return false;
  }
  if (absl::Status status = Write(batch); !status.ok()) {
    *end = {FilterEnd::How::kOutputFailed, status, 0};
    return false;
  }
  return true;
}

FilterEnd Filter::Finish(FilterEnd end) {
  // Answers that come in after a failure are not used: the output ends at one clear line.
  while (!asked_.empty()) {
    asked_.front().wait();
    asked_.pop_front();
  }
  counts_.unanswered = counts_.lines - counts_.eligible - counts_.refused - counts_.unreadable;
  return end;
}

FilterEnd Filter::Run(RecordingLineReader& reader) {
  using Result = RecordingLineReader::Result;
  FilterEnd end;
  const auto write_while = [&](auto&& condition) {
    while (!asked_.empty() && condition()) {
      if (!WriteOldest(&end)) return false;
    }
    return true;
  };
  const auto full = [&] {
    return asked_.size() >= settings_.parallel ||
           asked_.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  const auto always = [] { return true; };
  for (bool more = true; more;) {
    const bool waiting = !next_.items.empty() || !asked_.empty();
    const Result result = reader.Next(waiting ? kIdle : std::chrono::milliseconds(-1));
    if (result == Result::kRecording || result == Result::kProblem) ++counts_.lines;
    if (result == Result::kRecording) Take(reader);
    if (result == Result::kProblem) Unreadable(reader.number(), std::string(reader.problem().message()));
    if (result == Result::kStopped) {
      const uint64_t next = next_.items.empty() ? reader.number() + 1 : next_.items.front().number;
      if (!write_while(always)) return Finish(end);
      return Finish({FilterEnd::How::kStopped, absl::OkStatus(), next});
    }
    const bool idle = result == Result::kIdle;
    more = result != Result::kEnd && result != Result::kError && result != Result::kCopyFailed;
    if (idle || !more) Launch();
    if (!(idle || !more ? write_while(always) : write_while(full))) return Finish(end);
    if (result == Result::kCopyFailed) {
      return Finish({FilterEnd::How::kOutputFailed, absl::FailedPreconditionError(std::strerror(errno)), 0});
    }
    if (result == Result::kError) {
      return Finish({FilterEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)), 0});
    }
    sink_.Progress(counts_, reader.bytes());
  }
  return Finish(end);
}

}  // namespace consent::cli
