// Who gets a lease: one rule for all engines. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/store/store.h"

namespace consent::store {

// What is stored per partition and name.
struct LeaseRow {
  Lease lease;
  std::string holder;
};

// The row after a request at `now`. InvalidArgument: name or holder is not 1..64 bytes, or `length` is not positive;
// Unavailable: another holder's lease has not expired. A holder whose own lease has expired gets a new token, because
// it cannot know what happened in between.
absl::StatusOr<LeaseRow> GrantLease(const std::optional<LeaseRow>& current, std::string_view name,
                                    std::string_view holder, const base::BootTime& now, base::Span length);

// Canonical bytes: version 2 ‖ token ‖ boot ‖ expiry ‖ holder.
std::string EncodeLease(const LeaseRow& row);
// Nothing unless the bytes are canonical.
std::optional<LeaseRow> DecodeLease(std::string_view bytes);

}  // namespace consent::store
