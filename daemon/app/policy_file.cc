#include "daemon/app/policy_file.h"

#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/clock.h"
#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/policy/compare.h"
#include "daemon/policy/default_policy.h"
#include "daemon/policy/warnings.h"

namespace consent::app {
namespace {

// A policy may be reached through links, as configuration often is.
absl::StatusOr<std::string> Read(const std::string& path) {
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("policy file", path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  if (absl::Status status = base::CheckNotOpenToAll(file->fd(), "policy file", path); !status.ok()) return status;
  return base::ReadBounded(file->fd(), "policy file", path, policy::kMaxFileBytes);
}

// One problem a line.
int PrintProblems(const std::string& path, const absl::Status& status) {
  std::printf("%s cannot be used:\n", path.c_str());
  for (const auto problem : absl::StrSplit(status.message(), "; ")) std::printf("%s\n", std::string(problem).c_str());
  return static_cast<int>(ExitCode::kProblems);
}

// Those of `kinds` under a headline; nothing where there are none.
void PrintDifferences(const char* headline, const std::vector<policy::Difference>& differences,
                      const std::function<bool(const policy::Difference&)>& belongs) {
  bool first = true;
  for (const policy::Difference& difference : differences) {
    if (!belongs(difference)) continue;
    if (std::exchange(first, false)) std::printf("%s\n", headline);
    const bool breaks = difference.kind == policy::DifferenceKind::kBreaksStored;
    std::printf("  %s%s\n", policy::Words(difference).c_str(),
                breaks ? "\n    (refused while a stored choice refers to it)" : "");
  }
}

}  // namespace

absl::StatusOr<policy::Document> LoadPolicy(const std::string& path) {
  if (path.empty()) return policy::Document::Parse(std::string(policy::DefaultPolicyJson()));
  absl::StatusOr<std::string> text = Read(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<policy::Document> document = policy::Document::Parse(*std::move(text));
  if (!document.ok()) return document;
  if (absl::Status zones = policy::CheckTimeZones(*document); !zones.ok()) return zones;
  return document;
}

int DiffPolicyFiles(const std::string& old, const std::string& next) {
  absl::StatusOr<policy::Document> before = LoadPolicy(old);
  if (!before.ok()) return PrintProblems(old, before.status());
  const absl::StatusOr<policy::Document> after = LoadPolicy(next);
  if (!after.ok()) return PrintProblems(next, after.status());
  // Any time will do: what differs does not depend on it.
  absl::StatusOr<policy::State> state = policy::Advance(policy::State{}, *before, base::Instant{1});
  if (!state.ok()) return PrintProblems(old, state.status());
  const policy::PolicyRow row{*std::move(before), *std::move(state), ""};
  const std::vector<policy::Difference> differences = policy::Compare(row, *after);
  if (differences.empty()) std::printf("no difference\n");
  using Kind = policy::DifferenceKind;
  PrintDifferences("allows more:", differences, policy::Loosens);
  PrintDifferences("allows less:", differences,
                   [](const auto& d) { return d.kind != Kind::kNeutral && !policy::Loosens(d); });
  PrintDifferences("neither:", differences, [](const auto& d) { return d.kind == Kind::kNeutral; });
  return static_cast<int>(ExitCode::kOk);
}

int ValidatePolicyFile(const std::string& path) {
  const absl::StatusOr<policy::Document> document = LoadPolicy(path);
  if (document.ok()) {
    std::printf("%s: policy \"%s\" is valid, SHA-256 %s\n", path.c_str(), document->version().c_str(),
                base::Hex(base::View(document->hash())).c_str());
    const base::SystemClock clock;
    for (const std::string& warning : policy::WarningTexts(document->policy(), document->json(), clock.Now())) {
      std::printf("warning: %s\n", warning.c_str());
    }
    return static_cast<int>(ExitCode::kOk);
  }
  for (const auto problem : absl::StrSplit(document.status().message(), "; ")) {
    std::printf("%s\n", std::string(problem).c_str());
  }
  return static_cast<int>(ExitCode::kProblems);
}

}  // namespace consent::app
