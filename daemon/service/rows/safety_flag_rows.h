// The rows of SAFETY flags that nobody has handled. Layout: store/FORMAT.md. Pure, but for what says that it reads;
// thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// In kSafetyFlag, under Core::RecordingKey. The ids lie in the payload of the change that reported it, so they go with
// the account's key.
struct SafetyFlagRow {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  base::Instant reported_at;
  store::Sequence reported = 0;  // by which change
  bool operator==(const SafetyFlagRow&) const = default;
};

std::string EncodeSafetyFlagRow(const SafetyFlagRow& row);
// False on anything that EncodeSafetyFlagRow does not write. Total.
bool DecodeSafetyFlagRow(std::string_view bytes, SafetyFlagRow* row);

// `key`: as of the row. NotFound: none is open there. STORE_UNREADABLE, INTERNAL. Puts its bytes into `*bytes`. May
// block.
absl::StatusOr<SafetyFlagRow> LoadSafetyFlag(const Core& core, store::Partition partition, std::string_view key,
                                             std::string* bytes);

}  // namespace consent::service
