#include "daemon/app/restriction_journal.h"

#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "daemon/app/gauges.h"
#include "daemon/app/housekeeping.h"

namespace consent::app {
namespace {

using ops::OperatorText;

constexpr std::chrono::milliseconds kBetweenTries(1'000);

bool AreOnOneDisk(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return stat(a.c_str(), &of_a) == 0 && stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev;
}

}  // namespace

std::unique_ptr<RestrictionJournal> RestrictionJournal::Open(const ops::ServeOptions& options, service::Core& core,
                                                             ops::Log& log, std::optional<Failure>* failure) {
  std::optional<journal::BackupPublicKey> key;
  if (!options.backup_public_key.empty()) {
    absl::StatusOr<journal::BackupPublicKey> loaded = journal::BackupPublicKey::Load(options.backup_public_key);
    if (!loaded.ok()) {
      *failure = FailureFrom(ExitCode::kKeys, loaded.status());
      return nullptr;
    }
    key = *std::move(loaded);
  }
  std::unique_ptr<RestrictionJournal> opened(new RestrictionJournal(core, std::move(key), log));
  if (options.restriction_journal.empty()) return opened;
  *failure = opened->Begin(options, core);
  return failure->has_value() ? nullptr : std::move(opened);
}

std::optional<Failure> RestrictionJournal::Begin(const ops::ServeOptions& options, service::Core& core) {
  journal::Folder::Options folder;
  folder.path = options.restriction_journal;
  absl::StatusOr<std::unique_ptr<journal::Journal>> opened =
      journal::Journal::Open(core, ids_, std::move(folder), [this](const absl::Status& behind) { Tell(behind); });
  if (!opened.ok()) return FailureFrom(ExitCode::kStore, opened.status());
  journal_ = *std::move(opened);
  const auto at = OperatorText(options.restriction_journal);
  if (AreOnOneDisk(options.restriction_journal, options.data_dir)) {
    log_.Warn("the restriction journal lies on the store's disk: a disk that is lost takes both", {{"folder", at}});
  }
  if (options.backup_public_key.empty()) {
    log_.Warn(
        "the restriction journal has no ids, because there is no --backup-public-key: deletions that a restore "
        "takes from it wait until they are asked for again (NEEDS_IDS)",
        {{"folder", at}});
  }
  if (journal_->is_new()) {
    log_.Warn("a restriction journal is begun: it has nothing of what was said before, so take a backup now",
              {{"folder", at}});
  }
  if (journal_->cut_bytes() != 0) {
    log_.Warn("the restriction journal ended in a write that was cut off; nobody had an answer to it",
              {{"folder", at}, {"bytes", journal_->cut_bytes()}});
  }
  core.store.SetGate(journal_.get());
  const absl::Status caught_up = journal_->CatchUp();
  if (!caught_up.ok()) Tell(caught_up);
  return std::nullopt;
}

void RestrictionJournal::Tell(const absl::Status& behind) {
  if (behind.ok()) {
    log_.Info("the restriction journal has all that the store has");
  } else {
    log_.Error("the restriction journal is behind: changes are acknowledged that it does not have yet",
               {{"why", OperatorText(behind)}});
  }
}

void RestrictionJournal::BeginCatchingUp() {
  if (journal_ == nullptr) return;
  auto pace = std::make_shared<FailurePace>();
  catching_up_ = std::make_unique<Periodic>(kBetweenTries, [this, pace] {
    if (!journal_->is_behind()) return kBetweenTries;
    const absl::Status status = journal_->CatchUp();
    if (status.ok()) {
      pace->Succeeded();
      return kBetweenTries;
    }
    pace->Failed(std::string(status.message()));
    if (pace->is_news()) Tell(status);
    return kBetweenTries;
  });
}

void RestrictionJournal::EndCatchingUp() { catching_up_.reset(); }

void RestrictionJournal::NoteBackup(const std::vector<store::Head>& heads) {
  if (journal_ == nullptr) return;
  std::vector<store::Head> before = heads;
  {
    base::MutexLock lock(mutex_);
    last_backup_.swap(before);
  }
  if (before.empty()) return;
  const absl::StatusOr<size_t> removed = journal_->PruneUpTo(before);
  if (removed.ok()) {
    log_.Info("restriction journal pruned: the last two backups have what its oldest files had",
              {{"files", static_cast<uint64_t>(*removed)}});
  } else {
    log_.Warn("the restriction journal could not be pruned after a backup", {{"why", OperatorText(removed.status())}});
  }
}

void RestrictionJournal::DefineMetrics(ops::MetricRegistry& registry) const {
  const auto counts = std::make_shared<journal::JournalCounts>();
  registry.AtScrape([this, counts] {
    if (journal_ != nullptr) *counts = journal_->counts();
  });
  registry.Gauge("consentd_journal_on", "1 while a restriction journal is kept; 0: there is none.",
                 [this] { return journal_ != nullptr ? 1 : 0; });
  const auto gauge = [&](const char* name, const char* help, auto member) {
    registry.Gauge(name, help, [counts, member] { return static_cast<double>((*counts).*member); });
  };
  const auto counter = [&](const char* name, const char* help, auto member) {
    registry.Counter(name, help, [counts, member] { return static_cast<double>((*counts).*member); });
  };
  using Counts = journal::JournalCounts;
  gauge("consentd_journal_behind", "Changes that were acknowledged and that the restriction journal does not have.",
        &Counts::behind);
  gauge("consentd_journal_behind_partitions", "Partitions that have such changes.", &Counts::behind_partitions);
  gauge("consentd_journal_bytes", "Bytes of the restriction journal's files.", &Counts::bytes);
  registry.Gauge("consentd_journal_synced_timestamp_seconds",
                 "When a change was last made durable in the restriction journal.",
                 [counts]() -> std::optional<double> { return TimestampSeconds(counts->synced); });
  counter("consentd_journal_entries_total", "Changes that were made durable in the restriction journal.",
          &Counts::entries);
  counter("consentd_journal_failures_total", "Writes to the restriction journal, and tries to fill it up, that failed.",
          &Counts::failures);
  counter("consentd_journal_lacking_ids_total",
          "Deletion requests and holds whose ids could not be put into the restriction journal.", &Counts::lacking_ids);
}

}  // namespace consent::app
