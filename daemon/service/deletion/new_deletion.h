// What a deletion request begins with.
#pragma once

#include "daemon/domain/deletion.h"
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

using domain::DeletionStep;

}  // namespace consent::service
