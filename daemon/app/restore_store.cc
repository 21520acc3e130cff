#include "daemon/app/restore_store.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/app/descriptors.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/clock.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/journal/backup_key.h"
#include "daemon/ops/log.h"
#include "daemon/restore/restore.h"

namespace consent::app {
namespace {

using ops::OperatorText;

int FailRestore(ops::Log& log, const Failure& failure) {
  log.Error("restore failed, and nothing was put into place",
            {{"why", OperatorText(failure.why)}, {"exit_code", static_cast<int>(failure.code)}});
  return static_cast<int>(failure.code);
}

void Tell(const restore::Report& report) {
  std::printf("%llu changes since the backup were replayed; of %llu of their accounts a record is there:\n",
              static_cast<unsigned long long>(report.changes_without_text),
              static_cast<unsigned long long>(report.subjects));
  for (const auto& [name, count] : restore::Counts(report)) {
    std::printf("  %-22s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }
  if (report.loosened > 0) {
    std::printf(
        "RESTORED: %llu accounts had agreed to something since that is lost; nothing of theirs is eligible until their "
        "settings are confirmed (UpdateSettings, confirm_restored).\n",
        static_cast<unsigned long long>(report.loosened));
  }
  if (report.requests_needing_ids + report.holds_needing_ids > 0) {
    std::printf(
        "NEEDS_IDS: %llu deletion requests and %llu holds have no ids that a worker could use; send the same requests "
        "again.\n",
        static_cast<unsigned long long>(report.requests_needing_ids),
        static_cast<unsigned long long>(report.holds_needing_ids));
  }
}

}  // namespace

int RestoreStore(const ops::ServeOptions& serve, const ops::RestoreOptions& options) {
  umask(077);
  prctl(PR_SET_DUMPABLE, 0);
  RaiseDescriptorLimit();
  ops::Log log(serve.log_format, serve.log_level);
  const absl::StatusOr<base::Keys> keys =
      serve.key_is_credential ? base::Keys::LoadCredential(serve.key_file) : base::Keys::Load(serve.key_file);
  if (!keys.ok()) return FailRestore(log, FailureFrom(ExitCode::kKeys, keys.status()));
  std::optional<journal::BackupSecretKey> secret;
  if (!options.secret_file.empty()) {
    absl::StatusOr<journal::BackupSecretKey> loaded = journal::BackupSecretKey::Load(options.secret_file);
    if (!loaded.ok()) return FailRestore(log, FailureFrom(ExitCode::kKeys, loaded.status()));
    secret.emplace(*std::move(loaded));
  }
  const base::SystemClock clock;
  base::SystemRandom random;
  restore::Means means{*keys, clock, random, secret.has_value() ? &*secret : nullptr, {}};
  means.begin = [](restore::Step step) {
    std::printf("%s\n", restore::NameOf(step));
    (void)std::fflush(stdout);
  };
  const absl::StatusOr<restore::Restored> restored =
      restore::Restore({options.backup, options.journal, serve.data_dir, serve.head_file}, means);
  if (!restored.ok()) return FailRestore(log, FailureFrom(ExitCode::kStore, restored.status()));
  if (restored->went_on) {
    std::printf("an earlier run had made the store; it is in its place now, and %s.restored says what was done\n",
                serve.data_dir.c_str());
    log.Info("restored", {{"data_dir", OperatorText(serve.data_dir)}});
    return static_cast<int>(ExitCode::kOk);
  }
  Tell(restored->report);
  if (options.without_journal) {
    std::printf(
        "Without a restriction journal nobody knows who said no since the backup, what was erased, cancelled or held, "
        "and "
        "which policy or data system is newer: nothing is eligible and only orders purge until an officer accepts that "
        "(consentctl policy resume --restored).\n");
  }
  const restore::Report& report = restored->report;
  log.Info("restored", {{"data_dir", OperatorText(serve.data_dir)},
                        {"changes", report.changes_without_text},
                        {"subjects", report.subjects},
                        {"loosened", report.loosened},
                        {"erased", report.erased},
                        {"requests", report.requests},
                        {"requests_needing_ids", report.requests_needing_ids},
                        {"holds_needing_ids", report.holds_needing_ids},
                        {"policies", report.policies},
                        {"systems", report.systems},
                        {"rows_erased", report.rows_erased}});
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace consent::app
