// The enum values' names as the API, its JSON lines and consentctl write them.
#pragma once

#include <string_view>

#include "consent/decisions.h"
#include "consent/deletion.h"
#include "consent/explanation.h"
#include "consent/export.h"
#include "consent/purge.h"
#include "consent/subject.h"
#include "consent/types.h"

namespace consent {

// The short name, for example "HUMAN_REVIEW"; "UNSPECIFIED" for kUnset. For every enum of types.h, decisions.h,
// deletion.h, explanation.h, purge.h and subject.h but Age::Kind.
template <typename Enum>
CONSENT_EXPORT std::string_view Name(Enum value);

// Takes the short name or the proto's full one ("PURPOSE_HUMAN_REVIEW"), upper case only. False, and *out untouched, on
// anything else, "UNSPECIFIED" included.
template <typename Enum>
CONSENT_EXPORT bool ParseName(std::string_view text, Enum* out);

// kUnset for a number that has no name here.
template <typename Enum>
CONSENT_EXPORT Enum FromNumber(int number);

}  // namespace consent
