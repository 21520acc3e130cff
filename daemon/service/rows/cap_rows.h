// What caps of review grants have counted. Rows of store::Table::kReview; layouts: store/FORMAT.md. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/domain/review_caps.h"
#include "daemon/domain/types.h"
#include "daemon/store/store.h"

namespace consent::service {

// By the first byte of their keys, beside those of review_rows.h.
inline constexpr char kCapCounters = 'c';  // ‖ kind (1) ‖ hash of the name (16)

// One cap that counts. It lies in a partition by its key, which is that of a grant by chance alone.
struct CapName {
  domain::CapKind kind = domain::CapKind::kRate;
  std::string key;
};
// `kind` is not kAccount: who has heard an account is counted where its grants are.
CapName RateCap(domain::Purpose purpose, domain::Region country);
CapName DayCap(domain::Purpose purpose);
CapName SelectionCap(domain::Purpose purpose, domain::Selection selection);
CapName SiteCap(std::string_view site);
CapName ReviewerCap(std::string_view reviewer);
store::Partition PartitionOf(const CapName& name, uint16_t partitions);

// `given`: as many are given at most; what of a block is not given yet is among them.
std::string EncodeCapCounter(const domain::CapCounter& counter);
// False on anything that EncodeCapCounter does not write. Total.
bool DecodeCapCounter(std::string_view bytes, domain::CapCounter* counter);

}  // namespace consent::service
