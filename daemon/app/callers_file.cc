#include "daemon/app/callers_file.h"

#include <cstdio>

#include "absl/strings/str_split.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/file.h"
#include "daemon/callers/file.h"

namespace consent::app {

absl::StatusOr<v1::CallersFile> LoadCallers(const std::string& path) {
  constexpr char kName[] = "callers' file";
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(kName, path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  if (absl::Status status = base::CheckNotOpenToAll(file->fd(), kName, path); !status.ok()) return status;
  const absl::StatusOr<std::string> text = base::ReadBounded(file->fd(), kName, path, callers::kMaxFileBytes);
  if (!text.ok()) return text.status();
  return callers::ParseFile(*text);
}

int ValidateCallersFile(const std::string& path) {
  const absl::StatusOr<v1::CallersFile> callers = LoadCallers(path);
  if (callers.ok()) {
    std::printf("%s: %d callers, all valid\n", path.c_str(), callers->callers_size());
    return static_cast<int>(ExitCode::kOk);
  }
  for (const auto problem : absl::StrSplit(callers.status().message(), "; ")) {
    std::printf("%s\n", std::string(problem).c_str());
  }
  return static_cast<int>(ExitCode::kProblems);
}

}  // namespace consent::app
