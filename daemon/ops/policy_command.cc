#include "daemon/ops/policy_command.h"

#include <utility>

namespace consent::ops {
namespace {

// Of `policy test`: files, and two options among them.
absl::StatusOr<PolicyTestOptions> ParsePolicyTest(const std::vector<std::string>& arguments) {
  const absl::Status usage =
      absl::InvalidArgumentError("usage: consentd policy test [--policy FILE] [--json] FILE... (the files of cases)");
  PolicyTestOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--json") {
      options.json = true;
    } else if (arguments[i] == "--policy" && i + 1 < arguments.size()) {
      options.policy_file = arguments[++i];
      if (options.policy_file.empty()) return usage;
    } else if (arguments[i].empty() || arguments[i][0] == '-') {
      return usage;
    } else {
      options.files.push_back(arguments[i]);
    }
  }
  if (options.files.empty()) return usage;
  return options;
}

}  // namespace

absl::StatusOr<Invocation> ParsePolicyCommand(const std::vector<std::string>& arguments) {
  Invocation invocation;
  const std::string what = arguments.size() > 1 ? arguments[1] : "";
  if (what == "validate" && arguments.size() == 3 && !arguments[2].empty()) {
    invocation.command = Command::kValidatePolicy;
    invocation.policy_file = arguments[2];
    return invocation;
  }
  if (what == "diff" && arguments.size() == 4 && !arguments[2].empty() && !arguments[3].empty()) {
    invocation.command = Command::kDiffPolicies;
    invocation.policy_file = arguments[2];
    invocation.next_policy = arguments[3];
    return invocation;
  }
  if (what == "test") {
    absl::StatusOr<PolicyTestOptions> options = ParsePolicyTest({arguments.begin() + 2, arguments.end()});
    if (!options.ok()) return options.status();
    invocation.command = Command::kTestPolicy;
    invocation.test = *std::move(options);
    return invocation;
  }
  return absl::InvalidArgumentError(
      "usage: consentd policy validate FILE, consentd policy diff OLD NEW, or consentd policy test FILE...");
}

}  // namespace consent::ops
