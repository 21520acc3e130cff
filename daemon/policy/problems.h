// What the parts of Validate share. Internal to this folder.
#pragma once

#include <string>

#include <google/protobuf/descriptor.h>

#include "daemon/policy/validate.h"

namespace consent::policy {

using json::kMaxName;
using json::Problems;
using json::Quoted;

bool IsControlCharacter(char c);  // [a-z0-9_]
bool IsRegimeCharacter(char c);   // [a-z0-9_-]

// " (permitted: ...)" with all names but the first, which is the unset one.
std::string PermittedOf(const google::protobuf::EnumDescriptor& values);

// deletion_deadlines, appeal_deadlines and holiday_calendar of one regime, at `path`.
void CheckDeadlines(const v1::Policy& policy, const v1::Regime& regime, const std::string& path, Problems* problems);
void CheckHolidayCalendars(const v1::Policy& policy, Problems* problems);
void CheckApprovals(const v1::Policy& policy, Problems* problems);
void CheckReviewCaps(const v1::Policy& policy, Problems* problems);
// Empty where the text is a country that a policy may name, else why not.
std::string WhyNoCountry(const std::string& text);
// Texts of controls and notices, appeal_texts and ask_again_after_days.
void CheckTextsOf(const v1::Policy& policy, Problems* problems);

}  // namespace consent::policy
