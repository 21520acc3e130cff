#include "client/cli/engines/sweep_engine.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "client/cli/engines/worker_engine.h"
#include "client/src/answer_maker.h"
#include "consent/error.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

// In one run of the command: their ids fit into one variable (MakeSweepInput).
constexpr size_t kMostInRun = 500;
// Between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kRunGrace{10};

bool SaysSomething(const std::string& line) { return line.find_first_not_of(" \t") != std::string::npos; }

// The daemon, or the library before it, said that this one item cannot be asked about.
bool IsOfOneItem(const absl::Status& error) { return error.code() == absl::StatusCode::kInvalidArgument; }

}  // namespace

ExitCode CodeForSweep(const SweepEnd& end, const SweepCounts& counts) {
  switch (end.how) {
    case SweepEnd::How::kInputFailed:
    case SweepEnd::How::kStateFailed:
      return kFiles;
    case SweepEnd::How::kDaemonFailed:
      return CodeFor(end.status);
    case SweepEnd::How::kStopped:
      return kSweepLeft;
    case SweepEnd::How::kComplete:
      break;
  }
  if (counts.failed > 0) return kSweepLeft;
  return counts.unanswered > 0 ? kUnreadable : kDone;
}

SweepEnd SweepEngine::Run(LineReader& reader) {
  SweepEnd end;
  while (Take(reader, &end)) {
    if (batch_.size() < settings_.batch) continue;
    if (!DoBatch(reader, &end)) return end;
  }
  if (end.how != SweepEnd::How::kComplete) return end;
  DoBatch(reader, &end);
  return end;
}

bool SweepEngine::Take(LineReader& reader, SweepEnd* end) {
  if (stop_.Asked()) {
    *end = {SweepEnd::How::kStopped, absl::OkStatus(), state_.reached()};
    return false;
  }
  std::string text;
  const LineReader::Result result = reader.Next(&text);
  if (result == LineReader::Result::kEnd) return false;
  if (result == LineReader::Result::kError) {
    *end = {SweepEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)), state_.reached()};
    return false;
  }
  const uint64_t number = reader.number();
  if (!state_.IsOpen(number) || (result == LineReader::Result::kLine && !SaysSomething(text))) return true;
  std::string why = "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes";
  if (result == LineReader::Result::kLine) {
    absl::StatusOr<RecordingLine> line = ParseRecordingLine(text, settings_.defaults);
    if (line.ok()) {
      batch_.push_back({number, std::move(line->recording), Answer()});
      return true;
    }
    why = std::string(line.status().message());
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  ++unsaved_.unanswered;
  sink_.Unanswered(number, why);
  return true;
}

absl::Status SweepEngine::Ask(std::vector<Item>& items) const { return AskRange(items, 0, items.size()); }

absl::Status SweepEngine::AskRange(std::vector<Item>& items, size_t from, size_t to) const {
  if (from == to) return absl::OkStatus();
  std::vector<Recording> recordings;
  recordings.reserve(to - from);
  for (size_t i = from; i < to; ++i) recordings.push_back(items[i].recording);
  absl::StatusOr<BatchAnswers> answers = client_.BatchCheck(recordings, Question{});
  if (IsOfOneItem(answers.status())) {
    // One line must not end the sweep for all: halves are asked about until it stands alone.
    if (to - from == 1) {
      items[from].answer = AnswerMaker::Failed(answers.status());
      return absl::OkStatus();
    }
    const size_t middle = from + (to - from) / 2;
    absl::Status first = AskRange(items, from, middle);
    return first.ok() ? AskRange(items, middle, to) : first;
  }
  if (!answers.ok()) return answers.status();
  if (answers->answers.size() != recordings.size()) {
    return absl::InternalError("the number of answers is not that of the recordings");
  }
  for (size_t i = from; i < to; ++i) {
    Answer& answer = answers->answers[i - from];
    if (!answer.error().ok() && !IsOfOneItem(answer.error())) return answer.error();
    items[i].answer = std::move(answer);
  }
  return absl::OkStatus();
}

void SweepEngine::Note(const absl::Status& written) {
  if (written_.ok()) written_ = written;
}

void SweepEngine::Settle(const Item& item, SweptAs how) {
  // A line of an earlier batch is told at once, all others with the batch.
  if (state_.IsLeft(item.line) || item.line <= state_.reached()) return Note(state_.Done({item.line}, how));
  switch (how) {
    case SweptAs::kKept:
      ++unsaved_.kept;
      return;
    case SweptAs::kHeld:
      ++unsaved_.held;
      return;
    case SweptAs::kUnanswered:
      ++unsaved_.unanswered;
      return;
    case SweptAs::kPurged:
    case SweptAs::kNotFound:
      return Note(state_.Done({item.line}, how));
  }
}

std::vector<SweepEngine::Group> SweepEngine::GroupsOf(const std::vector<Item>& items) const {
  using Key = std::tuple<std::string, Artefact, Purpose>;
  std::map<Key, size_t> open;  // the group that takes more
  std::vector<Group> groups;
  for (const Item& item : items) {
    if (!item.answer.error().ok() || !item.answer.MustPurge()) continue;
    const Recording& recording = item.recording;
    const Artefact artefact = recording.artefact == Artefact::kSource ? Artefact::kUnset : recording.artefact;
    const auto [at, is_new] =
        open.try_emplace(Key{recording.account_id.value(), artefact, recording.made_for}, groups.size());
    if (!is_new && groups[at->second].items.size() >= kMostInRun) at->second = groups.size();
    if (at->second == groups.size()) {
      groups.push_back({{recording.account_id, artefact, recording.made_for, {}}, {}});
    }
    groups[at->second].items.push_back(&item);
  }
  return groups;
}

bool SweepEngine::StillMustGo(Group* group) {
  std::vector<Item> asked;
  asked.reserve(group->items.size());
  for (const Item* item : group->items) asked.push_back({item->line, item->recording, Answer()});
  const absl::Status answered = Ask(asked);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!answered.ok()) {
    if (daemon_.ok()) daemon_ = answered;
    return false;
  }
  std::vector<const Item*> left;
  std::set<std::string> named;  // a recording that has two lines is named once
  for (size_t i = 0; i < asked.size(); ++i) {
    const Answer& answer = asked[i].answer;
    if (answer.error().ok() && answer.MustPurge()) {
      left.push_back(group->items[i]);
      const RecordingId& id = asked[i].recording.recording_id;
      if (named.insert(id.value()).second) group->swept.recordings.push_back(id);
    } else {
      Settle(asked[i], answer.disposition() == Disposition::kHold   ? SweptAs::kHeld
                       : answer.disposition() == Disposition::kKeep ? SweptAs::kKept
                                                                    : SweptAs::kUnanswered);
    }
  }
  group->items = std::move(left);
  return true;
}

void SweepEngine::Fail(const Group& group, const std::string& why) {
  std::vector<uint64_t> lines;
  for (const Item* item : group.items) lines.push_back(item->line);
  Note(state_.Left(lines));
  sink_.Failed(lines.size(), why);
}

void SweepEngine::Purge(const Group& of) {
  Group group = of;
  if (!StillMustGo(&group) || group.items.empty()) return;
  const absl::StatusOr<TaskInput> input = MakeSweepInput(group.swept, environment_, settings_.stdin_only);
  if (!input.ok()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Fail(group, std::string(input.status().message()));
  }
  std::vector<Recording> recordings;
  for (const Item* item : group.items) recordings.push_back(item->recording);
  const auto watched = watch_.Begin(std::move(recordings));
  const RunLimits limits{clock_.SinceBoot() + settings_.longest_run, kRunGrace, stop_.at_once(), watched->ended(),
                         settings_.guard};
  const RunEnd run = command_.Run(*input, limits, clock_);
  watch_.End(watched);
  const Verdict verdict = run.how == RunEnd::How::kLeaseEnded
                              ? Verdict{Verdict::Kind::kTakenBack, "ended: not all of it must go any more"}
                              : Judge(run);
  const bool gone = verdict.kind == Verdict::Kind::kDone;
  const std::lock_guard<std::mutex> lock(mutex_);
  // Nobody asked for it, so there is nothing that an exemption could answer; its words are the command's own.
  if (verdict.kind == Verdict::Kind::kExempt) return Fail(group, "exit 4: a sweep knows no exemption");
  if (!gone && verdict.kind != Verdict::Kind::kNotFound) return Fail(group, verdict.error);
  std::vector<uint64_t> lines;
  for (const Item* item : group.items) {
    lines.push_back(item->line);
    const std::vector<Reason>& reasons = item->answer.reasons();
    if (gone) ++purged_by_reason_[std::string(Name(reasons.empty() ? Reason::kUnset : reasons.front()))];
  }
  Note(state_.Done(lines, gone ? SweptAs::kPurged : SweptAs::kNotFound));
}

void SweepEngine::RunGroups(const std::vector<Group>& groups) {
  std::atomic<size_t> next{0};
  const auto serve = [&] {
    for (size_t i = next++; i < groups.size(); i = next++) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stop_.Asked() || !daemon_.ok() || !written_.ok()) return;
      }
      Purge(groups[i]);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(settings_.parallel, groups.size()); ++i) threads.emplace_back(serve);
  serve();
  for (std::thread& thread : threads) thread.join();
}

bool SweepEngine::DoBatch(const LineReader& reader, SweepEnd* end) {
  std::vector<Item> items = std::exchange(batch_, {});
  if (const absl::Status asked = Ask(items); !asked.ok()) {
    *end = {SweepEnd::How::kDaemonFailed, asked, state_.reached()};
    return false;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Item& item : items) {
      if (!item.answer.error().ok()) {
        sink_.Unanswered(item.line, "the daemon cannot take it: " + std::string(item.answer.error().message()));
        Settle(item, SweptAs::kUnanswered);
      } else if (item.answer.disposition() == Disposition::kKeep) {
        Settle(item, SweptAs::kKept);
      } else if (item.answer.disposition() == Disposition::kHold) {
        Settle(item, SweptAs::kHeld);
      } else if (!item.answer.MustPurge()) {
        sink_.Unanswered(item.line, "the daemon's answer is not known to this version");
        Settle(item, SweptAs::kUnanswered);
      }
    }
  }
  RunGroups(GroupsOf(items));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!daemon_.ok()) {
    *end = {SweepEnd::How::kDaemonFailed, daemon_, state_.reached()};
  } else if (written_.ok() && stop_.Asked()) {
    *end = {SweepEnd::How::kStopped, absl::OkStatus(), state_.reached()};
  } else {
    if (written_.ok()) written_ = state_.Reach(reader.number(), std::exchange(unsaved_, {}));
    if (!written_.ok()) *end = {SweepEnd::How::kStateFailed, written_, state_.reached()};
  }
  sink_.Progress(reader.number(), reader.bytes(), state_.counts());
  return end->how == SweepEnd::How::kComplete;
}

}  // namespace consent::cli
