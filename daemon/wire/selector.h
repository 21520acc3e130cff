// A deletion selector in the API's words, where it was not asked for in them.
#pragma once

#include <string>

#include "daemon/domain/deletion.h"

namespace consent::wire {

// Serialised consent.v1.DeletionSelector. `scope_id`: the raw id of its profile or device; not used for the account. Of
// the kinds that a change of settings makes: purpose copies, a range of times, a profile, a device. Thread-safe.
std::string SerialiseSelector(const domain::Selector& selector, const std::string& scope_id);

// Serialised consent.v1.DeletionSelector of one result of a review.
std::string SerialiseDraft(const std::string& recording_id, const base::Digest& digest);

// A serialised selector of purposes' copies, of these purposes. Of another kind, or no selector: as it is.
std::string WithPurposes(const std::string& selector, domain::PurposeSet purposes);

}  // namespace consent::wire
