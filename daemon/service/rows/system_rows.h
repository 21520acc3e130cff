// The rows of data systems: the same in every partition, beside a version of the registry. Layouts: store/FORMAT.md.
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/sealed_box.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

inline constexpr size_t kMaxSystems = 64;
// Of consent.v1.DataSystemKind.
inline constexpr uint8_t kAnnotationQueueKind = 3;
inline constexpr uint8_t kAnnotationsKind = 4;
// The registry's version of a partition: every commit that makes tasks has it for a precondition.
inline constexpr std::string_view kSystemsVersionKey = "version";

// Numbers equal those of consent.v1 and are on disk.
struct SystemRow {
  domain::SystemNumber number = 0;
  std::string name;
  uint8_t kind = 0;
  uint8_t matches_by = 0;  // bit (number - 1)
  base::Span latest_arrival;
  bool checks_on_ingest = false;
  base::Instant registered_at;
  base::Instant retired_at;  // unset: active
  std::string retired_reason;
  // X25519. A system that has one cannot call: its media tokens are sealed to it. Absent: it redeems them.
  std::optional<base::BoxPublicKey> offline_key;
  bool IsActive() const { return !retired_at.IsSet(); }
  bool HoldsDrafts() const { return kind == kAnnotationQueueKind || kind == kAnnotationsKind; }
};
std::string EncodeSystemRow(const SystemRow& row);
bool DecodeSystemRow(std::string_view bytes, SystemRow* row);
std::string SystemKey(domain::SystemNumber system);

// The registry as one partition has it.
struct SystemsSeen {
  std::optional<std::string> version;        // of the row kSystemsVersionKey
  std::vector<domain::SystemNumber> active;  // in order
  std::vector<domain::SystemNumber> drafts;  // of these those that hold what reviewers write
  std::optional<store::ReadVersion> seen;    // from before it was read
  store::Precondition AsPrecondition() const;
  // Which of them owe what a request of that cause selects.
  const std::vector<domain::SystemNumber>& For(domain::DeletionCause cause) const {
    return cause == domain::DeletionCause::kLateDraft ? drafts : active;
  }
};
// May block. STORE_UNREADABLE, INTERNAL.
absl::StatusOr<SystemsSeen> LoadSystems(const Core& core, store::Partition partition);
// All data systems of a partition, and the registry's version there. May block. STORE_UNREADABLE, INTERNAL.
absl::Status ScanSystems(const Core& core, store::Partition partition, std::vector<SystemRow>* systems,
                         std::optional<std::string>* version);

}  // namespace consent::service
