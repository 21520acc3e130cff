// Canonical bytes of a subject's facts: what lies in the record row, in the facts index and in each history row.
// Format 1 is written down in README.md and frozen by golden files.
#pragma once

#include <string>
#include <string_view>

#include "daemon/domain/types.h"

namespace consent::domain {

// Appends to `out`. Facts that DecodeFacts returned encode to the same bytes.
void EncodeFacts(const SubjectFacts& facts, std::string* out);

// Replaces `*out` (its memory is reused). False on anything malformed; `*out` is then a subject
// without any right. Total: any bytes are safe.
bool DecodeFacts(std::string_view bytes, SubjectFacts* out);

// At most; more scopes, holds or tombstones than the bounds of types.h are not decoded.
inline constexpr size_t kMaxFactsBytes = 128 * 1024;

}  // namespace consent::domain
