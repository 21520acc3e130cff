// A policy file, parsed and found valid as a whole. What a file cannot know is in state.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/policy.pb.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"

namespace consent::policy {

// The largest file in bytes. A stored row holds the file and its state (state.h) and must fit into one commit of 1 MiB.
inline constexpr size_t kMaxFileBytes = base::kMaxPolicyBytes;

// Immutable; thread-safe to read; cheap to copy (copies share the content).
class Document {
 public:
  // `json` is one JSON object (RFC 8259, UTF-8 without byte order mark, at most kMaxFileBytes) of the message
  // consent.v1.Policy in protobuf's JSON mapping, read strictly: unknown keys, keys that occur twice (also once in
  // lowerCamelCase and once in snake_case), null, values of another JSON type and unknown names of enum values are
  // refused (daemon/json). Then the whole is validated (validate.h). InvalidArgument: the first problem of form, or all
  // problems of content as far as kMaxProblems, each with its path, line and column; printable ASCII.
  static absl::StatusOr<Document> Parse(std::string json);

  // The file's exact bytes.
  const std::string& json() const { return content_->json; }
  const v1::Policy& policy() const { return content_->policy; }
  const std::string& version() const { return content_->policy.version(); }
  // SHA-256 over the file's exact bytes: what sha256sum prints.
  const base::Digest& hash() const { return content_->hash; }

 private:
  struct Content {
    std::string json;
    v1::Policy policy;
    base::Digest hash{};
  };
  explicit Document(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;  // never null
};

// Whether this machine's time zone database has all zones that the policy names. Apart from Parse, because a stored
// policy must be read whatever became of that database. InvalidArgument: not all, each with its path.
absl::Status CheckTimeZones(const Document& document);

// A version never changes its content. `used_before` is the hash under which `next`'s version was once activated: the
// caller looks it up among all versions ever stored. FailedPrecondition if `next` has other bytes.
absl::Status CheckSameContent(const base::Digest& used_before, const Document& next);

}  // namespace consent::policy
