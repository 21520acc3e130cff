// What a worker's command is given to know what to delete.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/purge.h"

namespace consent::cli {

// NAME=VALUE each, of this process.
std::vector<std::string> OwnEnvironment();

struct TaskInput {
  // For standard input: one JSON object and a line's end.
  std::string line;
  // NAME=VALUE each.
  std::vector<std::string> environment;
};

// The variables that say what is to be deleted and what is to be left alone; `inherited` (NAME=VALUE each) loses those
// that this task has not, so that nothing of another task can be taken for part of this one. With `stdin_only` none of
// them is set and only the line says it. InvalidArgument, without ids: what is selected or excepted is not known to
// this version; or an id holds a byte (NUL, or a line's end in a list) that the environment cannot carry, or the
// exceptions are too long for it, which `stdin_only` avoids.
absl::StatusOr<TaskInput> MakeTaskInput(const PurgeTask& task, const std::vector<std::string>& inherited,
                                        bool stdin_only);

// Recordings of one account that a sweep was told to purge.
struct SweptRecordings {
  AccountId account_id;
  // kUnset or kSource: the recordings, and whatever was made of them. Else only what was made of them so, for that
  // purpose: their audio stays.
  Artefact artefact = Artefact::kUnset;
  Purpose made_for = Purpose::kUnset;
  std::vector<RecordingId> recordings;
};
// The same for a sweep: a task of cause SWEEP without id, times and exceptions, whose selector is `recordings` or,
// where only copies go, `copies`, which a command that knows deletion requests alone refuses.
absl::StatusOr<TaskInput> MakeSweepInput(const SweptRecordings& swept, const std::vector<std::string>& inherited,
                                         bool stdin_only);

}  // namespace consent::cli
