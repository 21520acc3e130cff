// The rows of payload keys' shares, and the row that says under which master keys they lie. Layouts: store/FORMAT.md.
// Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/keys.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Of a new payload key, under the master key that is the newest now: to be called while the commit is built. Pure but
// for that.
store::Write PutShare(const Core& core, base::SubjectHandle subject, std::string key, const std::string& share);

// In partition 0, under this key.
inline constexpr store::Partition kMasterKeyPartition{0};
inline constexpr std::string_view kMasterKeyKey = "master";

// How far a rotation of the master key has come.
struct MasterKeyRow {
  uint16_t newest = 0;        // the newest that ever was in force; 0: no such row
  base::MasterCheck check{};  // of it
  uint16_t wanted = 0;        // an operator asked that every share be rewrapped under it; at most `newest`
  uint16_t reached = 0;       // no share lies under an older one, nor do the files hold one that did
  base::MasterCheck reached_check{};
  bool IsUnderWay() const { return reached < wanted; }
  bool operator==(const MasterKeyRow&) const = default;
};

std::string EncodeMasterKeyRow(const MasterKeyRow& row);
// False on anything that EncodeMasterKeyRow does not write. Total.
bool DecodeMasterKeyRow(std::string_view bytes, MasterKeyRow* row);
// A default-constructed row where there is none. STORE_UNREADABLE; INTERNAL: damaged. May block.
absl::StatusOr<MasterKeyRow> ReadMasterKeyRow(const store::Store& store);

// How many shares lie under a master key older than `number`. Reads all; may block. STORE_UNREADABLE.
absl::StatusOr<uint64_t> CountSharesBelow(const store::Store& store, uint16_t number);

}  // namespace consent::service
