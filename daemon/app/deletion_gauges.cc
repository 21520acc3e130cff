// The gauges of deletion requests, their tasks, and what has yet to leave the files.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/ops/families.h"

namespace consent::app {
namespace {

using domain::DeadlineKind;
using domain::DeletionCause;
using ops::SeriesSink;

// Overdue requests that are looked at one by one, because some may be on hold; of the most urgent ones those whose
// subject ever had a hold cost a look into the store. Beyond, a request on hold counts as overdue.
constexpr size_t kMaxOverdue = 10'000;
constexpr size_t kMaxHoldLooks = 1'000;

constexpr std::array kCauses = {DeletionCause::kRequested, DeletionCause::kWithdrawal, DeletionCause::kRetention,
                                DeletionCause::kLateDraft};
constexpr std::array kAppealKinds = {domain::AppealKind::kAppeal, domain::AppealKind::kComplaint};
constexpr int kLastState = static_cast<int>(domain::DeletionState::kCancelled);

std::string CauseLabel(DeletionCause cause) { return ops::Label<v1::DeletionCause>(static_cast<int>(cause)); }
std::string StateLabel(int state) { return ops::Label<v1::DeletionState>(state); }

// Cause and regime.
using KindOfRequest = std::pair<DeletionCause, std::string>;

// Those of the policy in force, each with zero, so that a zero is seen as a zero.
template <typename T>
std::map<KindOfRequest, T> OfEachKind(const service::Core& core) {
  std::map<KindOfRequest, T> kinds;
  const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
  if (rules == nullptr) return kinds;
  for (const domain::Regime& regime : rules->regimes) {
    for (const DeletionCause cause : kCauses) kinds.try_emplace({cause, regime.name});
  }
  return kinds;
}

// Of each kind, those past their due time that wait for a hold's release.
std::map<KindOfRequest, uint64_t> OverdueOnHold(const service::Core& core, const service::Deletions& deletions) {
  std::map<KindOfRequest, uint64_t> on_hold;
  size_t looks = 0;
  domain::SubjectFacts facts;
  for (const service::LateDeletion& late : core.deletions.Late(core.Now(), kMaxOverdue)) {
    const service::Found found = core.index.Find(late.subject, &facts);
    if (found == service::Found::kFound && facts.holds_changed == 0) continue;
    if (++looks > kMaxHoldLooks) break;
    const auto held = deletions.IsOnHold(late.place);
    if (held.ok() && *held) ++on_hold[{late.cause, late.regime}];
  }
  return on_hold;
}

// What a scrape shows of open requests.
struct OpenNow {
  struct OfKind {
    service::OpenDeletions soon;    // by 7 and 30 days
    service::OpenDeletions sooner;  // by 3 and 7 days
    uint64_t on_hold = 0;           // of those that are overdue
  };
  std::map<KindOfRequest, OfKind> kinds;
};

OpenNow ReadOpen(const service::Core& core, const service::Deletions& deletions) {
  OpenNow now;
  if (!core.ready.load()) return now;
  now.kinds = OfEachKind<OpenNow::OfKind>(core);
  const base::Instant time = core.Now();
  for (service::OpenDeletions& open : core.deletions.Open(time, base::Days(7), base::Days(30))) {
    now.kinds[{open.cause, open.regime}].soon = std::move(open);
  }
  for (service::OpenDeletions& open : core.deletions.Open(time, base::Days(3), base::Days(7))) {
    now.kinds[{open.cause, open.regime}].sooner = std::move(open);
  }
  for (const auto& [kind, count] : OverdueOnHold(core, deletions)) now.kinds[kind].on_hold = count;
  return now;
}

const service::DueCount& Of(const service::OpenDeletions& open, DeadlineKind kind) {
  return open.deadlines[static_cast<size_t>(kind)];
}

void DefineDueGauges(const std::shared_ptr<OpenNow>& now, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_deletion_requests_due", "Open deletion requests that are due within so many days.",
                 {"cause", "regime", "within_days"}, [now](SeriesSink& series) {
                   for (const auto& [kind, open] : now->kinds) {
                     const service::DueCount& due = Of(open.soon, DeadlineKind::kCompletion);
                     series.Set({CauseLabel(kind.first), kind.second, "7"}, static_cast<double>(due.near));
                     series.Set({CauseLabel(kind.first), kind.second, "30"}, static_cast<double>(due.far));
                   }
                 });
  registry.Gauge(
      "consentd_deletion_requests_overdue",
      "Open deletion requests past their due time; those on hold are not counted.", {"cause", "regime"},
      [now](SeriesSink& series) {
        for (const auto& [kind, open] : now->kinds) {
          const uint64_t past = Of(open.soon, DeadlineKind::kCompletion).past;
          series.Set({CauseLabel(kind.first), kind.second}, static_cast<double>(past - std::min(past, open.on_hold)));
        }
      });
  // Only what somebody asked for is confirmed.
  registry.Gauge("consentd_deletion_receipts_due",
                 "Open deletion requests whose receipt is to be confirmed within so many days.",
                 {"regime", "within_days"}, [now](SeriesSink& series) {
                   for (const auto& [kind, open] : now->kinds) {
                     if (kind.first != DeletionCause::kRequested) continue;
                     const service::DueCount& due = Of(open.sooner, DeadlineKind::kConfirmation);
                     series.Set({kind.second, "3"}, static_cast<double>(due.near));
                     series.Set({kind.second, "7"}, static_cast<double>(due.far));
                   }
                 });
  registry.Gauge("consentd_deletion_receipts_overdue",
                 "Open deletion requests whose receipt had to be confirmed to the user by now and was not.", {"regime"},
                 [now](SeriesSink& series) {
                   for (const auto& [kind, open] : now->kinds) {
                     if (kind.first != DeletionCause::kRequested) continue;
                     series.Set({kind.second}, static_cast<double>(Of(open.soon, DeadlineKind::kConfirmation).past));
                   }
                 });
}

void DefineRequestGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_deletion_requests", "Deletion requests by cause, regime and state.",
                 {"cause", "regime", "state"}, [&core](SeriesSink& series) {
                   if (!core.ready.load()) return;
                   for (const auto& [kind, unused] : OfEachKind<bool>(core)) {
                     for (int state = 1; state <= kLastState; ++state) {
                       series.Set({CauseLabel(kind.first), kind.second, StateLabel(state)}, 0);
                     }
                   }
                   for (const service::DeletionCount& count : core.deletions.Counts()) {
                     series.Set({CauseLabel(count.cause), count.regime, StateLabel(static_cast<int>(count.state))},
                                static_cast<double>(count.requests));
                   }
                 });
  registry.Gauge("consentd_deletion_requests_ended_in_quarter",
                 "Deletion requests that were completed or denied in this quarter of the calendar (UTC).",
                 {"cause", "regime", "result"}, [&core](SeriesSink& series) {
                   if (!core.ready.load()) return;
                   auto kinds = OfEachKind<service::EndedDeletions>(core);
                   for (const service::EndedDeletions& ended : core.deletions.EndedThisQuarter(core.Now())) {
                     kinds[{ended.cause, ended.regime}] = ended;
                   }
                   for (const auto& [kind, ended] : kinds) {
                     series.Set({CauseLabel(kind.first), kind.second, "in_time"}, static_cast<double>(ended.in_time));
                     series.Set({CauseLabel(kind.first), kind.second, "late"}, static_cast<double>(ended.late));
                   }
                 });
  registry.Gauge("consentd_deletion_request_oldest_timestamp_seconds",
                 "When the oldest open deletion request was received.", [&core]() -> std::optional<double> {
                   if (!core.ready.load()) return std::nullopt;
                   return TimestampSeconds(core.deletions.oldest_open());
                 });
  registry.Gauge("consentd_deletion_requests_needing_ids", "Open deletion requests whose ids a restore could not open.",
                 [&core]() -> std::optional<double> {
                   if (!core.ready.load()) return std::nullopt;
                   return static_cast<double>(core.deletions.needing_ids());
                 });
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

std::string AppealLabel(domain::AppealKind kind) { return ops::Label<v1::AppealKind>(static_cast<int>(kind)); }

const char* Words(domain::AppealDeadline deadline) {
  switch (deadline) {
    case domain::AppealDeadline::kAcknowledgement:
      return "acknowledgement";
    case domain::AppealDeadline::kAnswer:
      return "answer";
  }
  return "other";
}

void DefineAppealGauges(const service::Core& core, ops::MetricRegistry& registry) {
  const auto open = std::make_shared<std::map<std::pair<domain::AppealKind, std::string>, service::OpenAppeals>>();
  registry.AtScrape([&core, open] {
    open->clear();
    if (!core.ready.load()) return;
    if (const std::shared_ptr<const domain::Rules> rules = core.policies.rules(); rules != nullptr) {
      for (const domain::Regime& regime : rules->regimes) {
        for (const domain::AppealKind kind : kAppealKinds) open->try_emplace({kind, regime.name});
      }
    }
    for (const service::OpenAppeals& counted : core.appeals.Open(core.Now(), base::Days(3), base::Days(7))) {
      (*open)[{counted.kind, counted.regime}] = counted;
    }
  });
  registry.Gauge("consentd_appeals_open", "Appeals and complaints about deletion requests that are not answered.",
                 {"kind", "regime"}, [open](SeriesSink& series) {
                   for (const auto& [key, counted] : *open) {
                     series.Set({AppealLabel(key.first), key.second}, static_cast<double>(counted.appeals));
                   }
                 });
  registry.Gauge("consentd_appeals_due", "Open appeals and complaints that are due within so many days, by deadline.",
                 {"kind", "regime", "deadline", "within_days"}, [open](SeriesSink& series) {
                   for (const auto& [key, counted] : *open) {
                     for (const domain::AppealDeadline deadline : domain::kAppealDeadlines) {
                       const service::DueCount& due = counted.deadlines[static_cast<size_t>(deadline)];
                       const std::string kind = AppealLabel(key.first);
                       series.Set({kind, key.second, Words(deadline), "3"}, static_cast<double>(due.near));
                       series.Set({kind, key.second, Words(deadline), "7"}, static_cast<double>(due.far));
                     }
                   }
                 });
  registry.Gauge("consentd_appeals_overdue", "Open appeals and complaints past a deadline, by deadline.",
                 {"kind", "regime", "deadline"}, [open](SeriesSink& series) {
                   for (const auto& [key, counted] : *open) {
                     for (const domain::AppealDeadline deadline : domain::kAppealDeadlines) {
                       series.Set({AppealLabel(key.first), key.second, Words(deadline)},
                                  static_cast<double>(counted.deadlines[static_cast<size_t>(deadline)].past));
                     }
                   }
                 });
}

// What a scrape shows of one data system.
struct SystemNow {
  std::string name;
  bool is_active = false;
  service::TaskQueue::Counts counts;
  base::Instant oldest;  // open task
  service::DeletionGauges::Outcomes outcomes{};
  service::DeletionGauges::Exempt exempt{};
};

// Reports that are refused have one of these reasons as a rule, and their series from the start.
constexpr std::array kRefusals = {"LEASE_LOST", "TASK_NOT_FOUND", "INVALID_FIELD"};

// How tasks ended, of all requests that are stored. `each` runs a reading over the data systems.
template <typename Each>
void DefineEndedTasks(const Each& each, ops::MetricRegistry& registry) {
  registry.Counter("consentd_purge_tasks_ended_total",
                   "Purge tasks that ended, by outcome, of all requests that are stored.", {"system", "outcome"},
                   each([](const SystemNow& system, SeriesSink& series) {
                     for (size_t outcome = 1; outcome < system.outcomes.size(); ++outcome) {
                       series.Set({system.name, ops::Label<v1::PurgeOutcome>(static_cast<int>(outcome))},
                                  static_cast<double>(system.outcomes[outcome]));
                     }
                   }));
  registry.Counter("consentd_purge_tasks_exempt_total",
                   "Purge tasks that ended as EXEMPT, by its ground, of all requests that are stored.",
                   {"system", "reason"}, each([](const SystemNow& system, SeriesSink& series) {
                     for (size_t ground = 1; ground < system.exempt.size(); ++ground) {
                       series.Set({system.name, ops::Label<v1::ExemptReason>(static_cast<int>(ground))},
                                  static_cast<double>(system.exempt[ground]));
                     }
                   }));
}

void DefineTaskMetrics(const service::Core& core, const Services& services, ops::MetricRegistry& registry) {
  const auto systems = std::make_shared<std::vector<SystemNow>>();
  registry.AtScrape([&core, &services, systems] {
    systems->clear();
    if (!core.ready.load()) return;
    for (const service::SystemRow& system : services.systems.List()) {
      systems->push_back({system.name, system.IsActive(), services.queue.counts(system.number),
                          services.tasks.OldestOpen(system), core.deletions.outcomes(system.number),
                          core.deletions.exempt(system.number)});
    }
  });
  const auto each = [systems](auto read) {
    return [systems, read](SeriesSink& series) {
      for (const SystemNow& system : *systems) read(system, series);
    };
  };
  const auto time = [](const std::string& system, base::Instant at, SeriesSink& series) {
    if (const auto seconds = TimestampSeconds(at); seconds.has_value()) series.Set({system}, *seconds);
  };
  registry.Gauge("consentd_purge_tasks_open", "Purge tasks that have not ended, by data system.", {"system"},
                 each([](const SystemNow& system, SeriesSink& series) {
                   series.Set({system.name}, static_cast<double>(system.counts.open));
                 }));
  registry.Gauge("consentd_purge_tasks_stuck", "Open purge tasks that failed five times or more.", {"system"},
                 each([](const SystemNow& system, SeriesSink& series) {
                   series.Set({system.name}, static_cast<double>(system.counts.stuck));
                 }));
  registry.Gauge(
      "consentd_purge_task_oldest_timestamp_seconds",
      "When the oldest open purge task was made: its request was verified then.", {"system"},
      each([time](const SystemNow& system, SeriesSink& series) { time(system.name, system.oldest, series); }));
  registry.Gauge(
      "consentd_purge_worker_last_seen_timestamp_seconds",
      "When a worker of the data system last asked for tasks or reported any, since the process began: of the "
      "open tasks' selectors that which has been without one for longest.",
      {"system"}, each([time](const SystemNow& system, SeriesSink& series) {
        if (system.is_active) time(system.name, system.counts.worker_seen, series);
      }));
  DefineEndedTasks(each, registry);
  registry.Counter("consentd_purge_task_failures_total", "Purge tasks that were given back as failed.", {"system"},
                   each([](const SystemNow& system, SeriesSink& series) {
                     series.Set({system.name}, static_cast<double>(system.counts.retries));
                   }));
  registry.Counter("consentd_purge_task_reports_refused_total", "Reports of purge tasks that were refused, by reason.",
                   {"system", "reason"}, each([](const SystemNow& system, SeriesSink& series) {
                     for (const char* reason : kRefusals) series.Set({system.name, ops::LowerCase(reason)}, 0);
                     for (const auto& [reason, count] : system.counts.refused) {
                       series.Set({system.name, ops::LowerCase(reason)}, static_cast<double>(count));
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
  registry.Gauge("consentd_erasure_oldest_timestamp_seconds", "Since when the oldest of it waits.", {"step"},
                 [lag](SeriesSink& series) {
                   if (!lag->has_value()) return;
                   const auto keys = TimestampSeconds((*lag)->oldest_key);
                   const auto bytes = TimestampSeconds((*lag)->oldest_byte);
                   if (keys.has_value()) series.Set({"keys"}, *keys);
                   if (bytes.has_value()) series.Set({"bytes"}, *bytes);
                 });
}

}  // namespace

void DefineDeletionGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const auto now = std::make_shared<OpenNow>();
  registry.AtScrape(
      [&core = sources.core, &deletions = sources.services.deletions, now] { *now = ReadOpen(core, deletions); });
  DefineRequestGauges(sources.core, registry);
  DefineDueGauges(now, registry);
  DefineAppealGauges(sources.core, registry);
  DefineTaskMetrics(sources.core, sources.services, registry);
  DefineErasureGauges(sources.core, sources.services.erasures, registry);
}

}  // namespace consent::app
