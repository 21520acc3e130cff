// What DecisionService answers of an explanation.
#pragma once

#include <string_view>

#include "consent/v1/explanation.pb.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/explain_check.h"
#include "daemon/wire/explanation.h"

namespace consent::rpc {

// `scopes`: those that the recording names; no other id is written. Thread-safe.
void WriteExplained(const service::Core& core, const service::Explained& explained, domain::Purpose purpose,
                    const wire::NamedScopes& scopes, std::string_view language, v1::Explanation* out);

}  // namespace consent::rpc
