#include "daemon/ops/journal_command.h"

namespace consent::ops {

absl::StatusOr<Invocation> ParseJournalCommand(const std::vector<std::string>& arguments) {
  Invocation invocation;
  const bool has_one = arguments.size() == 3 && !arguments[2].empty() && arguments[2][0] != '-';
  if (has_one && arguments[0] == "journal" && arguments[1] == "verify") {
    invocation.command = Command::kVerifyJournal;
    invocation.journal = arguments[2];
    return invocation;
  }
  if (has_one && arguments[0] == "keys" && arguments[1] == "backup-pair") {
    invocation.command = Command::kMakeBackupPair;
    invocation.secret_file = arguments[2];
    return invocation;
  }
  return absl::InvalidArgumentError(arguments[0] == "journal" ? "usage: consentd journal verify DIR"
                                                              : "usage: consentd keys backup-pair SECRET_FILE");
}

}  // namespace consent::ops
