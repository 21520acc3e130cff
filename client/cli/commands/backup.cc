// consentctl backup create|verify|list|prune.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/confirm.h"
#include "client/cli/engines/backup_list.h"
#include "client/cli/engines/backup_sinks.h"
#include "client/cli/engines/backup_take.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/times.h"
#include "daemon/backup/folder.h"

namespace consent::cli {
namespace {

constexpr int kMostDays = 400;
constexpr int kDefaultDays = 30;  // of a policy that says nothing of it

int64_t AgeInDays(const ListedBackup& backup) {
  return std::chrono::duration_cast<std::chrono::days>(SystemTime() - backup.created).count();
}

// What is known of a copy that was taken or read.
int PrintBackup(const std::string& place, const v1::BackupManifest& manifest, const Cli& cli) {
  Report report;
  int64_t rows = 0;
  for (const auto& [table, count] : manifest.rows()) rows += count;
  const auto bytes = static_cast<int64_t>(backup::TotalBytes(manifest));
  report.json = {{"backup", place},
                 {"bytes", bytes},
                 {"files", manifest.files_size()},
                 {"rows", rows},
                 {"store_id", manifest.store_id()}};
  Table table("backup", {"BACKUP", "BYTES", "FILES", "ROWS", "STORE"});
  table.Add(
      {place, std::to_string(bytes), std::to_string(manifest.files_size()), std::to_string(rows), manifest.store_id()});
  report.tables = {table};
  return Print(report, cli, kDone);
}

// A copy that is damaged has a code of its own; of other errors those of the sink are files', and the daemon's its own.
int TellFailure(const absl::Status& status, bool is_of_daemon, bool json) {
  if (absl::IsDataLoss(status)) {
    PrintError(status, json);
    return kDamagedBackup;
  }
  return is_of_daemon ? PrintError(status, json) : FileError(status);
}

// Knows whether it was the sink that failed.
class WatchedSink final : public BackupSink {
 public:
  explicit WatchedSink(BackupSink& sink) : sink_(sink) {}
  absl::Status BeginFile(const std::string& name, int64_t bytes) override { return Note(sink_.BeginFile(name, bytes)); }
  absl::Status Write(std::string_view data) override { return Note(sink_.Write(data)); }
  absl::Status EndFile() override { return Note(sink_.EndFile()); }
  absl::Status Finish() override { return Note(sink_.Finish()); }
  bool has_failed() const { return has_failed_; }
  // Nobody reads any more.
  bool is_broken_pipe() const { return is_broken_pipe_; }

 private:
  absl::Status Note(absl::Status status) {
    if (!status.ok()) is_broken_pipe_ = errno == EPIPE;
    has_failed_ = has_failed_ || !status.ok();
    return status;
  }
  BackupSink& sink_;
  bool has_failed_ = false;
  bool is_broken_pipe_ = false;
};

int TakeInto(Client& client, const BackupId& id, BackupSink& to, const std::string& place, const Cli& cli) {
  WatchedSink sink(to);
  absl::StatusOr<v1::BackupManifest> manifest = absl::UnknownError("");
  {
    ProgressBar bar(0, !cli.json && isatty(STDERR_FILENO) != 0);
    manifest = TakeBackup(client, id, sink, [&](int64_t rows, uint64_t bytes, uint64_t total) {
      bar.Show(bytes, total == 0 ? absl::StrCat(rows, " rows verified") : absl::StrCat("of ", total, " bytes"));
    });
  }
  const absl::Status ended = client.EndBackup(id, manifest.ok());
  if (sink.is_broken_pipe()) return kFiles;
  if (!manifest.ok()) return TellFailure(manifest.status(), !sink.has_failed(), cli.json);
  if (!ended.ok() && !place.empty()) {
    std::fprintf(stderr, "consentctl: the backup is whole, but the daemon could not be told: %s\n",
                 ErrorText(ended).c_str());
  }
  return place.empty() ? kDone : PrintBackup(place, *manifest, cli);
}

int Create(Client& client, const std::string& folder, const Cli& cli) {
  const bool is_stream = folder == "-";
  if (is_stream && isatty(STDOUT_FILENO) != 0) {
    return FileError(absl::FailedPreconditionError(
        "a backup is not written to a terminal: pipe it into what keeps it, or name a folder"));
  }
  if (!is_stream && !std::filesystem::is_directory(folder)) {
    return FileError(absl::FailedPreconditionError(
        absl::StrCat(folder, " is no folder: make one on the disk that is to have the backups")));
  }
  if (!is_stream) RemoveAbandoned(folder);
  const absl::StatusOr<BackupId> id = client.BeginBackup();
  if (!id.ok()) return PrintError(id.status(), cli.json);
  if (!IsBackupName(id->value())) {
    return PrintError(absl::InternalError("the daemon gave the backup a name that is none"), cli.json);
  }
  if (is_stream) {
    TarSink sink(STDOUT_FILENO, id->value());
    return TakeInto(client, *id, sink, "", cli);
  }
  const absl::StatusOr<std::unique_ptr<FolderSink>> sink = FolderSink::Create(folder, id->value());
  if (!sink.ok()) {
    (void)client.EndBackup(*id, /*taken=*/false);
    return FileError(sink.status());
  }
  return TakeInto(client, *id, **sink, (*sink)->place(), cli);
}

int Verify(const std::string& folder, const Cli& cli) {
  const absl::StatusOr<v1::BackupManifest> manifest = backup::ReadManifest(folder);
  absl::Status status = manifest.status();
  if (status.ok()) status = backup::CheckFiles(folder, *manifest);
  if (status.ok()) return PrintBackup(folder, *manifest, cli);
  if (!absl::IsDataLoss(status) && !absl::IsNotFound(status)) return FileError(status);
  PrintError(absl::DataLossError(status.message()), cli.json);
  return kDamagedBackup;
}

// How long a backup may be kept: as said, else by the daemon's policy.
absl::StatusOr<int> KeepDays(const Cli& cli, const std::optional<int>& said) {
  if (said.has_value()) return *said;
  const absl::StatusOr<std::unique_ptr<Client>> client = cli.Connect();
  if (!client.ok()) return client.status();
  const absl::StatusOr<StoredPolicy> policy = (*client)->GetPolicy("");
  if (!policy.ok()) return policy.status();
  return policy->policy.backup_keep_days == 0 ? kDefaultDays : policy->policy.backup_keep_days;
}

// A folder is looked at where no daemon runs, too: after the disk is lost, above all.
int TellUnasked(const absl::Status& status, bool json) {
  const int code = PrintError(status, json);
  std::fprintf(stderr, "With --keep-days DAYS no daemon is asked how old a backup may be.\n");
  return code;
}

int List(const std::string& folder, const std::optional<int>& said, const Cli& cli) {
  const absl::StatusOr<std::vector<ListedBackup>> listed = ListBackups(folder);
  if (!listed.ok()) return FileError(listed.status());
  const absl::StatusOr<int> keep = KeepDays(cli, said);
  if (!keep.ok()) return TellUnasked(keep.status(), cli.json);
  Report report;
  report.json = {{"keep_days", *keep}, {"backups", Json::array()}};
  Table table("backup", {"BACKUP", "DAYS OLD", "BYTES", "FILES", "CHANGES", "STATE"});
  bool needs_person = listed->empty();
  for (const ListedBackup& backup : *listed) {
    const bool is_old = backup.status.ok() && AgeInDays(backup) >= *keep;
    const char* const state = !backup.status.ok() ? "DAMAGED" : is_old ? "TOO_OLD" : "KEPT";
    needs_person = needs_person || is_old || !backup.status.ok();
    const std::string days = backup.status.ok() ? std::to_string(AgeInDays(backup)) : "";
    table.Add({backup.name, days, std::to_string(backup.bytes), std::to_string(backup.files),
               std::to_string(backup.changes), state});
    report.json["backups"].push_back({{"backup", backup.name},
                                      {"created", backup.status.ok() ? Json(TimeText(backup.created)) : Json()},
                                      {"bytes", backup.bytes},
                                      {"files", backup.files},
                                      {"changes", backup.changes},
                                      {"state", state}});
  }
  report.tables = {table};
  if (listed->empty()) std::fprintf(stderr, "consentctl: there is no backup in that folder\n");
  return Print(report, cli, needs_person ? kNeedsPerson : kDone);
}

int Prune(const std::string& folder, const std::optional<int>& said, bool yes, const Cli& cli) {
  const absl::StatusOr<std::vector<ListedBackup>> listed = ListBackups(folder);
  if (!listed.ok()) return FileError(listed.status());
  const absl::StatusOr<int> keep = KeepDays(cli, said);
  if (!keep.ok()) return TellUnasked(keep.status(), cli.json);
  // The newest that is whole is the one that a restore would take.
  std::vector<ListedBackup> sound;
  for (const ListedBackup& backup : *listed) {
    const bool is_newest = sound.empty() && backup.status.ok();
    const auto manifest = is_newest ? backup::ReadManifest(backup.path) : absl::StatusOr<v1::BackupManifest>();
    if (is_newest && (!manifest.ok() || !backup::CheckFiles(backup.path, *manifest).ok())) continue;
    sound.push_back(backup);
  }
  const std::vector<ListedBackup> old = BackupsToPrune(sound, SystemTime(), std::chrono::days(*keep));
  if (!old.empty() && !IsConfirmed(absl::StrCat("This removes ", old.size(), " backups that are over ", *keep,
                                                " days old, and nothing brings them back."),
                                   yes)) {
    return kStopped;
  }
  Report report;
  report.json = {{"keep_days", *keep}, {"removed", Json::array()}};
  Table table("removed", {"BACKUP", "DAYS OLD", "BYTES"});
  for (const ListedBackup& backup : old) {
    if (absl::Status s = RemoveBackup(backup); !s.ok()) return FileError(s);
    table.Add({backup.name, std::to_string(AgeInDays(backup)), std::to_string(backup.bytes)});
    report.json["removed"].push_back(backup.name);
  }
  const int abandoned = RemoveAbandoned(folder);
  report.json["abandoned"] = abandoned;
  report.tables = {table};
  return Print(report, cli, kDone);
}

// What the commands on a folder of backups share.
struct FolderArguments {
  std::string folder;
  std::optional<int> keep_days;
  bool yes = false;
};

void AddFolder(CLI::App* app, FolderArguments* arguments, const std::string& help) {
  NotEmpty(app->add_option("folder", arguments->folder, help))->type_name("DIR")->required();
}

void AddKeepDays(CLI::App* app, FolderArguments* arguments) {
  AddNumber(app, "--keep-days", &arguments->keep_days, 1, kMostDays,
            "How old a backup may be; as the daemon's policy has it where this is not given");
}

}  // namespace

void AddBackup(CLI::App& app, Cli& cli) {
  CLI::App* backup = app.add_subcommand("backup", "Copies of the daemon's store");
  backup->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, const char* folder,
                       const std::function<int(const FolderArguments&)>& run, bool prunes) {
    CLI::App* command = backup->add_subcommand(name, help);
    auto arguments = std::make_shared<FolderArguments>();
    AddFolder(command, arguments.get(), folder);
    if (prunes) AddKeepDays(command, arguments.get());
    if (std::string_view(name) == "prune") AddYes(command, &arguments->yes);
    command->callback([&cli, arguments, run] { cli.action = [arguments, run] { return run(*arguments); }; });
  };
  add(
      "create",
      "Take a backup: a new folder in DIR, synced, each file compared with its hash; or a tar stream on standard "
      "output "
      "for restic, borg or age. Only then it counts as taken. It holds no key: keep the key file apart.",
      "The folder that has the backups, best on another disk; `-`: standard output",
      [&cli](const FolderArguments& given) {
        return cli.WithClient([&](Client& client) { return Create(client, given.folder, cli); });
      },
      false);
  add(
      "verify", "Compare every file of a backup with its manifest; asks no daemon", "The folder of one backup",
      [&cli](const FolderArguments& given) { return Verify(given.folder, cli); }, false);
  add(
      "list", "Which backups there are, and which are older than they may be", "The folder that has the backups",
      [&cli](const FolderArguments& given) { return List(given.folder, given.keep_days, cli); }, true);
  add(
      "prune",
      "Remove the backups that are older than they may be, but never the newest one that is whole. Until then what was "
      "erased since can be opened from them.",
      "The folder that has the backups",
      [&cli](const FolderArguments& given) { return Prune(given.folder, given.keep_days, given.yes, cli); }, true);
}

}  // namespace consent::cli
