#include "daemon/service/deletion/new_deletion.h"

#include <utility>

#include "daemon/service/rows/deletion_writes.h"

namespace consent::service {

const domain::DeadlineRules& DeadlinesOfRegime(const domain::Rules& rules, const std::string& regime) {
  for (const domain::Regime& known : rules.regimes) {
    if (known.name == regime) return known.deletion;
  }
  return rules.regimes[rules.unknown_regime].deletion;
}

void NoteDoubt(const Core& core, const domain::Moment& moment, domain::DeletionRequest& request) {
  if (!moment.now.doubtful) return;
  request.doubt_since = core.time.After(base::Span{});
  request.doubt_after = moment.now.not_before;
}

void SetDeadlines(const domain::Rules& rules, domain::Region region, domain::DeletionRequest& request) {
  const domain::Regime& regime = rules.regimes[rules.ForRegion(region).regime];
  request.regime = regime.name;
  const domain::Deadlines due = domain::DeadlinesOf(request.received_at, regime.deletion);
  request.confirm_by = due.confirm_by;
  request.due_at = due.complete_by;
}

OwnDeletion MakeOwnDeletion(const Core& core, base::SubjectHandle subject, domain::DeletionCause cause,
                            domain::Selector selector, const DeletionPayload& told) {
  OwnDeletion made;
  made.request.id = base::DeletionId::Draw(core.random, core.PartitionOf(subject).number);
  made.request.subject = subject;
  made.request.cause = cause;
  made.request.requester = domain::Actor::kSystem;
  made.request.selector = std::move(selector);
  if (told.account_id.empty()) return made;
  base::PayloadKey key = core.shares.NewPayloadKey(subject, core.random);
  base::Digest unused{};
  made.share = std::move(key.share);
  made.sealed = SealDeletion(key.key, told, subject, core.random, &unused);
  return made;
}

void WriteOwnDeletion(const Core& core, const OwnDeletion& made, size_t index, const domain::Moment& moment,
                      domain::Region region, const SystemsSeen& systems, std::vector<store::Write>& writes) {
  domain::DeletionRequest request = made.request;
  request.received_at = moment.Received();
  request.changed = moment.sequence;
  request.selector.captured = domain::TimesOf(request.selector.kind, made.times, moment);
  NoteDoubt(core, moment, request);
  SetDeadlines(*core.policies.rules(), region, request);
  domain::Verify(request, moment, systems.For(request.cause));
  const DeletionPlace place{core.PartitionOf(request.subject), NumberOf(moment.sequence, index)};
  WriteNewDeletion(core, place, DeletionRow{std::move(request), made.sealed}, made.share, writes);
}

}  // namespace consent::service
