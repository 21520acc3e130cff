// Appeals and complaints about deletion requests. The protos document every bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "consent/types.h"

namespace consent {

enum class AppealKind : uint8_t { kUnset = 0, kAppeal = 1, kComplaint = 2 };
enum class AppealState : uint8_t { kUnset = 0, kReceived = 1, kAcknowledged = 2, kAnswered = 3 };
enum class AppealOutcome : uint8_t { kUnset = 0, kGranted = 1, kGrantedInPart = 2, kRejected = 3, kWithdrawn = 4 };

struct Appeal {
  AppealKind kind = AppealKind::kUnset;
  AppealState state = AppealState::kUnset;
  std::optional<Time> received_at;
  std::optional<Time> acknowledge_by;
  // Absent: nobody has said so.
  std::optional<Time> acknowledged_at;
  std::optional<Time> answer_by;
  // Absent: it is open.
  std::optional<Time> answered_at;
  AppealOutcome outcome = AppealOutcome::kUnset;
  std::string answer;
  bool acknowledgement_overdue = false;
  bool answer_overdue = false;
};

// What whoever was denied is told, by the policy in force.
struct HowToAppeal {
  // BCP 47 tag.
  std::string language;
  std::string sentence;
  // Empty: the sentence says it all.
  std::string url;
};

struct ReceiveAppealOrder {
  DeletionId deletion_id;
  // Must be set; kAppeal only of a request that was denied.
  AppealKind kind = AppealKind::kUnset;
  // When it came in; absent: now.
  std::optional<Time> at;
  Evidence evidence;
  // Empty: one is made up.
  RequestId request_id;
};

struct AcknowledgeAppealOrder {
  DeletionId deletion_id;
  std::optional<Time> at;
  Evidence evidence;
  RequestId request_id;
};

struct AnswerAppealOrder {
  DeletionId deletion_id;
  // Must be set.
  AppealOutcome outcome = AppealOutcome::kUnset;
  // 1 to 256 bytes; kept, and shown to auditors. No ids.
  std::string answer;
  std::optional<Time> at;
  Evidence evidence;
  RequestId request_id;
};

}  // namespace consent
