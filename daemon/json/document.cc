#include "daemon/json/document.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "daemon/json/scan.h"

namespace consent::json {
namespace {

constexpr size_t kMaxParserMessage = 512;

}  // namespace

absl::Status Parse(std::string_view what, const std::string& json, size_t max_bytes,
                   google::protobuf::Message* message) {
  const std::string name(what);
  if (json.size() > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the file has ", json.size(), " bytes; at most ", max_bytes, " are allowed"));
  }
  if (absl::Status status = Scan(what, json, *message->GetDescriptor()); !status.ok()) return status;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, message, options);
  if (parsed.ok()) return absl::OkStatus();
  // protobuf's messages may quote the file; they are cut and made printable.
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", Printable(std::string(parsed.message()), kMaxParserMessage)));
}

absl::Status ToStatus(std::string_view what, const std::vector<Problem>& problems) {
  std::string text =
      absl::StrCat(std::string(what), ": ", problems.size(), problems.size() == 1 ? " problem" : " problems");
  if (problems.size() == kMaxProblems) absl::StrAppend(&text, " or more");
  for (const Problem& problem : problems) absl::StrAppend(&text, "; ", problem.path, ": ", problem.message);
  return absl::InvalidArgumentError(text);
}

}  // namespace consent::json
