// How things stand, as figures for `requests report --by`: what the dashboards show of now, for who has no dashboard.
#pragma once

#include <vector>

#include "client/cli/render/render_report.h"
#include "consent/status.h"

namespace consent::cli {

// Section "standing", in a fixed order, all counted by the daemon's clock. A name that ends in _days is days of 24
// hours, since then or until then; its value is absent where there is no such time.
std::vector<Figure> StandingOf(const DaemonStatus& status);

}  // namespace consent::cli
