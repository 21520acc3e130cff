#include "daemon/app/policy_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/hash.h"
#include "daemon/policy/default_policy.h"

namespace consent::app {
namespace {

// At most a byte more than a policy may have, so that the parser says which bound.
absl::StatusOr<std::string> ReadBounded(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const std::string why = absl::StrCat("the policy file ", path, " cannot be read: ", std::strerror(errno));
    return errno == ENOENT ? absl::NotFoundError(why) : absl::UnavailableError(why);
  }
  std::string text(policy::kMaxFileBytes + 1, '\0');
  size_t size = 0;
  ssize_t n = 0;
  while (size < text.size() && (n = read(fd, text.data() + size, text.size() - size)) > 0) size += static_cast<size_t>(n);
  const int error = errno;
  close(fd);
  if (n < 0) return absl::UnavailableError(absl::StrCat("the policy file ", path, " cannot be read: ", std::strerror(error)));
  text.resize(size);
  return text;
}

}  // namespace

absl::StatusOr<policy::Document> LoadPolicy(const std::string& path) {
  if (path.empty()) return policy::Document::Parse(std::string(policy::DefaultPolicyJson()));
  absl::StatusOr<std::string> text = ReadBounded(path);
  if (!text.ok()) return text.status();
  return policy::Document::Parse(*std::move(text));
}

int ValidatePolicyFile(const std::string& path) {
  const absl::StatusOr<policy::Document> document = LoadPolicy(path);
  if (document.ok()) {
    std::printf("%s: policy \"%s\" is valid, SHA-256 %s\n", path.c_str(), document->version().c_str(), base::Hex(base::View(document->hash())).c_str());
    return static_cast<int>(ExitCode::kOk);
  }
  for (const auto problem : absl::StrSplit(document.status().message(), "; ")) std::printf("%s\n", std::string(problem).c_str());
  return static_cast<int>(ExitCode::kProblems);
}

}  // namespace consent::app
