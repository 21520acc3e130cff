#include "daemon/app/policy_file.h"

#include <cstdio>

#include "absl/strings/str_split.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/policy/default_policy.h"

namespace consent::app {
namespace {

// A policy may be reached through links, as configuration often is.
absl::StatusOr<std::string> Read(const std::string& path) {
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("policy file", path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  if (absl::Status status = base::CheckNotOpenToAll(file->fd(), "policy file", path); !status.ok()) return status;
  return base::ReadBounded(file->fd(), "policy file", path, policy::kMaxFileBytes);
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

int ValidatePolicyFile(const std::string& path) {
  const absl::StatusOr<policy::Document> document = LoadPolicy(path);
  if (document.ok()) {
    std::printf("%s: policy \"%s\" is valid, SHA-256 %s\n", path.c_str(), document->version().c_str(),
                base::Hex(base::View(document->hash())).c_str());
    return static_cast<int>(ExitCode::kOk);
  }
  for (const auto problem : absl::StrSplit(document.status().message(), "; ")) {
    std::printf("%s\n", std::string(problem).c_str());
  }
  return static_cast<int>(ExitCode::kProblems);
}

}  // namespace consent::app
