// The work of `consentctl sweep`, without its command line: an inventory in, what must go handed to the command, and
// what came of it counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/purge_watch.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/engines/sweep_state.h"
#include "client/cli/engines/task_command.h"
#include "client/cli/exit_codes.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"
#include "consent/recording_lines.h"

namespace consent::cli {

struct SweepSettings {
  LineDefaults defaults;
  // Lines in one call, 1 to kMaxBatch.
  size_t batch = 500;
  // Runs of the command at the same time, 1 to 64.
  size_t parallel = 1;
  // A command that is not done by then is ended.
  std::chrono::seconds longest_run{3600};
  // See MakeSweepInput.
  bool stdin_only = false;
  // How often it is asked, while a command runs, whether all of it must still go.
  std::chrono::milliseconds ask_every{5000};
  // Outlives the sweep; see RunLimits.
  const OrphanGuard* guard = nullptr;
};

struct SweepEnd {
  enum class How { kComplete, kStopped, kInputFailed, kStateFailed, kDaemonFailed };
  How how = How::kComplete;
  absl::Status status;
  // Of all but kComplete: what is behind it was not looked at.
  uint64_t line = 0;
};

// How the command's process ends.
ExitCode CodeForSweep(const SweepEnd& end, const SweepCounts& counts);

// Called by one thread at a time. No text names an id.
class SweepSink {
 public:
  virtual ~SweepSink() = default;
  // The line could not be read or not be asked about: nothing of it is purged.
  virtual void Unanswered(uint64_t line, const std::string& why) = 0;
  // A run of the command for so many recordings did not purge them, and why.
  virtual void Failed(size_t recordings, const std::string& why) = 0;
  virtual void Progress(uint64_t line, uint64_t bytes, const SweepCounts& counts) = 0;
};

// One run. Memory is bounded by `batch` lines and the state's lists. Makes up to `parallel` threads. Not thread-safe.
//
// What must go is asked about once more right before its command begins, and every few seconds while it runs: a hold
// that was placed meanwhile keeps it, or ends the command.
class SweepEngine {
 public:
  // All of them must outlive the run. `environment`: NAME=VALUE each, for the command.
  SweepEngine(const SweepSettings& settings, Client& client, const TaskCommand& command,
              std::vector<std::string> environment, const StopRequest& stop, Clock& clock, SweepState& state,
              SweepSink& sink)
      : settings_(settings),
        client_(client),
        command_(command),
        environment_(std::move(environment)),
        stop_(stop),
        clock_(clock),
        state_(state),
        sink_(sink),
        watch_(settings.ask_every, client) {}

  SweepEnd Run(LineReader& reader);
  // By the reason why they had to go, those of this run that are gone.
  const std::map<std::string, uint64_t>& purged_by_reason() const { return purged_by_reason_; }

 private:
  struct Item {
    uint64_t line = 0;
    Recording recording;
    Answer answer;
  };
  // Recordings of one account that go, or of which one kind of copies goes: one run of the command.
  struct Group {
    SweptRecordings swept;
    std::vector<const Item*> items;
  };

  // Reads one line into the batch. False: it is the end of the input, or `end` says what is wrong with it.
  bool Take(LineReader& reader, SweepEnd* end);
  // Asks about the batch, purges what must go and keeps how far it came. False: `end` says why it cannot go on.
  bool DoBatch(const LineReader& reader, SweepEnd* end);
  // Gives each of the items its answer; one that cannot be asked about gets its error. An error: the daemon's.
  absl::Status Ask(std::vector<Item>& items) const;
  absl::Status AskRange(std::vector<Item>& items, size_t from, size_t to) const;
  std::vector<Group> GroupsOf(const std::vector<Item>& items) const;
  // On as many threads as settings say.
  void RunGroups(const std::vector<Group>& groups);
  void Purge(const Group& group);
  // Asks once more; what must not go any more is settled and leaves the group. False: the daemon does not answer.
  bool StillMustGo(Group* group);
  void Settle(const Item& item, SweptAs how);
  void Fail(const Group& group, const std::string& why);
  void Note(const absl::Status& written);

  const SweepSettings& settings_;
  Client& client_;
  const TaskCommand& command_;
  const std::vector<std::string> environment_;
  const StopRequest& stop_;
  Clock& clock_;
  SweepState& state_;
  SweepSink& sink_;
  PurgeWatch watch_;
  std::vector<Item> batch_;

  // Guards what follows, the state and the sink while groups run.
  std::mutex mutex_;
  SweepCounts unsaved_;   // of the batch, beside what the state was told line by line
  absl::Status daemon_;   // why it does not answer
  absl::Status written_;  // why the state cannot be kept
  std::map<std::string, uint64_t> purged_by_reason_;
};

}  // namespace consent::cli
