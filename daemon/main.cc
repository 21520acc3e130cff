// consentd: parses what it was started for and does it. All else is in daemon/app.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/app/callers_file.h"
#include "daemon/app/exit_codes.h"
#include "daemon/app/journal_tools.h"
#include "daemon/app/key_tools.h"
#include "daemon/app/policy_file.h"
#include "daemon/app/policy_test.h"
#include "daemon/app/restore_store.h"
#include "daemon/app/serve.h"
#include "daemon/app/store_tools.h"
#include "daemon/ops/config.h"
#include "daemon/ops/version.h"

namespace {

consent::ops::ProcessEnvironment ReadSurroundings() {
  consent::ops::ProcessEnvironment environment;
  environment.root = geteuid() == 0;
  std::error_code error;
  environment.working_directory = std::filesystem::current_path(error).string();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string::npos) environment.environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return environment;
}

}  // namespace

int main(int argc, char** argv) {
  using consent::app::ExitCode;
  using consent::ops::Command;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto invocation = consent::ops::ParseInvocation(arguments, ReadSurroundings());
  if (!invocation.ok()) {
    std::fprintf(stderr, "consentd: %s\n", std::string(invocation.status().message()).c_str());
    return static_cast<int>(ExitCode::kUsage);
  }
  switch (invocation->command) {
    case Command::kHelp:
      std::fputs(invocation->help.c_str(), stdout);
      return static_cast<int>(ExitCode::kOk);
    case Command::kPrintVersion:
      std::printf("consentd %s\n", consent::ops::kVersion);
      return static_cast<int>(ExitCode::kOk);
    case Command::kValidatePolicy:
      return consent::app::ValidatePolicyFile(invocation->policy_file);
    case Command::kTestPolicy:
      return consent::app::TestPolicies(invocation->test);
    case Command::kDiffPolicies:
      return consent::app::DiffPolicyFiles(invocation->policy_file, invocation->next_policy);
    case Command::kValidateCallers:
      return consent::app::ValidateCallersFile(invocation->callers_file);
    case Command::kRestore:
      return consent::app::RestoreStore(invocation->serve, invocation->restore);
    case Command::kVerifyJournal:
      return consent::app::VerifyJournal(invocation->journal);
    case Command::kMakeBackupPair:
      return consent::app::MakeBackupPair(invocation->secret_file);
    case Command::kKeys:
      return consent::app::RunKeys(*invocation);
    case Command::kStore:
      return consent::app::RunStoreTool(invocation->store);
    case Command::kServe:
      return consent::app::Serve(invocation->serve);
  }
  return static_cast<int>(ExitCode::kInternal);
}
