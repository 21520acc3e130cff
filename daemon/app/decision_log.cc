#include "daemon/app/decision_log.h"

#include <chrono>
#include <utility>

#include "daemon/service/commit/commit_now.h"

namespace consent::app {
namespace {

using ops::OperatorText;

constexpr std::chrono::milliseconds kBetweenCounts(1'000);

}  // namespace

DecisionLog::DecisionLog(const store::Store& store, base::Random& random, std::unique_ptr<decisions::Log> files,
                         const service::DecisionLogRow& counted, ops::Log& log)
    : log_(log),
      files_(std::move(files)),
      recorder_(keys_, store.store_id(), random, files_.get()),
      counted_(counted) {}

std::unique_ptr<DecisionLog> DecisionLog::Open(const ops::ServeOptions& options, const store::Store& store,
                                               base::Random& random, ops::Log& log, std::optional<Failure>* failure) {
  const absl::StatusOr<service::DecisionLogRow> counted = service::ReadDecisionLogRow(store);
  if (!counted.ok()) {
    *failure = FailureFrom(ExitCode::kStore, counted.status());
    return nullptr;
  }
  std::unique_ptr<decisions::Log> files;
  if (options.decision_log.empty()) {
    log.Warn("the decision log is off: no yes is on record");
  } else {
    decisions::LogOptions opening;
    opening.folder = options.decision_log;
    opening.known = {counted->count, counted->hash};
    absl::StatusOr<std::unique_ptr<decisions::Log>> opened = decisions::Log::Open(std::move(opening));
    if (!opened.ok()) {
      *failure = FailureFrom(ExitCode::kStore, opened.status());
      return nullptr;
    }
    files = *std::move(opened);
    const decisions::Found& found = files->found();
    if (found.missing != 0 || found.is_other_chain) {
      log.Error("the decision log is not what the store knows of: files were cut, lost or changed",
                {{"missing_records", found.missing}, {"changed", found.is_other_chain}, {"records", found.end.count}});
    }
  }
  return std::unique_ptr<DecisionLog>(new DecisionLog(store, random, std::move(files), *counted, log));
}

void DecisionLog::BeginFile() {
  if (files_ != nullptr) files_->BeginFile();
}

void DecisionLog::TakeKeys(service::Core& core, service::MonthKeys& keys) {
  keeper_ = std::make_unique<MonthKeyKeeper>(core, keys, keys_, recorder_, log_);
  keeper_->Look();
}

void DecisionLog::BeginCounting(service::Core& core) {
  core_ = &core;
  key_watch_ = std::make_unique<Periodic>(MonthKeyKeeper::kBetweenLooks, [this] { return keeper_->Look(); });
  if (files_ == nullptr) return;
  counter_ = std::make_unique<Periodic>(kBetweenCounts, [this, &core] {
    Count(core);
    TellHealth();
    return kBetweenCounts;
  });
}

void DecisionLog::EndCounting() {
  key_watch_.reset();
  if (counter_ == nullptr) return;
  counter_.reset();
  Count(*core_);
}

void DecisionLog::Count(service::Core& core) {
  const absl::StatusOr<decisions::Position> end = files_->Sync();
  // What was not synced is not counted: the next second tries again.
  if (!end.ok() || end->count == 0 || (end->count == counted_.count && end->hash == counted_.hash)) return;
  const service::DecisionLogRow row{end->count, end->hash};
  const store::CommitResult written =
      service::CommitNow(core, service::kDecisionLogPartition, {}, [row](const store::Stamp&) {
        return store::Change{
            {{store::Table::kDecisionLog, std::string(service::kDecisionLogKey), service::EncodeDecisionLogRow(row)}},
            service::PlainEvent(service::ChangeKind::kDecisionsCounted, "")};
      });
  if (written.outcome == store::Outcome::kCommitted) counted_ = row;
}

void DecisionLog::TellHealth() {
  const absl::Status health = files_->health();
  if (health.ok() == is_healthy_) return;
  is_healthy_ = health.ok();
  if (is_healthy_) {
    log_.Info("the decision log takes records again");
  } else {
    log_.Error("the decision log takes no records: what needs one is answered NOT_RECORDED",
               {{"why", OperatorText(health)}});
  }
}

void DecisionLog::DefineMetrics(ops::MetricRegistry& registry) const {
  registry.Gauge("consentd_decision_log_on",
                 "1 while each yes that the policy wants on record is there before it is said; 0: switched off.",
                 [this] { return files_ != nullptr ? 1 : 0; });
  if (files_ == nullptr) return;
  const auto counts = std::make_shared<decisions::LogCounts>();
  registry.AtScrape([this, counts] { *counts = files_->counts(); });
  registry.Gauge("consentd_decision_log_writing",
                 "1 while the last records could be written; 0: their answers were no.",
                 [this] { return files_->health().ok() && !recorder_.lacks_key() ? 1 : 0; });
  registry.Gauge("consentd_decision_log_missing_records",
                 "Records that the store knows of and the log's files did not have at the start.",
                 [this] { return static_cast<double>(files_->found().missing); });
  registry.Gauge("consentd_decision_log_records_waiting", "Records that wait to be written.",
                 [counts] { return static_cast<double>(counts->waiting); });
  registry.Counter("consentd_decision_log_records_total", "Records that were written.",
                   [counts] { return static_cast<double>(counts->records); });
  registry.Counter("consentd_decision_log_bytes_total", "Bytes of those.",
                   [counts] { return static_cast<double>(counts->bytes); });
  registry.Counter("consentd_decision_log_refused_total",
                   "Records that could not be written, whose answers were no: too many waited, a write failed, or the "
                   "month has no key yet.",
                   {"reason"}, [this, counts](ops::SeriesSink& series) {
                     series.Set({"full"}, static_cast<double>(counts->refused_full));
                     series.Set({"write"}, static_cast<double>(counts->refused_write));
                     series.Set({"key"}, static_cast<double>(recorder_.refused_without_key()));
                   });
}

}  // namespace consent::app
