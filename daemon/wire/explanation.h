// Why a check is answered as it is: requests to the domain's words, the rows of the decision table back.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/decision_service.pb.h"
#include "consent/v1/explanation.pb.h"
#include "daemon/base/ids.h"
#include "daemon/domain/explain.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::wire {

// Which scopes a recording names, and the ids by which the request named them (empty: by a handle alone).
using NamedScopes = std::vector<std::pair<domain::ScopeRef, std::string>>;

struct ExplainInput {
  base::SubjectHandle subject;
  std::string recording_id;
  domain::RecordingFacts facts;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Place place;
  base::Instant at;  // unset: now
  std::string language;
  NamedScopes scopes;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe, as all functions here.
absl::StatusOr<ExplainInput> ReadExplainCheck(const v1::ExplainCheckRequest& request, const base::IdHasher& hasher);

// The answer, its rows, what was missing and the regimes. `purpose`: what was asked for. Titles come in `language`.
void WriteExplanation(const domain::Explanation& explanation, domain::Purpose purpose, const domain::Rules& rules,
                      const NamedScopes& scopes, std::string_view language, v1::Explanation* out);
void WriteExplainedScope(const domain::ScopeRef& scope, const NamedScopes& scopes, v1::ExplainedScope* out);

}  // namespace consent::wire
