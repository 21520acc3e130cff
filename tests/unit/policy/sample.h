// A small valid policy that tests change.
#pragma once

#include <string>

#include "consent/v1/policy.pb.h"
#include "daemon/policy/document.h"
#include "daemon/policy/state.h"

namespace consent::policy {

// Regimes: [0] "eea" (DE, FR; OPT_IN), [1] "us" (US; OPT_OUT), [2] "unknown" (no region). Purposes: HUMAN_REVIEW,
// MODEL_TRAINING. Controls: [0] help_improve (HUMAN_REVIEW), [1] train (MODEL_TRAINING). Notices: [0] n1, [1] n2, [2]
// n3 (supersedes n1 from 2026-03-01); n1 and n2 list HUMAN_REVIEW, n3 both. Ages: DE 16. Caps
// of HUMAN_REVIEW: 2,000 parts per million in DE and FR, 500 elsewhere; a day 1,000, of them 600 at random; a site 500,
// a reviewer 100, an account 4.
v1::Policy SamplePolicy();
// The sample, and: eea 10 business days, 1 month, 2 months more if told within 1; us 10 business days, 45 calendar
// days, 45 more if told within 45, calendar "us" (2026-06-19, 2026-07-03, 2026-09-07); unknown states nothing.
v1::Policy PolicyWithDeadlines();

// protobuf's JSON of it.
std::string ToJson(const v1::Policy& policy);
// Fails the test where it does not parse.
Document Parsed(const v1::Policy& policy);
// Parse's message; empty where it parses.
std::string ParseError(const std::string& json);

// At this many seconds after 2026-01-01T00:00:00Z.
base::Instant At(int64_t seconds);
domain::Region RegionOf(const std::string& text);

// `policy` activated after `previous` (nullptr: as the first one). Fails the test where that is refused by Advance.
PolicyRow Activated(const v1::Policy& policy, base::Instant now, const PolicyRow* previous = nullptr);
// Written and read again, as the store would.
absl::StatusOr<PolicyRow> Reread(const Document& document, const State& state);

}  // namespace consent::policy
