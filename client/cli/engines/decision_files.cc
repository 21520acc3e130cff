#include "client/cli/engines/decision_files.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "client/cli/lines/decision_lines.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

constexpr size_t kMonthBytes = 7;  // "2026-11"

// Whether the last of the bytes that were read ends a line; also true of what cannot be looked at, such as a pipe.
bool EndsWhole(int descriptor, uint64_t bytes) {
  char last = '\n';
  return bytes == 0 || pread(descriptor, &last, 1, static_cast<off_t>(bytes - 1)) != 1 || last == '\n';
}

// Puts a folder's files of the log in its place.
absl::Status ListFolders(std::vector<std::string>* paths) {
  std::vector<std::string> files;
  for (const std::string& path : *paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const size_t before = files.size();
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename();
      if (name.starts_with("decisions-") && name.ends_with(".jsonl")) files.push_back(it->path());
    }
    if (error) return absl::NotFoundError(path + ": the directory cannot be read: " + error.message());
    if (files.size() == before) {
      return absl::NotFoundError(path + ": the directory holds no file of the decision log (decisions-N.jsonl)");
    }
  }
  *paths = std::move(files);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadDecisionFile(const std::string& name, LineReader& reader, const std::function<bool()>& ends_whole,
                              DecisionLineSink& sink) {
  sink.BeginFile(name);
  std::string held;  // the line before the one that is read
  bool holds = false;
  std::string line;
  for (;;) {
    switch (reader.Next(&line)) {
      case LineReader::Result::kLine:
        if (holds) {
          if (absl::Status status = sink.TakeLine(held); !status.ok()) return status;
        }
        held = std::move(line);
        holds = true;
        break;
      case LineReader::Result::kTooLong:
        if (holds) {
          if (absl::Status status = sink.TakeLine(held); !status.ok()) return status;
        }
        holds = false;
        sink.PassOver("line " + std::to_string(reader.number()) + " is longer than a record may be");
        break;
      case LineReader::Result::kEnd:
        if (!holds) return absl::OkStatus();
        if (ends_whole()) return sink.TakeLine(held);
        sink.EndTorn();
        return absl::OkStatus();
      case LineReader::Result::kStopped:
        return absl::CancelledError("stopped in " + name + " before line " + std::to_string(reader.number() + 1));
      default:
        return absl::NotFoundError(name + " cannot be read");
    }
  }
}

absl::Status ReadDecisionFiles(std::vector<std::string> paths, DecisionLineSink& sink, StopSign stop) {
  if (absl::Status status = ListFolders(&paths); !status.ok()) return status;
  // The names of a store's files order as their records do.
  std::stable_sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return std::filesystem::path(a).filename() < std::filesystem::path(b).filename();
  });
  for (const std::string& path : paths) {
    const absl::StatusOr<Descriptor> input = OpenInput(path);
    if (!input.ok()) return absl::NotFoundError(input.status().message());
    LineReader reader(input->get(), kMaxDecisionLineBytes, stop);
    const auto ends_whole = [&] { return EndsWhole(input->get(), reader.bytes()); };
    if (absl::Status status = ReadDecisionFile(path, reader, ends_whole, sink); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string MonthOf(Time time) { return TimeText(time).substr(0, kMonthBytes); }

}  // namespace consent::cli
