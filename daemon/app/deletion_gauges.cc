// The gauges of deletion requests, their tasks, and what has yet to leave the files.
#include <memory>
#include <optional>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/ops/families.h"

namespace consent::app {
namespace {

using domain::DeadlineKind;
using ops::SeriesSink;

// Overdue requests that are looked at one by one, because some may be on hold.
constexpr size_t kMaxOverdue = 10'000;

// A gauge of what is there once the daemon is ready.
template <typename Read>
ops::MetricRegistry::Reading WhenReady(const service::Core& core, Read read) {
  return [&core, read]() -> std::optional<double> {
    if (!core.ready.load()) return std::nullopt;
    return static_cast<double>(read());
  };
}

// Of those past their due time some may wait for a hold's release.
uint64_t CountOverdue(const service::Core& core, const service::Deletions& deletions) {
  const base::Instant end = core.Now() + base::Microseconds(1);
  uint64_t overdue = core.deletions.CountBefore(DeadlineKind::kCompletion, end);
  for (const service::DeletionPlace& place : core.deletions.Before(DeadlineKind::kCompletion, end, kMaxOverdue)) {
    const auto on_hold = deletions.IsOnHold(place);
    if (on_hold.ok() && *on_hold) --overdue;
  }
  return overdue;
}

void DefineRequestGauges(const service::Core& core, const service::Deletions& deletions,
                         ops::MetricRegistry& registry) {
  registry.Gauge("consentd_deletion_requests", "Deletion requests by cause, regime and state.",
                 {"cause", "regime", "state"}, [&core](SeriesSink& series) {
                   if (!core.ready.load()) return;
                   for (const service::DeletionCount& count : core.deletions.Counts()) {
                     series.Set({ops::Label<v1::DeletionCause>(static_cast<int>(count.cause)), count.regime,
                                 ops::Label<v1::DeletionState>(static_cast<int>(count.state))},
                                static_cast<double>(count.requests));
                   }
                 });
  registry.Gauge("consentd_deletion_requests_due_within_week", "Open deletion requests that are due within seven days.",
                 WhenReady(core, [&core] {
                   const base::Instant now = core.Now();
                   const uint64_t past =
                       core.deletions.CountBefore(DeadlineKind::kCompletion, now + base::Microseconds(1));
                   return core.deletions.CountBefore(DeadlineKind::kCompletion, now + base::Days(7)) - past;
                 }));
  registry.Gauge("consentd_deletion_requests_overdue",
                 "Open deletion requests past their due time; those on hold are not counted.",
                 WhenReady(core, [&core, &deletions] { return CountOverdue(core, deletions); }));
  registry.Gauge("consentd_deletion_requests_confirmation_overdue",
                 "Open deletion requests whose receipt had to be confirmed to the user by now and was not.",
                 WhenReady(core, [&core] {
                   return core.deletions.CountBefore(DeadlineKind::kConfirmation, core.Now() + base::Microseconds(1));
                 }));
  registry.Gauge("consentd_deletion_request_oldest_seconds",
                 "Age of the oldest open deletion request; 0: none is open.",
                 WhenReady(core, [&core] { return SecondsSince(core.deletions.oldest_open(), core.Now()); }));
  using Gauges = service::DeletionGauges;
  registry.Histogram(
      "consentd_deletion_completion_seconds", "From receipt to completion of requests that somebody asked for.",
      {Gauges::kCompletionSeconds.begin(), Gauges::kCompletionSeconds.end()},
      [&core]() -> std::optional<ops::MetricRegistry::Distribution> {
        if (!core.ready.load()) return std::nullopt;
        const Gauges::Completions done = core.deletions.completions();
        return ops::MetricRegistry::Distribution{{done.buckets.begin(), done.buckets.end()}, done.sum_seconds};
      });
}

void DefineAppealGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_appeals_open", "Appeals and complaints about deletion requests that are not answered.",
                 WhenReady(core, [&core] { return core.appeals.open(); }));
  registry.Gauge(
      "consentd_appeals_acknowledgement_overdue",
      "Open appeals and complaints whose receipt had to be acknowledged by now and was not.", WhenReady(core, [&core] {
        return core.appeals.CountBefore(domain::AppealDeadline::kAcknowledgement, core.Now() + base::Microseconds(1));
      }));
  registry.Gauge("consentd_appeals_answer_overdue", "Open appeals and complaints that had to be answered by now.",
                 WhenReady(core, [&core] {
                   return core.appeals.CountBefore(domain::AppealDeadline::kAnswer, core.Now() + base::Microseconds(1));
                 }));
}

void DefineTaskMetrics(const service::Core& core, const Services& services, ops::MetricRegistry& registry) {
  const auto each = [&core, &services](auto read) {
    return [&core, &services, read](SeriesSink& series) {
      if (!core.ready.load()) return;
      for (const service::SystemRow& system : services.systems.List()) {
        read(system, services.queue.counts(system.number), series);
      }
    };
  };
  using Counts = service::TaskQueue::Counts;
  registry.Gauge("consentd_purge_tasks_open", "Purge tasks that have not ended, by data system.", {"system"},
                 each([](const service::SystemRow& system, const Counts& counts, SeriesSink& series) {
                   series.Set({system.name}, static_cast<double>(counts.open));
                 }));
  registry.Gauge("consentd_purge_tasks_stuck", "Open purge tasks that failed five times or more.", {"system"},
                 each([](const service::SystemRow& system, const Counts& counts, SeriesSink& series) {
                   series.Set({system.name}, static_cast<double>(counts.stuck));
                 }));
  registry.Gauge("consentd_purge_task_oldest_seconds", "Age of the oldest open purge task; 0: none is open.",
                 {"system"},
                 each([&core, &services](const service::SystemRow& system, const Counts&, SeriesSink& series) {
                   series.Set({system.name}, SecondsSince(services.tasks.OldestOpen(system), core.Now()));
                 }));
  registry.Counter("consentd_purge_task_failures_total", "Purge tasks that were given back as failed.", {"system"},
                   each([](const service::SystemRow& system, const Counts& counts, SeriesSink& series) {
                     series.Set({system.name}, static_cast<double>(counts.retries));
                   }));
  registry.Counter("consentd_purge_task_reports_refused_total", "Reports of purge tasks that were refused, by reason.",
                   {"system", "reason"},
                   each([](const service::SystemRow& system, const Counts& counts, SeriesSink& series) {
                     for (const auto& [reason, count] : counts.refused) {
                       series.Set({system.name, reason}, static_cast<double>(count));
                     }
                   }));
}

void DefineErasureGauges(const service::Core& core, const service::Erasures& erasures, ops::MetricRegistry& registry) {
  // Read once a scrape. Where the store cannot say it nothing is shown: a zero would say that nothing waits.
  const auto lag = std::make_shared<std::optional<service::ErasureLag>>();
  registry.AtScrape([&core, &erasures, lag] {
    lag->reset();
    if (!core.ready.load()) return;
    if (const auto read = erasures.Lag(); read.ok()) *lag = *read;
  });
  registry.Gauge("consentd_erasures_waiting", "What has yet to be erased from the store's files: keys, other bytes.",
                 {"step"}, [lag](SeriesSink& series) {
                   if (!lag->has_value()) return;
                   series.Set({"keys"}, static_cast<double>((*lag)->keys));
                   series.Set({"bytes"}, static_cast<double>((*lag)->bytes));
                 });
  registry.Gauge("consentd_erasure_oldest_seconds", "How long the oldest of it has waited; 0: nothing waits.", {"step"},
                 [&core, lag](SeriesSink& series) {
                   if (!lag->has_value()) return;
                   series.Set({"keys"}, SecondsSince((*lag)->oldest_key, core.Now()));
                   series.Set({"bytes"}, SecondsSince((*lag)->oldest_byte, core.Now()));
                 });
}

}  // namespace

void DefineDeletionGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  DefineRequestGauges(sources.core, sources.services.deletions, registry);
  DefineAppealGauges(sources.core, registry);
  DefineTaskMetrics(sources.core, sources.services, registry);
  DefineErasureGauges(sources.core, sources.services.erasures, registry);
}

}  // namespace consent::app
