#include "daemon/ops/restore_command.h"

#include <string_view>
#include <utility>

#include "daemon/ops/config_paths.h"

namespace consent::ops {
namespace {

constexpr char kRestoreUsage[] =
    "usage: consentd restore BACKUP {--journal DIR [--secret FILE] | --without-journal} [--data-dir DIR] [--key-file "
    "FILE] [--head-file "
    "FILE] "
    "[--config FILE]\n"
    "\n"
    "Makes the store of --data-dir, which is not there yet or is empty, out of the folder BACKUP and the restriction\n"
    "journal in DIR: each refusal, deletion and hold that was acknowledged since the backup counts again, and nothing\n"
    "that was lost is taken for a yes. --secret opens the ids that open requests need; without it they wait until the\n"
    "same request is sent again. --without-journal restores the backup alone: who said no since, what was erased and\n"
    "which policy came into force is not known then, so nothing is eligible and only orders purge until an officer\n"
    "accepts that (consentctl policy resume --restored). The key file is that of the lost store. All other options are "
    "those of `serve`.\n"
    "\n"
    "Example:\n"
    "  consentd restore /mnt/backups/20261129T120000Z-1f --journal /mnt/journal --secret /media/stick/backup.secret "
    "\\\n"
    "    --data-dir /var/lib/consentd/store\n";

// "--name VALUE" or "--name=VALUE" at `*i`, which is left at its last part.
bool TakeOption(const std::vector<std::string>& arguments, std::string_view name, size_t* i, std::string* value) {
  const std::string& argument = arguments[*i];
  if (argument == name && *i + 1 < arguments.size()) {
    *value = arguments[++*i];
    return true;
  }
  if (argument.rfind(std::string(name) + "=", 0) != 0) return false;
  *value = argument.substr(name.size() + 1);
  return true;
}

}  // namespace

absl::StatusOr<Invocation> ParseRestoreCommand(const std::vector<std::string>& arguments,
                                               const ProcessEnvironment& environment) {
  Invocation help;
  help.help = kRestoreUsage;
  RestoreOptions restore;
  std::vector<std::string> of_serve = {"serve"};
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--help" || arguments[i] == "-h") return help;
    if (TakeOption(arguments, "--journal", &i, &restore.journal)) continue;
    if (TakeOption(arguments, "--secret", &i, &restore.secret_file)) continue;
    if (arguments[i] == "--without-journal") {
      restore.without_journal = true;
      continue;
    }
    if (restore.backup.empty() && i == 1 && !arguments[i].empty() && arguments[i][0] != '-') {
      restore.backup = arguments[i];
    } else {
      of_serve.push_back(arguments[i]);
    }
  }
  if (restore.backup.empty()) {
    return absl::InvalidArgumentError("restore: name the backup's folder first: consentd restore BACKUP --journal DIR");
  }
  if (restore.journal.empty() != restore.without_journal) {
    return absl::InvalidArgumentError(
        "restore: name either the restriction journal's folder with --journal, or --without-journal: then nobody knows "
        "who said no since the backup, and nothing is eligible until an officer accepts that");
  }
  absl::StatusOr<Invocation> invocation = ParseInvocation(of_serve, environment);
  if (!invocation.ok()) return invocation;
  invocation->command = Command::kRestore;
  restore.backup = Absolute(restore.backup, environment);
  restore.journal = Absolute(restore.journal, environment);
  restore.secret_file = Absolute(restore.secret_file, environment);
  invocation->restore = std::move(restore);
  return invocation;
}

}  // namespace consent::ops
