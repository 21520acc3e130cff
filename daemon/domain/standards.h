// Names of standards: countries (ISO 3166-1) and languages (BCP 47). Pure, thread-safe; no I/O.
#pragma once

#include <string>
#include <string_view>

#include "daemon/domain/types.h"

namespace consent::domain {

// ISO 3166-1 assigns the country's code. The table is checked in; a test compares it with Debian's iso-codes.
bool IsAssigned(Region region);
// A code that ISO 3166-1 leaves to its users (AA, QM to QZ, XA to XZ, ZZ): it means something only where a policy names
// it, as XK.
bool IsUserAssigned(Region region);
// The assigned code that is meant where another one is often written: GB for UK, GR for EL. Empty: none is known.
std::string_view CodeMeantBy(Region region);
// What is wrong with a code that may not be stored, and what to write: "UK is not assigned by ISO 3166-1: GB is meant".
// `region` is neither assigned nor, where a policy may name it, user-assigned.
std::string WhyNotAssigned(Region region);

// Well-formed by RFC 5646, section 2.1: language, script, region, variants, extensions, private use, or private use
// alone; at most 35 bytes. Whether the registry knows its subtags is not asked; the irregular tags of before RFC 4646
// (`i-default`) are not taken.
bool IsLanguageTag(std::string_view tag);
inline constexpr size_t kMaxLanguageTagBytes = 35;

}  // namespace consent::domain
