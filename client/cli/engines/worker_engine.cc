#include "client/cli/engines/worker_engine.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "client/cli/render/render_deletion.h"
#include "consent/error.h"
#include "consent/names.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kExitDone = 0;
constexpr int kExitNotFound = 3;
constexpr int kExitExempt = 4;
constexpr int kExitExcluded = 5;
// As sysexits.h has it: a failure that passes.
constexpr int kExitRetry = 75;

constexpr size_t kMostLeased = 100;
// A request to stop is noticed within it.
constexpr seconds kLongestWait{5};
// Between leases that brought nothing although no wait was due, and between reports that had no answer.
constexpr milliseconds kPause{1000};
constexpr milliseconds kLongestPause{30'000};

// Waiting costs the lease's time, as it is counted from the moment of asking.
seconds WaitOf(const WorkerSettings& settings) {
  return settings.once ? seconds(0) : std::min(kLongestWait, settings.visibility / 4);
}

bool IsComplete(const Verdict& verdict) {
  return verdict.kind == Verdict::Kind::kDone || verdict.kind == Verdict::Kind::kNotFound ||
         verdict.kind == Verdict::Kind::kExempt || verdict.kind == Verdict::Kind::kExcluded;
}

// "LEGAL_OBLIGATION invoices are kept for ten years": the ground, and why in words.
Verdict JudgeExempt(const std::string& line) {
  const size_t end = line.find_first_of(" \t:");
  Verdict verdict{Verdict::Kind::kExempt, "", false};
  const bool is_known = ParseName(std::string_view(line).substr(0, end), &verdict.exempt_reason);
  if (!is_known || verdict.exempt_reason >= ExemptReason::kSystemRetired) {
    return {Verdict::Kind::kFailed, "exit 4, and its last line begins with no ground of an exemption"};
  }
  const size_t words = line.find_first_not_of(" \t:", end);
  verdict.error = words == std::string::npos ? std::string(Name(verdict.exempt_reason)) : line.substr(words);
  if (verdict.error.size() > base::kMaxReasonBytes) {
    return {Verdict::Kind::kFailed, "exit 4, and its last line says why in more than 256 bytes"};
  }
  return verdict;
}

constexpr char kLeaseLost[] = "LEASE_LOST";
constexpr char kTaskNotFound[] = "TASK_NOT_FOUND";
constexpr size_t kMostReasonBytes = 64;

// Why a report was refused; empty: it was taken, or had no answer.
std::string RefusalOf(const absl::StatusOr<TaskAnswer>& answer) {
  std::string reason;
  if (answer.ok()) {
    if (answer->accepted) return reason;
    reason = answer->refused_reason;
  } else {
    if (NoAnswer(answer.status())) return reason;
    reason = ErrorOf(answer.status()).reason;
  }
  return reason.empty() ? "UNKNOWN" : reason.substr(0, kMostReasonBytes);
}

}  // namespace

Verdict Judge(const RunEnd& end) {
  switch (end.how) {
    case RunEnd::How::kNotStarted:
      return {Verdict::Kind::kFailed, "the command cannot be started: " + std::string(std::strerror(end.number))};
    case RunEnd::How::kSignalled:
      return {Verdict::Kind::kFailed, "signal " + std::to_string(end.number)};
    case RunEnd::How::kOutOfTime:
      return {Verdict::Kind::kFailed, "ended by the worker: it was not done within --longest-run"};
    case RunEnd::How::kLeaseEnded:
      return JudgeEndedLease(LeaseState::kUnset);
    case RunEnd::How::kStopped:
      return {Verdict::Kind::kGivenBack, "the worker was stopped"};
    case RunEnd::How::kExited:
      break;
  }
  const bool counts = end.number == kExitDone || end.number == kExitExcluded;
  if (counts && end.number_is_no_count) {
    return {Verdict::Kind::kFailed, "the number in its last line is none from 0 to 10^12"};
  }
  if (end.number == kExitDone) return {Verdict::Kind::kDone, ""};
  if (end.number == kExitNotFound) return {Verdict::Kind::kNotFound, ""};
  if (end.number == kExitExempt) return JudgeExempt(end.last_line);
  if (end.number == kExitExcluded) return {Verdict::Kind::kExcluded, ""};
  return {end.number == kExitRetry ? Verdict::Kind::kRetry : Verdict::Kind::kFailed,
          "exit " + std::to_string(end.number)};
}

const char* Word(TaskEnd end) {
  switch (end) {
    case TaskEnd::kAcknowledged:
      return "ACKNOWLEDGED";
    case TaskEnd::kNotFound:
      return "NOT_FOUND";
    case TaskEnd::kExempt:
      return "EXEMPT";
    case TaskEnd::kExcluded:
      return "EXCLUDED_FROM_NEXT_BUILD";
    case TaskEnd::kRetried:
      return "AGAIN_LATER";
    case TaskEnd::kFailed:
      return "FAILED";
    case TaskEnd::kGivenBack:
      return "GIVEN_BACK";
    case TaskEnd::kTakenBack:
      return "TAKEN_BACK";
    case TaskEnd::kLost:
      return "LOST";
    case TaskEnd::kRefused:
      return "REFUSED";
    case TaskEnd::kUnreported:
      break;
  }
  return "UNREPORTED";
}

ExitCode CodeForWorker(const absl::Status& ended, const WorkerCounts& counts, bool once, bool stopped) {
  if (!ended.ok()) return CodeFor(ended);
  // What failed before and was done since is done, so that only what the daemon says last counts.
  if (!once || (!stopped && counts.open == 0)) return kDone;
  return counts.unreported > 0 ? kNoAnswer : kWorkLeft;
}

Verdict JudgeEndedLease(LeaseState lease) {
  if (lease == LeaseState::kTakenBack) {
    return {Verdict::Kind::kTakenBack, "ended by the worker: some of it is on hold now"};
  }
  if (lease == LeaseState::kLost) return {Verdict::Kind::kGivenBack, "ended by the worker: its lease was lost"};
  return {Verdict::Kind::kFailed, "ended by the worker: its lease could not be renewed"};
}

std::string WhyNotRun(const WorkerSettings& settings, const PurgeTask& task) {
  if (!task.exceptions.empty() && !settings.heeds_exceptions) {
    return "some of it is on hold: run the worker with --heeds-exceptions, once its command does";
  }
  DeletionSelectorKind kind = DeletionSelectorKind::kUnset;
  const std::vector<DeletionSelectorKind>& accepts = settings.accepts;
  if (accepts.empty() || !ParseName(absl::AsciiStrToUpper(SelectorKind(task.selector)), &kind)) return "";
  if (std::find(accepts.begin(), accepts.end(), kind) != accepts.end()) return "";
  return "its selector is none that the worker accepts: the daemon is too old to know of --accepts";
}

nanoseconds GraceOf(seconds visibility) { return std::min<nanoseconds>(nanoseconds(visibility) / 10, seconds(10)); }

nanoseconds MarginOf(seconds visibility) {
  return GraceOf(visibility) + std::min<nanoseconds>(nanoseconds(visibility) / 10, seconds(5));
}

absl::Status Worker::Run() {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < settings_.parallel; ++i) threads.emplace_back([this] { Serve(); });
  absl::Status ended = LeaseAll();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
  return ended;
}

absl::Status Worker::LeaseAll() {
  milliseconds pause = kPause;
  for (;;) {
    const size_t room = WaitForRoom();
    if (stop_.Asked()) return absl::OkStatus();
    LeaseOrder order;
    order.system = settings_.system;
    order.max_tasks = settings_.batch > 0 ? settings_.batch : static_cast<int>(std::min(room, kMostLeased));
    order.visibility = settings_.visibility;
    order.wait = WaitOf(settings_);
    order.heeds_exceptions = settings_.heeds_exceptions;
    order.accepts = settings_.accepts;
    const nanoseconds asked = clock_.SinceBoot();
    absl::StatusOr<LeasedTasks> leased = client_.LeaseTasks(order);
    if (!leased.ok()) {
      if (settings_.once || !NoAnswer(leased.status())) return leased.status();
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        sink_.NoAnswer(leased.status());
      }
      StopRequest::Pause(stop_.asked(), pause);
      pause = std::min(pause * 2, kLongestPause);
      continue;
    }
    pause = kPause;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      sink_.Answered();
      counts_.open = leased->open_tasks;
    }
    if (leased->tasks.empty()) {
      // What ran when it was asked may have ended since, so how much is open is asked again.
      if (settings_.once && room == settings_.parallel) return absl::OkStatus();
      if (settings_.once) {
        WaitUntilIdle();
        continue;
      }
      if (clock_.SinceBoot() - asked < kPause) StopRequest::Pause(stop_.asked(), kPause);
    }
    Enqueue(*std::move(leased));
  }
}

size_t Worker::WaitForRoom() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && running_ < settings_.parallel; });
  sink_.Progress(counts_, running_);
  return settings_.parallel - running_;
}

void Worker::WaitUntilIdle() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && running_ == 0; });
}

void Worker::Enqueue(LeasedTasks leased) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (PurgeTask& task : leased.tasks) waiting_.push_back({std::move(task), leased.held_until, {}});
  }
  changed_.notify_all();
}

void Worker::Serve() {
  while (const std::optional<Item> item = Next()) {
    Do(*item);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      --running_;
      sink_.Progress(counts_, running_);
    }
    changed_.notify_all();
  }
}

std::optional<Worker::Item> Worker::Next() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return !waiting_.empty() || closing_; });
  if (waiting_.empty()) return {};
  Item item = std::move(waiting_.front());
  waiting_.pop_front();
  item.taken = clock_.SinceBoot();
  ++running_;
  sink_.Progress(counts_, running_);
  return item;
}

void Worker::Do(const Item& item) {
  if (stop_.Asked()) {
    return Report(item, {Verdict::Kind::kGivenBack, "the worker was stopped before it began", true}, {});
  }
  if (clock_.SinceBoot() > item.held_until - nanoseconds(settings_.visibility) / 2) {
    // Counted as a failure, so that operators see it, and so that it comes again after a growing delay.
    return Report(
        item, {Verdict::Kind::kGivenBack, "not begun in half of its lease: lease fewer at once, or for longer"}, {});
  }
  if (std::string why = WhyNotRun(settings_, item.task); !why.empty()) {
    return Report(item, {Verdict::Kind::kFailed, std::move(why)}, {});
  }
  const absl::StatusOr<TaskInput> input = MakeTaskInput(item.task, environment_, settings_.stdin_only);
  if (!input.ok()) return Report(item, {Verdict::Kind::kFailed, std::string(input.status().message())}, {});
  const auto kept = keeper_.Keep({item.task.task_id, item.task.epoch}, item.held_until);
  const RunLimits limits{clock_.SinceBoot() + settings_.longest_run, GraceOf(settings_.visibility), stop_.at_once(),
                         kept->ended(), settings_.guard};
  const RunEnd end = command_.Run(*input, limits, clock_);
  keeper_.Drop(kept);
  const Item held{item.task, kept->held_until(), item.taken};
  Report(held, end.how == RunEnd::How::kLeaseEnded ? JudgeEndedLease(kept->state()) : Judge(end), end);
}

absl::StatusOr<TaskAnswer> Worker::Send(const Item& item, const Verdict& verdict, const RunEnd& end) {
  absl::StatusOr<std::vector<TaskAnswer>> answers;
  if (IsComplete(verdict)) {
    TaskResult result{item.task.task_id, item.task.epoch, PurgeOutcome::kNotFound, 0, end.output_hash, ""};
    if (verdict.kind == Verdict::Kind::kDone) {
      result.outcome = PurgeOutcome::kAcknowledged;
      result.erased_count = end.last_number.value_or(0);
    } else if (verdict.kind == Verdict::Kind::kExcluded) {
      result.outcome = PurgeOutcome::kExcludedFromNextBuild;
      result.erased_count = end.last_number.value_or(0);
    } else if (verdict.kind == Verdict::Kind::kExempt) {
      result.outcome = PurgeOutcome::kExempt;
      result.reason = verdict.error;
      result.exempt_reason = verdict.exempt_reason;
    }
    answers = client_.CompleteTasks(settings_.system, {result});
  } else {
    TaskFailure failure{item.task.task_id, item.task.epoch, verdict.error, verdict.not_begun, 0, ""};
    // What it counted before it failed or was ended is erased all the same.
    if (end.last_number.has_value()) {
      failure.erased_count = *end.last_number;
      failure.evidence_hash = end.output_hash;
    }
    answers = client_.FailTasks(settings_.system, {failure});
  }
  if (!answers.ok()) return answers.status();
  if (answers->size() != 1) return absl::InternalError("one report must have one answer");
  return answers->front();
}

absl::StatusOr<TaskAnswer> Worker::SendPatiently(const Item& item, const Verdict& verdict, const RunEnd& end) {
  absl::StatusOr<TaskAnswer> answer = Send(item, verdict, end);
  while (!answer.ok() && NoAnswer(answer.status()) && clock_.SinceBoot() < item.held_until &&
         !StopRequest::Pause(stop_.at_once(), kPause)) {
    answer = Send(item, verdict, end);
  }
  return answer;
}

void Worker::Report(const Item& item, const Verdict& verdict, const RunEnd& end) {
  const absl::StatusOr<TaskAnswer> answer = SendPatiently(item, verdict, end);
  const std::string refused = RefusalOf(answer);
  if (refused.empty() || !IsComplete(verdict)) return Count(item, answer, verdict, end);
  // No answer is awaited for ever, and a refusal is none: what was refused once is refused again, so the task must fail
  // by it.
  const Verdict failed{Verdict::Kind::kFailed, "REPORT_REFUSED: " + refused};
  const absl::StatusOr<TaskAnswer> told = SendPatiently(item, failed, end);
  const bool is_lost = refused == kLeaseLost || refused == kTaskNotFound;
  if (!told.ok()) Tell(told.status());
  const std::lock_guard<std::mutex> lock(mutex_);
  ++(is_lost ? counts_.lost : counts_.refused);
  const std::string why = "its report was refused: " + refused;
  sink_.GoesBack(why);
  TellEnded(item, is_lost ? TaskEnd::kLost : TaskEnd::kRefused, end, why);
}

void Worker::Tell(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (NoAnswer(status)) return sink_.NoAnswer(status);
  sink_.Refused(status);
}

void Worker::TellEnded(const Item& item, TaskEnd how, const RunEnd& end, const std::string& why) {
  EndedTask ended;
  ended.task_id = item.task.task_id;
  ended.selector = SelectorKind(item.task.selector);
  ended.attempt = item.task.attempt;
  ended.end = how;
  ended.erased = how == TaskEnd::kNotFound || how == TaskEnd::kExempt ? 0 : end.last_number.value_or(0);
  ended.took = clock_.SinceBoot() - item.taken;
  ended.why = why;
  sink_.Ended(ended);
}

void Worker::Count(const Item& item, const absl::StatusOr<TaskAnswer>& answer, const Verdict& verdict,
                   const RunEnd& end) {
  if (!answer.ok()) Tell(answer.status());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!answer.ok()) {
    const bool is_silent = NoAnswer(answer.status());
    ++(is_silent ? counts_.unreported : counts_.refused);
    return TellEnded(item, is_silent ? TaskEnd::kUnreported : TaskEnd::kRefused, end,
                     is_silent ? "the daemon gave no answer to its report" : "its report was refused");
  }
  if (!answer->accepted) {
    const bool is_taken_back = verdict.kind == Verdict::Kind::kTakenBack;
    ++(is_taken_back ? counts_.taken_back : counts_.lost);
    const std::string why = "its report was refused: " + answer->refused_reason.substr(0, kMostReasonBytes);
    sink_.GoesBack(why);
    return TellEnded(item, is_taken_back ? TaskEnd::kTakenBack : TaskEnd::kLost, end, why);
  }
  const TaskEnd how = CountTaken(verdict, end);
  if (!IsComplete(verdict)) sink_.GoesBack(verdict.error);
  // The words of an exemption are the data system's, for the daemon alone.
  TellEnded(item, how, end, IsComplete(verdict) ? "" : verdict.error);
}

TaskEnd Worker::CountTaken(const Verdict& verdict, const RunEnd& end) {
  switch (verdict.kind) {
    case Verdict::Kind::kDone:
      if (end.is_almost_number) sink_.CountsNothing();
      ++counts_.done;
      counts_.erased += end.last_number.value_or(0);
      return TaskEnd::kAcknowledged;
    case Verdict::Kind::kExcluded:
      if (end.is_almost_number) sink_.CountsNothing();
      ++counts_.excluded;
      counts_.erased += end.last_number.value_or(0);
      return TaskEnd::kExcluded;
    case Verdict::Kind::kNotFound:
      ++counts_.not_found;
      return TaskEnd::kNotFound;
    case Verdict::Kind::kExempt:
      ++counts_.exempt;
      return TaskEnd::kExempt;
    case Verdict::Kind::kRetry:
      ++counts_.retried;
      return TaskEnd::kRetried;
    case Verdict::Kind::kFailed:
      break;
    case Verdict::Kind::kGivenBack:
      ++counts_.given_back;
      return TaskEnd::kGivenBack;
    case Verdict::Kind::kTakenBack:
      ++counts_.taken_back;
      return TaskEnd::kTakenBack;
  }
  ++counts_.failed;
  return TaskEnd::kFailed;
}

}  // namespace consent::cli
