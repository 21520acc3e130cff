// What a deletion request begins with, and the steps that it takes.
#pragma once

#include <cstdint>

#include "daemon/domain/deletion.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// A validated CreateDeletionRequest, beside the ChangeRequest that carries caller, idempotency and evidence.
struct NewDeletion {
  domain::Selector selector;  // without its times
  domain::NamedTimes times;
  domain::Actor requester = domain::Actor::kMissing;
  domain::DeletionState state = domain::DeletionState::kReceived;  // kReceived, kVerifying, or kAccepted: verified
  DeletionPayload payload;
};

enum class DeletionStep : uint8_t { kBeginVerification, kVerify, kDeny, kExtend, kCancel };
// What history and metrics call a step.
ChangeKind KindOf(DeletionStep step);

}  // namespace consent::service
