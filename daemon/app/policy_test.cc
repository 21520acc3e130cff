#include "daemon/app/policy_test.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "daemon/app/exit_codes.h"
#include "daemon/app/policy_file.h"
#include "daemon/base/file.h"
#include "daemon/cases/case_file.h"
#include "daemon/cases/play.h"

namespace consent::app {
namespace {

// A file of cases and how it ended.
struct Played {
  std::string file;
  absl::Status status;  // why it could not be played
  std::string policy_version;
  std::vector<cases::CaseResult> results;

  size_t Failed() const {
    return static_cast<size_t>(
        std::count_if(results.begin(), results.end(), [](const auto& result) { return !result.failures.empty(); }));
  }
};

absl::StatusOr<std::string> ReadCases(const std::string& path) {
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("file of cases", path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  return base::ReadBounded(file->fd(), "file of cases", path, cases::kMaxFileBytes);
}

absl::Status PlayInto(const std::string& policy_file, Played* played) {
  const absl::StatusOr<std::string> json = ReadCases(played->file);
  if (!json.ok()) return json.status();
  const absl::StatusOr<v1::PolicyCases> read = cases::ParseCases(*json);
  if (!read.ok()) return read.status();
  std::string path = policy_file;
  if (path.empty() && !read->policy().empty()) {
    path = (std::filesystem::path(played->file).parent_path() / read->policy()).string();
  }
  if (path.empty()) {
    return absl::InvalidArgumentError("the file names no policy: write \"policy\" into it, or give --policy FILE");
  }
  const absl::StatusOr<policy::Document> policy = LoadPolicy(path);
  if (!policy.ok()) return policy.status();
  played->policy_version = policy->version();
  absl::StatusOr<std::vector<cases::CaseResult>> results = cases::PlayCases(*read, *policy);
  if (!results.ok()) return results.status();
  played->results = *std::move(results);
  return absl::OkStatus();
}

void PrintText(const Played& played) {
  if (!played.status.ok()) {
    std::printf("%s: cannot be played: %s\n", played.file.c_str(), std::string(played.status.message()).c_str());
    return;
  }
  for (const cases::CaseResult& result : played.results) {
    for (const cases::CaseFailure& failure : result.failures) {
      std::printf("%s: FAILED: %s\n  step %d, %s\n  expected: %s\n  got:      %s\n", played.file.c_str(),
                  result.name.c_str(), failure.step + 1, failure.at.c_str(), failure.expected.c_str(),
                  failure.got.c_str());
    }
  }
  const size_t failed = played.Failed();
  std::printf("%s: policy \"%s\": %zu of %zu cases passed\n", played.file.c_str(), played.policy_version.c_str(),
              played.results.size() - failed, played.results.size());
}

// As JSON; a number there is exact up to 2^53.
void AddJson(const Played& played, google::protobuf::ListValue* files) {
  auto& file = *files->add_values()->mutable_struct_value()->mutable_fields();
  file["file"].set_string_value(played.file);
  if (!played.status.ok()) {
    file["error"].set_string_value(std::string(played.status.message()));
    return;
  }
  file["policy"].set_string_value(played.policy_version);
  file["passed"].set_number_value(static_cast<double>(played.results.size() - played.Failed()));
  file["failed"].set_number_value(static_cast<double>(played.Failed()));
  google::protobuf::ListValue& failures = *file["failures"].mutable_list_value();
  for (const cases::CaseResult& result : played.results) {
    for (const cases::CaseFailure& failure : result.failures) {
      auto& fields = *failures.add_values()->mutable_struct_value()->mutable_fields();
      fields["case"].set_string_value(result.name);
      fields["step"].set_number_value(failure.step + 1);
      fields["at"].set_string_value(failure.at);
      fields["expected"].set_string_value(failure.expected);
      fields["got"].set_string_value(failure.got);
    }
  }
}

}  // namespace

int TestPolicies(const ops::PolicyTestOptions& options) {
  bool passed = true;
  google::protobuf::Struct report;
  google::protobuf::ListValue& files = *(*report.mutable_fields())["files"].mutable_list_value();
  for (const std::string& path : options.files) {
    Played played;
    played.file = path;
    played.status = PlayInto(options.policy_file, &played);
    passed = passed && played.status.ok() && played.Failed() == 0;
    if (options.json) {
      AddJson(played, &files);
    } else {
      PrintText(played);
    }
  }
  if (options.json) {
    std::string text;
    if (!google::protobuf::util::MessageToJsonString(report, &text).ok()) return static_cast<int>(ExitCode::kInternal);
    std::printf("%s\n", text.c_str());
  }
  return static_cast<int>(passed ? ExitCode::kOk : ExitCode::kProblems);
}

}  // namespace consent::app
