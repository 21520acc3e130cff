// The rows of SAFETY flags. Layout: store/FORMAT.md. Pure, but for what says that it reads; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// In kSafetyFlag, under Core::RecordingKey, from the first report of SAFETY about the recording until its account is
// erased. The ids lie in the payload of the change that reported it, so they go with the account's key.
struct SafetyFlagRow {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  base::Instant reported_at;
  store::Sequence reported = 0;   // by which change
  base::Instant acknowledged_at;  // when somebody said that it is theirs; unset: nobody did
  store::Sequence acknowledged = 0;
  base::Instant handled_at;  // when somebody had looked after the person; unset: nobody has, and it is open
  store::Sequence handled = 0;
  bool IsOpen() const { return !handled_at.IsSet(); }
  bool operator==(const SafetyFlagRow&) const = default;
};

std::string EncodeSafetyFlagRow(const SafetyFlagRow& row);
// False on anything that EncodeSafetyFlagRow does not write. Total.
bool DecodeSafetyFlagRow(std::string_view bytes, SafetyFlagRow* row);

// `key`: as of the row. NotFound: there is none. STORE_UNREADABLE, INTERNAL. Puts its bytes into `*bytes`. May block.
absl::StatusOr<SafetyFlagRow> LoadSafetyFlag(const Core& core, store::Partition partition, std::string_view key,
                                             std::string* bytes);
// All of one subject, handled ones too, in the order of their keys. STORE_UNREADABLE, INTERNAL. May block.
absl::StatusOr<std::vector<SafetyFlagRow>> LoadSafetyFlagsOf(const Core& core, base::SubjectHandle subject);
// The raw id of its recording; empty where nobody knows it, as after a restore. STORE_UNREADABLE, INTERNAL. May block.
absl::StatusOr<std::string> RecordingIdOf(const Core& core, const SafetyFlagRow& row);

}  // namespace consent::service
