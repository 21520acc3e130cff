// Canonical bytes of a subject's facts: what lies in the record row, in the facts index and in each history row.
// Format 2 is written down in README.md and frozen by golden files.
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

// Of what EncodeFacts wrote; 0 where it is none.
uint64_t RevisionOf(std::string_view bytes);

// At most: 259 scopes of no more than 1,545 bytes and 128 selectors of no more than 64 by the bounds of types.h. With a
// history row of the same size it fits into one commit.
inline constexpr size_t kMaxFactsBytes = 400 * 1024;

}  // namespace consent::domain
