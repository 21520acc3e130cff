// What a valid policy promises that cannot work. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "consent/v1/policy.pb.h"
#include "daemon/base/time.h"
#include "daemon/json/problems.h"

namespace consent::policy {

// Days before its last date from which on a calendar of holidays ends soon.
inline constexpr int kCalendarEndsSoonDays = 90;

// In the order of the message's fields, of a valid policy, as it would work from `now` on: purposes for which there is
// no toggle, or that no notice in force lists; people who listen without a notice that says so; notices that are all
// ahead; calendars that end soon. None of it is an error: each only denies, or makes deadlines come earlier.
std::vector<json::Problem> WarningsOf(const v1::Policy& policy, base::Instant now);

// `json` of a policy with such warnings: each with its path, line and column, as text.
std::vector<std::string> WarningTexts(const v1::Policy& policy, std::string_view json, base::Instant now);

}  // namespace consent::policy
