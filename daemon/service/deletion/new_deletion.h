// What a request begins with.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/deletion.h"
#include "daemon/domain/rules.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/system_rows.h"

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

// Where the time is in doubt: notes when that was by the boot clock, so that it can be settled.
void NoteDoubt(const Core& core, const domain::Moment& moment, domain::DeletionRequest& request);
// The periods of the regime of that name; of one that is gone the unknown region's.
const domain::DeadlineRules& DeadlinesOfRegime(const domain::Rules& rules, const std::string& regime);
// The due times by the regime of `region`, whose name is noted.
void SetDeadlines(const domain::Rules& rules, domain::Region region, domain::DeletionRequest& request);

// A request that nobody asked for: it is verified when it is received.
struct OwnDeletion {
  domain::DeletionRequest request;
  domain::NamedTimes times;  // that it selects
  std::string share;
  std::string sealed;
};
// What data systems are told is sealed; where `told` has no account, nobody can be told of it until its ids come back.
OwnDeletion MakeOwnDeletion(const Core& core, base::SubjectHandle subject, domain::DeletionCause cause,
                            domain::Selector selector, const DeletionPayload& told);
// Its rows, of the commit at `moment` to its subject's partition; `index`: which of that commit's requests it is.
// Preconditions: its id is free, and `systems`.
void WriteOwnDeletion(const Core& core, const OwnDeletion& made, size_t index, const domain::Moment& moment,
                      domain::Region region, const SystemsSeen& systems, std::vector<store::Write>& writes);

}  // namespace consent::service
