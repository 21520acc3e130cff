// Decides from the facts index alone: what a check asks first, and all that a gate beside the daemon can ask.
#pragma once

#include <string>

#include "daemon/base/keys.h"
#include "daemon/domain/decide.h"
#include "daemon/service/state/facts_index.h"

namespace consent::service {

// One recording that is asked about.
struct CheckItem {
  base::SubjectHandle subject;
  base::SubjectHandle asked{};  // the account that was named, where `subject` is the one that it was joined into
  std::string recording_id;     // hashed only where the subject has rows about single recordings
  domain::RecordingFacts facts;
};

// Whether rows beside the record count too: marks of its recordings, tombstones that it does not hold. The record is
// then read again afterwards: mixing two moments could give a yes that was never right.
bool HasRowsBeside(const domain::SubjectFacts& facts);

// False: the index does not know, or the account is joined with others, whose orders count too. Never blocks;
// thread-safe.
bool DecideFromIndex(const FactsIndex& index, const base::IdHasher& hasher, const domain::Rules& rules,
                     const base::Now& now, const CheckItem& item, domain::Purpose purpose, const domain::Place& place,
                     domain::Decision* decision);

}  // namespace consent::service
