// Every bound that proto/consent/v1/policy.proto states, and what holds between its fields. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "consent/v1/policy.pb.h"
#include "daemon/json/problems.h"

namespace consent::policy {

using json::kMaxProblems;
using json::Problem;

// Of one policy, all regimes together. ISO 3166-1 and ISO 3166-2 have about 5,300 codes.
inline constexpr size_t kMaxRegions = 8192;
inline constexpr int kMaxRegimes = 64;
inline constexpr int kMaxNotices = 1024;
// Of one regime, and languages of one notice.
inline constexpr int kMaxListed = 256;
// Years. GDPR Art. 8(1) lets no member state go below 13 and COPPA (15 U.S.C. 6501) protects those under 13; nowhere is
// majority later than 21.
inline constexpr int kMinAgeOfConsent = 13;
inline constexpr int kMaxAgeOfConsent = 21;
inline constexpr int kMaxHolidayCalendars = 64;
// Dates of one calendar.
inline constexpr int kMaxHolidays = 4096;

// All problems in the order of the message's fields, those of texts last; at most kMaxProblems. Empty: valid.
std::vector<Problem> Validate(const v1::Policy& policy);

}  // namespace consent::policy
