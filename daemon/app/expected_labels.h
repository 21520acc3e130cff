// Whose series the metrics show before anything happened: callers, and names of the policy.
#pragma once

#include "daemon/callers/book.h"
#include "daemon/callers/role_set.h"
#include "daemon/domain/rules.h"
#include "daemon/ops/config.h"
#include "daemon/ops/listener.h"
#include "daemon/ops/metrics.h"

namespace consent::app {

// The roles of whoever comes there without a certificate.
callers::RoleSet RolesOf(const ops::ListenOption& option);

// Of a daemon with these options, the callers' file and the policy in force. `rules` null: there is none yet. Looks
// through all callers. Thread-safe.
ops::ExpectedLabels LabelsToExpect(const ops::ServeOptions& options, const callers::Book& callers,
                                   const domain::Rules* rules);

}  // namespace consent::app
