// What a worker's command is given to know what to delete.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/purge.h"

namespace consent::cli {

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

}  // namespace consent::cli
