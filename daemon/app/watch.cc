#include "daemon/app/watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace consent::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartPace(10'000);

// Four looks within the watchdog's time, so that a late one does no harm.
milliseconds PaceOf(const std::optional<std::chrono::microseconds>& watchdog) {
  if (!watchdog.has_value()) return kStartPace;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*watchdog / 4), milliseconds(1), kStartPace);
}

void Add(std::string* lines, const std::string& line) { absl::StrAppend(lines, lines->empty() ? "" : "\n", line); }

std::string StatusLine(const WatchRule::Seen& seen) {
  switch (seen.stage) {
    case Stage::kStarting:
      return "STATUS=starting";
    case Stage::kFilling:
      return absl::StrCat("STATUS=filling the index, ", seen.progress, " rows read");
    case Stage::kServing:
      return "STATUS=serving";
    case Stage::kDraining:
      return "STATUS=draining";
  }
  return "STATUS=draining";
}

}  // namespace

std::string WatchRule::Next(const Seen& seen, Time now) {
  std::string lines;
  const bool entered = told_ != seen.stage;
  if (entered) {
    told_ = seen.stage;
    stage_began_ = now;
    fed_at_ = now;
    if (seen.stage == Stage::kServing) Add(&lines, "READY=1");
    if (seen.stage == Stage::kDraining) Add(&lines, "STOPPING=1");
    Add(&lines, StatusLine(seen));
  }
  bool lives = false;
  switch (seen.stage) {
    case Stage::kStarting:
    case Stage::kFilling:
      lives = entered || seen.progress != progress_;
      progress_ = seen.progress;
      if (!lives) break;
      if (!entered && seen.stage == Stage::kFilling) Add(&lines, StatusLine(seen));
      Add(&lines, absl::StrCat("EXTEND_TIMEOUT_USEC=",
                               std::chrono::duration_cast<std::chrono::microseconds>(kStartPatience).count()));
      break;
    case Stage::kServing:
      lives = seen.probes_answered != fed_for_;
      break;
    case Stage::kDraining:
      lives = now - stage_began_ < options_.drain;
      break;
  }
  if (lives) {
    fed_at_ = now;
    fed_for_ = seen.probes_answered;
    overdue_told_ = false;
    if (options_.watchdog.has_value()) Add(&lines, "WATCHDOG=1");
  }
  return lines;
}

bool WatchRule::TakeOverdue(const Seen& seen, Time now) {
  if (!options_.watchdog.has_value() || seen.stage != Stage::kServing || told_ != Stage::kServing) return false;
  if (overdue_told_ || now - fed_at_ <= *options_.watchdog / 2) return false;
  overdue_told_ = true;
  return true;
}

Watch::Watch(const ops::ServiceManager& manager, milliseconds drain, Parts parts)
    : manager_(manager),
      parts_(std::move(parts)),
      pace_(PaceOf(manager.watchdog())),
      rule_({manager.watchdog(), drain}) {
  if (manager_.listens()) thread_ = std::thread([this] { Run(); });
}

Watch::~Watch() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Watch::Enter(Stage stage) {
  {
    base::MutexLock lock(mutex_);
    seen_.stage = stage;
    news_ = true;
  }
  wake_.NotifyAll();
}

void Watch::NoteAnswered() {
  {
    base::MutexLock lock(mutex_);
    ++seen_.probes_answered;
    news_ = true;
  }
  wake_.NotifyAll();
}

void Watch::Run() {
  for (;;) {
    WatchRule::Seen seen;
    bool last = false;
    {
      base::MutexLock lock(mutex_);
      if (seen_.stage < Stage::kServing) seen_.progress = parts_.progress();
      seen = seen_;
      news_ = false;
      last = stopping_;
    }
    const WatchRule::Time now = std::chrono::steady_clock::now();
    if (const std::string lines = rule_.Next(seen, now); !lines.empty()) manager_.Tell(lines);
    if (rule_.TakeOverdue(seen, now)) parts_.overdue();
    if (last) return;
    base::MutexLock lock(mutex_);
    const auto until = now + pace_;
    while (!news_ && !stopping_) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      wake_.WaitFor(mutex_, left);
    }
  }
}

}  // namespace consent::app
