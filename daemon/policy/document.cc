#include "daemon/policy/document.h"

#include <utility>
#include <vector>

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "daemon/base/hash.h"
#include "daemon/base/time_zone.h"
#include "daemon/policy/json_scan.h"
#include "daemon/policy/validate.h"

namespace consent::policy {
namespace {

constexpr size_t kMaxParserMessage = 512;

// protobuf's messages may quote the file; they are cut and made printable.
absl::Status ParserError(const google::protobuf::util::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat("policy: ", Printable(std::string(status.message()), kMaxParserMessage)));
}

absl::Status ProblemsError(const std::vector<Problem>& problems) {
  std::string text = absl::StrCat("policy: ", problems.size(), problems.size() == 1 ? " problem" : " problems");
  if (problems.size() == kMaxProblems) absl::StrAppend(&text, " or more");
  for (const Problem& problem : problems) absl::StrAppend(&text, "; ", problem.path, ": ", problem.message);
  return absl::InvalidArgumentError(text);
}

}  // namespace

absl::StatusOr<Document> Document::Parse(std::string json) {
  if (json.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("policy: the file has ", json.size(), " bytes; at most ", kMaxFileBytes, " are allowed"));
  }
  if (absl::Status status = ScanJson(json, *v1::Policy::descriptor()); !status.ok()) return status;
  auto content = std::make_shared<Content>();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &content->policy, options);
  if (!parsed.ok()) return ParserError(parsed);
  const std::vector<Problem> problems = Validate(content->policy);
  if (!problems.empty()) return ProblemsError(problems);
  content->hash = base::Sha256(json);
  content->json = std::move(json);
  return Document(std::move(content));
}

absl::Status CheckTimeZones(const Document& document) {
  std::vector<Problem> problems;
  for (int i = 0; i < document.policy().regimes_size(); ++i) {
    const std::string& name = document.policy().regimes(i).time_zone();
    if (name.empty() || base::TimeZone::Load(name)) continue;
    problems.push_back(
        {absl::StrCat("regimes[", i, "].time_zone"),
         absl::StrCat("\"", name,
                      "\" is no zone in this machine's time zone database (tzdata), such as Europe/Bucharest")});
  }
  return problems.empty() ? absl::OkStatus() : ProblemsError(problems);
}

absl::Status CheckSameContent(const base::Digest& used_before, const Document& next) {
  if (used_before == next.hash()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("version \"", next.version(), "\" was activated before with another content (SHA-256 ",
                   base::Hex(base::View(used_before)), ", now ", base::Hex(base::View(next.hash())),
                   "): give the new content a version of its own"));
}

}  // namespace consent::policy
