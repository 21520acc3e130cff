// Rows of policies. Layouts: store/FORMAT.md. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/hash.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"
#include "daemon/service/state/partition_policies.h"
#include "daemon/store/store.h"

namespace consent::service {

// Of kPolicy, by the first byte of their keys. In every partition:
inline constexpr char kInForceRows = 'v';   // ‖ time (8): when a version came into force; the document's hash
inline constexpr char kUsedNotices = 'n';   // ‖ number (2): a consent was given under it here; empty
inline constexpr char kUsedControls = 'k';  // ‖ number (2): a refusal named it here; empty
// In the first partition alone:
inline constexpr char kStates = 's';     // ‖ time (8): policy::EncodeVersion
inline constexpr char kDocuments = 'd';  // ‖ hash (32): the document as it was given

// Of kInForceRows and kStates.
std::string PolicyTimeKey(char kind, base::Instant time);
std::string PolicyDocumentKey(const base::Digest& hash);

// What a loosening has for a precondition: the version that is in force in its partition, and that none is being
// activated there. time (8) ‖ 1 while one is, else 0.
inline constexpr std::string_view kCurrentPolicyKey = "c";
std::string EncodeCurrentPolicy(const CurrentPolicy& current);
// False unless EncodeCurrentPolicy made it.
bool DecodeCurrentPolicy(std::string_view bytes, CurrentPolicy* current);

// Of kSuspension: the sequence (8) of the partition's last change of a suspension. Every further change has that of the
// first partition for a precondition, and every use of a review grant that of its own.
inline constexpr std::string_view kSuspensionsVersionKey = "version";

// The mark's row; its value is empty.
store::Write PutMark(UsageMark mark);
// False: no key of a mark.
bool DecodeMarkKey(std::string_view key, UsageMark* mark);

}  // namespace consent::service
