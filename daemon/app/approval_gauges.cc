// The gauge of what waits for a second person.
#include "consent/v1/approval_service.pb.h"
#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/ops/families.h"

namespace consent::app {

void DefineApprovalGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_approvals_open", "Loosenings that one person proposed and nobody has approved or withdrawn.",
                 {"act"}, [&core = sources.core, &services = sources.services](ops::SeriesSink& series) {
                   if (!core.ready.load()) return;
                   const service::KnownProposals::Counts counts = services.proposals.OpenNow();
                   for (int act = v1::ProposedAct_MIN + 1; act <= v1::ProposedAct_MAX; ++act) {
                     series.Set({ops::Label<v1::ProposedAct>(act)},
                                static_cast<double>(counts[static_cast<size_t>(act)]));
                   }
                 });
}

}  // namespace consent::app
