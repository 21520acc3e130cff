// Leases: what one process at a time may do. A lease is two rows that commits write; they hold no time. Whoever waits
// for one takes it when both rows stayed as they were for the lease's length by the waiting side's own boot clock, so
// no two clocks are ever compared. What decides is the store: a commit under a lease has the lease's row as a
// precondition, so it fails from the moment somebody else has the lease, however late its sender learns of that.
// lease_holder.h does the steps; this is their rule. Pure; thread-safe, but LeaseWatch, which is a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/store/store.h"

namespace consent::store {

// The row of Table::kLease under the lease's name. A renewal leaves it as it is: so a holder's renewals do not turn
// away what it commits under the lease.
struct LeaseGrant {
  uint64_t token = 0;  // 1 is the first; grows with each grant
  std::string holder;  // 1..64 bytes; empty: given back
  bool operator==(const LeaseGrant&) const = default;
};

// The row of Table::kLeaseRenewal under the same name.
struct LeaseRenewal {
  uint64_t token = 0;
  uint64_t count = 0;  // of renewals that were sent; grows, with gaps where one was not done
  bool operator==(const LeaseRenewal&) const = default;
};

// Canonical bytes: see FORMAT.md.
std::string EncodeLeaseGrant(const LeaseGrant& grant);
std::string EncodeLeaseRenewal(const LeaseRenewal& renewal);
// Nothing unless the bytes are canonical.
std::optional<LeaseGrant> DecodeLeaseGrant(std::string_view bytes);
std::optional<LeaseRenewal> DecodeLeaseRenewal(std::string_view bytes);

// Both rows as they were read; not there before the first grant. They need not be of one moment.
struct LeaseRows {
  std::optional<std::string> grant;
  std::optional<std::string> renewal;
  bool operator==(const LeaseRows&) const = default;
};

// What one commit checks and writes. It may do more beside it.
struct LeaseChange {
  std::vector<Precondition> preconditions;
  std::vector<Write> writes;
};

// True unless somebody has the lease, or its row cannot be read.
bool IsLeaseFree(const LeaseRows& rows);
// `holder` gets the lease under the next token, if the rows are still as `seen`; whether it may, LeaseWatch says. Sets
// `*grant`. InvalidArgument: name or holder is not 1..64 bytes; DataLoss: the grant cannot be read.
absl::StatusOr<LeaseChange> TakeLease(std::string_view name, std::string_view holder, const LeaseRows& seen,
                                      LeaseGrant* grant);
// `count` is larger than that of the renewal before. A conflict means that the lease is another's, or nobody's.
LeaseChange RenewLease(std::string_view name, const LeaseGrant& grant, uint64_t count);
// Who waits may take it at once. A conflict means the same.
LeaseChange GiveBackLease(std::string_view name, const LeaseGrant& grant);
// For commits of any kind under the lease: it is still `grant`'s.
Precondition UnderLease(std::string_view name, const LeaseGrant& grant);

// What one side that waits for a lease has seen of it.
class LeaseWatch {
 public:
  // `length` is positive and the same for all sides.
  explicit LeaseWatch(base::Span length) : length_(length) {}

  // Notes the rows, read between `began` and `ended` by this side's boot clock. True: the lease may be taken, because
  // it is free or because the rows have not changed for `length`.
  bool Note(const LeaseRows& rows, base::Span began, base::Span ended);

 private:
  base::Span length_;
  std::optional<LeaseRows> rows_;
  base::Span since_;  // when the first reading that gave `rows_` had ended
};

}  // namespace consent::store
