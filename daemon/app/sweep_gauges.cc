// The gauges of how data systems see to it that what has expired goes.
#include <utility>

#include "consent/v1/purge_service.pb.h"
#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/ops/families.h"

namespace consent::app {
namespace {

using ops::SeriesSink;
using service::RetentionView;
using service::SystemRow;

void SetState(const SystemRow& system, const RetentionView& view, SeriesSink& series) {
  for (int state = v1::RetentionState_MIN + 1; state <= v1::RetentionState_MAX; ++state) {
    series.Set({system.name, ops::Label<v1::RetentionState>(state)}, static_cast<int>(view.state) == state ? 1 : 0);
  }
}

void SetCounts(const SystemRow& system, const RetentionView& view, SeriesSink& series) {
  if (!view.row.last.started_at.IsSet()) return;
  const service::SweepCounts& counts = view.row.last.counts;
  const std::pair<const char*, uint64_t> outcomes[] = {{"kept", counts.kept},     {"held", counts.held},
                                                       {"purged", counts.purged}, {"not_found", counts.not_found},
                                                       {"failed", counts.failed}, {"unanswered", counts.unanswered}};
  for (const auto& [outcome, count] : outcomes) series.Set({system.name, outcome}, static_cast<double>(count));
}

}  // namespace

void DefineSweepGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const auto each = [&core = sources.core, &services = sources.services](auto read) {
    return [&core, &services, read](SeriesSink& series) {
      if (!core.ready.load()) return;
      for (const SystemRow& system : services.systems.List()) read(system, services.sweeps.Of(system), series);
    };
  };
  registry.Gauge("consentd_system_retention", "1 for the state of each data system's retention, 0 for the others.",
                 {"system", "state"}, each(SetState));
  registry.Gauge("consentd_system_retention_due_timestamp_seconds",
                 "Until when a data system's attestation holds, or by when its next whole sweep is due.", {"system"},
                 each([](const SystemRow& system, const RetentionView& view, SeriesSink& series) {
                   if (const auto due = TimestampSeconds(view.due)) series.Set({system.name}, *due);
                 }));
  registry.Gauge("consentd_system_whole_sweep_timestamp_seconds", "When a data system's last whole sweep began.",
                 {"system"}, each([](const SystemRow& system, const RetentionView& view, SeriesSink& series) {
                   if (const auto at = TimestampSeconds(view.row.last_whole_at)) series.Set({system.name}, *at);
                 }));
  registry.Gauge("consentd_system_sweep_recordings",
                 "What a data system's last sweep found: kept, held, purged, not_found; failed: must go and is there.",
                 {"system", "outcome"}, each(SetCounts));
}

}  // namespace consent::app
