#include "daemon/app/journal_tools.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/app/exit_codes.h"
#include "daemon/base/random.h"
#include "daemon/journal/backup_key.h"
#include "daemon/journal/reader.h"
#include "daemon/service/rows/change_row.h"

namespace consent::app {
namespace {

using service::ChangeKind;

constexpr std::pair<ChangeKind, const char*> kNames[] = {
    {ChangeKind::kUpsertSubject, "upsert_subject"},
    {ChangeKind::kUpdateSettings, "update_settings"},
    {ChangeKind::kOptOut, "opt_out"},
    {ChangeKind::kReportRecording, "report_recording"},
    {ChangeKind::kDeletionReceived, "deletion_received"},
    {ChangeKind::kDeletionVerified, "deletion_verified"},
    {ChangeKind::kDeletionDenied, "deletion_denied"},
    {ChangeKind::kDeletionExtended, "deletion_extended"},
    {ChangeKind::kDeletionCancelled, "deletion_cancelled"},
    {ChangeKind::kHoldPlaced, "hold_placed"},
    {ChangeKind::kHoldReleased, "hold_released"},
    {ChangeKind::kDeletionSettled, "deletion_settled"},
    {ChangeKind::kDeletionReceiptConfirmed, "deletion_receipt_confirmed"},
    {ChangeKind::kChildNotice, "child_notice"},
    {ChangeKind::kDeletionAppealReceived, "deletion_appeal_received"},
    {ChangeKind::kDeletionAppealAcknowledged, "deletion_appeal_acknowledged"},
    {ChangeKind::kDeletionAppealAnswered, "deletion_appeal_answered"},
    {ChangeKind::kHoldReviewed, "hold_reviewed"},
    {ChangeKind::kSafetyFlagHandled, "safety_flag_handled"},
    {ChangeKind::kSafetyFlagAcknowledged, "safety_flag_acknowledged"},
    {ChangeKind::kPolicyActivated, "policy_activated"},
    {ChangeKind::kSuspensionChanged, "suspension_changed"},
    {ChangeKind::kSystemChanged, "system_changed"},
    {ChangeKind::kTasksLeased, "tasks_leased"},
    {ChangeKind::kTaskEnded, "task_ended"},
    {ChangeKind::kTaskFailed, "task_failed"},
    {ChangeKind::kErased, "erased"},
    {ChangeKind::kDecisionsCounted, "decisions_counted"},
    {ChangeKind::kSystemRetention, "system_retention"},
    {ChangeKind::kVerificationReported, "verification_reported"},
    {ChangeKind::kProposalChanged, "proposal_changed"},
    {ChangeKind::kTaskRetried, "task_retried"},
    {ChangeKind::kMonthKeyChanged, "month_key_changed"},
    {ChangeKind::kReviewChanged, "review_changed"},
};

const char* NameOf(ChangeKind kind) {
  const auto* const found =
      std::find_if(std::begin(kNames), std::end(kNames), [kind](const auto& name) { return name.first == kind; });
  return found == std::end(kNames) ? "other" : found->second;
}

int Complain(const absl::Status& status) {
  std::fprintf(stderr, "consentd: %s\n", std::string(status.message()).c_str());
  return static_cast<int>(ExitCode::kProblems);
}

}  // namespace

int VerifyJournal(const std::string& folder) {
  std::map<std::string, uint64_t> kinds;
  uint64_t rows = 0;
  uint64_t payloads = 0;
  const absl::StatusOr<journal::Contents> contents =
      journal::ReadFolder(folder, [&](const journal::Entry& entry, const journal::Position&) {
        rows += entry.rows.size();
        payloads += entry.payloads.size();
        if (entry.kind == journal::EntryKind::kSnapshot) {
          kinds["snapshot"] += entry.is_first ? 1 : 0;
        } else {
          ++kinds[entry.change.has_value() ? NameOf(*entry.change) : "erased"];
          kinds["loosened"] += entry.loosened.empty() ? 0 : 1;
        }
        return true;
      });
  if (!contents.ok()) return Complain(contents.status());
  uint64_t first = 0;
  uint64_t last = 0;
  for (size_t p = 0; p < contents->last.size(); ++p) {
    first += contents->first[p].stamp.sequence;
    last += contents->last[p].stamp.sequence;
  }
  std::printf("store %s\n", base::Hex(base::View(contents->store_id)).c_str());
  std::printf("files %zu, %llu bytes\n", contents->files.size(), static_cast<unsigned long long>(contents->bytes));
  std::printf("partitions %zu, changes after %llu up to %llu of all partitions together\n", contents->last.size(),
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(last));
  std::printf("entries %llu, rows %llu, sealed ids %llu\n", static_cast<unsigned long long>(contents->entries),
              static_cast<unsigned long long>(rows), static_cast<unsigned long long>(payloads));
  for (const auto& [kind, count] : kinds) {
    if (count != 0) std::printf("  %s %llu\n", kind.c_str(), static_cast<unsigned long long>(count));
  }
  if (contents->torn_bytes != 0) {
    std::printf("%llu bytes at %s, byte %llu, are a write that was cut off; nobody had an answer to it\n",
                static_cast<unsigned long long>(contents->torn_bytes), contents->torn.file.c_str(),
                static_cast<unsigned long long>(contents->torn.offset));
  }
  return static_cast<int>(ExitCode::kOk);
}

int MakeBackupPair(const std::string& secret_file) {
  base::SystemRandom random;
  const journal::BackupSecretKey secret = journal::BackupSecretKey::Generate(random);
  if (const absl::Status saved = secret.Save(secret_file); !saved.ok()) return Complain(saved);
  std::printf("%s\n", secret.PublicLine().c_str());
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace consent::app
